//! What is downloaded: a temporary file, digested as it grows, that then becomes a thing of the store.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module writes files"
)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{CacheKind, Store, StoreError};
use crate::aside::create_locked;
use crate::digest::{Digest, Hasher};

/// A file that is being downloaded. It is locked, so that others can tell it from what a kill left.
#[derive(Debug)]
pub(crate) struct Spool {
    file: NamedTempFile,
    hasher: Hasher,
    size: u64,
}

/// A file that was downloaded as a whole, and is still under its temporary name.
#[derive(Debug)]
pub(crate) struct Spooled {
    file: NamedTempFile,
    /// Of all its bytes.
    pub(crate) digest: Digest,
    /// Bytes.
    pub(crate) size: u64,
}

impl Store {
    /// Begins a file that is to become a thing of a kind.
    pub(crate) fn spool(&self, kind: CacheKind) -> Result<Spool, StoreError> {
        let folder = self.folder.join(kind.folder());
        self.create_folder(&folder)?;
        let file = create_locked(&folder).map_err(StoreError::at(&folder))?;
        Ok(Spool {
            file,
            hasher: Hasher::default(),
            size: 0,
        })
    }

    /// Keeps a file as the object that its digest names. One that is there already has the same
    /// content, or is damaged: either way the new one takes its place.
    pub(crate) fn keep_object(
        &self,
        kind: CacheKind,
        spooled: Spooled,
    ) -> Result<PathBuf, StoreError> {
        let path = self.object(kind, &spooled.digest);
        self.create_folder(path.parent().unwrap_or(&self.folder))?;
        spooled.persist(&path)?;
        Ok(path)
    }

    /// Removes an object that is not what its name says.
    pub(crate) fn discard_object(&self, path: &Path) -> Result<(), StoreError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::at(path)(error))
            }
            _ => Ok(()),
        }
    }
}

impl Spool {
    /// All of it, written.
    pub(crate) fn finish(mut self) -> Result<Spooled, StoreError> {
        self.file
            .flush()
            .map_err(StoreError::at(self.file.path()))?;
        Ok(Spooled {
            digest: self.hasher.finish(),
            size: self.size,
            file: self.file,
        })
    }

    /// Where it stands as long as it is written.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Spooled {
    /// Where it stands until it is kept.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts it where it belongs.
    pub(super) fn persist(self, path: &Path) -> Result<(), StoreError> {
        let persisted = self.file.persist(path);
        persisted
            .map(drop)
            .map_err(|error| StoreError::at(path)(error.error))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_stands_under_its_digest_and_nothing_else_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path());
        let mut spool = store.spool(CacheKind::Cookbook).expect("a file");
        spool.write_all(b"tarball").expect("written");
        let spooled = spool.finish().expect("a file");
        assert_eq!((spooled.digest, spooled.size), (Digest::of("tarball"), 7));
        let path = store
            .keep_object(CacheKind::Cookbook, spooled)
            .expect("kept");
        assert_eq!(
            path,
            store.object(CacheKind::Cookbook, &Digest::of("tarball"))
        );
        assert_eq!(fs::read(&path).expect("a file"), b"tarball");
        // What is given up leaves nothing.
        drop(store.spool(CacheKind::Cookbook).expect("a file"));
        let items = store.items(CacheKind::Cookbook).expect("items");
        assert_eq!(items.len(), 1);
        let names = fs::read_dir(folder.path().join("cookbooks-1")).expect("a folder");
        assert_eq!(names.count(), 1);
        store.discard_object(&path).expect("gone");
        store.discard_object(&path).expect("gone already");
        assert!(!path.exists());
    }
}
