//! The repositories of one run.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module finds repositories on this machine"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use super::funnel::{Funnel, Told};
use super::lfs_tree::LfsTree;
use super::local::Local;
use super::mirror::Mirror;
use super::refs::oid;
use super::settle::{Settling, Wanted, discard_locked};
use super::submodules::{Submodule, submodule};
use super::transport::Remote;
use super::tree::GitTree;
use super::{GitAccess, GitError};
use crate::event::{CancelToken, Reporter};
use crate::lfs::Pointer;
use crate::manifest::{CommitId, GitUrl, GitUrlForm};
use crate::store::Store;
use crate::tree::Tree;

/// The repositories of one run. What is wanted of one is asked for at once, and each is fetched at
/// most once for it.
pub(crate) struct Repositories<'a> {
    store: Store,
    folder: PathBuf,
    access: &'a GitAccess,
    reporter: &'a dyn Reporter,
    cancel: &'a CancelToken,
    offline: bool,
    jobs: NonZeroUsize,
}

/// One thing wanted of one repository.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) url: GitUrl,
    pub(crate) wanted: Wanted,
}

impl<'a> Repositories<'a> {
    /// `folder` is where relative addresses begin. `offline` forbids every fetch. `jobs` repositories
    /// are fetched at once.
    pub(crate) fn new(
        (store, folder): (Store, PathBuf),
        access: &'a GitAccess,
        (reporter, cancel): (&'a dyn Reporter, &'a CancelToken),
        offline: bool,
        jobs: NonZeroUsize,
    ) -> Self {
        Self {
            store,
            folder,
            access,
            reporter,
            cancel,
            offline,
            jobs,
        }
    }

