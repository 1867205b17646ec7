//! The parser of [`Level::Best`](super::Level::Best): the cheapest way through the data that the matches
//! offer.
//!
//! What is cheapest depends on the code, and the code on the way. So the way is found several times,
//! each time by the prices of the code that fits the way before.

use super::block::{Code, Header, Histogram, Sequence};
use super::prices::Prices;
use super::sight::REACH;
use super::split::Splitter;
use super::symbols::MIN_MATCH;
use super::trees::{Effort, Found, Trees};

const EFFORT: Effort = Effort {
    depth: 70,
    nice: 150,
};

/// The window is looked at only as far as it helps to find the matches of the block.
const WINDOW_EFFORT: Effort = Effort {
    depth: 20,
    nice: EFFORT.nice,
};

/// The most matches at one position, which are counted in a byte: one of each node, and one of three
/// bytes.
const MOST_AT_ONCE: usize = EFFORT.depth as usize + 1;

const _: () = assert!(MOST_AT_ONCE <= u8::MAX as usize);

/// How often a way is found at most.
const PASSES: usize = 8;

/// The last pass saved less than this part of all.
const ENOUGH: u64 = 2048;

/// Data so short that the fixed code may be the best.
const SHORT: usize = 4 << 10;

/// The least bytes of a block, which are less than for the default level: it is divided anew in each
/// pass, by a better estimate.
pub(super) const PIECE: u32 = 2 << 10;

/// The most bytes that are parsed at once.
const STRETCH: usize = 64 << 10;

/// The most matches of them, but for those of the last position.
const MOST_FOUND: usize = 4 * STRETCH;

/// The most literals of one sequence, so that blocks can be cut between any two sequences.
const MOST_LITERALS: u32 = 1 << 10;

/// Memory for the parser, up to some 3 MiB for any length of data. What it holds never shows in a result.
pub(super) struct Optimal {
    trees: Trees,
    /// The matches at each position, one position's after another's.
    found: Vec<Found>,
    /// How many they are.
    counts: Vec<u8>,
    /// The price of all that comes behind each position, and how it goes on there.
    costs: Vec<u32>,
    steps: Vec<Found>,
    sequences: Vec<Sequence>,
    best: Vec<Sequence>,
}

impl Optimal {
    pub(super) fn new() -> Self {
        Self {
            trees: Trees::new(),
            found: Vec::new(),
            counts: Vec::new(),
            costs: Vec::new(),
            steps: Vec::new(),
            sequences: Vec::new(),
            best: Vec::new(),
        }
    }

    /// Divides `buffer[start..end]` into sequences. What stands before `start`, down to `window`, may
    /// be referred to.
    pub(super) fn parse(
        &mut self,
        splitter: &mut Splitter,
        buffer: &[u8],
        window: usize,
        start: usize,
        end: usize,
        sequences: &mut Vec<Sequence>,
    ) {
        debug_assert!(window > REACH, "position 0 is none");
        self.trees.clear();
        for at in window..start {
            self.trees.skip(buffer, at, end, WINDOW_EFFORT);
        }
        let mut at = start;
        while at < end {
            let next = self.find(buffer, at, end);
            self.settle(splitter, &buffer[at..next]);
            sequences.append(&mut self.best);
            at = next;
        }
    }

    /// Finds the matches of the next stretch of data, and gives its end.
    fn find(&mut self, buffer: &[u8], start: usize, end: usize) -> usize {
        self.found.clear();
        self.counts.clear();
        let last = end.min(start + STRETCH);
        let most = MOST_FOUND.min((last - start) * MOST_AT_ONCE) + MOST_AT_ONCE;
        self.found.reserve_exact(most);
        let mut at = start;
        while at < last && self.found.len() < MOST_FOUND {
            let before = self.found.len();
            let found = &mut self.found;
            let longest = self
                .trees
                .add(buffer, at, end, EFFORT, |match_| found.push(match_));
            self.counts.push((self.found.len() - before) as u8);
            at += 1;
            // Nothing better begins inside of a match that is as long as one may be.
            if longest >= EFFORT.nice {
                let inside = last.min(at + longest as usize - 1);
                for at in at..inside {
                    self.trees.skip(buffer, at, end, EFFORT);
                }
                self.counts.resize(inside - start, 0);
                at = inside;
            }
        }
        at
    }

    /// Finds the best way through `data` that there is in some passes.
    fn settle(&mut self, splitter: &mut Splitter, data: &[u8]) {
        self.best.clear();
        let mut least = u64::MAX;
        self.improve(splitter, data, Prices::first(data), &mut least);
        if data.len() <= SHORT {
            self.improve(splitter, data, Prices::fixed(), &mut least);
        }
    }

