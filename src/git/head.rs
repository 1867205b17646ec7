//! The commit that is checked out in a work tree, read as those of mirrors are: with little memory, whatever
//! it holds.

use std::io::Read;
use std::sync::Arc;

use git2::{ErrorCode, Oid, Repository};

use super::objects::Objects;
use super::tree::GitTree;
use crate::tree::{EntryKind, TreeError};

/// The files of a commit that somebody has checked out.
pub(crate) struct Head(GitTree);

/// An entry of a folder of a commit.
pub(crate) struct HeadEntry {
    pub(crate) name: Vec<u8>,
    pub(crate) id: Oid,
    pub(crate) kind: EntryKind,
}

impl Head {
    /// That of a repository's `HEAD`. None where nothing was committed yet.
    pub(crate) fn of(repository: &Repository) -> Result<Option<Self>, git2::Error> {
        let head = match repository.head() {
            Err(error) if error.code() == ErrorCode::UnbornBranch => return Ok(None),
            head => head?,
        };
        let root = head.peel_to_tree()?.id();
        Ok(Some(Self::at(repository, root)))
    }

    /// That of a commit, which need not be the one that is checked out now.
    pub(crate) fn of_commit(repository: &Repository, commit: Oid) -> Result<Self, git2::Error> {
        let root = repository.find_commit(commit)?.tree_id();
        Ok(Self::at(repository, root))
    }

    fn at(repository: &Repository, root: Oid) -> Self {
        // That of a linked work tree has no objects of its own.
        let folder = repository.commondir();
        let shown = folder.display().to_string();
        let objects = Objects::open(shown.clone(), folder.to_owned(), Arc::default());
        Self(GitTree::new(Arc::new(objects), root, shown))
    }

    /// What stands at a path.
    pub(crate) fn object(&self, path: &[u8]) -> Result<Option<(Oid, EntryKind)>, TreeError> {
        self.0.object_at(path)
    }

    /// The entries of a folder, in the order of the paths that lie at them or below; none if there is no such
    /// folder.
    pub(crate) fn entries(&self, folder: &[u8]) -> Result<Vec<HeadEntry>, TreeError> {
        self.0.objects_in(folder)
    }

    /// Opens a file.
    pub(crate) fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        crate::tree::Tree::open(&self.0, path)
    }
}
