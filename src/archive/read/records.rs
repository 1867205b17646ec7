//! The records of a zip archive, byte by byte (PKWARE, APPNOTE.TXT, 4.3): what a reader compares
//! with. There is one way to write each.

/// Where fields begin, and what they are.
pub(super) type Fields = [(usize, &'static str)];

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub(super) const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
pub(super) const ZIP64_END: [u8; 4] = *b"PK\x06\x06";
pub(super) const ZIP64_LOCATOR: [u8; 4] = *b"PK\x06\x07";
pub(super) const END: [u8; 4] = *b"PK\x05\x06";

/// Bytes of a local header before the name.
pub(super) const LOCAL_SIZE: usize = 30;

/// Bytes of a record in the directory before the name.
pub(super) const CENTRAL_SIZE: usize = 46;

/// Bytes of the zip64 field in a local header: a head of four, and both sizes.
pub(super) const LOCAL_EXTRA: usize = 20;

/// The largest zip64 field of a record in the directory, which has the offset as well.
pub(super) const CENTRAL_EXTRA: usize = 28;

/// A file larger than this has a data descriptor: it is written before its size is known.
pub(super) const DESCRIPTOR_ABOVE: u64 = 1 << 20;

/// A file of this size or more has the form of zip64: what does not compress grows, so that some sizes
/// below 4 GiB are followed by one above it.
pub(super) const ZIP64_FROM: u64 = 0xfff0_0000;

/// The general purpose flags.
pub(super) const ENCRYPTED: u16 = 1;
pub(super) const WITH_DESCRIPTOR: u16 = 1 << 3;
const UTF8: u16 = 1 << 11;

const DEFLATED: u16 = 8;
const MADE_BY: u16 = 0x031e;

pub(super) const LOCAL_FIELDS: [(usize, &str); 11] = [
    (0, "signature"),
    (4, "version"),
    (6, "flags"),
    (8, "method"),
    (10, "time"),
    (12, "date"),
    (14, "crc-32"),
    (18, "compressed size"),
    (22, "uncompressed size"),
    (26, "length of the name"),
    (28, "length of the extra field"),
];

pub(super) const CENTRAL_FIELDS: [(usize, &str); 17] = [
    (0, "signature"),
    (4, "writer's version"),
    (6, "version"),
    (8, "flags"),
    (10, "method"),
    (12, "time"),
    (14, "date"),
    (16, "crc-32"),
    (20, "compressed size"),
    (24, "uncompressed size"),
    (28, "length of the name"),
    (30, "length of the extra field"),
    (32, "length of the comment"),
    (34, "disk"),
    (36, "internal attributes"),
    (38, "external attributes"),
    (42, "offset"),
];

pub(super) const END_FIELDS: [(usize, &str); 8] = [
    (0, "signature"),
    (4, "disk"),
    (6, "disk of the directory"),
    (8, "number of files on the disk"),
    (10, "number of files"),
    (12, "size of the directory"),
    (16, "offset of the directory"),
    (20, "length of the comment"),
];

pub(super) const ZIP64_END_FIELDS: [(usize, &str); 14] = [
    (0, "signature"),
    (4, "size"),
    (12, "writer's version"),
    (14, "version"),
    (16, "disk"),
    (20, "disk of the directory"),
    (24, "number of files on the disk"),
    (32, "number of files"),
    (40, "size of the directory"),
    (48, "offset of the directory"),
    (56, "locator's signature"),
    (60, "locator's disk"),
    (64, "locator's offset"),
    (72, "number of disks"),
];

/// Little-endian numbers, one after the other.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn put<const N: usize>(&mut self, numbers: [u16; N]) -> &mut Self {
        self.0.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        self
    }

    fn put32<const N: usize>(&mut self, numbers: [u32; N]) -> &mut Self {
        self.0.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        self
    }

    fn put64<const N: usize>(&mut self, numbers: [u64; N]) -> &mut Self {
        self.0.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        self
    }

    fn text(&mut self, text: &[u8]) -> &mut Self {
        self.0.extend_from_slice(text);
        self
    }
}

/// What the headers of a file say of it, in the local header and in the directory.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) path: &'a str,
    /// The time and the date of MS-DOS.
    pub(super) stamp: [u16; 2],
    pub(super) has_descriptor: bool,
    pub(super) is_zip64: bool,
    pub(super) is_empty: bool,
}

