//! The files that git LFS keeps for a repository, brought into the store.
//!
//! `place` finds out where they are, `batch` asks a server for the address of each, `download` brings
//! one and checks it. What a server says is used once and never kept.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module looks into repositories on this machine"
)]

mod batch;
mod download;
mod place;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use git2::Repository;

use self::batch::BATCH;
use self::download::{Download, Origin};
use self::place::{Place, Server, ask_host, places};
use super::GitError;
use super::committed::RootFile;
use super::funnel::Told;
use super::remotes::Remotes;
use crate::event::Reporter;
use crate::lfs::Pointer;
use crate::manifest::{CommitId, GitUrl};
use crate::store::Store;

pub(super) use place::LFS_CONFIG;

/// The large files that are wanted of one commit.
#[derive(Clone, Debug)]
pub(crate) struct LargeFiles {
    pub(crate) url: GitUrl,
    pub(crate) commit: CommitId,
    /// Pointers by their paths in the repository.
    pub(crate) files: BTreeMap<String, Pointer>,
}

/// An object that is to be brought.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    pub(super) pointer: Pointer,
    /// The path of the first file that has it as its content.
    pub(super) path: String,
    /// The index of the request that wants it.
    pub(super) request: usize,
}

impl Missing {
    /// For a message that says what is wanted.
    pub(super) fn shown(&self) -> String {
        format!("`{}`, which git LFS keeps", self.path)
    }
}

/// Whether the store has an object. One of another size than the pointer says is not it: it is
/// damaged, or the pointer is wrong, and the next fetch tells.
pub(super) fn is_stored(store: &Store, pointer: &Pointer) -> bool {
    let found = fs::metadata(store.lfs_object(&pointer.oid));
    found.is_ok_and(|found| found.is_file() && found.len() == pointer.size)
}

/// Brings the large files of one repository.
pub(super) struct Bringing<'a, 'r> {
    pub(super) store: &'a Store,
    pub(super) remotes: &'a Remotes<'r>,
    pub(super) reporter: &'a dyn Reporter,
    /// So many objects are brought at once.
    pub(super) jobs: NonZeroUsize,
    pub(super) url: &'a GitUrl,
    /// The repository's address as it is shown.
    pub(super) shown: String,
}

/// An error, and the index of the request that it belongs to.
type Failed = (usize, GitError);

impl Bringing<'_, '_> {
    /// Brings objects, none of which the store has. There is at least one.
    pub(super) fn bring(
        &self,
        lfs_config: &RootFile,
        mut missing: Vec<Missing>,
    ) -> Result<(), Failed> {
        let first = missing.first().map_or(0, |missing| missing.request);
        let at_first = |error| (first, error);
        let fetch = Fetch {
            url: format!("{} (LFS)", self.shown),
            total: missing.len(),
            objects: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
        };
        Told::Started(fetch.url.clone()).report(self.reporter);
        for place in places(self.remotes, self.url, lfs_config).map_err(at_first)? {
            if missing.is_empty() {
                break;
            }
            missing = match place {
                Place::Folder(folder) => {
                    let objects = objects_folder(&folder);
                    let found = |missing: &Missing| match file_of(&objects, &missing.pointer) {
                        Some(file) => Ok((missing.clone(), Origin::File(file))),
                        None => Err(missing.clone()),
                    };
                    let (there, left) = divided(missing.iter().map(found));
                    self.bring_all(&fetch, there)?;
                    left
                }
                Place::Server(url) => {
                    let headers = Vec::new();
                    let server = Server { url, headers };
                    let mut left = Vec::new();
                    for some in missing.chunks(BATCH) {
                        left.extend(self.bring_from(&fetch, &server, some)?);
                    }
                    left
                }
                Place::Ssh { url, is_repository } => {
                    let mut left = Vec::new();
                    for some in missing.chunks(BATCH) {
                        // What a host gives for its server holds for a while only.
                        let server = ask_host(self.remotes, self.url, (&url, is_repository));
                        let server = server.map_err(at_first)?;
                        left.extend(self.bring_from(&fetch, &server, some)?);
                    }
                    left
                }
                Place::Refused(reason) => {
                    let url = self.shown.clone();
                    return Err(at_first(GitError::LargeFiles { url, reason }));
                }
            };
        }
        if let Some(one) = missing.first() {
            let error = GitError::LargeFilesMissing {
                url: self.shown.clone(),
                paths: missing.iter().map(|missing| missing.path.clone()).collect(),
                oid: one.pointer.oid,
            };
            return Err((one.request, error));
        }
        Told::Finished {
            url: fetch.url,
            objects: fetch.objects.into_inner(),
            bytes: fetch.bytes.into_inner(),
        }
        .report(self.reporter);
        Ok(())
    }

