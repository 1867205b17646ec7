//! The zip container, in one pass: what the local headers and the contents say is kept, 56 bytes a
//! file, and compared with the directory when that comes.

use flate2::Crc;

use super::content::Pull;
use super::input::{Inflater, Input};
use super::paths::Paths;
use super::records::{
    CENTRAL, CENTRAL_EXTRA, CENTRAL_FIELDS, CENTRAL_SIZE, DESCRIPTOR, DESCRIPTOR_ABOVE, ENCRYPTED,
    END, END_FIELDS, End, Fields, Head, LOCAL, LOCAL_EXTRA, LOCAL_FIELDS, LOCAL_SIZE,
    WITH_DESCRIPTOR, ZIP64_END, ZIP64_END_FIELDS, ZIP64_FROM, seconds,
};
use super::{Place, ReadError, ReadFile, Reading, field_at, first_difference};
use crate::digest::{Digest, Hasher};
use crate::path::ArchivePath;
use crate::tree::lossy;

/// The external attributes of a regular file: its Unix mode in the upper half.
const FILE: u32 = 0o100_644 << 16;
const PROGRAM: u32 = 0o100_755 << 16;

/// Reads a zip archive.
pub(super) fn read(input: &mut Input<'_>, reading: &mut Reading<'_>) -> Result<(), ReadError> {
    let mut archive = Archive {
        input,
        reading,
        stamp: [0; 2],
        files: Vec::new(),
        names: Hasher::default(),
    };
    let mut next = archive.signature()?;
    while next == LOCAL {
        archive.entry()?;
        next = archive.signature()?;
    }
    archive.directory(next)
}

struct Archive<'a, 'b, 'c> {
    input: &'a mut Input<'b>,
    reading: &'a mut Reading<'c>,
    /// The time and the date of MS-DOS that all files have.
    stamp: [u16; 2],
    files: Vec<Known>,
    /// Of all names: fingerprints alone could be made to agree.
    names: Hasher,
}

/// What is kept of a file until the directory comes. How long it is compressed follows from where
/// the next one begins.
struct Known {
    offset: u64,
    size: u64,
    crc: u32,
    name: u32,
    digest: Digest,
}

