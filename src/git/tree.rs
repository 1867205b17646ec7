//! A commit's files as a [`Tree`], read from the object database without a checkout.

use std::collections::HashMap;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use git2::{ErrorCode, ObjectType, Oid, Repository};
use gix_object::TreeRefIter;

use super::head::HeadEntry;
use super::objects::{LARGE, Objects};
use super::packs::Content;
use crate::digest::{Digest, Hasher};
use crate::tree::{Damage, EntryKind, Tree, TreeEntry, TreeError, lossy};

/// The files of one commit. All cookbooks of the commit share it, on any number of threads.
pub(super) struct GitTree {
    label: String,
    objects: Arc<Objects>,
    root: Oid,
    known: Mutex<Known>,
}

/// The folders that were looked at, by path.
#[derive(Default)]
struct Known {
    folders: HashMap<Vec<u8>, Arc<Folder>>,
    /// How many entries they have.
    entries: usize,
}

/// Entries that are kept of one commit. A repository with more is read in part again.
const KNOWN_ENTRIES: usize = 1 << 13;

/// One folder: its entries by name, each with its object and its mode.
struct Folder {
    entries: Entries,
}

type Entries = Vec<(Box<[u8]>, Oid, i32)>;

impl Folder {
    fn entry(&self, name: &[u8]) -> Option<(Oid, i32)> {
        let found = self
            .entries
            .binary_search_by(|(known, ..)| (**known).cmp(name));
        found
            .ok()
            .map(|at| (self.entries[at].1, self.entries[at].2))
    }
}

impl GitTree {
    /// The files below the tree `root` of a mirror.
    pub(super) fn new(objects: Arc<Objects>, root: Oid, label: String) -> Self {
        Self {
            label,
            objects,
            root,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damaged<'a>(&'a self, path: &'a [u8]) -> impl Fn(git2::Error) -> TreeError + 'a {
        move |error| TreeError::Damaged {
            path: lossy(path),
            tree: self.label.clone(),
            damage: Box::new(Damage {
                reason: error.message().to_owned(),
                folder: self.objects.folder().to_owned(),
            }),
        }
    }

    fn not_found(&self, path: &[u8]) -> TreeError {
        TreeError::NotFound {
            path: lossy(path),
            tree: self.label.clone(),
        }
    }

    /// The object at a path and its mode.
    fn object(&self, path: &[u8]) -> Result<Option<(Oid, i32)>, TreeError> {
        if path.is_empty() {
            return Ok(Some((self.root, FOLDER)));
        }
        let (parent, name) = match path.iter().rposition(|b| *b == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&path[..0], path),
        };
        let folder = self.folder(parent)?;
        Ok(folder.and_then(|folder| folder.entry(name)))
    }

    /// The id of the object at a path, and its kind.
    pub(super) fn object_at(&self, path: &[u8]) -> Result<Option<(Oid, EntryKind)>, TreeError> {
        let found = self.object(path)?;
        Ok(found.map(|(id, mode)| (id, kind_of(mode))))
    }

    /// The objects in a folder, in the order of the paths that lie at them or below, which is git's own.
    pub(super) fn objects_in(&self, folder: &[u8]) -> Result<Vec<HeadEntry>, TreeError> {
        let folder = self.folder(folder)?;
        let entries = folder.iter().flat_map(|folder| &folder.entries);
        let mut entries: Vec<_> = entries
            .map(|(name, id, mode)| HeadEntry {
                name: name.to_vec(),
                id: *id,
                kind: kind_of(*mode),
            })
            .collect();
        let slash = |entry: &HeadEntry| (entry.kind == EntryKind::Directory).then_some(b'/');
        entries.sort_by(|a, b| {
            let (a, b) = (
                a.name.iter().copied().chain(slash(a)),
                b.name.iter().copied().chain(slash(b)),
            );
            a.cmp(b)
        });
        Ok(entries)
    }

    /// The folder at a path, if one is there.
    fn folder(&self, path: &[u8]) -> Result<Option<Arc<Folder>>, TreeError> {
        let known = self.known().folders.get(path).map(Arc::clone);
        if known.is_some() {
            return Ok(known);
        }
        let Some((id, FOLDER)) = self.object(path)? else {
            return Ok(None);
        };
        let read = self.objects.object(
            (id, ObjectType::Tree),
            |content| entries_of(&content.into_bytes().ok()?),
            |repository| {
                let tree = repository.find_tree(id)?;
                let entry = |entry: git2::TreeEntry<'_>| {
                    (entry.name_bytes().into(), entry.id(), entry.filemode())
                };
                let entries: Entries = tree.iter().map(entry).collect();
                let bytes = entries.len() * ENTRY;
                Ok((entries, bytes))
            },
        );
        let mut entries = read.map_err(self.damaged(path))?;
        // git has folders in the order that they have with a `/` at the end.
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let folder = Arc::new(Folder { entries });
        let mut known = self.known();
        if known.entries > KNOWN_ENTRIES {
            *known = Known::default();
        }
        known.entries += folder.entries.len();
        known.folders.insert(path.to_vec(), Arc::clone(&folder));
        Ok(Some(folder))
    }