    /// Finds ways, beginning with these prices, until they hardly become better.
    fn improve(&mut self, splitter: &mut Splitter, data: &[u8], first: Prices, least: &mut u64) {
        let mut prices = vec![(data.len(), first)];
        for _ in 0..PASSES {
            self.price(data, &prices);
            self.walk(data);
            prices.clear();
            let mut bits = 0;
            for part in splitter.split(data, &self.sequences, PIECE) {
                bits += cost(&part.histogram);
                let bytes = part.histogram.bytes as usize;
                prices.push((bytes, Prices::of(&part.histogram)));
            }
            let saved = least.saturating_sub(bits);
            if saved > 0 {
                *least = bits;
                self.best.clone_from(&self.sequences);
            }
            if is_little(saved, bits) {
                break;
            }
        }
    }

    /// Finds the cheapest step at each position, from the end on. The prices hold for so many bytes
    /// each.
    fn price(&mut self, data: &[u8], prices: &[(usize, Prices)]) {
        self.costs.clear();
        self.costs.resize(data.len() + 1, 0);
        self.steps.clear();
        self.steps.resize(data.len(), Found::NONE);
        let mut found = &self.found[..];
        let mut end = data.len();
        for (bytes, prices) in prices.iter().rev() {
            let start = end - bytes;
            for at in (start..end).rev() {
                let (before, matches) = found.split_at(found.len() - usize::from(self.counts[at]));
                found = before;
                let costs = &self.costs[at..];
                let mut least = prices.literals[usize::from(data[at])] + costs[1];
                let mut step = Found::NONE;
                let mut shortest = MIN_MATCH as usize;
                for &found in matches {
                    let base = prices.distances[found.symbol()];
                    let length = (found.length() as usize).min(costs.len() - 1);
                    if length < shortest {
                        break;
                    }
                    let ahead = costs[shortest..=length].iter();
                    let ahead = ahead.zip(&prices.lengths[shortest..=length]);
                    for (at, (ahead, price)) in ahead.enumerate() {
                        let cost = base + price + ahead;
                        if cost < least {
                            least = cost;
                            step = found.cut((shortest + at) as u32);
                        }
                    }
                    shortest = length + 1;
                }
                self.costs[at] = least;
                self.steps[at] = step;
            }
            end = start;
        }
    }

    /// Takes the steps from the beginning.
    fn walk(&mut self, data: &[u8]) {
        self.sequences.clear();
        let mut literals = 0;
        let mut at = 0;
        while at < data.len() {
            let step = self.steps[at];
            let length = step.length();
            literals += u32::from(length == 0);
            at += (length as usize).max(1);
            if length != 0 || literals == MOST_LITERALS || at == data.len() {
                self.sequences.push(Sequence {
                    literals,
                    length: length as u16,
                    distance: if length == 0 {
                        0
                    } else {
                        step.distance() as u16
                    },
                });
                literals = 0;
            }
        }
    }
}

/// Whether a pass that saved so many bits of these hardly made it better.
fn is_little(saved: u64, bits: u64) -> bool {
    saved < bits / ENOUGH
}

/// What a block of these symbols costs.
fn cost(histogram: &Histogram) -> u64 {
    let code = Code::of(histogram);
    let own = Header::of(&code).cost + code.cost(histogram);
    let stored = u64::from(histogram.bytes) * 8 + STORED;
    own.min(Code::FIXED.cost(histogram)).min(stored)
}