/// What tells two names apart, nearly always.
fn fingerprint(name: &[u8]) -> u32 {
    let digest = Digest::of(name);
    let [a, b, c, d, ..] = *digest.as_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// What a content was, when all of it had been read.
struct Unpacked {
    crc: u32,
    compressed: u64,
    size: u64,
    digest: Digest,
}

impl Archive<'_, '_, '_> {
    fn signature(&mut self) -> Result<[u8; 4], ReadError> {
        let mut signature = [0; 4];
        self.input.exact(&mut signature, "a signature")?;
        Ok(signature)
    }

    /// Reads more to the end of a record.
    fn more(
        &mut self,
        record: &mut Vec<u8>,
        count: usize,
        within: &'static str,
    ) -> Result<(), ReadError> {
        let start = record.len();
        record.resize(start + count, 0);
        self.input.exact(&mut record[start..], within)
    }

    /// Reads a name to the end of a record that began at `at`; its length is in the field there.
    fn name(&mut self, record: &mut Vec<u8>, field: usize, at: u64) -> Result<(), ReadError> {
        let length = u16_at(record, field);
        let (size, limit) = (u64::from(length), self.reading.limits.record_bytes);
        if size > limit {
            return Err(ReadError::PathTooLong {
                at: Place::Archive(at),
                size,
                limit,
            });
        }
        self.more(record, usize::from(length), "a name")
    }

    /// Reads a file, of which the signature was read.
    fn entry(&mut self) -> Result<(), ReadError> {
        const WITHIN: &str = "a local header";
        let at = self.input.at() - LOCAL.len() as u64;
        let place = |offset: usize| Place::Archive(at + offset as u64);
        let mut bytes = LOCAL.to_vec();
        self.more(&mut bytes, LOCAL_SIZE - LOCAL.len(), WITHIN)?;
        self.name(&mut bytes, 26, at)?;
        let raw = bytes[LOCAL_SIZE..].to_vec();
        let deviates = |offset: usize| ReadError::LocalHeader {
            at: place(offset),
            field: match offset {
                ..LOCAL_SIZE => field_at(&LOCAL_FIELDS, offset),
                _ => "extra field",
            },
            path: Some(lossy(&raw)),
        };
        let flags = u16_at(&bytes, 6);
        if flags & ENCRYPTED != 0 {
            return Err(ReadError::Encrypted {
                at: place(6),
                path: lossy(&raw),
            });
        }
        if raw.ends_with(b"/") {
            return Err(ReadError::NotAFile {
                at: place(LOCAL_SIZE),
                path: lossy(&raw),
                what: "a folder",
            });
        }
        let extra = usize::from(u16_at(&bytes, 28));
        if extra != 0 && extra != LOCAL_EXTRA {
            return Err(deviates(28));
        }
        self.more(&mut bytes, extra, WITHIN)?;
        let path = Paths::check(&raw, place(0))?;
        let [crc, compressed, size] = [14, 18, 22].map(|offset| u32_at(&bytes, offset));
        let has_descriptor = flags & WITH_DESCRIPTOR != 0;
        let head = Head {
            path: path.as_str(),
            stamp: [u16_at(&bytes, 10), u16_at(&bytes, 12)],
            has_descriptor,
            is_zip64: extra != 0,
            is_empty: !has_descriptor && size == 0,
        };
        // Every size from which zip64 is needed is one that a descriptor tells.
        if head.is_zip64 && !has_descriptor {
            return Err(ReadError::Zip64 {
                at: place(28),
                path: path.to_string(),
            });
        }
        if !has_descriptor && u64::from(size) > DESCRIPTOR_ABOVE {
            return Err(ReadError::MissingDescriptor {
                at: place(6),
                path: path.to_string(),
            });
        }
        let wanted = match head.is_empty {
            true => head.local(0, 0, 0),
            false => head.local(crc, compressed, size),
        };
        if let Some(offset) = first_difference(&bytes, &wanted) {
            return Err(deviates(offset));
        }
        let mtime = seconds(head.stamp).ok_or_else(|| {
            // Whether the time is wrong or the date: the date with any time is a time or is none.
            let is_date = seconds([0, head.stamp[1]]).is_none();
            deviates(if is_date { 12 } else { 10 })
        })?;
        self.reading.paths.take(&path, place(0))?;
        self.reading.check_time(mtime, &path, place(10))?;
        self.stamp = head.stamp;
        let said = (!has_descriptor).then_some([crc, compressed, size]);
        let unpacked = self.content(&path, said.map(|[.., size]| u64::from(size)), place(22))?;
        match said {
            Some(said) => unpacked.check(&path, said.map(u64::from), [14, 18, 22].map(place))?,
            None => self.descriptor(&head, &path, &unpacked, at)?,
        }
        self.reading.content_bytes += unpacked.size;
        self.names.update(&(raw.len() as u64).to_le_bytes());
        self.names.update(&raw);
        self.files.push(Known {
            offset: at,
            size: unpacked.size,
            crc: unpacked.crc,
            name: fingerprint(&raw),
            digest: unpacked.digest,
        });
        Ok(())
    }

    /// Unpacks a content, whose size may be known from `at`.
    fn content(
        &mut self,
        path: &ArchivePath,
        said: Option<u64>,
        at: Place,
    ) -> Result<Unpacked, ReadError> {
        let start = self.input.at();
        let limits = self.reading.limits;
        if let Some(size) = said {
            self.reading.check_size(size, path)?;
        }
        let mut content = Content {
            path,
            said,
            at,
            file_limit: limits.file_bytes,
            limit: limits.archive_bytes,
            before: self.reading.content_bytes,
            inflater: (said != Some(0)).then(Inflater::new),
            input: self.input,
            size: 0,
            crc: Crc::new(),
            hasher: Hasher::default(),
        };
        self.reading.visit.content(path, &mut content)?;
        let (size, crc, digest) = (content.size, content.crc.sum(), content.hasher.finish());
        Ok(Unpacked {
            crc,
            compressed: self.input.at() - start,
            size,
            digest,
        })
    }

    /// Reads what stands behind a content whose size was not told before it.
    fn descriptor(
        &mut self,
        head: &Head<'_>,
        path: &ArchivePath,
        unpacked: &Unpacked,
        header: u64,
    ) -> Result<(), ReadError> {
        let path_text = || path.to_string();
        if unpacked.size <= DESCRIPTOR_ABOVE {
            return Err(ReadError::NeedlessDescriptor {
                at: Place::Archive(header + 6),
                path: path_text(),
            });
        }
        if head.is_zip64 != (unpacked.size >= ZIP64_FROM)
            || !head.is_zip64 && unpacked.compressed >= u64::from(u32::MAX)
        {
            return Err(ReadError::Zip64 {
                at: Place::Archive(header + 28),
                path: path_text(),
            });
        }
        let at = self.input.at();
        let mut bytes = Vec::new();
        let length = head.descriptor_size() as usize;
        self.more(&mut bytes, length, "a data descriptor")?;
        if bytes[..4] != DESCRIPTOR {
            return Err(ReadError::Descriptor {
                at: Place::Archive(at),
                path: path_text(),
            });
        }
        let crc = u64::from(u32_at(&bytes, 4));
        let (stored, offsets) = match head.is_zip64 {
            false => {
                let size = |offset| u64::from(u32_at(&bytes, offset));
                ([crc, size(8), size(12)], [4, 8, 12])
            }
            true => ([crc, u64_at(&bytes, 8), u64_at(&bytes, 16)], [4, 8, 16]),
        };
        unpacked.check(
            path,
            stored,
            offsets.map(|offset| Place::Archive(at + offset)),
        )
    }

    /// Reads the directory, of which the first signature was read, and all behind it.
    fn directory(&mut self, mut next: [u8; 4]) -> Result<(), ReadError> {
        const WANTED: &str = "a file or the directory";
        let start = self.input.at() - CENTRAL.len() as u64;
        if ![CENTRAL, END, ZIP64_END].contains(&next) {
            return Err(ReadError::ZipSignature {
                at: Place::Archive(start),
                wanted: WANTED,
            });
        }
        let mut names = Hasher::default();
        let files = std::mem::take(&mut self.files);
        for (index, known) in files.iter().enumerate() {
            let at = self.input.at() - next.len() as u64;
            if [END, ZIP64_END].contains(&next) {
                return Err(ReadError::MissingRecord {
                    at: Place::Archive(at),
                    local: known.offset,
                });
            }
            if next != CENTRAL {
                return Err(ReadError::ZipSignature {
                    at: Place::Archive(at),
                    wanted: "the directory's next record",
                });
            }
            let behind = files.get(index + 1).map_or(start, |next| next.offset);
            self.record(known, behind, &mut names)?;
            next = self.signature()?;
        }
        let at = self.input.at() - next.len() as u64;
        if next == CENTRAL {
            return Err(ReadError::ExtraRecord {
                at: Place::Archive(at),
            });
        }
        let written = std::mem::take(&mut self.names);
        if written.finish() != names.finish() {
            return Err(ReadError::DirectoryNames {
                at: Place::Archive(at),
            });
        }
        let end = End {
            files: files.len() as u64,
            offset: start,
            size: at - start,
        };
        self.end(&end, next)
    }

    /// Reads the record of a file, of which the signature was read. `behind` is where the file ends.
    fn record(&mut self, known: &Known, behind: u64, names: &mut Hasher) -> Result<(), ReadError> {
        const WITHIN: &str = "the directory";
        let at = self.input.at() - CENTRAL.len() as u64;
        let place = |offset: usize| Place::Archive(at + offset as u64);
        let mut bytes = CENTRAL.to_vec();
        self.more(&mut bytes, CENTRAL_SIZE - CENTRAL.len(), WITHIN)?;
        self.name(&mut bytes, 28, at)?;
        let raw = bytes[CENTRAL_SIZE..].to_vec();
        let other_path = || ReadError::DirectoryPath {
            at: place(CENTRAL_SIZE),
            path: lossy(&raw),
            local: known.offset,
        };
        if fingerprint(&raw) != known.name {
            return Err(other_path());
        }
        let path = Paths::check(&raw, place(0))?;
        names.update(&(raw.len() as u64).to_le_bytes());
        names.update(&raw);
        let deviates = |offset: usize| ReadError::DirectoryRecord {
            at: place(offset),
            field: match offset {
                ..CENTRAL_SIZE => field_at(&CENTRAL_FIELDS, offset),
                _ => "extra field",
            },
            path: Some(path.to_string()),
        };
        if u16_at(&bytes, 32) != 0 {
            return Err(ReadError::Comment { at: place(32) });
        }
        let extra = usize::from(u16_at(&bytes, 30));
        if extra > CENTRAL_EXTRA {
            return Err(deviates(30));
        }
        self.more(&mut bytes, extra, WITHIN)?;
        let executable = match u32_at(&bytes, 38) {
            FILE => false,
            PROGRAM => true,
            other => return Err(not_a_file(other >> 16, &path, place(38)).unwrap_or(deviates(38))),
        };
        let head = Head {
            path: path.as_str(),
            stamp: self.stamp,
            has_descriptor: known.size > DESCRIPTOR_ABOVE,
            is_zip64: known.size >= ZIP64_FROM,
            is_empty: known.size == 0,
        };
        let around = head.local_size() + head.descriptor_size();
        let compressed = (behind - known.offset).checked_sub(around);
        let compressed = compressed.ok_or_else(other_path)?;
        let wanted = head.central(executable, known.crc, compressed, known.size, known.offset);
        if let Some(offset) = first_difference(&bytes, &wanted) {
            // The offset is the last that the zip64 field holds.
            let is_far = known.offset >= u64::from(u32::MAX);
            let is_offset = (42..CENTRAL_SIZE).contains(&offset)
                || is_far && bytes.len() == wanted.len() && offset + 8 >= wanted.len();
            return Err(match is_offset {
                true => ReadError::DirectoryOffset {
                    at: place(offset),
                    path: path.to_string(),
                    local: known.offset,
                },
                false => deviates(offset),
            });
        }
        self.reading.file(&ReadFile {
            path: &path,
            executable,
            size: known.size,
            digest: known.digest,
        })
    }

    /// Reads the records behind the directory, of which the first signature was read.
    fn end(&mut self, end: &End, mut next: [u8; 4]) -> Result<(), ReadError> {
        const WITHIN: &str = "the end of the archive";
        let at = Place::Archive(self.input.at() - next.len() as u64);
        match (end.is_zip64(), next == ZIP64_END) {
            (true, false) => return Err(ReadError::MissingZip64End { at }),
            (false, true) => return Err(ReadError::NeedlessZip64End { at }),
            (false, false) => (),
            (true, true) => {
                let found = self.same(next, &end.zip64(), &ZIP64_END_FIELDS, WITHIN)?;
                if let Some((at, field)) = found {
                    return Err(ReadError::Zip64EndRecord { at, field });
                }
                next = self.signature()?;
            }
        }
        if next != END {
            return Err(ReadError::ZipSignature {
                at: Place::Archive(self.input.at() - next.len() as u64),
                wanted: "the last record",
            });
        }
        match self.same(next, &end.record(), &END_FIELDS, WITHIN)? {
            None => Ok(()),
            Some((at, "length of the comment")) => Err(ReadError::Comment { at }),
            Some((at, field)) => Err(ReadError::EndRecord { at, field }),
        }
    }

    /// Reads what is to be equal to `wanted`, of which the signature was read; gives where it is not.
    fn same(
        &mut self,
        signature: [u8; 4],
        wanted: &[u8],
        fields: &Fields,
        within: &'static str,
    ) -> Result<Option<(Place, &'static str)>, ReadError> {
        let at = self.input.at() - signature.len() as u64;
        let mut bytes = signature.to_vec();
        self.more(&mut bytes, wanted.len() - signature.len(), within)?;
        Ok(first_difference(&bytes, wanted).map(|offset| {
            let place = Place::Archive(at + offset as u64);
            (place, field_at(fields, offset))
        }))
    }
}

