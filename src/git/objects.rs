//! The objects of one mirror, for any number of threads that read them: those of its packs by `packs`, all
//! others by libgit2.
//!
//! libgit2 maps a pack into memory as a whole, and keeps it as long as anybody has it open: whatever was
//! read of it counts as memory of ours. So all are closed now and then.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use git2::{ObjectType, Oid, Repository};

use super::GitError;
use super::mirror::Mirror;
use super::packs::{Content, Limits, Packs, Readers};

/// Bytes of objects that libgit2 reads before all databases are closed.
const MOST_READ: usize = 6 << 20;

/// Bytes of an object that libgit2 reads from which it is large: it is not kept in memory.
pub(super) const LARGE: usize = 8 << 20;

/// How much of an object of a pack is in memory.
const LIMITS: Limits = Limits {
    at_once: 256 << 10,
    put_together: LARGE,
};

/// The object databases of one mirror. All commits of it share them.
pub(super) struct Objects {
    /// The repository's address as it is shown.
    url: String,
    /// The mirror's own folder.
    folder: PathBuf,
    packs: Packs,
    readers: Arc<Readers>,
    /// Held by each thread that libgit2 reads for, and by the one that closes all.
    gate: RwLock<()>,
    idle: Mutex<Idle>,
}

/// What libgit2 has open and nobody reads: one is opened for each thread that reads at the same time.
#[derive(Default)]
struct Idle {
    open: Vec<Repository>,
    /// Bytes of objects that were read since all were closed.
    read: usize,
}

impl Objects {
    /// Those of the mirror in `folder`, with the packs that it has now. `readers` are those of the run.
    pub(super) fn open(url: String, folder: PathBuf, readers: Arc<Readers>) -> Self {
        Self {
            url,
            packs: Packs::open(&folder, super::ids_are_checked(), LIMITS),
            folder,
            readers,
            gate: RwLock::default(),
            idle: Mutex::default(),
        }
    }

    /// The mirror's own folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is made of an object: `of_content` makes it of the content, if it can. `otherwise` reads it from
    /// libgit2's database, and gives how many bytes it read as well: what no pack has, what is large, and
    /// whatever is wrong in any way.
    pub(super) fn object<T>(
        &self,
        (id, kind): (Oid, ObjectType),
        of_content: impl FnOnce(Content) -> Option<T>,
        otherwise: impl FnOnce(&Repository) -> Result<(T, usize), git2::Error>,
    ) -> Result<T, git2::Error> {
        let content = self.packs.object(&self.readers, id, kind);
        match content.and_then(of_content) {
            Some(made) => Ok(made),
            None => self.read(otherwise),
        }
    }

    /// Reads from a database of libgit2 that nobody else reads at the time. `read` gives how many bytes it
    /// read as well.
    fn read<T>(
        &self,
        read: impl FnOnce(&Repository) -> Result<(T, usize), git2::Error>,
    ) -> Result<T, git2::Error> {
        let reading = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let open = self.idle().open.pop();
        let repository = match open {
            Some(repository) => repository,
            None => self.database()?,
        };
        let found = read(&repository);
        let mut idle = self.idle();
        idle.open.push(repository);
        idle.read += found.as_ref().map_or(0, |(_, bytes)| *bytes);
        let is_much = idle.read >= MOST_READ;
        drop((idle, reading));
        if is_much {
            self.close();
        }
        Ok(found?.0)
    }

    /// Another database of the same mirror.
    fn database(&self) -> Result<Repository, git2::Error> {
        match Mirror::objects(&self.url, &self.folder) {
            Ok(Some(mirror)) => Ok(mirror.repository),
            Err(GitError::Damaged { source, .. }) => Err(source),
            _ => Err(git2::Error::from_str("it was removed")),
        }
    }

    /// Closes all, so that nothing is mapped any more.
    fn close(&self) {
        let nobody_reads = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        let mut idle = self.idle();
        // Another thread may have done so meanwhile.
        if idle.read >= MOST_READ {
            *idle = Idle::default();
        }
        drop((idle, nobody_reads));
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use git2::RepositoryInitOptions;

    use super::*;

    /// The objects of a repository that has this one blob, loose.
    fn mirror_of(folder: &Path, content: &[u8]) -> (Objects, Oid) {
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        let repository = Repository::init_opts(folder, &options).expect("a repository");
        let id = repository.blob(content).expect("a blob");
        let url = "https://example.com/x".to_owned();
        let objects = Objects::open(url, folder.to_owned(), Arc::default());
        (objects, id)
    }

    fn mirror(folder: &Path) -> Objects {
        mirror_of(folder, b"").0
    }

    #[test]
    fn all_are_closed_once_much_was_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let objects = mirror(folder.path());
        let read = |bytes| objects.read(|_| Ok(((), bytes))).expect("read");
        let state = || {
            let idle = objects.idle();
            (idle.open.len(), idle.read)
        };
        read(MOST_READ - 1);
        assert_eq!(state(), (1, MOST_READ - 1));
        read(1);
        assert_eq!(state(), (0, 0));
        // It is opened again by whoever reads next.
        read(3);
        assert_eq!(state(), (1, 3));
    }

    #[test]
    fn threads_read_while_others_close() {
        let folder = tempfile::tempdir().expect("a folder");
        let (objects, id) = mirror_of(folder.path(), b"content");
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let content = objects.read(|repository| {
                            let content = repository.find_blob(id)?.content().to_vec();
                            Ok((content, MOST_READ / 3))
                        });
                        assert_eq!(content.expect("a blob"), b"content");
                    }
                });
            }
        });
        assert!(objects.idle().open.len() <= 4);
    }

    #[test]
    fn a_failed_read_leaves_the_database_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let objects = mirror(folder.path());
        let failed: Result<(), _> = objects.read(|_| Err(git2::Error::from_str("no")));
        assert_eq!(failed.expect_err("an error").message(), "no");
        assert_eq!(objects.idle().open.len(), 1);
    }

    #[test]
    fn what_no_pack_has_is_read_by_libgit2() {
        let folder = tempfile::tempdir().expect("a folder");
        let (objects, id) = mirror_of(folder.path(), b"loose");
        let blob = (id, ObjectType::Blob);
        let of_content = |_: Content| -> Option<Vec<u8>> { panic!("no pack has it") };
        let otherwise = |repository: &Repository| {
            let content = repository.find_blob(blob.0)?.content().to_vec();
            Ok((content, 0))
        };
        let content = objects.object(blob, of_content, otherwise);
        assert_eq!(content.expect("the content"), b"loose");
    }

    #[test]
    fn a_mirror_that_was_removed_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = folder.path().join("gone");
        let objects = Objects::open("https://example.com/x".to_owned(), gone, Arc::default());
        let commit = (Oid::ZERO_SHA1, ObjectType::Commit);
        let of_content = |content: Content| content.into_bytes().ok();
        let found = objects.object(commit, of_content, |_| panic!("there is nothing to read"));
        assert_eq!(found.expect_err("an error").message(), "it was removed");
    }
}
