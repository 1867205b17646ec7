//! The objects of one mirror, for any number of threads that read them.
//!
//! libgit2 maps a pack into memory as a whole, and keeps it as long as anybody has it open: whatever was
//! read of it counts as memory of ours. So all are closed now and then.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use git2::Repository;

use super::mirror::Mirror;

/// Bytes of objects that are read before all databases are closed.
const MOST_READ: usize = 6 << 20;

/// The object databases of one mirror. All commits of it share them.
pub(super) struct Objects {
    /// The repository's address as it is shown.
    url: String,
    /// The mirror's own folder.
    folder: PathBuf,
    /// Held by each thread that reads, and by the one that closes all.
    gate: RwLock<()>,
    idle: Mutex<Idle>,
}

/// What is open and nobody reads: one is opened for each thread that reads at the same time.
#[derive(Default)]
struct Idle {
    open: Vec<Repository>,
    /// Bytes of objects that were read since all were closed.
    read: usize,
}

impl Objects {
    /// Those of a mirror.
    pub(super) fn new(mirror: Mirror, folder: PathBuf) -> Self {
        let idle = Idle {
            open: vec![mirror.repository],
            read: 0,
        };
        Self {
            url: mirror.url,
            folder,
            gate: RwLock::default(),
            idle: Mutex::new(idle),
        }
    }

    /// The mirror's own folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads from an object database that nobody else reads at the time. `read` gives how many bytes it
    /// read as well.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Repository) -> Result<(T, usize), git2::Error>,
    ) -> Result<T, git2::Error> {
        let reading = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let open = self.idle().open.pop();
        let repository = match open {
            Some(repository) => repository,
            None => {
                let opened = Mirror::objects(&self.url, &self.folder).ok().flatten();
                let gone = || git2::Error::from_str("it was removed");
                opened.ok_or_else(gone)?.repository
            }
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

    fn mirror(folder: &Path) -> Objects {
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        Repository::init_opts(folder, &options).expect("a repository");
        let mirror = Mirror::open("https://example.com/x", folder).expect("a mirror");
        Objects::new(mirror.expect("a mirror"), folder.to_owned())
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
        let objects = mirror(folder.path());
        let id = objects.read(|repository| Ok((repository.blob(b"content")?, 0)));
        let id = id.expect("a blob");
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
}
