//! Git repositories: one bare mirror each in the store, fetched at most once a run, trees read
//! straight from its object database.

mod access;
mod config;
mod credentials;
mod error;
mod executable;
mod fetch;
mod http;
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

/// A URL's host, and its port where it is not the scheme's own.
fn host_and_port(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
