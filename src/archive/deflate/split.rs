//! Where one deflate block ends and the next begins.
//!
//! A block's own code pays for its header only while the symbols are alike. The sequences are cut into
//! small pieces, and then the two neighbours that save the most by sharing a code are joined, again and
//! again, until nothing is saved. Costs are those of an ideal code, and an estimate of the header.

use super::block::{Histogram, Sequence};
use super::symbols::{DISTANCES, END_OF_BLOCK, LENGTH_BITS, distance_bits};

/// The least bytes of a piece.
const PIECE: u32 = 8 << 10;

/// Sequences that become a block.
pub(super) struct Part {
    pub(super) sequences: usize,
    pub(super) histogram: Histogram,
    cost: u64,
    /// What it would cost joined with the next part.
    joined: u64,
}

/// Scratch memory for [`Splitter::split`].
#[derive(Default)]
pub(super) struct Splitter {
    parts: Vec<Part>,
    /// Which parts are left, in their order.
    left: Vec<usize>,
}

impl Splitter {
    /// Divides `sequences`, which stand for `data`, into blocks.
    pub(super) fn split(
        &mut self,
        data: &[u8],
        sequences: &[Sequence],
    ) -> impl Iterator<Item = &Part> {
        self.cut(data, sequences);
        while let Some(at) = self.best() {
            self.join(at);
        }
        self.left.iter().map(|&part| &self.parts[part])
    }

    /// Cuts the sequences into pieces of at least [`PIECE`] bytes.
    fn cut(&mut self, data: &[u8], sequences: &[Sequence]) {
        self.parts.clear();
        let (mut first, mut bytes, mut start) = (0, 0, 0);
        for (at, sequence) in sequences.iter().enumerate() {
            bytes += sequence.bytes();
            if bytes >= PIECE || at + 1 == sequences.len() {
                let mut histogram = Histogram::EMPTY;
                histogram.count(&data[start..], &sequences[first..=at]);
                let cost = cost(&histogram, &Histogram::EMPTY);
                self.parts.push(Part {
                    sequences: at + 1 - first,
                    histogram,
                    cost,
                    joined: 0,
                });
                start += bytes as usize;
                (first, bytes) = (at + 1, 0);
            }
        }
        self.left.clear();
        self.left.extend(0..self.parts.len());
        for at in 0..self.left.len() {
            self.rate(at);
        }
    }

    /// The first of the two neighbours that save the most if they are joined, the first such two.
    fn best(&self) -> Option<usize> {
        let mut best = (0, None);
        for (at, pair) in self.left.windows(2).enumerate() {
            let [a, b] = [&self.parts[pair[0]], &self.parts[pair[1]]];
            let saved = (a.cost + b.cost).saturating_sub(a.joined);
            if saved > best.0 {
                best = (saved, Some(at));
            }
        }
        best.1
    }

    /// Joins a part and the next one.
    fn join(&mut self, at: usize) {
        let (part, next) = (self.left[at], self.left.remove(at + 1));
        let (before, after) = self.parts.split_at_mut(next);
        let (part, next) = (&mut before[part], &after[0]);
        part.sequences += next.sequences;
        part.histogram.add(&next.histogram);
        part.cost = part.joined;
        self.rate(at);
        if at > 0 {
            self.rate(at - 1);
        }
    }

    /// Finds what a part would cost together with the next one.
    fn rate(&mut self, at: usize) {
        if let &[part, next, ..] = &self.left[at..] {
            let joined = cost(&self.parts[part].histogram, &self.parts[next].histogram);
            self.parts[part].joined = joined;
        }
    }
}

/// Fixed point: bits of a fraction in the costs.
const FRACTION: u32 = 12;

/// What a block of the symbols of both costs at best, in fractions of a bit.
fn cost(a: &Histogram, b: &Histogram) -> u64 {
    let literals = ideal(&a.literals, &b.literals, 1);
    let distances = ideal(&a.distances, &b.distances, 0);
    let mut further = 0;
    let lengths = a.literals.iter().zip(&b.literals).skip(END_OF_BLOCK + 1);
    for ((a, b), bits) in lengths.zip(LENGTH_BITS) {
        further += (a + b) * u32::from(bits);
    }
    for symbol in 0..DISTANCES {
        let count = a.distances[symbol] + b.distances[symbol];
        further += count * distance_bits(symbol);
    }
    let own = literals + distances + ((u64::from(further) + HEADER) << FRACTION);
    let stored = (u64::from(a.bytes + b.bytes) * 8 + STORED) << FRACTION;
    own.min(stored)
}

/// Bits of a header, without its symbols.
const HEADER: u64 = 60;

/// Bits of a header for each symbol that occurs.
const SYMBOL: u64 = 4;

/// Bits of a stored block, without its bytes.
const STORED: u64 = 40;

/// The bits of an ideal code for the symbols of both, `more` of another one, and its part of the header.
fn ideal(a: &[u32], b: &[u32], more: u32) -> u64 {
    let mut total = more;
    let mut used = 0;
    let mut weighted = 0;
    for (a, b) in a.iter().zip(b) {
        let count = a + b;
        if count != 0 {
            total += count;
            used += 1;
            weighted += u64::from(count) * u64::from(log2(count));
        }
    }
    u64::from(total) * u64::from(log2(total)) - weighted + ((used * SYMBOL) << FRACTION)
}

const LOG_INDEX: u32 = 9;

/// `log2(1 + i / 512)`.
static LOGS: [u16; 1 << LOG_INDEX] = {
    let mut table = [0; 1 << LOG_INDEX];
    let mut at = 0;
    while at < 1 << LOG_INDEX {
        // Squaring doubles the logarithm: each carry over 2 is its next bit.
        let mut x = ((1 << LOG_INDEX) + at as u64) << (31 - LOG_INDEX);
        let mut bit = 0;
        while bit < FRACTION {
            x = (x * x) >> 31;
            table[at] <<= 1;
            if x >> 32 != 0 {
                x >>= 1;
                table[at] |= 1;
            }
            bit += 1;
        }
        at += 1;
    }
    table
};

/// The binary logarithm, rounded down a little; that of 0 is 0.
#[inline(always)]
fn log2(x: u32) -> u32 {
    let x = x | u32::from(x == 0);
    let whole = x.ilog2();
    let fraction = (x << (31 - whole)) >> (31 - LOG_INDEX) & ((1 << LOG_INDEX) - 1);
    (whole << FRACTION) + u32::from(LOGS[fraction as usize])
}
