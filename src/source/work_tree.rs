//! What the git work tree that holds a folder knows of its files: which of them may be executed where
//! the file system cannot say, and whether they are in a commit.
//!
//! A work tree that libgit2 does not open is as if there were none: one that another user owns, one
//! whose `.git` is broken, one of git's SHA-256 format. What a folder gives does not hang on it then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use git2::{ConfigLevel, Repository, Status, StatusOptions};

use super::Folders;
use super::folder::name_bytes;
use crate::layout::CookbookPlan;
use crate::path::{TreePath, join_bytes};

/// The root of the git work tree that holds a folder, whose path is without links.
pub(super) fn work_tree_of(real: &Path) -> Option<&Path> {
    real.ancestors().find(|at| at.join(".git").exists())
}

/// Opens a work tree's repository. Nothing is searched for, and nothing written.
fn open(root: &Path) -> Option<Repository> {
    let repository = Repository::open(root).ok()?;
    // `core.worktree` may point to any folder.
    let real = fs::canonicalize(repository.workdir()?).ok()?;
    (real == root).then_some(repository)
}

/// The files of a tree that may be executed by the index of the git work tree that holds it, where the
/// file system does not say: on a platform without such a bit, or where the repository's own
/// configuration has `core.fileMode = false`. What is not tracked may not be executed. None where the
/// file system says.
pub(super) fn executables(root: &Path) -> Option<BTreeSet<Vec<u8>>> {
    let work_tree = work_tree_of(root)?;
    let repository = open(work_tree)?;
    if cfg!(unix) && file_system_has_modes(&repository) {
        return None;
    }
    // The tree may begin below the work tree.
    let mut start = slashed(root.strip_prefix(work_tree).ok()?);
    if !start.is_empty() {
        start.push(b'/');
    }
    let index = repository.index().ok()?;
    let executable = index
        .iter()
        .filter(|entry| entry.mode & 0o170_100 == 0o100_100);
    let below = executable.filter_map(|entry| Some(entry.path.strip_prefix(&*start)?.to_vec()));
    Some(below.collect())
}

/// git writes the setting into each repository it makes. Nobody's home folder has a say in what is
/// packed, so that only the repository's own file counts.
fn file_system_has_modes(repository: &Repository) -> bool {
    let own = repository
        .config()
        .and_then(|config| config.open_level(ConfigLevel::Local));
    own.and_then(|own| own.get_bool("core.filemode"))
        .unwrap_or(true)
}

fn slashed(path: &Path) -> Vec<u8> {
    let parts: Vec<_> = path.iter().map(name_bytes).collect();
    parts.join(&b'/')
}

/// For each of the cookbooks in these folders, whether what is packed of it is in no commit: a packed
/// file is not in the commit that is checked out or is another one there, or a file that the commit has
/// in the folder is gone. A packed file that git ignores is in no commit either. A plan is that of the
/// tree and the folder that [`super::open_folder`] gives. False where there is no work tree.
///
/// A work tree is gone through once, however many of the cookbooks it holds.
pub(crate) fn are_dirty(
    folders: &Folders,
    project: &Path,
    cookbooks: &[(PathBuf, &CookbookPlan)],
) -> Vec<bool> {
    let mut dirty = vec![false; cookbooks.len()];
    let mut by_work_tree: BTreeMap<PathBuf, Vec<(usize, Packed<'_>)>> = BTreeMap::new();
    for (index, (folder, plan)) in cookbooks.iter().enumerate() {
        if let Some((work_tree, packed)) = Packed::of(folders, project, folder, plan) {
            let known = by_work_tree.entry(work_tree).or_default();
            known.push((index, packed));
        }
    }
    for (work_tree, packed) in by_work_tree {
        let folders = packed.iter().map(|(_, packed)| &*packed.folder);
        let changes = open(&work_tree).and_then(|repository| changes(&repository, folders));
        let changes = changes.unwrap_or_default();
        for (index, packed) in packed {
            dirty[index] = packed.is_changed(&changes);
        }
    }
    dirty
}

/// What git's status tells of the files in some folders of a work tree, by path.
fn changes<'f>(
    repository: &Repository,
    folders: impl Iterator<Item = &'f [u8]> + Clone,
) -> Option<BTreeMap<Vec<u8>, Status>> {
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_ignored(true)
        .recurse_ignored_dirs(true)
        .disable_pathspec_match(true);
    // An empty path would name nothing; none at all names everything.
    if !folders.clone().any(<[u8]>::is_empty) {
        for folder in folders {
            options.pathspec(folder);
        }
    }
    let statuses = repository.statuses(Some(&mut options)).ok()?;
    let told = statuses.iter().map(|entry| {
        let path = entry.path_bytes();
        // A submodule, or a repository that is none, is told of as a whole.
        let path = path.strip_suffix(b"/").unwrap_or(path);
        (path.to_vec(), entry.status())
    });
    Some(told.collect())
}

