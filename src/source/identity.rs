//! The identity of a folder's content, told from what the file system says of its files, without
//! reading one: names, kinds, sizes, inodes, and when each was last changed. git trusts the same for
//! `git status` (git, `Documentation/technical/racy-git.adoc`).
//!
//! Who edits a file can give it back its size and the time of its content (`touch -d`), but not the time
//! of its inode, which the file system alone sets. That time is only as fine as the file system's clock:
//! a file that was changed just before it is read can be changed again afterwards without a trace. So
//! a folder has no identity as long as something in it is younger than [`SETTLED`] at the beginning of
//! the run, or dated in the future; it is then read, and known by the next run.
//!
//! Elsewhere than on Unix the standard library tells neither the inode nor its time: there no folder
//! has an identity, and each is read in each run.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use crate::digest::Digest;
use crate::tree::TreeEntry;

/// How long ago a file must have been changed last. The coarsest clock of a file system in use, that
/// of FAT, has a step of two seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// Before this a file must have been changed last, in seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "no folder has an identity there")
)]
pub(super) struct Settled(i64, i64);

impl Settled {
    /// For a run that began at a time, as a file system dates it.
    pub(super) fn for_run(begun: SystemTime) -> Option<Self> {
        let before = begun.checked_sub(SETTLED)?;
        let since = before.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let seconds = i64::try_from(since.as_secs()).ok()?;
        Some(Self(seconds, i64::from(since.subsec_nanos())))
    }

    /// Whether a file that the file system says this of was changed before, and is known by it.
    #[cfg(unix)]
    pub(super) fn covers(self, found: &Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let modified = (found.mtime(), found.mtime_nsec());
        let changed = (found.ctime(), found.ctime_nsec());
        modified.max(changed) < (self.0, self.1)
    }

    /// Whether a file that the file system says this of was changed before, and is known by it.
    #[cfg(not(unix))]
    pub(super) fn covers(self, _found: &Metadata) -> bool {
        false
    }
}

/// What was seen of a file or a folder.
#[derive(Default)]
pub(super) struct Seen {
    /// None where it is not known: nothing stands there, something is too young, or cannot be looked
    /// at; reading tells what is wrong.
    pub(super) identity: Option<Digest>,
    /// The entries of the folders that were seen, by path: whoever reads them need not look again.
    pub(super) folders: Vec<(Vec<u8>, Vec<TreeEntry>)>,
}

#[cfg(not(unix))]
pub(super) use elsewhere::identity;
#[cfg(unix)]
pub(super) use unix::identity;

#[cfg(not(unix))]
mod elsewhere {
    use std::path::Path;

    use super::super::folder::Executables;
    use super::{Seen, Settled};

    pub(in super::super) fn identity(
        _root: &Path,
        _path: &[u8],
        _executables: Option<&Executables>,
        _settled: Settled,
    ) -> Seen {
        Seen::default()
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs::{self, Metadata};
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    use super::super::folder::{Executables, kind_at};
    use super::{Seen, Settled};
    use crate::digest::Hasher;
    use crate::layout::is_version_control;
    use crate::path::join_bytes;
    use crate::tree::TreeEntry;

    /// A folder that is larger or deeper than this is read.
    const MOST_ENTRIES: usize = 1_000_000;
    const MOST_DEPTH: usize = 128;

    /// The identity of the file or the folder at a path below `root`.
    pub(in super::super) fn identity(
        root: &Path,
        path: &[u8],
        executables: Option<&Executables>,
        settled: Settled,
    ) -> Seen {
        let full = match path.is_empty() {
            true => root.to_owned(),
            false => root.join(OsStr::from_bytes(path)),
        };
        let mut walk = Walk {
            executables,
            settled,
            hasher: Hasher::default(),
            entries: 0,
            folders: Vec::new(),
        };
        walk.hasher.update(b"stat\0");
        let known = match fs::symlink_metadata(&full) {
            Ok(found) if found.is_dir() => walk.folder(&full, path, 0),
            Ok(found) => walk.file(path, &found),
            Err(_) => None,
        };
        Seen {
            identity: known.map(|()| walk.hasher.finish()),
            folders: walk.folders,
        }
    }

    struct Walk<'a> {
        executables: Option<&'a Executables>,
        settled: Settled,
        hasher: Hasher,
        entries: usize,
        folders: Vec<(Vec<u8>, Vec<TreeEntry>)>,
    }

    impl Walk<'_> {
        fn folder(&mut self, full: &Path, path: &[u8], depth: usize) -> Option<()> {
            if depth > MOST_DEPTH {
                return None;
            }
            let mut entries = Vec::new();
            for entry in fs::read_dir(full).ok()? {
                let entry = entry.ok()?;
                // `DirEntry::metadata` does not follow links.
                entries.push((entry.file_name(), entry.metadata().ok()?));
            }
            self.entries += entries.len();
            if self.entries > MOST_ENTRIES {
                return None;
            }
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            self.number(entries.len() as u64);
            let mut listed = Vec::with_capacity(entries.len());
            let mut is_settled = true;
            for (name, found) in entries {
                let bytes = name.as_bytes();
                self.number(bytes.len() as u64);
                self.hasher.update(bytes);
                let path = match self.executables.is_some() || found.is_dir() {
                    true => join_bytes(path, bytes),
                    false => Vec::new(),
                };
                // Version control changes its own files whenever it likes, and none is ever packed.
                let known = if is_version_control(bytes) {
                    self.hasher.update(b"v");
                    Some(())
                } else if found.is_dir() {
                    self.hasher.update(b"d");
                    self.folder(&full.join(&name), &path, depth + 1)
                } else {
                    self.file(&path, &found)
                };
                is_settled &= known.is_some();
                listed.push(TreeEntry {
                    kind: kind_at(self.executables, &path, &found),
                    name: name.into_vec(),
                });
            }
            self.folders.push((path.to_vec(), listed));
            is_settled.then_some(())
        }

        /// Takes what is told of a file, a link or something else that is no folder.
        fn file(&mut self, path: &[u8], found: &Metadata) -> Option<()> {
            if !self.settled.covers(found) {
                return None;
            }
            let known = self.executables.map(|known| known.contains(path));
            self.hasher.update(match known {
                None => b"f",
                Some(true) => b"x",
                Some(false) => b"-",
            });
            // The mode holds the kind, and the bit of the owner.
            self.number(u64::from(found.mode()));
            for number in [found.dev(), found.ino(), found.size()] {
                self.number(number);
            }
            let modified = [found.mtime(), found.mtime_nsec()];
            let changed = [found.ctime(), found.ctime_nsec()];
            for time in modified.into_iter().chain(changed) {
                self.hasher.update(&time.to_le_bytes());
            }
            Some(())
        }

        fn number(&mut self, number: u64) {
            self.hasher.update(&number.to_le_bytes());
        }
    }
}
