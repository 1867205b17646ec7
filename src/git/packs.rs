//! The objects in a mirror's packs, read without libgit2, in half of the time.
//!
//! Most objects of the packs that servers send for one commit are there as a whole: those are read from the
//! file and inflated by libdeflate, or, if they are large, piece by piece. What is there as a difference
//! from another one is put together by gix-pack, from a mapped file. Whatever else there is (a loose object,
//! a large one that is a difference, damage of any kind) is not read here, and left to libgit2, which says
//! what is wrong in its own words.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads packs"
)]

mod file;
mod index;

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::bufread::ZlibDecoder;
use git2::{ObjectType, Oid};
use gix_hash::Kind;
use gix_pack::cache::lru::StaticLinkedList;
use gix_pack::data::{self, decode::entry::ResolvedBase};
use libdeflater::Decompressor;
use sha1::{Digest as _, Sha1};

use file::SharedFile;
use index::Index;

/// All packs of one mirror, for any number of threads.
pub(super) struct Packs {
    packs: Vec<Pack>,
    /// Whether the id of what is read is computed.
    check: bool,
    limits: Limits,
}

/// How much of an object is in memory.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of the largest object that is read at once. A larger one is given piece by piece.
    pub(super) at_once: usize,
    /// Bytes of the largest object that is put together of differences.
    pub(super) put_together: usize,
}

/// The content of an object.
pub(super) enum Content {
    Whole(Vec<u8>),
    /// It was read once, to see that it is right.
    Pieces(Box<dyn Read>),
}

impl Content {
    /// All of it.
    pub(super) fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Whole(bytes) => Ok(bytes),
            Self::Pieces(mut pieces) => {
                let mut bytes = Vec::new();
                pieces.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// As something to read.
    pub(super) fn into_read(self) -> Box<dyn Read> {
        match self {
            Self::Whole(bytes) => Box::new(Cursor::new(bytes)),
            Self::Pieces(pieces) => pieces,
        }
    }
}

/// One pack.
struct Pack {
    /// No other one has it in this process.
    id: u32,
    index: Index,
    path: PathBuf,
    file: SharedFile,
}

/// Bytes that are read of an entry at first: most are no larger.
const FIRST: usize = 4 << 10;

/// Bytes of the longest head of an entry: ten with its size, and the id of another object.
const HEAD: usize = 32;

/// Bytes of the pieces in which a large object is read.
const PIECE: usize = 32 << 10;

/// What one thread needs for reading, of whatever pack.
struct Reader {
    whole: Decompressor,
    /// Memory for an entry that is read at once.
    packed: Vec<u8>,
    deltas: gix_zlib::Inflate,
    /// What differences were taken from.
    bases: StaticLinkedList<64>,
    mapped: Option<Mapped>,
}

/// The pack that was read last, as a whole in memory, which only differences need.
struct Mapped {
    file: data::File,
    /// How many objects were read of it.
    read: usize,
}

/// How many objects are read of a pack before it is mapped anew: whatever was read of it, and what stands
/// around that, counts as memory of ours.
const MOST_READ: usize = 8;

/// Bytes of what differences were taken from that are kept for each thread.
const BASES: usize = 1 << 20;

impl Default for Reader {
    fn default() -> Self {
        Self {
            whole: Decompressor::new(),
            packed: Vec::new(),
            deltas: gix_zlib::Inflate::default(),
            bases: StaticLinkedList::new(BASES),
            mapped: None,
        }
    }
}

/// What the threads of a run read packs with: as many as read at the same time.
#[derive(Default)]
pub(super) struct Readers(Mutex<Vec<Reader>>);

impl Readers {
    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Packs {
    /// Those of the mirror in `folder`. A pack that cannot be opened is left out. `check` computes the id of
    /// each object that is read.
    pub(super) fn open(folder: &Path, check: bool, limits: Limits) -> Self {
        let entries = fs::read_dir(folder.join("objects").join("pack"));
        let entries = entries.into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let mut paths: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "idx"))
            .collect();
        paths.sort();
        let packs = paths.iter().filter_map(|path| Pack::open(path)).collect();
        Self {
            packs,
            check,
            limits,
        }
    }

    /// The content of an object. None where libgit2 has to read it.
    pub(super) fn object(&self, readers: &Readers, id: Oid, kind: ObjectType) -> Option<Content> {
        let wanted = id.as_bytes().first_chunk()?;
        let mut packs = self.packs.iter();
        let (pack, offset) = packs.find_map(|pack| Some((pack, pack.index.offset(wanted)?)))?;
        let reader = readers.idle().pop();
        let mut reader = reader.unwrap_or_default();
        let content = self.content(pack, &mut reader, offset, (id, kind));
        readers.idle().push(reader);
        content
    }

    fn content(
        &self,
        pack: &Pack,
        reader: &mut Reader,
        offset: u64,
        (id, kind): (Oid, ObjectType),
    ) -> Option<Content> {
        pack.read(offset, FIRST, &mut reader.packed).ok()?;
        let entry = data::Entry::from_bytes(&reader.packed, offset, Kind::Sha1).ok()?;
        let content = if entry.header.is_delta() {
            self.put_together(pack, reader, entry, kind)?
        } else if entry.header.as_kind() != kind_of(kind) {
            return None;
        } else {
            match usize::try_from(entry.decompressed_size) {
                Ok(size) if size <= self.limits.at_once => pack.whole(reader, &entry, size)?,
                _ => return self.pieces(pack, &entry, (id, kind)),
            }
        };
        let mut check = Check::new(self.check, kind, content.len() as u64);
        check.update(&content);
        check.is(id).then_some(Content::Whole(content))
    }

