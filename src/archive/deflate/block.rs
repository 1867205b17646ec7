//! One deflate block (RFC 1951, 3.2.3 to 3.2.7): what it costs stored, with the fixed code and with a
//! code of its own, and its bits in the cheapest of the three.

use super::bits::{BitWriter, Burst};
use super::huffman;
use super::symbols::{
    DISTANCES, END_OF_BLOCK, LENGTH_BASE, LENGTH_BITS, LENGTH_SYMBOL, LENGTH_SYMBOLS, LITERALS,
    MIN_MATCH, distance_bits, distance_symbol,
};

/// Some literals, and a match behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sequence {
    /// The number of literals.
    pub(super) literals: u32,
    /// The length of the match, 3 to 258; 0 if there is none.
    pub(super) length: u16,
    /// How far back the match begins, 1 to 32,768; without meaning if there is none.
    pub(super) distance: u16,
}

impl Sequence {
    /// Literals without a match behind them.
    pub(super) fn of_literals(literals: u32) -> Self {
        Self {
            literals,
            ..Self::default()
        }
    }

    /// The number of bytes that it stands for.
    pub(super) fn bytes(self) -> u32 {
        self.literals + u32::from(self.length)
    }
}

/// How often each symbol occurs, and in how many bytes.
#[derive(Clone)]
pub(super) struct Histogram {
    pub(super) literals: [u32; LITERALS],
    pub(super) distances: [u32; DISTANCES],
    pub(super) bytes: u32,
}

impl Histogram {
    pub(super) const EMPTY: Self = Self {
        literals: [0; LITERALS],
        distances: [0; DISTANCES],
        bytes: 0,
    };

    /// Counts the symbols of `sequences`, which stand for the first bytes of `data`. The end of the
    /// block is not one of them.
    pub(super) fn count(&mut self, data: &[u8], sequences: &[Sequence]) {
        let mut at = 0;
        for sequence in sequences {
            let end = at + sequence.literals as usize;
            while at + 4 <= end {
                for &byte in &data[at..at + 4] {
                    self.literals[usize::from(byte)] += 1;
                }
                at += 4;
            }
            if let Some(three) = data.get(at..at + 3) {
                // Without a branch for each number, which nothing could foresee.
                for (byte, place) in three.iter().zip(at..) {
                    self.literals[usize::from(*byte)] += u32::from(place < end);
                }
            } else {
                for &byte in &data[at..end] {
                    self.literals[usize::from(byte)] += 1;
                }
            }
            if sequence.length != 0 {
                self.literals[length_symbol(sequence.length)] += 1;
                self.distances[distance_symbol(u32::from(sequence.distance))] += 1;
            }
            at = end + usize::from(sequence.length);
        }
        self.bytes += at as u32;
    }

    /// Adds what another one counted.
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, count) in self.literals.iter_mut().zip(&other.literals) {
            *sum += count;
        }
        for (sum, count) in self.distances.iter_mut().zip(&other.distances) {
            *sum += count;
        }
        self.bytes += other.bytes;
    }
}

/// The literal or length symbol of a match.
#[inline(always)]
fn length_symbol(length: u16) -> usize {
    let above = u32::from(length).wrapping_sub(MIN_MATCH) & 255;
    END_OF_BLOCK + 1 + usize::from(LENGTH_SYMBOL[above as usize])
}

/// The longest word in a block's own code: a bit less than deflate has, so that four literals and the
/// seven bits that may wait fill 63 bits.
const LONGEST_WORD: usize = 14;

/// The longest word of the code that code lengths are written in.
const LONGEST_LENGTH_WORD: usize = 7;

/// The order in which the lengths of that code are written.
const LENGTHS_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The bits of one code length, in which it is written.
const LENGTH_FIELD: u32 = 3;

/// A block's two codes.
#[derive(Clone)]
pub(super) struct Code {
    literals: [u8; LITERALS],
    distances: [u8; DISTANCES],
}

impl Code {
    /// The fixed code (RFC 1951, 3.2.6).
    pub(super) const FIXED: Self = {
        let mut literals = [8; LITERALS];
        let mut symbol = 144;
        while symbol < 280 {
            literals[symbol] = if symbol < 256 { 9 } else { 7 };
            symbol += 1;
        }
        Self {
            literals,
            distances: [5; DISTANCES],
        }
    };

