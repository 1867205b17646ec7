//! Layouts as archives. The container's bytes are decided in `tar.rs` and `zip/headers.rs`, the
//! compressed ones in `deflate.rs`, what stands around those of a tar in `gzip.rs`, the order of entries by [`Layout`]; nothing else
//! has a say.

mod ahead;
mod buffers;
mod contents;
pub mod deflate;
mod gzip;
mod joiner;
mod output;
mod pool;
mod read;
pub(crate) mod segment;
pub(crate) mod tar;
mod tar_gz;
#[cfg(test)]
mod tests;
mod tools;
pub(crate) mod trail;
mod zip;

use std::fmt;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use crate::digest::{
    ContainerDigest, ContainerHasher, ContentDigest, Digest, Hasher, SegmentHasher,
};
use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;
use crate::layout::{Entry, Layout, PackedCookbook};
use crate::tree::TreeError;
pub(crate) use ahead::Ahead;
use buffers::Buffers;
use contents::Contents;
use output::Output;
pub use read::{Place, ReadError, ReadFile, ReadReceipt, Visitor, read_archive};
use segment::SegmentStore;
pub(crate) use tools::Tools;

/// An archive's format.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A tar of ustar headers in one gzip member.
    #[default]
    TarGz,
    /// A tar as it is.
    Tar,
    /// A zip of deflated files.
    Zip,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::TarGz, Self::Tar, Self::Zip];

    /// The format's own word, which is the ending of a file's name as well.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TarGz => "tar.gz",
            Self::Tar => "tar",
            Self::Zip => "zip",
        }
    }

    /// The format that the ending of a file's name stands for, in capitals or not; `tgz` is `tar.gz`.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let has_ending = |ending: &str| {
            let stem = name
                .strip_suffix(ending)
                .and_then(|stem| stem.strip_suffix('.'));
            stem.is_some_and(|stem| !stem.is_empty())
        };
        let is_tgz = has_ending("tgz").then_some(Self::TarGz);
        is_tgz.or_else(|| {
            Self::ALL
                .into_iter()
                .find(|format| has_ending(format.as_str()))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How hard an archive is compressed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// As fast as can be without being larger than `gzip -6`.
    #[default]
    Default,
    /// As small as can be, for what is made once and fetched often.
    Best,
}

impl Level {
    /// The level's own word.
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

/// How an archive is written.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveOptions {
    /// The time of every entry, in seconds since 1970, at most [`LATEST_MTIME`].
    pub mtime: u64,
    /// How hard it is compressed.
    pub level: Level,
    /// On how many threads it is compressed; 1 is the caller's own. No byte depends on it.
    pub jobs: NonZeroUsize,
}

impl Default for ArchiveOptions {
    fn default() -> Self {
        Self {
            mtime: DEFAULT_MTIME,
            level: Level::default(),
            jobs: NonZeroUsize::MIN,
        }
    }
}

/// The receipt of an archive that was written.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Its format.
    pub format: Format,
    /// How it is compressed, if it is.
    pub compression: Option<Compression>,
    /// Its size in bytes.
    pub size: u64,
    /// The number of its files.
    pub files: usize,
    /// Its digests.
    pub digests: Digests,
    /// The cookbooks in it, by name.
    pub cookbooks: Vec<PackedCookbook>,
}

/// What decides on compressed bytes, beside the bytes that are compressed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// The encoder. One of another name gives other bytes; one of the same name never does.
    pub encoder: &'static str,
    /// How hard it tries.
    pub level: Level,
    /// Bytes of input that are compressed at a time.
    pub block: u64,
}

impl Compression {
    fn of(options: &ArchiveOptions) -> Self {
        Self {
            encoder: deflate::ENCODER,
            level: options.level,
            block: segment::BLOCK as u64,
        }
    }
}

