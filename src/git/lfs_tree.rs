//! A commit's files with what git LFS keeps in place of its pointers.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads the store"
)]

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use crate::digest::{Digest, Hasher};
use crate::lfs::{LONGEST_POINTER, Pointer};
use crate::store::Store;
use crate::tree::{EntryKind, Tree, TreeEntry, TreeError};

/// A tree whose pointers are read as the files that the store has for them. A pointer whose file is
/// not in the store stays one.
pub(super) struct LfsTree {
    pub(super) inner: Arc<dyn Tree>,
    pub(super) store: Store,
}

impl Tree for LfsTree {
    fn label(&self) -> String {
        self.inner.label()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        self.inner.entries(dir)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        self.inner.kind(path)
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        self.inner.link_target(path)
    }

    /// Which pointers the store has a file for does not show in it: a plan in which one was left as it
    /// is, is no plan that is kept.
    fn identity(&self, path: &[u8]) -> Result<Option<Digest>, TreeError> {
        let inner = self.inner.identity(path)?;
        Ok(inner.map(|inner| {
            let mut hasher = Hasher::default();
            hasher.update(b"lfs\0");
            hasher.update(inner.as_bytes());
            hasher.finish()
        }))
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        let mut content = self.inner.open(path)?;
        let mut start = Vec::new();
        let read = (&mut content)
            .take(LONGEST_POINTER as u64)
            .read_to_end(&mut start);
        read.map_err(|source| TreeError::Read {
            path: crate::tree::lossy(path),
            tree: self.label(),
            source,
        })?;
        if let Some(pointer) = Pointer::parse(&start)
            && let path = self.store.lfs_object(&pointer.oid)
            && let Ok(file) = File::open(&path)
            // Another size is another file, whatever the pointer says besides.
            && file.metadata().is_ok_and(|found| found.len() == pointer.size)
        {
            self.store.mark_used(&path);
            return Ok(Box::new(Checked {
                file,
                hasher: Some(Hasher::default()),
                wanted: pointer.oid,
            }));
        }
        Ok(Box::new(Cursor::new(start).chain(content)))
    }
}

/// A file of the store that must have the digest by which it was asked for: what is stored is never
/// trusted.
struct Checked {
    file: File,
    hasher: Option<Hasher>,
    wanted: Digest,
}

impl Read for Checked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&into[..read]);
        }
        if read == 0
            && !into.is_empty()
            && let Some(hasher) = self.hasher.take()
            && hasher.finish() != self.wanted
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the store's copy of a large file is damaged: run `cookpack cache prune --damaged`",
            ));
        }
        Ok(read)
    }
}
