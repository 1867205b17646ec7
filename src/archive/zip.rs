//! Writes a layout as a zip: the segments of its cookbooks, and the directory of all entries behind
//! them. What a store has of them is taken from there; the rest is read and compressed on several
//! threads, what fits a block whole, a larger file in blocks that may refer to what stands before them in it.
//!
//! A segment is a cookbook's local headers and contents. Its bytes do not depend on its place, and its
//! head holds what the directory says of each entry.

mod headers;
mod own;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::ahead;
use super::buffers::Buffers;
use super::contents::Contents;
use super::deflate::{self, Encoder};
use super::joiner::{Give, Joiner, SegmentOutput, Wire};
use super::output::Output;
use super::pool::with_pool;
use super::segment::{self, BLOCK, Block, Run};
use super::{ArchiveOptions, Format, Scratch, WriteError, Writing, copy_pieces};
use crate::digest::{ContentDigest, Digest};
use crate::layout::{Entries, Entry, Folder, Layout, SharedEntry};
use headers::{DosTime, File, Packed};
pub(crate) use headers::{LONGEST_PATH, TIMES};
pub(super) use own::{begins_as_own, is_own};

/// Writes the archive.
pub(super) fn write<'a>(
    layout: &'a Layout,
    options: &'a ArchiveOptions,
    writing: &mut Writing<'a>,
    contents: &Contents,
    out: &mut Output<'_>,
) -> Result<(), WriteError> {
    let mtime = options.mtime;
    let time = DosTime::of(mtime).ok_or(WriteError::NoZipTime { mtime })?;
    for folder in layout.folders() {
        if let Some(path) = too_long(&folder.entries()?) {
            return Err(WriteError::PathTooLong { path });
        }
    }
    let zip = with_pool(options.jobs, &writing.tools.clone(), |pool| {
        let again = |run: &Run<'a>, scratch: &mut Scratch, give: &mut Give<'_, Work<'a>>| {
            read(&run.entries, time, scratch, give)
        };
        let zip = Zip::new(layout.file_count(), time);
        let mut joiner = Joiner::new(zip, options, writing, out, pool, &again);
        for run in segment::runs(layout) {
            let run = run?;
            let key = key(contents.next(&run), options);
            match joiner.find(&run, &key) {
                Some(stored) => joiner.add_stored(&run, key, stored)?,
                None => joiner.add_compressed(&run, key, |scratch, give| {
                    Ok((read(&run.entries, time, scratch, give)?, ()))
                })?,
            }
        }
        joiner.finish()
    })?;
    zip.write_directory(layout, out)
}

/// Makes the segment of a cookbook for the store alone, if a zip can hold it.
pub(super) fn keep_segment(folder: &Folder, work: ahead::Work<'_>) -> Result<(), WriteError> {
    let (Some(run), Some(time)) = (segment::only_run(folder)?, DosTime::of(work.options.mtime))
    else {
        return Ok(());
    };
    if too_long(&run.entries).is_some() {
        return Ok(());
    }
    let key = key(Contents::Here.next(&run), work.options);
    let zip = Zip::new(run.entries.len(), time);
    ahead::keep_segment(zip, &run, &key, work, |scratch, give| {
        read(&run.entries, time, scratch, give)
    })
}

/// A segment refers to nothing before it.
fn key(content: ContentDigest, options: &ArchiveOptions) -> Digest {
    segment::key(content, Format::Zip, options, Digest::of([]))
}

/// The first path that a zip cannot hold.
fn too_long(entries: &Entries<'_>) -> Option<String> {
    let mut paths = entries.iter().map(|entry| entry.path());
    let found = paths.find(|path| path.bytes() > LONGEST_PATH);
    found.map(|path| path.to_string())
}

/// What a thread compresses.
enum Work<'a> {
    /// Small files, one after the other, and the contents of those that are not held in memory anyway.
    Whole {
        entries: Entries<'a>,
        contents: Vec<u8>,
        time: DosTime,
        /// Where that memory is from.
        buffers: Buffers,
    },
    /// A part of one.
    Part { part: Part<'a, ()>, block: Block },
}

/// Which part of a file it is, and what became of it.
struct Part<'a, T> {
    file: SharedEntry<'a>,
    is_first: bool,
    is_last: bool,
    done: T,
}

/// What a thread gives back.
enum Done<'a> {
    /// Headers and contents.
    Whole {
        packed: Vec<Packed>,
        bytes: Vec<u8>,
        overhead: Vec<u64>,
    },
    Part(Part<'a, Compressed>),
}

struct Compressed {
    bytes: Vec<u8>,
    crc: u32,
    length: u64,
}

