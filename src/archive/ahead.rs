//! Compresses cookbooks one by one, before it is known what the whole archive holds, and keeps their
//! segments in a store. Who writes the archive later finds them there, if what stands before each of them
//! is what was expected; otherwise it compresses them itself. So no byte depends on it.

use super::deflate::{Encoder, WINDOW};
use super::joiner::{Give, SegmentOutput, Wire};
use super::segment::{Run, SegmentStore};
use super::tools::{LentEncoder, Tools};
use super::{ArchiveOptions, Format, LATEST_MTIME, Scratch, WriteError, tar_gz, zip};
use crate::digest::Digest;
use crate::event::Cancelled;
use crate::layout::Folder;

/// Compresses on one thread.
pub(crate) struct Ahead<'a> {
    format: Format,
    options: ArchiveOptions,
    segments: &'a dyn SegmentStore,
    encoder: LentEncoder,
    scratch: Scratch,
}

impl<'a> Ahead<'a> {
    /// For an archive of this kind; none where nothing is compressed, or nothing will be written.
    pub(crate) fn new(
        format: Format,
        options: ArchiveOptions,
        segments: &'a dyn SegmentStore,
        tools: &Tools,
    ) -> Option<Self> {
        let can_be = match format {
            Format::Tar => false,
            Format::TarGz => options.mtime <= LATEST_MTIME,
            Format::Zip => zip::TIMES.contains(&options.mtime),
        };
        can_be.then(|| Self {
            format,
            options,
            segments,
            encoder: tools.encoder(),
            scratch: Scratch::with(tools.buffers().clone()),
        })
    }

    /// Whether a segment depends on what stands before it.
    pub(crate) fn refers_back(&self) -> bool {
        self.format == Format::TarGz
    }

    /// What the segment of the next cookbook may refer to, where this one has this folder and stands
    /// behind `before`. None where that is not known, and the folder is not enough to know it.
    pub(crate) fn window_behind(
        &mut self,
        before: Option<&[u8]>,
        folder: &Folder,
    ) -> Result<Option<Vec<u8>>, WriteError> {
        if !self.refers_back() {
            return Ok(Some(Vec::new()));
        }
        let entries = folder.entries()?.each().rev().map(Ok);
        let own = tar_gz::window_behind(entries, self.options.mtime, &mut self.scratch)?;
        Ok(match before {
            _ if own.len() >= WINDOW => Some(own),
            None => None,
            Some(before) => {
                let kept = before.len().min(WINDOW - own.len());
                Some([&before[before.len() - kept..], &own].concat())
            }
        })
    }

    /// Makes the segment of the cookbook that has this folder and stands behind `before`, unless it is
    /// there. `go_on` may stop it.
    pub(crate) fn compress(
        &mut self,
        before: Vec<u8>,
        folder: &Folder,
        go_on: &dyn Fn() -> Result<(), Cancelled>,
    ) -> Result<(), WriteError> {
        let work = Work {
            options: &self.options,
            segments: self.segments,
            encoder: &mut self.encoder,
            scratch: &mut self.scratch,
            go_on,
        };
        match self.format {
            Format::Tar => Ok(()),
            Format::TarGz => tar_gz::keep_segment(folder, before, work),
            Format::Zip => zip::keep_segment(folder, work),
        }
    }
}

/// What a segment is made with.
pub(super) struct Work<'w> {
    pub(super) options: &'w ArchiveOptions,
    pub(super) segments: &'w dyn SegmentStore,
    pub(super) encoder: &'w mut Encoder,
    pub(super) scratch: &'w mut Scratch,
    pub(super) go_on: &'w dyn Fn() -> Result<(), Cancelled>,
}

impl Work<'_> {
    /// Whether the store has the segment of this run already.
    fn is_there<'a, W: Wire<'a>>(&self, run: &Run<'a>, key: &Digest) -> bool {
        let found = self.segments.find(key);
        found.is_some_and(|found| W::parse_head(run, &found.head).is_some())
    }
}

/// Makes the segment of a run for the store alone, of what `read` gives, unless it is there.
pub(super) fn keep_segment<'a, W: Wire<'a>>(
    mut wire: W,
    run: &Run<'a>,
    key: &Digest,
    work: Work<'a>,
    read: impl FnOnce(&mut Scratch, &mut Give<'_, W::Work>) -> Result<W::Read, WriteError>,
) -> Result<(), WriteError> {
    if work.is_there::<W>(run, key) {
        return Ok(());
    }
    let Work {
        options,
        segments,
        encoder,
        scratch,
        go_on,
    } = work;
    let mut keeping = segments.begin(key);
    wire.begin();
    let buffers = scratch.buffers.clone();
    let read = read(scratch, &mut |work, _| {
        go_on()?;
        let mut out = SegmentOutput::of_store(&mut keeping, buffers.clone());
        wire.take(W::compress(encoder, options, work), &mut out)
    })?;
    wire.end(run, read);
    if let Some(keeping) = keeping {
        keeping.keep(&wire.head(run));
    }
    Ok(())
}