impl Head<'_> {
    fn version(&self) -> u16 {
        if self.is_zip64 { 45 } else { 20 }
    }

    fn flags(&self) -> u16 {
        let utf8 = if self.path.is_ascii() { 0 } else { UTF8 };
        let descriptor = if self.has_descriptor {
            WITH_DESCRIPTOR
        } else {
            0
        };
        utf8 | descriptor
    }

    fn method(&self) -> u16 {
        if self.is_empty { 0 } else { DEFLATED }
    }

    /// Bytes of the local header.
    pub(super) fn local_size(&self) -> u64 {
        let extra = if self.is_zip64 { LOCAL_EXTRA } else { 0 };
        (LOCAL_SIZE + self.path.len() + extra) as u64
    }

    /// Bytes of what stands behind the content.
    pub(super) fn descriptor_size(&self) -> u64 {
        match (self.has_descriptor, self.is_zip64) {
            (false, _) => 0,
            (true, false) => 16,
            (true, true) => 24,
        }
    }

    /// The local header; the checksum and the sizes are those that it says, which are zeros where
    /// they follow the content.
    pub(super) fn local(&self, crc: u32, compressed: u32, size: u32) -> Vec<u8> {
        let mut bytes = Bytes::default();
        let stored = match (self.has_descriptor, self.is_zip64) {
            (_, true) => [0, u32::MAX, u32::MAX],
            (true, false) => [0; 3],
            (false, false) => [crc, compressed, size],
        };
        let extra = if self.is_zip64 { LOCAL_EXTRA as u16 } else { 0 };
        bytes
            .text(&LOCAL)
            .put([self.version(), self.flags(), self.method()])
            .put(self.stamp)
            .put32(stored)
            .put([self.path.len() as u16, extra])
            .text(self.path.as_bytes());
        if self.is_zip64 {
            bytes.put([1, 16]).put64([0, 0]);
        }
        bytes.0
    }

    /// The record in the directory.
    pub(super) fn central(
        &self,
        executable: bool,
        crc: u32,
        compressed: u64,
        size: u64,
        offset: u64,
    ) -> Vec<u8> {
        let mut extra = Vec::new();
        if self.is_zip64 {
            extra.extend([size, compressed]);
        }
        if !fits(offset) {
            extra.push(offset);
        }
        let stored = |number| {
            if self.is_zip64 {
                u32::MAX
            } else {
                clamp(number)
            }
        };
        let mode = if executable { 0o100_755 } else { 0o100_644 };
        let extra_size = extra.len() as u16 * 8;
        let mut bytes = Bytes::default();
        bytes
            .text(&CENTRAL)
            .put([MADE_BY, self.version(), self.flags(), self.method()])
            .put(self.stamp)
            .put32([crc, stored(compressed), stored(size)])
            .put([self.path.len() as u16])
            .put([if extra.is_empty() { 0 } else { extra_size + 4 }])
            .put([0, 0, 0])
            .put32([mode << 16, clamp(offset)])
            .text(self.path.as_bytes());
        if !extra.is_empty() {
            bytes.put([1, extra_size]);
        }
        for number in extra {
            bytes.put64([number]);
        }
        bytes.0
    }
}

/// Whether a number has a place in a field of four bytes, in which ones alone mean that it has not.
fn fits(number: u64) -> bool {
    number < u64::from(u32::MAX)
}

fn clamp(number: u64) -> u32 {
    number.min(u64::from(u32::MAX)) as u32
}

/// What stands behind the directory.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) files: u64,
    /// Where the directory begins.
    pub(super) offset: u64,
    /// Its length.
    pub(super) size: u64,
}

impl End {
    /// Whether the records of zip64 are needed.
    pub(super) fn is_zip64(&self) -> bool {
        self.files >= u64::from(u16::MAX) || !fits(self.offset) || !fits(self.size)
    }

    /// The end of a zip64 archive and the record that leads to it.
    pub(super) fn zip64(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        bytes
            .text(&ZIP64_END)
            .put64([44])
            .put([MADE_BY, 45])
            .put32([0, 0])
            .put64([self.files, self.files, self.size, self.offset])
            .text(&ZIP64_LOCATOR)
            .put32([0])
            .put64([self.offset + self.size])
            .put32([1]);
        bytes.0
    }

    /// The last record.
    pub(super) fn record(&self) -> Vec<u8> {
        let files = self.files.min(u64::from(u16::MAX)) as u16;
        let mut bytes = Bytes::default();
        bytes
            .text(&END)
            .put([0, 0, files, files])
            .put32([clamp(self.size), clamp(self.offset)])
            .put([0]);
        bytes.0
    }
}

/// The seconds since 1970 of a time and a date of MS-DOS, which know no zone and are taken as UTC;
/// none where there is no such time.
pub(super) fn seconds([time, date]: [u16; 2]) -> Option<u64> {
    let [hour, minute, second] = [time >> 11, time >> 5 & 63, (time & 31) * 2].map(u64::from);
    let [year, month, day] = [1980 + (date >> 9), date >> 5 & 15, date & 31].map(u64::from);
    let is_leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let february = if is_leap { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = months.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if day == 0 || day > *length || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400;
    let days = years + months[..month as usize - 1].iter().sum::<u64>() + day - 1;
    // Of the days since the year 1.
    const TO_1970: u64 = 719_162;
    Some(((days - TO_1970) * 24 + hour) * 3600 + minute * 60 + second)
}