/// What something is that its mode says to be no regular file.
fn not_a_file(mode: u32, path: &ArchivePath, at: Place) -> Option<ReadError> {
    let what = match mode & 0o170_000 {
        0o040_000 => "a folder",
        0o120_000 => "a symbolic link",
        0o020_000 | 0o060_000 => "a device",
        0o010_000 => "a named pipe",
        _ => return None,
    };
    Some(ReadError::NotAFile {
        at,
        path: path.to_string(),
        what,
    })
}

impl Unpacked {
    /// Compares with a stored checksum, compressed size and size, which stand at these places.
    fn check(
        &self,
        path: &ArchivePath,
        [crc, compressed, size]: [u64; 3],
        places: [Place; 3],
    ) -> Result<(), ReadError> {
        let sizes = [
            ("compressed size", compressed, self.compressed, places[1]),
            ("uncompressed size", size, self.size, places[2]),
        ];
        for (field, stored, found, at) in sizes {
            if stored != found {
                return Err(ReadError::Size {
                    at,
                    path: path.to_string(),
                    field,
                    stored,
                    found,
                });
            }
        }
        if crc != u64::from(self.crc) {
            return Err(ReadError::Checksum {
                at: places[0],
                path: path.to_string(),
                stored: crc as u32,
                found: self.crc,
            });
        }
        Ok(())
    }
}