    /// Brings what a server has of one batch; what it does not have.
    fn bring_from(
        &self,
        fetch: &Fetch,
        server: &Server,
        some: &[Missing],
    ) -> Result<Vec<Missing>, Failed> {
        let pointers: Vec<_> = some.iter().map(|missing| missing.pointer).collect();
        let links = batch::ask(self.remotes, &self.shown, server, &pointers);
        let links = links.map_err(|error| (some[0].request, error))?;
        let found = |(missing, link): (&Missing, _)| match link {
            Some(link) => Ok((missing.clone(), Origin::Link(server, link))),
            None => Err(missing.clone()),
        };
        let (there, left) = divided(some.iter().zip(links).map(found));
        self.bring_all(fetch, there)?;
        Ok(left)
    }

    /// Brings objects, several at once. Which error is told does not depend on how fast the server
    /// is: those before the one that fails first are all brought to their end.
    fn bring_all(&self, fetch: &Fetch, there: Vec<(Missing, Origin<'_>)>) -> Result<(), Failed> {
        let workers = self.jobs.get().min(there.len());
        let queue = Mutex::new(there.into_iter().enumerate());
        let has_failed = AtomicBool::new(false);
        let (tell, told) = mpsc::channel::<Told>();
        let (fail, failed) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..workers {
                let (queue, has_failed) = (&queue, &has_failed);
                let (tell, fail) = (tell.clone(), fail.clone());
                let (remotes, store, url) = (self.remotes, self.store, &*self.shown);
                scope.spawn(move || {
                    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    while !has_failed.load(Ordering::SeqCst) {
                        let Some((index, (missing, origin))) = next() else {
                            break;
                        };
                        let download = Download {
                            remotes,
                            store,
                            url,
                            path: &missing.path,
                            pointer: missing.pointer,
                            bytes: &fetch.bytes,
                        };
                        // Nobody listens any more once the operation has failed.
                        let tell = || drop(tell.send(fetch.progress()));
                        match download.bring(&origin, &tell) {
                            Ok(()) => {
                                fetch.objects.fetch_add(1, Ordering::Relaxed);
                                tell();
                            }
                            Err(error) => {
                                has_failed.store(true, Ordering::SeqCst);
                                drop(fail.send((index, (missing.request, error))));
                            }
                        }
                    }
                });
            }
            drop((tell, fail));
            for event in told {
                event.report(self.reporter);
            }
        });
        match failed.into_iter().min_by_key(|(index, _)| *index) {
            Some((_, failed)) => Err(failed),
            None => Ok(()),
        }
    }
}

/// What is told of a fetch.
struct Fetch {
    /// The address for events.
    url: String,
    total: usize,
    objects: AtomicUsize,
    bytes: AtomicU64,
}

impl Fetch {
    fn progress(&self) -> Told {
        Told::Progress {
            url: self.url.clone(),
            objects: self.objects.load(Ordering::Relaxed),
            total: self.total,
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

fn divided<A, B>(results: impl Iterator<Item = Result<A, B>>) -> (Vec<A>, Vec<B>) {
    let (mut there, mut left) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => there.push(one),
            Err(one) => left.push(one),
        }
    }
    (there, left)
}

/// Where a repository on this machine keeps large files (git-lfs, `docs/spec.md`), whether it is bare
/// or has a work tree.
fn objects_folder(folder: &Path) -> PathBuf {
    let own = match Repository::open(folder) {
        Ok(repository) => repository.commondir().to_owned(),
        // The repository may be gone; then it has no objects either.
        Err(_) => folder.to_owned(),
    };
    own.join("lfs").join("objects")
}

fn file_of(objects: &Path, pointer: &Pointer) -> Option<PathBuf> {
    let oid = pointer.oid.to_string();
    let file = objects.join(&oid[..2]).join(&oid[2..4]).join(&oid);
    file.is_file().then_some(file)
}
