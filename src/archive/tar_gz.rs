//! Writes a layout as a tar in one gzip member: the segments of its cookbooks, joined. What a store has
//! of them is taken from there; the rest is read, cut into blocks, and compressed on several threads.
//!
//! A block may refer to what stands before it, across cookbooks, so a segment depends on the last bytes
//! of the one before it. A head says what its segment ends with, so that a chain of segments that are
//! kept is followed without reading a file.

use super::ahead::{self, Work};
use super::contents::Contents;
use super::deflate::{Encoder, WINDOW};
use super::joiner::{Give, Joiner, SegmentOutput, Wire};
use super::output::Output;
use super::pool::with_pool;
use super::segment::{self, Block, Run};
use super::{ArchiveOptions, Format, Scratch, WriteError, Writing, gzip, tar};
use crate::digest::{ContainerDigest, ContainerHasher, Digest, SegmentHasher};
use crate::layout::{Folder, Layout, SharedEntry};
use crate::tree::TreeError;

/// Writes the archive. Gives the digest of the tar.
pub(super) fn write<'a>(
    layout: &'a Layout,
    options: &'a ArchiveOptions,
    writing: &mut Writing<'a>,
    contents: &Contents,
    out: &mut Output<'_>,
) -> Result<ContainerDigest, WriteError> {
    out.write(&gzip::HEADER)?;
    let mut member = with_pool(options.jobs, &writing.tools.clone(), |pool| {
        let again = |run: &Run<'a>, scratch: &mut Scratch, give: &mut Give<'_, Block>| {
            let before = layout.entries_before(run.range.start);
            let before = window_behind(before, options.mtime, scratch)?;
            Ok(blocks(run, options.mtime, before, scratch, give)?.0)
        };
        let mut joiner = Joiner::new(Member::default(), options, writing, out, pool, &again);
        let mut before = Window::Bytes(Vec::new());
        for run in segment::runs(layout) {
            let run = &run?;
            let content = contents.next(run);
            let key = segment::key(content, Format::TarGz, options, before.digest());
            before = match joiner.find(run, &key) {
                Some(stored) => {
                    let window = stored.1.window;
                    joiner.add_stored(run, key, stored)?;
                    Window::Digest(window)
                }
                None => {
                    let bytes = match before {
                        Window::Bytes(bytes) => bytes,
                        Window::Digest(_) => joiner.read(|scratch| {
                            let before = layout.entries_before(run.range.start);
                            window_behind(before, options.mtime, scratch)
                        })?,
                    };
                    let read = |scratch: &mut Scratch, give: &mut Give<'_, Block>| {
                        blocks(run, options.mtime, bytes, scratch, give)
                    };
                    Window::Bytes(joiner.add_compressed(run, key, read)?)
                }
            };
        }
        joiner.finish()
    })?;
    // What ends the tar belongs to no cookbook, and refers to none.
    let mut last = Vec::new();
    let mut encoder = writing.tools.encoder();
    encoder.encode(options.level, &[], &tar::END, &mut last);
    out.write(&last)?;
    member.crc.update(&tar::END);
    let length = member.length + tar::END.len() as u64;
    out.write(&gzip::end(member.crc.finalize(), length))?;
    Ok(member.container.finish())
}

/// What is known of a segment that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    /// The CRC-32 of its part of the tar.
    crc: u32,
    /// Bytes of its part of the tar.
    length: u64,
    /// What the container's digest has of it.
    digest: Digest,
    /// The SHA-256 of what a block behind it may refer to.
    window: Digest,
}

impl Head {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(76);
        bytes.extend(self.crc.to_le_bytes());
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.digest.as_bytes());
        bytes.extend(self.window.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (crc, rest) = bytes.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let window: &[u8; 32] = rest.try_into().ok()?;
        Some(Self {
            crc: u32::from_le_bytes(*crc),
            length: u64::from_le_bytes(*length),
            digest: Digest::from_bytes(*digest),
            window: Digest::from_bytes(*window),
        })
    }
}

/// A block that was compressed.
struct Compressed {
    bytes: Vec<u8>,
    crc: u32,
    length: u64,
}

/// What the next block may refer to.
enum Window {
    Bytes(Vec<u8>),
    /// Only its SHA-256 is known, since it was not read.
    Digest(Digest),
}

impl Window {
    fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) => Digest::of(bytes),
            Self::Digest(digest) => *digest,
        }
    }
}

/// The gzip member as far as it is written.
struct Member {
    crc: crc32fast::Hasher,
    length: u64,
    container: ContainerHasher,
    segment_crc: crc32fast::Hasher,
    segment_length: u64,
    /// What is known of the segment that ended last.
    last: Option<Head>,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            crc: crc32fast::Hasher::new(),
            length: 0,
            container: ContainerHasher::default(),
            segment_crc: crc32fast::Hasher::new(),
            segment_length: 0,
            last: None,
        }
    }
}