/// What is packed of a folder of a work tree.
struct Packed<'p> {
    /// The folder's path in the work tree.
    folder: Vec<u8>,
    /// That of the tree that the plan is of.
    root: Vec<u8>,
    /// The folder's path in that tree.
    base: TreePath,
    plan: &'p CookbookPlan,
}

impl<'p> Packed<'p> {
    fn of(
        folders: &Folders,
        project: &Path,
        folder: &Path,
        plan: &'p CookbookPlan,
    ) -> Option<(PathBuf, Self)> {
        let real = folders.real(folder).ok()?;
        let work_tree = folders.work_tree_of(&real)?;
        let (root, base) = folders.root_and_base(project, &real);
        let packed = Self {
            folder: slashed(real.strip_prefix(work_tree).ok()?),
            root: slashed(root.strip_prefix(work_tree).ok()?),
            base,
            plan,
        };
        Some((work_tree.to_owned(), packed))
    }

    /// The paths of the files in the work tree. None of them, where they cannot be told.
    fn files(&self) -> BTreeSet<Vec<u8>> {
        let Ok(files) = self.plan.included.read() else {
            return BTreeSet::new();
        };
        // A file that is packed through a link depends on both.
        let paths = files.iter().flat_map(|file| {
            let own = self.base.join(file.path().as_bytes());
            [own, file.source(&self.plan.base)]
        });
        paths.map(|path| join_bytes(&self.root, &path)).collect()
    }

    /// Whether one of the changes in the folder matters to what is packed.
    fn is_changed(&self, changes: &BTreeMap<Vec<u8>, Status>) -> bool {
        let is_gone = Status::WT_DELETED | Status::INDEX_DELETED;
        let mut start = self.folder.clone();
        if !start.is_empty() {
            start.push(b'/');
        }
        let below = changes
            .range(start.clone()..)
            .take_while(|(path, _)| path.starts_with(&start));
        // The folder may itself be a submodule that is not checked out, and no work tree of its own.
        let mut changes = below.chain(changes.get_key_value(&self.folder)).peekable();
        // Most have none, and then their files are not asked for.
        if changes.peek().is_none() {
            return false;
        }
        let files = self.files();
        changes.any(|(path, status)| status.intersects(is_gone) || is_packed(path, &files))
    }
}

/// Whether one of the files is at a path or below it.
fn is_packed(path: &[u8], packed: &BTreeSet<Vec<u8>>) -> bool {
    let mut below = path.to_vec();
    below.push(b'/');
    packed.contains(path)
        || packed
            .range(below.clone()..)
            .next()
            .is_some_and(|first| first.starts_with(&below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_packed_if_a_file_is_there_or_below() {
        let packed: BTreeSet<Vec<u8>> = [&b"a/b"[..], b"a-/c", b"d/e/f"]
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect();
        for (path, wanted) in [
            ("a/b", true),
            ("a", true),
            ("d/e", true),
            ("d/e/f", true),
            ("a-", true),
            ("a/bc", false),
            ("d/e/f/g", false),
            ("b", false),
        ] {
            assert_eq!(is_packed(path.as_bytes(), &packed), wanted, "{path}");
        }
    }
}
