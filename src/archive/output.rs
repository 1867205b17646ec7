//! Where an archive's bytes go: they are counted and digested on the way.

use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use super::WriteError;
use crate::digest::{Digest, Hasher};

/// Small pieces are put together up to this size.
const PIECE: usize = 64 << 10;

/// How many pieces may wait to be digested: memory is bounded by it.
const WAITING: usize = 4;

/// An archive as it is written.
pub(super) struct Output<'a> {
    inner: &'a mut dyn Write,
    digesting: Digesting,
    bytes: u64,
    /// Small pieces that were not written yet.
    small: Vec<u8>,
}

/// SHA-256 is half the work where nothing is compressed, so it has a thread of its own where there may be
/// several.
enum Digesting {
    Here(Hasher),
    There(SyncSender<Vec<u8>>, JoinHandle<Digest>),
}

impl<'a> Output<'a> {
    pub(super) fn new(inner: &'a mut dyn Write, jobs: NonZeroUsize) -> Self {
        Self {
            inner,
            digesting: match jobs.get() {
                1 => Digesting::Here(Hasher::default()),
                _ => Digesting::there(),
            },
            bytes: 0,
            small: Vec::new(),
        }
    }

    /// Writes some bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        if self.small.len() + bytes.len() > PIECE {
            let small = std::mem::take(&mut self.small);
            self.pass(small)?;
        }
        match bytes.len() < PIECE {
            true => self.small.extend_from_slice(bytes),
            false => self.pass(bytes.to_vec())?,
        }
        Ok(())
    }

    /// Writes many bytes.
    pub(super) fn write_all(&mut self, bytes: Vec<u8>) -> Result<(), WriteError> {
        if bytes.len() < PIECE {
            return self.write(&bytes);
        }
        let small = std::mem::take(&mut self.small);
        self.pass(small)?;
        self.pass(bytes)
    }

    fn pass(&mut self, bytes: Vec<u8>) -> Result<(), WriteError> {
        self.inner.write_all(&bytes).map_err(WriteError::Output)?;
        self.bytes += bytes.len() as u64;
        match &mut self.digesting {
            Digesting::Here(hasher) => hasher.update(&bytes),
            // It lives as long as there is something to come.
            Digesting::There(pieces, _) => drop(pieces.send(bytes)),
        }
        Ok(())
    }

    /// All is written. Gives the number of bytes and their digest.
    pub(super) fn finish(mut self) -> Result<(u64, Digest), WriteError> {
        let small = std::mem::take(&mut self.small);
        self.pass(small)?;
        self.inner.flush().map_err(WriteError::Output)?;
        let digest = match self.digesting {
            Digesting::Here(hasher) => hasher.finish(),
            Digesting::There(pieces, thread) => {
                drop(pieces);
                thread.join().map_err(|_| WriteError::thread_ended())?
            }
        };
        Ok((self.bytes, digest))
    }
}

impl Digesting {
    fn there() -> Self {
        let (pieces, queue) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let thread = thread::spawn(move || {
            let mut hasher = Hasher::default();
            queue.iter().for_each(|piece| hasher.update(&piece));
            hasher.finish()
        });
        Self::There(pieces, thread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_are_written_in_order_and_digested() {
        let bytes: Vec<u8> = (0..1_000_000_u32)
            .map(|n| (n.wrapping_mul(n) >> 7) as u8)
            .collect();
        for jobs in [1, 2] {
            let jobs = NonZeroUsize::new(jobs).expect("a number");
            for step in [1_000, PIECE - 1, PIECE, PIECE + 1, 400_000] {
                let mut written = Vec::new();
                let mut out = Output::new(&mut written, jobs);
                for (index, piece) in bytes.chunks(step).enumerate() {
                    let done = match index % 2 {
                        0 => out.write(piece),
                        _ => out.write_all(piece.to_vec()),
                    };
                    done.expect("written");
                }
                let (length, digest) = out.finish().expect("an end");
                assert!(written == bytes, "{step}");
                assert_eq!((length, digest), (bytes.len() as u64, Digest::of(&bytes)));
            }
        }
    }
}
