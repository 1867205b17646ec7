//! Segments: the entries of one cookbook, which are compressed together, kept together, and taken
//! together from where they are kept.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::iter;
use std::ops::Range;

use super::buffers::Buffers;
use super::{ArchiveOptions, Format, WriteError, deflate};
use crate::digest::{ContainerHasher, ContentDigest, Digest, Hasher};
use crate::layout::{Entries, Entry, Folder, Layout};
use crate::tree::TreeError;

/// Bytes of input that are compressed at a time, on one thread. Within a segment every block but the
/// last one has this size.
pub(super) const BLOCK: usize = 256 << 10;

/// The number of this form of segments: of what goes into a key, and of what a head means.
const FORM: &str = "cookpack-segment-3";

/// Keeps compressed segments from one build to the next. Nothing that is kept decides on a byte of an
/// archive: a segment that is not there, or is damaged, is made anew with the same bytes.
pub(crate) trait SegmentStore: Sync {
    /// The segment of a key, if it is there and its head is whole.
    fn find(&self, key: &Digest) -> Option<StoredSegment>;

    /// Begins to keep a segment, if that can be done.
    fn begin(&self, key: &Digest) -> Option<Box<dyn NewSegment + '_>>;

    /// The bytes that were kept last as the trail of this name, unchecked.
    fn trail(&self, name: &Digest) -> Option<Vec<u8>>;

    /// Keeps a trail, if that can be done.
    fn keep_trail(&self, name: &Digest, bytes: &[u8]);
}

/// A segment that was found.
pub(crate) struct StoredSegment {
    /// What is known of it.
    pub(crate) head: Vec<u8>,
    /// Its bytes, which were not looked at yet.
    pub(crate) body: Box<dyn StoredBody>,
}

/// The bytes of a segment that was found.
pub(crate) trait StoredBody: Send {
    /// How much memory they will take.
    fn in_memory(&self) -> u64;

    /// Reads it, into `buffer` if it is held in memory, and checks that it is what was kept; `None` if it
    /// is not, or cannot be read.
    fn load(self: Box<Self>, buffer: Vec<u8>) -> Option<Loaded>;
}

/// Bytes that are what was kept.
pub(crate) enum Loaded {
    /// All of them.
    Bytes(Vec<u8>),
    /// They are too many for memory: so many are read a second time.
    Stream(u64, Box<dyn Read + Send>),
}

impl Loaded {
    /// How many they are.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream(length, _) => *length,
        }
    }
}

/// A segment that is being kept. One that is dropped is not kept.
pub(crate) trait NewSegment: Write {
    /// It is whole, and this is its head.
    fn keep(self: Box<Self>, head: &[u8]);
}

/// Entries that follow one another and are below one folder.
#[derive(Clone)]
pub(super) struct Run<'a> {
    /// The folder of the cookbook.
    pub(super) folder: Cow<'a, str>,
    /// Its entries.
    pub(super) entries: Entries<'a>,
    /// Where they stand among all entries.
    pub(super) range: Range<usize>,
}

impl Run<'_> {
    /// Bytes of content.
    pub(super) fn content_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size()).sum()
    }
}

/// The entries of a layout, cookbook by cookbook, in their order.
pub(super) fn runs(layout: &Layout) -> impl Iterator<Item = Result<Run<'_>, TreeError>> {
    let mut begin = 0;
    let runs = layout.folders().iter().flat_map(|folder| {
        let (entries, error) = match folder.entries() {
            Ok(entries) => (Some(entries), None),
            Err(error) => (None, Some(Err(error))),
        };
        let runs = entries
            .into_iter()
            .flat_map(|entries| runs_of(folder, entries));
        runs.map(Ok).chain(error)
    });
    runs.map(move |run| {
        run.map(|mut run| {
            run.range = begin..begin + run.entries.len();
            begin = run.range.end;
            run
        })
    })
}

/// The one run of a folder, if it is one.
pub(super) fn only_run(folder: &Folder) -> Result<Option<Run<'_>>, TreeError> {
    let mut runs = runs_of(folder, folder.entries()?);
    Ok(runs.next().filter(|_| runs.next().is_none()))
}

