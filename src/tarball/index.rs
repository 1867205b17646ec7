//! What stands where in a tarball, and what may not stand there.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::TarballError;
use crate::limits::Limits;
use crate::path::{fold_case, join_bytes};
use crate::tree::{EntryKind, lossy};

/// What stands under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File {
        /// Whether its owner may execute it.
        executable: bool,
        /// Where its content begins, as [`super::Contents::reserve`] said.
        at: u64,
        /// Bytes of its content.
        size: u64,
    },
    /// A folder.
    Directory,
    /// A symbolic link, with its text.
    Symlink(Vec<u8>),
}

impl Node {
    /// It, as a tree knows it.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::File { executable, .. } => EntryKind::File {
                executable: *executable,
            },
            Self::Directory => EntryKind::Directory,
            Self::Symlink(_) => EntryKind::Symlink,
        }
    }
}

/// Everything that a tarball holds, by paths that are plain and relative.
#[derive(Clone, Debug, Default)]
pub struct Index {
    nodes: BTreeMap<Vec<u8>, Node>,
    /// Each path as a file system blind to case knows it, with the path itself.
    folded: HashMap<Vec<u8>, Vec<u8>>,
}

/// The files that make a folder a cookbook (berkshelf/berkshelf, `lib/berkshelf/core_ext/file.rb`).
const METADATA: [&[u8]; 2] = [b"metadata.json", b"metadata.rb"];

impl Index {
    /// What stands at a path; the empty path is the root.
    pub fn node(&self, path: &[u8]) -> Option<&Node> {
        match path {
            [] => Some(&Node::Directory),
            path => self.nodes.get(path),
        }
    }

    /// The entries of a folder, with their names in it, sorted by bytes.
    pub fn entries(&self, folder: &[u8]) -> impl Iterator<Item = (&[u8], &Node)> {
        let prefix = match folder {
            [] => Vec::new(),
            folder => [folder, b"/"].concat(),
        };
        let length = prefix.len();
        let below = (Bound::Included(prefix.clone()), Bound::Unbounded);
        let below = self.nodes.range::<Vec<u8>, _>(below);
        below
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(move |(path, node)| (&path[length..], node))
            .filter(|(name, _)| !name.contains(&b'/'))
    }

    /// All paths with what stands there, sorted by bytes.
    pub fn paths(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.nodes.iter().map(|(path, node)| (&**path, node))
    }

    /// Where the cookbook of a name stands: the root if that holds metadata; else the folder of the
    /// root that is called like it, or else the first one, that holds metadata (berkshelf/berkshelf,
    /// `lib/berkshelf/community_rest.rb`, takes the first).
    ///
    /// # Errors
    /// When there is none.
    pub fn cookbook(&self, name: &str) -> Result<Vec<u8>, TarballError> {
        let holds_metadata = |folder: &[u8]| {
            let is_there = |file: &&[u8]| {
                let found = self.node(&join_bytes(folder, file));
                found.is_some_and(|node| *node != Node::Directory)
            };
            METADATA.iter().any(is_there)
        };
        if holds_metadata(b"") {
            return Ok(Vec::new());
        }
        let mut folders: Vec<&[u8]> = self.entries(b"").map(|(folder, _)| folder).collect();
        // Ruby's `Dir.glob("*")` passes over what is hidden.
        folders.retain(|folder| !folder.starts_with(b".") && holds_metadata(folder));
        let own = folders.iter().find(|folder| **folder == name.as_bytes());
        match own.or(folders.first()) {
            Some(folder) => Ok(folder.to_vec()),
            None => Err(TarballError::NoCookbook),
        }
    }

    /// Adds a file or a link.
    pub(super) fn add(
        &mut self,
        path: Vec<u8>,
        node: Node,
        limits: &Limits,
    ) -> Result<(), TarballError> {
        self.add_parents(&path, limits)?;
        let shown = || lossy(&path);
        match (self.nodes.get(&path), &node) {
            (None, _) => self.insert(path, node, limits),
            // Attack: what is written below the folder afterwards would go through the link.
            (Some(Node::Directory), Node::Symlink(_)) => {
                Err(TarballError::LinkOverFolder { path: shown() })
            }
            (Some(_), _) => Err(TarballError::Duplicate { path: shown() }),
        }
    }

    /// Adds a folder. It may be named more than once: nothing depends on it.
    pub(super) fn add_folder(
        &mut self,
        path: Vec<u8>,
        limits: &Limits,
    ) -> Result<(), TarballError> {
        if path.is_empty() {
            return Ok(());
        }
        self.add_parents(&path, limits)?;
        match self.nodes.get(&path) {
            None => self.insert(path, Node::Directory, limits),
            Some(Node::Directory) => Ok(()),
            Some(_) => Err(TarballError::Duplicate { path: lossy(&path) }),
        }
    }

