//! The gzip member, taken apart.

use super::*;

fn member() -> Vec<u8> {
    gzip_of(&tar_of(&sample()))
}

#[test]
fn each_byte_of_the_gzip_header_is_ours() {
    let fields = [
        "magic number",
        "magic number",
        "method",
        "flags",
        "time",
        "time",
        "time",
        "time",
        "extra flags",
        "operating system",
    ];
    for (offset, wanted) in fields.into_iter().enumerate() {
        let mut bytes = member();
        bytes[offset] ^= 8;
        let error = read_archive(
            &mut &bytes[..],
            Some(Format::TarGz),
            &Limits::default(),
            &mut (),
            &CancelToken::default(),
        );
        let place = Place::Archive(offset as u64);
        assert!(
            matches!(&error, Err(ReadError::GzipHeader { at, field }) if *at == place && *field == wanted),
            "{error:?}"
        );
    }
}

#[test]
fn a_wrong_checksum_of_the_member_is_refused() {
    let mut bytes = member();
    let at = bytes.len() - 8;
    bytes[at] ^= 1;
    assert_refused!(
        bytes,
        ReadError::GzipChecksum { at: Place::Archive(place), .. } if *place == at as u64
    );
}

#[test]
fn a_wrong_length_of_the_member_is_refused() {
    let mut bytes = member();
    let at = bytes.len() - 4;
    bytes[at] ^= 1;
    assert_refused!(
        bytes,
        ReadError::GzipLength { at: Place::Archive(place), .. } if *place == at as u64
    );
}

#[test]
fn a_second_member_is_refused() {
    let bytes = member();
    let end = bytes.len() as u64;
    for second in [bytes.clone(), gzip_of(b"")] {
        assert_refused!(
            [&bytes[..], &second].concat(),
            ReadError::SecondMember { at: Place::Archive(at) } if *at == end
        );
    }
    // A tar in two members, which gzip itself reads as one.
    let tar = tar_of(&sample());
    let (one, two) = tar.split_at(1024);
    assert_refused!(
        [gzip_of(one), gzip_of(two)].concat(),
        ReadError::Truncated {
            at: Place::Tar(1024),
            ..
        }
    );
}

#[test]
fn anything_behind_the_member_is_refused() {
    let bytes = member();
    let end = bytes.len() as u64;
    for more in [&b"\0"[..], b"x", &[0; 512]] {
        assert_refused!(
            [&bytes[..], more].concat(),
            ReadError::AfterEnd { at: Place::Archive(at) } if *at == end
        );
    }
}

#[test]
fn compressed_data_that_is_none_is_refused() {
    let mut bytes = member();
    // A block of the type that does not exist.
    bytes[10] = 7;
    assert_refused!(bytes, ReadError::Deflate { at: Place::Archive(at), .. } if (10..14).contains(at));
}

#[test]
fn any_deflate_is_read() {
    let tar = tar_of(&sample());
    let whole = read(&member()).expect("an archive").0;
    // Stored blocks of any length, empty ones between them, and an empty last one, as the encoder of
    // our own ends.
    for step in [1, 100, 511, 65_535] {
        let mut bytes = crate::archive::gzip::HEADER.to_vec();
        for piece in tar.chunks(step) {
            let length = piece.len() as u16;
            bytes.push(0);
            bytes.extend(length.to_le_bytes());
            bytes.extend((!length).to_le_bytes());
            bytes.extend(piece);
            bytes.extend([0, 0, 0, 0xff, 0xff]);
        }
        bytes.extend([3, 0]);
        bytes.extend(crc_of(&tar).to_le_bytes());
        bytes.extend((tar.len() as u32).to_le_bytes());
        let (receipt, files) = read(&bytes).expect("an archive");
        assert_eq!(files, sample());
        assert_eq!(receipt.container, whole.container);
        assert_ne!(receipt.archive, whole.archive);
    }
}
