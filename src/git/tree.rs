//! A commit's files as a [`Tree`], read from the object database without a checkout.

use std::collections::HashMap;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use git2::{ErrorCode, Oid, Repository};

use crate::tree::{Damage, EntryKind, Tree, TreeEntry, TreeError, lossy};

/// The files of one commit.
pub(super) struct GitTree {
    label: String,
    /// The mirror's own folder.
    folder: PathBuf,
    state: Mutex<State>,
}

struct State {
    repository: Repository,
    /// The trees of folders that were looked at, by path.
    folders: HashMap<Vec<u8>, Oid>,
}

impl GitTree {
    /// The files below the tree `root` of the mirror in `folder`.
    pub(super) fn new(repository: Repository, folder: PathBuf, root: Oid, label: String) -> Self {
        let folders = HashMap::from([(Vec::new(), root)]);
        let state = Mutex::new(State {
            repository,
            folders,
        });
        Self {
            label,
            folder,
            state,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damaged<'a>(&'a self, path: &'a [u8]) -> impl Fn(git2::Error) -> TreeError + 'a {
        move |error| TreeError::Damaged {
            path: lossy(path),
            tree: self.label.clone(),
            damage: Box::new(Damage {
                reason: error.message().to_owned(),
                folder: self.folder.clone(),
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
    fn object(&self, state: &mut State, path: &[u8]) -> Result<Option<(Oid, i32)>, TreeError> {
        if path.is_empty() {
            return Ok(state.folders.get(path).map(|id| (*id, FOLDER)));
        }
        let (parent, name) = match path.iter().rposition(|b| *b == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&path[..0], path),
        };
        let parent = match state.folders.get(parent) {
            Some(id) => *id,
            None => match self.object(state, parent)? {
                Some((id, FOLDER)) => id,
                _ => return Ok(None),
            },
        };
        let tree = state
            .repository
            .find_tree(parent)
            .map_err(self.damaged(path))?;
        let found = tree
            .get_name_bytes(name)
            .map(|entry| (entry.id(), entry.filemode()));
        if let Some((id, FOLDER)) = found {
            state.folders.insert(path.to_vec(), id);
        }
        Ok(found)
    }

    /// The content of a blob, in memory once: a large one is put into a file for as long as it is
    /// read, because libgit2 gives a packed object only as a whole.
    fn blob(&self, path: &[u8]) -> Result<Box<dyn Read>, TreeError> {
        let mut state = self.state();
        let Some((id, _)) = self.object(&mut state, path)? else {
            return Err(self.not_found(path));
        };
        let blob = state.repository.find_blob(id).map_err(|error| {
            match error.code() == ErrorCode::NotFound {
                true => {
                    self.damaged(path)(git2::Error::from_str(&format!("object {id} is missing")))
                }
                false => self.damaged(path)(error),
            }
        })?;
        let content = blob.content();
        if content.len() > SPOOLED
            && let Ok(file) = spooled(&self.folder, content)
        {
            return Ok(Box::new(file));
        }
        Ok(Box::new(Cursor::new(content.to_vec())))
    }
}

/// Bytes from which a blob is put into a file.
const SPOOLED: usize = 8 << 20;

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
        let mut state = self.state();
        let Some((id, FOLDER)) = self.object(&mut state, dir)? else {
            return Err(self.not_found(dir));
        };
        let state = &mut *state;
        let tree = state.repository.find_tree(id).map_err(self.damaged(dir))?;
        let mut entries = Vec::with_capacity(tree.len());
        for entry in &tree {
            let kind = kind_of(entry.filemode());
            if kind == EntryKind::Directory {
                let path = crate::path::join_bytes(dir, entry.name_bytes());
                state.folders.insert(path, entry.id());
            }
            entries.push(TreeEntry {
                name: entry.name_bytes().to_vec(),
                kind,
            });
        }
        Ok(entries)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        let mut state = self.state();
        Ok(self
            .object(&mut state, path)?
            .map(|(_, mode)| kind_of(mode)))
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        let mut target = Vec::new();
        let read = self.blob(path)?.read_to_end(&mut target);
        read.map_err(|source| TreeError::Read {
            path: lossy(path),
            tree: self.label.clone(),
            source,
        })?;
        Ok(target)
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        match self.kind(path)? {
            Some(EntryKind::File { .. }) => self.blob(path),
            Some(_) => Err(TreeError::Read {
                path: lossy(path),
                tree: self.label.clone(),
                source: io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"),
            }),
            None => Err(self.not_found(path)),
        }
    }
}
