//! Git repositories: one bare mirror each in the store, fetched at most once a run, trees read
//! straight from its object database.

mod error;
mod fetch;
mod mirror;
mod seed;
mod tree;

pub use error::GitError;
pub(crate) use mirror::Repositories;