    /// The file that a hard link leads to: one that came before it.
    pub(super) fn linked(
        &self,
        path: &[u8],
        target: &[u8],
        limits: &Limits,
    ) -> Result<Node, TarballError> {
        let (path, shown) = (lossy(path), lossy(target));
        let Ok(target) = checked_path(target, limits) else {
            // Attack: a second name for a file of the machine.
            return Err(TarballError::HardLinkOut {
                path,
                target: shown,
            });
        };
        match self.nodes.get(&target) {
            Some(node @ Node::File { .. }) => Ok(node.clone()),
            _ => Err(TarballError::HardLinkToNothing {
                path,
                target: shown,
            }),
        }
    }

    /// Makes the folders above a path, each of which must be one.
    fn add_parents(&mut self, path: &[u8], limits: &Limits) -> Result<(), TarballError> {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (slash, _) in slashes {
            let folder = &path[..slash];
            match self.nodes.get(folder) {
                Some(Node::Directory) => {}
                None => self.insert(folder.to_vec(), Node::Directory, limits)?,
                Some(Node::Symlink(_)) => {
                    // Attack: a link out of the archive, and a file written through it.
                    return Err(TarballError::ThroughLink {
                        path: lossy(path),
                        link: lossy(folder),
                    });
                }
                Some(Node::File { .. }) => {
                    return Err(TarballError::BelowFile {
                        path: lossy(path),
                        file: lossy(folder),
                    });
                }
            }
        }
        Ok(())
    }

    fn insert(&mut self, path: Vec<u8>, node: Node, limits: &Limits) -> Result<(), TarballError> {
        if self.nodes.len() == limits.files {
            return Err(TarballError::TooMany {
                limit: limits.files,
            });
        }
        let folded = match std::str::from_utf8(&path) {
            Ok(text) => fold_case(text).into_bytes(),
            Err(_) => path.to_ascii_lowercase(),
        };
        // Attack: where case does not count, the second of two is written over the first, or through
        // it if that is a link.
        if let Some(other) = self.folded.insert(folded, path.clone()) {
            return Err(TarballError::CaseTwin {
                path: lossy(&path),
                other: lossy(&other),
            });
        }
        self.nodes.insert(path, node);
        Ok(())
    }
}

/// A path as an entry has it, without `.` components and doubled or trailing slashes. Empty for the
/// root.
pub(super) fn checked_path(raw: &[u8], limits: &Limits) -> Result<Vec<u8>, TarballError> {
    let shown = || lossy(raw);
    if raw.len() > limits.path_bytes {
        return Err(TarballError::PathTooLong {
            path: shown(),
            limit: limits.path_bytes,
        });
    }
    if raw.is_empty() {
        return Err(TarballError::NoName);
    }
    // Attack: C code would see another path, which ends there.
    if raw.contains(&0) {
        return Err(TarballError::NulInPath { path: shown() });
    }
    if is_absolute(raw) {
        return Err(TarballError::AbsolutePath { path: shown() });
    }
    let mut path = Vec::with_capacity(raw.len());
    let mut depth = 0;
    for name in raw.split(|&byte| byte == b'/') {
        if matches!(name, b"" | b".") {
            continue;
        }
        // Where a backslash parts names, it leads up as well.
        if name.split(|&byte| byte == b'\\').any(|part| part == b"..") {
            return Err(TarballError::ParentPath { path: shown() });
        }
        if name.len() > limits.name_bytes {
            return Err(TarballError::NameTooLong {
                path: shown(),
                limit: limits.name_bytes,
            });
        }
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        depth += 1;
    }
    if depth > limits.depth {
        return Err(TarballError::TooDeep {
            path: shown(),
            limit: limits.depth,
        });
    }
    Ok(path)
}

/// Refuses a symbolic link that leads out of the archive.
pub(super) fn check_link(path: &[u8], target: &[u8], limits: &Limits) -> Result<(), TarballError> {
    let out = || TarballError::LinkOut {
        path: lossy(path),
        target: lossy(target),
    };
    if target.len() > limits.path_bytes {
        return Err(TarballError::PathTooLong {
            path: lossy(path),
            limit: limits.path_bytes,
        });
    }
    if target.is_empty() || target.contains(&0) {
        return Err(TarballError::NoTarget { path: lossy(path) });
    }
    if is_absolute(target) {
        return Err(out());
    }
    let mut depth = path.iter().filter(|&&byte| byte == b'/').count();
    for name in target.split(|&byte| byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => depth = depth.checked_sub(1).ok_or_else(out)?,
            // Where a backslash parts names, it is not known how far it leads.
            name if name.split(|&byte| byte == b'\\').any(|part| part == b"..") => {
                return Err(out());
            }
            _ => depth += 1,
        }
    }
    Ok(())
}

/// Whether a path begins at a root, be it one of Windows: `/a`, `\a`, `C:a`.
fn is_absolute(path: &[u8]) -> bool {
    match path {
        [b'/' | b'\\', ..] => true,
        [letter, b':', ..] => letter.is_ascii_alphabetic(),
        _ => false,
    }
}
