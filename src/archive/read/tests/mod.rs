//! Archives made by hand, and whole ones taken apart: the tamper table of each format.

mod flips;
mod gzip;
mod large;
mod properties;
mod tar;
mod zip;
mod zip_builder;

use flate2::{Compress, Compression, Crc, FlushCompress};

use super::*;
use crate::archive::tar::{END, file_header, padding};

const MTIME: u64 = 315_532_800;

/// A file as a visitor takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    path: String,
    executable: bool,
    content: Vec<u8>,
}

fn file(path: &str, content: impl AsRef<[u8]>) -> File {
    File {
        path: path.to_owned(),
        executable: path.ends_with("run"),
        content: content.as_ref().to_vec(),
    }
}

/// Files in two cookbooks, sorted.
fn sample() -> Vec<File> {
    vec![
        file("apt/metadata.json", "{\"name\":\"apt\"}"),
        file("apt/recipes/é.rb", "package 'apt'\n".repeat(40)),
        file("web/bin/run", "#!/bin/sh\n"),
        file("web/empty", ""),
        file("web/metadata.json", [b'x'; 512]),
    ]
}

/// Takes everything, and compares what it is told with it.
#[derive(Default)]
struct Collect {
    contents: Vec<(String, Vec<u8>)>,
    files: Vec<File>,
}

impl Visitor for Collect {
    fn content(&mut self, path: &ArchivePath, content: &mut dyn Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        self.contents.push((path.to_string(), bytes));
        Ok(())
    }

    fn file(&mut self, file: &ReadFile<'_>) -> io::Result<()> {
        let (path, content) = &self.contents[self.files.len()];
        assert_eq!(path, file.path.as_str());
        assert_eq!(file.size, content.len() as u64);
        assert_eq!(file.digest, Digest::of(content));
        self.files.push(File {
            path: path.clone(),
            executable: file.executable,
            content: content.clone(),
        });
        Ok(())
    }
}

fn read_limited(mut bytes: &[u8], limits: &Limits) -> Result<(ReadReceipt, Vec<File>), ReadError> {
    let mut collect = Collect::default();
    let cancel = CancelToken::default();
    let receipt = read_archive(&mut bytes, None, limits, &mut collect, &cancel)?;
    Ok((receipt, collect.files))
}

fn read(bytes: &[u8]) -> Result<(ReadReceipt, Vec<File>), ReadError> {
    read_limited(bytes, &Limits::default())
}

fn refused(bytes: &[u8]) -> ReadError {
    read(bytes).expect_err("an archive that is refused")
}

/// Asserts that an archive is refused with an error of this form.
macro_rules! assert_refused {
    ($bytes:expr, $pattern:pat $(if $guard:expr)?) => {{
        let error = $crate::archive::read::tests::refused(&$bytes);
        assert!(matches!(&error, $pattern $(if $guard)?), "{error:?}");
    }};
}
use assert_refused;

fn content_digest(files: &[File]) -> ContentDigest {
    ContentDigest::of(
        files
            .iter()
            .map(|f| (&*f.path, f.executable, Digest::of(&f.content))),
    )
}

/// A file's header, content and padding.
fn tar_entry(file: &File) -> Vec<u8> {
    let size = file.content.len() as u64;
    let mut bytes = file_header(&file.path, file.executable, size, MTIME);
    bytes.extend_from_slice(&file.content);
    bytes.resize(bytes.len() + padding(size), 0);
    bytes
}

fn tar_of(files: &[File]) -> Vec<u8> {
    let mut tar: Vec<u8> = files.iter().flat_map(tar_entry).collect();
    tar.extend_from_slice(&END);
    tar
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(content.len() + 100);
    let mut encoder = Compress::new(Compression::new(6), false);
    encoder
        .compress_vec(content, &mut packed, FlushCompress::Finish)
        .expect("deflate");
    assert_eq!(encoder.total_in(), content.len() as u64);
    packed
}

