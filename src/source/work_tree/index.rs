//! git's index of a work tree, read from its file entry by entry: git and libgit2 hold all of it in memory,
//! which is as much as a build takes for everything else.
//!
//! The form is that of git, `Documentation/gitformat-index`, versions 2 to 4, with SHA-1. A split index is an
//! error; of one with whole folders as entries (a sparse index) these are entries like others.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read as _, Take};
use std::path::{Path, PathBuf};

use git2::Oid;

/// Bytes that are read at a time.
const READ: usize = 64 << 10;

/// Bytes of an entry before its flags.
const STAT: usize = 40;
const ID: usize = 20;

/// The bits of an entry's flags.
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;

/// Bytes of the longest path that is read: a file system has no longer ones.
const LONGEST: usize = 1 << 16;

/// The bits of a mode that tell a file from a link, and the one that git keeps of a file's own.
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const EXECUTABLE: u32 = 0o100;

/// An entry. What git noted of the file when it last looked at it stands in `stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: Oid,
    mode: u32,
    stage: u16,
    stat: Stat,
}

/// What the file system said of a file: times in seconds and nanoseconds, and the lower half of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    changed: (u32, u32),
    modified: (u32, u32),
    inode: u32,
    size: u32,
}

impl Stat {
    /// What it says now. None where it does not tell enough to know a file again.
    #[cfg(unix)]
    pub(super) fn of(found: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "git keeps the lower half"
        )]
        Some(Self {
            changed: (found.ctime() as u32, found.ctime_nsec() as u32),
            modified: (found.mtime() as u32, found.mtime_nsec() as u32),
            inode: found.ino() as u32,
            size: found.size() as u32,
        })
    }

    /// What it says now. None where it does not tell enough to know a file again.
    #[cfg(not(unix))]
    pub(super) fn of(_found: &Metadata) -> Option<Self> {
        None
    }
}

impl Entry {
    /// Whether it is a file that may be executed.
    fn is_executable(&self) -> bool {
        self.mode & (KIND | EXECUTABLE) == FILE | EXECUTABLE
    }
}

/// An index, of which the entries are looked for in the order of their paths.
pub(super) struct Index {
    path: PathBuf,
    reader: Reader,
    /// When the file was written, as far as a stat tells.
    written: Option<(u32, u32)>,
}

impl Index {
    /// The one in a file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let written = Stat::of(&file.metadata()?).map(|stat| stat.modified);
        Ok(Self {
            path: path.to_owned(),
            reader: Reader::of(file)?,
            written,
        })
    }

    /// The id of the content of the file at a path, if git knew it and nothing that the file system says of
    /// the file has changed since (git, `Documentation/technical/racy-git`): what was changed when the index
    /// was written, or later, may have changed again since without a trace.
    ///
    /// Paths that are asked for in their order take one pass.
    pub(super) fn known(&mut self, path: &[u8], found: &Metadata) -> io::Result<Option<Oid>> {
        let (Some(now), Some(written)) = (Stat::of(found), self.written) else {
            return Ok(None);
        };
        let Some(entry) = self.find(path)? else {
            return Ok(None);
        };
        let is_known = entry.stat == now && entry.stage == 0 && now.modified < written;
        // It may be another kind of thing by now.
        let is_kind = found.is_symlink() == (entry.mode & KIND != FILE);
        Ok((is_known && is_kind).then_some(entry.id))
    }

    fn find(&mut self, path: &[u8]) -> io::Result<Option<&Entry>> {
        if self.reader.is_behind(path) {
            *self = Self::open(&self.path)?;
        }
        self.reader.seek(path)
    }
}

/// The paths, below `folder`, of the files that may be executed by an index. `folder` is empty or ends
/// with a slash.
pub(super) fn executables(index: &Path, folder: &[u8]) -> io::Result<BTreeSet<Vec<u8>>> {
    let mut reader = Reader::of(File::open(index)?)?;
    let mut found = BTreeSet::new();
    while reader.advance()? {
        if let Some(below) = reader.path.strip_prefix(folder)
            && reader.entry.as_ref().is_some_and(Entry::is_executable)
        {
            found.insert(below.to_vec());
        }
    }
    reader.check_extensions()?;
    Ok(found)
}

