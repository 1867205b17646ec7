//! Compressed segments of archives, each a file under its key.
//!
//! ```text
//! the body                                 compressed bytes
//! the head                                 what the archive's writer knows of them
//! cpkseg-1                                 8 bytes: this form
//! the key                                  32 bytes: what the file is called
//! the head's length, the body's length     4 and 8 bytes, the least one first, as all numbers here
//! the body's CRC-32                        4 bytes
//! the CRC-32 of all behind the body        4 bytes
//! ```
//!
//! The writer relies on the CRC-32s: a build with thousands of segments reads little else. They find what
//! a disk or a kill did; whoever may write into a user's store may as well write the archive.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module keeps files"
)]

use std::fs::{File, Metadata};
#[cfg(not(unix))]
use std::io::SeekFrom;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::records::NOTED;
use super::{CacheKind, Damage, Store, StoreError};
use crate::archive::segment::{Loaded, NewSegment, SegmentStore, StoredBody, StoredSegment};
use crate::aside::create_locked;
use crate::digest::Digest;
use crate::event::CancelToken;

const MAGIC: &[u8; 8] = b"cpkseg-1";

/// Bytes behind the head.
const FOOTER: usize = 8 + 32 + 4 + 8 + 4 + 4;

/// No head is longer: whoever writes into the store shall not fill memory.
const LONGEST_HEAD: usize = 256 << 20;

/// Longer bodies are not held in memory.
const IN_MEMORY: u64 = 512 << 10;

/// Bytes that are looked at first, from the end of a file.
const FIRST_LOOK: u64 = 4 << 10;

/// The segments in a store.
#[derive(Debug)]
pub(crate) struct Segments {
    store: Store,
    /// Bytes that were kept since this was made.
    added: AtomicU64,
    /// The same of trails.
    added_trails: AtomicU64,
    now: OnceLock<Option<SystemTime>>,
}

impl Store {
    /// The compressed segments that are kept here.
    pub(crate) fn segments(&self) -> Segments {
        Segments {
            store: self.clone(),
            added: AtomicU64::new(0),
            added_trails: AtomicU64::new(0),
            now: OnceLock::new(),
        }
    }
}

impl Segments {
    /// Removes what was not used for the longest time, if too much was kept.
    pub(crate) fn trim(&self) -> Result<(), StoreError> {
        for (kind, added) in [
            (CacheKind::Segment, &self.added),
            (CacheKind::Trail, &self.added_trails),
        ] {
            self.store.note_added(kind, added.load(Ordering::Relaxed))?;
        }
        Ok(())
    }

    /// Whether so much was kept that more of it would drive out what is to be used still.
    pub(crate) fn is_filled(&self) -> bool {
        let added = self.added.load(Ordering::Relaxed);
        CacheKind::Segment
            .bound()
            .is_some_and(|bound| added > bound / 2)
    }

    fn path(&self, key: &Digest) -> PathBuf {
        self.store.object(CacheKind::Segment, key)
    }

    fn now(&self) -> Option<SystemTime> {
        *self.now.get_or_init(|| self.store.now())
    }

    /// Notes that a file is used, now and then.
    fn note_use(&self, file: &File, found: &Metadata) {
        let now = self.now();
        let is_noted = |now: SystemTime| {
            let used = found.modified().ok()?;
            Some(now.duration_since(used).unwrap_or_default() < NOTED)
        };
        if let Some(now) = now
            && is_noted(now) == Some(false)
        {
            // Where the store cannot be written it is left undone.
            drop(file.set_modified(now));
        }
    }
}

impl SegmentStore for Segments {
    fn find(&self, key: &Digest) -> Option<StoredSegment> {
        let file = File::open(self.path(key)).ok()?;
        let found = file.metadata().ok()?;
        let (footer, head) = read_end(&file, found.len(), key)?;
        self.note_use(&file, &found);
        let body = Body {
            file,
            length: footer.body,
            crc: footer.crc,
        };
        Some(StoredSegment {
            head,
            body: Box::new(body),
        })
    }

    fn begin(&self, key: &Digest) -> Option<Box<dyn NewSegment + '_>> {
        let path = self.path(key);
        let folder = path.parent()?;
        if !folder.is_dir() {
            self.store.create_folder(folder).ok()?;
        }
        let file = create_locked(folder).ok()?;
        Some(Box::new(New {
            segments: self,
            key: *key,
            path,
            file: BufWriter::with_capacity(64 << 10, file),
            body: 0,
            crc: crc32fast::Hasher::new(),
        }))
    }

    fn trail(&self, name: &Digest) -> Option<Vec<u8>> {
        self.store.record(CacheKind::Trail, name, self.now())
    }

    fn keep_trail(&self, name: &Digest, bytes: &[u8]) {
        // Where it cannot be kept all is digested by the next build.
        let kept = self.store.keep_record(CacheKind::Trail, name, bytes);
        if kept.is_ok() {
            self.added_trails
                .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    }
}