    /// The best code for these symbols and one end of the block.
    pub(super) fn of(histogram: &Histogram) -> Self {
        let mut code = Self {
            literals: [0; LITERALS],
            distances: [0; DISTANCES],
        };
        let mut literals = histogram.literals;
        literals[END_OF_BLOCK] += 1;
        huffman::lengths(&literals, LONGEST_WORD, &mut code.literals);
        huffman::lengths(&histogram.distances, LONGEST_WORD, &mut code.distances);
        code
    }

    /// The bits of these symbols and one end of the block, without a header.
    pub(super) fn cost(&self, histogram: &Histogram) -> u64 {
        let mut bits = u64::from(self.literals[END_OF_BLOCK]);
        for (count, length) in histogram.literals.iter().zip(self.literals) {
            bits += u64::from(*count) * u64::from(length);
        }
        let lengths = &histogram.literals[END_OF_BLOCK + 1..];
        for (count, further) in lengths.iter().zip(LENGTH_BITS) {
            bits += u64::from(*count) * u64::from(further);
        }
        for (symbol, count) in histogram.distances.iter().enumerate() {
            let length = u32::from(self.distances[symbol]) + distance_bits(symbol);
            bits += u64::from(*count) * u64::from(length);
        }
        bits
    }

    /// Writes the symbols of `sequences`, which stand for `data`, and the end of the block.
    fn write(&self, data: &[u8], sequences: &[Sequence], burst: &mut Burst<'_>) {
        let words = Words::of(self);
        let mut at = 0;
        for sequence in sequences {
            let end = at + sequence.literals as usize;
            let (fours, rest) = data[at..end].as_chunks::<4>();
            for four in fours {
                for byte in four {
                    words.literal(*byte, burst);
                }
                burst.store();
            }
            for byte in rest {
                words.literal(*byte, burst);
            }
            burst.store();
            if sequence.length != 0 {
                words.a_match(sequence.length, sequence.distance, burst);
                burst.store();
            }
            at = end + usize::from(sequence.length);
        }
        words.end(burst);
    }
}

/// The words of a code, each with its number of bits in the top byte.
struct Words {
    literals: [u32; LITERALS],
    /// With the bits that follow.
    lengths: [u32; 256],
    distances: [u32; DISTANCES],
}

const COUNT_SHIFT: u32 = 24;

const fn word(bits: u32, count: u32) -> u32 {
    bits | count << COUNT_SHIFT
}

impl Words {
    fn of(code: &Code) -> Self {
        let mut literal_words = [0; LITERALS];
        let mut distance_words = [0; DISTANCES];
        huffman::words(&code.literals, &mut literal_words);
        huffman::words(&code.distances, &mut distance_words);
        let pack = |bits: u16, count: u8| word(u32::from(bits), u32::from(count));
        let mut words = Self {
            literals: std::array::from_fn(|at| pack(literal_words[at], code.literals[at])),
            lengths: [0; 256],
            distances: std::array::from_fn(|at| pack(distance_words[at], code.distances[at])),
        };
        for symbol in 0..LENGTH_SYMBOLS {
            let count = u32::from(code.literals[END_OF_BLOCK + 1 + symbol]);
            let bits = u32::from(literal_words[END_OF_BLOCK + 1 + symbol]);
            let further = u32::from(LENGTH_BITS[symbol]);
            let base = usize::from(LENGTH_BASE[symbol]) - MIN_MATCH as usize;
            // The last symbol but one could say 258 too, which the last one then says.
            let lengths = &mut words.lengths[base..(base + (1 << further)).min(256)];
            for (above, packed) in lengths.iter_mut().enumerate() {
                *packed = word(bits | (above as u32) << count, count + further);
            }
        }
        words
    }

    #[inline(always)]
    fn add(packed: u32, burst: &mut Burst<'_>) {
        let bits = packed & ((1 << COUNT_SHIFT) - 1);
        burst.add(u64::from(bits), packed >> COUNT_SHIFT);
    }

    #[inline(always)]
    fn literal(&self, byte: u8, burst: &mut Burst<'_>) {
        Self::add(self.literals[usize::from(byte)], burst);
    }

