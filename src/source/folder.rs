//! A folder as a [`Tree`].

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::identity::{Settled, identity};
use crate::digest::Digest;
use crate::path::{TreePath, join_bytes};
use crate::tree::{EntryKind, Tree, TreeEntry, TreeError, lossy};

/// The files that may be executed, by their paths in a tree.
pub(super) type Executables = BTreeSet<Vec<u8>>;

/// A folder on this machine.
#[derive(Clone, Debug)]
pub(crate) struct FolderTree {
    root: Arc<Root>,
    /// The folder as the manifest names it.
    shown: PathBuf,
}

/// The root of a tree, with what is known of its files as long as a run lasts.
#[derive(Debug)]
pub(super) struct Root {
    folder: PathBuf,
    /// The files that may be executed, where the file system does not say.
    executables: Option<Executables>,
    /// Without it nothing is known by what the file system says of it.
    settled: Option<Settled>,
    /// What was told of paths: it is told once a run, and always before anything is read there.
    identities: Mutex<HashMap<Vec<u8>, Option<Digest>>>,
    /// Folders that were looked through for it, until somebody reads them.
    seen: Mutex<HashMap<Vec<u8>, Vec<TreeEntry>>>,
}

/// Folders that are kept until somebody reads them: what is known need not be.
const MOST_SEEN: usize = 1 << 13;

impl Root {
    /// The root at `folder`. Whether a file may be executed is told by `executables`, if there are.
    pub(super) fn new(
        folder: PathBuf,
        executables: Option<Executables>,
        settled: Option<Settled>,
    ) -> Self {
        Self {
            folder,
            executables,
            settled,
            identities: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    pub(super) fn forget_listings(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = HashMap::new();
    }
}

impl FolderTree {
    /// `root` is the tree's root, `shown` the folder a person knows.
    pub(super) fn new(root: Arc<Root>, shown: PathBuf) -> Self {
        Self { root, shown }
    }

    fn kind_at(&self, path: &[u8], found: &Metadata) -> EntryKind {
        kind_at(self.root.executables.as_ref(), path, found)
    }

    /// The name of the folder that a path within the tree means.
    pub(crate) fn folder_name(&self, base: &TreePath) -> Option<String> {
        let folder = self.root.folder.join(base.as_str());
        Some(
            folder
                .components()
                .next_back()?
                .as_os_str()
                .to_str()?
                .to_owned(),
        )
    }

    fn failed<'a>(&'a self, path: &'a [u8]) -> impl Fn(io::Error) -> TreeError + 'a {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => TreeError::NotFound {
                path: lossy(path),
                tree: self.label(),
            },
            _ => TreeError::Read {
                path: lossy(path),
                tree: self.label(),
                source,
            },
        }
    }

    fn on_disk(&self, path: &[u8]) -> Result<PathBuf, TreeError> {
        if path.is_empty() {
            return Ok(self.root.folder.clone());
        }
        match os_path(path) {
            Some(path) => Ok(self.root.folder.join(path)),
            None => Err(TreeError::NotFound {
                path: lossy(path),
                tree: self.label(),
            }),
        }
    }
}

impl Tree for FolderTree {
    fn label(&self) -> String {
        match self.shown.as_os_str().is_empty() {
            true => ".".to_owned(),
            false => self.shown.display().to_string(),
        }
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let seen = self.root.seen.lock();
        if let Some(entries) = seen.unwrap_or_else(PoisonError::into_inner).remove(dir) {
            return Ok(entries);
        }
        let failed = self.failed(dir);
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.on_disk(dir)?).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            // `DirEntry::metadata` does not follow links.
            let found = entry.metadata().map_err(&failed)?;
            let name = name_bytes(&entry.file_name());
            let kind = self.kind_at(&join_bytes(dir, &name), &found);
            entries.push(TreeEntry { name, kind });
        }
        Ok(entries)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        match fs::symlink_metadata(self.on_disk(path)?) {
            Ok(found) => Ok(Some(self.kind_at(path, &found))),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(self.failed(path)(error)),
        }
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        let target = fs::read_link(self.on_disk(path)?).map_err(self.failed(path))?;
        Ok(name_bytes(target.as_os_str()))
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        let file = File::open(self.on_disk(path)?).map_err(self.failed(path))?;
        Ok(Box::new(file))
    }

    fn identity(&self, path: &[u8]) -> Result<Option<Digest>, TreeError> {
        let Some(settled) = self.root.settled else {
            return Ok(None);
        };
        let known = || {
            let known = self.root.identities.lock();
            known.unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(told) = known().get(path) {
            return Ok(*told);
        }
        let executables = self.root.executables.as_ref();
        let told = identity(&self.root.folder, path, executables, settled);
        known().insert(path.to_vec(), told.identity);
        let seen = self.root.seen.lock();
        let mut seen = seen.unwrap_or_else(PoisonError::into_inner);
        let room = MOST_SEEN.saturating_sub(seen.len());
        seen.extend(told.folders.into_iter().take(room));
        Ok(told.identity)
    }

    fn forget_listings(&self) {
        self.root.forget_listings();
    }
}

/// What stands at a path, of which the file system says this.
pub(super) fn kind_at(
    executables: Option<&Executables>,
    path: &[u8],
    found: &Metadata,
) -> EntryKind {
    match (kind_of(found), executables) {
        (EntryKind::File { .. }, Some(known)) => EntryKind::File {
            executable: known.contains(path),
        },
        (kind, _) => kind,
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

fn kind_of(found: &Metadata) -> EntryKind {
    let kind = found.file_type();
    if kind.is_symlink() {
        EntryKind::Symlink
    } else if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_file() {
        EntryKind::File {
            executable: is_executable(found),
        }
    } else {
        EntryKind::Special(special(kind))
    }
}

/// The owner's bit, which is the one that git looks at.
#[cfg(unix)]
fn is_executable(found: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(found) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_found: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_kind: FileType) -> &'static str {
    "a special file"
}

#[cfg(unix)]
pub(super) fn name_bytes(name: &OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(name).to_vec()
}

#[cfg(not(unix))]
pub(super) fn name_bytes(name: &OsStr) -> Vec<u8> {
    name.to_string_lossy().replace('\\', "/").into_bytes()
}

#[cfg(unix)]
pub(super) fn os_path(path: &[u8]) -> Option<&Path> {
    Some(Path::new(
        <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path),
    ))
}

#[cfg(not(unix))]
pub(super) fn os_path(path: &[u8]) -> Option<&Path> {
    std::str::from_utf8(path).ok().map(Path::new)
}
