//! Finds earlier occurrences of what comes next: hash chains over the last 32 KiB.
//!
//! A position is kept as its lowest 16 bits. Its difference from the present one, as a number with a
//! sign, is then negative for what lies at most 32 KiB back, and anything else ends a chain. An entry of
//! 64 KiB and more ago can pass for a near one; since what a match repeats is always compared, it is then a
//! match as any other, or none.

use super::sight::{REACH, Sight, hash, load4, load8, sight};
use super::symbols::MAX_MATCH;

/// Four bytes select a chain. Repetitions of three are not sought: few cost less than three literals, and
/// to know of them costs time at every position.
const CHAINS_LOG: u32 = 16;

/// The least length of a match that is sought.
const LEAST: u32 = 4;

/// Entries of a chain that are compared for a first match.
const FIRST_DEPTH: u32 = 16;

/// Entries that are compared for a better one, of which there are fewer.
const LATER_DEPTH: u32 = 6;

/// A match of this length is so good that none is sought beside it.
const NICE: u32 = 130;

/// A match; none has distance 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) length: u32,
    pub(super) distance: u32,
}

/// The hash tables. They know positions only, the bytes come with each call.
pub(super) struct Matches(Box<Tables>);

struct Tables {
    /// The last position of a hash of four bytes.
    chains: [u16; 1 << CHAINS_LOG],
    /// The position before, of the same hash.
    before: [u16; REACH],
}

impl Matches {
    pub(super) fn new() -> Self {
        Self(Box::new(Tables {
            chains: [0; 1 << CHAINS_LOG],
            before: [0; REACH],
        }))
    }

    /// Forgets all positions. The first that may be added is [`REACH`] + 1: a position of 0 is one that
    /// is not there.
    pub(super) fn clear(&mut self) {
        self.0.chains.fill(0);
        self.0.before.fill(0);
    }

    /// Adds a position with its next four bytes. Gives the last one of the same four.
    #[inline(always)]
    fn add(&mut self, at: usize, bytes: u32) -> u16 {
        let chain = &mut self.0.chains[hash(bytes, CHAINS_LOG)];
        let last = std::mem::replace(chain, at as u16);
        self.0.before[at % REACH] = last;
        last
    }

    /// Adds positions without a search.
    #[inline(always)]
    pub(super) fn skip(&mut self, buffer: &[u8], from: usize, to: usize) {
        let Some(bytes) = buffer.get(from..to + 3) else {
            return;
        };
        for (at, four) in (from..to).zip(bytes.windows(4)) {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(four);
            self.add(at, u32::from_le_bytes(bytes));
        }
    }

    /// Finds the longest match of at least four bytes, adding the position. Of two of the same length it is the nearer one. It may reach beyond the end of what is to be
    /// encoded, and be longer than a match may be: whoever asks knows where to cut it.
    #[inline(always)]
    pub(super) fn first(&mut self, buffer: &[u8], at: usize) -> Match {
        let sight = sight(buffer, at);
        let here = load8(sight, REACH);
        let mut entry = self.add(at, here as u32);
        let mut back = 0;
        let mut left = FIRST_DEPTH;
        while left > 0 && self.follow(at, &mut entry, &mut back) {
            left -= 1;
            let from = usize::from(back as u16) % REACH;
            let differ = load8(sight, from) ^ here;
            // The first four bytes are what is looked for.
            if differ as u32 == 0 {
                let found = Match {
                    length: common(sight, from, differ),
                    distance: (REACH - from) as u32,
                };
                if found.length >= NICE {
                    return found;
                }
                return self.better(sight, at, (entry, back), found, left);
            }
        }
        Match::default()
    }

    /// Finds the longest match of at least four bytes that is longer than `least`, adding the position;
    /// otherwise as [`Self::first`].
    #[inline(always)]
    pub(super) fn later(&mut self, buffer: &[u8], at: usize, least: u32) -> Match {
        let sight = sight(buffer, at);
        let entry = self.add(at, load4(sight, REACH));
        let none = Match {
            length: least.max(LEAST - 1),
            distance: 0,
        };
        self.better(sight, at, (entry, 0), none, LATER_DEPTH)
    }