/// Reads an index in one pass.
struct Reader<R = BufReader<File>> {
    /// All but the digest at the end.
    from: Take<R>,
    version: u32,
    /// How many entries are not read yet.
    left: u32,
    /// The path of the entry that was read last, and the entry.
    path: Vec<u8>,
    entry: Option<Entry>,
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Reader {
    fn of(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Self::new(BufReader::with_capacity(READ, file), bytes)
    }
}

impl<R: BufRead> Reader<R> {
    /// For an index of so many bytes.
    fn new(from: R, bytes: u64) -> io::Result<Self> {
        let mut from = from.take(bytes.saturating_sub(ID as u64));
        let mut head = [0; 12];
        from.read_exact(&mut head)?;
        let (numbers, _) = head.as_chunks::<4>();
        let [signature, version, count] = [numbers[0], numbers[1], numbers[2]];
        let version = u32::from_be_bytes(version);
        if signature != *b"DIRC" || !(2..=4).contains(&version) {
            return Err(invalid("it is no index of a known version"));
        }
        Ok(Self {
            from,
            version,
            left: u32::from_be_bytes(count),
            path: Vec::new(),
            entry: None,
        })
    }

    /// Whether a path would stand before what was read last.
    fn is_behind(&self, path: &[u8]) -> bool {
        self.entry.is_some() && path < &*self.path
    }

    /// The entry of a path, if there is one: of several that are in conflict the first.
    fn seek(&mut self, path: &[u8]) -> io::Result<Option<&Entry>> {
        while self.entry.is_none() || &*self.path < path {
            if !self.advance()? {
                return Ok(None);
            }
        }
        Ok(self.entry.as_ref().filter(|_| self.path == path))
    }

    /// Reads the next entry, if there is one.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(false);
        };
        self.left = left;
        let mut head = [0; STAT + ID + 2];
        self.from.read_exact(&mut head)?;
        let mut length = head.len();
        let number = |at: usize| {
            let bytes = head[at..].first_chunk().copied().unwrap_or_default();
            u32::from_be_bytes(bytes)
        };
        let flags = u16::from_be_bytes([head[STAT + ID], head[STAT + ID + 1]]);
        if flags & EXTENDED != 0 {
            self.from.read_exact(&mut [0; 2])?;
            length += 2;
        }
        match self.version {
            4 => {
                let cut = self.offset()?;
                let kept = self.path.len().checked_sub(cut);
                let kept = kept.ok_or_else(|| invalid("a path is shorter than none"))?;
                self.path.truncate(kept);
                self.path_to_end()?;
            }
            _ => {
                self.path.clear();
                length += self.path_to_end()?;
                // As many zeros as make the length one of eights; one was the path's end.
                let padding = length.next_multiple_of(8) - length;
                self.from.read_exact(&mut [0; 8][..padding])?;
            }
        }
        let id = Oid::from_bytes(&head[STAT..STAT + ID]);
        self.entry = Some(Entry {
            id: id.map_err(|_| invalid("an id is none"))?,
            mode: number(24),
            stage: flags & STAGE,
            stat: Stat {
                changed: (number(0), number(4)),
                modified: (number(8), number(12)),
                inode: number(20),
                size: number(36),
            },
        });
        Ok(true)
    }

    /// Reads the rest of a path up to the zero behind it. Gives the bytes that were read.
    fn path_to_end(&mut self) -> io::Result<usize> {
        let room = (LONGEST - self.path.len()) as u64;
        let read = (&mut self.from).take(room).read_until(0, &mut self.path)?;
        match self.path.pop() {
            Some(0) if read > 0 => Ok(read),
            _ => Err(invalid("a path has no end")),
        }
    }

    /// A number as packs have it for offsets (git, `Documentation/gitformat-pack`): seven bits in each
    /// byte, the highest first, and one more for each byte but the first.
    fn offset(&mut self) -> io::Result<usize> {
        let mut offset = 0;
        loop {
            let mut byte = [0];
            self.from.read_exact(&mut byte)?;
            offset |= usize::from(byte[0] & 0x7f);
            if byte[0] & 0x80 == 0 {
                return Ok(offset);
            }
            if offset > LONGEST {
                return Err(invalid("a path is too long"));
            }
            offset = (offset + 1) << 7;
        }
    }

    /// Reads what stands behind the entries, which have all been read. With a split index they are not all
    /// there are.
    fn check_extensions(&mut self) -> io::Result<()> {
        while !self.from.fill_buf()?.is_empty() {
            let mut head = [0; 8];
            self.from.read_exact(&mut head)?;
            if head.starts_with(b"link") {
                return Err(invalid("the index is split"));
            }
            let size = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            let skipped = io::copy(&mut (&mut self.from).take(size.into()), &mut io::sink())?;
            if skipped < size.into() {
                return Err(invalid("an extension is cut off"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
