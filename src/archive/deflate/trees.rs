//! Finds earlier occurrences of what comes next, the nearest of every length: binary trees over the
//! last 32 KiB.
//!
//! All positions whose next four bytes have one hash are a tree, sorted by what follows them. The latest
//! is the root, and each node is later than those below it. A position that is added takes the root's
//! place: the way down to where it belongs splits the tree in what sorts before it and what sorts
//! behind, and passes the nearest match of each length.

use super::sight::{REACH, Sight, hash, load4, load8, sight};
use super::symbols::{MAX_MATCH, MIN_MATCH, distance_symbol};

/// Four bytes select a tree, three a pair of entries.
const TREES_LOG: u32 = 16;
const TRIPLES_LOG: u32 = 15;

/// The distance of a child that is not there: farther back than anything may be.
const NONE: u16 = u16::MAX;

/// How far a search goes.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    /// Nodes of a tree that are compared. What is below falls out of the tree.
    pub(super) depth: u32,
    /// A match of this length ends the search. It must be the same for all positions: no tree is sorted
    /// by more bytes than it was compared by.
    pub(super) nice: u32,
}

/// A match, and its distance symbol, in one word: so many are kept that their size counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found(u32);

const LENGTH_MASK: u32 = 0x1FF;
const SYMBOL_SHIFT: u32 = 9;
const DISTANCE_SHIFT: u32 = 14;

impl Found {
    /// No match.
    pub(super) const NONE: Self = Self(0);

    #[inline(always)]
    fn new(length: u32, distance: u32) -> Self {
        let symbol = distance_symbol(distance) as u32;
        let below = distance.wrapping_sub(1) & (REACH as u32 - 1);
        Self(length | symbol << SYMBOL_SHIFT | below << DISTANCE_SHIFT)
    }

    /// The same match, cut to this length.
    #[inline(always)]
    pub(super) fn cut(self, length: u32) -> Self {
        Self(self.0 & !LENGTH_MASK | length)
    }

    /// The length, 0 of none.
    #[inline(always)]
    pub(super) fn length(self) -> u32 {
        self.0 & LENGTH_MASK
    }

    /// The distance symbol.
    #[inline(always)]
    pub(super) fn symbol(self) -> usize {
        (self.0 >> SYMBOL_SHIFT & 31) as usize
    }

    /// The distance, from 1.
    #[inline(always)]
    pub(super) fn distance(self) -> u32 {
        (self.0 >> DISTANCE_SHIFT) + 1
    }
}

/// The trees. They know positions only, the bytes come with each call.
pub(super) struct Trees {
    /// The root of each tree.
    roots: Box<[u32; 1 << TREES_LOG]>,
    /// The last two positions of a hash of three bytes, the later first.
    triples: Box<[[u32; 2]; 1 << TRIPLES_LOG]>,
    /// How far before its parent a child stands, of each position the child that sorts before it and
    /// the one that sorts behind.
    children: Box<[u16; 2 * REACH]>,
}

fn filled<T: Copy, const N: usize>(value: T) -> Box<[T; N]> {
    let filled = vec![value; N].into_boxed_slice();
    filled.try_into().unwrap_or_else(|_| Box::new([value; N]))
}

/// Where the child of a position stands in the table.
#[inline(always)]
fn slot(at: usize, side: usize) -> usize {
    at % REACH * 2 + side
}

impl Trees {
    pub(super) fn new() -> Self {
        Self {
            roots: filled(0),
            triples: filled([0; 2]),
            children: filled(NONE),
        }
    }

    /// Forgets all positions. The first that may be added is [`REACH`] + 1, so that a position of 0 is
    /// too far back for all.
    pub(super) fn clear(&mut self) {
        self.roots.fill(0);
        self.triples.fill([0; 2]);
    }

    /// Adds a position without a search.
    #[inline(never)]
    pub(super) fn skip(&mut self, buffer: &[u8], at: usize, end: usize, effort: Effort) {
        self.add(buffer, at, end, effort, |_| ());
    }