fn crc_of(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

/// One gzip member with our header.
fn gzip_of(tar: &[u8]) -> Vec<u8> {
    let mut bytes = crate::archive::gzip::HEADER.to_vec();
    bytes.extend(deflate(tar));
    bytes.extend(crc_of(tar).to_le_bytes());
    bytes.extend((tar.len() as u32).to_le_bytes());
    bytes
}

#[test]
fn a_format_is_known_by_its_first_bytes() {
    let tar = tar_of(&sample());
    let zip = zip_builder::zip_of(&sample());
    for (bytes, format) in [
        (gzip_of(&tar), Format::TarGz),
        (tar, Format::Tar),
        (tar_of(&[]), Format::Tar),
        (gzip_of(&tar_of(&[])), Format::TarGz),
        (zip, Format::Zip),
        (zip_builder::zip_of(&[]), Format::Zip),
    ] {
        let (receipt, _) = read(&bytes).expect("an archive");
        assert_eq!(receipt.format, format);
        assert_eq!(receipt.size, bytes.len() as u64);
        assert_eq!(receipt.archive, Digest::of(&bytes));
    }
    for (bytes, seems) in [
        (&b""[..], "nothing"),
        (b"BZh91AY", "something that bzip2 compressed"),
        (b"<!DOCTYPE html>", "a web page"),
    ] {
        assert_refused!(bytes, ReadError::NotAnArchive { found } if *found == seems);
    }
}

#[test]
fn a_receipt_says_what_was_read() {
    let files = sample();
    let tar = tar_of(&files);
    // One line a cookbook, over the headers of its entries and the digests of their contents.
    let (mut apt, mut web, mut at) = (Vec::new(), Vec::new(), 0);
    for file in &files {
        let segment = match file.path.starts_with("apt/") {
            true => &mut apt,
            false => &mut web,
        };
        segment.extend(&tar[at..at + 512]);
        segment.extend(Digest::of(&file.content).as_bytes());
        at += 512 + file.content.len().next_multiple_of(512);
    }
    assert_eq!(at, tar.len() - 1024);
    let lines = format!("{}  apt\n{}  web\n", Digest::of(apt), Digest::of(web));
    for bytes in [gzip_of(&tar), tar.clone()] {
        let (receipt, read) = read(&bytes).expect("an archive");
        assert_eq!(read, files);
        assert_eq!(receipt.files, 5);
        assert_eq!(receipt.mtime, Some(MTIME));
        assert_eq!(receipt.content, content_digest(&files));
        assert_eq!(
            receipt.container.expect("a tar").to_string(),
            format!("t1:{}", Digest::of(&lines))
        );
        let size: usize = files.iter().map(|f| f.content.len()).sum();
        assert_eq!(receipt.content_bytes, size as u64);
    }
    let (receipt, read) = read(&zip_builder::zip_of(&files)).expect("an archive");
    assert_eq!(read, files);
    assert_eq!(receipt.container, None);
    assert_eq!(receipt.content, content_digest(&files));
    assert_eq!((receipt.files, receipt.mtime), (5, Some(MTIME)));
}

/// Reads a part of each content at most, in pieces of one byte.
struct Lazy(usize);

impl Visitor for Lazy {
    fn content(&mut self, _: &ArchivePath, content: &mut dyn Read) -> io::Result<()> {
        let mut byte = [0];
        for _ in 0..self.0 {
            content.read_exact(&mut byte).or_else(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => Ok(()),
                _ => Err(e),
            })?;
        }
        Ok(())
    }
}

/// Gives one byte at a time, and is interrupted before each.
struct Slow<'a>(&'a [u8], bool);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = into.len().min(1);
        self.0.read(&mut into[..length])
    }
}

fn all_formats(files: &[File]) -> [Vec<u8>; 3] {
    let tar = tar_of(files);
    [gzip_of(&tar), tar, zip_builder::zip_of(files)]
}

#[test]
fn what_nobody_takes_is_read_and_checked_all_the_same() {
    let (limits, cancel) = (Limits::default(), CancelToken::default());
    for bytes in all_formats(&sample()) {
        let whole = read(&bytes).expect("an archive").0;
        for count in [0, 1, 100, 2000] {
            let mut slow = Slow(&bytes, false);
            let receipt = read_archive(&mut slow, None, &limits, &mut Lazy(count), &cancel);
            assert_eq!(receipt.expect("an archive"), whole);
        }
        let receipt = read_archive(&mut &bytes[..], None, &limits, &mut (), &cancel);
        assert_eq!(receipt.expect("an archive"), whole);
    }
}

