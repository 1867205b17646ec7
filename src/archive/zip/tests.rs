//! The zip's bytes, taken apart by a reader that shares nothing with the writer.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flate2::bufread::DeflateDecoder;

use super::headers::{self, DosTime, File, Packed};
use crate::archive::deflate::bound;
use crate::archive::segment::{self, BLOCK};
use crate::archive::tests::{
    MemoryStore, MemoryTree, all_entries, cookbooks, layout, layout_of, options, text, written_as,
};
use crate::archive::{ArchiveOptions, Format, WriteError, is_own};
use crate::digest::Digest;
use crate::error::{Diagnose, Kind};
use crate::layout::{EntryPath, Layout, PlannedFile};
use crate::path::ArchivePath;

/// Takes numbers from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    fn number(&mut self, bytes: usize) -> u64 {
        let number = self.bytes(bytes).iter().rev();
        number.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn numbers<const N: usize>(&mut self, bytes: [usize; N]) -> [u64; N] {
        bytes.map(|bytes| self.number(bytes))
    }
}

/// A record of the directory.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    form: [u64; 5],
    crc: u64,
    compressed: u64,
    size: u64,
    mode: u64,
    offset: u64,
    path: String,
    extra: Vec<u8>,
}

/// The records of a directory, and what stands behind them.
fn records(mut at: Fields<'_>) -> (Vec<Record>, Fields<'_>) {
    let mut records = Vec::new();
    while at.0.starts_with(b"PK\x01\x02") {
        at.bytes(4);
        assert_eq!(at.bytes(2), [0x1e, 3], "made on Unix");
        let form = at.numbers([2; 5]);
        let [crc, compressed, size, name, extra] = at.numbers([4, 4, 4, 2, 2]);
        assert_eq!(at.bytes(6), [0; 6], "comment, disk, internal attributes");
        let [mode, offset] = at.numbers([4, 4]);
        records.push(Record {
            form,
            crc,
            compressed,
            size,
            mode,
            offset,
            path: String::from_utf8(at.bytes(name as usize).to_vec()).expect("UTF-8"),
            extra: at.bytes(extra as usize).to_vec(),
        });
    }
    (records, at)
}

/// Checks every byte of a zip whose numbers all fit, against the layout that it is of.
fn check(zip: &[u8], layout: &Layout, [time, date]: [u64; 2]) {
    let mut at = Fields(zip);
    let mut wanted = Vec::new();
    for one in all_entries(layout) {
        let entry = one.entry();
        let path = entry.path().to_string();
        let offset = (zip.len() - at.0.len()) as u64;
        assert_eq!(at.bytes(4), b"PK\x03\x04", "{path}");
        let form = at.numbers([2; 5]);
        let is_streamed = entry.size() > 1 << 20;
        let flags = if path.is_ascii() { 0 } else { 0x800 } | if is_streamed { 8 } else { 0 };
        let method = if entry.size() == 0 { 0 } else { 8 };
        assert_eq!(form, [20, flags, method, time, date], "{path}");
        let sizes = at.numbers([4; 3]);
        assert_eq!(at.numbers([2, 2]), [path.len() as u64, 0], "{path}");
        assert_eq!(at.bytes(path.len()), path.as_bytes());
        let mut content = Vec::new();
        let before = at.0.len();
        if method == 8 {
            let mut decoder = DeflateDecoder::new(at.0);
            decoder.read_to_end(&mut content).expect("deflate");
            at = Fields(decoder.into_inner());
        }
        let compressed = (before - at.0.len()) as u64;
        assert_eq!(Digest::of(&content), entry.digest(), "{path}");
        let crc = u64::from(crc32fast::hash(&content));
        let numbers = [crc, compressed, entry.size()];
        if is_streamed {
            assert_eq!(sizes, [0; 3], "{path}");
            assert_eq!(at.bytes(4), b"PK\x07\x08", "{path}");
            assert_eq!(at.numbers([4; 3]), numbers, "{path}");
        } else {
            assert_eq!(sizes, numbers, "{path}");
        }
        wanted.push(Record {
            form,
            crc,
            compressed,
            size: entry.size(),
            mode: if entry.executable() {
                0o100_755
            } else {
                0o100_644
            } << 16,
            offset,
            path: path.to_owned(),
            extra: Vec::new(),
        });
    }
    let begin = (zip.len() - at.0.len()) as u64;
    let (found, mut at) = records(at);
    assert_eq!(found, wanted);
    let size = (zip.len() - at.0.len()) as u64 - begin;
    assert_eq!(at.bytes(4), b"PK\x05\x06");
    let count = wanted.len() as u64;
    let end = [0, 0, count, count, size, begin, 0];
    assert_eq!(at.numbers([2, 2, 2, 2, 4, 4, 2]), end);
    assert_eq!(at.0, [0; 0], "nothing behind it");
}

