//! What a mirror knows of its own commits: where their history ends, and which of them it can tell a
//! remote that it has. Both are small files beside the objects, written whole or not at all.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module keeps files of a mirror"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use git2::{ObjectType, Oid, Repository};

use super::mirror::INCOMPLETE;
use crate::layout::TEMPORARY_PREFIX;
use crate::store::StoreError;

/// The file in which git itself keeps the commits whose parents are missing (git,
/// `Documentation/technical/shallow`).
const SHALLOW: &str = "shallow";

/// The file with the commits that fetches have brought, the oldest first.
const KNOWN: &str = "cookpack-known";

/// As many of them are told to a remote: it finds out by them what it need not send.
const MOST_KNOWN: usize = 64;

/// The commits of a mirror whose parents are missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ShallowRoots(BTreeSet<Oid>);

impl ShallowRoots {
    /// Those of the mirror at `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self(read_ids(&folder.join(SHALLOW))?.into_iter().collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &Oid> {
        self.0.iter()
    }

    pub(super) fn insert(&mut self, id: Oid) {
        self.0.insert(id);
    }

    pub(super) fn remove(&mut self, id: &Oid) {
        self.0.remove(id);
    }

    /// Adds those of another repository, whose objects are copied.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Keeps them in the mirror at `folder`.
    pub(super) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let file = folder.join(SHALLOW);
        if self.is_empty() {
            return match fs::remove_file(&file) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    Err(StoreError::Io { path: file, source })
                }
                _ => Ok(()),
            };
        }
        write_ids(&file, self.ids())
    }
}

/// The commits of a mirror that a remote may be told of: all their files are there.
pub(super) fn known_commits(mirror: &Repository) -> Vec<Oid> {
    // As long as objects are being copied, a commit may be there before its files.
    if mirror.path().join(INCOMPLETE).exists() {
        return Vec::new();
    }
    let Ok(database) = mirror.odb() else {
        return Vec::new();
    };
    let is_commit = |id: &Oid| {
        database
            .read_header(*id)
            .is_ok_and(|(_, kind)| kind == ObjectType::Commit)
    };
    let mut known = read_ids(&mirror.path().join(KNOWN)).unwrap_or_default();
    known.retain(is_commit);
    known
}

/// Whether a fetch once brought a commit into the mirror at `folder`.
pub(super) fn knew_commit(folder: &Path, commit: Oid) -> bool {
    read_ids(&folder.join(KNOWN)).is_ok_and(|known| known.contains(&commit))
}

/// Remembers commits that a fetch has brought.
pub(super) fn remember_commits(mirror: &Repository, commits: &[Oid]) -> Result<(), StoreError> {
    let mut known = known_commits(mirror);
    known.retain(|id| !commits.contains(id));
    known.extend_from_slice(commits);
    let known = &known[known.len().saturating_sub(MOST_KNOWN)..];
    write_ids(&mirror.path().join(KNOWN), known.iter())
}

fn read_ids(file: &Path) -> Result<Vec<Oid>, StoreError> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(|id| Oid::from_str(id).ok())
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(StoreError::Io {
            path: file.to_owned(),
            source,
        }),
    }
}

fn write_ids<'a>(file: &Path, ids: impl Iterator<Item = &'a Oid>) -> Result<(), StoreError> {
    let text: String = ids.map(|id| format!("{id}\n")).collect();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let aside = file.with_file_name(format!("{TEMPORARY_PREFIX}{name}"));
    let written = fs::write(&aside, text).and_then(|()| fs::rename(&aside, file));
    written.map_err(|source| StoreError::Io {
        path: file.to_owned(),
        source,
    })
}
