//! Compares what is packed of a folder with what a commit has there.
//!
//! The content of a file is known by its blob's id. git's index has that of each file that has not changed
//! since git looked at it; of another one it is computed. Where it is another id than the commit's, the file
//! may still be what git checked out: Git LFS and git itself, with the ends of lines, put something else
//! into the work tree than the commit has.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use git2::{Oid, Repository, StatusOptions};
use sha1::{Digest as _, Sha1};

use super::super::folder::{name_bytes, os_path};
use super::super::identity::Settled;
use super::index::Index;
use super::{index_of, open};
use crate::git::{Head, HeadEntry};
use crate::layout::{CookbookPlan, FileTable};
use crate::lfs::{LONGEST_POINTER, Pointer};
use crate::path::join_bytes;
use crate::tree::{EntryKind, TreeError};

/// Folders within each other that are looked into.
const MOST_DEPTH: usize = 128;

/// Bytes that are read of a file at a time.
const PIECE: usize = 64 << 10;

/// A git work tree, with what one thread asks of it.
pub(super) struct Checkout<'a> {
    head: &'a Head,
    filtered: &'a Filtered,
    /// None where what git knows of its files is not asked for, or cannot be read.
    index: Option<Index>,
    /// The folder that is compared.
    folder: Vec<u8>,
    /// What is changed in it to git, if git was asked; none if it cannot say.
    changed: OnceCell<Option<BTreeSet<Vec<u8>>>>,
}

impl<'a> Checkout<'a> {
    /// The work tree of `filtered`, of which `head` is a commit and `index` the index that is asked.
    pub(super) fn new(filtered: &'a Filtered, head: &'a Head, index: Option<&Path>) -> Self {
        Self {
            head,
            filtered,
            index: index.and_then(|index| Index::open(index).ok()),
            folder: Vec::new(),
            changed: OnceCell::new(),
        }
    }

    /// Goes on with another folder.
    fn begin(&mut self, folder: &[u8]) {
        self.folder = folder.to_vec();
        self.changed = OnceCell::new();
    }

    /// The id of what stands at a path, if git knows it.
    fn known(&mut self, at: &Place<'_>, found: &Metadata) -> Option<Oid> {
        let known = self.index.as_mut()?.known(at.in_tree, found);
        // One that cannot be read tells nothing.
        if known.is_err() {
            self.index = None;
        }
        known.ok().flatten()
    }

    /// Whether git takes a file that the commit has for unchanged.
    fn is_same_to_git(&self, at: &Place<'_>) -> bool {
        let changed = || self.filtered.changed(self.head, &self.folder);
        let changed = self.changed.get_or_init(changed).as_ref();
        changed.is_some_and(|changed| !changed.contains(at.in_tree))
    }
}

/// What git takes for unchanged, with all that it makes of the content of files by its settings and by
/// `.gitattributes`. For that libgit2 holds the whole index in memory: once for all threads, and only where
/// it has to be asked.
pub(super) struct Filtered {
    root: PathBuf,
    opened: Mutex<Option<Repository>>,
}

impl Filtered {
    /// For the work tree at `root`.
    pub(super) fn of(root: PathBuf) -> Self {
        Self {
            root,
            opened: Mutex::default(),
        }
    }

    /// The files in a folder that are changed to git. None where another commit than `head` is checked out,
    /// and where git cannot say.
    fn changed(&self, head: &Head, folder: &[u8]) -> Option<BTreeSet<Vec<u8>>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.is_none() {
            *opened = open(&self.root);
        }
        let repository = opened.as_ref()?;
        let root = repository.head().and_then(|head| head.peel_to_tree());
        let (wanted, _) = head.object(b"").ok()??;
        if root.ok()?.id() != wanted {
            return None;
        }
        let mut options = StatusOptions::new();
        options
            .include_untracked(false)
            .include_ignored(false)
            .disable_pathspec_match(true);
        // An empty path would name nothing; none at all names everything.
        if !folder.is_empty() {
            options.pathspec(folder);
        }
        let statuses = repository.statuses(Some(&mut options)).ok()?;
        Some(
            statuses
                .iter()
                .map(|entry| entry.path_bytes().to_vec())
                .collect(),
        )
    }
}

/// The files that are packed of a folder, by where they are in it.
pub(super) struct PackedFiles {
    table: Arc<FileTable>,
    /// Those that are packed through links as well, with the place of one that is: where they are really.
    sources: BTreeMap<Vec<u8>, usize>,
}

impl PackedFiles {
    pub(super) fn of(plan: &CookbookPlan) -> Result<Self, TreeError> {
        let table = plan.included.read()?;
        let files = table.iter().enumerate();
        let sources = files.filter_map(|(place, file)| Some((file.elsewhere()?.to_vec(), place)));
        Ok(Self {
            sources: sources.collect(),
            table,
        })
    }

