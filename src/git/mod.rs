//! Git repositories: one bare mirror each in the store, fetched at most once a run, trees read
//! straight from its object database.
//!
//! `repositories` takes what is wanted of all repositories and settles several at once; `settle`
//! decides what one of them must give; a `transport::Remote` gives it: a folder (`local`), git's
//! protocol (`wire`) over a carrier (`http`, `ssh`), or the `git` program (`executable`).

mod access;
mod error;
mod funnel;
mod lfs_tree;
mod local;
mod mirror;
mod refs;
mod repositories;
mod seed;
mod settle;
mod shallow;
mod submodules;
mod transport;
mod tree;
mod wire;

pub use access::GitAccess;
pub use error::GitError;
pub(crate) use repositories::{Repositories, Request};
pub(crate) use settle::Wanted;
pub(crate) use submodules::Submodule;
