//! The cookbook in a tarball, as a tree.

use std::io::{self, Read};

use super::spool::Spool;
use crate::digest::{Digest, Hasher};
use crate::path::join_bytes;
use crate::tarball::{Index, Node};
use crate::tree::{EntryKind, Tree, TreeEntry, TreeError, lossy};

/// The folder of a cookbook in a tarball. There is nothing above it: a link to there leads out.
pub(super) struct TarballTree {
    pub(super) label: String,
    /// The SHA-256 of the tarball.
    pub(super) digest: Digest,
    pub(super) index: Index,
    /// The cookbook's folder in the tarball; empty for the root.
    pub(super) folder: Vec<u8>,
    pub(super) contents: Spool,
}

impl TarballTree {
    fn node(&self, path: &[u8]) -> Option<&Node> {
        self.index.node(&join_bytes(&self.folder, path))
    }

    fn not_found(&self, path: &[u8]) -> TreeError {
        TreeError::NotFound {
            path: lossy(path),
            tree: self.label.clone(),
        }
    }

    fn wrong(&self, path: &[u8], kind: io::ErrorKind) -> TreeError {
        TreeError::Read {
            path: lossy(path),
            tree: self.label.clone(),
            source: kind.into(),
        }
    }
}

impl Tree for TarballTree {
    fn label(&self) -> String {
        self.label.clone()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        match self.node(dir) {
            None => return Err(self.not_found(dir)),
            Some(Node::Directory) => {}
            Some(_) => return Err(self.wrong(dir, io::ErrorKind::NotADirectory)),
        }
        let folder = join_bytes(&self.folder, dir);
        let entries = self.index.entries(&folder);
        let entry = |(name, node): (&[u8], &Node)| TreeEntry {
            name: name.to_vec(),
            kind: node.kind(),
        };
        Ok(entries.map(entry).collect())
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        Ok(self.node(path).map(Node::kind))
    }

    fn identity(&self, path: &[u8]) -> Result<Option<Digest>, TreeError> {
        let mut hasher = Hasher::default();
        hasher.update(b"tarball\0");
        hasher.update(self.digest.as_bytes());
        hasher.update(&join_bytes(&self.folder, path));
        Ok(self.node(path).map(|_| hasher.finish()))
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        match self.node(path) {
            None => Err(self.not_found(path)),
            Some(Node::Symlink(target)) => Ok(target.clone()),
            Some(_) => Err(self.wrong(path, io::ErrorKind::InvalidInput)),
        }
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        match self.node(path) {
            None => Err(self.not_found(path)),
            Some(Node::File { at, size, .. }) => Ok(Box::new(self.contents.reader(*at, *size))),
            Some(Node::Directory) => Err(self.wrong(path, io::ErrorKind::IsADirectory)),
            Some(Node::Symlink(_)) => Err(self.wrong(path, io::ErrorKind::InvalidInput)),
        }
    }
}
