//! Joins an archive from segments, whatever its format: what a store has is taken from there; the rest
//! is read on the caller's thread, compressed on several, and written in order.

use std::collections::VecDeque;

use super::buffers::Buffers;
use super::deflate::Encoder;
use super::pool::Pool;
use super::segment::{Loaded, NewSegment, Run, StoredBody};
use super::{ArchiveOptions, Output, Scratch, WriteError, Writing};
use crate::digest::Digest;

/// Bytes of kept segments that are read ahead, beside the next one: memory is bounded by it.
const READ_AHEAD: u64 = 512 << 10;

/// Takes what is to be compressed, and how many bytes of content are in it.
pub(super) type Give<'g, W> = dyn FnMut(W, u64) -> Result<(), WriteError> + 'g;

/// Reads a run whose kept segment is damaged.
pub(super) type ReadAgain<'r, 'a, W> = dyn Fn(
        &Run<'a>,
        &mut Scratch,
        &mut Give<'_, <W as Wire<'a>>::Work>,
    ) -> Result<<W as Wire<'a>>::Read, WriteError>
    + 'r;

/// What is a format's own.
pub(super) trait Wire<'a> {
    /// What a thread is given.
    type Work: Send + 'a;
    /// What a thread gives back.
    type Part: Send + 'a;
    /// What is known of a run once it was read.
    type Read;
    /// What is known of a segment that was kept.
    type Head;

    /// Compresses on some thread.
    fn compress(encoder: &mut Encoder, options: &ArchiveOptions, work: Self::Work) -> Self::Part;

    /// The head of the run's segment, if these bytes are one.
    fn parse_head(run: &Run<'a>, bytes: &[u8]) -> Option<Self::Head>;

    /// A segment begins that is compressed.
    fn begin(&mut self);

    /// Writes a part of it.
    fn take(
        &mut self,
        part: Self::Part,
        out: &mut SegmentOutput<'_, 'a, '_>,
    ) -> Result<(), WriteError>;

    /// It ends, and counts.
    fn end(&mut self, run: &Run<'a>, read: Self::Read);

    /// The head of the one that ended last.
    fn head(&self, run: &Run<'a>) -> Vec<u8>;

    /// A segment that was kept is written, and counts.
    fn join(&mut self, run: &Run<'a>, head: Self::Head);
}

/// Where the parts of a segment go: into the archive, if one is written, and into the store, if it is to
/// be kept.
pub(super) struct SegmentOutput<'w, 'a, 'o> {
    out: Option<&'w mut Output<'o>>,
    keeping: &'w mut Option<Box<dyn NewSegment + 'a>>,
    /// Where the memory of what is written goes.
    buffers: Buffers,
}

impl<'w, 'a> SegmentOutput<'w, 'a, '_> {
    /// The store alone.
    pub(super) fn of_store(
        keeping: &'w mut Option<Box<dyn NewSegment + 'a>>,
        buffers: Buffers,
    ) -> Self {
        Self {
            out: None,
            keeping,
            buffers,
        }
    }

    pub(super) fn write_all(&mut self, bytes: Vec<u8>) -> Result<(), WriteError> {
        // What cannot be kept is not kept.
        if let Some(keeping) = self.keeping
            && keeping.write_all(&bytes).is_err()
        {
            *self.keeping = None;
        }
        match &mut self.out {
            Some(out) => out.write_all(bytes),
            None => {
                self.buffers.give_back(bytes);
                Ok(())
            }
        }
    }
}

/// What comes back from a thread.
pub(super) enum Done<P> {
    Part(P),
    Loaded(Option<Loaded>),
}

/// What is to be written next. Those that wait for a thread are in the pool in the same order.
enum Step<'a, W: Wire<'a>> {
    /// A segment that is compressed begins.
    Begin { key: Digest },
    /// A part of it.
    Part,
    /// It ends.
    End { run: Run<'a>, read: W::Read },
    /// A segment that is kept.
    Stored {
        run: Run<'a>,
        key: Digest,
        head: W::Head,
        /// Of [`Joiner::ahead`].
        bytes: u64,
    },
}

pub(super) struct Joiner<'a, 'w, 'o, W: Wire<'a>> {
    wire: W,
    options: &'a ArchiveOptions,
    writing: &'w mut Writing<'a>,
    out: &'w mut Output<'o>,
    pool: &'w mut Pool<'a, Done<W::Part>>,
    again: &'w ReadAgain<'w, 'a, W>,
    steps: VecDeque<Step<'a, W>>,
    /// Takes what is written of the present segment, if it is to be kept.
    keeping: Option<Box<dyn NewSegment + 'a>>,
    /// The key of the present segment.
    key: Digest,
    /// Bytes of kept segments that are under way.
    ahead: u64,
    scratch: Scratch,
}

impl<'a, 'w, 'o, W: Wire<'a>> Joiner<'a, 'w, 'o, W> {
    pub(super) fn new(
        wire: W,
        options: &'a ArchiveOptions,
        writing: &'w mut Writing<'a>,
        out: &'w mut Output<'o>,
        pool: &'w mut Pool<'a, Done<W::Part>>,
        again: &'w ReadAgain<'w, 'a, W>,
    ) -> Self {
        let scratch = Scratch::with(out.buffers().clone());
        Self {
            wire,
            options,
            writing,
            out,
            pool,
            again,
            steps: VecDeque::new(),
            keeping: None,
            key: Digest::of([]),
            ahead: 0,
            scratch,
        }
    }

    /// The run's segment in the store, if it is there.
    pub(super) fn find(
        &self,
        run: &Run<'a>,
        key: &Digest,
    ) -> Option<(Box<dyn StoredBody + 'a>, W::Head)> {
        let stored = self.writing.segments?.find(key)?;
        let head = W::parse_head(run, &stored.head)?;
        Some((stored.body, head))
    }

    /// Adds a segment that was found.
    pub(super) fn add_stored(
        &mut self,
        run: &Run<'a>,
        key: Digest,
        (body, head): (Box<dyn StoredBody + 'a>, W::Head),
    ) -> Result<(), WriteError> {
        let bytes = body.in_memory();
        self.make_room()?;
        while self.ahead > 0 && self.ahead + bytes > READ_AHEAD {
            self.advance()?;
        }
        self.ahead += bytes;
        let buffers = self.out.buffers().clone();
        self.pool
            .submit(move |_| Done::Loaded(body.load(buffers.lend(bytes))));
        let run = run.clone();
        self.steps.push_back(Step::Stored {
            run,
            key,
            head,
            bytes,
        });
        Ok(())
    }

    /// Adds a segment that `read` gives in parts. Gives what else `read` knows.
    pub(super) fn add_compressed<T>(
        &mut self,
        run: &Run<'a>,
        key: Digest,
        read: impl FnOnce(&mut Scratch, &mut Give<'_, W::Work>) -> Result<(W::Read, T), WriteError>,
    ) -> Result<T, WriteError> {
        self.steps.push_back(Step::Begin { key });
        let options = self.options;
        let mut scratch = std::mem::take(&mut self.scratch);
        let done = read(&mut scratch, &mut |work, content| {
            self.make_room()?;
            self.pool
                .submit(move |encoder| Done::Part(W::compress(encoder, options, work)));
            self.steps.push_back(Step::Part);
            Ok((self.writing.progress)(content)?)
        });
        self.scratch = scratch;
        let (read, rest) = done?;
        let run = run.clone();
        self.steps.push_back(Step::End { run, read });
        Ok(rest)
    }

    /// What is read by the way, with this writer's memory for it.
    pub(super) fn read<T>(&mut self, read: impl FnOnce(&mut Scratch) -> T) -> T {
        read(&mut self.scratch)
    }

    /// Writes what was added and was not written yet.
    pub(super) fn finish(mut self) -> Result<W, WriteError> {
        while !self.steps.is_empty() {
            self.advance()?;
        }
        Ok(self.wire)
    }

    fn make_room(&mut self) -> Result<(), WriteError> {
        while self.pool.is_full() {
            self.advance()?;
        }
        Ok(())
    }

    /// Writes what is next, and waits for it if it is not there yet.
    fn advance(&mut self) -> Result<(), WriteError> {
        match self.steps.pop_front() {
            None => {}
            Some(Step::Begin { key }) => self.begin(&key),
            Some(Step::Part) => {
                let Some(Done::Part(part)) = self.pool.next() else {
                    return Err(WriteError::thread_ended());
                };
                self.take(part)?;
            }
            Some(Step::End { run, read }) => self.end(&run, read),
            Some(Step::Stored {
                run,
                key,
                head,
                bytes,
            }) => {
                self.ahead -= bytes;
                let Some(Done::Loaded(loaded)) = self.pool.next() else {
                    return Err(WriteError::thread_ended());
                };
                match loaded {
                    Some(loaded) => self.join(&run, &key, loaded, head)?,
                    None => self.make_anew(&run, &key)?,
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, key: &Digest) {
        self.keeping = self.writing.segments.and_then(|store| store.begin(key));
        self.key = *key;
        self.wire.begin();
    }

    fn take(&mut self, part: W::Part) -> Result<(), WriteError> {
        let mut out = SegmentOutput {
            buffers: self.out.buffers().clone(),
            out: Some(self.out),
            keeping: &mut self.keeping,
        };
        self.wire.take(part, &mut out)
    }

    fn end(&mut self, run: &Run<'a>, read: W::Read) {
        self.wire.end(run, read);
        self.out.end_segment(&self.key);
        if let Some(keeping) = self.keeping.take() {
            keeping.keep(&self.wire.head(run));
        }
    }

    /// Joins a segment that was kept.
    fn join(
        &mut self,
        run: &Run<'a>,
        key: &Digest,
        loaded: Loaded,
        head: W::Head,
    ) -> Result<(), WriteError> {
        self.out.join(key, loaded)?;
        self.wire.join(run, head);
        Ok((self.writing.progress)(run.content_bytes())?)
    }

    /// Compresses a segment that is kept and turned out to be damaged.
    fn make_anew(&mut self, run: &Run<'a>, key: &Digest) -> Result<(), WriteError> {
        self.begin(key);
        let (options, again, mut encoder) =
            (self.options, self.again, self.writing.tools.encoder());
        let mut scratch = std::mem::take(&mut self.scratch);
        let read = again(run, &mut scratch, &mut |work, content| {
            self.take(W::compress(&mut encoder, options, work))?;
            Ok((self.writing.progress)(content)?)
        });
        self.scratch = scratch;
        self.end(run, read?);
        Ok(())
    }
}
