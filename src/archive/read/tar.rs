//! The tar container. Each header is built anew by the writer's own code from what it says, so that
//! no byte of it can be another one.

use super::content::Pull;
use super::gzip::TarStream;
use super::paths::Paths;
use super::{Place, ReadError, ReadFile, Reading, field_at, first_difference};
use crate::archive::tar::{BLOCK, END, file_header, padding};
use crate::digest::{ContainerDigest, ContainerHasher, Digest, Hasher, SegmentHasher};
use crate::path::ArchivePath;
use crate::tree::lossy;

/// Where the fields of a header begin.
const FIELDS: [(usize, &str); 17] = [
    (0, "name"),
    (100, "mode"),
    (108, "user's id"),
    (116, "group's id"),
    (124, "size"),
    (136, "time"),
    (148, "checksum"),
    (156, "type"),
    (157, "link's target"),
    (257, "magic number"),
    (263, "version"),
    (265, "user's name"),
    (297, "group's name"),
    (329, "major device number"),
    (337, "minor device number"),
    (345, "prefix"),
    (500, "last bytes"),
];

const CHECKSUM: std::ops::Range<usize> = 148..156;
const TYPE: usize = 156;

/// Reads a tar to the blocks that end it.
pub(super) fn read(
    stream: &mut TarStream<'_, '_>,
    reading: &mut Reading<'_>,
) -> Result<ContainerDigest, ReadError> {
    let mut segments = Segments::default();
    let mut header = Vec::new();
    loop {
        let at = stream.taken();
        header.clear();
        more(stream, &mut header, BLOCK, "a header")?;
        if header.iter().all(|byte| *byte == 0) {
            end(stream)?;
            return Ok(segments.finish());
        }
        let file = parse(stream, &mut header, at, reading)?;
        let digest = entry(stream, reading, &file)?;
        segments.of(file.path.as_str()).entry(&header, digest);
    }
}

/// Reads `count` bytes more to the end of `bytes`.
fn more(
    stream: &mut TarStream<'_, '_>,
    bytes: &mut Vec<u8>,
    count: usize,
    within: &'static str,
) -> Result<(), ReadError> {
    let start = bytes.len();
    bytes.resize(start + count, 0);
    stream.exact(&mut bytes[start..], within)
}

/// The first of the two blocks of zeros was read; reads the second one.
fn end(stream: &mut TarStream<'_, '_>) -> Result<(), ReadError> {
    let at = stream.taken();
    let mut block = [0; END.len() - BLOCK];
    stream.exact(&mut block, "the blocks that end a tar")?;
    match block.iter().position(|byte| *byte != 0) {
        None => Ok(()),
        Some(offset) => Err(ReadError::TarEnd {
            at: Place::Tar(at + offset as u64),
        }),
    }
}

/// What a header says.
struct File {
    path: ArchivePath,
    executable: bool,
    size: u64,
}

/// Understands a header, whose first block was read, and checks every byte of it. `at` is where it
/// begins. What belongs to it is read to the end of `bytes`.
fn parse(
    stream: &mut TarStream<'_, '_>,
    bytes: &mut Vec<u8>,
    at: u64,
    reading: &mut Reading<'_>,
) -> Result<File, ReadError> {
    let long = match bytes[TYPE] {
        b'L' => Some(long_name(stream, bytes, at, reading.limits.record_bytes)?),
        _ => None,
    };
    let start = bytes.len() - BLOCK;
    let block = &bytes[start..];
    let place = |offset: usize| Place::Tar(at + offset as u64);
    let raw = match long {
        Some(length) => bytes[BLOCK..BLOCK + length].to_vec(),
        None => short_name(block),
    };
    if block[TYPE] != b'0' {
        return Err(ReadError::NotAFile {
            at: place(start + TYPE),
            path: lossy(&raw),
            what: kind_of(block[TYPE]),
        });
    }
    let unreadable = |field: usize| ReadError::TarHeader {
        at: place(start + field),
        field: field_at(&FIELDS, field),
        path: Some(lossy(&raw)),
    };
    let field = |from: usize, to: usize| number(&block[from..to]).ok_or_else(|| unreadable(from));
    let executable = match field(100, 108)? {
        0o644 => false,
        0o755 => true,
        _ => return Err(unreadable(100)),
    };
    let (size, mtime) = (field(124, 136)?, field(136, 148)?);
    let path = Paths::check(&raw, place(start))?;
    let wanted = file_header(path.as_str(), executable, size, mtime);
    if let Some(offset) = deviation(bytes, &wanted) {
        return Err(match offset {
            _ if wanted.len() != bytes.len() => ReadError::LongName {
                at: place(0),
                reason: "it stands where none is needed",
            },
            BLOCK.. if offset < start => ReadError::LongName {
                at: place(offset),
                reason: "zeros do not fill it up",
            },
            _ => ReadError::TarHeader {
                at: place(offset),
                field: field_at(&FIELDS, offset % BLOCK),
                path: Some(path.to_string()),
            },
        });
    }
    reading.paths.take(&path, place(0))?;
    reading.check_time(mtime, &path, place(start + 136))?;
    reading.check_size(size, &path)?;
    stream.expect(size)?;
    Ok(File {
        path,
        executable,
        size,
    })
}