struct Content<'a, 'b> {
    path: &'a ArchivePath,
    /// The size, where it is known, and where that was said.
    said: Option<u64>,
    at: Place,
    file_limit: u64,
    limit: u64,
    /// Bytes of the contents before this one.
    before: u64,
    /// None where there is no content.
    inflater: Option<Inflater>,
    input: &'a mut Input<'b>,
    size: u64,
    crc: Crc,
    hasher: Hasher,
}

impl Pull for Content<'_, '_> {
    fn pull(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let Some(inflater) = &mut self.inflater else {
            return Ok(0);
        };
        let count = inflater.some(self.input, into)?;
        self.crc.update(&into[..count]);
        self.hasher.update(&into[..count]);
        self.size += count as u64;
        if let Some(stored) = self.said.filter(|said| self.size > *said) {
            return Err(ReadError::Size {
                at: self.at,
                path: self.path.to_string(),
                field: "uncompressed size",
                stored,
                found: self.size,
            });
        }
        if self.size > self.file_limit {
            return Err(ReadError::FileTooLarge {
                path: self.path.to_string(),
                limit: self.file_limit,
            });
        }
        if self.before.saturating_add(self.size) > self.limit {
            return Err(ReadError::TooLarge { limit: self.limit });
        }
        Ok(count)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
