//! Finds earlier occurrences of what comes next: hash chains over the last 32 KiB.
//!
//! A position is kept as its lowest 16 bits. Its difference from the present one, as a number with a
//! sign, is then negative for what lies at most 32 KiB back, and anything else ends a chain. An entry of
//! 64 KiB and more ago can pass for a near one; since what a match repeats is always compared, it is then a
//! match as any other, or none.

use super::sight::{REACH, Sight, hash, load4, load8, sight};
use super::symbols::{MAX_MATCH, MIN_MATCH};

/// Four bytes select a chain, three an entry.
const CHAINS_LOG: u32 = 16;
const TRIPLES_LOG: u32 = 14;

/// How far a search goes.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    /// Entries of a chain that are compared.
    pub(super) depth: u32,
    /// A match of this length is taken as it is.
    pub(super) nice: u32,
}

/// A match; none has length 0.
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
    /// The last position of a hash of three bytes.
    triples: [u16; 1 << TRIPLES_LOG],
}

impl Matches {
    pub(super) fn new() -> Self {
        Self(Box::new(Tables {
            chains: [0; 1 << CHAINS_LOG],
            before: [0; REACH],
            triples: [0; 1 << TRIPLES_LOG],
        }))
    }

    /// Forgets all positions. The first that may be added is [`REACH`] + 1: a position of 0 is one that
    /// is not there.
    pub(super) fn clear(&mut self) {
        self.0.chains.fill(0);
        self.0.before.fill(0);
        self.0.triples.fill(0);
    }

    /// Adds a position with its next four bytes. Gives the last ones of the same four, and of the same
    /// three.
    #[inline(always)]
    fn add(&mut self, at: usize, bytes: u32) -> (u16, u16) {
        let chain = &mut self.0.chains[hash(bytes, CHAINS_LOG)];
        let triple = &mut self.0.triples[hash(bytes << 8, TRIPLES_LOG)];
        let last = (*chain, *triple);
        *chain = at as u16;
        *triple = at as u16;
        self.0.before[at % REACH] = last.0;
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

    /// Finds the longest match that is longer than `least`, adding the position. Of two of the same
    /// length it is the nearer one. It does not reach beyond `end`.
    #[inline(always)]
    pub(super) fn longest(
        &mut self,
        buffer: &[u8],
        at: usize,
        end: usize,
        least: u32,
        effort: Effort,
    ) -> Match {
        let sight = sight(buffer, at);
        let here = load4(sight, REACH);
        let (mut entry, triple) = self.add(at, here);
        let most = (end - at).min(MAX_MATCH as usize) as u32;
        let nice = effort.nice.min(most);
        let mut best = Match {
            length: least,
            distance: 0,
        };
        if least >= most || most < MIN_MATCH {
            return Match::default();
        }
        if least < MIN_MATCH {
            let back = triple.wrapping_sub(at as u16) as i16;
            // What begins with three new bytes begins with four new ones.
            if back >= 0 {
                return Match::default();
            }
            let from = usize::from(back as u16) % REACH;
            if (load4(sight, from) ^ here) << 8 == 0 {
                best = Match {
                    length: MIN_MATCH,
                    distance: (REACH - from) as u32,
                };
                if most == MIN_MATCH {
                    return best;
                }
            }
        }
        let here_at = at as u16;
        let mut back = 0;
        let mut left = effort.depth;
        if best.length <= MIN_MATCH {
            // The first four bytes are what is looked for.
            loop {
                let next = entry.wrapping_sub(here_at) as i16;
                if next >= back || left == 0 {
                    return best.or_none();
                }
                back = next;
                left -= 1;
                let from = usize::from(back as u16) % REACH;
                entry = self.0.before[usize::from(entry) % REACH];
                if load4(sight, from) == here {
                    best = Match {
                        length: common(sight, from).min(most),
                        distance: (REACH - from) as u32,
                    };
                    break;
                }
            }
            if best.length >= nice {
                return best;
            }
        }
        let mut tail = best.length.wrapping_sub(3) as usize & 0xFF;
        let mut last = load4(sight, REACH + tail);
        loop {
            let next = entry.wrapping_sub(here_at) as i16;
            // A chain leads back, and not farther than it may.
            if next >= back || left == 0 {
                return best.or_none();
            }
            back = next;
            left -= 1;
            let from = usize::from(back as u16) % REACH;
            entry = self.0.before[usize::from(entry) % REACH];
            if load4(sight, from + tail) == last && load4(sight, from) == here {
                let length = common(sight, from).min(most);
                if length > best.length {
                    best = Match {
                        length,
                        distance: (REACH - from) as u32,
                    };
                    if length >= nice {
                        return best;
                    }
                    tail = length.wrapping_sub(3) as usize & 0xFF;
                    last = load4(sight, REACH + tail);
                }
            }
        }
    }
}

impl Match {
    #[inline(always)]
    fn or_none(self) -> Self {
        if self.distance == 0 {
            Self::default()
        } else {
            self
        }
    }
}

/// How many bytes are the same from here on, of which the first four are; up to 258 and a few more.
#[inline(always)]
fn common(sight: &Sight, from: usize) -> u32 {
    let mut length = 4;
    while length < MAX_MATCH as usize {
        let step = length & 0x1FC;
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
            let Tables {
                chains,
                before,
                triples,
            } = &*matches.0;
            [&chains[..], before, triples].map(|table| table.iter().any(|at| *at != 0))
        };
        assert_eq!(tables(&matches), [true; 3]);
        matches.clear();
        assert_eq!(tables(&matches), [false; 3]);
    }

    #[test]
    fn of_equal_matches_the_nearer_one_is_found() {
        let bytes = b"abcdef1 abcdef2 abcdef3 abcdefg";
        let buffer = buffer(bytes);
        let mut matches = Matches::new();
        matches.skip(&buffer, START, START + 24);
        let effort = Effort { depth: 9, nice: 99 };
        let end = START + bytes.len();
        let found = matches.longest(&buffer, START + 24, end, 2, effort);
        let want = Match {
            length: 6,
            distance: 8,
        };
        assert_eq!(found, want);
    }

    #[test]
    fn no_match_reaches_beyond_the_end() {
        let bytes = b"abcdefgh abcdefgh";
        let buffer = buffer(bytes);
        for end in 9..=bytes.len() {
            let mut matches = Matches::new();
            matches.skip(&buffer, START, START + 9);
            let effort = Effort { depth: 9, nice: 99 };
            let found = matches.longest(&buffer, START + 9, START + end, 2, effort);
            let most = (end - 9) as u32;
            assert_eq!(found.length, if most < 3 { 0 } else { most });
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
        let effort = Effort { depth: 9, nice: 99 };
        let (at, end) = (START + 65_536, START + bytes.len());
        for least in 2..7 {
            let mut matches = Matches::new();
            matches.skip(&buffer, START, START + 4);
            let found = matches.longest(&buffer, at, end, least, effort);
            assert_eq!(found, Match::default(), "{least}");
        }
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
        let effort = Effort { depth: 9, nice: 99 };
        let (at, end) = (START + now, START + bytes.len());
        for (first_byte, want) in [(b't', (8, 200)), (b'T', (0, 0))] {
            let mut matches = Matches::new();
            for at in [old, near] {
                matches.skip(&buffer(&bytes), START + at, START + at + 1);
            }
            // With another first byte the near entry is as one of the same hash.
            bytes[near] = first_byte;
            let found = matches.longest(&buffer(&bytes), at, end, 3, effort);
            assert_eq!((found.length, found.distance), want);
        }
    }
}
