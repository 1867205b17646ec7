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

use std::time::{Duration, SystemTime};

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
}

#[cfg(not(unix))]
pub(super) use elsewhere::identity;
#[cfg(unix)]
pub(super) use unix::identity;

#[cfg(not(unix))]
mod elsewhere {
    use std::path::Path;

    use super::super::folder::Executables;
    use super::Settled;
    use crate::digest::Digest;

    pub(in super::super) fn identity(
        _root: &Path,
        _path: &[u8],
        _executables: Option<&Executables>,
        _settled: Settled,
    ) -> Option<Digest> {
        None
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs::{self, Metadata};
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    use super::super::folder::Executables;
    use super::Settled;
    use crate::digest::{Digest, Hasher};
    use crate::layout::is_version_control;
    use crate::path::join_bytes;

    /// A folder that is larger or deeper than this is read.
    const MOST_ENTRIES: usize = 1_000_000;
    const MOST_DEPTH: usize = 128;

    /// The identity of the file or the folder at a path below `root`. None where there is none: nothing
    /// stands there, something is too young, or cannot be looked at; reading tells what is wrong.
    pub(in super::super) fn identity(
        root: &Path,
        path: &[u8],
        executables: Option<&Executables>,
        settled: Settled,
    ) -> Option<Digest> {
        let full = match path.is_empty() {
            true => root.to_owned(),
            false => root.join(OsStr::from_bytes(path)),
        };
        let found = fs::symlink_metadata(&full).ok()?;
        let mut walk = Walk {
            executables,
            settled,
            hasher: Hasher::default(),
            entries: 0,
        };
        walk.hasher.update(b"stat\0");
        match found.is_dir() {
            true => walk.folder(&full, path, 0)?,
            false => walk.file(path, &found)?,
        }
        Some(walk.hasher.finish())
    }

    struct Walk<'a> {
        executables: Option<&'a Executables>,
        settled: Settled,
        hasher: Hasher,
        entries: usize,
    }

    impl Walk<'_> {
        fn folder(&mut self, full: &Path, path: &[u8], depth: usize) -> Option<()> {
            if depth > MOST_DEPTH {
                return None;
            }
            let mut entries = Vec::new();
            for entry in fs::read_dir(full).ok()? {
                let entry = entry.ok()?;
                let name = entry.file_name();
                // Version control changes its own files whenever it likes, and none is ever packed.
                let found = match is_version_control(name.as_bytes()) {
                    true => None,
                    // `DirEntry::metadata` does not follow links.
                    false => Some(entry.metadata().ok()?),
                };
                entries.push((name, found));
            }
            self.entries += entries.len();
            if self.entries > MOST_ENTRIES {
                return None;
            }
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            self.number(entries.len() as u64);
            for (name, found) in entries {
                let bytes = name.as_bytes();
                self.number(bytes.len() as u64);
                self.hasher.update(bytes);
                match found {
                    None => self.hasher.update(b"v"),
                    Some(found) if found.is_dir() => {
                        self.hasher.update(b"d");
                        self.folder(&full.join(&name), &join_bytes(path, bytes), depth + 1)?;
                    }
                    Some(found) => {
                        let path = match self.executables {
                            Some(_) => join_bytes(path, bytes),
                            None => Vec::new(),
                        };
                        self.file(&path, &found)?;
                    }
                }
            }
            Some(())
        }

        /// Takes what is told of a file, a link or something else that is no folder.
        fn file(&mut self, path: &[u8], found: &Metadata) -> Option<()> {
            let modified = (found.mtime(), found.mtime_nsec());
            let changed = (found.ctime(), found.ctime_nsec());
            let Settled(seconds, nanos) = self.settled;
            if modified.max(changed) >= (seconds, nanos) {
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
            for time in [modified.0, modified.1, changed.0, changed.1] {
                self.hasher.update(&time.to_le_bytes());
            }
            Some(())
        }

        fn number(&mut self, number: u64) {
            self.hasher.update(&number.to_le_bytes());
        }
    }
}