    /// The commit of each request, all of them in the store.
    ///
    /// # Errors
    /// The error of the first request that has one, and its index: which one that is does not depend
    /// on how fast the remotes are.
    pub(crate) fn bring(&self, requests: &[Request]) -> Result<Vec<CommitId>, (usize, GitError)> {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, request) in requests.iter().enumerate() {
            groups
                .entry(self.key(&request.url))
                .or_default()
                .push(index);
        }
        let workers = self.jobs.get().min(groups.len());
        let mut commits: Vec<Option<CommitId>> = vec![None; requests.len()];
        let mut failed: Option<(usize, GitError)> = None;
        let queue = Mutex::new(groups.into_iter());
        let (tell, told) = mpsc::channel::<Told>();
        let (give, settled) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..workers {
                let (queue, give, tell) = (&queue, give.clone(), tell.clone());
                let shared = (&self.store, &self.folder, self.access, self.cancel);
                let offline = self.offline;
                scope.spawn(move || {
                    let reporter = Funnel(tell);
                    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    while let Some((key, indices)) = next() {
                        let (store, folder, access, cancel) = shared;
                        let url = &requests[indices[0]].url;
                        let settling = Settling {
                            folder: store.mirror_folder(&key),
                            url: url.redacted(),
                            key,
                            store,
                            reporter: &reporter,
                            cancel,
                            offline,
                        };
                        let wanted: Vec<_> = indices
                            .iter()
                            .map(|index| requests[*index].wanted.clone())
                            .collect();
                        let connect = || connect(folder, url, access, cancel);
                        let found = settling.settle(&wanted, &connect);
                        if give.send((indices, found)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop((tell, give));
            // The events end when the last worker does.
            for event in told {
                event.report(self.reporter);
            }
        });
        for (indices, found) in settled {
            match found {
                Ok(found) => {
                    for (index, commit) in indices.into_iter().zip(found) {
                        commits[index] = Some(commit);
                    }
                }
                Err((at, error)) => {
                    let index = indices[at];
                    if failed.as_ref().is_none_or(|(other, _)| index < *other) {
                        failed = Some((index, error));
                    }
                }
            }
        }
        match failed {
            Some(failed) => Err(failed),
            None => Ok(commits.into_iter().flatten().collect()),
        }
    }

    /// The files of a commit that is in the store.
    pub(crate) fn tree(&self, url: &GitUrl, commit: &CommitId) -> Result<Arc<dyn Tree>, GitError> {
        let mirror = self.opened(url)?;
        let label = format!("{}#{}", mirror.url, commit.short());
        let root = mirror
            .repository
            .find_commit(oid(commit))
            .map(|commit| commit.tree_id())
            .map_err(|source| mirror.damaged(source))?;
        Ok(Arc::new(GitTree::new(mirror.repository, root, label)))
    }

    /// The same with the files that git LFS keeps in place of its pointers, as far as the store has
    /// them.
    pub(crate) fn tree_with_lfs(&self, tree: Arc<dyn Tree>) -> Arc<dyn Tree> {
        let store = self.store.clone();
        Arc::new(LfsTree { inner: tree, store })
    }

    /// Brings files that git LFS keeps for a repository into the store.
    pub(crate) fn bring_large_files(
        &self,
        url: &GitUrl,
        pointers: &BTreeSet<Pointer>,
    ) -> Result<(), GitError> {
        let _ = (url, pointers);
        Ok(())
    }

    /// The submodule at a path of a commit that is in the store.
    pub(crate) fn submodule(
        &self,
        url: &GitUrl,
        commit: &CommitId,
        path: &str,
    ) -> Result<Submodule, GitError> {
        submodule(&self.opened(url)?, url, commit, path)
    }

    /// Takes the mirror of a repository, which was found damaged while it was read, out of the store.
    /// Returns false where it could not be fetched again.
    pub(crate) fn discard(&self, url: &GitUrl) -> Result<bool, GitError> {
        if self.offline {
            return Ok(false);
        }
        let folder = self.store.mirror_folder(&self.key(url));
        discard_locked(
            &self.store,
            &folder,
            &url.redacted(),
            self.reporter,
            self.cancel,
        )?;
        Ok(true)
    }

    fn opened(&self, url: &GitUrl) -> Result<Mirror, GitError> {
        let folder = self.store.mirror_folder(&self.key(url));
        let shown = url.redacted();
        match Mirror::open(&shown, &folder)? {
            Some(mirror) => Ok(mirror),
            None => Err(GitError::Damaged {
                url: shown,
                folder,
                source: git2::Error::from_str("it was removed"),
            }),
        }
    }

    /// The key of a repository in the store: its absolute address without credentials. The
    /// repository itself need not be there any more.
    fn key(&self, url: &GitUrl) -> String {
        match url.form() {
            GitUrlForm::Path => {
                let folder = fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
                without_detours(&folder.join(url.with_credentials()))
            }
            _ => url.redacted(),
        }
    }
}

/// Begins a conversation with a remote. The one place that knows which kinds of remotes there are.
/// A relative folder begins at `folder`.
fn connect(
    folder: &Path,
    url: &GitUrl,
    _access: &GitAccess,
    cancel: &CancelToken,
) -> Result<Box<dyn Remote>, GitError> {
    let address = url.with_credentials();
    let local = |folder| Box::new(Local::new(folder, url.redacted(), cancel.clone()));
    match url.form() {
        GitUrlForm::Path => Ok(local(folder.join(address))),
        GitUrlForm::File => match address.get("file://".len()..).and_then(percent_decoded) {
            Some(folder) => Ok(local(folder)),
            None => Err(GitError::NoRepository {
                url: url.redacted(),
                source: git2::Error::from_str("it is not the address of a folder on this machine"),
            }),
        },
        _ => Err(GitError::UnsupportedTransport {
            url: url.redacted(),
        }),
    }
}

/// A path without `.` and `..`, as text.
fn without_detours(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain.to_string_lossy().into_owned()
}

/// The folder of a `file://` address: `/srv/a%20b` or `localhost/srv/a%20b`.
fn percent_decoded(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix("localhost").unwrap_or(address);
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    path.starts_with('/')
        .then(|| String::from_utf8(decoded).ok().map(PathBuf::from))
        .flatten()
}
