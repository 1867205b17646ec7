//! Git repositories: one bare mirror each in the store, fetched at most once a run, trees read
//! straight from its object database.
//!
//! `repositories` takes what is wanted of all repositories and settles several at once; `settle`
//! decides what one of them must give; a `transport::Remote` gives it: a folder (`local`), git's
//! protocol (`wire`) over a carrier (`http`, `ssh`), or the `git` program (`executable`). What git LFS
//! keeps is brought by `lfs`, whichever of them brought the commit.

mod access;
mod committed;
mod config;
mod credentials;
mod diagnose;
mod error;
mod executable;
mod funnel;
mod head;
mod http;
mod lfs;
mod lfs_tree;
mod local;
mod mirror;
mod objects;
mod packs;
mod program;
mod refs;
mod remotes;
mod repositories;
mod said;
mod seed;
mod settle;
mod shallow;
mod ssh;
mod submodules;
mod transport;
mod tree;
mod verify;
mod visitor;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};

pub use access::GitAccess;
#[cfg(all(test, feature = "cli"))]
pub(crate) use credentials::token_variable;
pub use error::GitError;
pub(crate) use head::{Head, HeadEntry};
pub(crate) use lfs::LargeFiles;
pub(crate) use repositories::{Repositories, Request};
pub(crate) use settle::Wanted;
pub use ssh::InvalidSshAddress;
pub(crate) use submodules::Submodule;
pub(crate) use verify::verify_mirror;

/// Whether the id of each object that is read is computed, in the whole process.
static IDS_ARE_CHECKED: AtomicBool = AtomicBool::new(true);

fn ids_are_checked() -> bool {
    IDS_ARE_CHECKED.load(Ordering::Relaxed)
}

/// Has nobody compute the id of each object that is read, in the whole process: half of the time that
/// reading takes. Only where every content is checked against a digest that is locked.
#[cfg(feature = "cli")]
pub(crate) fn leave_checks_to_content_digests() {
    IDS_ARE_CHECKED.store(false, Ordering::Relaxed);
    git2::opts::strict_hash_verification(false);
}

/// A URL's host, and its port where it is not the scheme's own.
fn host_and_port(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
