//! The archive's own bytes, counted and digested; and what is compressed among them.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::{Place, ReadError};
use crate::digest::{Digest, Hasher};

/// How much is read at once. The buffer is always filled before it is looked at, so that what is
/// told of a damage does not depend on the sizes in which `Read` gives.
const BUFFER: usize = 64 << 10;

/// An archive's file, from its first byte to its last.
pub(super) struct Input<'a> {
    source: &'a mut dyn Read,
    buffer: Box<[u8]>,
    /// What is in the buffer and not yet taken.
    start: usize,
    end: usize,
    /// Where `start` is in the archive.
    at: u64,
    hasher: Hasher,
}

impl<'a> Input<'a> {
    pub(super) fn new(source: &'a mut dyn Read) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER].into(),
            start: 0,
            end: 0,
            at: 0,
            hasher: Hasher::default(),
        }
    }

    /// How many bytes were taken.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// What comes next, as far as it is in the buffer; empty at the end alone.
    pub(super) fn fill(&mut self) -> Result<&[u8], ReadError> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            while self.end < self.buffer.len() {
                match self.source.read(&mut self.buffer[self.end..]) {
                    Ok(0) => break,
                    Ok(count) => self.end += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                    Err(error) => return Err(ReadError::Input(error)),
                }
            }
            self.hasher.update(&self.buffer[..self.end]);
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes some of what `fill` gave.
    pub(super) fn take(&mut self, count: usize) {
        self.start += count;
        self.at += count as u64;
    }

    /// Reads what there is, up to the length of `into`; 0 at the end.
    pub(super) fn some(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let given = self.fill()?;
        let count = given.len().min(into.len());
        into[..count].copy_from_slice(&given[..count]);
        self.take(count);
        Ok(count)
    }

    /// Reads exactly as much as `into` holds, being a part of `within`.
    pub(super) fn exact(
        &mut self,
        mut into: &mut [u8],
        within: &'static str,
    ) -> Result<(), ReadError> {
        while !into.is_empty() {
            match self.some(into)? {
                0 => {
                    return Err(ReadError::Truncated {
                        at: Place::Archive(self.at),
                        within,
                    });
                }
                count => into = &mut into[count..],
            }
        }
        Ok(())
    }

    /// The size and the digest, of an archive behind which nothing may stand.
    pub(super) fn end(mut self) -> Result<(u64, Digest), ReadError> {
        let at = Place::Archive(self.at);
        match self.fill()? {
            [] => Ok((self.at, self.hasher.finish())),
            _ => Err(ReadError::AfterEnd { at }),
        }
    }
}

/// Deflated data as it is unpacked.
pub(super) struct Inflater {
    decoder: Decompress,
    ended: bool,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            decoder: Decompress::new(false),
            ended: false,
        }
    }

    /// Unpacks what there is, up to the length of `into`; 0 at the end of the data, which it never
    /// reads beyond.
    pub(super) fn some(
        &mut self,
        input: &mut Input<'_>,
        into: &mut [u8],
    ) -> Result<usize, ReadError> {
        while !self.ended && !into.is_empty() {
            let given = input.fill()?;
            let is_end = given.is_empty();
            let (read, written) = (self.decoder.total_in(), self.decoder.total_out());
            let step = self.decoder.decompress(given, into, FlushDecompress::None);
            let read = (self.decoder.total_in() - read) as usize;
            let written = (self.decoder.total_out() - written) as usize;
            input.take(read);
            let status = step.map_err(|error| ReadError::Deflate {
                at: Place::Archive(input.at()),
                reason: error
                    .message()
                    .unwrap_or("it is no deflate data")
                    .to_owned(),
            })?;
            self.ended = status == Status::StreamEnd;
            if written > 0 {
                return Ok(written);
            }
            if is_end && !self.ended {
                return Err(ReadError::Truncated {
                    at: Place::Archive(input.at()),
                    within: "compressed data",
                });
            }
            // A decoder that neither takes nor gives would do so for ever.
            if read == 0 && !self.ended {
                return Err(ReadError::Deflate {
                    at: Place::Archive(input.at()),
                    reason: "it comes to no end".to_owned(),
                });
            }
        }
        Ok(0)
    }
}
