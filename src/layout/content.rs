//! Where the bytes of an entry are. There may be a million entries, so that what all files of a cookbook
//! have in common is kept once.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::PlannedFile;
use crate::path::ArchivePath;
use crate::tree::{Tree, TreeError, lossy};

/// Where an entry's bytes are.
#[derive(Clone)]
pub(super) enum Content {
    /// In a tree: where the entry's own path leads, or else at another path.
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
    /// What comes before a file's path in the cookbook, in the tree.
    base: Box<[u8]>,
    /// How many bytes come before it in the archive.
    folder: usize,
}

impl Origin {
    /// Of files in `tree` that are packed below `folder`; `any` is one of them.
    pub(super) fn new(
        tree: &Arc<dyn Tree>,
        folder: &ArchivePath,
        any: Option<&PlannedFile>,
    ) -> Self {
        let base = any.and_then(|file| file.source.strip_suffix(file.path.as_str().as_bytes()));
        Self {
            tree: Arc::clone(tree),
            base: base.unwrap_or_default().into(),
            folder: folder.as_str().len() + 1,
        }
    }

    /// Where the file at a path in the archive is, unless it is elsewhere.
    fn source(&self, path: &ArchivePath) -> Vec<u8> {
        let own = path.as_str().as_bytes();
        [&self.base, own.get(self.folder..).unwrap_or_default()].concat()
    }
}

impl Content {
    /// That of a file of a cookbook, whose path in the archive is `path`.
    pub(super) fn of(origin: &Arc<Origin>, path: &ArchivePath, source: &[u8]) -> Self {
        let is_own = origin.source(path) == source;
        Self::Source {
            origin: Arc::clone(origin),
            elsewhere: (!is_own).then(|| source.into()),
        }
    }

    /// Opens it for reading.
    pub(super) fn open(&self, path: &ArchivePath) -> Result<Box<dyn Read + '_>, TreeError> {
        match self {
            Self::Source { origin, elsewhere } => match elsewhere {
                Some(source) => origin.tree.open(source),
                None => origin.tree.open(&origin.source(path)),
            },
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
                let source = elsewhere.as_ref().map(|source| lossy(source));
                let source = source.unwrap_or_else(|| lossy(&origin.source(path)));
                (source, origin.tree.label())
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