impl<'a> Wire<'a> for Member {
    type Work = Block;
    type Part = Compressed;
    type Read = Read;
    type Head = Head;

    fn compress(encoder: &mut Encoder, options: &ArchiveOptions, block: Block) -> Compressed {
        let content = block.content();
        let mut bytes = block.lend();
        encoder.encode(options.level, block.before(), content, &mut bytes);
        Compressed {
            bytes,
            crc: crc32fast::hash(content),
            length: content.len() as u64,
        }
    }

    fn parse_head(_: &Run<'a>, bytes: &[u8]) -> Option<Head> {
        Head::from_bytes(bytes)
    }

    fn begin(&mut self) {
        self.segment_crc = crc32fast::Hasher::new();
        self.segment_length = 0;
    }

    fn take(
        &mut self,
        block: Compressed,
        out: &mut SegmentOutput<'_, 'a, '_>,
    ) -> Result<(), WriteError> {
        self.segment_crc.combine(&crc_of(block.crc, block.length));
        self.segment_length += block.length;
        out.write_all(block.bytes)
    }

    fn end(&mut self, run: &Run<'a>, read: Read) {
        let head = Head {
            crc: std::mem::take(&mut self.segment_crc).finalize(),
            length: self.segment_length,
            digest: read.digest,
            window: read.window,
        };
        self.last = Some(head.clone());
        self.join(run, head);
    }

    fn head(&self, _: &Run<'a>) -> Vec<u8> {
        self.last.as_ref().map(Head::to_bytes).unwrap_or_default()
    }

    fn join(&mut self, run: &Run<'a>, head: Head) {
        self.crc.combine(&crc_of(head.crc, head.length));
        self.length += head.length;
        self.container.line(&run.folder, head.digest);
    }
}

/// Makes the segment of a cookbook for the store alone.
pub(super) fn keep_segment(
    folder: &Folder,
    before: Vec<u8>,
    work: Work<'_>,
) -> Result<(), WriteError> {
    let (options, mtime) = (work.options, work.options.mtime);
    let Some(run) = segment::only_run(folder)? else {
        return Ok(());
    };
    let content = Contents::Here.next(&run);
    let key = segment::key(content, Format::TarGz, options, Digest::of(&before));
    ahead::keep_segment(Member::default(), &run, &key, work, |scratch, give| {
        Ok(blocks(&run, mtime, before, scratch, give)?.0)
    })
}

/// What a block behind these entries may refer to, read from them. The last of them comes first.
pub(super) fn window_behind<'e>(
    before: impl Iterator<Item = Result<SharedEntry<'e>, TreeError>>,
    mtime: u64,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, WriteError> {
    let mut needed = Vec::new();
    let mut bytes = 0;
    for one in before {
        let one = one?;
        bytes += one.entry().size();
        needed.push(one);
        if bytes >= WINDOW as u64 {
            break;
        }
    }
    let mut window = Vec::with_capacity(2 * WINDOW);
    for one in needed.iter().rev() {
        let entry = one.entry();
        let header = tar::entry_header(entry, mtime);
        tar::entry_bytes(entry, &header, scratch, &mut |bytes| {
            let last = &bytes[bytes.len().saturating_sub(WINDOW)..];
            // It is cut now and then: one entry may be very large.
            if window.len() + last.len() > 2 * WINDOW {
                window.drain(..window.len().saturating_sub(WINDOW - last.len()));
            }
            window.extend_from_slice(last);
            Ok(())
        })?;
    }
    window.drain(..window.len().saturating_sub(WINDOW));
    Ok(window)
}

fn crc_of(crc: u32, length: u64) -> crc32fast::Hasher {
    crc32fast::Hasher::new_with_initial_len(crc, length)
}

/// What is known of a run's part of the tar.
struct Read {
    /// What the container's digest has of it.
    digest: Digest,
    /// The SHA-256 of what a block behind it may refer to.
    window: Digest,
}

/// Gives the blocks of a run. Its result has what the next block may refer to beside it.
fn blocks(
    run: &Run<'_>,
    mtime: u64,
    before: Vec<u8>,
    scratch: &mut Scratch,
    give: &mut Give<'_, Block>,
) -> Result<(Read, Vec<u8>), WriteError> {
    let mut hasher = SegmentHasher::default();
    let mut block = Block::after(&before, &scratch.buffers);
    drop(before);
    // Bytes of content that no block took along yet.
    let mut content = 0;
    for entry in run.entries.iter() {
        content += entry.size();
        let header = tar::entry_header(entry, mtime);
        hasher.entry(&header, entry.digest());
        tar::entry_bytes(entry, &header, scratch, &mut |mut bytes| {
            while let Some(whole) = block.fill(&mut bytes) {
                give(whole, std::mem::take(&mut content))?;
            }
            Ok(())
        })?;
    }
    let after = block.window().to_vec();
    if !block.is_empty() {
        give(block, content)?;
    }
    let read = Read {
        digest: hasher.finish(),
        window: Digest::of(&after),
    };
    Ok((read, after))
}
