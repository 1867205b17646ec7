//! Locks: one file beside each thing that several processes may change.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module locks files"
)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Store, StoreError};
use crate::event::{CancelToken, Event, Reporter};

/// Held while something of the store is changed; released when dropped.
#[derive(Debug)]
pub(crate) struct StoreLock {
    file: File,
    path: PathBuf,
}

impl StoreLock {
    /// Removes the lock's file, since what it guarded is gone. Whoever opened it before finds, once it
    /// has the lock, that the file does not stand there any more.
    pub(super) fn remove(self) {
        // Elsewhere than on Unix an open file cannot be told from its successor, so it stays.
        if cfg!(unix) {
            // One that stays does no harm.
            let _ = fs::remove_file(&self.path);
        }
        drop(self.file);
    }
}

impl Store {
    /// Waits until this process alone may change what stands at `path`.
    pub(crate) fn lock(
        &self,
        path: &Path,
        what: &str,
        reporter: &dyn Reporter,
        cancel: &CancelToken,
    ) -> Result<StoreLock, StoreError> {
        let mut told = false;
        loop {
            self.create_folder(path.parent().unwrap_or(&self.folder))?;
            if let Some(lock) = self.try_lock(path)? {
                if told {
                    reporter.report(&Event::WaitFinished { what });
                }
                return Ok(lock);
            }
            if !told {
                reporter.report(&Event::Waiting { what });
                told = true;
            }
            cancel.check()?;
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The same for somebody who only reads: nothing where the store cannot be written, since then
    /// nobody changes it either.
    pub(crate) fn lock_to_read(
        &self,
        path: &Path,
        what: &str,
        reporter: &dyn Reporter,
        cancel: &CancelToken,
    ) -> Result<Option<StoreLock>, StoreError> {
        match self.lock(path, what, reporter, cancel) {
            Ok(lock) => Ok(Some(lock)),
            Err(StoreError::Io { source, .. }) if is_read_only(&source) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The lock of what stands at `path`, unless another process has it. The folder above exists.
    pub(super) fn try_lock(&self, path: &Path) -> Result<Option<StoreLock>, StoreError> {
        let path = lock_path(path);
        loop {
            let opened = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path);
            let file = opened.map_err(StoreError::at(&path))?;
            match file.try_lock() {
                Ok(()) if stands_at(&file, &path) => return Ok(Some(StoreLock { file, path })),
                // It was removed between the opening and the locking: whoever comes next makes a new
                // one, and would hold that beside this.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(StoreError::Io { path, source }),
            }
        }
    }

    /// Whether another process has the lock of what stands at `path`. Nothing is written for it.
    pub(super) fn is_locked(&self, path: &Path) -> bool {
        is_locked_file(&lock_path(path))
    }
}

/// Whether a process holds the lock on a file. A file that is not there is free.
pub(super) fn is_locked_file(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// The lock's file of what stands at `path`.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    PathBuf::from(lock_path)
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

#[cfg(unix)]
fn stands_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn stands_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::event::Silent;

    #[test]
    fn one_holds_a_lock_even_while_its_file_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path());
        let thing = folder.path().join("git-1/web");
        let holders = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (store, thing, holders) = (&store, &thing, &holders);
                scope.spawn(move || {
                    for round in 0..40 {
                        let lock = store.lock(thing, "web", &Silent, &CancelToken::default());
                        let lock = lock.expect("a lock");
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        assert_eq!(holders.fetch_sub(1, Ordering::SeqCst), 1);
                        if (number + round) % 2 == 0 {
                            lock.remove();
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn a_held_lock_is_told_apart_without_a_trace() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path());
        let thing = folder.path().join("web");
        assert!(!store.is_locked(&thing));
        assert!(!lock_path(&thing).exists());
        let lock = store.try_lock(&thing).expect("a store").expect("a lock");
        assert!(store.is_locked(&thing));
        assert!(store.try_lock(&thing).expect("a store").is_none());
        drop(lock);
        assert!(!store.is_locked(&thing));
    }
}