/// What the form has a rule for.
fn sample() -> Layout {
    let mut cookbooks = cookbooks();
    cookbooks[0].1.extend([
        ("files/größe", text(8, 3)),
        ("files/of a block", text(12, BLOCK)),
        ("files/over a block", text(13, BLOCK + 1)),
        ("files/of 1 MiB", text(9, 1 << 20)),
        ("files/over 1 MiB", text(10, (1 << 20) + 1)),
        ("files/über/1 MiB.sh", text(11, 3 << 20)),
    ]);
    layout(&cookbooks).0
}

#[test]
fn every_byte_is_as_the_form_says() {
    let layout = sample();
    let (zip, receipt, _) = written_as(Format::Zip, &layout, 2, None);
    // 1980-01-01, 00:00.
    check(&zip, &layout, [0, 1 << 5 | 1]);
    assert_eq!(receipt.digests.container, None, "there is no tar in it");
    assert_eq!(receipt.digests.archive, Digest::of(&zip));
    assert_eq!(receipt.size, zip.len() as u64);
    assert!(receipt.compression.is_some());
    let options = ArchiveOptions {
        mtime: 1_700_000_001,
        ..options(1)
    };
    let mut dated = Vec::new();
    let written = layout.write_to(&mut dated, Format::Zip, &options);
    written.expect("a zip");
    // 2023-11-14, 22:13:20, an odd second left out.
    let date = (2023 - 1980) << 9 | 11 << 5 | 14;
    check(&dated, &layout, [22 << 11 | 13 << 5 | 10, date]);
}

#[test]
fn a_warm_zip_reads_only_the_cookbook_that_changed() {
    let mut cookbooks = cookbooks();
    let store = MemoryStore::default();
    written_as(Format::Zip, &layout(&cookbooks).0, 2, Some(&store));
    assert_eq!(store.counts(), (0, 6));
    cookbooks[3].1[0].1 = b"x".to_vec();
    let (changed, tree) = layout(&cookbooks);
    let (wanted, ..) = written_as(Format::Zip, &changed, 1, None);
    tree.opened.store(0, Ordering::Relaxed);
    let (bytes, ..) = written_as(Format::Zip, &changed, 2, Some(&store));
    assert!(bytes == wanted);
    // What follows does not depend on it.
    assert_eq!(store.counts(), (5, 1));
    assert_eq!(tree.opened.load(Ordering::Relaxed), 2);
}

#[test]
fn a_time_is_told_in_utc_to_two_seconds() {
    let fields = |year: u16, month: u16, day: u16, (hour, minute, second): (u16, u16, u16)| {
        let date = (year - 1980) << 9 | month << 5 | day;
        let time = hour << 11 | minute << 5 | (second / 2);
        Some(DosTime::from_fields(time, date))
    };
    for (seconds, wanted) in [
        (315_532_799, None),
        (315_532_800, fields(1980, 1, 1, (0, 0, 0))),
        (320_889_599, fields(1980, 3, 2, (23, 59, 58))),
        (951_827_696, fields(2000, 2, 29, (12, 34, 56))),
        (951_827_697, fields(2000, 2, 29, (12, 34, 56))),
        (4_107_542_399, fields(2100, 2, 28, (23, 59, 58))),
        (4_107_542_400, fields(2100, 3, 1, (0, 0, 0))),
        (4_354_819_199, fields(2107, 12, 31, (23, 59, 58))),
        (4_354_819_200, None),
    ] {
        assert_eq!(DosTime::of(seconds), wanted, "{seconds}");
    }
}

#[test]
fn what_a_zip_cannot_hold_is_an_error_that_says_so() {
    let written = |layout: &Layout, mtime| {
        let options = ArchiveOptions {
            mtime,
            ..options(1)
        };
        let mut out = Vec::new();
        let written = layout.write_to(&mut out, Format::Zip, &options);
        assert_eq!(out, [0; 0], "nothing was written");
        written.expect_err("an error")
    };
    let fine = layout(&cookbooks()).0;
    for mtime in [0, 315_532_799, 4_354_819_200] {
        let error = written(&fine, mtime);
        assert!(matches!(error, WriteError::NoZipTime { mtime: found } if found == mtime));
        assert_eq!(error.kind(), Kind::User);
        let shown = error.diagnostics();
        assert!(shown[0].message.contains("1980") && !shown[0].hints.is_empty());
    }
    let long = "é".repeat(headers::LONGEST_PATH / 2);
    let error = written(&layout(&[("a", vec![(&long, vec![])])]).0, 315_532_800);
    assert!(matches!(&error, WriteError::PathTooLong { path } if path[2..] == long));
    assert!(error.to_string().len() < 300, "{error}");
}

