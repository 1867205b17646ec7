//! A remote that is a folder of this machine.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module marks a mirror"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::{AutotagOption, ErrorClass, ErrorCode, FetchOptions, RemoteCallbacks, Repository};

use super::GitError;
use super::mirror::INCOMPLETE;
use super::seed::seed;
use super::shallow::ShallowRoots;
use super::transport::{Progress, Remote, RemoteRef, RemoteRefs, Wants};
use crate::event::{CancelToken, Cancelled};
use crate::store::StoreError;

/// What is brought where objects cannot be copied: every branch and every tag.
const REFSPECS: [&str; 2] = ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"];

/// A repository in a folder.
pub(super) struct Local {
    folder: PathBuf,
    url: String,
    cancel: CancelToken,
}

impl Local {
    /// `url` is the address as it is shown.
    pub(super) fn new(folder: PathBuf, url: String, cancel: CancelToken) -> Self {
        Self {
            folder,
            url,
            cancel,
        }
    }

    fn failed(&self, source: git2::Error) -> GitError {
        let url = self.url.clone();
        if self.cancel.is_cancelled() {
            return GitError::Cancelled(Cancelled);
        }
        if source.code() == ErrorCode::NotFound {
            return GitError::NoRepository { url, source };
        }
        // libgit2 names the extension that it does not know, and nothing else tells it apart.
        if source.class() == ErrorClass::Repository && source.message().contains("objectformat") {
            let format = "sha256".to_owned();
            return GitError::ObjectFormat { url, format };
        }
        GitError::Fetch { url, source }
    }
}

impl Remote for Local {
    fn refs(&mut self, _prefixes: &[String]) -> Result<RemoteRefs, GitError> {
        let repository = Repository::open(&self.folder).map_err(|error| self.failed(error))?;
        references(&repository).map_err(|error| self.failed(error))
    }

    /// Copies what the repository has, whatever is wanted of it: that is cheaper than to choose.
    fn bring(
        &mut self,
        mirror: &Repository,
        wants: &Wants,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), GitError> {
        let source = Repository::open(&self.folder).map_err(|error| self.failed(error))?;
        let unusable = |source| StoreError::Io {
            path: mirror.path().to_owned(),
            source,
        };
        let marker = mirror.path().join(INCOMPLETE);
        fs::write(&marker, "").map_err(unusable)?;
        let mut roots = ShallowRoots::read(mirror.path())?;
        roots.extend(ShallowRoots::read(source.commondir())?);
        roots.write(mirror.path())?;
        let copied = seed_again(mirror, source.commondir()).map_err(unusable)?;
        progress(Progress {
            objects: 0,
            total: 0,
            bytes: copied,
        });
        let database = mirror.odb().map_err(|error| self.failed(error))?;
        let refs = references(&source).map_err(|error| self.failed(error))?;
        if refs.names.values().any(|found| !database.exists(found.id)) {
            self.download(mirror, progress)?;
        }
        self.cancel.check()?;
        fs::remove_file(&marker).map_err(unusable)?;
        let (Wants::Shallow(ids) | Wants::History(ids)) = wants;
        match ids
            .iter()
            .find(|id| source.find_object(**id, None).is_err())
        {
            Some(id) => Err(GitError::NotThere {
                url: self.url.clone(),
                message: format!("it has no object {id}"),
            }),
            None => Ok(()),
        }
    }
}

impl Local {
    /// Has libgit2 bring what copying did not: objects that the repository borrows from another.
    fn download(
        &self,
        mirror: &Repository,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), GitError> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.transfer_progress(|now| {
            progress(Progress {
                objects: now.received_objects(),
                total: now.total_objects(),
                bytes: now.received_bytes() as u64,
            }) && !self.cancel.is_cancelled()
        });
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(callbacks)
            .download_tags(AutotagOption::None);
        let address = self.folder.to_string_lossy();
        let remote = mirror.remote_anonymous(&address);
        let downloaded =
            remote.and_then(|mut remote| remote.download(&REFSPECS, Some(&mut options)));
        downloaded.map_err(|error| self.failed(error))
    }
}

/// Somebody may be repacking the repository just now: then its files are looked through again.
fn seed_again(mirror: &Repository, remote: &Path) -> io::Result<u64> {
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

/// The references of a repository. A name that is not UTF-8 cannot be asked for in a manifest, and a
/// reference that leads nowhere has no commit to give.
fn references(repository: &Repository) -> Result<RemoteRefs, git2::Error> {
    let mut refs = RemoteRefs::default();
    for found in repository.references()?.flatten() {
        let Ok(name) = std::str::from_utf8(found.name_bytes()) else {
            continue;
        };
        if let Ok(direct) = found.resolve()
            && let Some(id) = direct.target()
        {
            let peeled = direct.peel(git2::ObjectType::Any).ok();
            let peeled = peeled
                .map(|object| object.id())
                .filter(|peeled| *peeled != id);
            refs.names.insert(name.to_owned(), RemoteRef { id, peeled });
        }
    }
    let head = repository.find_reference("HEAD")?;
    let branch = head.symbolic_target_bytes();
    let branch = branch.and_then(|name| std::str::from_utf8(name).ok());
    refs.head = match branch {
        Some(branch) => refs.names.contains_key(branch).then(|| branch.to_owned()),
        None => head.target().map(|id| {
            let peeled = None;
            refs.names
                .insert("HEAD".to_owned(), RemoteRef { id, peeled });
            "HEAD".to_owned()
        }),
    };
    Ok(refs)
}
