//! Where an archive's bytes go: they are counted and digested on the way. What is joined from segments
//! that an earlier archive began with as well is known, and is not digested once more (`trail.rs`).

use std::io::Write;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use super::WriteError;
use super::buffers::Buffers;
use super::segment::{Loaded, SegmentStore, for_each_piece};
use super::trail::{Mark, Trail};
use crate::digest::{Digest, Hasher};

/// Small pieces are put together up to this size.
const PIECE: usize = 64 << 10;

/// How many pieces may wait to be digested: memory is bounded by it.
const WAITING: usize = 2;

/// Fewer bytes are not worth a thread.
const FEW: usize = 4 << 10;

/// An archive as it is written.
pub(super) struct Output<'a> {
    inner: &'a mut dyn Write,
    jobs: NonZeroUsize,
    digesting: Digesting,
    bytes: u64,
    /// Small pieces that were not written yet.
    small: Piece,
    /// Where trails are kept.
    store: Option<&'a dyn SegmentStore>,
    /// What an earlier archive began with, once the first segment is joined.
    known: Option<Trail>,
    /// How many segments were joined along it.
    joined: usize,
    /// Whether these are all there were.
    is_on_trail: bool,
    /// Memory of what is written.
    buffers: Buffers,
}

/// Bytes that are to be written and digested.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    /// As many of its first bytes have been digested by an earlier build.
    known: usize,
    /// Where segments end in it, with their keys, and the archive's bytes up to there.
    ends: Vec<(usize, Digest, u64)>,
}

/// SHA-256 is half the work where nothing is compressed, so it has a thread of its own where there may be
/// several, as soon as there is something for it to do.
enum Digesting {
    Here(Digester),
    There(SyncSender<Piece>, JoinHandle<Digester>),
}

#[derive(Default)]
struct Digester {
    hasher: Hasher,
    trail: Trail,
}

impl Digester {
    fn take(&mut self, piece: &Piece) {
        let mut from = piece.known;
        for (end, key, length) in &piece.ends {
            self.hasher.update(&piece.bytes[from..*end]);
            from = *end;
            self.trail.push(&Mark {
                key: *key,
                length: *length,
                hasher: self.hasher.clone(),
            });
        }
        self.hasher.update(&piece.bytes[from..]);
    }
}

impl<'a> Output<'a> {
    pub(super) fn new(
        inner: &'a mut dyn Write,
        jobs: NonZeroUsize,
        store: Option<&'a dyn SegmentStore>,
        buffers: Buffers,
    ) -> Self {
        Self {
            inner,
            jobs,
            digesting: Digesting::Here(Digester::default()),
            bytes: 0,
            small: Piece::default(),
            store,
            known: None,
            joined: 0,
            is_on_trail: true,
            buffers,
        }
    }