    /// Adds a position, and gives matches, each longer than the one before and the nearest of its
    /// length. None reaches beyond `end`. The longest one's length is the result.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        buffer: &[u8],
        at: usize,
        end: usize,
        effort: Effort,
        mut found: impl FnMut(Found),
    ) -> u32 {
        let most = (end - at).min(MAX_MATCH as usize) as u32;
        if most < MIN_MATCH {
            return 0;
        }
        let sight = sight(buffer, at);
        let here = load4(sight, REACH);
        let mut best = self.triple(sight, at, here, &mut found);

        let nice = effort.nice.min(most);
        let root = &mut self.roots[hash(here, TREES_LOG)];
        let mut node = *root;
        *root = at as u32;
        let at = at as u32;
        // Of what sorts before the position, and of what sorts behind: where the next node of it
        // belongs, whose child it is there, and how many bytes all further ones share with the position.
        let mut open = [slot(at as usize, 0), slot(at as usize, 1)];
        let mut parents = [at; 2];
        let mut shared = [0; 2];
        for _ in 0..effort.depth {
            let back = at.wrapping_sub(node);
            if back > REACH as u32 {
                break;
            }
            let from = REACH - back as usize;
            let length = common(sight, from & (REACH - 1), shared[0].min(shared[1]), most);
            if length > best {
                best = length;
                found(Found::new(length, back));
            }
            // The farthest node has nothing below it, and its place is the present one's.
            if back == REACH as u32 {
                break;
            }
            if length >= nice {
                // The position replaces the node.
                for side in 0..2 {
                    let child = self.children[slot(node as usize, side)];
                    let distance = parents[side] - node + u32::from(child);
                    self.children[open[side]] = distance.min(u32::from(NONE)) as u16;
                }
                return best;
            }
            let end = (length & LENGTH_MASK) as usize;
            let side = usize::from(sight[(from & (REACH - 1)) + end] > sight[REACH + end]);
            self.children[open[side] % (2 * REACH)] = (parents[side] - node) as u16;
            let below = slot(node as usize, 1 - side);
            open[side] = below;
            parents[side] = node;
            shared[side] = length;
            node = node.wrapping_sub(u32::from(self.children[below]));
        }
        for open in open {
            self.children[open] = NONE;
        }
        best
    }

    /// Gives the nearest match of three bytes, if there is one. The result is a length that only a
    /// longer match is worth to be told of.
    #[inline(always)]
    fn triple(
        &mut self,
        sight: &Sight,
        at: usize,
        here: u32,
        found: &mut impl FnMut(Found),
    ) -> u32 {
        let entries = &mut self.triples[hash(here << 8, TRIPLES_LOG)];
        let [later, earlier] = *entries;
        *entries = [at as u32, later];
        for entry in [later, earlier] {
            let back = (at as u32).wrapping_sub(entry);
            if back > REACH as u32 {
                break;
            }
            let from = REACH - back as usize;
            if (load4(sight, from & (REACH - 1)) ^ here) << 8 == 0 {
                found(Found::new(MIN_MATCH, back));
                break;
            }
        }
        MIN_MATCH
    }
}