#[test]
fn an_archive_that_is_cut_short_anywhere_is_refused() {
    for bytes in all_formats(&sample()) {
        for length in 0..bytes.len() {
            let error = refused(&bytes[..length]);
            let end = length as u64;
            match error {
                ReadError::NotAnArchive { .. } => assert!(length < 512, "{length}"),
                ReadError::Truncated { at, .. } => {
                    assert!(at == Place::Archive(end) || at == Place::Tar(end), "{at}");
                }
                other => panic!("{length}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_visitor_that_fails_ends_the_reading() {
    struct Full;
    impl Visitor for Full {
        fn content(&mut self, _: &ArchivePath, _: &mut dyn Read) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    struct Wrong;
    impl Visitor for Wrong {
        fn file(&mut self, _: &ReadFile<'_>) -> io::Result<()> {
            Err(io::ErrorKind::NotFound.into())
        }
    }
    let (limits, cancel) = (Limits::default(), CancelToken::default());
    for bytes in all_formats(&sample()) {
        for visitor in [&mut Full as &mut dyn Visitor, &mut Wrong] {
            let error = read_archive(&mut &bytes[..], None, &limits, visitor, &cancel);
            assert!(matches!(error, Err(ReadError::Visitor(_))), "{error:?}");
        }
    }
}

#[test]
fn the_archives_own_damage_is_told_and_not_what_a_visitor_makes_of_it() {
    struct Hides;
    impl Visitor for Hides {
        fn content(&mut self, _: &ArchivePath, content: &mut dyn Read) -> io::Result<()> {
            let _ = io::copy(content, &mut io::sink());
            Ok(())
        }
    }
    let tar = tar_of(&sample());
    let error = read_archive(
        &mut &tar[..520],
        None,
        &Limits::default(),
        &mut Hides,
        &CancelToken::default(),
    );
    assert!(
        matches!(
            error,
            Err(ReadError::Truncated {
                at: Place::Tar(520),
                within: "a content"
            })
        ),
        "{error:?}"
    );
}

#[test]
fn an_input_that_fails_is_no_deviation() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let cancel = CancelToken::default();
    let error = read_archive(&mut Broken, None, &Limits::default(), &mut (), &cancel);
    assert!(matches!(error, Err(ReadError::Input(_))), "{error:?}");
}

#[test]
fn reading_stops_when_it_is_cancelled() {
    let cancel = CancelToken::default();
    cancel.cancel();
    for bytes in all_formats(&sample()) {
        let error = read_archive(&mut &bytes[..], None, &Limits::default(), &mut (), &cancel);
        assert!(matches!(error, Err(ReadError::Cancelled(_))), "{error:?}");
    }
}

#[test]
fn limits_hold_exactly() {
    let files = [file("a/x", [b'x'; 3000]), file("a/y", [b'y'; 2000])];
    let [gzip, tar, zip] = all_formats(&files);
    let tar_size = tar.len() as u64;
    type Set = fn(&mut Limits, u64);
    let file_bytes: Set = |limits, to| limits.file_bytes = to;
    let archive_files: Set = |limits, to| limits.archive_files = to;
    let archive_bytes: Set = |limits, to| limits.archive_bytes = to;
    for (bytes, set, exact) in [
        (&gzip, file_bytes, 3000),
        (&tar, file_bytes, 3000),
        (&zip, file_bytes, 3000),
        (&gzip, archive_files, 2),
        (&tar, archive_files, 2),
        (&zip, archive_files, 2),
        (&gzip, archive_bytes, tar_size),
        (&tar, archive_bytes, tar_size),
        (&zip, archive_bytes, 5000),
    ] {
        let with = |limit| {
            let mut limits = Limits::default();
            set(&mut limits, limit);
            read_limited(bytes, &limits)
        };
        assert!(with(exact).is_ok());
        assert!(with(exact + 1).is_ok());
        let error = with(exact - 1).expect_err("a limit");
        assert!(
            matches!(
                error,
                ReadError::FileTooLarge { .. }
                    | ReadError::TooLarge { .. }
                    | ReadError::TooMany { .. }
            ),
            "{error:?}"
        );
    }
}

#[test]
fn a_bomb_is_stopped_before_it_is_unpacked() {
    // 256 MiB of zeros, of which 4 MiB are too many.
    let limits = Limits {
        archive_bytes: 4 << 20,
        file_bytes: 4 << 20,
        ..Limits::default()
    };
    let mut tar = file_header("a/bomb", false, 256 << 20, MTIME);
    let error = read_limited(&tar, &limits).expect_err("a bomb");
    assert!(matches!(error, ReadError::FileTooLarge { .. }), "{error:?}");
    // The end of the tar is zeros: it may not go on for ever.
    tar = vec![0; 16 << 20];
    assert_refused!(
        gzip_of(&tar),
        ReadError::AfterEnd {
            at: Place::Tar(1024)
        }
    );
    let bomb = zip_builder::zip_of(&[file("a/bomb", vec![0; 16 << 20])]);
    let error = read_limited(&bomb, &limits).expect_err("a bomb");
    assert!(matches!(error, ReadError::FileTooLarge { .. }), "{error:?}");
}

#[test]
fn what_is_told_says_where_and_what_to_do() {
    use crate::error::Diagnose as _;
    let mut tar = tar_of(&sample());
    tar[265] = b'r';
    let error = refused(&gzip_of(&tar));
    assert_eq!(
        error.to_string(),
        "the user's name in the tar header of `apt/metadata.json`, at byte 265 of the uncompressed tar, is not what cookpack writes"
    );
    assert_eq!(error.kind(), crate::error::Kind::Verification);
    assert_eq!(error.diagnostics()[0].hints.len(), 1);
    let limits = Limits {
        archive_files: 1,
        ..Limits::default()
    };
    let error = read_limited(&tar_of(&sample()), &limits).expect_err("a limit");
    assert_eq!(error.kind(), crate::error::Kind::User);
}