    /// The place of the file that is packed from a path.
    fn from(&self, path: &[u8]) -> Option<usize> {
        let own = self.own(path);
        let is_own = |place: &usize| self.table.at(*place).elsewhere().is_none();
        own.filter(is_own)
            .or_else(|| self.sources.get(path).copied())
    }

    /// The place of the file that is packed under a path.
    fn own(&self, path: &[u8]) -> Option<usize> {
        self.table.place(std::str::from_utf8(path).ok()?).ok()
    }

    /// How many files are packed under paths below one.
    fn below(&self, path: &[u8]) -> usize {
        let Ok(path) = std::str::from_utf8(path) else {
            return 0;
        };
        // The character behind the slash.
        let [begin, end] = ["/", "0"].map(|end| self.table.place(&format!("{path}{end}")));
        let place = |found: Result<usize, usize>| found.unwrap_or_else(|place| place);
        place(end) - place(begin)
    }

    /// Whether a file is packed from a path below one.
    fn is_packed_below(&self, path: &[u8]) -> bool {
        let below = [path, b"/"].concat();
        let mut sources = self.sources.range(below.clone()..);
        self.below(path) > 0 || sources.next().is_some_and(|(at, _)| at.starts_with(&below))
    }
}

/// What came out of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// What is packed is what the commit has. It can be relied upon in a later run if nothing that was looked
    /// at was changed a moment ago.
    Same {
        is_settled: bool,
    },
    Different,
}

/// Compares a folder, which has the path `folder` in a work tree. None where its commit cannot be read.
pub(super) fn compare(
    checkout: &mut Checkout<'_>,
    folder: &[u8],
    packed: &PackedFiles,
    settled: Option<Settled>,
) -> Option<Compared> {
    checkout.begin(folder);
    let mut comparison = Comparison {
        packed,
        settled,
        is_settled: true,
        own: 0,
        sources: 0,
    };
    let at = Place {
        in_tree: folder,
        in_folder: b"",
        depth: 0,
    };
    let is_same = comparison.folder(checkout, &at)?
        // Each of those that are packed was met.
        && comparison.own == packed.table.len()
        && comparison.sources == packed.sources.len();
    Some(match is_same {
        true => Compared::Same {
            is_settled: comparison.is_settled,
        },
        false => Compared::Different,
    })
}

struct Comparison<'p> {
    packed: &'p PackedFiles,
    settled: Option<Settled>,
    is_settled: bool,
    /// How many of the paths that files are packed under were met, as themselves or through a link.
    own: usize,
    /// How many of those that files are packed from through links.
    sources: usize,
}

/// A folder that is looked into.
struct Place<'a> {
    /// Its path in the work tree.
    in_tree: &'a [u8],
    /// Its path in the folder that is compared.
    in_folder: &'a [u8],
    depth: usize,
}