/// What stands behind a head.
struct Footer {
    head: usize,
    body: u64,
    crc: u32,
}

impl Footer {
    fn to_bytes(&self, key: &Digest, head: &[u8]) -> [u8; FOOTER] {
        let mut bytes = [0; FOOTER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..40].copy_from_slice(key.as_bytes());
        bytes[40..44].copy_from_slice(&(self.head as u32).to_le_bytes());
        bytes[44..52].copy_from_slice(&self.body.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.crc.to_le_bytes());
        let mut crc = crc32fast::Hasher::new();
        crc.update(head);
        crc.update(&bytes[..56]);
        bytes[56..].copy_from_slice(&crc.finalize().to_le_bytes());
        bytes
    }

    /// What the bytes say, whether it is true or not.
    fn from_bytes(bytes: &[u8; FOOTER]) -> Self {
        let (mut head, mut body, mut crc) = ([0; 4], [0; 8], [0; 4]);
        head.copy_from_slice(&bytes[40..44]);
        body.copy_from_slice(&bytes[44..52]);
        crc.copy_from_slice(&bytes[52..56]);
        Self {
            head: u32::from_le_bytes(head) as usize,
            body: u64::from_le_bytes(body),
            crc: u32::from_le_bytes(crc),
        }
    }
}

/// The footer and the head of a file of this size, if they are what was written.
fn read_end(file: &File, size: u64, key: &Digest) -> Option<(Footer, Vec<u8>)> {
    let mut end = vec![0; size.min(FIRST_LOOK) as usize];
    read_at(file, size - end.len() as u64, &mut end).ok()?;
    let bytes = *end.last_chunk::<FOOTER>()?;
    let footer = Footer::from_bytes(&bytes);
    let behind = (footer.head + FOOTER) as u64;
    if footer.head > LONGEST_HEAD || footer.body.checked_add(behind) != Some(size) {
        return None;
    }
    let head = match (end.len() - FOOTER).checked_sub(footer.head) {
        Some(begin) => {
            end.truncate(begin + footer.head);
            end.split_off(begin)
        }
        None => {
            let mut head = vec![0; footer.head];
            read_at(file, footer.body, &mut head).ok()?;
            head
        }
    };
    (footer.to_bytes(key, &head) == bytes).then_some((footer, head))
}

/// Reads bytes that stand somewhere in a file.
fn read_at(file: &File, begin: u64, bytes: &mut [u8]) -> io::Result<()> {
    #[cfg(unix)]
    {
        // One call, where there are thousands of files.
        std::os::unix::fs::FileExt::read_exact_at(file, bytes, begin)
    }
    #[cfg(not(unix))]
    {
        let mut file = file;
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(bytes)
    }
}

/// The body of a segment that was found.
struct Body {
    file: File,
    length: u64,
    crc: u32,
}

impl StoredBody for Body {
    fn in_memory(&self) -> u64 {
        match self.length <= IN_MEMORY {
            true => self.length,
            false => 0,
        }
    }

    fn load(mut self: Box<Self>, mut buffer: Vec<u8>) -> Option<Loaded> {
        if self.length <= IN_MEMORY {
            // What is in it is overwritten: no more than what it grows by is cleared.
            let length = self.length as usize;
            buffer.reserve_exact(length.saturating_sub(buffer.len()));
            buffer.resize(length, 0);
            read_at(&self.file, 0, &mut buffer).ok()?;
            let is_whole = crc32fast::hash(&buffer) == self.crc;
            return is_whole.then_some(Loaded::Bytes(buffer));
        }
        self.file.rewind().ok()?;
        let is_whole = crc_of(&mut self.file, self.length).ok()? == self.crc;
        self.file.rewind().ok()?;
        let stream = Exact {
            file: self.file,
            left: self.length,
        };
        is_whole.then(|| Loaded::Stream(self.length, Box::new(stream)))
    }
}

fn crc_of(file: &mut File, length: u64) -> io::Result<u32> {
    let mut crc = crc32fast::Hasher::new();
    let mut buffer = vec![0; 64 << 10];
    let mut left = length;
    while left > 0 {
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let piece = &mut buffer[..most];
        file.read_exact(piece)?;
        crc.update(piece);
        left -= most as u64;
    }
    Ok(crc.finalize())
}

/// Exactly so many bytes of a file.
struct Exact {
    file: File,
    left: u64,
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.file.read(&mut buffer[..most])?;
        if count == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// A segment that is being kept.
struct New<'a> {
    segments: &'a Segments,
    key: Digest,
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    body: u64,
    crc: crc32fast::Hasher,
}

