//! Cookbooks in folders.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads folders"
)]

mod folder;
mod mounted;
mod project;
mod work_tree;

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::path::TreePath;
pub(crate) use folder::FolderTree;
pub(crate) use mounted::Mounted;
pub(crate) use project::ProjectFiles;
pub(crate) use work_tree::WorkTrees;
use work_tree::executables;

/// Why a folder cannot be a source.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the folder `{}`", path.display())]
pub struct FolderError {
    /// The folder.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Diagnose for FolderError {
    fn kind(&self) -> Kind {
        match self.source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Kind::User,
            _ => Kind::Internal,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        vec![Diagnostic::new(message_with_causes(self))]
    }
}

/// Opens the cookbook in `folder`: the tree of its source, and where in it the cookbook stands.
///
/// The source of a folder is the git work tree that holds it, or `project`, the manifest's own
/// folder, whichever is nearer; else the folder itself. A chefignore is looked for up to there, so
/// that a checkout gives what its repository gives, and no folder above a project has a say. So that
/// it does where the file system has no modes either, they are then taken from the index of git.
pub(crate) fn open_folder(
    project: &Path,
    folder: &Path,
) -> Result<(FolderTree, TreePath), FolderError> {
    let failed = |source| FolderError {
        path: folder.to_owned(),
        source,
    };
    let real = fs::canonicalize(folder).map_err(failed)?;
    if !real.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    let (root, base) = root_and_base(project, &real);
    // Messages name files as a person would: not `./cookbooks/web`.
    let parts = folder
        .components()
        .filter(|part| *part != Component::CurDir);
    let shown: PathBuf = parts.collect();
    let executables = executables(&root).map(Arc::new);
    let tree = FolderTree::new(root, shown).with_executables(executables);
    Ok((tree, base))
}

/// The root of the source of a folder, whose path is without links, and the folder's place in it.
fn root_and_base(project: &Path, real: &Path) -> (PathBuf, TreePath) {
    let project = fs::canonicalize(project).ok();
    let is_root = |at: &&Path| project.as_deref() == Some(*at) || at.join(".git").exists();
    let found = real.ancestors().find(is_root).and_then(|root| {
        let below = real.strip_prefix(root).ok()?;
        let parts: Option<Vec<_>> = below.iter().map(|part| part.to_str()).collect();
        let base = TreePath::parse(&parts?.join("/")).ok()?;
        Some((root.to_owned(), base))
    });
    found.unwrap_or_else(|| (real.to_owned(), TreePath::root()))
}
