//! What is larger than four bytes can say, without a disk: a content of stored blocks that repeat.

use super::zip_builder::{le64, zip64_end};
use super::*;

/// A stored block of as many zeros as there can be.
const BLOCK: usize = 65_535;

/// Full blocks of a content of exactly the size from which zip64 is needed, and its last block.
const BLOCKS: u64 = 65_520;
const LAST: usize = 65_520;

/// Empty blocks, by which the content comes to more than 4 GiB when it is packed.
const EMPTY: u64 = 200_000;

/// The size from which zip64 is needed.
const SIZE: u64 = 0xfff0_0000;

/// Parts that are read one after the other, each as many times as is said.
struct Parts {
    parts: Vec<(Vec<u8>, u64)>,
    part: usize,
    at: usize,
}

impl Read for Parts {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some((bytes, times)) = self.parts.get_mut(self.part) else {
            return Ok(0);
        };
        let count = into.len().min(bytes.len() - self.at);
        into[..count].copy_from_slice(&bytes[self.at..self.at + count]);
        self.at += count;
        if self.at == bytes.len() {
            self.at = 0;
            *times -= 1;
            if *times == 0 {
                self.part += 1;
            }
        }
        Ok(count)
    }
}

fn le(numbers: &[(u64, usize)]) -> Vec<u8> {
    let bytes = |(number, length): &(u64, usize)| {
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.resize(*length, 0);
        bytes
    };
    numbers.iter().flat_map(bytes).collect()
}

/// A file of more than 4 GiB, and a small one behind it.
struct Large {
    parts: Vec<(Vec<u8>, u64)>,
    /// Where the second entry, the directory and its end are.
    second: u64,
    directory: u64,
    end: u64,
}

fn large() -> Large {
    let mut block = vec![0, 0xff, 0xff, 0, 0];
    block.resize(5 + BLOCK, 0);
    let mut last_block = vec![0];
    last_block.extend((LAST as u16).to_le_bytes());
    last_block.extend((!LAST as u16).to_le_bytes());
    last_block.resize(5 + LAST, 0);
    let empty_block = vec![0, 0, 0, 0xff, 0xff];
    let size = BLOCKS * BLOCK as u64 + LAST as u64;
    assert_eq!(size, SIZE);
    let packed = BLOCKS * block.len() as u64 + last_block.len() as u64 + EMPTY * 5 + 5;
    let mut crc = Crc::new();
    let zeros = vec![0; BLOCK];
    (0..BLOCKS).for_each(|_| crc.update(&zeros));
    crc.update(&zeros[..LAST]);
    let crc = u64::from(crc.sum());
    let ones = u64::from(u32::MAX);

    let mut header = b"PK\x03\x04".to_vec();
    header.extend(le(&[(45, 2), (8, 2), (8, 2), (0, 2), (0x21, 2), (0, 4)]));
    header.extend(le(&[(ones, 4), (ones, 4), (3, 2), (20, 2)]));
    header.extend(b"a/l");
    header.extend(le(&[(1, 2), (16, 2), (0, 8), (0, 8)]));
    let mut descriptor = vec![1, 0, 0, 0xff, 0xff];
    descriptor.extend(b"PK\x07\x08");
    descriptor.extend(le(&[(crc, 4), (packed, 8), (size, 8)]));
    let second = header.len() as u64 + packed - 5 + descriptor.len() as u64;

    let mut small = b"PK\x03\x04".to_vec();
    small.extend(le(&[
        (20, 2),
        (0, 2),
        (0, 2),
        (0, 2),
        (0x21, 2),
        (0, 12),
        (3, 2),
        (0, 2),
    ]));
    small.extend(b"a/s");
    let directory = second + small.len() as u64;

    let mut records = b"PK\x01\x02".to_vec();
    records.extend(le(&[
        (0x031e, 2),
        (45, 2),
        (8, 2),
        (8, 2),
        (0, 2),
        (0x21, 2),
        (crc, 4),
    ]));
    records.extend(le(&[
        (ones, 4),
        (ones, 4),
        (3, 2),
        (20, 2),
        (0, 6),
        (0x81a4 << 16, 4),
        (0, 4),
    ]));
    records.extend(b"a/l");
    records.extend(le(&[(1, 2), (16, 2)]));
    le64(&mut records, &[size, packed]);
    records.extend(b"PK\x01\x02");
    records.extend(le(&[
        (0x031e, 2),
        (20, 2),
        (0, 2),
        (0, 2),
        (0, 2),
        (0x21, 2),
        (0, 4),
    ]));
    records.extend(le(&[
        (0, 4),
        (0, 4),
        (3, 2),
        (12, 2),
        (0, 6),
        (0x81ed << 16, 4),
        (ones, 4),
    ]));
    records.extend(b"a/s");
    records.extend(le(&[(1, 2), (8, 2)]));
    le64(&mut records, &[second]);
    let end = directory + records.len() as u64;

    let mut last = zip64_end(2, directory, end);
    last.extend(b"PK\x05\x06");
    last.extend(le(&[
        (0, 4),
        (2, 2),
        (2, 2),
        (end - directory, 4),
        (ones, 4),
        (0, 2),
    ]));
    Large {
        parts: vec![
            (header, 1),
            (block, BLOCKS),
            (last_block, 1),
            (empty_block, EMPTY),
            (descriptor, 1),
            (small, 1),
            (records, 1),
            (last, 1),
        ],
        second,
        directory,
        end,
    }
}

/// What is told of the files.
#[derive(Default)]
struct List(Vec<(String, bool, u64)>);

impl Visitor for List {
    fn file(&mut self, file: &ReadFile<'_>) -> io::Result<()> {
        self.0
            .push((file.path.to_string(), file.executable, file.size));
        Ok(())
    }
}

#[test]
fn a_zip_of_more_than_four_gib_is_read() {
    let Large {
        parts,
        second,
        directory,
        end,
    } = large();
    assert!(second > 4 << 30);
    let length = parts.iter().map(|(part, times)| part.len() as u64 * times);
    let length: u64 = length.sum();
    assert_eq!(length, end + 56 + 20 + 22);
    let mut input = Parts {
        parts,
        part: 0,
        at: 0,
    };
    let limits = Limits {
        file_bytes: 5 << 30,
        ..Limits::default()
    };
    let mut list = List::default();
    let receipt = read_archive(
        &mut input,
        None,
        &limits,
        &mut list,
        &CancelToken::default(),
    )
    .expect("an archive");
    assert_eq!(receipt.size, length);
    assert_eq!(receipt.content_bytes, SIZE);
    let wanted = [("a/l".to_owned(), false, SIZE), ("a/s".to_owned(), true, 0)];
    assert_eq!(list.0, wanted);
    assert!(directory > second);
}