    /// Goes on to the next entry of a chain, if it leads back, and not farther than it may.
    #[inline(always)]
    fn follow(&self, at: usize, entry: &mut u16, back: &mut i16) -> bool {
        let next = entry.wrapping_sub(at as u16) as i16;
        if next >= *back {
            return false;
        }
        *back = next;
        *entry = self.0.before[usize::from(*entry) % REACH];
        true
    }

    /// Finds a longer match than `found` among the next `depth` entries of a chain.
    #[inline(always)]
    fn better(
        &self,
        sight: &Sight,
        at: usize,
        (mut entry, mut back): (u16, i16),
        found: Match,
        depth: u32,
    ) -> Match {
        let mut best = found;
        let here = load4(sight, REACH);
        // The last four bytes of what would be longer.
        let mut tail = best.length.wrapping_sub(3) as usize & 0xFF;
        let mut last = load4(sight, REACH + tail);
        let mut left = depth;
        while left > 0 && self.follow(at, &mut entry, &mut back) {
            left -= 1;
            let from = usize::from(back as u16) % REACH;
            if load4(sight, from + tail) == last && load4(sight, from) == here {
                let differ = load8(sight, from) ^ load8(sight, REACH);
                let length = common(sight, from, differ);
                if length > best.length {
                    best = Match {
                        length,
                        distance: (REACH - from) as u32,
                    };
                    if length >= NICE {
                        break;
                    }
                    tail = length.wrapping_sub(3) as usize & 0xFF;
                    last = load4(sight, REACH + tail);
                }
            }
        }
        best
    }
}

