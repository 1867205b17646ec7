//! Where one deflate block ends and the next begins.
//!
//! A block's own code pays for its header only while the symbols are alike. The sequences are cut into
//! small pieces, and then the two neighbours that save the most by sharing a code are joined, again and
//! again, until nothing is saved. Costs are those of an ideal code, and an estimate of the header.

use super::block::{Histogram, Sequence};
use super::symbols::{DISTANCES, END_OF_BLOCK, LENGTH_BITS, distance_bits};

/// The least bytes of a piece for the default level.
pub(super) const PIECE: u32 = 8 << 10;

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
    /// Divides `sequences`, which stand for `data`, into blocks. None is shorter than `piece` bytes but
    /// the last.
    pub(super) fn split(
        &mut self,
        data: &[u8],
        sequences: &[Sequence],
        piece: u32,
    ) -> impl Iterator<Item = &Part> {
        self.cut(data, sequences, piece);
        while let Some(at) = self.best() {
            self.join(at);
        }
        self.left.iter().map(|&part| &self.parts[part])
    }

    /// Cuts the sequences into pieces of at least `piece` bytes.
    fn cut(&mut self, data: &[u8], sequences: &[Sequence], piece: u32) {
        self.parts.clear();
        let (mut first, mut bytes, mut start) = (0, 0, 0);
        for (at, sequence) in sequences.iter().enumerate() {
            bytes += sequence.bytes();
            if bytes >= piece || at + 1 == sequences.len() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of_bytes(bytes: &[u8]) -> Histogram {
        let mut histogram = Histogram::EMPTY;
        histogram.count(bytes, &[Sequence::of_literals(bytes.len() as u32)]);
        histogram
    }

    /// 60 bits, and 4 for each symbol.
    const fn header(symbols: u64) -> u64 {
        60 + 4 * symbols
    }

    #[test]
    fn logarithms_are_right_to_the_hundredth_and_always_the_same() {
        assert_eq!(log2(0), 0);
        for power in 0..32 {
            assert_eq!(log2(1 << power), power << FRACTION);
        }
        for x in (1..5000).chain(1_000_000..1_001_000) {
            let exact = f64::from(x).log2();
            let found = f64::from(log2(x)) / f64::from(1 << FRACTION);
            assert!(
                found <= exact && exact - found < 0.004,
                "{x}: {found} {exact}"
            );
        }
        let pinned = [3, 5, 7, 100, 511, 1023, 1025, 65_535].map(log2);
        assert_eq!(
            pinned,
            [6492, 9510, 11_498, 27_213, 36_852, 40_954, 40_960, 65_530]
        );
    }

    #[test]
    fn costs_are_those_of_an_ideal_code() {
        // Seven symbols and the end, three bits each.
        let few = of_bytes(b"abcdefg");
        let none = &Histogram::EMPTY;
        assert_eq!(cost(&few, none), (7 * 8 + 40) << FRACTION, "stored");
        let many = of_bytes(&b"abcdefg".repeat(100));
        let exact = cost(&many, none);
        // 700 symbols of log2 7 bits each; the end, of one in 701, makes them dearer by 10.9 in all.
        assert_eq!(exact >> FRACTION, 1965 + 10 + header(7));
        assert_eq!(exact, 8_454_068);
    }

    #[test]
    fn further_bits_cost_what_they_are() {
        let mut histogram = Histogram::EMPTY;
        let sequence = |length, distance| Sequence {
            literals: 0,
            length,
            distance,
        };
        let sequences = [sequence(258, 1), sequence(257, 32_768), sequence(258, 1)];
        histogram.count(&[0; 773], &sequences);
        assert_eq!(histogram.bytes, 773);
        // Of four symbols two are the same: 6 bits. Of three distances two are: 2.75. 5 bits follow the
        // length 257, and 13 the distance 32,768.
        let bits = 6 + 2 + 5 + 13 + header(4);
        assert_eq!(cost(&histogram, &Histogram::EMPTY) >> FRACTION, bits);
        let mut twice = histogram.clone();
        twice.add(&histogram);
        let joined = cost(&histogram, &histogram);
        assert_eq!(joined, cost(&twice, &Histogram::EMPTY));
    }

    /// The bytes of the blocks that pieces become.
    fn blocks(pieces: &[&[u8]]) -> Vec<u32> {
        let data = pieces.concat();
        let sequences: Vec<Sequence> = data
            .chunks(1024)
            .map(|piece| Sequence::of_literals(piece.len() as u32))
            .collect();
        let mut splitter = Splitter::default();
        let parts = splitter.split(&data, &sequences, PIECE);
        parts.map(|part| part.histogram.bytes).collect()
    }

    #[test]
    fn blocks_end_where_other_symbols_begin() {
        let text = b"the quick brown fox jumps over the lazy dog; ".repeat(800);
        let digits = b"0123456789".repeat(3277);
        let bytes: Vec<u8> = (0..=255).cycle().take(24 << 10).collect();
        assert_eq!(blocks(&[&text[..16384]]), [16_384]);
        assert_eq!(blocks(&[&text[..16384], &text[..8192]]), [24_576]);
        assert_eq!(
            blocks(&[&text[..16384], &digits[..32768], &bytes, &text[..5000]]),
            [16_384, 32_768, 24_576, 5000]
        );
        assert_eq!(blocks(&[&bytes, &bytes]), [2 * (24 << 10)]);
        assert_eq!(blocks(&[]), [0; 0]);
    }
}
