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
