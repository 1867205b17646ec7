//! A strict reader of the archives that cookpack writes: tar.gz, tar and zip, from the first byte to
//! the last, in one pass and without seeking.
//!
//! What can be written in one way only is accepted in that way only: each header is built anew from
//! what was read and compared byte by byte, so that whatever deviates has a name and an offset in a
//! [`ReadError`], and an archive that is accepted means the same to every reader. Of the compressed
//! data any valid deflate is accepted: which one it is, the archive's digest tells.
//!
//! What a [`Visitor`] is given on the way is not proven before [`read_archive`] returns a receipt.

mod content;
mod error;
mod gzip;
mod input;
mod paths;
mod records;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::io::{self, Read};

pub use error::{Place, ReadError};

use self::content::Visit;
use self::gzip::TarStream;
use self::input::Input;
use self::paths::Paths;
use crate::archive::Format;
use crate::digest::{ContainerDigest, ContentDigest, ContentHasher, Digest};
use crate::event::CancelToken;
use crate::limits::Limits;
use crate::path::ArchivePath;

impl Format {
    /// The format of an archive that begins like this, if it is one of ours. 512 bytes suffice.
    pub fn of_start(start: &[u8]) -> Option<Self> {
        let is_tar = start.get(257..262) == Some(b"ustar")
            || start.len() >= super::tar::BLOCK
                && start[..super::tar::BLOCK].iter().all(|b| *b == 0);
        match start {
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ => is_tar.then_some(Self::Tar),
        }
    }
}

/// A file of an archive, of which all has been read.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadFile<'a> {
    /// Its path.
    pub path: &'a ArchivePath,
    /// Whether its mode is 755 rather than 644.
    pub executable: bool,
    /// Bytes of content.
    pub size: u64,
    /// The digest of the content.
    pub digest: Digest,
}

/// Takes what an archive holds while it is read.
pub trait Visitor {
    /// Takes the content of the next file. What is not read here is read, and checked, all the same.
    ///
    /// # Errors
    /// When the content cannot be taken: nothing more is read then.
    fn content(&mut self, path: &ArchivePath, content: &mut dyn Read) -> io::Result<()> {
        let _ = (path, content);
        Ok(())
    }

    /// Takes what is known of a file. The files come in the order of their contents, but not always
    /// one right after the other: a zip archive tells modes at its end, behind all contents.
    ///
    /// # Errors
    /// When it cannot be taken: nothing more is read then.
    fn file(&mut self, file: &ReadFile<'_>) -> io::Result<()> {
        let _ = file;
        Ok(())
    }
}

/// The visitor whom the receipt suffices.
impl Visitor for () {}

/// The receipt of an archive that was read to its end and deviates in nothing.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadReceipt {
    /// Its format.
    pub format: Format,
    /// Its size in bytes.
    pub size: u64,
    /// The number of its files.
    pub files: u64,
    /// Bytes of content of all its files.
    pub content_bytes: u64,
    /// The one time of its files, in seconds since 1970; none where it has no file.
    pub mtime: Option<u64>,
    /// The identity of names, modes and contents.
    pub content: ContentDigest,
    /// The identity of the uncompressed tar; none for a zip archive.
    pub container: Option<ContainerDigest>,
    /// The digest of the archive's own bytes.
    pub archive: Digest,
}

/// Reads a whole archive. Without a `format` its first bytes decide. Memory grows with the names in
/// one folder at most, and in a zip archive by 56 bytes a file.
///
/// # Errors
/// [`ReadError`], at the first deviation; or when `input` or `visitor` fails, or somebody cancels.
pub fn read_archive(
    input: &mut dyn Read,
    format: Option<Format>,
    limits: &Limits,
    visitor: &mut dyn Visitor,
    cancel: &CancelToken,
) -> Result<ReadReceipt, ReadError> {
    let mut input = Input::new(input);
    let start = input.fill()?;
    let format = match format.or_else(|| Format::of_start(start)) {
        Some(format) => format,
        None => {
            return Err(ReadError::NotAnArchive {
                found: crate::tarball::guess(start),
            });
        }
    };
    let mut reading = Reading {
        limits,
        visit: Visit::new(visitor, cancel),
        paths: Paths::new(limits),
        content: ContentHasher::default(),
        content_bytes: 0,
        mtime: None,
    };
    let container = match format {
        Format::Zip => {
            zip::read(&mut input, &mut reading)?;
            None
        }
        Format::TarGz | Format::Tar => {
            let is_gzip = format == Format::TarGz;
            let mut stream = TarStream::open(&mut input, is_gzip, limits)?;
            let container = tar::read(&mut stream, &mut reading)?;
            stream.end()?;
            Some(container)
        }
    };
    let (size, archive) = input.end()?;
    Ok(ReadReceipt {
        format,
        size,
        files: reading.paths.count(),
        content_bytes: reading.content_bytes,
        mtime: reading.mtime,
        content: reading.content.finish(),
        container,
        archive,
    })
}

/// What the readers of all formats have in common.
struct Reading<'a> {
    limits: &'a Limits,
    visit: Visit<'a>,
    paths: Paths,
    content: ContentHasher,
    content_bytes: u64,
    mtime: Option<u64>,
}

impl Reading<'_> {
    /// Takes a file of which all is known.
    fn file(&mut self, file: &ReadFile<'_>) -> Result<(), ReadError> {
        self.content
            .file(file.path.as_str(), file.executable, file.digest);
        self.visit.file(file)
    }

    /// All files have one time.
    fn check_time(&mut self, mtime: u64, path: &ArchivePath, at: Place) -> Result<(), ReadError> {
        let first = *self.mtime.get_or_insert(mtime);
        if first == mtime {
            return Ok(());
        }
        Err(ReadError::Time {
            at,
            path: path.to_string(),
            mtime,
            first,
        })
    }

    /// Refuses a file that is too large by itself, as soon as that is known.
    fn check_size(&self, size: u64, path: &ArchivePath) -> Result<(), ReadError> {
        let limit = self.limits.file_bytes;
        if size <= limit {
            return Ok(());
        }
        Err(ReadError::FileTooLarge {
            path: path.to_string(),
            limit,
        })
    }
}

/// The name of the field in which an offset lies: `fields` are where each begins and what it is.
fn field_at(fields: &[(usize, &'static str)], offset: usize) -> &'static str {
    let before = fields.iter().take_while(|(start, _)| *start <= offset);
    before.last().map_or("", |(_, name)| name)
}

/// The first offset at which two texts differ, the end of the shorter one included.
fn first_difference(found: &[u8], wanted: &[u8]) -> Option<usize> {
    let pairs = found.iter().zip(wanted);
    let same = pairs.take_while(|(a, b)| a == b).count();
    (same < found.len() || same < wanted.len()).then_some(same)
}
