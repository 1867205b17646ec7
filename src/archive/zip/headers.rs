//! The zip container (PKWARE's APPNOTE.TXT). Every byte that is not compressed content is decided in
//! this file: files only, one time for all, Unix modes, the UTF-8 flag where a name needs it, and zip64
//! where a number does not fit, nowhere else.

use crate::layout::{Entry, EntryPath};

/// What begins an entry.
pub(super) const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const ZIP64_END: u32 = 0x0606_4b50;
const ZIP64_LOCATOR: u32 = 0x0706_4b50;

/// Bytes of a local header without its name and its extra field.
pub(super) const LOCAL_BYTES: usize = 30;

/// Files of more bytes than this are streamed: what is known only behind their content stands there.
pub(super) const STREAMED_FROM: u64 = 1 << 20;

/// Files of at least so many bytes are zip64. What does not compress grows, so that a size that fits
/// could be followed by one that does not: 1 MiB is more than `deflate::bound` adds to 4 GiB.
pub(super) const ZIP64_FROM: u64 = 0xfff0_0000;

/// What a field of four bytes holds where the number is in the zip64 field.
const IN_ZIP64: u32 = u32::MAX;

/// The most bytes of a path: with header and extra field they shall not be more than 65,535.
pub(crate) const LONGEST_PATH: usize = 65_000;

/// General purpose flag: crc and sizes stand behind the content.
const STREAMED: u16 = 1 << 3;

/// General purpose flag: the name is UTF-8.
const UTF_8: u16 = 1 << 11;

/// Made on Unix, by version 3.0 of the form: external attributes hold a mode.
const MADE_BY: u16 = 0x031e;

const VERSION: u16 = 20;
const ZIP64_VERSION: u16 = 45;

/// The number of the zip64 extra field.
const ZIP64_FIELD: u16 = 1;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// A moment as a zip holds it, in UTC, to two seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DosTime {
    time: u16,
    date: u16,
}

/// The first moment that a zip can hold, 1980, and the last, the end of 2107, in seconds since 1970.
pub(crate) const TIMES: std::ops::RangeInclusive<u64> = 315_532_800..=4_354_819_199;

impl DosTime {
    /// Of seconds since 1970; an odd second becomes the even one before it.
    pub(super) fn of(seconds: u64) -> Option<Self> {
        if !TIMES.contains(&seconds) {
            return None;
        }
        let (mut days, second) = (seconds / 86_400, seconds % 86_400);
        let mut year = 1970;
        while days >= days_of_year(year) {
            days -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while days >= days_of_month(year, month) {
            days -= days_of_month(year, month);
            month += 1;
        }
        let date = (year - 1980) << 9 | month << 5 | (days + 1);
        let time = (second / 3_600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2);
        Some(Self {
            time: time as u16,
            date: date as u16,
        })
    }

    /// Of a header's own fields.
    pub(super) fn from_fields(time: u16, date: u16) -> Self {
        Self { time, date }
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A file as headers describe it before its content is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'a> {
    pub(super) path: EntryPath<'a>,
    pub(super) executable: bool,
    pub(super) size: u64,
    pub(super) time: DosTime,
}

/// What is known of a file once it is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Packed {
    /// The CRC-32 of its content.
    pub(super) crc: u32,
    /// Bytes of its compressed content.
    pub(super) compressed: u64,
}

impl<'a> File<'a> {
    pub(super) fn of(entry: Entry<'a>, time: DosTime) -> Self {
        Self {
            path: entry.path(),
            executable: entry.executable(),
            size: entry.size(),
            time,
        }
    }

    /// Whether crc and sizes stand behind its content.
    pub(super) fn is_streamed(&self) -> bool {
        self.size > STREAMED_FROM
    }

    fn is_zip64(&self) -> bool {
        self.size >= ZIP64_FROM
    }

    /// What a local header and a record of the directory both begin with, up to the time.
    fn push_form(&self, out: &mut Vec<u8>) {
        let mut flags = 0;
        if self.is_streamed() {
            flags |= STREAMED;
        }
        if !self.path.is_ascii() {
            flags |= UTF_8;
        }
        let version = if self.is_zip64() {
            ZIP64_VERSION
        } else {
            VERSION
        };
        let method = if self.size == 0 { STORED } else { DEFLATED };
        for field in [version, flags, method, self.time.time, self.time.date] {
            out.extend(field.to_le_bytes());
        }
    }

    fn push_path(&self, out: &mut Vec<u8>) {
        for part in self.path.parts() {
            out.extend(part.as_bytes());
        }
    }

    /// The bytes of [`File::push_header`].
    fn header_bytes(&self) -> usize {
        LOCAL_BYTES + self.path.bytes() + if self.is_zip64() { 20 } else { 0 }
    }

