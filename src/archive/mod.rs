//! Layouts as archives. The container's bytes are decided in `tar.rs`, the compressed ones in
//! `gzip.rs`, the order of entries by [`Layout`]; nothing else has a say.

pub mod deflate;
mod gzip;
pub(crate) mod tar;

use std::io::{self, Read, Write};

use crate::digest::{ContentDigest, Digest, Hasher};
use crate::error::{Diagnose, Kind};
use crate::event::Cancelled;
use crate::layout::{Entry, Layout, PackedCookbook};
use crate::tree::TreeError;
use gzip::GzipWriter;

/// An archive's format.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A tar of ustar headers in one gzip member.
    #[default]
    TarGz,
}

/// How hard the encoder tries.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Fast, and no larger than `gzip -6`.
    #[default]
    Default,
    /// As small as it gets, for what is written once and read often.
    Best,
}

impl Level {
    /// Its name, as it is written on a command line and in a receipt.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Best => "best",
        }
    }
}

/// 1980-01-01T00:00:00Z in seconds since 1970: the earliest time that every container can hold.
pub const DEFAULT_MTIME: u64 = 315_532_800;

/// The latest time that a ustar header holds, in seconds since 1970.
pub const LATEST_MTIME: u64 = (1 << 33) - 1;

/// What may differ between two archives of one layout.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveOptions {
    /// The time of every entry, in seconds since 1970, at most [`LATEST_MTIME`].
    pub mtime: u64,
}

impl Default for ArchiveOptions {
    fn default() -> Self {
        Self {
            mtime: DEFAULT_MTIME,
        }
    }
}

/// The compression level, that of `gzip -6`.
const LEVEL: u32 = 6;

/// The receipt of an archive that was written.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Its size in bytes.
    pub size: u64,
    /// The number of its files.
    pub files: usize,
    /// Its digests.
    pub digests: Digests,
    /// The cookbooks in it, by name.
    pub cookbooks: Vec<PackedCookbook>,
}

/// An archive's three identities.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of names, modes and contents: never changes for the same layout.
    pub content: ContentDigest,
    /// Of the uncompressed container: never changes within a major version of cookpack.
    pub container: Digest,
    /// Of the archive's own bytes.
    pub archive: Digest,
}

/// Why a layout could not be written.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output failed.
    #[error("cannot write the archive")]
    Output(#[source] io::Error),
    /// A source failed.
    #[error(transparent)]
    Source(#[from] TreeError),
    /// A file is not what it was when the layout was assembled.
    #[error("`{path}` changed while it was packed")]
    Changed {
        /// Its path in the archive.
        path: String,
    },
    /// The time is later than a header can hold.
    #[error("{mtime} is later than an archive's entry can hold, which is {LATEST_MTIME}")]
    TimeTooLate {
        /// The time in seconds since 1970.
        mtime: u64,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for WriteError {
    fn kind(&self) -> Kind {
        match self {
            Self::Output(_) => Kind::Internal,
            Self::Source(error) => error.kind(),
            Self::Changed { .. } | Self::TimeTooLate { .. } => Kind::User,
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }
}

/// Takes the bytes of content as they are written, and may stop the writing.
pub(crate) type Progress<'a> = dyn FnMut(u64) -> Result<(), Cancelled> + 'a;

impl Layout {
    /// Writes the layout as an archive. The same layout and options give the same bytes always and
    /// everywhere. Memory does not grow with the archive's size.
    ///
    /// # Errors
    /// [`WriteError`]; what was written to `out` until then is no archive.
    pub fn write_to(
        &self,
        out: &mut dyn Write,
        format: Format,
        options: &ArchiveOptions,
    ) -> Result<Archive, WriteError> {
        write(self, out, format, options, &mut |_| Ok(()))
    }
}

pub(crate) fn write(
    layout: &Layout,
    out: &mut dyn Write,
    format: Format,
    options: &ArchiveOptions,
    progress: &mut Progress<'_>,
) -> Result<Archive, WriteError> {
    let Format::TarGz = format;
    if options.mtime > LATEST_MTIME {
        return Err(WriteError::TimeTooLate {
            mtime: options.mtime,
        });
    }
    let compressed = Tee::new(out);
    let member = GzipWriter::new(compressed, LEVEL).map_err(WriteError::Output)?;
    let mut container = Tee::new(member);
    for entry in layout.entries() {
        write_entry(entry, options.mtime, &mut container, progress)?;
    }
    container.write_all(&tar::END).map_err(WriteError::Output)?;
    let compressed = container.inner.finish().map_err(WriteError::Output)?;
    compressed.inner.flush().map_err(WriteError::Output)?;
    Ok(Archive {
        size: compressed.bytes,
        files: layout.entries().len(),
        digests: Digests {
            content: layout.content_digest(),
            container: container.hasher.finish(),
            archive: compressed.hasher.finish(),
        },
        cookbooks: layout.cookbooks().to_vec(),
    })
}

fn write_entry(
    entry: &Entry,
    mtime: u64,
    out: &mut dyn Write,
    progress: &mut Progress<'_>,
) -> Result<(), WriteError> {
    let header = tar::file_header(
        entry.path().as_str(),
        entry.executable(),
        entry.size(),
        mtime,
    );
    out.write_all(&header).map_err(WriteError::Output)?;
    copy_entry(entry, out, progress)?;
    let padding = tar::padding(entry.size());
    out.write_all(&tar::END[..padding])
        .map_err(WriteError::Output)
}

/// Copies an entry's content, which must be what it was when the layout was assembled.
pub(crate) fn copy_entry(
    entry: &Entry,
    out: &mut dyn Write,
    progress: &mut Progress<'_>,
) -> Result<(), WriteError> {
    let changed = || WriteError::Changed {
        path: entry.path().to_string(),
    };
    let mut content = entry.open()?;
    let mut hasher = Hasher::default();
    let mut left = entry.size();
    let mut buffer = [0; 32 << 10];
    loop {
        let count = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(entry.read_error(error).into()),
        };
        // A file that grows must not run over into the next header.
        left = left.checked_sub(count as u64).ok_or_else(changed)?;
        hasher.update(&buffer[..count]);
        out.write_all(&buffer[..count])
            .map_err(WriteError::Output)?;
        progress(count as u64)?;
    }
    if left != 0 || hasher.finish() != entry.digest() {
        return Err(changed());
    }
    progress(0)?;
    Ok(())
}

/// Whether a file begins as every archive of ours does: our gzip header and our first tar header.
pub(crate) fn is_own(file: &mut dyn Read) -> bool {
    let mut gzip_header = [0; gzip::HEADER.len()];
    if file.read_exact(&mut gzip_header).is_err() || gzip_header != gzip::HEADER {
        return false;
    }
    let mut first = [0; tar::BLOCK];
    let mut decoder = flate2::read::DeflateDecoder::new(file);
    decoder.read_exact(&mut first).is_ok() && tar::is_own_first_header(&first)
}

/// A writer that counts and digests what passes.
struct Tee<W> {
    inner: W,
    hasher: Hasher,
    bytes: u64,
}

impl<W> Tee<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Hasher::default(),
            bytes: 0,
        }
    }
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
