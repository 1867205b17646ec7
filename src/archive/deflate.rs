//! The archive's own deflate encoder.
//!
//! What it gives depends on its arguments alone: on no feature of any crate, no property of the
//! machine, and nothing that it encoded before. That is a promise, and `tests.rs` pins it: what changes
//! a byte is another encoder, with another name.
//!
//! A block is what is encoded at once. It may repeat what stands in the 32 KiB before it, and it ends
//! at a byte, with an empty stored block. So blocks that were encoded apart can be joined to one
//! stream, with [`END`] behind the last.
//!
//! `matches` finds repetitions, `lazy` chooses among them, `split` divides the result into deflate's
//! own blocks, and `block` writes one. For [`Level::Best`] `trees` finds more repetitions, and `optimal`
//! chooses by their `prices`.

mod bits;
mod block;
mod huffman;
mod lazy;
mod matches;
mod optimal;
mod prices;
mod sight;
mod split;
mod symbols;
mod trees;

use super::Level;
use bits::BitWriter;
use block::Sequence;
use matches::Matches;
use optimal::Optimal;
use sight::{REACH, SLACK};
use split::Splitter;

/// The name of this encoder, in receipts and in keys of what it made.
pub const ENCODER: &str = "cookpack-deflate-1";

/// The bytes before a block that it may repeat.
pub const WINDOW: usize = REACH;

/// What ends a deflate stream behind any number of encoded blocks: an empty block that is the last.
pub const END: [u8; 2] = [0x03, 0x00];

/// The bytes of a sync flush: an empty stored block.
const FLUSH: usize = 5;

/// The most bytes that [`Encoder::encode`] gives for a block of this length.
pub(crate) fn bound(length: usize) -> usize {
    length + length.div_ceil(block::STORED) * FLUSH + FLUSH
}

/// A longer block is encoded in pieces, so that neither memory nor time grow faster than it does.
const PIECE: usize = 1 << 20;

/// Memory for one thread, once something was encoded: some 330 KiB and the block, and up to 3 MiB more with
/// [`Level::Best`]. What it holds never shows in a result.
pub(crate) struct Encoder {
    /// One byte, so that no position is 0; the window at the end of its place; the block; slack.
    buffer: Vec<u8>,
    /// What only [`Level::Default`] needs.
    matches: Option<Matches>,
    sequences: Vec<Sequence>,
    splitter: Splitter,
    /// What only [`Level::Best`] needs.
    optimal: Option<Box<Optimal>>,
}

/// Where a block stands in the buffer.
const START: usize = 1 + WINDOW;

/// Where it stands for [`Level::Best`], which looks as far back from within the window too.
const BEST_START: usize = START + REACH;

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            buffer: Vec::new(),
            matches: None,
            sequences: Vec::new(),
            splitter: Splitter::default(),
            optimal: None,
        }
    }

    /// Appends `block` to `out`, compressed: whole bytes that end in a sync flush and hold no last
    /// block. `window` is what stands right before the block; of a longer one than [`WINDOW`] the end
    /// counts. It is never more than [`bound`] says.
    pub(crate) fn encode(&mut self, level: Level, window: &[u8], block: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let mut bits = BitWriter::new(out);
        let mut window = window;
        let mut rest = block;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(PIECE));
            self.write(level, window, piece, &mut bits);
            (window, rest) = (piece, after);
        }
        block::write_stored(&mut bits, &[]);
        // Many small stored blocks can take more than few large ones.
        if out.len() - start > bound(block.len()) {
            out.truncate(start);
            let mut bits = BitWriter::new(out);
            if !block.is_empty() {
                block::write_stored(&mut bits, block);
            }
            block::write_stored(&mut bits, &[]);
        }
    }

    fn write(&mut self, level: Level, window: &[u8], block: &[u8], bits: &mut BitWriter<'_>) {
        let window = &window[window.len().saturating_sub(WINDOW)..];
        let at = match level {
            Level::Default => START,
            Level::Best => BEST_START,
        };
        let (before, end) = (at - window.len(), at + block.len());
        self.buffer.clear();
        self.buffer.reserve_exact(end + SLACK);
        self.buffer.resize(before, 0);
        self.buffer.extend_from_slice(window);
        self.buffer.extend_from_slice(block);
        self.buffer.resize(end + SLACK, 0);
        self.sequences.clear();
        let least = match level {
            Level::Default => split::PIECE,
            Level::Best => optimal::PIECE,
        };
        match level {
            Level::Default => lazy::parse(
                self.matches.get_or_insert_with(Matches::new),
                &self.buffer,
                before,
                at,
                end,
                &mut self.sequences,
            ),
            Level::Best => self
                .optimal
                .get_or_insert_with(|| Box::new(Optimal::new()))
                .parse(
                    &mut self.splitter,
                    &self.buffer,
                    before,
                    at,
                    end,
                    &mut self.sequences,
                ),
        }
        let (mut data, mut sequences) = (block, &self.sequences[..]);
        for part in self.splitter.split(block, sequences, least) {
            let (these, after) = sequences.split_at(part.sequences);
            let (bytes, rest) = data.split_at(part.histogram.bytes as usize);
            block::write(bits, bytes, these, &part.histogram);
            (data, sequences) = (rest, after);
        }
    }
}

/// Compresses one block: what [`END`] follows, and before that any number of other blocks, is a deflate
/// stream. `window` is what stands right before the block, of which the last [`WINDOW`] bytes count.
pub fn compress(level: Level, window: &[u8], block: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new().encode(level, window, block, &mut out);
    out
}

#[cfg(test)]
mod tests;
