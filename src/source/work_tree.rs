//! What the git work tree that holds a folder knows of its files: which of them may be executed where
//! the file system cannot say, and whether they are in a commit.
//!
//! A work tree that libgit2 does not open is as if there were none: one that another user owns, one
//! whose `.git` is broken, one of git's SHA-256 format. What a folder gives does not hang on it then.

mod clean;
mod compare;
mod index;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use git2::{ConfigLevel, Repository};

use super::Folders;
use super::folder::name_bytes;
use super::identity::Settled;
use crate::digest::{ContentDigest, Digest};
use crate::git::Head;
use crate::layout::CookbookPlan;
use crate::tree::{EntryKind, Tree};
pub(crate) use clean::{Clean, is_whole_status};
use compare::{Checkout, Compared, Filtered, PackedFiles, compare};

/// The root of the git work tree that holds a folder, whose path is without links.
fn work_tree_of(real: &Path) -> Option<&Path> {
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
    index::executables(&index_of(&repository), &start).ok()
}

/// The file of a work tree's index.
fn index_of(repository: &Repository) -> PathBuf {
    repository.path().join("index")
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

/// A cookbook in a folder, as it was read.
pub(crate) struct InFolder<'c> {
    pub(crate) folder: PathBuf,
    pub(crate) tree: &'c dyn Tree,
    pub(crate) plan: &'c CookbookPlan,
    pub(crate) content: ContentDigest,
}

/// How to find out whether cookbooks are in a commit.
#[derive(Clone, Copy)]
pub(crate) struct StatusSettings {
    /// Whether a file that did not change since git looked at it need not be read.
    pub(crate) asks_index: bool,
    /// On so many threads.
    pub(crate) jobs: NonZeroUsize,
}

/// For each of the cookbooks, whether what is packed of it is in no commit: a packed file is not in the
/// commit that is checked out or is another one there, or a file that the commit has in the folder is gone.
/// A packed file that git ignores is in no commit either. False where there is no work tree.
///
/// A folder that `clean` has is not looked at; those that are as their commit has them are then all that it
/// has.
pub(crate) fn are_dirty(
    folders: &Folders,
    cookbooks: &[InFolder<'_>],
    clean: &mut Clean,
    settings: StatusSettings,
) -> Vec<bool> {
    let mut dirty = vec![false; cookbooks.len()];
    let mut by_work_tree: BTreeMap<PathBuf, Vec<Member<'_>>> = BTreeMap::new();
    for (number, cookbook) in cookbooks.iter().enumerate() {
        if let Some((root, folder)) = in_work_tree(folders, &cookbook.folder) {
            let member = Member {
                folder,
                number,
                cookbook,
                key: None,
            };
            by_work_tree.entry(root).or_default().push(member);
        }
    }
    let known = std::mem::take(clean);
    for (root, mut members) in by_work_tree {
        let Some(repository) = open(&root) else {
            continue;
        };
        let Ok(head) = Head::of(&repository) else {
            continue;
        };
        let index = settings.asks_index.then(|| index_of(&repository));
        // What was mapped of it is given back.
        drop(repository);
        members.retain_mut(|member| {
            let is_dirty = member.at_first_sight(head.as_ref(), &known);
            dirty[member.number] = is_dirty.unwrap_or_default();
            if is_dirty == Some(false) {
                clean.extend(member.key);
            }
            is_dirty.is_none()
        });
        // Without a commit all is told.
        let Some(head) = head else {
            continue;
        };
        // In the order of the files in them, in which the index has these.
        members.sort_by(|a, b| a.start().cmp(b.start()));
        let filtered = Filtered::of(root);
        let checkout = || Checkout::new(&filtered, &head, index.as_deref());
        let compared = compare_all(&members, checkout, folders.settled, settings.jobs);
        for (member, compared) in members.iter().zip(compared) {
            dirty[member.number] = compared == Some(Compared::Different);
            if compared == Some(Compared::Same { is_settled: true }) {
                clean.extend(member.key);
            }
        }
    }
    dirty
}

/// Compares the members of a work tree with the commit, on so many threads, of which each takes those that
/// stand beside each other.
fn compare_all<'h>(
    members: &[Member<'_>],
    checkout: impl Fn() -> Checkout<'h>,
    settled: Option<Settled>,
    jobs: NonZeroUsize,
) -> Vec<Option<Compared>> {
    let share = members.len().div_ceil(jobs.get()).max(1);
    thread::scope(|scope| {
        let compare = |(share, mut checkout): (&[Member<'_>], Checkout<'_>)| {
            let compare = |member: &Member<'_>| member.compare(&mut checkout, settled);
            share.iter().map(compare).collect::<Vec<_>>()
        };
        let shares = members.chunks(share).map(|share| (share, checkout()));
        let threads: Vec<_> = shares
            .map(|share| scope.spawn(move || compare(share)))
            .collect();
        let done = threads.into_iter().map(ScopedJoinHandle::join);
        let done = done.map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)));
        done.flatten().collect()
    })
}

/// The root of the work tree that holds a folder, and the folder's path in it.
fn in_work_tree(folders: &Folders, folder: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let real = folders.real(folder).ok()?;
    let work_tree = folders.work_tree_of(&real)?;
    let path = slashed(real.strip_prefix(work_tree).ok()?);
    Some((work_tree.to_owned(), path))
}

/// A cookbook in a work tree.
struct Member<'c> {
    /// The folder's path in the work tree.
    folder: Vec<u8>,
    number: usize,
    cookbook: &'c InFolder<'c>,
    /// What it is known by, if it can be known.
    key: Option<Digest>,
}

impl Member<'_> {
    /// What the paths in the folder begin with.
    fn start(&self) -> impl Iterator<Item = &u8> {
        self.folder.iter().chain(b"/")
    }

    /// Whether what is packed is in no commit, where that can be told without looking at a file; false also
    /// where the commit cannot be read.
    fn at_first_sight(&mut self, head: Option<&Head>, known: &Clean) -> Option<bool> {
        let plan = self.cookbook.plan;
        // Nothing may have been committed yet.
        let committed = head.map(|head| head.object(&self.folder));
        let committed = match committed.transpose().map(Option::flatten) {
            Ok(Some((committed, EntryKind::Directory))) => committed,
            Ok(_) => return Some(!plan.included.is_empty()),
            Err(_) => return Some(false),
        };
        let identity = self.cookbook.tree.identity(plan.base.as_str().as_bytes());
        let key = |identity| Clean::key(identity, self.cookbook.content, committed);
        self.key = identity.ok().flatten().map(key);
        let is_known = self.key.is_some_and(|key| known.has(&key));
        is_known.then_some(false)
    }

    /// Compares it with the commit. None where that cannot be read.
    fn compare(&self, checkout: &mut Checkout<'_>, settled: Option<Settled>) -> Option<Compared> {
        let packed = PackedFiles::of(self.cookbook.plan).ok()?;
        compare(checkout, &self.folder, &packed, settled)
    }
}