/// An archive's three identities.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of names, modes and contents: never changes for the same layout.
    pub content: ContentDigest,
    /// Of the uncompressed tar, if there is one: never changes within a major version of cookpack.
    pub container: Option<ContainerDigest>,
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
    /// A segment in the store could not be read to its end.
    #[error("cannot read a compressed segment in the store")]
    Segment(#[source] io::Error),
    /// The time is later than a header can hold.
    #[error("{mtime} is later than an archive's entry can hold, which is {LATEST_MTIME}")]
    TimeTooLate {
        /// The time in seconds since 1970.
        mtime: u64,
    },
    /// The time is one that a zip cannot hold.
    #[error("{mtime} is no time that a zip can hold: from {} (1980) to {} (2107)", zip::TIMES.start(), zip::TIMES.end())]
    NoZipTime {
        /// The time in seconds since 1970.
        mtime: u64,
    },
    /// A path is longer than a zip can hold.
    #[error("the path `{}...` is longer than the {} bytes that a zip can hold", &path[..path.floor_char_boundary(100)], zip::LONGEST_PATH)]
    PathTooLong {
        /// The path.
        path: String,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for WriteError {
    fn kind(&self) -> Kind {
        match self {
            Self::Output(_) | Self::Segment(_) => Kind::Internal,
            Self::Source(error) => error.kind(),
            Self::Changed { .. }
            | Self::TimeTooLate { .. }
            | Self::NoZipTime { .. }
            | Self::PathTooLong { .. } => Kind::User,
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::Source(error) => return error.diagnostics(),
            Self::Changed { .. } => shown.hint("build again when nothing writes there"),
            Self::NoZipTime { .. } | Self::TimeTooLate { .. } => {
                shown.hint("give a time within that range, or none: SOURCE_DATE_EPOCH sets it")
            }
            Self::PathTooLong { .. } => shown.hint("write a tar.gz: it holds paths of any length"),
            _ => shown,
        }]
    }
}

impl WriteError {
    /// A thread panicked, which goes on in the caller's thread.
    fn thread_ended() -> Self {
        Self::Output(io::Error::other("a thread ended"))
    }
}

/// Takes the bytes of content as they are written, and may stop the writing.
pub(crate) type Progress<'a> = dyn FnMut(u64) -> Result<(), Cancelled> + 'a;

/// What writing is done with: none of it decides on a byte.
pub(crate) struct Writing<'a> {
    /// Where compressed segments are kept.
    pub(crate) segments: Option<&'a dyn SegmentStore>,
    /// What compressing works with.
    pub(crate) tools: Tools,
    /// Who hears of it.
    pub(crate) progress: &'a mut Progress<'a>,
}

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
        let writing = Writing {
            segments: None,
            tools: Tools::default(),
            progress: &mut |_| Ok(()),
        };
        write(self, out, format, options, writing)
    }
}

pub(crate) fn write<'a>(
    layout: &'a Layout,
    out: &mut dyn Write,
    format: Format,
    options: &'a ArchiveOptions,
    mut writing: Writing<'a>,
) -> Result<Archive, WriteError> {
    if options.mtime > LATEST_MTIME {
        return Err(WriteError::TimeTooLate {
            mtime: options.mtime,
        });
    }
    let buffers = writing.tools.buffers().clone();
    let mut out = Output::new(out, options.jobs, writing.segments, buffers);
    let (container, content) = thread::scope(|scope| {
        // Where there may be several threads, it is digested while the archive is written.
        let (contents, elsewhere) = match options.jobs.get() {
            1 => (Contents::Here, None),
            _ => {
                let (sender, digests) = mpsc::channel();
                let digest = move || contents::digest(layout, &sender);
                (Contents::There(digests), Some(scope.spawn(digest)))
            }
        };
        let (writing, contents) = (&mut writing, &contents);
        let container = match format {
            Format::TarGz => Some(tar_gz::write(layout, options, writing, contents, &mut out)?),
            Format::Tar => Some(write_tar(layout, options, writing, &mut out)?),
            Format::Zip => {
                zip::write(layout, options, writing, contents, &mut out)?;
                None
            }
        };
        let digest = || layout.content_digest();
        let content = elsewhere.map_or_else(|| Ok(digest()), thread::ScopedJoinHandle::join);
        let content = content.map_err(|_| WriteError::thread_ended())?;
        Ok::<_, WriteError>((container, content?))
    })?;
    let (size, digest) = out.finish()?;
    Ok(Archive {
        format,
        compression: match format {
            Format::Tar => None,
            Format::TarGz | Format::Zip => Some(Compression::of(options)),
        },
        size,
        files: layout.file_count(),
        digests: Digests {
            content,
            container,
            archive: digest,
        },
        cookbooks: layout.cookbooks().to_vec(),
    })
}

