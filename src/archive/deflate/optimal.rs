//! The parser of [`Level::Best`](super::Level::Best): the cheapest way through the data that the matches
//! offer.
//!
//! What is cheapest depends on the code, and the code on the way. So the way is found several times,
//! each time by the prices of the code that fits the way before.

use super::block::{Code, Header, Histogram, Sequence};
use super::matches::REACH;
use super::prices::Prices;
use super::split::Splitter;
use super::trees::{Effort, Found, Trees};

const EFFORT: Effort = Effort {
    depth: 100,
    nice: 258,
};

/// How often a way is found.
const PASSES: usize = 8;

/// The most bytes that are parsed at once.
const STRETCH: usize = 256 << 10;

/// The most matches of them.
const MOST_FOUND: usize = 5 * STRETCH;

/// The most literals of one sequence, so that blocks can be cut between any two sequences.
const MOST_LITERALS: u32 = 1 << 10;

/// Memory for the parser, some 8 MiB if there is much to parse. What it holds never shows in a result.
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
            self.trees.skip(buffer, at, end, EFFORT);
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
        let mut prices = vec![(data.len(), Prices::first(data))];
        let mut least = u64::MAX;
        for _ in 0..PASSES {
            self.price(data, &prices);
            self.walk(data);
            prices.clear();
            let mut bits = 0;
            for part in splitter.split(data, &self.sequences) {
                bits += cost(&part.histogram);
                let bytes = part.histogram.bytes as usize;
                prices.push((bytes, Prices::of(&part.histogram)));
            }
            if bits < least {
                least = bits;
                self.best.clone_from(&self.sequences);
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
                let mut shortest = 3;
                for &found in matches {
                    let base = prices.distances[found.symbol()];
                    let length = (found.length() as usize).min(costs.len() - 1);
                    if length < shortest {
                        break;
                    }
                    let ahead = &costs[shortest..=length];
                    for (at, (ahead, price)) in ahead
                        .iter()
                        .zip(&prices.lengths[shortest..=length])
                        .enumerate()
                    {
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

/// What a block of these symbols costs with a code of its own.
fn cost(histogram: &Histogram) -> u64 {
    let code = Code::of(histogram);
    Header::of(&code).cost + code.cost(histogram)
}
