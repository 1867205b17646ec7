//! A tree with other trees in it: a repository with its submodules.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use crate::digest::{Digest, Hasher};
use crate::tree::{EntryKind, Tree, TreeEntry, TreeError};

/// A tree at some of whose paths other trees stand.
#[derive(Clone)]
pub(crate) struct Mounted {
    outer: Arc<dyn Tree>,
    /// The other trees by their paths, of which one may lie in another.
    inner: BTreeMap<Vec<u8>, Arc<dyn Tree>>,
}

impl Mounted {
    /// `inner` holds trees by their paths from the root of `outer`.
    pub(crate) fn new(outer: Arc<dyn Tree>, inner: BTreeMap<Vec<u8>, Arc<dyn Tree>>) -> Self {
        Self { outer, inner }
    }

    /// The innermost tree that holds a path, and the path in it.
    fn at<'p>(&self, path: &'p [u8]) -> (&dyn Tree, &'p [u8]) {
        let parts = path.iter().enumerate().rev();
        let ends = parts.filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        for end in [path.len()].into_iter().chain(ends) {
            if let Some(tree) = self.inner.get(&path[..end]) {
                return (&**tree, path.get(end + 1..).unwrap_or_default());
            }
        }
        (&*self.outer, path)
    }
}

impl Tree for Mounted {
    fn label(&self) -> String {
        self.outer.label()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let (tree, inner) = self.at(dir);
        let mut entries = tree.entries(inner)?;
        for entry in &mut entries {
            let path = crate::path::join_bytes(dir, &entry.name);
            if entry.kind == EntryKind::Submodule && self.inner.contains_key(&path) {
                entry.kind = EntryKind::Directory;
            }
        }
        Ok(entries)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        let (tree, inner) = self.at(path);
        match inner.is_empty() && !path.is_empty() {
            true => Ok(Some(EntryKind::Directory)),
            false => tree.kind(inner),
        }
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        let (tree, inner) = self.at(path);
        tree.link_target(inner)
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        let (tree, inner) = self.at(path);
        tree.open(inner)
    }
    fn identity(&self, path: &[u8]) -> Result<Option<Digest>, TreeError> {
        let (tree, inner) = self.at(path);
        let Some(own) = tree.identity(inner)? else {
            return Ok(None);
        };
        let mut below = self
            .inner
            .iter()
            .filter_map(|(at, tree)| Some((rest_below(path, at)?, tree)))
            .peekable();
        if below.peek().is_none() {
            return Ok(Some(own));
        }
        let mut hasher = Hasher::default();
        hasher.update(b"mounted\0");
        hasher.update(own.as_bytes());
        for (at, tree) in below {
            let Some(mounted) = tree.identity(b"")? else {
                return Ok(None);
            };
            hasher.update(&(at.len() as u64).to_le_bytes());
            hasher.update(at);
            hasher.update(mounted.as_bytes());
        }
        Ok(Some(hasher.finish()))
    }
}

/// The rest of a path that lies below a folder.
fn rest_below<'p>(folder: &[u8], path: &'p [u8]) -> Option<&'p [u8]> {
    match folder.is_empty() {
        true => Some(path),
        false => path.strip_prefix(folder)?.strip_prefix(b"/"),
    }
}
