//! The files of a source as every part of this crate reads them: a git tree and a folder look the
//! same from here, which is why they give the same bytes.

use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::digest::Digest;
use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};

/// What stands under a name in a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// Whether its owner may execute it: the one bit of a mode that git records.
        executable: bool,
    },
    /// A folder.
    Directory,
    /// A symbolic link; [`Tree::link_target`] tells where to.
    Symlink,
    /// A submodule of a git repository: a commit, with no files here.
    Submodule,
    /// Something that is no file at all: a FIFO, a socket, a device.
    Special(&'static str),
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// The name within its folder, as the raw bytes that the source holds.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
}

/// A source's files. Paths are bytes relative to the tree's root with `/` between the components;
/// empty is the root. No link is ever followed by a tree.
pub trait Tree: Send + Sync {
    /// How a person knows this tree: a folder, or a URL at a commit; without credentials.
    fn label(&self) -> String;

    /// The entries of one folder, in any order.
    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError>;

    /// What stands at a path, if anything does.
    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError>;

    /// The text of a symbolic link.
    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError>;

    /// Opens a regular file for reading.
    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError>;

    /// An identity of what stands at a path, told without reading any content, where the source can.
    /// Two files of one identity have the same content. Two folders of one identity have the same
    /// names, kinds, modes and contents, at any depth; of version control's own folders in them that
    /// holds for the names alone.
    fn identity(&self, path: &[u8]) -> Result<Option<Digest>, TreeError> {
        let _ = path;
        Ok(None)
    }

    /// Lets go of what it remembers of folders that were looked through for an [`Tree::identity`], where
    /// nobody will read them.
    fn forget_listings(&self) {}

    /// A whole small file as text. An error past `limit` bytes or where it is not UTF-8.
    fn read_text(&self, path: &[u8], limit: u64) -> Result<String, TreeError> {
        let failed = |source| TreeError::Read {
            path: lossy(path),
            tree: self.label(),
            source,
        };
        let mut bytes = Vec::new();
        self.open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > limit {
            return Err(TreeError::TooLarge {
                path: lossy(path),
                tree: self.label(),
                limit,
            });
        }
        String::from_utf8(bytes).map_err(|error| {
            failed(io::Error::new(
                io::ErrorKind::InvalidData,
                error.utf8_error(),
            ))
        })
    }
}

impl fmt::Debug for dyn Tree + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({})", self.label())
    }
}

/// A source's files could not be read.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// There is nothing at the path.
    #[error("there is no `{path}` in {tree}")]
    NotFound {
        /// The path.
        path: String,
        /// The tree's label.
        tree: String,
    },
    /// The operating system, or git's object database, failed.
    #[error("cannot read `{path}` in {tree}")]
    Read {
        /// The path.
        path: String,
        /// The tree's label.
        tree: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An object in the store is missing or is not what its id says.
    #[error("the store's copy of {tree} is damaged at `{path}`: {}", damage.reason)]
    Damaged {
        /// The path.
        path: String,
        /// The tree's label.
        tree: String,
        /// What is known of the damage.
        damage: Box<Damage>,
    },
    /// What a run noted of a source's files and set aside in its store cannot be read.
    #[error("cannot read what was set aside in the store")]
    SetAside(#[source] io::Error),
    /// A text is larger than its limit.
    #[error("`{path}` in {tree} is larger than {limit} bytes")]
    TooLarge {
        /// The path.
        path: String,
        /// The tree's label.
        tree: String,
        /// The limit.
        limit: u64,
    },
}

/// What is known of a damaged object in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What git says.
    pub reason: String,
    /// The folder in the store that holds the copy.
    pub folder: PathBuf,
}

impl Diagnose for TreeError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            TreeError::Damaged { damage, .. } => shown.hint(format!(
                "delete `{}`: it will be fetched anew",
                damage.folder.display()
            )),
            _ => shown,
        }]
    }

    fn kind(&self) -> Kind {
        match self {
            TreeError::NotFound { .. } | TreeError::TooLarge { .. } => Kind::User,
            TreeError::Read { source, .. } if source.kind() == io::ErrorKind::InvalidData => {
                Kind::User
            }
            TreeError::Read { .. } | TreeError::SetAside(_) => Kind::Internal,
            TreeError::Damaged { .. } => Kind::Verification,
        }
    }
}

/// A raw path for a message.
pub fn lossy(path: &[u8]) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    String::from_utf8_lossy(path).into_owned()
}