/// A layout of files that are nowhere, of these sizes.
fn claimed(files: Vec<(String, u64)>) -> Layout {
    let file = |(path, size): (String, u64)| PlannedFile {
        path: ArchivePath::new(&path).expect("a path"),
        elsewhere: None,
        executable: false,
        size,
        digest: Digest::of(path),
    };
    let files = files.into_iter().map(file).collect();
    layout_of(&Arc::new(MemoryTree::default()), vec![("big", files)])
}

#[test]
fn numbers_that_do_not_fit_are_in_zip64_fields_and_no_others_are() {
    let gib = 1 << 30;
    let sizes = [
        ("a", 2 * gib),
        ("b", headers::ZIP64_FROM - 1),
        ("c", headers::ZIP64_FROM),
        ("d", 1),
        ("e", 9 * gib),
    ];
    let layout = claimed(sizes.map(|(path, size)| (path.to_owned(), size)).into());
    // A store says that it has their segment, and what came of each.
    let run = segment::runs(&layout)
        .next()
        .expect("a run")
        .expect("a run");
    let content = super::Contents::Here.next(&run);
    let key = segment::key(content, Format::Zip, &options(1), Digest::of([]));
    let packed = [1_u64 << 30, 1 << 30, gib, 1, 3 * gib, 7];
    let head = packed.iter().zip(1_u32..);
    let head = head.flat_map(|(size, crc)| [&crc.to_le_bytes()[..], &size.to_le_bytes()].concat());
    let store = MemoryStore::default();
    let body = b"the segment".to_vec();
    let kept = (head.collect(), body.clone());
    store.kept.lock().expect("a store").insert(key, kept);
    let (zip, ..) = written_as(Format::Zip, &layout, 1, Some(&store));
    let directory = zip.strip_prefix(&body[..]).expect("the segment");
    let (found, mut at) = records(Fields(directory));

    let full = u64::from(u32::MAX);
    let mut offset = 0;
    let mut seen = Vec::new();
    for (record, (one, crc)) in found.iter().zip(all_entries(&layout).iter().zip(1..)) {
        let entry = one.entry();
        let is_zip64 = entry.size() >= 0xfff0_0000;
        let is_streamed = entry.size() > 1 << 20;
        let is_far = offset >= full;
        let compressed = packed[crc - 1];
        assert_eq!(record.form[0], if is_zip64 { 45 } else { 20 });
        assert_eq!(record.crc, crc as u64);
        let mut numbers = Vec::new();
        for (found, number, is_in_zip64) in [
            (record.size, entry.size(), is_zip64),
            (record.compressed, compressed, is_zip64),
            (record.offset, offset, is_far),
        ] {
            assert_eq!(found, if is_in_zip64 { full } else { number });
            if is_in_zip64 {
                numbers.push(number);
            }
        }
        let mut extra = Fields(&record.extra);
        if !numbers.is_empty() {
            assert_eq!(extra.numbers([2, 2]), [1, 8 * numbers.len() as u64]);
        }
        for number in &numbers {
            assert_eq!(extra.number(8), *number);
        }
        assert_eq!(extra.0, [0; 0]);
        seen.push((is_zip64, is_far));
        offset += 30 + entry.path().to_string().len() as u64 + if is_zip64 { 20 } else { 0 };
        offset += compressed;
        offset += match (is_streamed, is_zip64) {
            (false, _) => 0,
            (true, false) => 16,
            (true, true) => 24,
        };
    }
    let wanted = [
        (false, false),
        (false, false),
        (true, false),
        (false, false),
        (true, false),
        (false, true),
    ];
    assert_eq!(seen, wanted);

    // The directory begins beyond 4 GiB.
    let size = (directory.len() - at.0.len()) as u64;
    assert_eq!(at.bytes(4), b"PK\x06\x06");
    let end = at.numbers([8, 2, 2, 4, 4, 8, 8, 8, 8]);
    assert_eq!(end, [44, 0x031e, 45, 0, 0, 6, 6, size, offset]);
    assert_eq!(at.bytes(4), b"PK\x06\x07");
    assert_eq!(at.numbers([4, 8, 4]), [0, offset + size, 1]);
    assert_eq!(at.bytes(4), b"PK\x05\x06");
    assert_eq!(
        at.numbers([2, 2, 2, 2, 4, 4, 2]),
        [0, 0, 6, 6, size, full, 0]
    );
    assert_eq!(at.0, [0; 0]);
}