    /// The content of a blob, in memory once: a large one is put into a file for as long as it is
    /// read, because libgit2 gives a packed object only as a whole.
    fn blob(&self, path: &[u8], id: Oid) -> Result<Box<dyn Read>, TreeError> {
        let of_content = |content: Content| Some(content.into_read());
        let otherwise = |repository: &Repository| {
            let blob = repository.find_blob(id).map_err(|error| {
                match error.code() == ErrorCode::NotFound {
                    true => git2::Error::from_str(&format!("object {id} is missing")),
                    false => error,
                }
            })?;
            let content = blob.content();
            if content.len() > LARGE
                && let Ok(file) = spooled(self.objects.folder(), content)
            {
                return Ok((Box::new(file) as Box<dyn Read>, content.len()));
            }
            let bytes = content.to_vec();
            Ok((Box::new(Cursor::new(bytes)), content.len()))
        };
        let blob = (id, ObjectType::Blob);
        let read = self.objects.object(blob, of_content, otherwise);
        read.map_err(self.damaged(path))
    }
}

/// The entries of a folder's object. None where git would not write them so, whatever they then mean.
fn entries_of(content: &[u8]) -> Option<Entries> {
    let entry = |entry: gix_object::tree::EntryRef<'_>| {
        let mode = match i32::from(entry.mode.value()) {
            mode @ (FOLDER | LINK | COMMIT | FILE | PROGRAM) => mode,
            // What git itself wrote once.
            GROUP_WRITABLE => FILE,
            _ => return None,
        };
        if entry.filename.is_empty() {
            return None;
        }
        let id = Oid::from_bytes(entry.oid.as_bytes()).ok()?;
        Some((entry.filename.to_vec().into(), id, mode))
    };
    let entries = TreeRefIter::from_bytes(content, gix_hash::Kind::Sha1);
    entries.map(|found| entry(found.ok()?)).collect()
}

/// About as many bytes as an entry of a folder takes.
const ENTRY: usize = 40;

/// A file without a name in `folder`, at its beginning, with this content.
fn spooled(folder: &Path, content: &[u8]) -> io::Result<impl Read + use<>> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

/// Git's modes (git, `Documentation/gitformat-index`).
const FOLDER: i32 = 0o040_000;
const LINK: i32 = 0o120_000;
const COMMIT: i32 = 0o160_000;
const FILE: i32 = 0o100_644;
const PROGRAM: i32 = 0o100_755;
const GROUP_WRITABLE: i32 = 0o100_664;

fn kind_of(mode: i32) -> EntryKind {
    match mode {
        FOLDER => EntryKind::Directory,
        LINK => EntryKind::Symlink,
        COMMIT => EntryKind::Submodule,
        _ => EntryKind::File {
            executable: mode & 0o100 != 0,
        },
    }
}

impl Tree for GitTree {
    fn label(&self) -> String {
        self.label.clone()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let Some(folder) = self.folder(dir)? else {
            return Err(self.not_found(dir));
        };
        let entry = |(name, _, mode): &(Box<[u8]>, Oid, i32)| TreeEntry {
            name: name.to_vec(),
            kind: kind_of(*mode),
        };
        Ok(folder.entries.iter().map(entry).collect())
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        Ok(self.object(path)?.map(|(_, mode)| kind_of(mode)))
    }

    /// The object's own id, with its kind.
    fn identity(&self, path: &[u8]) -> Result<Option<Digest>, TreeError> {
        Ok(self.object(path)?.map(|(id, mode)| {
            let kind = match kind_of(mode) {
                EntryKind::Directory => &b"git folder\0"[..],
                EntryKind::Symlink => b"git link\0",
                EntryKind::Submodule => b"git commit\0",
                _ => b"git file\0",
            };
            let mut hasher = Hasher::default();
            hasher.update(kind);
            hasher.update(id.as_bytes());
            hasher.finish()
        }))
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        let Some((id, _)) = self.object(path)? else {
            return Err(self.not_found(path));
        };
        let mut target = Vec::new();
        let read = self.blob(path, id)?.read_to_end(&mut target);
        read.map_err(|source| TreeError::Read {
            path: lossy(path),
            tree: self.label.clone(),
            source,
        })?;
        Ok(target)
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        match self.object_at(path)? {
            Some((id, EntryKind::File { .. })) => self.blob(path, id),
            Some(_) => Err(TreeError::Read {
                path: lossy(path),
                tree: self.label.clone(),
                source: io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"),
            }),
            None => Err(self.not_found(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Vec<u8> {
        let entry = |(mode, name): &(&str, &str)| {
            let head = format!("{mode} {name}\0");
            [head.as_bytes(), &[7; 20]].concat()
        };
        entries.iter().flat_map(entry).collect()
    }

    #[test]
    fn the_modes_that_git_writes_are_read_as_libgit2_reads_them() {
        let modes = [
            ("40000", FOLDER),
            ("100644", 0o100_644),
            ("100664", 0o100_644),
            ("100755", 0o100_755),
            ("120000", LINK),
            ("160000", COMMIT),
        ];
        for (written, mode) in modes {
            let entries = entries_of(&tree(&[(written, "name")])).expect("entries");
            let id = Oid::from_bytes(&[7; 20]).expect("an id");
            assert_eq!(entries, [(b"name"[..].into(), id, mode)], "{written}");
        }
        assert_eq!(entries_of(b""), Some(Vec::new()));
    }

    #[test]
    fn what_git_does_not_write_is_left_to_libgit2() {
        for mode in ["100600", "100777", "120755", "0", "770000", ""] {
            let tree = tree(&[("100644", "a"), (mode, "b")]);
            assert_eq!(entries_of(&tree), None, "{mode}");
        }
        let whole = tree(&[("100644", "a")]);
        assert_eq!(entries_of(&whole[..whole.len() - 1]), None);
        assert_eq!(entries_of(&tree(&[("100644", "")])), None);
    }
}
