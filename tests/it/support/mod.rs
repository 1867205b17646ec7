//! What every test stands on: a sandbox, git repositories, a reader of archives, the tools of others.

mod repo;
mod sandbox;
mod tarball;
mod tools;

pub(crate) use repo::Repo;
pub(crate) use sandbox::{Run, Sandbox, finish};
pub(crate) use tarball::{Member, Tarball};
pub(crate) use tools::{have, hex, noise, sha256};

/// The project's own folder.
pub(crate) fn project() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project, as text.
pub(crate) fn project_file(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}