#[test]
fn a_large_files_headers_have_the_zip64_field_that_comes_first() {
    let time = DosTime::of(315_532_800).expect("a time");
    let file = |size| File {
        path: EntryPath::new("a", "b"),
        executable: true,
        size,
        time,
    };
    for (size, is_zip64) in [(0xffef_ffff_u64, false), (0xfff0_0000, true)] {
        let file = file(size);
        let mut header = Vec::new();
        file.push_header(None, &mut header);
        let mut at = Fields(&header);
        assert_eq!(at.bytes(4), b"PK\x03\x04");
        let version = if is_zip64 { 45 } else { 20 };
        assert_eq!(at.numbers([2; 5]), [version, 8, 8, 0, 0x21]);
        let (full, extra) = if is_zip64 { (0xffff_ffff, 20) } else { (0, 0) };
        assert_eq!(at.numbers([4, 4, 4, 2, 2]), [0, full, full, 3, extra]);
        assert_eq!(at.bytes(3), b"a/b");
        if is_zip64 {
            assert_eq!(at.numbers([2, 2, 8, 8]), [1, 16, 0, 0]);
        }
        assert_eq!(at.0, [0; 0]);

        let packed = Packed {
            crc: 0x1234_5678,
            compressed: size / 2,
        };
        let mut descriptor = Vec::new();
        file.push_descriptor(packed, &mut descriptor);
        let mut at = Fields(&descriptor);
        assert_eq!(at.bytes(4), b"PK\x07\x08");
        let width = if is_zip64 { 8 } else { 4 };
        let wanted = [0x1234_5678, size / 2, size];
        assert_eq!(at.numbers([4, width, width]), wanted);
        assert_eq!(at.0, [0; 0]);
        let both = header.len() + descriptor.len();
        assert_eq!(file.overhead(), both as u64);
    }
    // What is not zip64 fits, however badly it compresses.
    let blocks = (headers::ZIP64_FROM - 1).div_ceil(BLOCK as u64);
    assert!(blocks * (bound(BLOCK) as u64) < u64::from(u32::MAX) - 2);
}

#[test]
fn as_many_entries_as_a_short_end_cannot_count_have_a_long_one() {
    for (files, is_zip64) in [(65_533, false), (65_534, true)] {
        let names = (0..files).map(|index| (format!("{index}"), Vec::new()));
        let names: Vec<_> = names.collect();
        let files: Vec<_> = names.iter().map(|(n, c)| (&n[..], c.clone())).collect();
        let (layout, _) = layout(&[("many", files)]);
        let entries = layout.file_count() as u64;
        let (zip, ..) = written_as(Format::Zip, &layout, 2, None);
        if !is_zip64 {
            check(&zip, &layout, [0, 1 << 5 | 1]);
            continue;
        }
        let mut at = Fields(&zip[zip.len() - 22 - 20 - 56..]);
        let end = zip.len() as u64 - 22 - 20 - 56;
        assert_eq!(at.bytes(4), b"PK\x06\x06");
        let [.., count, again, size, begin] = at.numbers([8, 2, 2, 4, 4, 8, 8, 8, 8]);
        assert_eq!((count, again, begin + size), (entries, entries, end));
        assert_eq!(at.bytes(4), b"PK\x06\x07");
        assert_eq!(at.numbers([4, 8, 4]), [0, end, 1]);
        assert_eq!(at.bytes(4), b"PK\x05\x06");
        let short = [0, 0, 0xffff, 0xffff, size, begin, 0];
        assert_eq!(at.numbers([2, 2, 2, 2, 4, 4, 2]), short);
        let (found, _) = records(Fields(&zip[begin as usize..]));
        assert_eq!(found.len() as u64, entries);
    }
}

#[test]
fn a_zip_that_differs_from_ours_only_in_its_encoder_is_not_ours() {
    for size in [100, 70_000, 2 << 20] {
        let content = text(5, size);
        let time = DosTime::of(315_532_800).expect("a time");
        let file = File {
            path: EntryPath::new("a", "b"),
            executable: false,
            size: size as u64,
            time,
        };
        let mut encoder =
            flate2::bufread::DeflateEncoder::new(&content[..], flate2::Compression::new(6));
        let mut data = Vec::new();
        encoder.read_to_end(&mut data).expect("memory");
        let packed = Packed {
            crc: crc32fast::hash(&content),
            compressed: data.len() as u64,
        };
        let mut zip = Vec::new();
        file.push_header((!file.is_streamed()).then_some(packed), &mut zip);
        zip.extend(&data);
        file.push_descriptor(packed, &mut zip);
        assert!(!is_own(&mut &zip[..]), "{size}");
    }
}