/// Reads the record of a long name and the header behind it; gives the length of the name.
fn long_name(
    stream: &mut TarStream<'_, '_>,
    bytes: &mut Vec<u8>,
    at: u64,
    limit: u64,
) -> Result<usize, ReadError> {
    let size = number(&bytes[124..136]).ok_or(ReadError::TarHeader {
        at: Place::Tar(at + 124),
        field: "size",
        path: None,
    })?;
    if size > limit {
        return Err(ReadError::PathTooLong {
            at: Place::Tar(at),
            size,
            limit,
        });
    }
    let length = size as usize;
    more(stream, bytes, length + padding(size), "a long name")?;
    more(stream, bytes, BLOCK, "a header")?;
    match bytes[BLOCK..BLOCK + length].split_last() {
        Some((0, name)) => Ok(name.len()),
        _ => Err(ReadError::LongName {
            at: Place::Tar(at),
            reason: "no NUL ends it",
        }),
    }
}

/// The path in the name and prefix fields.
fn short_name(block: &[u8]) -> Vec<u8> {
    let text = |from: usize, to: usize| {
        let field = &block[from..to];
        let end = field.iter().position(|byte| *byte == 0);
        &field[..end.unwrap_or(field.len())]
    };
    crate::path::join_bytes(text(345, 500), text(0, 100))
}

/// Where a header deviates: a wrong checksum is told only where nothing else is wrong, since it
/// follows from whatever is.
fn deviation(found: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = first_difference(found, wanted)?;
    let differs = |offset: &usize| found.get(*offset) != wanted.get(*offset);
    let mut all = (first..found.len().max(wanted.len())).filter(differs);
    let telling =
        all.find(|offset| found.len() != wanted.len() || !CHECKSUM.contains(&(offset % BLOCK)));
    Some(telling.unwrap_or(first))
}

/// A number in octal digits, or in base 256.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] == 0x80 {
        let bytes = field.last_chunk()?;
        return Some(u64::from_be_bytes(*bytes));
    }
    let (_, digits) = field.split_last()?;
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => Some(value << 3 | u64::from(digit - b'0')),
        _ => None,
    })
}

fn kind_of(letter: u8) -> &'static str {
    match letter {
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' | b'4' => "a device",
        b'5' => "a folder",
        b'6' => "a named pipe",
        b'K' => "a record of a long link",
        b'L' => "a second record of a long name",
        b'S' => "a file with holes",
        b'g' | b'x' => "a PAX record",
        _ => "of an unknown type",
    }
}

/// Reads the content of a file and what fills its last block up; gives the digest of the content.
fn entry(
    stream: &mut TarStream<'_, '_>,
    reading: &mut Reading<'_>,
    file: &File,
) -> Result<Digest, ReadError> {
    let mut content = Content {
        stream,
        left: file.size,
        hasher: Hasher::default(),
    };
    reading.visit.content(&file.path, &mut content)?;
    let digest = content.hasher.finish();
    let at = stream.taken();
    let mut zeros = [0; BLOCK];
    let zeros = &mut zeros[..padding(file.size)];
    stream.exact(zeros, "what fills a content's last block up")?;
    if let Some(offset) = zeros.iter().position(|byte| *byte != 0) {
        return Err(ReadError::Padding {
            at: Place::Tar(at + offset as u64),
            path: file.path.to_string(),
        });
    }
    reading.content_bytes += file.size;
    reading.file(&ReadFile {
        path: &file.path,
        executable: file.executable,
        size: file.size,
        digest,
    })?;
    Ok(digest)
}

struct Content<'a, 'b, 'c> {
    stream: &'a mut TarStream<'b, 'c>,
    left: u64,
    hasher: Hasher,
}

impl Pull for Content<'_, '_, '_> {
    fn pull(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let most = self.left.min(into.len() as u64) as usize;
        if most == 0 {
            return Ok(0);
        }
        let count = self.stream.some(&mut into[..most])?;
        if count == 0 {
            return Err(ReadError::Truncated {
                at: Place::Tar(self.stream.taken()),
                within: "a content",
            });
        }
        self.hasher.update(&into[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

/// The segments of a tar as they pass by.
#[derive(Default)]
struct Segments {
    done: ContainerHasher,
    folder: String,
    /// Of the folder's segment; none before the first entry.
    current: Option<SegmentHasher>,
}

impl Segments {
    /// The segment of the next entry.
    fn of(&mut self, path: &str) -> &mut SegmentHasher {
        let folder = ContainerHasher::folder_of(path);
        if self.folder != folder {
            self.close();
            folder.clone_into(&mut self.folder);
        }
        self.current.get_or_insert_default()
    }

    fn close(&mut self) {
        if let Some(segment) = self.current.take() {
            self.done.line(&self.folder, segment.finish());
        }
    }

    fn finish(mut self) -> ContainerDigest {
        self.close();
        self.done.finish()
    }
}