    /// What stands before its content; with nothing of what is packed where it is streamed.
    pub(super) fn push_header(&self, packed: Option<Packed>, out: &mut Vec<u8>) {
        out.extend(LOCAL.to_le_bytes());
        self.push_form(out);
        let Packed { crc, compressed } = packed.unwrap_or_default();
        let size = if packed.is_some() { self.size } else { 0 };
        out.extend(crc.to_le_bytes());
        match self.is_zip64() {
            true => out.extend([IN_ZIP64.to_le_bytes(); 2].as_flattened()),
            false => {
                out.extend((compressed as u32).to_le_bytes());
                out.extend((size as u32).to_le_bytes());
            }
        }
        out.extend((self.path.bytes() as u16).to_le_bytes());
        out.extend(if self.is_zip64() { 20_u16 } else { 0 }.to_le_bytes());
        self.push_path(out);
        if self.is_zip64() {
            push_zip64_field(&[size, compressed], out);
        }
    }

    /// The bytes of [`File::push_descriptor`].
    fn descriptor_bytes(&self) -> usize {
        match (self.is_streamed(), self.is_zip64()) {
            (false, _) => 0,
            (true, false) => 16,
            (true, true) => 24,
        }
    }

    /// What stands behind its content, where it is streamed.
    pub(super) fn push_descriptor(&self, packed: Packed, out: &mut Vec<u8>) {
        out.extend(DESCRIPTOR.to_le_bytes());
        out.extend(packed.crc.to_le_bytes());
        for number in [packed.compressed, self.size] {
            match self.is_zip64() {
                true => out.extend(number.to_le_bytes()),
                false => out.extend((number as u32).to_le_bytes()),
            }
        }
    }

    /// Bytes of its part of the archive that are not its compressed content.
    pub(super) fn overhead(&self) -> u64 {
        (self.header_bytes() + self.descriptor_bytes()) as u64
    }

    /// Its record in the directory.
    pub(super) fn push_record(&self, packed: Packed, offset: u64, out: &mut Vec<u8>) {
        out.extend(CENTRAL.to_le_bytes());
        out.extend(MADE_BY.to_le_bytes());
        self.push_form(out);
        out.extend(packed.crc.to_le_bytes());
        let mut in_zip64 = Vec::new();
        let mut fields = Vec::new();
        for (number, is_zip64) in [
            (self.size, self.is_zip64()),
            (packed.compressed, self.is_zip64()),
            (offset, offset >= u64::from(IN_ZIP64)),
        ] {
            if is_zip64 {
                in_zip64.push(number);
            }
            fields.push(if is_zip64 { IN_ZIP64 } else { number as u32 });
        }
        let extra = match in_zip64.len() {
            0 => 0,
            numbers => 4 + 8 * numbers,
        };
        out.extend(fields[1].to_le_bytes());
        out.extend(fields[0].to_le_bytes());
        out.extend((self.path.bytes() as u16).to_le_bytes());
        out.extend((extra as u16).to_le_bytes());
        // No comment, the first disk, no internal attributes.
        out.extend([0; 6]);
        let mode: u32 = if self.executable {
            0o100_755
        } else {
            0o100_644
        };
        out.extend((mode << 16).to_le_bytes());
        out.extend(fields[2].to_le_bytes());
        self.push_path(out);
        if extra > 0 {
            push_zip64_field(&in_zip64, out);
        }
    }
}

fn push_zip64_field(numbers: &[u64], out: &mut Vec<u8>) {
    out.extend(ZIP64_FIELD.to_le_bytes());
    out.extend((8 * numbers.len() as u16).to_le_bytes());
    for number in numbers {
        out.extend(number.to_le_bytes());
    }
}

/// What ends an archive: how many records its directory has, where it begins, and where it ends.
pub(super) fn end(entries: u64, begin: u64, end: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let size = end - begin;
    let most = u64::from(IN_ZIP64);
    if entries >= u64::from(u16::MAX) || size >= most || begin >= most {
        out.extend(ZIP64_END.to_le_bytes());
        // Bytes of this record behind this number.
        out.extend(44_u64.to_le_bytes());
        out.extend(MADE_BY.to_le_bytes());
        out.extend(ZIP64_VERSION.to_le_bytes());
        // The first disk is the only one.
        out.extend([0; 8]);
        for number in [entries, entries, size, begin] {
            out.extend(number.to_le_bytes());
        }
        out.extend(ZIP64_LOCATOR.to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        out.extend(end.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
    }
    out.extend(END.to_le_bytes());
    out.extend([0; 4]);
    let entries = entries.min(u64::from(u16::MAX)) as u16;
    out.extend([entries.to_le_bytes(); 2].as_flattened());
    for number in [size, begin] {
        out.extend((number.min(most) as u32).to_le_bytes());
    }
    // No comment.
    out.extend([0; 2]);
    out
}