impl Comparison<'_> {
    /// Whether all that the commit has in a folder is there, and the same if it is packed.
    fn folder(&mut self, checkout: &mut Checkout<'_>, at: &Place<'_>) -> Option<bool> {
        if at.depth > MOST_DEPTH {
            return Some(false);
        }
        for entry in checkout.head.entries(at.in_tree).ok()? {
            let in_tree = join_bytes(at.in_tree, &entry.name);
            let in_folder = join_bytes(at.in_folder, &entry.name);
            let inner = Place {
                in_tree: &in_tree,
                in_folder: &in_folder,
                depth: at.depth + 1,
            };
            let is_same = match entry.kind {
                EntryKind::Directory => self.folder(checkout, &inner)?,
                EntryKind::Submodule if !self.packed.is_packed_below(&in_folder) => true,
                EntryKind::Submodule => self.submodule(checkout, &inner, entry.id)?,
                _ => self.entry(checkout, &inner, &entry),
            };
            if !is_same {
                return Some(false);
            }
        }
        Some(true)
    }

    /// The same of a submodule, whose work tree need not be at the commit, but has to know it.
    fn submodule(&mut self, checkout: &Checkout<'_>, at: &Place<'_>, commit: Oid) -> Option<bool> {
        let root = checkout.filtered.root.join(os_path(at.in_tree)?);
        let opened = open(&root).and_then(|repository| {
            let head = Head::of_commit(&repository, commit).ok()?;
            Some((head, index_of(&repository)))
        });
        let Some((head, index)) = opened else {
            // What is packed of it is in no commit that is known.
            return Some(false);
        };
        let index = checkout.index.is_some().then_some(&*index);
        let filtered = Filtered::of(root);
        let mut checkout = Checkout::new(&filtered, &head, index);
        let at = Place {
            in_tree: b"",
            ..*at
        };
        self.folder(&mut checkout, &at)
    }

    /// Whether a file or a link of the commit is there, and the same if it is packed.
    fn entry(&mut self, checkout: &mut Checkout<'_>, at: &Place<'_>, entry: &HeadEntry) -> bool {
        let Some(path) = os_path(at.in_tree) else {
            return false;
        };
        let full = checkout.filtered.root.join(path);
        let Ok(found) = fs::symlink_metadata(&full) else {
            return false;
        };
        if found.is_dir() {
            return false;
        }
        self.is_settled &= self.settled.is_some_and(|settled| settled.covers(&found));
        let from = self.packed.from(at.in_folder);
        let mut own = usize::from(self.packed.own(at.in_folder).is_some());
        if entry.kind == EntryKind::Symlink {
            own += self.packed.below(at.in_folder);
        }
        if own == 0 && from.is_none() {
            return true;
        }
        self.own += own;
        self.sources += usize::from(self.packed.sources.contains_key(at.in_folder));
        match (entry.kind, from) {
            (EntryKind::Symlink, _) => {
                found.is_symlink() && is_link(checkout, at, entry, (&full, &found))
            }
            (EntryKind::File { executable }, Some(place)) => {
                found.is_file()
                    && self.packed.table.at(place).executable() == executable
                    && self.is_file(checkout, at, entry, (&full, &found), place)
            }
            _ => false,
        }
    }

    /// Whether a file is the one that the commit has.
    fn is_file(
        &self,
        checkout: &mut Checkout<'_>,
        at: &Place<'_>,
        entry: &HeadEntry,
        (full, found): (&Path, &Metadata),
        place: usize,
    ) -> bool {
        if let Some(known) = checkout.known(at, found) {
            return known == entry.id;
        }
        let Ok(content) = Hashed::of(full, found.len()) else {
            return false;
        };
        if content.id == entry.id {
            return true;
        }
        let file = self.packed.table.at(place);
        let is_of = |pointer: Pointer| (pointer.oid, pointer.size) == (file.digest(), file.size());
        pointer(checkout.head, at.in_tree).is_some_and(is_of)
            || content.may_be_filtered && checkout.is_same_to_git(at)
    }
}

fn is_link(
    checkout: &mut Checkout<'_>,
    at: &Place<'_>,
    entry: &HeadEntry,
    (full, found): (&Path, &Metadata),
) -> bool {
    let id = checkout.known(at, found).or_else(|| {
        let target = fs::read_link(full).ok()?;
        Some(blob_id(&name_bytes(target.as_os_str())))
    });
    id == Some(entry.id)
}

/// What the commit has at a path instead of a file that Git LFS keeps.
fn pointer(head: &Head, path: &[u8]) -> Option<Pointer> {
    let mut bytes = Vec::new();
    let file = head.open(path).ok()?;
    let read = file.take(LONGEST_POINTER as u64).read_to_end(&mut bytes);
    Pointer::parse(&bytes).filter(|_| read.is_ok())
}

/// What was read of a file.
struct Hashed {
    /// The id that it has as a blob.
    id: Oid,
    /// Whether something in it may be of git's making: ends of lines, or the id of an `$Id$` (git,
    /// `Documentation/gitattributes`).
    may_be_filtered: bool,
}

impl Hashed {
    /// Reads a file of so many bytes.
    fn of(path: &Path, size: u64) -> io::Result<Self> {
        let mut hasher = blob_hasher(size);
        let mut may_be_filtered = false;
        let mut piece = vec![0; PIECE.min(usize::try_from(size).unwrap_or(PIECE) + 1)];
        let mut file = File::open(path)?;
        // The last byte of a piece is looked at again with the next one.
        let mut kept = 0;
        loop {
            let read = file.read(&mut piece[kept..])?;
            if read == 0 {
                break;
            }
            let seen = &piece[..kept + read];
            hasher.update(&seen[kept..]);
            may_be_filtered |= seen.windows(2).any(|two| two == b"\r\n" || two == b"$I");
            let last = seen[kept + read - 1];
            piece[0] = last;
            kept = 1;
        }
        Ok(Self {
            id: id_of(hasher),
            may_be_filtered,
        })
    }
}

fn blob_hasher(size: u64) -> Sha1 {
    Sha1::new_with_prefix(format!("blob {size}\0"))
}

fn blob_id(content: &[u8]) -> Oid {
    let mut hasher = blob_hasher(content.len() as u64);
    hasher.update(content);
    id_of(hasher)
}

fn id_of(hasher: Sha1) -> Oid {
    Oid::from_bytes(&hasher.finalize()).unwrap_or(Oid::ZERO_SHA1)
}

#[cfg(test)]
mod tests;
