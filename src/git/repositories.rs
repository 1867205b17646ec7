//! The repositories of one run.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module finds repositories on this machine"
)]

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use git2::{ObjectType, Oid};
use gix_object::CommitRefIter;

use super::committed::{RootFile, root_file};
use super::funnel::{Funnel, Told};
use super::lfs::{Bringing, LFS_CONFIG, LargeFiles, Missing, is_stored};
use super::lfs_tree::LfsTree;
use super::mirror::Mirror;
use super::objects::Objects;
use super::packs::Readers;
use super::refs::oid;
use super::remotes::Remotes;
use super::settle::{Settling, Wanted, discard_locked};
use super::submodules::{Submodule, submodule};
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
    remotes: Remotes<'a>,
    /// Where relative addresses begin, without links.
    real_folder: OnceLock<PathBuf>,
    /// The commits that were opened for reading, by the folder of their mirror.
    trees: Mutex<BTreeMap<(PathBuf, CommitId), Arc<dyn Tree>>>,
    /// The mirrors that they are read from, by their folder, as they were when all was brought that was
    /// asked for.
    objects: Mutex<BTreeMap<PathBuf, Arc<Objects>>>,
    readers: Arc<Readers>,
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
    /// `folder` is where relative addresses begin. `executable` has the `git` program fetch, `offline`
    /// forbids every fetch. `jobs` repositories are fetched at once.
    pub(crate) fn new(
        (store, folder): (Store, PathBuf),
        (access, executable): (&'a GitAccess, bool),
        (reporter, cancel): (&'a dyn Reporter, &'a CancelToken),
        offline: bool,
        jobs: NonZeroUsize,
    ) -> Self {
        Self {
            store,
            remotes: Remotes::new(folder, access, executable, cancel),
            trees: Mutex::default(),
            objects: Mutex::default(),
            readers: Arc::default(),
            real_folder: OnceLock::new(),
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
                let (store, remotes, cancel) = (&self.store, &self.remotes, self.cancel);
                let offline = self.offline;
                scope.spawn(move || {
                    let reporter = Funnel(tell);
                    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    while let Some((key, indices)) = next() {
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
                        let connect = || remotes.connect(url);
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
        // They have packs now that they had not.
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.clear();
        drop(objects);
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

    /// The files of a commit that is in the store. All who read the commit share one tree.
    pub(crate) fn tree(&self, url: &GitUrl, commit: &CommitId) -> Result<Arc<dyn Tree>, GitError> {
        let folder = self.store.mirror_folder(&self.key(url));
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (folder, commit.clone());
        if let Some(tree) = trees.get(&place) {
            return Ok(Arc::clone(tree));
        }
        let folder = place.0.clone();
        let shown = url.redacted();
        let label = format!("{shown}#{}", commit.short());
        let objects = self.objects(&shown, &folder);
        let id = oid(commit);
        let root = objects.object(
            (id, ObjectType::Commit),
            |content| tree_of(&content.into_bytes().ok()?),
            |repository| Ok((repository.find_commit(id)?.tree_id(), 0)),
        );
        let root = root.map_err(|source| GitError::Damaged {
            url: shown,
            folder,
            source,
        })?;
        let tree: Arc<dyn Tree> = Arc::new(GitTree::new(objects, root, label));
        trees.insert(place, Arc::clone(&tree));
        Ok(tree)
    }

    /// The objects of the mirror in `folder`.
    fn objects(&self, shown: &str, folder: &Path) -> Arc<Objects> {
        let mut all = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(objects) = all.get(folder) {
            return Arc::clone(objects);
        }
        let readers = Arc::clone(&self.readers);
        let objects = Objects::open(shown.to_owned(), folder.to_owned(), readers);
        let objects = Arc::new(objects);
        all.insert(folder.to_owned(), Arc::clone(&objects));
        objects
    }

    /// The same with the files that git LFS keeps in place of its pointers, as far as the store has
    /// them.
    pub(crate) fn tree_with_lfs(&self, tree: Arc<dyn Tree>) -> Arc<dyn Tree> {
        let store = self.store.clone();
        Arc::new(LfsTree { inner: tree, store })
    }

    /// Brings the large files of commits that are in the store. An object is brought once, whoever
    /// wants it.
    ///
    /// # Errors
    /// An error, and the index of a request that it belongs to.
    pub(crate) fn bring_large_files(
        &self,
        requests: &[LargeFiles],
    ) -> Result<(), (usize, GitError)> {
        let mut places: Vec<(String, &LargeFiles, BTreeMap<Pointer, Missing>)> = Vec::new();
        for (index, request) in requests.iter().enumerate() {
            let key = self.key(&request.url);
            let of_place = |(other, first, _): &(String, &LargeFiles, _)| {
                *other == key && first.commit == request.commit
            };
            let at = places.iter().position(of_place).unwrap_or(places.len());
            if at == places.len() {
                places.push((key, request, BTreeMap::new()));
            }
            for (path, pointer) in &request.files {
                places[at].2.entry(*pointer).or_insert_with(|| Missing {
                    pointer: *pointer,
                    path: path.clone(),
                    request: index,
                });
            }
        }
        for (_, request, wanted) in places {
            // What was wanted of one before is there by now.
            let missing = wanted.into_values();
            let missing = missing.filter(|missing| !is_stored(&self.store, &missing.pointer));
            let mut missing: Vec<_> = missing.collect();
            missing.sort_by(|a, b| (a.request, &a.path).cmp(&(b.request, &b.path)));
            let Some(first) = missing.first() else {
                continue;
            };
            let (index, url) = (first.request, &request.url);
            if self.offline {
                let (url, wanted) = (url.redacted(), first.shown());
                return Err((index, GitError::Offline { url, wanted }));
            }
            let lfs_config = self.root_file(url, &request.commit, LFS_CONFIG);
            let lfs_config = lfs_config.map_err(|error| (index, error))?;
            let bringing = Bringing {
                store: &self.store,
                remotes: &self.remotes,
                reporter: self.reporter,
                jobs: self.jobs,
                url,
                shown: url.redacted(),
            };
            bringing.bring(&lfs_config, missing)?;
        }
        Ok(())
    }

    /// A file at the root of a commit that is in the store.
    fn root_file(&self, url: &GitUrl, commit: &CommitId, name: &str) -> Result<RootFile, GitError> {
        let mirror = self.opened(url)?;
        let tree = mirror.repository.find_commit(oid(commit));
        let tree = tree.and_then(|commit| commit.tree());
        let tree = tree.map_err(|error| mirror.damaged(error))?;
        Ok(root_file(&mirror, &tree, name))
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
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.retain(|(of, _), _| *of != folder);
        drop(trees);
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.remove(&folder);
        drop(objects);
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
            None => Err(gone(shown, folder)),
        }
    }

    /// The key of a repository in the store: its absolute address without credentials. The
    /// repository itself need not be there any more.
    fn key(&self, url: &GitUrl) -> String {
        match url.form() {
            GitUrlForm::Path => {
                // It is asked for with each cookbook.
                let folder = self.real_folder.get_or_init(|| {
                    let folder = self.remotes.folder();
                    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
                });
                without_detours(&folder.join(url.with_credentials()))
            }
            _ => url.redacted(),
        }
    }
}

/// The folder that a commit is of.
fn tree_of(commit: &[u8]) -> Option<Oid> {
    let tree = CommitRefIter::from_bytes(commit, gix_hash::Kind::Sha1).tree_id();
    Oid::from_bytes(tree.ok()?.as_bytes()).ok()
}

/// A mirror that was there when its commits were looked for.
fn gone(url: String, folder: PathBuf) -> GitError {
    GitError::Damaged {
        url,
        folder,
        source: git2::Error::from_str("it was removed"),
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
