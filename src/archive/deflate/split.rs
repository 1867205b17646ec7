//! Where one deflate block ends and the next begins.
//!
//! A block's own code pays for its header only while the symbols are alike. The sequences are cut into
//! small pieces, and then the two neighbours that save the most by sharing a code are joined, again and
//! again, until nothing is saved. Costs are those of an ideal code, and an estimate of the header.

use super::block::{Histogram, Sequence};
use super::symbols::{END_OF_BLOCK, LENGTH_BITS, distance_bits};

/// The least bytes of a piece.
const PIECE: u32 = 4 << 10;

/// Sequences that become a block.
pub(super) struct Part {
    pub(super) sequences: usize,
    pub(super) histogram: Histogram,
    cost: u64,
    /// What joining it with the next part would cost.
    joined: u64,
}

/// Fixed point: bits of a fraction in the costs.
const FRACTION: u32 = 12;

/// Scratch memory for [`split`].
#[derive(Default)]
pub(super) struct Splitter {
    parts: Vec<Part>,
}

impl Splitter {
    /// Divides `sequences`, which stand for `data`, into blocks.
    pub(super) fn split(&mut self, data: &[u8], sequences: &[Sequence]) -> &[Part] {
        self.cut(data, sequences);
        let parts = &mut self.parts;
        for at in 1..parts.len() {
            parts[at - 1].joined = joined(&parts[at - 1], &parts[at]);
        }
        loop {
            let saved =
                |pair: &[Part]| (pair[0].cost + pair[1].cost).saturating_sub(pair[0].joined);
            let mut best = (0, 0);
            for (at, pair) in parts.windows(2).enumerate() {
                let saved = saved(pair);
                if saved > best.0 {
                    best = (saved, at);
                }
            }
            let (saved, at) = best;
            if saved == 0 {
                return parts;
            }
            let next = parts.remove(at + 1);
            let part = &mut parts[at];
            part.sequences += next.sequences;
            part.histogram.add(&next.histogram);
            part.cost = part.joined;
            if at + 1 < parts.len() {
                parts[at].joined = joined(&parts[at], &parts[at + 1]);
            }
            if at > 0 {
                parts[at - 1].joined = joined(&parts[at - 1], &parts[at]);
            }
        }
    }

    fn cut(&mut self, data: &[u8], sequences: &[Sequence]) {
        self.parts.clear();
        let (mut first, mut bytes, mut start) = (0, 0, 0);
        for (at, sequence) in sequences.iter().enumerate() {
            bytes += sequence.bytes();
            if bytes >= PIECE || at + 1 == sequences.len() {
                let mut histogram = Histogram::EMPTY;
                histogram.count(&data[start..], &sequences[first..=at]);
                let cost = cost(&histogram);
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
    }
}

fn joined(a: &Part, b: &Part) -> u64 {
    let mut histogram = a.histogram.clone();
    histogram.add(&b.histogram);
    cost(&histogram)
}

/// What a block of these symbols costs at best, in fractions of a bit.
fn cost(histogram: &Histogram) -> u64 {
    let literals = ideal(&histogram.literals, 1);
    let distances = ideal(&histogram.distances, 0);
    let mut further = 0;
    let lengths = &histogram.literals[END_OF_BLOCK + 1..];
    for (count, bits) in lengths.iter().zip(LENGTH_BITS) {
        further += u64::from(*count) * u64::from(bits);
    }
    for (symbol, count) in histogram.distances.iter().enumerate() {
        further += u64::from(*count) * u64::from(distance_bits(symbol));
    }
    let own = literals + distances + (further << FRACTION) + (HEADER << FRACTION);
    let stored = (u64::from(histogram.bytes) * 8 + 40) << FRACTION;
    own.min(stored)
}

/// Bits of a header, without its symbols.
const HEADER: u64 = 60;
/// Bits of a header for each symbol that occurs.
const SYMBOL: u64 = 4;

/// The bits of an ideal code for these symbols, `more` of another one, and its part of the header.
fn ideal(counts: &[u32], more: u32) -> u64 {
    let mut total = more;
    let mut used = 0;
    let mut weighted = 0;
    for &count in counts {
        total += count;
        used += u64::from(count > 0);
        weighted += u64::from(count) * u64::from(log2(count));
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
