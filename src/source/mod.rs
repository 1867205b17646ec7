//! Cookbooks in folders.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads folders"
)]

mod folder;
mod identity;
mod mounted;
mod project;
mod work_tree;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::path::TreePath;
pub(crate) use folder::FolderTree;
use folder::Root;
use identity::Settled;
pub(crate) use mounted::Mounted;
pub(crate) use project::ProjectFiles;
use work_tree::executables;
pub(crate) use work_tree::{Clean, InFolder, StatusSettings, are_dirty, is_whole_status};

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

/// The folders of one run. Those that lie in one source share what is known of it.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    settled: Option<Settled>,
    roots: Mutex<HashMap<PathBuf, Arc<Root>>>,
    /// Folders without links in their paths, by the paths as they are written.
    real: Mutex<HashMap<PathBuf, PathBuf>>,
    /// Whether there is a `.git` in a folder.
    repositories: Mutex<HashMap<PathBuf, bool>>,
}

impl Folders {
    /// `begun` is when the run began, as a file system dates it: what was changed after that, or
    /// shortly before, is not known by what the file system says of it. Without it nothing is.
    pub(crate) fn new(begun: Option<SystemTime>) -> Self {
        Self {
            settled: begun.and_then(Settled::for_run),
            ..Self::default()
        }
    }

    /// Opens the cookbook in `folder`: the tree of its source, and where in it the cookbook stands.
    ///
    /// The source of a folder is the git work tree that holds it, or `project`, the manifest's own
    /// folder, whichever is nearer; else the folder itself. A chefignore is looked for up to there, so
    /// that a checkout gives what its repository gives, and no folder above a project has a say. So that
    /// it does where the file system has no modes either, they are then taken from the index of git.
    pub(crate) fn open(
        &self,
        project: &Path,
        folder: &Path,
    ) -> Result<(FolderTree, TreePath), FolderError> {
        let failed = |source| FolderError {
            path: folder.to_owned(),
            source,
        };
        let real = self.real(folder).map_err(failed)?;
        if !real.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        let (root, base) = self.root_and_base(project, &real);
        // Messages name files as a person would: not `./cookbooks/web`.
        let parts = folder
            .components()
            .filter(|part| *part != Component::CurDir);
        let shown: PathBuf = parts.collect();
        Ok((FolderTree::new(self.root(root), shown), base))
    }

    /// Forgets what was seen of folders that nobody will read any more.
    pub(crate) fn forget_listings(&self) {
        let roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        roots.values().for_each(|root| root.forget_listings());
    }

    fn root(&self, folder: PathBuf) -> Arc<Root> {
        let mut roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        let root = roots.entry(folder).or_insert_with_key(|folder| {
            let executables = executables(folder);
            Arc::new(Root::new(folder.clone(), executables, self.settled))
        });
        Arc::clone(root)
    }

    /// A folder's path without links. Folders beside each other are looked for once.
    pub(crate) fn real(&self, folder: &Path) -> io::Result<PathBuf> {
        let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
            return fs::canonicalize(folder);
        };
        // Elsewhere a file system may know the folder by other letters.
        if !cfg!(target_os = "linux") || parent.as_os_str().is_empty() {
            return fs::canonicalize(folder);
        }
        let mut known = self.real.lock().unwrap_or_else(PoisonError::into_inner);
        let above = match known.get(parent) {
            Some(above) => above,
            None => {
                let above = fs::canonicalize(parent)?;
                known.entry(parent.to_owned()).or_insert(above)
            }
        };
        let real = above.join(name);
        match fs::symlink_metadata(&real) {
            Ok(found) if !found.is_symlink() => Ok(real),
            _ => fs::canonicalize(folder),
        }
    }

    /// The root of the source of a folder, whose path is without links, and the folder's place in it.
    fn root_and_base(&self, project: &Path, real: &Path) -> (PathBuf, TreePath) {
        let project = self.real(project).ok();
        let is_root = |at: &&Path| project.as_deref() == Some(*at) || self.has_repository(at, real);
        let found = real.ancestors().find(is_root).and_then(|root| {
            let below = real.strip_prefix(root).ok()?;
            let parts: Option<Vec<_>> = below.iter().map(|part| part.to_str()).collect();
            let base = TreePath::parse(&parts?.join("/")).ok()?;
            Some((root.to_owned(), base))
        });
        found.unwrap_or_else(|| (real.to_owned(), TreePath::root()))
    }

    /// The root of the git work tree that holds a folder, whose path is without links.
    fn work_tree_of<'p>(&self, real: &'p Path) -> Option<&'p Path> {
        real.ancestors().find(|at| self.has_repository(at, real))
    }

    /// Whether a folder above a cookbook's is a git work tree's, or that one itself, of which nobody else
    /// will ask.
    fn has_repository(&self, folder: &Path, cookbook: &Path) -> bool {
        if folder == cookbook {
            return folder.join(".git").exists();
        }
        let known = self.repositories.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(folder) {
            return *known;
        }
        let found = folder.join(".git").exists();
        known.insert(folder.to_owned(), found);
        found
    }
}

/// [`Folders::open`] for one folder alone, which is read in any case.
pub(crate) fn open_folder(
    project: &Path,
    folder: &Path,
) -> Result<(FolderTree, TreePath), FolderError> {
    Folders::default().open(project, folder)
}
