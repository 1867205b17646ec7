//! The files that a project's own Berksfile or Policyfile.rb may read.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::folder::Root;
use super::{FolderError, FolderTree};
use crate::path::TreePath;
use crate::ruby::{FileKind, Files, FilesError, TreeFiles};

/// The files of a project, by their paths from the root of the file system, so that a file can
/// speak of any folder. It reads those below the project's root alone: the git work tree that holds
/// the folder, or else the repository of cookbooks that it is a part of, or else the folder itself.
pub(crate) struct ProjectFiles {
    tree: FolderTree,
    /// The root's path.
    root: String,
    /// The path of the folder in which the file stands.
    base: String,
}

impl ProjectFiles {
    /// The files around a folder.
    pub(crate) fn around(folder: &Path) -> Result<Self, FolderError> {
        let failed = |source| FolderError {
            path: folder.to_owned(),
            source,
        };
        let real = fs::canonicalize(folder).map_err(failed)?;
        let root = root_of(&real);
        let tree = Arc::new(Root::new(root.clone(), None, None));
        let tree = FolderTree::new(tree, folder.to_owned());
        // Where a folder's name is no text, paths begin at the project's root.
        let (root, base) = match (as_text(&root), as_text(&real)) {
            (Some(root), Some(base)) => (root, base),
            _ => (String::new(), String::new()),
        };
        Ok(Self { tree, root, base })
    }

    /// A path below the root; none for a folder above it.
    fn below<'p>(&self, path: &'p str) -> Result<Option<&'p str>, FilesError> {
        let begins = |path: &'p str, start: &str| match start {
            "" => Some(path),
            _ => match path.strip_prefix(start)? {
                "" => Some(""),
                rest => rest.strip_prefix('/'),
            },
        };
        if let Some(below) = begins(path, &self.root) {
            return Ok(Some(below));
        }
        let is_above = path.is_empty() || self.root.starts_with(&format!("{path}/"));
        match is_above {
            true => Ok(None),
            false => Err(FilesError::Outside {
                path: format!("/{path}"),
            }),
        }
    }

    fn files(&self) -> TreeFiles<'_> {
        TreeFiles {
            tree: &self.tree,
            base: TreePath::root(),
        }
    }
}

/// The root of the project that a folder belongs to.
fn root_of(real: &Path) -> PathBuf {
    if let Some(work_tree) = real.ancestors().find(|at| at.join(".git").exists()) {
        return work_tree.to_owned();
    }
    let holds_cookbooks = |at: &&Path| {
        let name = at.file_name().and_then(|name| name.to_str());
        matches!(name, Some("cookbooks" | "site-cookbooks"))
    };
    let repository = real
        .ancestors()
        .find(holds_cookbooks)
        .and_then(Path::parent);
    repository.unwrap_or(real).to_owned()
}

/// A path's components from the root of the file system.
fn as_text(path: &Path) -> Option<String> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_str()),
        _ => None,
    });
    let parts: Option<Vec<_>> = parts.collect();
    parts.map(|parts| parts.join("/"))
}

impl Files for ProjectFiles {
    fn base(&self) -> &str {
        &self.base
    }

    fn kind(&self, path: &str) -> Result<Option<FileKind>, FilesError> {
        match self.below(path)? {
            Some(below) => self.files().kind(below),
            None => Ok(Some(FileKind::Directory)),
        }
    }

    fn is_link(&self, path: &str) -> Result<bool, FilesError> {
        match self.below(path)? {
            Some(below) => self.files().is_link(below),
            None => Ok(false),
        }
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FilesError> {
        match self.below(path)? {
            Some(below) => self.files().read(below, limit),
            None => Err(FilesError::NotAFile {
                path: path.to_owned(),
            }),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>, FilesError> {
        match self.below(path)? {
            Some(below) => self.files().list(below),
            None => Err(FilesError::Outside {
                path: format!("/{path}"),
            }),
        }
    }
}
