//! Writes zip archives by hand, record by record, so that each can be changed: written from the
//! format's description, not from the reader's.

use super::{File, crc_of, deflate};

/// 1980-01-01, midnight.
const DATE: u16 = 0x0021;

/// A zip archive in its parts.
#[derive(Clone, Default)]
pub(super) struct Zip {
    /// Each a local header, a content and maybe a data descriptor.
    pub(super) entries: Vec<Vec<u8>>,
    /// The records of the directory.
    pub(super) records: Vec<Vec<u8>>,
    /// What stands between the directory and the last record.
    pub(super) zip64: Vec<u8>,
}

fn le16(bytes: &mut Vec<u8>, numbers: &[u16]) {
    numbers
        .iter()
        .for_each(|n| bytes.extend_from_slice(&n.to_le_bytes()));
}

fn le32(bytes: &mut Vec<u8>, numbers: &[u32]) {
    numbers
        .iter()
        .for_each(|n| bytes.extend_from_slice(&n.to_le_bytes()));
}

pub(super) fn le64(bytes: &mut Vec<u8>, numbers: &[u64]) {
    numbers
        .iter()
        .for_each(|n| bytes.extend_from_slice(&n.to_le_bytes()));
}

impl Zip {
    pub(super) fn of(files: &[File]) -> Self {
        let mut zip = Self::default();
        files.iter().for_each(|file| zip.add(file));
        zip
    }

    fn add(&mut self, file: &File) {
        let size = file.content.len() as u32;
        let (method, packed) = match size {
            0 => (0, Vec::new()),
            _ => (8, deflate(&file.content)),
        };
        let sums = [crc_of(&file.content), packed.len() as u32, size];
        let streamed = size > 1_048_576;
        let ascii = file.path.bytes().all(|byte| byte < 0x80);
        let flags = if ascii { 0 } else { 0x800 } | if streamed { 8 } else { 0 };
        let name = file.path.len() as u16;
        let offset = self.entries.iter().map(Vec::len).sum::<usize>() as u32;

        let mut entry = b"PK\x03\x04".to_vec();
        le16(&mut entry, &[20, flags, method, 0, DATE]);
        le32(&mut entry, &if streamed { [0; 3] } else { sums });
        le16(&mut entry, &[name, 0]);
        entry.extend_from_slice(file.path.as_bytes());
        entry.extend_from_slice(&packed);
        if streamed {
            entry.extend_from_slice(b"PK\x07\x08");
            le32(&mut entry, &sums);
        }
        self.entries.push(entry);

        let mode: u32 = if file.executable { 0x81ed } else { 0x81a4 };
        let mut record = b"PK\x01\x02".to_vec();
        le16(&mut record, &[0x031e, 20, flags, method, 0, DATE]);
        le32(&mut record, &sums);
        le16(&mut record, &[name, 0, 0, 0, 0]);
        le32(&mut record, &[mode << 16, offset]);
        record.extend_from_slice(file.path.as_bytes());
        self.records.push(record);
    }

    /// Where an entry begins.
    pub(super) fn entry_at(&self, index: usize) -> u64 {
        self.entries[..index].iter().map(Vec::len).sum::<usize>() as u64
    }

    /// Where a record begins; that of the one behind the last is the directory's end.
    pub(super) fn record_at(&self, index: usize) -> u64 {
        let before = self.records[..index].iter().map(Vec::len).sum::<usize>();
        self.entry_at(self.entries.len()) + before as u64
    }

    /// Makes all records say where their entries are.
    pub(super) fn with_offsets(mut self) -> Self {
        for index in 0..self.records.len().min(self.entries.len()) {
            let offset = self.entry_at(index) as u32;
            self.records[index][42..46].copy_from_slice(&offset.to_le_bytes());
        }
        self
    }

    /// Puts the parts together; the last record says what fits them.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let start = self.entry_at(self.entries.len()) as u32;
        let size = self.record_at(self.records.len()) as u32 - start;
        let count = self.records.len().min(0xffff) as u16;
        let mut bytes = [
            self.entries.concat(),
            self.records.concat(),
            self.zip64.clone(),
        ]
        .concat();
        bytes.extend_from_slice(b"PK\x05\x06");
        le16(&mut bytes, &[0, 0, count, count]);
        le32(&mut bytes, &[size, start]);
        le16(&mut bytes, &[0]);
        bytes
    }

    /// The end of a zip64 archive that fits the parts.
    pub(super) fn zip64_end(&self) -> Vec<u8> {
        zip64_end(
            self.records.len() as u64,
            self.entry_at(self.entries.len()),
            self.record_at(self.records.len()),
        )
    }
}

pub(super) fn zip64_end(files: u64, start: u64, end: u64) -> Vec<u8> {
    let mut bytes = b"PK\x06\x06".to_vec();
    le64(&mut bytes, &[44]);
    le16(&mut bytes, &[0x031e, 45]);
    le32(&mut bytes, &[0, 0]);
    le64(&mut bytes, &[files, files, end - start, start]);
    bytes.extend_from_slice(b"PK\x06\x07");
    le32(&mut bytes, &[0]);
    le64(&mut bytes, &[end]);
    le32(&mut bytes, &[1]);
    bytes
}

pub(super) fn zip_of(files: &[File]) -> Vec<u8> {
    Zip::of(files).bytes()
}