/// How many bytes are the same from here on, of which the first four are; up to 258 and a few more.
/// `differ` is how the first eight differ.
#[inline(always)]
fn common(sight: &Sight, from: usize, differ: u64) -> u32 {
    if differ != 0 {
        return differ.trailing_zeros() / 8;
    }
    let mut length = 8;
    while length < MAX_MATCH as usize {
        let step = length & 0x1F8;
        let differ = load8(sight, from + step) ^ load8(sight, REACH + step);
        if differ != 0 {
            return length as u32 + differ.trailing_zeros() / 8;
        }
        length += 8;
    }
    length as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::deflate::sight::SLACK;

    const START: usize = REACH + 1;

    fn buffer(bytes: &[u8]) -> Vec<u8> {
        [&[0; START], bytes, &[0; SLACK]].concat()
    }

    #[test]
    fn nothing_is_left_when_all_is_forgotten() {
        let bytes: Vec<u8> = (0..60_000u32).map(|at| ((at * at) >> 7) as u8).collect();
        let mut matches = Matches::new();
        matches.skip(&buffer(&bytes), START, START + bytes.len());
        let tables = |matches: &Matches| {
            let Tables { chains, before } = &*matches.0;
            [&chains[..], before].map(|table| table.iter().any(|at| *at != 0))
        };
        assert_eq!(tables(&matches), [true; 2]);
        matches.clear();
        assert_eq!(tables(&matches), [false; 2]);
    }

    /// Entries for some positions alone.
    fn knowing(buffer: &[u8], positions: impl IntoIterator<Item = usize>) -> Matches {
        let mut matches = Matches::new();
        for at in positions {
            matches.skip(buffer, START + at, START + at + 1);
        }
        matches
    }

    /// What a first and a later search find.
    fn both(buffer: &[u8], known: &[usize], at: usize) -> [(u32, u32); 2] {
        let found = [
            knowing(buffer, known.to_vec()).first(buffer, START + at),
            knowing(buffer, known.to_vec()).later(buffer, START + at, 3),
        ];
        found.map(|found| (found.length, found.distance))
    }

    #[test]
    fn of_equal_matches_the_nearer_one_is_found() {
        let buffer = buffer(b"abcdef1 abcdef2 abcdef3 abcdefg");
        assert_eq!(both(&buffer, &[0, 8, 16], 24), [(6, 8); 2]);
    }

    #[test]
    fn a_search_ends_at_its_depth() {
        // The oldest entry repeats more than all the others.
        let text = |others: usize| [b"abcdefgh", &*b"abcd....".repeat(others + 1)].concat();
        for (others, first, later) in [(4, 8, 8), (5, 8, 8), (6, 8, 4), (15, 8, 4), (16, 4, 4)] {
            let mut bytes = text(others);
            let at = 8 * (others + 1);
            bytes[at..].copy_from_slice(b"abcdefgh");
            let known: Vec<usize> = (0..=others).map(|at| 8 * at).collect();
            let found = both(&buffer(&bytes), &known, at);
            assert_eq!(found.map(|found| found.0), [first, later], "{others}");
        }
    }

    #[test]
    fn a_first_search_goes_on_with_what_is_left_of_its_depth() {
        // Entries of the same hash that are not there any more come before the first match.
        for (gone, others, want) in [(3, 12, 8), (3, 13, 4), (15, 0, 8), (16, 0, 0)] {
            let count = 1 + others + gone;
            let mut bytes = b"abcd....".repeat(count + 1);
            bytes[..8].copy_from_slice(b"abcdefgh");
            bytes[8 * count..].copy_from_slice(b"abcdefgh");
            let mut matches = knowing(&buffer(&bytes), (0..count).map(|at| 8 * at));
            for at in 1 + others..count {
                bytes[8 * at] = b'A';
            }
            let found = matches.first(&buffer(&bytes), START + 8 * count);
            assert_eq!(found.length, want, "{gone} {others}");
        }
    }

    #[test]
    fn a_nice_match_ends_a_search() {
        for (near, want) in [(129, 150), (130, 130), (131, 131)] {
            // First with nothing before the nice match, then with a short one.
            for known in [vec![0, 200], vec![0, 200, 400]] {
                let mut bytes: Vec<u8> = (0..800).map(|at| 100 + (at % 7) as u8).collect();
                let long: Vec<u8> = (0..150).collect();
                for (at, length) in [(0, 150), (200, near), (400, 10), (600, 150)] {
                    bytes[at..at + length].copy_from_slice(&long[..length]);
                }
                bytes[150] = 200;
                let found = both(&buffer(&bytes), &known, 600);
                assert_eq!(found.map(|found| found.0), [want; 2], "{known:?}");
            }
        }
    }

    #[test]
    fn four_bytes_are_a_match_and_three_are_none() {
        for (last, want) in [(b'd', [(4, 9); 2]), (b'e', [(0, 0), (3, 0)])] {
            let mut bytes = *b"abcd1....abcd2";
            bytes[12] = last;
            assert_eq!(both(&buffer(&bytes), &[0], 9), want);
        }
    }

    #[test]
    fn a_later_match_is_longer_than_the_least() {
        let buffer = buffer(b"abcdefgh abcdefgh");
        for (least, want) in [(2, (8, 9)), (7, (8, 9)), (8, (8, 0)), (9, (9, 0))] {
            let mut matches = knowing(&buffer, [0]);
            let found = matches.later(&buffer, START + 9, least);
            // What stands behind it is the same: zeros here, nothing there.
            assert_eq!((found.length, found.distance), want);
        }
    }

    #[test]
    fn the_same_position_modulo_two_to_the_16_is_no_match() {
        // Its distance cannot be said, and its entry looks like the present position.
        let mut bytes = vec![0; 65_536 + 20];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = (at as u32).wrapping_mul(0x9E37_79B1).to_be_bytes()[0];
        }
        // As far back as a match may reach stand the same bytes, which were not added.
        bytes.copy_within(..8, 32_768);
        bytes.copy_within(..8, 65_536);
        let buffer = buffer(&bytes);
        assert_eq!(both(&buffer, &[0, 1, 2, 3], 65_536), [(0, 0), (3, 0)]);
    }

    #[test]
    fn a_chain_ends_where_it_would_lead_forward() {
        let mut bytes = vec![0; 65_536 + 200];
        let (old, near, unseen, now) = (0, 65_436, 65_536, 65_636);
        for at in [old, near, unseen, now] {
            bytes[at..at + 8].copy_from_slice(b"the same");
        }
        // The old entry passes for one of what was not added, which repeats more than what was.
        for at in [unseen, now] {
            bytes[at + 8..at + 16].copy_from_slice(b" as here");
        }
        for (first_byte, want) in [(b't', [(8, 200); 2]), (b'T', [(0, 0), (3, 0)])] {
            let known = knowing(&buffer(&bytes), [old, near]);
            let again = knowing(&buffer(&bytes), [old, near]);
            // With another first byte the near entry is as one of the same hash.
            bytes[near] = first_byte;
            let buffer = buffer(&bytes);
            let found = [
                { known }.first(&buffer, START + now),
                { again }.later(&buffer, START + now, 3),
            ];
            assert_eq!(found.map(|found| (found.length, found.distance)), want);
        }
    }
}
