//! Git repositories: one bare mirror each in the store, fetched at most once a run, trees read
//! straight from its object database.

mod access;
mod error;
mod fetch;
mod mirror;
mod seed;
mod transport;
mod tree;
mod verify;

pub use access::GitAccess;
pub use error::GitError;
pub(crate) use mirror::Repositories;
pub(crate) use verify::verify_mirror;
