//! Every byte of a small archive, changed one after the other: each change is found, or the very
//! byte is proven to have no effect on what is read.

use std::ops::Range;

use super::zip_builder::Zip;
use super::*;

fn small() -> Vec<File> {
    vec![
        file("a/run", "echo echo echo echo echo\n"),
        file("b/x", "some text"),
        file("b/é", ""),
    ]
}

/// Where a byte lies whose change nobody needs to find.
enum Open {
    /// In compressed data, of which there are many for one content.
    Packed,
    /// In a content that no checksum guards.
    Content,
}

/// Changes each bit of each byte, and all of them; gives how many changes were accepted.
fn flip(whole: &[u8], open: &[Range<usize>], kind: &Open) -> usize {
    let (receipt, files) = read(whole).expect("an archive");
    let mut accepted = 0;
    for offset in 0..whole.len() {
        for change in (0..8).map(|bit| 1 << bit).chain([0xff]) {
            let mut bytes = whole.to_vec();
            bytes[offset] ^= change;
            let Ok((other, read)) = read(&bytes) else {
                continue;
            };
            accepted += 1;
            assert!(
                open.iter().any(|range| range.contains(&offset)),
                "byte {offset}, change {change}"
            );
            assert_ne!(other.archive, receipt.archive);
            match kind {
                Open::Packed => {
                    assert_eq!(read, files, "byte {offset}, change {change}");
                    assert_eq!(other.content, receipt.content);
                    assert_eq!(other.container, receipt.container);
                }
                Open::Content => {
                    assert_ne!(read, files);
                    assert_ne!(other.content, receipt.content);
                    assert_ne!(other.container, receipt.container);
                    assert_eq!(content_digest(&read), other.content);
                }
            }
        }
    }
    accepted
}

#[test]
fn no_byte_of_a_tar_changes_without_a_trace() {
    let tar = tar_of(&small());
    let contents = [512..512 + 25, 1536..1536 + 9];
    // Each of the nine changes of each byte of a content gives another content, and that is all.
    assert_eq!(flip(&tar, &contents, &Open::Content), 9 * (25 + 9));
}

#[test]
fn no_byte_of_a_tar_gz_changes_without_a_trace() {
    let bytes = gzip_of(&tar_of(&small()));
    let packed = 10..bytes.len() - 8;
    flip(&bytes, &[packed], &Open::Packed);
}

#[test]
fn no_byte_of_a_zip_changes_without_a_trace() {
    let zip = Zip::of(&small());
    let bytes = zip.bytes();
    let data = |index: usize| {
        let name = small()[index].path.len();
        zip.entry_at(index) as usize + 30 + name..zip.entry_at(index + 1) as usize
    };
    // From 644 to 755 takes more than one bit, so that modes are not open here.
    flip(&bytes, &[data(0), data(1)], &Open::Packed);
}

#[test]
fn the_bits_behind_the_end_of_compressed_data_have_no_effect() {
    // The very case for which compressed data is left open: the last block is empty and ten bits
    // long, and nothing reads the other six of its bytes.
    let tar = tar_of(&small());
    let mut bytes = crate::archive::gzip::HEADER.to_vec();
    let mut encoder = Compress::new(Compression::new(6), false);
    let mut packed = Vec::with_capacity(tar.len());
    encoder
        .compress_vec(&tar, &mut packed, FlushCompress::Sync)
        .expect("deflate");
    bytes.extend(packed);
    bytes.extend([3, 0]);
    let spare = bytes.len() - 1;
    bytes.extend(crc_of(&tar).to_le_bytes());
    bytes.extend((tar.len() as u32).to_le_bytes());
    let (whole, files) = read(&bytes).expect("an archive");
    for bit in 2..8 {
        let mut other = bytes.clone();
        other[spare] ^= 1 << bit;
        let (other, same) = read(&other).expect("an archive");
        assert_eq!(same, files);
        assert_eq!(other.container, whole.container);
        assert_ne!(other.archive, whole.archive);
    }
}