impl Write for New<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.crc.update(&bytes[..count]);
        self.body += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl NewSegment for New<'_> {
    fn keep(self: Box<Self>, head: &[u8]) {
        let Self {
            segments,
            key,
            path,
            mut file,
            body,
            crc,
        } = *self;
        let footer = Footer {
            head: head.len(),
            body,
            crc: crc.finalize(),
        };
        let footer = footer.to_bytes(&key, head);
        let written = file.write_all(head).and_then(|()| file.write_all(&footer));
        // It is not brought to the disk: what a power failure cuts short does not have its checksums.
        let file = written.and_then(|()| file.into_inner().map_err(Into::into));
        if file.is_ok_and(|file| file.persist(path).is_ok()) {
            segments.added.fetch_add(body, Ordering::Relaxed);
        }
    }
}

/// Whether a segment is what was kept.
pub(crate) fn verify_segment(path: &Path, cancel: &CancelToken) -> Result<Vec<Damage>, StoreError> {
    cancel.check()?;
    let name = path.file_name().unwrap_or_default();
    let key = name.to_str().and_then(|name| name.parse().ok());
    let mut file = match File::open(path) {
        // Somebody removed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(StoreError::at(path))?,
    };
    let size = file.metadata().map_err(StoreError::at(path))?.len();
    let is_whole = key.is_some_and(|key| {
        read_end(&file, size, &key).is_some_and(|(footer, _)| {
            let body = file.rewind().and_then(|()| crc_of(&mut file, footer.body));
            body.is_ok_and(|crc| crc == footer.crc)
        })
    });
    Ok(match is_whole {
        true => Vec::new(),
        false => vec![Damage::Checksum { file: name.into() }],
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn stored(folder: &Path, key: &Digest, body: &[u8], head: &[u8]) -> Segments {
        let segments = Store::new(folder).segments();
        let mut new = segments.begin(key).expect("a file");
        new.write_all(body).expect("written");
        new.keep(head);
        assert_eq!(segments.added.load(Ordering::Relaxed), body.len() as u64);
        segments
    }

    fn loaded(segments: &Segments, key: &Digest) -> Option<(Vec<u8>, Vec<u8>)> {
        let found = segments.find(key)?;
        let mut body = Vec::new();
        match found.body.load(vec![1; 20])? {
            Loaded::Bytes(bytes) => body = bytes,
            Loaded::Stream(_, mut stream) => {
                stream.read_to_end(&mut body).expect("a body");
            }
        }
        Some((found.head, body))
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let key = Digest::of("key");
        let heads = [0, 5, 4 << 10, 10_000];
        let bodies = [0, 10, IN_MEMORY as usize, IN_MEMORY as usize + 1];
        for (head, body) in heads.into_iter().zip(bodies) {
            let folder = tempfile::tempdir().expect("a folder");
            let (head, body) = (vec![7; head], vec![9; body]);
            let segments = stored(folder.path(), &key, &body, &head);
            assert_eq!(loaded(&segments, &key), Some((head, body)));
            assert!(segments.find(&Digest::of("other")).is_none());
            let path = segments.path(&key);
            let found = verify_segment(&path, &CancelToken::default());
            assert_eq!(found.expect("a file"), []);
        }
    }

    #[test]
    fn a_segment_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let segments = Store::new(folder.path()).segments();
        let mut new = segments.begin(&Digest::of("key")).expect("a file");
        new.write_all(b"body").expect("written");
        drop(new);
        assert_eq!(segments.added.load(Ordering::Relaxed), 0);
        let folder = segments.path(&Digest::of("key"));
        let left = fs::read_dir(folder.parent().expect("a folder")).expect("a folder");
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn every_damage_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Digest::of("key");
        let segments = stored(folder.path(), &key, b"the body", b"head");
        let path = segments.path(&key);
        let whole = fs::read(&path).expect("a file");
        let mut damaged: Vec<Vec<u8>> = Vec::new();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            damaged.push(bytes);
        }
        damaged.extend((0..whole.len()).map(|length| whole[..length].to_vec()));
        damaged.push([&whole[..], b"x"].concat());
        damaged.push([b"x", &whole[..]].concat());
        for bytes in damaged {
            fs::write(&path, &bytes).expect("a file");
            assert_eq!(loaded(&segments, &key), None, "{bytes:?}");
            let found = verify_segment(&path, &CancelToken::default());
            assert_eq!(found.expect("a file").len(), 1);
        }
        // One of another key, under this key's name.
        let other = Digest::of("other");
        stored(folder.path(), &other, b"the body", b"head");
        fs::copy(segments.path(&other), &path).expect("a copy");
        assert!(segments.find(&key).is_none());
    }

    #[test]
    fn a_use_is_noted_now_and_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Digest::of("key");
        let segments = stored(folder.path(), &key, b"body", b"head");
        let path = segments.path(&key);
        let time = || {
            fs::metadata(&path)
                .and_then(|found| found.modified())
                .expect("a time")
        };
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let just_now = time() - NOTED / 2;
        for (before, is_noted) in [(long_ago, true), (just_now, false)] {
            let file = File::open(&path).expect("a file");
            file.set_modified(before).expect("a time");
            assert!(segments.find(&key).is_some());
            assert_eq!(time() != before, is_noted);
        }
    }
}
