//! The bytes of the tar itself: unpacked as they come, and counted.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::TarballError;
use super::header::BLOCK;
use crate::limits::Limits;

/// So much may come of any tarball, however small it is: tar is mostly zeros where files are small.
pub(super) const FREE: u64 = 16 << 20;

/// The bytes of a tar.
pub(super) struct Stream<R: Read> {
    source: Source<R>,
    taken: u64,
    most: u64,
    most_by_ratio: u64,
    ratio: u64,
}

enum Source<R: Read> {
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
    Plain(Whole<R>),
}

/// A file of which the first bytes were looked at.
type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

impl<R: Read> Stream<R> {
    /// Finds out what it is, by its first bytes.
    pub(super) fn open(
        mut packed: R,
        packed_size: u64,
        limits: &Limits,
    ) -> Result<Self, TarballError> {
        if packed_size > limits.packed_bytes {
            return Err(TarballError::TooLargePacked {
                size: packed_size,
                limit: limits.packed_bytes,
            });
        }
        let mut start = Vec::with_capacity(BLOCK);
        let looked = packed.by_ref().take(BLOCK as u64).read_to_end(&mut start);
        looked.map_err(TarballError::Input)?;
        let is_gzip = start.starts_with(&[0x1f, 0x8b]);
        if !is_gzip && start.get(257..262) != Some(b"ustar") {
            return Err(TarballError::NotATarball {
                found: guess(&start),
            });
        }
        let whole = BufReader::with_capacity(64 << 10, Cursor::new(start).chain(packed));
        let source = match is_gzip {
            true => Source::Gzip(Box::new(MultiGzDecoder::new(whole))),
            false => Source::Plain(whole),
        };
        Ok(Self {
            source,
            taken: 0,
            most: limits.unpacked_bytes,
            most_by_ratio: packed_size.saturating_mul(limits.unpacked_ratio).max(FREE),
            ratio: limits.unpacked_ratio,
        })
    }

    /// How many bytes came so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Refuses a content that would go over a limit before any of it has come.
    pub(super) fn expect(&self, size: u64) -> Result<(), TarballError> {
        self.check(self.taken.saturating_add(size))
    }

    fn check(&self, total: u64) -> Result<(), TarballError> {
        if total > self.most {
            return Err(TarballError::TooLarge { limit: self.most });
        }
        if total > self.most_by_ratio {
            return Err(TarballError::TooDense { limit: self.ratio });
        }
        Ok(())
    }

    /// Reads what there is, up to the length of `into`; 0 at the end.
    pub(super) fn some(&mut self, into: &mut [u8]) -> Result<usize, TarballError> {
        let length = match &mut self.source {
            Source::Gzip(decoder) => decoder.read(into).map_err(damaged),
            Source::Plain(reader) => reader.read(into).map_err(TarballError::Input),
        }?;
        self.taken += length as u64;
        self.check(self.taken)?;
        Ok(length)
    }

    /// Reads exactly as much as `into` holds.
    pub(super) fn fill(&mut self, mut into: &mut [u8]) -> Result<(), TarballError> {
        while !into.is_empty() {
            match self.some(into)? {
                0 => return Err(TarballError::Truncated),
                length => into = &mut into[length..],
            }
        }
        Ok(())
    }

    /// The next block; none at the end.
    pub(super) fn block(&mut self) -> Result<Option<[u8; BLOCK]>, TarballError> {
        let mut block = [0; BLOCK];
        match self.some(&mut block)? {
            0 => Ok(None),
            length => {
                self.fill(&mut block[length..])?;
                Ok(Some(block))
            }
        }
    }
}

fn damaged(error: io::Error) -> TarballError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => TarballError::Truncated,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => TarballError::Damaged {
            reason: error.to_string(),
        },
        _ => TarballError::Input(error),
    }
}

/// What it seems to be instead.
pub(crate) fn guess(start: &[u8]) -> &'static str {
    let text = start.trim_ascii_start().to_ascii_lowercase();
    match start {
        [] => "nothing",
        [b'P', b'K', 3 | 5, ..] => "a zip archive",
        [b'B', b'Z', b'h', ..] => "something that bzip2 compressed",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "something that xz compressed",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "something that zstd compressed",
        _ if text.starts_with(b"<!doctype") || text.starts_with(b"<html") => "a web page",
        _ if text.starts_with(b"{") => "JSON",
        _ => "something else",
    }
}
