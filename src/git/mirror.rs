//! One repository's mirror in the store.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module keeps repositories"
)]

use std::fs;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions};

use super::GitError;
use super::refs::{commit_id, oid};
use crate::layout::TEMPORARY_PREFIX;
use crate::manifest::{CommitId, CommitPrefix};
use crate::store::{Store, StoreError};

/// A file in a mirror whose objects are being copied one by one: as long as it stands, that a commit
/// is there does not mean that its files are.
pub(super) const INCOMPLETE: &str = "cookpack-incomplete";

/// A bare repository that holds objects, and no references.
pub(super) struct Mirror {
    /// The repository's address as it is shown.
    pub(super) url: String,
    folder: PathBuf,
    pub(super) repository: Repository,
}

impl Mirror {
    /// The mirror in `folder`; none if there is none yet.
    pub(super) fn open(url: &str, folder: &Path) -> Result<Option<Self>, GitError> {
        if !folder.exists() {
            return Ok(None);
        }
        match Repository::open_bare(folder) {
            Ok(repository) => Ok(Some(Self {
                url: url.to_owned(),
                folder: folder.to_owned(),
                repository,
            })),
            Err(source) => Err(GitError::Damaged {
                url: url.to_owned(),
                folder: folder.to_owned(),
                source,
            }),
        }
    }

    /// The objects of the mirror in `folder` by themselves, for reading: nothing of git's configuration
    /// is read for them. None if there is no mirror.
    pub(super) fn objects(url: &str, folder: &Path) -> Result<Option<Self>, GitError> {
        if !folder.exists() {
            return Ok(None);
        }
        let objects = folder.join("objects");
        let database = git2::Odb::new().and_then(|database| {
            if !folder.join("HEAD").exists() {
                return Err(git2::Error::from_str("it has no HEAD"));
            }
            database.add_disk_alternate(&objects.to_string_lossy())?;
            Ok(database)
        });
        match database.and_then(Repository::from_odb) {
            Ok(repository) => Ok(Some(Self {
                url: url.to_owned(),
                folder: folder.to_owned(),
                repository,
            })),
            Err(source) => Err(GitError::Damaged {
                url: url.to_owned(),
                folder: folder.to_owned(),
                source,
            }),
        }
    }

