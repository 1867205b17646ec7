//! x
#![forbid(unsafe_code)]
pub mod digest;
pub mod error;
pub mod event;
pub mod limits;
pub mod metadata;
pub mod name;
pub mod path;
pub mod ruby;
pub mod run_list;
pub mod text;
pub mod tree;
pub mod version;