    #[inline(always)]
    fn a_match(&self, length: u16, distance: u16, burst: &mut Burst<'_>) {
        let above = u32::from(length).wrapping_sub(MIN_MATCH) & 255;
        Self::add(self.lengths[above as usize], burst);
        let symbol = distance_symbol(u32::from(distance));
        Self::add(self.distances[symbol & (DISTANCES - 1)], burst);
        let further = distance_bits(symbol);
        let below = u64::from(distance).wrapping_sub(1);
        burst.add(below & ((1 << further) - 1), further);
    }

    fn end(&self, burst: &mut Burst<'_>) {
        Self::add(self.literals[END_OF_BLOCK], burst);
        burst.store();
    }
}

/// The code lengths of a block as they stand in its header (RFC 1951, 3.2.7).
pub(super) struct Header {
    literals: usize,
    distances: usize,
    /// Symbols of the code for code lengths, and what follows each.
    items: [(u8, u8); LITERALS + DISTANCES],
    count: usize,
    /// That code.
    lengths: [u8; 19],
    /// How many of its lengths are written.
    written: usize,
    /// The bits of all this.
    pub(super) cost: u64,
}

/// Bits that follow a symbol of the code for code lengths.
fn repeat_bits(symbol: u8) -> u32 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

impl Header {
    pub(super) fn of(code: &Code) -> Self {
        let used = |lengths: &[u8], least: usize| {
            let last = lengths.iter().rposition(|&length| length != 0);
            last.map_or(least, |last| least.max(last + 1))
        };
        let literals = used(&code.literals, END_OF_BLOCK + 1);
        let distances = used(&code.distances, 1);
        let mut all = [0; LITERALS + DISTANCES];
        all[..literals].copy_from_slice(&code.literals[..literals]);
        all[literals..literals + distances].copy_from_slice(&code.distances[..distances]);
        let mut header = Self {
            literals,
            distances,
            items: [(0, 0); LITERALS + DISTANCES],
            count: 0,
            lengths: [0; 19],
            written: 0,
            cost: 0,
        };
        header.repeat(&all[..literals + distances]);

        let mut frequencies = [0; 19];
        for (symbol, _) in &header.items[..header.count] {
            frequencies[usize::from(*symbol)] += 1;
        }
        huffman::lengths(&frequencies, LONGEST_LENGTH_WORD, &mut header.lengths);
        let last = LENGTHS_ORDER
            .iter()
            .rposition(|&symbol| header.lengths[symbol] != 0);
        header.written = last.map_or(4, |last| 4.max(last + 1));
        header.cost = 5 + 5 + 4 + u64::from(LENGTH_FIELD) * header.written as u64;
        for (symbol, _) in &header.items[..header.count] {
            let length = u32::from(header.lengths[usize::from(*symbol)]);
            header.cost += u64::from(length + repeat_bits(*symbol));
        }
        header
    }

    fn item(&mut self, symbol: u8, further: usize) {
        self.items[self.count] = (symbol, further as u8);
        self.count += 1;
    }

    /// Says runs of equal lengths in the longest repetitions that there are.
    fn repeat(&mut self, lengths: &[u8]) {
        for run in lengths.chunk_by(|a, b| a == b) {
            let length = run[0];
            let mut left = run.len();
            if length == 0 {
                while left >= 11 {
                    let taken = left.min(138);
                    self.item(18, taken - 11);
                    left -= taken;
                }
                if left >= 3 {
                    self.item(17, left - 3);
                    left = 0;
                }
            } else if left >= 4 {
                self.item(length, 0);
                left -= 1;
                while left >= 3 {
                    let taken = left.min(6);
                    self.item(16, taken - 3);
                    left -= taken;
                }
            }
            for _ in 0..left {
                self.item(length, 0);
            }
        }
    }

    fn write(&self, bits: &mut BitWriter<'_>) {
        bits.write(self.literals as u64 - 257, 5);
        bits.write(self.distances as u64 - 1, 5);
        bits.write(self.written as u64 - 4, 4);
        for &symbol in &LENGTHS_ORDER[..self.written] {
            bits.write(u64::from(self.lengths[symbol]), LENGTH_FIELD);
        }
        let mut words = [0; 19];
        huffman::words(&self.lengths, &mut words);
        for &(symbol, further) in &self.items[..self.count] {
            let at = usize::from(symbol);
            bits.write(u64::from(words[at]), u32::from(self.lengths[at]));
            bits.write(u64::from(further), repeat_bits(symbol));
        }
    }
}

