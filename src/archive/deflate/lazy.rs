//! The default parser: takes the longest match, unless a better one begins a byte later.

use super::block::Sequence;
use super::matches::{Effort, Match, Matches};
use super::symbols::MIN_MATCH;

const EFFORT: Effort = Effort {
    depth: 35,
    nice: 65,
};
/// Behind a match there must be a better one, which is looked for with less effort.
const LATER: Effort = Effort {
    depth: 17,
    nice: 65,
};

/// A match of three bytes is worth its bits only if it is near.
const TRIPLE_REACH: u32 = 8 << 10;

/// The most literals of one sequence, so that blocks can be cut between any two sequences.
const MOST_LITERALS: u32 = 1 << 10;

/// Divides `buffer[start..end]` into sequences. What stands before `start`, down to `window`, may be referred to.
pub(super) fn parse(
    matches: &mut Matches,
    buffer: &[u8],
    window: usize,
    start: usize,
    end: usize,
    sequences: &mut Vec<Sequence>,
) {
    matches.clear();
    matches.skip(buffer, window, start);
    let mut literals = 0;
    let mut at = start;
    while at < end {
        let mut found = matches.longest(buffer, at, end, MIN_MATCH - 1, EFFORT);
        if found.length == 0 || too_far(found) {
            literals += 1;
            at += 1;
            if literals == MOST_LITERALS {
                sequences.push(Sequence {
                    literals,
                    ..Sequence::default()
                });
                literals = 0;
            }
            continue;
        }
        let mut added = at + 1;
        while found.length < EFFORT.nice && added < end {
            let later = matches.longest(buffer, added, end, found.length - 1, LATER);
            added += 1;
            if !better(later, found) {
                break;
            }
            literals += 1;
            at += 1;
            found = later;
        }
        sequences.push(Sequence {
            literals,
            length: found.length as u16,
            distance: found.distance as u16,
        });
        literals = 0;
        at += found.length as usize;
        if added < at {
            matches.skip(buffer, added, at);
        }
    }
    if literals > 0 {
        sequences.push(Sequence {
            literals,
            ..Sequence::default()
        });
    }
}

fn too_far(found: Match) -> bool {
    found.length == MIN_MATCH && found.distance > TRIPLE_REACH
}

/// Whether a match is worth a literal before it: a byte more in length is worth as much as two bits of
/// the distance.
#[inline(always)]
fn better(later: Match, found: Match) -> bool {
    let gain = |length: u32, distance: u32| 4 * length as i32 - distance.max(1).ilog2() as i32;
    later.length >= found.length
        && gain(later.length, later.distance) - gain(found.length, found.distance) > 2
}
