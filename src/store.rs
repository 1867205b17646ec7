//! The store: a folder with what was fetched, shared by every project of a user. It can be deleted
//! at any time; no answer depends on what it holds.
//!
//! ```text
//! <store>/CACHEDIR.TAG
//! <store>/git-1/<name>-<digest of the address>/        a bare mirror of one repository: its objects,
//!                                                      and no references
//! <store>/git-1/<name>-<digest of the address>.lock    held while it is fetched
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module keeps files"
)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::digest::Digest;
use crate::error::{Diagnose, Kind};
use crate::event::{CancelToken, Cancelled, Event, Reporter};

/// Why the store cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot use the store at `{}`", path.display())]
    Io {
        /// The file or the folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for StoreError {
    fn kind(&self) -> Kind {
        match self {
            Self::Io { .. } => Kind::Internal,
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// Held while something of the store is changed; released when dropped.
#[derive(Debug)]
pub(crate) struct StoreLock {
    _file: File,
}

/// Tells backup programs that the folder can be made anew (<https://bford.info/cachedir/>).
const CACHEDIR_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Kept by cookpack. It can be deleted at any time.\n";

impl Store {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Where the mirror of the repository at an address is, whether it exists or not.
    pub(crate) fn mirror_folder(&self, address: &str) -> PathBuf {
        let digest = Digest::of(address).to_string();
        let name: String = address
            .trim_end_matches('/')
            .rsplit(['/', '\\', ':'])
            .next()
            .unwrap_or_default()
            .trim_end_matches(".git")
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .take(40)
            .collect();
        self.folder
            .join("git-1")
            .join(format!("{name}-{}", &digest[..16]))
    }

    /// Notes in a new mirror which repository it is of. `address` is without credentials.
    pub(crate) fn describe(&self, mirror: &Path, address: &str) -> Result<(), StoreError> {
        let path = mirror.join("cookpack-address");
        fs::write(&path, format!("{address}\n")).map_err(|source| StoreError::Io { path, source })
    }

    /// Where the content of a file that git LFS keeps is, whether it exists or not.
    pub(crate) fn lfs_object(&self, oid: &Digest) -> PathBuf {
        let name = oid.to_string();
        self.folder.join("lfs-1").join(&name[..2]).join(&name)
    }

    /// Notes that a mirror was of use just now.
    pub(crate) fn mark_used(&self, mirror: &Path) {
        // A store that cannot be written is as good for reading.
        let _ = fs::write(mirror.join("cookpack-used"), "");
    }

    /// Waits until this process alone may change what stands at `path`.
    pub(crate) fn lock(
        &self,
        path: &Path,
        what: &str,
        reporter: &dyn Reporter,
        cancel: &CancelToken,
    ) -> Result<StoreLock, StoreError> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let failed = |source| StoreError::Io {
            path: lock_path.clone(),
            source,
        };
        self.create_folder(path.parent().unwrap_or(&self.folder))?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(failed)?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(StoreLock { _file: file }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) => {}
            }
            if !told {
                reporter.report(&Event::Waiting { what });
                told = true;
            }
            cancel.check()?;
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn create_folder(&self, folder: &Path) -> Result<(), StoreError> {
        let tag = self.folder.join("CACHEDIR.TAG");
        let created = fs::create_dir_all(folder).and_then(|()| match tag.exists() {
            true => Ok(()),
            false => fs::write(&tag, CACHEDIR_TAG),
        });
        created.map_err(|source| StoreError::Io {
            path: folder.to_owned(),
            source,
        })
    }
}