    /// The content of an entry that is there as a whole, piece by piece, if it is right.
    fn pieces(
        &self,
        pack: &Pack,
        entry: &data::Entry,
        (id, kind): (Oid, ObjectType),
    ) -> Option<Content> {
        let size = entry.decompressed_size;
        let mut check = Check::new(self.check, kind, size);
        let mut inflated = pack.inflate(entry).ok()?.take(size.checked_add(1)?);
        let mut given = 0;
        let mut piece = vec![0; PIECE];
        loop {
            match inflated.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => {
                    check.update(&piece[..read]);
                    given += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        let is_right = given == size && check.is(id);
        let again = is_right.then(|| pack.inflate(entry))?;
        Some(Content::Pieces(Box::new(again.ok()?)))
    }

    /// The content of an entry that is a difference.
    fn put_together(
        &self,
        pack: &Pack,
        reader: &mut Reader,
        entry: data::Entry,
        kind: ObjectType,
    ) -> Option<Vec<u8>> {
        let most = self.limits.put_together;
        let mut mapped = match reader.mapped.take() {
            Some(mapped) if mapped.file.id == pack.id && mapped.read < MOST_READ => mapped,
            _ => pack.map(most)?,
        };
        let file = &mapped.file;
        let base_of = |id: &gix_hash::oid, _: &mut Vec<u8>| {
            let id = id.as_bytes().first_chunk();
            let Some(offset) = id.and_then(|id| pack.index.offset(id)) else {
                return Ok(None);
            };
            Ok(Some(ResolvedBase::InPack(file.entry(offset)?)))
        };
        let mut content = Vec::new();
        let (deltas, bases) = (&mut reader.deltas, &mut reader.bases);
        let found = file.decode_entry(entry, &mut content, deltas, &base_of, bases);
        mapped.read += 1;
        reader.mapped = Some(mapped);
        let is_it = Some(found.ok()?.kind) == kind_of(kind) && content.len() <= most;
        is_it.then_some(content)
    }
}

impl Pack {
    /// The pack beside an index.
    fn open(index: &Path) -> Option<Self> {
        let path = index.with_extension("pack");
        Some(Self {
            id: PACKS.fetch_add(1, Ordering::Relaxed),
            index: Index::open(index)?,
            file: SharedFile::open(&path).ok()?.0,
            path,
        })
    }

    /// Up to `length` bytes from `offset` on: fewer at the end of the file.
    fn read(&self, offset: u64, length: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.resize(length, 0);
        let filled = self.file.fill(offset, bytes)?;
        bytes.truncate(filled);
        Ok(())
    }

    /// The content of an entry that is there as a whole, at once.
    fn whole(&self, reader: &mut Reader, entry: &data::Entry, size: usize) -> Option<Vec<u8>> {
        // As much as zlib makes of what it does not compress.
        let longest = HEAD + size + size / 512 + 64;
        if longest > FIRST {
            let offset = entry.pack_offset();
            self.read(offset, longest, &mut reader.packed).ok()?;
        }
        let packed = reader.packed.get(entry.header_size()..)?;
        let mut content = vec![0; size];
        let inflated = reader.whole.zlib_decompress(packed, &mut content).ok()?;
        (inflated == size).then_some(content)
    }

    /// The content of an entry that is there as a whole, for reading.
    fn inflate(&self, entry: &data::Entry) -> io::Result<impl Read + use<>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(entry.data_offset))?;
        Ok(ZlibDecoder::new(BufReader::with_capacity(PIECE, file)))
    }

    /// The pack in memory, of which nothing larger than `largest` is made.
    fn map(&self, largest: usize) -> Option<Mapped> {
        let file = data::File::at(&self.path, Kind::Sha1).ok()?;
        let mut file = file.with_alloc_limit_bytes(Some(largest));
        // What it had by itself is a checksum of its path.
        file.id = self.id;
        Some(Mapped { file, read: 0 })
    }
}

/// How many packs were opened.
static PACKS: AtomicU32 = AtomicU32::new(0);

/// The kind in the words of gix.
fn kind_of(kind: ObjectType) -> Option<gix_object::Kind> {
    match kind {
        ObjectType::Commit => Some(gix_object::Kind::Commit),
        ObjectType::Tree => Some(gix_object::Kind::Tree),
        ObjectType::Blob => Some(gix_object::Kind::Blob),
        _ => None,
    }
}

/// Computes the id of an object (git, `Documentation/user-manual`, "Object storage format"), if it is to be
/// checked.
struct Check(Option<Sha1>);

impl Check {
    fn new(check: bool, kind: ObjectType, size: u64) -> Self {
        let head = format!("{} {size}\0", kind.str());
        Self(check.then(|| Sha1::new_with_prefix(head)))
    }

    fn update(&mut self, content: &[u8]) {
        if let Some(hasher) = &mut self.0 {
            hasher.update(content);
        }
    }

    /// Whether it is that of what was given, as far as it is checked.
    fn is(self, id: Oid) -> bool {
        self.0
            .is_none_or(|hasher| hasher.finalize()[..] == *id.as_bytes())
    }
}

#[cfg(test)]
mod tests;
