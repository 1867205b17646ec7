//! What every test stands on: a sandbox, git repositories, a reader of archives, the tools of
//! others, and peers to fetch from.

mod git_server;
mod http_server;
mod lfs_server;
mod mirror;
mod packets;
mod repo;
mod sandbox;
mod secrets;
mod sshd;
mod supermarket;
#[expect(dead_code, reason = "the crate's own tests use the rest of it")]
mod tar_builder;
mod tarball;
mod tls;
mod tools;

pub(crate) use git_server::{Credentials, GitServer, Purpose, Shallow, basic, count, lines};
pub(crate) use http_server::{HttpRequest, HttpResponse};
pub(crate) use lfs_server::pointer;
pub(crate) use mirror::Mirror;
pub(crate) use repo::Repo;
pub(crate) use sandbox::{Run, Sandbox, finish, finish_within};
pub(crate) use secrets::nowhere;
pub(crate) use sshd::{Sshd, have_ssh, is_root};
pub(crate) use supermarket::{DEMO, Supermarket, tarball as cookbook_tarball};
pub(crate) use tar_builder::TarBuilder;
pub(crate) use tarball::{Member, Tarball};
pub(crate) use tls::Authority;
pub(crate) use tools::{have, hex, noise, settle, sha256};

/// The project's own folder.
pub(crate) fn project() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project, as text.
pub(crate) fn project_file(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}
