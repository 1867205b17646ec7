//! Writes a layout as a tar in one gzip member: the segments of its cookbooks, joined. What a store has
//! of them is taken from there; the rest is read, cut into blocks, and compressed on several threads.
//!
//! A block may refer to what stands before it, across cookbooks, so a segment depends on the last bytes
//! of the one before it. A head says what its segment ends with, so that a chain of segments that are
//! kept is followed without reading a file.

use std::collections::VecDeque;

use super::deflate::{Encoder, WINDOW};
use super::pool::{Pool, with_pool};
use super::segment::{self, BLOCK, Loaded, NewSegment, Run, StoredBody};
use super::{ArchiveOptions, Format, Output, Scratch, WriteError, Writing, gzip, tar};
use crate::digest::{ContainerDigest, ContainerHasher, Digest, Hasher};
use crate::layout::{Entry, Layout};

/// Writes the archive. Gives the digest of the tar.
pub(super) fn write<'a>(
    layout: &'a Layout,
    options: &'a ArchiveOptions,
    writing: &mut Writing<'a>,
    out: &mut Output<'_>,
) -> Result<ContainerDigest, WriteError> {
    let runs: Vec<_> = segment::runs(layout.entries()).collect();
    out.write(&gzip::HEADER)?;
    let (mut crc, length, container) = with_pool(options.jobs, |pool| {
        let mut joiner = Joiner {
            entries: layout.entries(),
            options,
            writing,
            out,
            pool,
            steps: VecDeque::new(),
            keeping: None,
            segment_crc: crc32fast::Hasher::new(),
            segment_length: 0,
            crc: crc32fast::Hasher::new(),
            length: 0,
            container: ContainerHasher::default(),
            scratch: Scratch::default(),
        };
        joiner.write(&runs)?;
        Ok::<_, WriteError>((joiner.crc, joiner.length, joiner.container))
    })?;
    // What ends the tar belongs to no cookbook, and refers to none.
    let mut last = Vec::new();
    Encoder::default().encode(options.level, &[], &tar::END, &mut last);
    out.write(&last)?;
    crc.update(&tar::END);
    let length = length + tar::END.len() as u64;
    out.write(&gzip::end(crc.finalize(), length))?;
    Ok(container.finish())
}

/// What is known of a segment that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    /// The CRC-32 of its part of the tar.
    crc: u32,
    /// Bytes of its part of the tar.
    length: u64,
    /// The SHA-256 of its part of the tar.
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

/// What comes back from a thread.
enum Done {
    Block(Compressed),
    Loaded(Option<Loaded>),
}

struct Compressed {
    bytes: Vec<u8>,
    crc: u32,
    length: u64,
}

fn compress(encoder: &mut Encoder, options: &ArchiveOptions, block: &Block) -> Compressed {
    let (window, content) = block.data.split_at(block.begin);
    let mut bytes = Vec::with_capacity(content.len() / 2);
    encoder.encode(options.level, window, content, &mut bytes);
    Compressed {
        bytes,
        crc: crc32fast::hash(content),
        length: content.len() as u64,
    }
}

/// What is to be written next. Those that wait for a thread are in the pool in the same order.
enum Step<'a> {
    /// A segment that is compressed begins.
    Begin { key: Digest },
    /// A block of it.
    Block,
    /// It ends.
    End {
        run: Run<'a>,
        digest: Digest,
        window: Digest,
    },
    /// A segment that is kept.
    Stored {
        run: Run<'a>,
        key: Digest,
        head: Head,
    },
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

struct Joiner<'a, 'w, 'o, 'p> {
    entries: &'a [Entry],
    options: &'a ArchiveOptions,
    writing: &'w mut Writing<'a>,
    out: &'w mut Output<'o>,
    pool: &'p mut Pool<'a, Done>,
    steps: VecDeque<Step<'a>>,
    /// Takes what is written of the present segment, if it is to be kept.
    keeping: Option<Box<dyn NewSegment + 'a>>,
    segment_crc: crc32fast::Hasher,
    segment_length: u64,
    crc: crc32fast::Hasher,
    length: u64,
    container: ContainerHasher,
    scratch: Scratch,
}