/// How many bytes are the same from here on, at most `most`, of which the first `length` are.
#[inline(always)]
fn common(sight: &Sight, from: usize, length: u32, most: u32) -> u32 {
    let mut length = length;
    while length < most {
        let step = (length & LENGTH_MASK) as usize;
        let differ = load8(sight, from + step) ^ load8(sight, REACH + step);
        if differ != 0 {
            return most.min(length + differ.trailing_zeros() / 8);
        }
        length += 8;
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::deflate::sight::SLACK;

    const FULL: Effort = Effort {
        depth: u32::MAX,
        nice: MAX_MATCH,
    };

    const START: usize = 1 + REACH;

    fn buffer(data: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; START];
        buffer.extend_from_slice(data);
        buffer.resize(START + data.len() + SLACK, 0);
        buffer
    }

    /// The matches at each position, as length and distance.
    fn all(data: &[u8], effort: Effort) -> Vec<Vec<(u32, u32)>> {
        let buffer = buffer(data);
        let mut trees = Trees::new();
        let end = START + data.len();
        (START..end)
            .map(|at| {
                let mut matches = Vec::new();
                let longest = trees.add(&buffer, at, end, effort, |found| {
                    assert_eq!(found.symbol(), distance_symbol(found.distance()));
                    matches.push((found.length(), found.distance()));
                });
                let last = matches.last().map_or(0, |found| found.0);
                assert!(longest == last || last == 0 && longest <= MIN_MATCH);
                matches
            })
            .collect()
    }

    /// The nearest match of each length, found by looking at all.
    fn nearest(data: &[u8], at: usize) -> Vec<(u32, u32)> {
        let mut matches = Vec::new();
        let mut best = 2;
        for from in (at.saturating_sub(REACH)..at).rev() {
            let (there, here) = (&data[from..], &data[at..]);
            let same = there.iter().zip(here).take(258);
            let length = same.take_while(|(a, b)| a == b).count() as u32;
            if length > best {
                best = length;
                matches.push((length, (at - from) as u32));
            }
        }
        matches
    }

    fn letters(length: usize, of: u32) -> Vec<u8> {
        let mut state = of;
        let mut letters = Vec::new();
        for _ in 0..length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            letters.push((state >> 16) as u8 % of as u8);
        }
        letters
    }

    #[test]
    fn the_nearest_match_of_each_length_is_found() {
        for of in [1, 2, 3, 8, 40] {
            let mut data = letters(300, of);
            data.extend_from_within(50..200);
            data.extend_from_within(..100);
            for (at, found) in all(&data, FULL).iter().enumerate() {
                let mut want = nearest(&data, at);
                // Of all matches of three bytes only those of the last two of a hash are seen.
                if want.first().is_some_and(|first| first.0 == 3) && want.first() != found.first() {
                    want.remove(0);
                }
                // A match of three bytes is looked for first, and found in what is longer too.
                let mut found = &found[..];
                if let [(3, distance), rest @ ..] = found
                    && rest.first().is_some_and(|next| next.1 == *distance)
                {
                    found = rest;
                }
                assert_eq!(found, want, "{of} {at}");
            }
        }
    }

    #[test]
    fn what_is_32768_back_is_found_and_nothing_farther() {
        let mut data = b"recipes/default.rb".to_vec();
        data.extend((0..REACH - data.len()).map(|at| 128 | ((at * at) >> 3) as u8));
        let mut near = data.clone();
        near.extend(b"recipes/default.rb");
        assert_eq!(all(&near, FULL)[REACH].last(), Some(&(18, 32_768)));
        let mut far = data;
        far.push(0);
        far.extend(b"recipes/default.rb");
        assert_eq!(all(&far, FULL)[REACH + 1], []);
    }

    #[test]
    fn a_match_ends_with_the_data() {
        let data = b"abcdefgh abcdefgh";
        let found = all(data, FULL);
        assert_eq!(found[9].last(), Some(&(8, 9)));
        assert_eq!(found[13].last(), Some(&(4, 9)));
        assert_eq!(found[14], [(3, 9)]);
        assert_eq!(found[15], []);
    }

    #[test]
    fn effort_limits_a_search() {
        let data = letters(4000, 2);
        let all_of = all(&data, FULL);
        let few = all(
            &data,
            Effort {
                depth: 3,
                nice: 258,
            },
        );
        assert!(few.iter().all(|found| found.len() <= 4));
        assert!(all_of.iter().any(|found| found.len() > 6));
        let short = all(
            &data,
            Effort {
                depth: 99,
                nice: 10,
            },
        );
        for (at, found) in short.iter().enumerate() {
            let nice = found.iter().filter(|found| found.0 >= 10).count();
            assert!(nice <= 1, "{at}");
            for &(length, distance) in found {
                let (at, from) = (at, at - distance as usize);
                assert_eq!(
                    data[at..][..length as usize],
                    data[from..][..length as usize]
                );
            }
        }
    }

    #[test]
    fn a_match_keeps_what_it_is() {
        let found = Found::new(258, 32_768);
        assert_eq!(
            (found.length(), found.distance(), found.symbol()),
            (258, 32_768, 29)
        );
        let cut = found.cut(3);
        assert_eq!(
            (cut.length(), cut.distance(), cut.symbol()),
            (3, 32_768, 29)
        );
        let found = Found::new(3, 1);
        assert_eq!(
            (found.length(), found.distance(), found.symbol()),
            (3, 1, 0)
        );
        assert_eq!(Found::NONE.length(), 0);
    }
}