/// Reads the files of a run and gives what is to be compressed: small files several at a time.
fn read<'a>(
    entries: &Entries<'a>,
    time: DosTime,
    scratch: &mut Scratch,
    give: &mut Give<'_, Work<'a>>,
) -> Result<(), WriteError> {
    let mut rest = entries.clone();
    while let Some(first) = rest.first_shared() {
        if !is_small(first.entry()) {
            read_parts(&first, scratch, give)?;
            rest.take_first(1);
            continue;
        }
        let (mut count, mut weight, mut content) = (0, 0, 0);
        for entry in rest.iter() {
            let file = File::of(entry, time);
            weight += entry.size() + file.overhead();
            if count > 0 && (weight > BLOCK as u64 || !is_small(entry)) {
                break;
            }
            count += 1;
            content += entry.size();
        }
        let entries = rest.take_first(count);
        let unheld = || entries.iter().filter(|entry| entry.held().is_none());
        let mut contents = Vec::new();
        if unheld().next().is_some() {
            contents = scratch
                .buffers
                .lend_empty(unheld().map(|entry| entry.size()).sum());
        }
        for entry in unheld() {
            copy_pieces(entry, scratch, &mut |piece| {
                contents.extend_from_slice(piece);
                Ok(())
            })?;
        }
        let work = Work::Whole {
            entries,
            contents,
            time,
            buffers: scratch.buffers.clone(),
        };
        give(work, content)?;
    }
    Ok(())
}

/// Whether a file is compressed whole. One that is not takes several threads, and memory for its parts.
fn is_small(entry: Entry<'_>) -> bool {
    entry.size() <= BLOCK as u64
}

/// Reads a file and gives its parts.
fn read_parts<'a>(
    file: &SharedEntry<'a>,
    scratch: &mut Scratch,
    give: &mut Give<'_, Work<'a>>,
) -> Result<(), WriteError> {
    let entry = file.entry();
    let mut left = entry.size();
    let mut is_first = true;
    let mut give = |block: Block| {
        let content = block.content().len() as u64;
        left -= content;
        let part = Part {
            file: file.clone(),
            is_first,
            is_last: left == 0,
            done: (),
        };
        is_first = false;
        give(Work::Part { part, block }, content)
    };
    let mut block = Block::after(&[], &scratch.buffers);
    copy_pieces(entry, scratch, &mut |mut bytes| {
        while let Some(whole) = block.fill(&mut bytes) {
            give(whole)?;
        }
        Ok(())
    })?;
    match block.is_empty() {
        true => Ok(()),
        false => give(block),
    }
}

/// Appends a small file's content, compressed.
fn deflate(encoder: &mut Encoder, options: &ArchiveOptions, content: &[u8], out: &mut Vec<u8>) {
    if !content.is_empty() {
        encoder.encode(options.level, &[], content, out);
        out.extend(deflate::END);
    }
}

/// The archive as far as it is written. Of each entry no more is kept than cannot be known anew: there
/// may be a million of them.
struct Zip {
    time: DosTime,
    /// Bytes of each entry's compressed content; `u32::MAX` where they are in `large`.
    compressed_bytes: Vec<u32>,
    /// Those that are more, by the index of their entry.
    large: BTreeMap<usize, u64>,
    crcs: Vec<u32>,
    /// Where the next one begins.
    end: u64,
    /// Of the file whose parts come.
    crc: crc32fast::Hasher,
    compressed: u64,
    /// Its parts, if what is known of it only behind them stands before them.
    parts: Vec<Vec<u8>>,
}

impl Zip {
    fn new(entries: usize, time: DosTime) -> Self {
        Self {
            time,
            compressed_bytes: Vec::with_capacity(entries),
            large: BTreeMap::new(),
            crcs: Vec::with_capacity(entries),
            end: 0,
            crc: crc32fast::Hasher::new(),
            compressed: 0,
            parts: Vec::new(),
        }
    }

    /// Counts an entry that is written.
    fn add(&mut self, packed: Packed, overhead: u64) {
        let bytes = u32::try_from(packed.compressed).unwrap_or(u32::MAX);
        if bytes == u32::MAX {
            let index = self.compressed_bytes.len();
            self.large.insert(index, packed.compressed);
        }
        self.compressed_bytes.push(bytes);
        self.crcs.push(packed.crc);
        self.end += packed.compressed + overhead;
    }

    /// What is known of an entry that was counted.
    fn packed(&self, index: usize) -> Packed {
        Packed {
            crc: self.crcs[index],
            compressed: match self.compressed_bytes[index] {
                u32::MAX => self.large[&index],
                bytes => bytes.into(),
            },
        }
    }

    fn write_directory(&self, layout: &Layout, out: &mut Output<'_>) -> Result<(), WriteError> {
        let mut end = self.end;
        let mut record = Vec::new();
        let (mut index, mut offset) = (0, 0);
        for folder in layout.folders() {
            for entry in folder.entries()?.iter() {
                let file = File::of(entry, self.time);
                record.clear();
                let packed = self.packed(index);
                file.push_record(packed, offset, &mut record);
                offset += packed.compressed + file.overhead();
                end += record.len() as u64;
                out.write(&record)?;
                index += 1;
            }
        }
        out.write(&headers::end(index as u64, self.end, end))
    }
}