/// Bits of a stored block, without its bytes.
const STORED: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::deflate::sight::SLACK;
    use crate::archive::deflate::symbols::distance_symbol;

    /// A buffer with these bytes in a place where they can be parsed.
    fn buffer(data: &[u8]) -> (Vec<u8>, usize, usize) {
        let start = 1 + 2 * REACH;
        let mut buffer = vec![0; start];
        buffer.extend_from_slice(data);
        buffer.resize(start + data.len() + SLACK, 0);
        (buffer, start, start + data.len())
    }

    fn found(data: &[u8]) -> Optimal {
        let (buffer, start, end) = buffer(data);
        let mut optimal = Optimal::new();
        assert_eq!(optimal.find(&buffer, start, end), end);
        optimal
    }

    /// Letters that repeat themselves now and then.
    fn letters(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut roll = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        let mut letters: Vec<u8> = Vec::new();
        while letters.len() < length {
            if letters.len() > 100 && roll() % 4 == 0 {
                let from = roll() as usize % (letters.len() - 60);
                let copied = letters[from..from + 3 + roll() as usize % 50].to_vec();
                letters.extend(copied);
            } else {
                letters.push(b'a' + (roll() % 7) as u8);
            }
        }
        letters.truncate(length);
        letters
    }

    /// What the sequences cost, and that they stand for the data.
    fn price_of(data: &[u8], sequences: &[Sequence], prices: &Prices) -> u32 {
        let mut at = 0;
        let mut sum = 0;
        for sequence in sequences {
            for &byte in &data[at..at + sequence.literals as usize] {
                sum += prices.literals[usize::from(byte)];
            }
            at += sequence.literals as usize;
            let (length, distance) = (usize::from(sequence.length), sequence.distance);
            if length != 0 {
                for at in at..at + length {
                    assert_eq!(data[at], data[at - usize::from(distance)]);
                }
                let symbol = distance_symbol(u32::from(distance));
                sum += prices.lengths[length] + prices.distances[symbol];
                at += length;
            }
        }
        assert_eq!(at, data.len());
        sum
    }

    #[test]
    fn no_way_is_cheaper() {
        let data = letters(3000);
        let mut optimal = found(&data);
        let prices = Prices::first(&data);
        optimal.price(&data, &[(data.len(), prices.clone())]);
        optimal.walk(&data);
        // From the other end, by looking at every earlier occurrence.
        let mut least = vec![u32::MAX; data.len() + 1];
        least[0] = 0;
        for at in 0..data.len() {
            let literal = least[at] + prices.literals[usize::from(data[at])];
            least[at + 1] = least[at + 1].min(literal);
            for from in 0..at {
                let same = |by: usize| at + by < data.len() && data[from + by] == data[at + by];
                let length = (0..258).take_while(|&by| same(by)).count();
                for length in 3..=length {
                    let symbol = distance_symbol((at - from) as u32);
                    let cost = least[at] + prices.lengths[length] + prices.distances[symbol];
                    least[at + length] = least[at + length].min(cost);
                }
            }
        }
        let cost = price_of(&data, &optimal.sequences, &prices);
        assert_eq!(cost, optimal.costs[0]);
        assert_eq!(cost, least[data.len()]);
    }

    #[test]
    fn each_part_has_its_own_prices() {
        let data = letters(2000);
        let mut optimal = found(&data);
        let dear = Prices::first(&data);
        // Where nothing but literals is cheap, there are no matches.
        let mut cheap = dear.clone();
        cheap.literals.fill(1);
        optimal.price(&data, &[(700, dear.clone()), (600, cheap), (700, dear)]);
        let lengths: Vec<u32> = optimal.steps.iter().map(|step| step.length()).collect();
        assert!(lengths[..700].iter().any(|&length| length > 0));
        assert!(lengths[700..1200].iter().all(|&length| length == 0));
        assert!(lengths[1300..].iter().any(|&length| length > 0));
    }

    #[test]
    fn of_two_ways_that_cost_the_same_the_literal_is_taken_and_the_nearer_and_shorter_match() {
        let data = b"abcdef abcd abcdef";
        let mut optimal = found(data);
        let mut prices = Prices::first(data);
        // A match saves a literal, whatever its length.
        prices.literals.fill(4);
        prices.distances.fill(0);
        for (length, price) in (0..).zip(&mut prices.lengths) {
            *price = 4 * u32::max(length, 1) - 4;
        }
        optimal.price(data, &[(data.len(), prices.clone())]);
        assert_eq!(optimal.steps[13], Found::NONE, "b, and cdef saves one");
        assert_eq!(optimal.steps[15].length(), 3, "def");
        prices.literals[usize::from(b'b')] = 5;
        optimal.price(data, &[(data.len(), prices)]);
        assert_eq!(optimal.steps[13].length(), 3, "bcd, of bcdef");
        assert_eq!(optimal.steps[13].distance(), 5);
        assert_eq!(optimal.steps[8].length(), 3, "bcd");
        assert_eq!(optimal.steps[8].distance(), 7);
    }

    #[test]
    fn runs_of_literals_are_cut() {
        let data: Vec<u8> = (0..2100u32).map(|at| (at * at / 7) as u8).collect();
        let mut optimal = found(&data);
        optimal.steps = vec![Found::NONE; data.len()];
        optimal.walk(&data);
        let literals: Vec<u32> = optimal.sequences.iter().map(|one| one.literals).collect();
        assert_eq!(literals, [1024, 1024, 52]);
    }

    #[test]
    fn a_stretch_ends_where_memory_does() {
        // All words over two letters: matches of many lengths everywhere.
        let mut state = 9u32;
        let data: Vec<u8> = (0..STRETCH + 10)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 31) as u8
            })
            .collect();
        let (buffer, start, end) = buffer(&data);
        let mut optimal = Optimal::new();
        let next = optimal.find(&buffer, start, end);
        assert_eq!((next - start, optimal.found.len()), (39_822, 262_151));
        let most = MOST_FOUND..MOST_FOUND + MOST_AT_ONCE;
        assert!(most.contains(&optimal.found.len()));
        assert_eq!(optimal.counts.len(), next - start);
        // Of zeros there is little to keep.
        let (buffer, start, end) = self::buffer(&vec![0; STRETCH + 10]);
        optimal.trees.clear();
        assert_eq!(optimal.find(&buffer, start, end), start + STRETCH);
        assert_eq!(optimal.counts.len(), STRETCH);
    }

    #[test]
    fn one_bit_in_2048_is_worth_another_pass() {
        assert!(is_little(0, 2048));
        assert!(!is_little(0, 2047));
        assert!(!is_little(1, 2048));
        assert!(!is_little(9, 9 * 2048 + 2047));
        assert!(is_little(9, 10 * 2048));
    }
}
