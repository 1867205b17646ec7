//! Git repositories: one bare mirror each in the store, fetched at most once a run, trees read
//! straight from its object database.

mod access;
mod error;
mod executable;
mod fetch;
mod mirror;
mod program;
mod said;
mod seed;
mod ssh;
mod transport;
mod tree;

pub use access::GitAccess;
pub use error::GitError;
pub(crate) use mirror::Repositories;
pub use ssh::InvalidSshAddress;