/// The most bytes of one stored block.
pub(super) const STORED: usize = 0xFFFF;

/// The bits that a block's kind takes, with the bit that says whether it is the last one.
const KIND_BITS: u32 = 3;

const KIND_STORED: u64 = 0;
const KIND_FIXED: u64 = 1 << 1;
const KIND_DYNAMIC: u64 = 2 << 1;

/// Writes `data`, for which `sequences` stand with this histogram, as one block; as several where it is
/// stored and long. Of two ways that cost the same, stored comes before fixed before dynamic.
pub(super) fn write(
    bits: &mut BitWriter<'_>,
    data: &[u8],
    sequences: &[Sequence],
    histogram: &Histogram,
) {
    let code = Code::of(histogram);
    let header = Header::of(&code);
    let dynamic = header.cost + code.cost(histogram);
    let fixed = Code::FIXED.cost(histogram);
    let stored = stored_cost(bits.waiting(), data.len()) - u64::from(KIND_BITS);
    if stored <= fixed.min(dynamic) {
        write_stored(bits, data);
    } else if fixed <= dynamic {
        bits.write(KIND_FIXED, KIND_BITS);
        bits.burst(fixed, |burst| Code::FIXED.write(data, sequences, burst));
    } else {
        bits.write(KIND_DYNAMIC, KIND_BITS);
        header.write(bits);
        bits.burst(dynamic - header.cost, |burst| {
            code.write(data, sequences, burst);
        });
    }
}

/// The bits of so many bytes as stored blocks, the first behind `waiting` bits.
fn stored_cost(waiting: u32, length: usize) -> u64 {
    let blocks = length.div_ceil(STORED).max(1) as u64;
    let first = u64::from((waiting + KIND_BITS).next_multiple_of(8) - waiting);
    first + (blocks - 1) * 8 + blocks * 32 + length as u64 * 8
}

