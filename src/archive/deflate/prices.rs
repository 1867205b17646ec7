//! What symbols cost: the measure by which a path is chosen.

use super::block::Histogram;
use super::symbols::{
    DISTANCES, END_OF_BLOCK, LENGTH_BITS, LENGTH_SYMBOL, LITERALS, MAX_MATCH, MIN_MATCH,
    distance_bits,
};

/// Fixed point: bits of a fraction in a price.
const FRACTION: u32 = 6;

/// A bit.
const BIT: u32 = 1 << FRACTION;

/// What a symbol costs at most, that of no use so far as well: the longest word of a block's own code.
const MOST: u32 = 14 * BIT;

/// Prices in fractions of a bit.
#[derive(Clone)]
pub(super) struct Prices {
    pub(super) literals: [u32; 256],
    /// Of each length, with the bits that follow its symbol. Those below 3 are no lengths.
    pub(super) lengths: [u32; MAX_MATCH as usize + 1],
    /// Of each distance symbol, with the bits that follow.
    pub(super) distances: [u32; DISTANCES],
}

impl Prices {
    /// Prices for data of which nothing is known but its bytes: literals are as rare as they were
    /// without matches, and all lengths and distances alike.
    pub(super) fn first(data: &[u8]) -> Self {
        let mut histogram = Histogram::EMPTY;
        for &byte in data {
            histogram.literals[usize::from(byte)] += 1;
        }
        let mut symbols = [0; LITERALS];
        ideal(&histogram.literals, &mut symbols);
        for price in &mut symbols[..END_OF_BLOCK] {
            *price = (*price).clamp(4 * BIT, 11 * BIT);
        }
        symbols[END_OF_BLOCK + 1..].fill(6 * BIT);
        Self::with(&symbols, &[5 * BIT; DISTANCES])
    }

    /// The prices of the fixed code (RFC 1951, 3.2.6).
    pub(super) fn fixed() -> Self {
        let mut symbols = [8 * BIT; LITERALS];
        symbols[144..256].fill(9 * BIT);
        symbols[256..280].fill(7 * BIT);
        Self::with(&symbols, &[5 * BIT; DISTANCES])
    }

    /// The prices of an ideal code for these symbols.
    pub(super) fn of(histogram: &Histogram) -> Self {
        let mut literals = [0; LITERALS];
        let mut distances = [0; DISTANCES];
        ideal(&histogram.literals, &mut literals);
        ideal(&histogram.distances, &mut distances);
        Self::with(&literals, &distances)
    }

    fn with(symbols: &[u32; LITERALS], distances: &[u32; DISTANCES]) -> Self {
        let mut prices = Self {
            literals: [0; 256],
            lengths: [0; MAX_MATCH as usize + 1],
            distances: *distances,
        };
        prices.literals.copy_from_slice(&symbols[..256]);
        let lengths = &mut prices.lengths[MIN_MATCH as usize..];
        for (price, symbol) in lengths.iter_mut().zip(LENGTH_SYMBOL) {
            let symbol = usize::from(symbol);
            let further = u32::from(LENGTH_BITS[symbol]) * BIT;
            *price = symbols[END_OF_BLOCK + 1 + symbol] + further;
        }
        for (symbol, price) in prices.distances.iter_mut().enumerate() {
            *price += distance_bits(symbol) * BIT;
        }
        prices
    }
}

/// The bits of each symbol's word in an ideal code.
fn ideal(counts: &[u32], prices: &mut [u32]) {
    let total = log2(counts.iter().sum::<u32>() + 1);
    for (count, price) in counts.iter().zip(prices) {
        *price = match count {
            0 => MOST.min(total + BIT),
            _ => (total - log2(*count)).clamp(BIT / 2, MOST),
        };
    }
}

