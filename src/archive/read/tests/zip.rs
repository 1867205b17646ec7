//! The zip container, taken apart.

use super::zip_builder::{Zip, zip_of};
use super::*;

/// The sample, and a file that is so large that a data descriptor follows it.
fn files() -> Vec<File> {
    let mut files = sample();
    let mut large = vec![b'l'; (1 << 20) + 1];
    large[7] = b'7';
    files.push(file("web/z-large", large));
    files
}

/// The index of the file with the descriptor, and of an empty one.
const LARGE: usize = 5;
const EMPTY: usize = 3;

fn zip() -> Zip {
    Zip::of(&files())
}

/// The archive with an entry changed.
fn with_entry(index: usize, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut zip = zip();
    change(&mut zip.entries[index]);
    zip.bytes()
}

/// The archive with a record of the directory changed.
fn with_record(index: usize, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut zip = zip();
    change(&mut zip.records[index]);
    zip.bytes()
}

fn set32(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

#[test]
fn each_way_of_writing_an_entry_is_read() {
    let files = files();
    assert_eq!(read(&zip().bytes()).expect("an archive").1, files);
    // At the limit there is no descriptor yet.
    let exact = [file("a/exact", vec![b'e'; 1 << 20])];
    assert_eq!(read(&zip_of(&exact)).expect("an archive").1, exact);
}

#[test]
fn each_field_of_a_local_header_is_ours() {
    let at = zip().entry_at(1);
    let table = [
        (4, 45, "version"),
        (5, 3, "version"),
        (6, 2, "flags"),
        (6, 1 << 6, "flags"),
        (7, 0, "flags"),
        (7, 0x88, "flags"),
        (8, 0, "method"),
        (8, 9, "method"),
        (9, 1, "method"),
        (28, 4, "length of the extra field"),
        (29, 1, "length of the extra field"),
    ];
    for (offset, byte, wanted) in table {
        assert_refused!(
            with_entry(1, |entry| entry[offset] = byte),
            ReadError::LocalHeader { at: Place::Archive(found), field, path: Some(path) }
                if *found == at + (offset as u64).min(28) && *field == wanted && path == "apt/recipes/é.rb"
        );
    }
}

#[test]
fn a_file_with_no_content_is_stored_and_has_no_checksum() {
    let at = zip().entry_at(EMPTY);
    for (offset, wanted) in [
        (6, "crc-32"),
        (8, "method"),
        (14, "crc-32"),
        (18, "compressed size"),
    ] {
        let byte = if offset < 10 { 8 } else { 1 };
        let changed = with_entry(EMPTY, |entry| entry[offset] = byte);
        let error = refused(&changed);
        match (&error, offset) {
            // With a descriptor it would have a method.
            (
                ReadError::LocalHeader {
                    at: found,
                    field: "method",
                    ..
                },
                6,
            ) => {
                assert_eq!(*found, Place::Archive(at + 8));
            }
            (
                ReadError::LocalHeader {
                    at: found, field, ..
                },
                _,
            ) => {
                assert_eq!(
                    (*found, *field),
                    (Place::Archive(at + offset as u64), wanted)
                );
            }
            _ => panic!("{error:?}"),
        }
    }
}

#[test]
fn an_encrypted_entry_is_refused() {
    let at = zip().entry_at(1) + 6;
    assert_refused!(
        with_entry(1, |entry| entry[6] |= 1),
        ReadError::Encrypted { at: Place::Archive(found), path } if *found == at && path == "apt/recipes/é.rb"
    );
}

#[test]
fn a_folder_in_a_zip_is_refused() {
    let folder = Zip::of(&[file("apt/", ""), file("apt/x", "")]);
    assert_refused!(
        folder.bytes(),
        ReadError::NotAFile { at: Place::Archive(30), what: "a folder", path } if path == "apt/"
    );
}

#[test]
fn a_path_in_a_zip_that_cannot_stand_in_an_archive_is_refused() {
    for path in ["/etc/passwd", "../x", "a/../x", "a\\b", "c:x", ""] {
        assert_refused!(
            zip_of(&[file(path, "x")]),
            ReadError::Path {
                at: Place::Archive(0),
                ..
            }
        );
    }
    let not_text = with_entry(1, |entry| entry[42] = 0xff);
    assert_refused!(
        not_text,
        ReadError::Path {
            at: Place::Archive(_),
            ..
        }
    );
}

#[test]
fn a_checksum_that_is_not_the_contents_is_refused() {
    let at = zip().entry_at(1) + 14;
    assert_refused!(
        with_entry(1, |entry| entry[14] ^= 1),
        ReadError::Checksum { at: Place::Archive(found), path, .. }
            if *found == at && path == "apt/recipes/é.rb"
    );
    let end = zip().entry_at(LARGE + 1) - 12;
    assert_refused!(
        with_entry(LARGE, |entry| {
            let at = entry.len() - 12;
            entry[at] ^= 1;
        }),
        ReadError::Checksum { at: Place::Archive(found), path, .. }
            if *found == end && path == "web/z-large"
    );
}

#[test]
fn a_size_that_is_not_the_contents_is_refused() {
    let at = zip().entry_at(1);
    for (offset, change, wanted) in [
        (18, 1, "compressed size"),
        (18, 0xff, "compressed size"),
        (22, 1, "uncompressed size"),
        (22, 0xff, "uncompressed size"),
        (23, 2, "uncompressed size"),
    ] {
        assert_refused!(
            with_entry(1, |entry| entry[offset] ^= change),
            ReadError::Size { at: Place::Archive(found), field, .. }
                if *found == at + (offset as u64 & !1) && *field == wanted
        );
    }
    let end = zip().entry_at(LARGE + 1);
    for (back, wanted) in [(8, "compressed size"), (4, "uncompressed size")] {
        assert_refused!(
            with_entry(LARGE, |entry| {
                let at = entry.len() - back;
                entry[at] ^= 1;
            }),
            ReadError::Size { at: Place::Archive(found), field, .. }
                if *found == end - back as u64 && *field == wanted
        );
    }
}

#[test]
fn a_data_descriptor_stands_behind_large_files_alone() {
    let at = zip().entry_at(LARGE) + 6;
    let plain = with_entry(LARGE, |entry| {
        let descriptor = entry.split_off(entry.len() - 16);
        entry[6] = 0;
        entry[14..26].copy_from_slice(&descriptor[4..]);
    });
    assert_refused!(plain, ReadError::MissingDescriptor { at: Place::Archive(found), .. } if *found == at);
    let needless = with_entry(0, |entry| {
        let sums = entry[14..26].to_vec();
        entry[6] = 8;
        entry[14..26].fill(0);
        entry.extend_from_slice(b"PK\x07\x08");
        entry.extend(sums);
    });
    assert_refused!(
        needless,
        ReadError::NeedlessDescriptor {
            at: Place::Archive(6),
            ..
        }
    );
    let both = with_entry(LARGE, |entry| entry[14] = 1);
    assert_refused!(
        both,
        ReadError::LocalHeader {
            field: "crc-32",
            ..
        }
    );
}

#[test]
fn a_data_descriptor_without_its_signature_is_refused() {
    let at = zip().entry_at(LARGE + 1) - 16;
    let unsigned = with_entry(LARGE, |entry| {
        let start = entry.len() - 16;
        entry.drain(start..start + 4);
    });
    assert_refused!(
        unsigned,
        ReadError::Descriptor { at: Place::Archive(found), path } if *found == at && path == "web/z-large"
    );
}

#[test]
fn the_form_of_zip64_where_it_is_not_needed_is_refused() {
    let at = zip().entry_at(LARGE) + 28;
    let large = with_entry(LARGE, |entry| {
        entry[4] = 45;
        entry[18..26].fill(0xff);
        entry[28] = 20;
        let name = 30 + "web/z-large".len();
        let extra = [&[1, 0, 16, 0][..], &[0; 16]].concat();
        entry.splice(name..name, extra);
    });
    assert_refused!(large, ReadError::Zip64 { at: Place::Archive(found), .. } if *found == at);
    let small = with_entry(0, |entry| {
        entry[28] = 20;
        let name = 30 + "apt/metadata.json".len();
        entry.splice(name..name, [0; 20]);
    });
    assert_refused!(
        small,
        ReadError::Zip64 {
            at: Place::Archive(28),
            ..
        }
    );
}

#[test]
fn files_of_another_time_are_refused() {
    let at = zip().entry_at(1) + 10;
    assert_refused!(
        with_entry(1, |entry| entry[10] = 1),
        ReadError::Time { at: Place::Archive(found), mtime, first: MTIME, .. }
            if *found == at && *mtime == MTIME + 2
    );
}

#[test]
fn a_time_that_does_not_exist_is_refused() {
    for (time, date, offset) in [
        (30, 0x21, 10),
        (60 << 5, 0x21, 10),
        (24 << 11, 0x21, 10),
        (0, 0, 12),
        (0, 0x20, 12),
        (0, 1, 12),
        (0, 13 << 5 | 1, 12),
        (0, 2 << 5 | 30, 12),
        (0, 1 << 9 | 2 << 5 | 29, 12),
    ] {
        let stamp: [u16; 2] = [time, date];
        let bytes = with_entry(0, |entry| {
            entry[10..12].copy_from_slice(&stamp[0].to_le_bytes());
            entry[12..14].copy_from_slice(&stamp[1].to_le_bytes());
        });
        assert_refused!(
            bytes,
            ReadError::LocalHeader { at: Place::Archive(at), .. } if *at == offset
        );
    }
}

#[test]
fn times_of_ms_dos_are_seconds() {
    use super::super::records::seconds;
    for (time, date, wanted) in [
        (0, 0x21, 315_532_800),
        // 2000-02-29 23:59:58
        (23 << 11 | 59 << 5 | 29, 20 << 9 | 2 << 5 | 29, 951_868_798),
        // 2024-12-31 12:30:30
        (
            12 << 11 | 30 << 5 | 15,
            44 << 9 | 12 << 5 | 31,
            1_735_648_230,
        ),
        // 2107-12-31 23:59:58, the last one
        (
            23 << 11 | 59 << 5 | 29,
            127 << 9 | 12 << 5 | 31,
            4_354_819_198,
        ),
    ] {
        assert_eq!(seconds([time, date]), Some(wanted));
    }
}

#[test]
fn entries_of_a_zip_out_of_order_or_twice_are_refused() {
    let mut swapped = files();
    swapped.swap(0, 1);
    let second = Zip::of(&swapped).entry_at(1);
    assert_refused!(
        zip_of(&swapped),
        ReadError::Order { at: Place::Archive(at), .. } if *at == second
    );
    let mut twice = files();
    twice.insert(1, twice[0].clone());
    let second = Zip::of(&twice).entry_at(1);
    assert_refused!(
        zip_of(&twice),
        ReadError::Duplicate { at: Place::Archive(at), .. } if *at == second
    );
}

#[test]
fn something_between_the_entries_is_refused() {
    let (entry, directory) = (zip().entry_at(1), zip().record_at(0));
    assert_refused!(
        with_entry(0, |entry| entry.push(0)),
        ReadError::ZipSignature { at: Place::Archive(at), .. } if *at == entry
    );
    // Behind the last entry it stands before the directory.
    assert_refused!(
        with_entry(LARGE, |entry| entry.extend(b"hidden")),
        ReadError::ZipSignature { at: Place::Archive(at), .. } if *at == directory
    );
    let end = zip().record_at(6);
    assert_refused!(
        with_record(LARGE, |record| record.extend(b"hidden")),
        ReadError::ZipSignature { at: Place::Archive(at), .. } if *at == end
    );
    let between = zip().record_at(1);
    assert_refused!(
        with_record(0, |record| record.extend(b"hidden")),
        ReadError::ZipSignature { at: Place::Archive(at), .. } if *at == between
    );
}

#[test]
fn something_before_the_first_entry_is_refused() {
    let bytes = [b"#!/bin/sh\n", &zip().bytes()[..]].concat();
    assert_refused!(bytes, ReadError::NotAnArchive { .. });
    let told = read_archive(
        &mut &bytes[..],
        Some(Format::Zip),
        &Limits::default(),
        &mut (),
        &CancelToken::default(),
    );
    assert!(
        matches!(
            told,
            Err(ReadError::ZipSignature {
                at: Place::Archive(0),
                ..
            })
        ),
        "{told:?}"
    );
}

#[test]
fn each_field_of_a_record_in_the_directory_is_that_of_its_file() {
    for index in [1, LARGE, EMPTY] {
        let at = zip().record_at(index);
        let table = [
            (4, "writer's version"),
            (5, "writer's version"),
            (6, "version"),
            (8, "flags"),
            (10, "method"),
            (12, "time"),
            (14, "date"),
            (16, "crc-32"),
            (20, "compressed size"),
            (24, "uncompressed size"),
            (34, "disk"),
            (36, "internal attributes"),
            (38, "external attributes"),
        ];
        for (offset, wanted) in table {
            assert_refused!(
                with_record(index, |record| record[offset] ^= 1),
                ReadError::DirectoryRecord { at: Place::Archive(found), field, .. }
                    if *found == at + offset as u64 && *field == wanted
            );
        }
        // 0644 to 0645.
        assert_refused!(
            with_record(index, |record| record[40] ^= 1),
            ReadError::DirectoryRecord {
                field: "external attributes",
                ..
            }
        );
    }
    let at = zip().record_at(1) + 30;
    assert_refused!(
        with_record(1, |record| record[30] = 0xff),
        ReadError::DirectoryRecord { at: Place::Archive(found), field: "length of the extra field", .. }
            if *found == at
    );
}

#[test]
fn another_mode_in_the_directory_is_another_content_digest() {
    let whole = read(&zip().bytes()).expect("an archive").0;
    let (other, files) = read(&with_record(1, |record| record[40] = 0xed)).expect("an archive");
    assert!(files[1].executable);
    assert_ne!(whole.content, other.content);
}

#[test]
fn what_the_directory_says_to_be_no_file_is_refused() {
    for (mode, wanted) in [
        (0o120_777_u16, "a symbolic link"),
        (0o040_755, "a folder"),
        (0o020_644, "a device"),
        (0o060_644, "a device"),
        (0o010_644, "a named pipe"),
    ] {
        assert_refused!(
            with_record(1, |record| record[40..42].copy_from_slice(&mode.to_le_bytes())),
            ReadError::NotAFile { what, path, .. } if *what == wanted && path == "apt/recipes/é.rb"
        );
    }
}

#[test]
fn another_name_in_the_directory_is_refused() {
    let (at, local) = (zip().record_at(1) + 46, zip().entry_at(1));
    assert_refused!(
        with_record(1, |record| record[46] = b'b'),
        ReadError::DirectoryPath { at: Place::Archive(found), path, local: of }
            if *found == at && path == "bpt/recipes/é.rb" && *of == local
    );
}

#[test]
fn two_names_of_one_fingerprint_are_told_apart() {
    use sha2::{Digest as _, Sha256};
    // The first two of a series whose digests begin alike: the birthday of 32 bits.
    let mut seen = std::collections::HashMap::new();
    let (one, other) = (0..1_000_000_u32)
        .find_map(|number| {
            let name = format!("a/{number:07}");
            let start: [u8; 4] = Sha256::digest(&name)[..4].try_into().expect("four bytes");
            seen.insert(start, name.clone())
                .map(|before| (before, name))
        })
        .expect("a collision");
    let mut zip = Zip::of(&[file(&one, "x")]);
    assert!(read(&zip.bytes()).is_ok());
    zip.records[0][46..].copy_from_slice(other.as_bytes());
    let (bytes, end) = (zip.bytes(), Place::Archive(zip.record_at(1)));
    let cancel = CancelToken::default();
    let error = read_archive(&mut &bytes[..], None, &Limits::default(), &mut (), &cancel);
    assert!(
        matches!(&error, Err(ReadError::DirectoryNames { at }) if *at == end),
        "{error:?}"
    );
}

#[test]
fn another_offset_in_the_directory_is_refused() {
    let (at, local) = (zip().record_at(1) + 42, zip().entry_at(1));
    assert_refused!(
        with_record(1, |record| set32(record, 42, 0)),
        ReadError::DirectoryOffset { at: Place::Archive(found), local: of, .. }
            if *found == at && *of == local
    );
}

#[test]
fn a_file_that_the_directory_does_not_list_is_refused() {
    let mut less = zip();
    less.records.pop();
    let (end, local) = (less.record_at(LARGE), less.entry_at(LARGE));
    assert_refused!(
        less.bytes(),
        ReadError::MissingRecord { at: Place::Archive(at), local: of } if *at == end && *of == local
    );
    // In the middle it is the next name that stands in its place.
    let mut less = zip();
    less.records.remove(1);
    assert_refused!(less.bytes(), ReadError::DirectoryPath { path, .. } if path == "web/bin/run");
    let mut none = zip();
    none.records.clear();
    assert_refused!(none.bytes(), ReadError::MissingRecord { local: 0, .. });
}

#[test]
fn a_file_that_the_directory_alone_lists_is_refused() {
    let mut more = zip();
    more.records.push(more.records[LARGE].clone());
    let at = more.record_at(LARGE + 1);
    assert_refused!(
        more.bytes(),
        ReadError::ExtraRecord { at: Place::Archive(found) } if *found == at
    );
    let mut alone = zip();
    alone.entries.clear();
    // Without an entry it does not begin as an archive does.
    assert_refused!(alone.bytes(), ReadError::NotAnArchive { .. });
}

#[test]
fn records_of_the_directory_out_of_order_are_refused() {
    let mut swapped = zip();
    swapped.records.swap(0, 1);
    assert_refused!(
        swapped.bytes(),
        ReadError::DirectoryPath { local: 0, path, .. } if path == "apt/recipes/é.rb"
    );
}

#[test]
fn a_file_taken_away_from_both_places_changes_both_digests() {
    let mut less = zip();
    less.entries.remove(1);
    less.records.remove(1);
    let less = read(&less.with_offsets().bytes()).expect("an archive").0;
    let whole = read(&zip().bytes()).expect("an archive").0;
    assert_eq!(less.files, whole.files - 1);
    assert_ne!(less.content, whole.content);
    assert_ne!(less.archive, whole.archive);
}

#[test]
fn each_field_of_the_last_record_fits_the_archive() {
    let end = zip().record_at(6);
    for (offset, wanted) in [
        (4, "disk"),
        (6, "disk of the directory"),
        (8, "number of files on the disk"),
        (10, "number of files"),
        (12, "size of the directory"),
        (16, "offset of the directory"),
    ] {
        let mut bytes = zip().bytes();
        bytes[end as usize + offset] ^= 1;
        assert_refused!(
            bytes,
            ReadError::EndRecord { at: Place::Archive(at), field }
                if *at == end + offset as u64 && *field == wanted
        );
    }
}

#[test]
fn comments_are_refused() {
    let end = zip().record_at(6) as usize;
    let mut bytes = zip().bytes();
    bytes[end + 20] = 2;
    bytes.extend(b"hi");
    assert_refused!(bytes, ReadError::Comment { at: Place::Archive(at) } if *at == end as u64 + 20);
    let at = zip().record_at(1) + 32;
    let commented = with_record(1, |record| {
        record[32] = 2;
        record.extend(b"hi");
    });
    assert_refused!(commented, ReadError::Comment { at: Place::Archive(found) } if *found == at);
}

#[test]
fn anything_behind_the_last_record_is_refused() {
    let bytes = zip().bytes();
    for more in [&b"\0"[..], b"x", &bytes] {
        assert_refused!(
            [&bytes[..], more].concat(),
            ReadError::AfterEnd { at: Place::Archive(at) } if *at == bytes.len() as u64
        );
    }
}

#[test]
fn the_end_of_zip64_stands_where_it_is_needed_alone() {
    let end = zip().record_at(6);
    let mut needless = zip();
    needless.zip64 = needless.zip64_end();
    assert_refused!(
        needless.bytes(),
        ReadError::NeedlessZip64End { at: Place::Archive(at) } if *at == end
    );
    let many = |count: usize| -> Vec<File> {
        (0..count).map(|n| file(&format!("a/{n:05}"), "")).collect()
    };
    assert!(read(&zip_of(&many(65_534))).is_ok());
    let mut zip = Zip::of(&many(65_535));
    let end = zip.record_at(65_535);
    assert_refused!(
        zip.bytes(),
        ReadError::MissingZip64End { at: Place::Archive(at) } if *at == end
    );
    zip.zip64 = zip.zip64_end();
    assert_eq!(read(&zip.bytes()).expect("an archive").0.files, 65_535);
    for (offset, wanted) in [(32, "number of files"), (64, "locator's offset")] {
        let mut bytes = zip.bytes();
        bytes[end as usize + offset] ^= 1;
        assert_refused!(
            bytes,
            ReadError::Zip64EndRecord { at: Place::Archive(at), field }
                if *at == end + offset as u64 && *field == wanted
        );
    }
}

#[test]
fn each_field_of_the_end_of_zip64_fits_the_archive() {
    use super::super::records::{End, ZIP64_END_FIELDS};
    let end = End {
        files: 0x1_0002,
        offset: 0x3_0000_0004,
        size: 0x5_0000_0006,
    };
    let wanted = zip_builder::zip64_end(end.files, end.offset, end.offset + end.size);
    assert_eq!(end.zip64(), wanted);
    let fields = [
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
    for (offset, wanted) in fields {
        let mut bytes = end.zip64();
        bytes[offset] ^= 1;
        assert_eq!(first_difference(&bytes, &end.zip64()), Some(offset));
        assert_eq!(field_at(&ZIP64_END_FIELDS, offset), wanted);
    }
}

#[test]
fn compressed_data_of_a_zip_that_is_none_is_refused() {
    let start = 30 + "apt/recipes/é.rb".len();
    let at = zip().entry_at(1) + start as u64;
    assert_refused!(
        with_entry(1, |entry| entry[start] = 7),
        ReadError::Deflate { at: Place::Archive(found), .. } if (at..at + 4).contains(found)
    );
}

#[test]
fn a_name_in_a_zip_that_is_too_long_is_refused() {
    let limits = Limits {
        record_bytes: 16,
        ..Limits::default()
    };
    let fits = zip_of(&[file("a/bcdefghijklmnop"[..16].trim_end(), "")]);
    assert!(read_limited(&fits, &limits).is_ok());
    let error =
        read_limited(&zip_of(&[file("a/bcdefghijklmnop", "")]), &limits).expect_err("a limit");
    assert!(
        matches!(
            error,
            ReadError::PathTooLong {
                at: Place::Archive(0),
                size: 17,
                limit: 16
            }
        ),
        "{error:?}"
    );
}
