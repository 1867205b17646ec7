//! Where the bytes of an entry are. There may be a million entries, so that what all files of a cookbook
//! have in common is kept once.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use crate::path::{ArchivePath, TreePath};
use crate::tree::{Tree, TreeError, lossy};

/// Where an entry's bytes are.
#[derive(Clone)]
pub(super) enum Content {
    /// In a tree: where the entry's own path leads, or else at another path in the cookbook.
    Source {
        origin: Arc<Origin>,
        elsewhere: Option<Box<[u8]>>,
    },
    /// They were made.
    Made(Arc<[u8]>),
    /// They were read, and digested as they are here.
    Held(Arc<Vec<u8>>, Range<usize>),
}

/// What the files of one cookbook have in common.
pub(super) struct Origin {
    tree: Arc<dyn Tree>,
    /// The cookbook's folder in the tree.
    base: TreePath,
    /// How many bytes come before a file's path in the cookbook, in the archive.
    folder: usize,
}

impl Origin {
    /// Of files of the folder `base` in `tree`, which are packed below `folder`.
    pub(super) fn new(tree: &Arc<dyn Tree>, base: &TreePath, folder: &ArchivePath) -> Arc<Self> {
        Arc::new(Self {
            tree: Arc::clone(tree),
            base: base.clone(),
            folder: folder.as_str().len() + 1,
        })
    }
}

/// The path in the tree of a file whose path in the archive is `path`.
fn source(origin: &Origin, elsewhere: Option<&[u8]>, path: &ArchivePath) -> Vec<u8> {
    let own = path.as_str().as_bytes();
    let own = own.get(origin.folder..).unwrap_or_default();
    origin.base.join(elsewhere.unwrap_or(own))
}

impl Content {
    /// That of a file of a cookbook.
    pub(super) fn of(origin: &Arc<Origin>, elsewhere: Option<Box<[u8]>>) -> Self {
        Self::Source {
            origin: Arc::clone(origin),
            elsewhere,
        }
    }

    /// Opens it for reading.
    pub(super) fn open(&self, path: &ArchivePath) -> Result<Box<dyn Read + '_>, TreeError> {
        match self {
            Self::Source { origin, elsewhere } => {
                origin
                    .tree
                    .open(&source(origin, elsewhere.as_deref(), path))
            }
            Self::Made(bytes) => Ok(Box::new(&bytes[..])),
            Self::Held(bytes, place) => Ok(Box::new(&bytes[place.clone()])),
        }
    }

    /// Them, if they are in memory as they were digested.
    pub(super) fn held(&self) -> Option<&[u8]> {
        match self {
            Self::Source { .. } => None,
            Self::Made(bytes) => Some(bytes),
            Self::Held(bytes, place) => Some(&bytes[place.clone()]),
        }
    }

    /// The error of a read that failed.
    pub(super) fn read_error(&self, path: &ArchivePath, error: io::Error) -> TreeError {
        let (path, tree) = match self {
            Self::Source { origin, elsewhere } => {
                let source = source(origin, elsewhere.as_deref(), path);
                (lossy(&source), origin.tree.label())
            }
            Self::Made(_) | Self::Held(..) => (path.to_string(), "the layout".to_owned()),
        };
        TreeError::Read {
            path,
            tree,
            source: error,
        }
    }
}
