//! The tar container, taken apart.

use super::*;

/// Makes a header's checksum fit again.
fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header[..512].iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// The sample with its second header changed, and its checksum made to fit.
fn with_header(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut tar = tar_of(&sample());
    let header = &mut tar[1024..1536];
    change(header);
    seal(header);
    tar
}

#[test]
fn sealing_a_header_changes_none_that_is_whole() {
    assert_eq!(with_header(|_| ()), tar_of(&sample()));
}

#[test]
fn each_field_of_a_header_is_ours() {
    let table: [(usize, u8, &str); 20] = [
        // Bytes that only a looser reader takes for the same.
        (99, b'x', "name"),
        (100, b' ', "mode"),
        (106, b'6', "mode"),
        (107, b' ', "mode"),
        (114, b'1', "user's id"),
        (122, b'1', "group's id"),
        (124, b' ', "size"),
        (135, b' ', "size"),
        (136, b'x', "time"),
        (147, b' ', "time"),
        (157, b'x', "link's target"),
        (262, b' ', "magic number"),
        (263, b' ', "version"),
        (265, b'r', "user's name"),
        (297, b'w', "group's name"),
        (335, b'1', "major device number"),
        (343, b'1', "minor device number"),
        (499, b'x', "prefix"),
        (500, b'x', "last bytes"),
        (511, b'x', "last bytes"),
    ];
    for (offset, byte, wanted) in table {
        let tar = with_header(|header| header[offset] = byte);
        let field = match offset {
            // A field that cannot be read is told by its beginning.
            100..=107 => 100,
            124 => 124,
            136 => 136,
            _ => offset,
        };
        let wanted_at = match offset {
            107 => 107,
            _ => field,
        };
        assert_refused!(
            tar,
            ReadError::TarHeader { at: Place::Tar(at), field, path: Some(path) }
                if *at == 1024 + wanted_at as u64 && *field == wanted && path == "apt/recipes/é.rb"
        );
    }
}

#[test]
fn a_wrong_checksum_of_a_header_is_refused() {
    let mut tar = tar_of(&sample());
    tar[1024 + 150] ^= 1;
    assert_refused!(
        tar,
        ReadError::TarHeader {
            at: Place::Tar(1174),
            field: "checksum",
            ..
        }
    );
    // Where all else could be another file's header, it is the checksum that does not fit.
    let mut tar = tar_of(&sample());
    tar[1024] = b'b';
    assert_refused!(
        tar,
        ReadError::TarHeader { field: "checksum", path: Some(path), .. } if path == "bpt/recipes/é.rb"
    );
}

#[test]
fn each_entry_that_is_no_file_is_refused() {
    for (letter, wanted) in [
        (b'1', "a hard link"),
        (b'2', "a symbolic link"),
        (b'3', "a device"),
        (b'4', "a device"),
        (b'5', "a folder"),
        (b'6', "a named pipe"),
        (b'K', "a record of a long link"),
        (b'S', "a file with holes"),
        (b'g', "a PAX record"),
        (b'x', "a PAX record"),
        (b'7', "of an unknown type"),
        (0, "of an unknown type"),
    ] {
        let tar = with_header(|header| header[156] = letter);
        assert_refused!(
            tar,
            ReadError::NotAFile { at: Place::Tar(1180), what, .. } if *what == wanted
        );
    }
}

#[test]
fn a_path_that_cannot_stand_in_an_archive_is_refused() {
    for path in [
        &b"/etc/passwd"[..],
        b"../x",
        b"a/../x",
        b"a//b",
        b"a/",
        b"a/foo../b",
        b"a\\b",
        b"a/\xff",
        b"a/nul",
        b"a/b\x01",
        b"",
    ] {
        let mut header = [0; 512];
        header.copy_from_slice(&file_header("x", false, 0, MTIME));
        header[..1].fill(0);
        header[..path.len()].copy_from_slice(path);
        seal(&mut header);
        let tar = [&header[..], &END].concat();
        assert_refused!(
            tar,
            ReadError::Path {
                at: Place::Tar(0),
                ..
            }
        );
    }
}

#[test]
fn a_path_split_in_another_way_is_refused() {
    // 104 bytes: ours has the shortest prefix, `p`; another one is `p/q`.
    let path = format!("p/q/{}", "n".repeat(100 - 2));
    let mut header = file_header(&path, false, 0, MTIME);
    assert!(read(&[&header[..], &END].concat()).is_ok());
    header[..100].fill(0);
    header[345..500].fill(0);
    header[..98].fill(b'n');
    header[345..348].copy_from_slice(b"p/q");
    seal(&mut header);
    assert_refused!(
        [&header[..], &END].concat(),
        ReadError::TarHeader {
            at: Place::Tar(0),
            field: "name",
            ..
        }
    );
}