    /// [`Self::open`], made if it is not there: aside and renamed, so that one that exists is always whole.
    /// The caller holds the mirror's lock.
    pub(super) fn open_or_make(
        store: &Store,
        url: &str,
        (address, folder): (&str, &Path),
    ) -> Result<Self, GitError> {
        remove_leftovers(folder);
        if let Some(mirror) = Self::open(url, folder)? {
            return Ok(mirror);
        }
        let failed = |source| GitError::Fetch {
            url: url.to_owned(),
            source,
        };
        let unusable = |source| StoreError::Io {
            path: folder.to_owned(),
            source,
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let aside = folder.with_file_name(format!("{TEMPORARY_PREFIX}{name}"));
        if aside.exists() {
            fs::remove_dir_all(&aside).map_err(unusable)?;
        }
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        Repository::init_opts(&aside, &options).map_err(failed)?;
        store.describe(&aside, address)?;
        fs::rename(&aside, folder).map_err(unusable)?;
        let repository = Repository::open_bare(folder).map_err(failed)?;
        Ok(Self {
            url: url.to_owned(),
            folder: folder.to_owned(),
            repository,
        })
    }

    /// Whether a commit (or what a tag leads to) is there with all its files.
    pub(super) fn has(&self, id: Oid) -> Result<bool, GitError> {
        let found = match self.repository.find_object(id, None) {
            Ok(found) => found,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(false),
            Err(error) => return Err(self.damaged(error)),
        };
        if !self.folder.join(INCOMPLETE).exists() {
            return Ok(true);
        }
        match found.peel_to_tree() {
            Ok(tree) => self.has_all_of(tree.id()),
            Err(_) => Ok(false),
        }
    }

    /// Whether every object below a tree is there.
    fn has_all_of(&self, tree: Oid) -> Result<bool, GitError> {
        let database = self.repository.odb().map_err(|e| self.damaged(e))?;
        let mut trees = vec![tree];
        while let Some(id) = trees.pop() {
            let tree = match self.repository.find_tree(id) {
                Ok(tree) => tree,
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(false),
                Err(error) => return Err(self.damaged(error)),
            };
            for entry in &tree {
                match entry.kind() {
                    Some(ObjectType::Tree) => trees.push(entry.id()),
                    Some(ObjectType::Blob) if !database.exists(entry.id()) => return Ok(false),
                    _ => {}
                }
            }
        }
        Ok(true)
    }

    pub(super) fn damaged(&self, source: git2::Error) -> GitError {
        GitError::Damaged {
            url: self.url.clone(),
            folder: self.folder.clone(),
            source,
        }
    }

    /// The commit that an object is, or leads to. None if it is a file or a folder.
    pub(super) fn commit(&self, id: Oid) -> Result<Option<CommitId>, GitError> {
        let found = self.repository.find_object(id, None);
        match found.map_err(|e| self.damaged(e))?.peel_to_commit() {
            Ok(commit) => Ok(commit_id(commit.id())),
            Err(error) if error.code() == ErrorCode::InvalidSpec => Ok(None),
            Err(error) => Err(self.damaged(error)),
        }
    }

    /// The commits whose ids begin with these digits, among those that `tips` lead to. Commits that
    /// only the store still has do not count.
    pub(super) fn commits_of(
        &self,
        prefix: &CommitPrefix,
        tips: &[Oid],
    ) -> Result<Vec<CommitId>, GitError> {
        let damaged = |error| self.damaged(error);
        let mut walk = self.repository.revwalk().map_err(damaged)?;
        for id in tips {
            let found = self.repository.find_object(*id, None).map_err(damaged)?;
            if let Ok(commit) = found.peel_to_commit() {
                walk.push(commit.id()).map_err(damaged)?;
            }
        }
        let mut commits = Vec::new();
        for id in walk {
            let id = id.map_err(damaged)?;
            if id.to_string().starts_with(prefix.as_str()) {
                commits.extend(commit_id(id));
            }
        }
        commits.sort();
        Ok(commits)
    }

    /// Whether a branch at `tip` still contains a commit; none if the mirror does not have the
    /// history that would tell.
    pub(super) fn contains(&self, tip: Oid, commit: &CommitId) -> Option<bool> {
        let commit = oid(commit);
        if tip == commit {
            return Some(true);
        }
        if self.repository.is_shallow() || self.repository.find_commit(tip).is_err() {
            return None;
        }
        self.repository.graph_descendant_of(tip, commit).ok()
    }
}

/// Takes a damaged mirror out of the way, whole. The caller holds the mirror's lock.
pub(super) fn discard(folder: &Path) -> Result<(), StoreError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let aside = folder.with_file_name(format!("{TEMPORARY_PREFIX}{name}"));
    let failed = |source| StoreError::Io {
        path: folder.to_owned(),
        source,
    };
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(failed)?;
    }
    match fs::rename(folder, &aside) {
        Ok(()) => fs::remove_dir_all(&aside).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Removes what a fetch that was killed left in a mirror: files being copied, packs never finished,
/// and locks. The caller holds the mirror's own lock.
fn remove_leftovers(mirror: &Path) {
    let objects = mirror.join("objects");
    let loose = fs::read_dir(&objects).into_iter().flatten().flatten();
    let loose = loose.map(|entry| entry.path());
    let folders = [mirror.to_owned(), objects.clone()];
    for folder in folders.into_iter().chain(loose) {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_leftover = name.ends_with(".lock")
                || name.starts_with("pack_git2_")
                || name.starts_with("tmp_")
                || name.starts_with(TEMPORARY_PREFIX);
            if is_leftover {
                // One that cannot be removed is told of by the fetch, with its name.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