    /// Memory for what is to be written.
    pub(super) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    /// Writes some bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        if self.small.bytes.len() + bytes.len() > PIECE {
            self.pass_small()?;
        }
        self.bytes += bytes.len() as u64;
        match bytes.len() < PIECE {
            true => self.small.bytes.extend_from_slice(bytes),
            false => self.pass(Piece {
                bytes: bytes.to_vec(),
                ..Piece::default()
            })?,
        }
        Ok(())
    }

    /// Writes bytes whose memory is used again, if it is of this archive's buffers.
    pub(super) fn write_all(&mut self, bytes: Vec<u8>) -> Result<(), WriteError> {
        self.write_known(bytes, false)
    }

    /// Writes a segment that was kept under this key, and is what was kept.
    pub(super) fn join(&mut self, key: &Digest, loaded: Loaded) -> Result<(), WriteError> {
        self.is_on_trail = self.go_along(key, loaded.len());
        let buffers = self.buffers.clone();
        let is_known = self.is_on_trail;
        for_each_piece(loaded, &buffers, |bytes| self.write_known(bytes, is_known))?;
        if !self.is_on_trail {
            self.end_segment(key);
        }
        Ok(())
    }

    /// Goes on from where an earlier archive had this segment as well, if it began with the same ones.
    fn go_along(&mut self, key: &Digest, length: u64) -> bool {
        let Digesting::Here(digester) = &mut self.digesting else {
            return false;
        };
        if !self.is_on_trail {
            return false;
        }
        if self.joined == 0 {
            let bytes = self.store.and_then(|store| store.trail(key));
            self.known = bytes.and_then(|bytes| Trail::from_bytes(bytes, key));
        }
        let Some(mark) = self
            .known
            .as_ref()
            .and_then(|known| known.mark(self.joined))
        else {
            return false;
        };
        if mark.key != *key || self.bytes.checked_add(length) != Some(mark.length) {
            return false;
        }
        digester.hasher = mark.hasher;
        // What stands before the first segment is in the state as well.
        self.small.known = self.small.bytes.len();
        self.joined += 1;
        true
    }

    /// A segment that was written, and was not on the trail, ends here.
    pub(super) fn end_segment(&mut self, key: &Digest) {
        self.is_on_trail = false;
        let end = self.small.bytes.len();
        self.small.ends.push((end, *key, self.bytes));
    }

    /// The same of bytes that an earlier build may have digested.
    fn write_known(&mut self, bytes: Vec<u8>, is_known: bool) -> Result<(), WriteError> {
        if bytes.len() < PIECE {
            self.write(&bytes)?;
            self.buffers.give_back(bytes);
            if is_known {
                self.small.known = self.small.bytes.len();
            }
            return Ok(());
        }
        self.pass_small()?;
        self.bytes += bytes.len() as u64;
        let known = match is_known {
            true => bytes.len(),
            false => 0,
        };
        self.pass(Piece {
            bytes,
            known,
            ..Piece::default()
        })
    }

    fn pass_small(&mut self) -> Result<(), WriteError> {
        let small = mem::take(&mut self.small);
        self.pass(small)
    }

    fn pass(&mut self, piece: Piece) -> Result<(), WriteError> {
        let written = self.inner.write_all(&piece.bytes);
        written.map_err(WriteError::Output)?;
        if self.jobs.get() > 1
            && piece.bytes.len() - piece.known > FEW
            && let Digesting::Here(digester) = &mut self.digesting
        {
            let digester = mem::take(digester);
            self.digesting = Digesting::there(digester, self.buffers.clone());
        }
        match &mut self.digesting {
            Digesting::Here(digester) => {
                digester.take(&piece);
                self.buffers.give_back(piece.bytes);
            }
            // It lives as long as there is something to come.
            Digesting::There(pieces, _) => drop(pieces.send(piece)),
        }
        Ok(())
    }

    /// All is written. Gives the number of bytes and their digest.
    pub(super) fn finish(mut self) -> Result<(u64, Digest), WriteError> {
        self.pass_small()?;
        self.inner.flush().map_err(WriteError::Output)?;
        let digester = match self.digesting {
            Digesting::Here(digester) => digester,
            Digesting::There(pieces, thread) => {
                drop(pieces);
                thread.join().map_err(|_| WriteError::thread_ended())?
            }
        };
        if let Some(store) = self.store {
            keep_trail(store, self.known, self.joined, digester.trail);
        }
        Ok((self.bytes, digester.hasher.finish()))
    }
}

/// Keeps the trail of an archive, unless it is the one that is known or its beginning.
fn keep_trail(store: &dyn SegmentStore, known: Option<Trail>, joined: usize, digested: Trail) {
    if digested.is_empty() {
        return;
    }
    let trail = match known {
        None => Some(digested),
        Some(mut known) => known.go_on(joined, &digested).then_some(known),
    };
    if let Some(trail) = trail
        && let Some(name) = trail.name()
    {
        store.keep_trail(&name, &trail.into_bytes());
    }
}

impl Digesting {
    fn there(mut digester: Digester, buffers: Buffers) -> Self {
        let (pieces, queue) = mpsc::sync_channel::<Piece>(WAITING);
        let thread = thread::spawn(move || {
            for piece in queue {
                digester.take(&piece);
                buffers.give_back(piece.bytes);
            }
            digester
        });
        Self::There(pieces, thread)
    }
}

#[cfg(test)]
mod tests;