#[test]
fn paths_of_every_length_are_read() {
    let mut files = Vec::new();
    for length in [
        99, 100, 101, 102, 155, 156, 255, 256, 257, 300, 511, 512, 513, 5000,
    ] {
        for letter in ["n", "é", "漢"] {
            let mut path = format!("a/{length}");
            while path.len() + letter.len() < length {
                path.push_str(if path.len() % 50 < letter.len() {
                    "/d"
                } else {
                    letter
                });
            }
            files.push(file(&path, "x"));
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let long = tar_of(&files);
    assert!(long.windows(13).any(|text| text == b"././@LongLink"));
    assert_eq!(read(&long).expect("an archive").1, files);
    assert_eq!(
        read(&zip_builder::zip_of(&files)).expect("an archive").1,
        files
    );
}

/// A tar of one file with a long name; the record takes 1,024 bytes, the header stands behind it.
fn long(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let path = format!("a/{}", "n".repeat(300));
    let mut bytes = file_header(&path, false, 0, MTIME);
    assert_eq!(bytes.len(), 1536);
    change(&mut bytes);
    bytes.extend_from_slice(&END);
    bytes
}

#[test]
fn a_long_name_is_written_in_one_way_only() {
    assert!(read(&long(|_| ())).is_ok());
    let header = long(|bytes| {
        bytes[110] = b'1';
        seal(&mut bytes[..512]);
    });
    assert_refused!(
        header,
        ReadError::TarHeader {
            at: Place::Tar(110),
            field: "user's id",
            ..
        }
    );
    let unended = long(|bytes| bytes[512 + 302] = b'n');
    assert_refused!(
        unended,
        ReadError::LongName {
            at: Place::Tar(0),
            reason: "no NUL ends it"
        }
    );
    let filled = long(|bytes| bytes[1023] = 1);
    assert_refused!(
        filled,
        ReadError::LongName {
            at: Place::Tar(1023),
            reason: "zeros do not fill it up"
        }
    );
    let cut = long(|bytes| {
        bytes[1024] = b'b';
        seal(&mut bytes[1024..]);
    });
    assert_refused!(
        cut,
        ReadError::TarHeader {
            at: Place::Tar(1024),
            field: "name",
            ..
        }
    );
    let twice = long(|bytes| {
        let record = bytes[..1024].to_vec();
        bytes.splice(..0, record);
    });
    assert_refused!(
        twice,
        ReadError::NotAFile { at: Place::Tar(at), what: "a second record of a long name", .. }
            if *at == 1024 + 156
    );
}

#[test]
fn a_long_name_where_none_is_needed_is_refused() {
    let mut bytes = file_header("x", false, 0, MTIME);
    let mut record = file_header(&"n".repeat(200), false, 0, MTIME)[..512].to_vec();
    record[124..136].copy_from_slice(b"00000000002\0");
    seal(&mut record);
    let mut name = b"x\0".to_vec();
    name.resize(512, 0);
    bytes.splice(..0, [record, name].concat());
    bytes.extend_from_slice(&END);
    assert_refused!(
        bytes,
        ReadError::LongName {
            at: Place::Tar(0),
            reason: "it stands where none is needed"
        }
    );
}

#[test]
fn a_long_name_that_is_too_long_is_refused() {
    let path = format!("a/{}", "n".repeat(65_533));
    let fits = |path: &str| {
        let tar = [file_header(path, false, 0, MTIME), END.to_vec()].concat();
        read(&tar)
    };
    assert!(fits(&path).is_ok());
    let error = fits(&format!("{path}n")).expect_err("a limit");
    assert!(
        matches!(
            error,
            ReadError::PathTooLong {
                at: Place::Tar(0),
                size: 65_537,
                limit: 65_536
            }
        ),
        "{error:?}"
    );
}

/// The sample's entries, in which something was changed.
fn entries(change: impl FnOnce(&mut Vec<File>)) -> Vec<u8> {
    let mut files = sample();
    change(&mut files);
    tar_of(&files)
}

#[test]
fn entries_out_of_order_are_refused() {
    assert_refused!(
        entries(|files| files.swap(0, 1)),
        ReadError::Order { at: Place::Tar(1536), path, before }
            if path == "apt/metadata.json" && before == "apt/recipes/é.rb"
    );
}

#[test]
fn a_file_that_is_there_twice_is_refused() {
    assert_refused!(
        entries(|files| files.insert(1, files[0].clone())),
        ReadError::Duplicate { at: Place::Tar(1024), path } if path == "apt/metadata.json"
    );
}

#[test]
fn a_file_that_is_taken_away_changes_every_digest() {
    let whole = read(&tar_of(&sample())).expect("an archive").0;
    let less = read(&entries(|files| drop(files.remove(1))))
        .expect("an archive")
        .0;
    assert_ne!(whole.content, less.content);
    assert_ne!(whole.container, less.container);
    assert_ne!(whole.archive, less.archive);
}

#[test]
fn paths_that_differ_by_case_alone_are_refused() {
    for (first, second, other) in [
        ("a/README", "a/readme", "a/README"),
        ("A/x", "a/y", "A"),
        ("a/B/x", "a/b", "a/B"),
        ("a/B", "a/b/x", "a/B"),
        ("a/É", "a/é", "a/É"),
        ("a/K", "a/\u{212a}", "a/K"),
    ] {
        let between = file("a/X", "");
        let mut files = vec![file(first, ""), between, file(second, "")];
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for bytes in all_formats(&files) {
            assert_refused!(bytes, ReadError::CaseTwin { other: found, .. } if found == other);
        }
    }
    // What only looks alike, or stands in another folder, is no twin.
    let mut files: Vec<File> = ["a-b/x", "a/B/x", "a/x", "a.b/X", "b/X", "a/B.x", "a/B-x/Y"]
        .map(|path| file(path, ""))
        .into();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for bytes in all_formats(&files) {
        assert_eq!(read(&bytes).expect("an archive").1, files);
    }
}

#[test]
fn a_file_below_a_file_is_refused() {
    for between in ["a-b/c", "a.x"] {
        let files = [file("a", ""), file(between, ""), file("a/b", "")];
        for bytes in all_formats(&files) {
            assert_refused!(
                bytes,
                ReadError::BelowFile { path, file, .. } if path == "a/b" && file == "a"
            );
        }
    }
}

#[test]
fn a_file_of_another_time_is_refused() {
    let mut tar = tar_entry(&file("a/a", ""));
    tar.extend(file_header("a/b", false, 0, MTIME + 1));
    tar.extend_from_slice(&END);
    assert_refused!(
        tar,
        ReadError::Time { at: Place::Tar(648), first: MTIME, mtime, .. } if *mtime == MTIME + 1
    );
}

#[test]
fn something_hidden_behind_a_content_is_refused() {
    for (offset, place) in [(526, 526), (1023, 1023)] {
        let mut tar = tar_of(&sample());
        tar[offset] = 1;
        assert_refused!(
            tar,
            ReadError::Padding { at: Place::Tar(at), path } if *at == place && path == "apt/metadata.json"
        );
    }
}

#[test]
fn a_tar_ends_with_exactly_two_blocks_of_zeros() {
    let tar = tar_of(&sample());
    let end = tar.len() - 1024;
    let length = tar.len() as u64;
    for hidden in [0, 511] {
        let mut one = tar.clone();
        one[end + 512 + hidden] = 1;
        assert_refused!(
            one,
            ReadError::TarEnd { at: Place::Tar(at) } if *at == (end + 512 + hidden) as u64
        );
    }
    let half = tar[..end + 512].to_vec();
    for bytes in [gzip_of(&half), half] {
        assert_refused!(bytes, ReadError::Truncated { at: Place::Tar(at), .. } if *at == length - 512);
    }
    // GNU tar fills up to 10 KiB, and another tar may follow.
    for more in [vec![0; 512], vec![0], tar.clone()] {
        let longer = [&tar[..], &more].concat();
        for bytes in [gzip_of(&longer), longer] {
            assert_refused!(bytes, ReadError::AfterEnd { at: Place::Tar(at) } if *at == length);
        }
    }
}

#[test]
fn a_size_that_is_too_large_for_its_digits_is_read() {
    let limits = Limits {
        file_bytes: 16 << 30,
        ..Limits::default()
    };
    for (size, is_ours) in [((8 << 30) - 1, true), (8 << 30, true), (7, false)] {
        let mut header = file_header("a/x", false, size, MTIME);
        if !is_ours {
            header[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
            seal(&mut header);
        }
        // The content is not there: that it is missed shows that the header was taken.
        let error = read_limited(&header, &limits).expect_err("no content");
        match error {
            ReadError::Truncated {
                at: Place::Tar(512),
                within: "a content",
            } => assert!(is_ours),
            ReadError::TarHeader {
                at: Place::Tar(124),
                field: "size",
                ..
            } => assert!(!is_ours),
            other => panic!("{other:?}"),
        }
    }
}