/// The runs of a cookbook: one, unless the container's digest takes its folders for cookbooks.
fn runs_of<'l>(folder: &'l Folder, mut rest: Entries<'l>) -> impl Iterator<Item = Run<'l>> {
    iter::from_fn(move || {
        let folder_of = |entry: &Entry<'_>| {
            let path = entry.path().to_string();
            ContainerHasher::folder_of(&path).to_owned()
        };
        let name = folder_of(&rest.first()?);
        let (name, count) = match name == folder.path() {
            true => (Cow::Borrowed(folder.path()), rest.len()),
            false => {
                let is_there = |entry: &Entry<'_>| folder_of(entry) == name;
                let count = rest.iter().take_while(is_there).count();
                (Cow::Owned(name), count)
            }
        };
        Some(Run {
            folder: name,
            entries: rest.take_first(count),
            range: 0..count,
        })
    })
}

/// Bytes that are compressed at a time, and what stands before them.
pub(super) struct Block {
    /// What it may refer to, and then its own bytes.
    data: Vec<u8>,
    /// Where its own begin.
    begin: usize,
    /// Where its memory is from.
    buffers: Buffers,
}

impl Block {
    /// An empty one behind these bytes.
    pub(super) fn after(before: &[u8], buffers: &Buffers) -> Self {
        let window = &before[before.len().saturating_sub(deflate::WINDOW)..];
        let mut data = buffers.lend_empty((window.len() + BLOCK) as u64);
        data.extend_from_slice(window);
        Self {
            begin: data.len(),
            data,
            buffers: buffers.clone(),
        }
    }

    /// Memory for what becomes of it.
    pub(super) fn lend(&self) -> Vec<u8> {
        self.buffers.lend_empty(deflate::bound(BLOCK) as u64)
    }

    /// What it may refer to.
    pub(super) fn before(&self) -> &[u8] {
        &self.data[..self.begin]
    }

    /// Its own bytes.
    pub(super) fn content(&self) -> &[u8] {
        &self.data[self.begin..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.data.len() == self.begin
    }

    /// What a block behind it may refer to.
    pub(super) fn window(&self) -> &[u8] {
        &self.data[self.data.len().saturating_sub(deflate::WINDOW)..]
    }

    /// Takes from the front of `bytes` what there is room for. Gives the block if that fills it, and is
    /// the next one from then on.
    pub(super) fn fill(&mut self, bytes: &mut &[u8]) -> Option<Block> {
        let room = self.begin + BLOCK - self.data.len();
        let (now, rest) = bytes.split_at(bytes.len().min(room));
        self.data.extend_from_slice(now);
        *bytes = rest;
        (now.len() == room).then(|| {
            let next = Self::after(&self.data, &self.buffers);
            std::mem::replace(self, next)
        })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.buffers.give_back(std::mem::take(&mut self.data));
    }
}

/// The name of a segment in a store: a digest of everything that its bytes depend on. `content` is that
/// of its run, `before` the digest of the bytes that the first block may refer to.
pub(super) fn key(
    content: ContentDigest,
    format: Format,
    options: &ArchiveOptions,
    before: Digest,
) -> Digest {
    let mut hasher = Hasher::default();
    let (encoder, level) = (deflate::ENCODER, options.level.as_str());
    let mtime = options.mtime;
    hasher.update(
        format!("{FORM}\n{format}\n{encoder} {level} {BLOCK}\n{mtime}\n{content}\n{before}\n")
            .as_bytes(),
    );
    hasher.finish()
}

/// Gives what was loaded to `take`, in pieces, in memory that is lent.
pub(super) fn for_each_piece(
    loaded: Loaded,
    buffers: &Buffers,
    mut take: impl FnMut(Vec<u8>) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let mut stream = match loaded {
        Loaded::Bytes(bytes) => return take(bytes),
        Loaded::Stream(_, stream) => stream,
    };
    loop {
        let mut piece = buffers.lend_empty(BLOCK as u64);
        let read = (&mut stream).take(BLOCK as u64).read_to_end(&mut piece);
        match read.map_err(WriteError::Segment)? {
            0 => {
                buffers.give_back(piece);
                return Ok(());
            }
            _ => take(piece)?,
        }
    }
}