/// Writes a tar as it is.
fn write_tar(
    layout: &Layout,
    options: &ArchiveOptions,
    writing: &mut Writing<'_>,
    out: &mut Output<'_>,
) -> Result<ContainerDigest, WriteError> {
    let mut container = ContainerHasher::default();
    let mut scratch = Scratch::default();
    for run in segment::runs(layout) {
        let run = run?;
        let mut hasher = SegmentHasher::default();
        for entry in run.entries.iter() {
            let header = tar::entry_header(entry, options.mtime);
            hasher.entry(&header, entry.digest());
            tar::entry_bytes(entry, &header, &mut scratch, &mut |bytes| out.write(bytes))?;
            (writing.progress)(entry.size())?;
        }
        container.line(&run.folder, hasher.finish());
    }
    out.write(&tar::END)?;
    Ok(container.finish())
}

/// Memory that is used again for each file.
struct Scratch {
    piece: Vec<u8>,
    /// For blocks.
    buffers: Buffers,
}

impl Scratch {
    fn with(buffers: Buffers) -> Self {
        Self {
            piece: vec![0; 64 << 10],
            buffers,
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::with(Buffers::default())
    }
}

/// Gives an entry's content in pieces. It must be what it was when the layout was assembled.
fn copy_pieces(
    entry: Entry<'_>,
    scratch: &mut Scratch,
    take: &mut dyn FnMut(&[u8]) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let changed = || WriteError::Changed {
        path: entry.path().to_string(),
    };
    // Nobody could have changed it since it was digested.
    if let Some(content) = entry.held() {
        return take(content);
    }
    let mut content = entry.open()?;
    let mut hasher = Hasher::default();
    let mut left = entry.size();
    loop {
        let count = match content.read(&mut scratch.piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(entry.read_error(error).into()),
        };
        // A file that grows must not run over into the next header.
        left = left.checked_sub(count as u64).ok_or_else(changed)?;
        let piece = &scratch.piece[..count];
        hasher.update(piece);
        take(piece)?;
    }
    match left == 0 && hasher.finish() == entry.digest() {
        true => Ok(()),
        false => Err(changed()),
    }
}

/// Copies an entry's content, which must be what it was when the layout was assembled.
pub(crate) fn copy_entry(
    entry: Entry<'_>,
    out: &mut dyn Write,
    progress: &mut Progress<'_>,
) -> Result<(), WriteError> {
    copy_pieces(entry, &mut Scratch::default(), &mut |piece| {
        out.write_all(piece).map_err(WriteError::Output)?;
        Ok(progress(piece.len() as u64)?)
    })
}

/// Whether a file that begins so may be an archive of ours.
pub(crate) fn begins_as_own(start: &[u8]) -> bool {
    start.starts_with(&gzip::HEADER)
        || zip::begins_as_own(start)
        || start.first_chunk().is_some_and(tar::is_own_first_header)
}

/// Whether a file is an archive of ours: a tar.gz by our gzip header and our first tar header, a tar by
/// all of its headers and its end, a zip by how its first content is compressed.
pub(crate) fn is_own(file: &mut dyn Read) -> bool {
    let mut start = [0; gzip::HEADER.len()];
    if file.read_exact(&mut start).is_err() {
        return false;
    }
    if start != gzip::HEADER {
        let mut file = start.chain(file);
        return match zip::begins_as_own(&start) {
            true => zip::is_own(&mut file),
            false => tar::is_own(&mut file),
        };
    }
    let mut first = [0; tar::BLOCK];
    let mut decoder = flate2::read::DeflateDecoder::new(file);
    decoder.read_exact(&mut first).is_ok() && tar::is_own_first_header(&first)
}