/// The binary logarithm, rounded down; that of 0 is 0.
fn log2(x: u32) -> u32 {
    let x = x.max(1);
    let whole = x.ilog2();
    let mut fraction = 0;
    // Squaring doubles the logarithm: each carry over 2 is its next bit.
    let mut square = u64::from(x << (31 - whole));
    for _ in 0..FRACTION {
        square = (square * square) >> 31;
        let carry = square >> 32;
        square >>= carry;
        fraction = fraction << 1 | carry as u32;
    }
    (whole << FRACTION) + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_and_always_the_same() {
        for power in 0..32 {
            assert_eq!(log2(1 << power), power << FRACTION);
        }
        let pinned = [0, 1, 3, 5, 7, 100, 1023, 65_535, u32::MAX].map(log2);
        assert_eq!(pinned, [0, 0, 101, 148, 179, 425, 639, 1023, 2047]);
    }

    #[test]
    fn a_price_is_what_a_symbol_costs() {
        let mut histogram = Histogram::EMPTY;
        histogram.literals[usize::from(b'a')] = 127;
        histogram.literals[usize::from(b'b')] = 64;
        histogram.literals[usize::from(b'c')] = 32;
        histogram.literals[END_OF_BLOCK + 1] = 16;
        histogram.literals[END_OF_BLOCK + 29] = 16;
        histogram.distances[0] = 3;
        histogram.distances[29] = 1;
        let prices = Prices::of(&histogram);
        assert_eq!(prices.literals[usize::from(b'a')], BIT + 1, "rounded");
        assert_eq!(prices.literals[usize::from(b'b')], 2 * BIT);
        assert_eq!(prices.literals[usize::from(b'c')], 3 * BIT);
        assert_eq!(
            prices.literals[usize::from(b'd')],
            9 * BIT,
            "as if it were half of one"
        );
        assert_eq!((prices.lengths[3], prices.lengths[258]), (4 * BIT, 4 * BIT));
        assert_eq!(
            (prices.lengths[4], prices.lengths[257]),
            (9 * BIT, 14 * BIT)
        );
        // Of five, with one more.
        assert_eq!(prices.distances[0], log2(5) - log2(3));
        assert_eq!(prices.distances[29], log2(5) + 13 * BIT);
        assert_eq!(prices.distances[28], log2(5) + 14 * BIT);
    }

    #[test]
    fn no_price_is_free_and_none_is_more_than_a_word_may_cost() {
        let mut histogram = Histogram::EMPTY;
        histogram.literals[0] = 1 << 20;
        histogram.literals[1] = 1;
        let prices = Prices::of(&histogram);
        assert_eq!(prices.literals[..3], [BIT / 2, 14 * BIT, 14 * BIT]);
    }

    #[test]
    fn the_fixed_code_has_its_prices() {
        let prices = Prices::fixed();
        for (byte, bits) in [(0, 8), (143, 8), (144, 9), (255, 9)] {
            assert_eq!(prices.literals[byte], bits * BIT);
        }
        // Symbol 279 is the last of seven bits, for 99 to 114 bytes, with four further bits.
        for (length, bits) in [
            (3, 7),
            (10, 7),
            (11, 8),
            (114, 11),
            (115, 12),
            (257, 13),
            (258, 8),
        ] {
            assert_eq!(prices.lengths[length], bits * BIT, "{length}");
        }
        assert_eq!(
            (prices.distances[0], prices.distances[29]),
            (5 * BIT, 18 * BIT)
        );
    }

    #[test]
    fn the_first_prices_follow_the_bytes() {
        let mut data = vec![b'e'; 1000];
        data.extend(0..=255);
        let prices = Prices::first(&data);
        assert_eq!(prices.literals[usize::from(b'e')], 4 * BIT);
        assert_eq!(prices.literals[0], log2(1257));
        assert_eq!(prices.lengths[3], 6 * BIT);
        assert_eq!(prices.lengths[257], 11 * BIT);
        assert_eq!(prices.distances[4], 6 * BIT);
    }
}