/// Writes stored blocks; of nothing, an empty one, which is a sync flush.
pub(super) fn write_stored(bits: &mut BitWriter<'_>, data: &[u8]) {
    let mut rest = data;
    loop {
        let (piece, after) = rest.split_at(rest.len().min(STORED));
        bits.write(KIND_STORED, KIND_BITS);
        bits.align();
        let length = piece.len() as u16;
        bits.bytes(&length.to_le_bytes());
        bits.bytes(&(!length).to_le_bytes());
        bits.bytes(piece);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(bytes: &[u8]) -> (Histogram, [Sequence; 1]) {
        let sequences = [Sequence::of_literals(bytes.len() as u32)];
        let mut histogram = Histogram::EMPTY;
        histogram.count(bytes, &sequences);
        (histogram, sequences)
    }

    #[test]
    fn every_literal_is_counted_once() {
        let bytes: Vec<u8> = (0..40).collect();
        for first in 0..10 {
            for second in 0..10 {
                let sequence = |literals| Sequence {
                    literals,
                    length: 3,
                    distance: 1,
                };
                let end = (first + 3 + second + 3) as usize;
                let mut histogram = Histogram::EMPTY;
                // With something behind the data, and with nothing.
                for data in [&bytes[..], &bytes[..end]] {
                    histogram.count(data, &[sequence(first), sequence(second)]);
                }
                let there = |at: u32| at < first || (first + 3..first + 3 + second).contains(&at);
                let counts = (0..40).map(|at| 2 * u32::from(there(at)));
                assert!(counts.eq(histogram.literals[..40].iter().copied()));
                assert_eq!(histogram.bytes as usize, 2 * end);
            }
        }
    }

    /// The kind of a block of these literals, behind `waiting` bits, and how many bits it takes.
    fn kind(bytes: &[u8], waiting: u32) -> (u64, u64) {
        let (histogram, sequences) = literals(bytes);
        let mut out = Vec::new();
        let mut bits = BitWriter::new(&mut out);
        bits.write(0, waiting);
        write(&mut bits, bytes, &sequences, &histogram);
        let rest = bits.waiting();
        bits.align();
        let taken = out.len() as u64 * 8 - u64::from((8 - rest) % 8) - u64::from(waiting);
        let first = u64::from(out[0]) | u64::from(out[1]) << 8;
        (first >> waiting & 7, taken)
    }

    /// Different bytes, of which `high` have 9 bits in the fixed code, and so scattered that a code of
    /// their own takes more.
    fn scattered(high: usize) -> Vec<u8> {
        (0..high).map(|at| 255 - (at * 29 % 110) as u8).collect()
    }

    #[test]
    fn of_equal_costs_stored_comes_first() {
        // 10 bits and 9 for each byte, or 40 bits and 8 for each.
        assert_eq!(kind(&scattered(29), 0), (KIND_FIXED, 10 + 9 * 29));
        assert_eq!(kind(&scattered(30), 0), (KIND_STORED, 40 + 8 * 30));
        assert_eq!(kind(&scattered(31), 0), (KIND_STORED, 40 + 8 * 31));
        // The bits up to the next byte count.
        assert_eq!(kind(&scattered(24), 5), (KIND_FIXED, 10 + 9 * 24));
        assert_eq!(kind(&scattered(25), 5), (KIND_STORED, 35 + 8 * 25));
        assert_eq!(kind(&scattered(31), 6), (KIND_FIXED, 10 + 9 * 31));
        assert_eq!(kind(&scattered(32), 6), (KIND_STORED, 42 + 8 * 32));
    }

    #[test]
    fn of_equal_costs_the_fixed_code_comes_before_its_own() {
        let mut seen = [0; 3];
        for a in 0..24usize {
            for b in 0..24 {
                for c in 0..12 {
                    let bytes = [b"ab".repeat(a), b"c".repeat(b), b"xyz".repeat(c)].concat();
                    if bytes.is_empty() {
                        continue;
                    }
                    let (histogram, _) = literals(&bytes);
                    let code = Code::of(&histogram);
                    let dynamic = 3 + Header::of(&code).cost + code.cost(&histogram);
                    let fixed = 3 + Code::FIXED.cost(&histogram);
                    let order = fixed.cmp(&dynamic);
                    seen[(order as i8 + 1) as usize] += 1;
                    let want = if order.is_le() {
                        KIND_FIXED
                    } else {
                        KIND_DYNAMIC
                    };
                    assert_eq!(kind(&bytes, 3), (want, fixed.min(dynamic)));
                }
            }
        }
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }

    #[test]
    fn no_word_is_longer_than_four_of_them_fit() {
        let mut histogram = Histogram::EMPTY;
        let (mut now, mut next) = (1, 1);
        for at in 0..28 {
            histogram.literals[at] = now;
            histogram.distances[at] = now;
            (now, next) = (next, now + next);
        }
        let code = Code::of(&histogram);
        assert_eq!(code.literals.iter().max(), Some(&14));
        assert_eq!(code.distances.iter().max(), Some(&14));
        assert!(Header::of(&code).lengths.iter().all(|length| *length <= 7));
    }

    #[test]
    fn symbols_are_those_of_the_table_in_the_rfc() {
        for (length, symbol, further) in [
            (3, 257, 0),
            (10, 264, 0),
            (11, 265, 1),
            (12, 265, 1),
            (13, 266, 1),
            (18, 268, 1),
            (19, 269, 2),
            (34, 272, 2),
            (35, 273, 3),
            (114, 279, 4),
            (115, 280, 4),
            (130, 280, 4),
            (131, 281, 5),
            (257, 284, 5),
            (258, 285, 0),
        ] {
            assert_eq!(length_symbol(length), symbol, "{length}");
            assert_eq!(LENGTH_BITS[symbol - 257], further, "{length}");
        }
        for (distance, symbol, further) in [
            (1, 0, 0),
            (4, 3, 0),
            (5, 4, 1),
            (6, 4, 1),
            (7, 5, 1),
            (9, 6, 2),
            (192, 14, 6),
            (193, 15, 6),
            (256, 15, 6),
            (257, 16, 7),
            (384, 16, 7),
            (385, 17, 7),
            (512, 17, 7),
            (513, 18, 8),
            (24_576, 28, 13),
            (24_577, 29, 13),
            (32_768, 29, 13),
        ] {
            assert_eq!(distance_symbol(distance), symbol, "{distance}");
            assert_eq!(distance_bits(symbol), further, "{distance}");
        }
    }
}