/// Bytes of a head for each entry.
const HEAD: usize = 12;

impl<'a> Wire<'a> for Zip {
    type Work = Work<'a>;
    type Part = Done<'a>;
    type Read = ();
    type Head = Vec<u8>;

    fn compress(encoder: &mut Encoder, options: &ArchiveOptions, work: Work<'a>) -> Done<'a> {
        match work {
            Work::Part { part, block } => {
                let content = block.content();
                let mut bytes = block.lend();
                encoder.encode(options.level, block.before(), content, &mut bytes);
                Done::Part(Part {
                    file: part.file,
                    is_first: part.is_first,
                    is_last: part.is_last,
                    done: Compressed {
                        bytes,
                        crc: crc32fast::hash(content),
                        length: content.len() as u64,
                    },
                })
            }
            Work::Whole {
                entries,
                contents,
                time,
                buffers,
            } => {
                let mut bytes = buffers.lend_empty(BLOCK as u64);
                let mut packed = Vec::with_capacity(entries.len());
                let mut overhead = Vec::with_capacity(entries.len());
                let mut rest = &contents[..];
                let mut header = Vec::new();
                for entry in entries.iter() {
                    let file = File::of(entry, time);
                    let content = entry.held().unwrap_or_else(|| {
                        let (content, after) = rest.split_at(entry.size() as usize);
                        rest = after;
                        content
                    });
                    // What stands in a header is known behind it.
                    let begin = bytes.len();
                    file.push_header(Some(Packed::default()), &mut bytes);
                    let end = bytes.len();
                    deflate(encoder, options, content, &mut bytes);
                    let one = Packed {
                        crc: crc32fast::hash(content),
                        compressed: (bytes.len() - end) as u64,
                    };
                    header.clear();
                    file.push_header(Some(one), &mut header);
                    bytes[begin..end].copy_from_slice(&header);
                    packed.push(one);
                    overhead.push(file.overhead());
                }
                buffers.give_back(contents);
                Done::Whole {
                    packed,
                    bytes,
                    overhead,
                }
            }
        }
    }

    fn parse_head(run: &Run<'a>, bytes: &[u8]) -> Option<Vec<u8>> {
        (bytes.len() == HEAD * run.entries.len()).then(|| bytes.to_vec())
    }

    fn begin(&mut self) {}

    fn take(
        &mut self,
        part: Done<'a>,
        out: &mut SegmentOutput<'_, 'a, '_>,
    ) -> Result<(), WriteError> {
        let part = match part {
            Done::Part(part) => part,
            Done::Whole {
                packed,
                bytes,
                overhead,
            } => {
                for (packed, overhead) in packed.into_iter().zip(overhead) {
                    self.add(packed, overhead);
                }
                return out.write_all(bytes);
            }
        };
        let file = File::of(part.file.entry(), self.time);
        let Compressed { bytes, crc, length } = part.done;
        if part.is_first {
            self.crc = crc32fast::Hasher::new();
            self.compressed = 0;
            if file.is_streamed() {
                let mut header = Vec::new();
                file.push_header(None, &mut header);
                out.write_all(header)?;
            }
        }
        self.compressed += bytes.len() as u64;
        self.crc
            .combine(&crc32fast::Hasher::new_with_initial_len(crc, length));
        match file.is_streamed() {
            true => out.write_all(bytes)?,
            false => self.parts.push(bytes),
        }
        if part.is_last {
            let packed = Packed {
                crc: std::mem::take(&mut self.crc).finalize(),
                compressed: self.compressed + deflate::END.len() as u64,
            };
            let mut end = deflate::END.to_vec();
            if file.is_streamed() {
                file.push_descriptor(packed, &mut end);
            } else {
                let mut header = Vec::new();
                file.push_header(Some(packed), &mut header);
                out.write_all(header)?;
                for bytes in self.parts.drain(..) {
                    out.write_all(bytes)?;
                }
            }
            out.write_all(end)?;
            self.add(packed, file.overhead());
        }
        Ok(())
    }

    fn end(&mut self, _: &Run<'a>, (): ()) {}

    fn head(&self, run: &Run<'a>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD * run.entries.len());
        for index in run.range.clone() {
            let packed = self.packed(index);
            bytes.extend(packed.crc.to_le_bytes());
            bytes.extend(packed.compressed.to_le_bytes());
        }
        bytes
    }

    fn join(&mut self, run: &Run<'a>, head: Vec<u8>) {
        for (entry, record) in run.entries.iter().zip(head.as_chunks::<HEAD>().0) {
            let [a, b, c, d, compressed @ ..] = *record;
            let packed = Packed {
                crc: u32::from_le_bytes([a, b, c, d]),
                compressed: u64::from_le_bytes(compressed),
            };
            self.add(packed, File::of(entry, self.time).overhead());
        }
    }
}
