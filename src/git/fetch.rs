//! Asks a remote for its branches and tags, and brings their objects into the mirror.
//!
//! The mirror itself has no references: those of a run come from the remote in that run, so what an
//! earlier time left behind can neither answer a question nor stand in the way of a fetch.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module marks a mirror"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use git2::{AutotagOption, ErrorCode, FetchOptions, Oid, RemoteCallbacks, Repository};

use super::GitError;
use super::seed::seed;
use crate::event::{CancelToken, Cancelled, Event, Reporter};
use crate::store::StoreError;

/// A file in a mirror whose objects are being brought: as long as it stands, that a commit is there
/// does not mean that its files are.
pub(super) const INCOMPLETE: &str = "cookpack-incomplete";

/// What is brought: every branch and every tag.
const REFSPECS: [&str; 2] = ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"];

/// A remote's references as they were in this run.
#[derive(Clone, Debug, Default)]
pub(super) struct RemoteRefs {
    /// The full name of the branch that the remote calls its default, or `HEAD` where it is at no
    /// branch.
    pub(super) head: Option<String>,
    /// Objects by the full names of branches and tags, and by `HEAD`.
    pub(super) names: BTreeMap<String, Oid>,
}

/// Fetches the repository in the folder `remote`, which messages call `shown`, into `mirror`.
pub(super) fn fetch(
    mirror: &Repository,
    remote: &Path,
    shown: &str,
    reporter: &dyn Reporter,
    cancel: &CancelToken,
) -> Result<RemoteRefs, GitError> {
    let failed = |source: git2::Error| {
        if cancel.is_cancelled() {
            return GitError::Cancelled(Cancelled);
        }
        let url = shown.to_owned();
        match source.code() {
            ErrorCode::NotFound => GitError::NoRepository { url, source },
            _ => GitError::Fetch { url, source },
        }
    };
    reporter.report(&Event::FetchStarted { url: shown });
    let source = Repository::open(remote).map_err(failed)?;
    let refs = references(&source).map_err(failed)?;
    let marker = mirror.path().join(INCOMPLETE);
    let copied =
        fs::write(&marker, "").and_then(|()| seed_again(mirror.path(), source.commondir()));
    copied.map_err(|source| StoreError::Io {
        path: mirror.path().to_owned(),
        source,
    })?;
    let database = mirror.odb().map_err(failed)?;
    let (mut objects, mut bytes) = (0, 0);
    if refs.names.values().any(|id| !database.exists(*id)) {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.transfer_progress(|progress| {
            reporter.report(&Event::FetchProgress {
                url: shown,
                objects: progress.received_objects(),
                total: progress.total_objects(),
                bytes: progress.received_bytes() as u64,
            });
            !cancel.is_cancelled()
        });
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(callbacks)
            .download_tags(AutotagOption::None);
        let address = remote.to_string_lossy();
        let mut remote = mirror.remote_anonymous(&address).map_err(failed)?;
        let downloaded = remote.download(&REFSPECS, Some(&mut options));
        downloaded.map_err(failed)?;
        objects = remote.stats().received_objects();
        bytes = remote.stats().received_bytes() as u64;
    }
    cancel.check()?;
    fs::remove_file(&marker).map_err(|source| StoreError::Io {
        path: marker,
        source,
    })?;
    reporter.report(&Event::FetchFinished {
        url: shown,
        objects,
        bytes,
    });
    Ok(refs)
}

/// Somebody may be repacking the repository just now: then its files are looked through again.
fn seed_again(mirror: &Path, remote: &Path) -> io::Result<()> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let mut copied = seed(mirror, remote);
    for _ in 0..3 {
        if !copied.as_ref().is_err_and(gone) {
            break;
        }
        copied = seed(mirror, remote);
    }
    copied
}

/// The branches and tags of a repository. A name that is not UTF-8 cannot be asked for in a
/// manifest, and a reference that leads nowhere has no commit to give.
fn references(repository: &Repository) -> Result<RemoteRefs, git2::Error> {
    let mut refs = RemoteRefs::default();
    for found in repository.references()?.flatten() {
        let Ok(name) = std::str::from_utf8(found.name_bytes()) else {
            continue;
        };
        if (name.starts_with("refs/heads/") || name.starts_with("refs/tags/"))
            && let Ok(direct) = found.resolve()
            && let Some(id) = direct.target()
        {
            refs.names.insert(name.to_owned(), id);
        }
    }
    let head = repository.find_reference("HEAD")?;
    let branch = head.symbolic_target_bytes();
    let branch = branch.and_then(|name| std::str::from_utf8(name).ok());
    refs.head = match branch {
        Some(branch) => refs.names.contains_key(branch).then(|| branch.to_owned()),
        None => head.target().map(|id| {
            refs.names.insert("HEAD".to_owned(), id);
            "HEAD".to_owned()
        }),
    };
    Ok(refs)
}