impl<'a> Joiner<'a, '_, '_, '_> {
    fn write(&mut self, runs: &[Run<'a>]) -> Result<(), WriteError> {
        let mut before = Window::Bytes(Vec::new());
        for run in runs {
            let key = segment::key(run, Format::TarGz, self.options, before.digest());
            before = match self.find(&key) {
                Some((body, head)) => {
                    let window = Window::Digest(head.window);
                    self.give(move |_| Done::Loaded(body.load()))?;
                    let run = run.clone();
                    self.steps.push_back(Step::Stored { run, key, head });
                    window
                }
                None => {
                    let bytes = match before {
                        Window::Bytes(bytes) => bytes,
                        Window::Digest(_) => self.window_before(run)?,
                    };
                    self.compress(run, key, bytes)?
                }
            };
        }
        while !self.steps.is_empty() {
            self.advance()?;
        }
        Ok(())
    }

    fn find(&self, key: &Digest) -> Option<(Box<dyn StoredBody + 'a>, Head)> {
        let stored = self.writing.segments?.find(key)?;
        let head = Head::from_bytes(&stored.head)?;
        Some((stored.body, head))
    }

    /// Gives out a task, once there is room for it.
    fn give(
        &mut self,
        task: impl FnOnce(&mut Encoder) -> Done + Send + 'a,
    ) -> Result<(), WriteError> {
        while self.pool.is_full() {
            self.advance()?;
        }
        self.pool.submit(task);
        Ok(())
    }

    /// Reads a run and gives out its blocks. Gives what the next one may refer to.
    fn compress(
        &mut self,
        run: &Run<'a>,
        key: Digest,
        before: Vec<u8>,
    ) -> Result<Window, WriteError> {
        self.steps.push_back(Step::Begin { key });
        let options = self.options;
        let mut scratch = std::mem::take(&mut self.scratch);
        let read = blocks(run, options.mtime, before, &mut scratch, &mut |block| {
            let content = block.content;
            self.give(move |encoder| Done::Block(compress(encoder, options, &block)))?;
            self.steps.push_back(Step::Block);
            Ok((self.writing.progress)(content)?)
        });
        self.scratch = scratch;
        let (digest, after) = read?;
        let run = run.clone();
        let window = Digest::of(&after);
        self.steps.push_back(Step::End {
            run,
            digest,
            window,
        });
        Ok(Window::Bytes(after))
    }

    /// Writes what is next, and waits for it if it is not there yet.
    fn advance(&mut self) -> Result<(), WriteError> {
        match self.steps.pop_front() {
            None => {}
            Some(Step::Begin { key }) => self.begin(&key),
            Some(Step::Block) => {
                let Some(Done::Block(block)) = self.pool.next() else {
                    return Err(WriteError::thread_ended());
                };
                self.take(block)?;
            }
            Some(Step::End {
                run,
                digest,
                window,
            }) => self.end(&run, digest, window),
            Some(Step::Stored { run, key, head }) => {
                let Some(Done::Loaded(loaded)) = self.pool.next() else {
                    return Err(WriteError::thread_ended());
                };
                match loaded {
                    Some(loaded) => self.join(&run, loaded, &head)?,
                    None => self.make_anew(&run, &key)?,
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, key: &Digest) {
        self.keeping = self.writing.segments.and_then(|store| store.begin(key));
        self.segment_crc = crc32fast::Hasher::new();
        self.segment_length = 0;
    }

    fn take(&mut self, block: Compressed) -> Result<(), WriteError> {
        self.segment_crc.combine(&crc_of(block.crc, block.length));
        self.segment_length += block.length;
        // What cannot be kept is not kept.
        if let Some(keeping) = &mut self.keeping
            && keeping.write_all(&block.bytes).is_err()
        {
            self.keeping = None;
        }
        self.out.write_all(block.bytes)
    }

    fn end(&mut self, run: &Run<'a>, digest: Digest, window: Digest) {
        let head = Head {
            crc: std::mem::take(&mut self.segment_crc).finalize(),
            length: self.segment_length,
            digest,
            window,
        };
        if let Some(keeping) = self.keeping.take() {
            keeping.keep(&head.to_bytes());
        }
        self.account(run, &head);
    }

    /// Joins a segment that was kept.
    fn join(&mut self, run: &Run<'a>, loaded: Loaded, head: &Head) -> Result<(), WriteError> {
        segment::for_each_piece(loaded, |piece| self.out.write_all(piece))?;
        self.account(run, head);
        Ok((self.writing.progress)(run.content_bytes())?)
    }

    fn account(&mut self, run: &Run<'a>, head: &Head) {
        self.crc.combine(&crc_of(head.crc, head.length));
        self.length += head.length;
        self.container.line(run.folder, head.digest);
    }

    /// Compresses a segment that is kept and turned out to be damaged.
    fn make_anew(&mut self, run: &Run<'a>, key: &Digest) -> Result<(), WriteError> {
        let before = self.window_before(run)?;
        self.begin(key);
        let (options, mut encoder) = (self.options, Encoder::default());
        let mut scratch = std::mem::take(&mut self.scratch);
        let read = blocks(run, options.mtime, before, &mut scratch, &mut |block| {
            self.take(compress(&mut encoder, options, &block))?;
            Ok((self.writing.progress)(block.content)?)
        });
        self.scratch = scratch;
        let (digest, after) = read?;
        self.end(run, digest, Digest::of(&after));
        Ok(())
    }

    /// What the first block of a run may refer to, read from the entries before it.
    fn window_before(&mut self, run: &Run<'a>) -> Result<Vec<u8>, WriteError> {
        let before = &self.entries[..run.range.start];
        let mut bytes = 0;
        let enough = |entry: &Entry| {
            bytes += entry.size();
            bytes >= WINDOW as u64
        };
        let first = before.iter().rposition(enough).unwrap_or(0);
        let mut window = Vec::new();
        let mtime = self.options.mtime;
        for entry in &before[first..] {
            tar::entry_bytes(entry, mtime, &mut self.scratch, &mut |bytes| {
                window.extend_from_slice(bytes);
                // It is cut now and then: one entry may be very large.
                if window.len() > 8 * WINDOW {
                    window.drain(..window.len() - WINDOW);
                }
                Ok(())
            })?;
        }
        window.drain(..window.len().saturating_sub(WINDOW));
        Ok(window)
    }
}

fn crc_of(crc: u32, length: u64) -> crc32fast::Hasher {
    crc32fast::Hasher::new_with_initial_len(crc, length)
}

/// A part of the tar, and what stands before it.
struct Block {
    /// What it may refer to, and then the part itself.
    data: Vec<u8>,
    /// Where the part begins.
    begin: usize,
    /// Bytes of content in it.
    content: u64,
}

impl Block {
    fn after(window: &[u8]) -> Self {
        let window = &window[window.len().saturating_sub(WINDOW)..];
        let mut data = Vec::with_capacity(window.len() + BLOCK);
        data.extend_from_slice(window);
        Self {
            begin: data.len(),
            data,
            content: 0,
        }
    }
}

/// Gives the blocks of a run. Its result is the digest of the run's part of the tar, and what the next
/// block may refer to.
fn blocks(
    run: &Run<'_>,
    mtime: u64,
    before: Vec<u8>,
    scratch: &mut Scratch,
    give: &mut dyn FnMut(Block) -> Result<(), WriteError>,
) -> Result<(Digest, Vec<u8>), WriteError> {
    let mut hasher = Hasher::default();
    let mut block = Block::after(&before);
    drop(before);
    for entry in run.entries {
        tar::entry_bytes(entry, mtime, scratch, &mut |mut bytes| {
            hasher.update(bytes);
            while !bytes.is_empty() {
                let room = block.begin + BLOCK - block.data.len();
                let (now, rest) = bytes.split_at(bytes.len().min(room));
                block.data.extend_from_slice(now);
                bytes = rest;
                if now.len() == room {
                    let next = Block::after(&block.data);
                    give(std::mem::replace(&mut block, next))?;
                }
            }
            Ok(())
        })?;
        block.content += entry.size();
    }
    let after = block.data[block.data.len().saturating_sub(WINDOW)..].to_vec();
    if block.data.len() > block.begin {
        give(block)?;
    }
    Ok((hasher.finish(), after))
}
