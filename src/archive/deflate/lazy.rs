//! The default parser: takes the longest match, unless a better one begins a byte later.

use super::block::Sequence;
use super::matches::{Effort, Match, Matches};
use super::symbols::MIN_MATCH;

/// The effort for a first match. A match of 65 bytes is so good that none is sought beside it.
const FIRST: Effort = Effort {
    depth: 16,
    nice: 65,
};

/// The effort for a better one, of which there are fewer.
const LATER: Effort = Effort { depth: 8, nice: 65 };

/// A match of three bytes costs less than three literals only if it is near.
const TRIPLE_REACH: u32 = 1 << 10;

/// By how much a later match must be better, in the measure of [`gain`].
const WORTH_A_LITERAL: i32 = 2;

/// So many bytes without a match let the search look at one byte fewer of each two, three, and so on.
const BARREN: u32 = 1024;

/// The most bytes of which one is looked at.
const LONGEST_STEP: u32 = 8;

/// The most literals of one sequence, so that blocks can be cut between any two sequences.
const MOST_LITERALS: u32 = 1 << 10;

/// Divides `buffer[start..end]` into sequences. What stands from `window` on may be repeated.
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
    // Where the last match ended.
    let mut matched = start;
    while at < end {
        let mut found = matches.longest(buffer, at, end, MIN_MATCH - 1, FIRST);
        if found.length < MIN_MATCH || is_far_triple(found) {
            // Where nothing repeats, as in what is compressed already, little is lost by haste.
            let step = (1 + (at - matched) as u32 / BARREN).min(LONGEST_STEP);
            let step = step.min((end - at) as u32);
            literals += step;
            at += step as usize;
            if literals >= MOST_LITERALS {
                sequences.push(Sequence::of_literals(literals));
                literals = 0;
            }
            continue;
        }
        let mut added = at + 1;
        while found.length < FIRST.nice {
            let later = matches.longest(buffer, added, end, found.length - 1, LATER);
            added += 1;
            if !is_better(later, found) {
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
        matched = at;
        if added < at {
            matches.skip(buffer, added, at);
        }
    }
    if literals > 0 {
        sequences.push(Sequence::of_literals(literals));
    }
}

#[inline(always)]
fn is_far_triple(found: Match) -> bool {
    found.length == MIN_MATCH && found.distance > TRIPLE_REACH
}

/// Whether a match that begins a byte later is worth a literal before it.
#[inline(always)]
fn is_better(later: Match, found: Match) -> bool {
    later.length >= found.length && gain(later) - gain(found) > WORTH_A_LITERAL
}

/// What a match is good for: a byte of its length as much as four bits of its distance.
#[inline(always)]
fn gain(found: Match) -> i32 {
    4 * found.length as i32 - found.distance.max(1).ilog2() as i32
}
