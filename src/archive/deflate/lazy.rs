//! The default parser: takes the longest match, unless a better one begins a byte later.

use super::block::Sequence;
use super::matches::{Match, Matches};
use super::symbols::{MAX_MATCH, MIN_MATCH};

/// A match of this length is taken as it is. A later one is seldom better.
const GOOD: u32 = 32;

/// By how much a later match must be better, in the measure of [`gain`].
const WORTH_A_LITERAL: i32 = 2;

/// The most literals of one sequence, and less than the longest step more, so that blocks can be cut
/// between any two sequences.
const MOST_LITERALS: usize = 1 << 10;

/// Where nothing repeats, as in what is compressed already, little is lost by haste: each sequence without
/// a match lets the search look at one byte fewer of each two, three, and so on. The most bytes of
/// which one is looked at.
const LONGEST_STEP: usize = 8;

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
    let mut at = start;
    // Where the literals begin that no sequence has yet.
    let mut from = start;
    let mut step = 1;
    while at < end {
        let mut found = cut(matches.first(buffer, at), end - at);
        if found.length < MIN_MATCH {
            at += step;
            if at - from >= MOST_LITERALS {
                at = at.min(end);
                sequences.push(Sequence::of_literals((at - from) as u32));
                from = at;
                step = (step + 1).min(LONGEST_STEP);
            }
            continue;
        }
        step = 1;
        let mut added = at + 1;
        while found.length < GOOD {
            let later = matches.later(buffer, added, found.length - 1);
            let later = cut(later, end - added);
            added += 1;
            if !is_better(later, found) {
                break;
            }
            at += 1;
            found = later;
        }
        let mut length = found.length.min(MAX_MATCH);
        let back = found.distance as usize;
        // What stands right before may be the same as well: not all earlier occurrences were compared.
        while at > from
            && length < MAX_MATCH
            && at - window > back
            && buffer[at - 1] == buffer[at - 1 - back]
        {
            at -= 1;
            length += 1;
        }
        sequences.push(Sequence {
            literals: (at - from) as u32,
            length: length as u16,
            distance: found.distance as u16,
        });
        at += length as usize;
        from = at;
        if added < at {
            matches.skip(buffer, added, at);
        }
    }
    if from < end {
        sequences.push(Sequence::of_literals((end - from) as u32));
    }
}

/// What is left of a match if so many bytes are.
#[inline(always)]
fn cut(found: Match, most: usize) -> Match {
    Match {
        length: found.length.min(most as u32),
        ..found
    }
}

/// Whether a match that begins a byte later is worth a literal before it.
#[inline(always)]
fn is_better(later: Match, found: Match) -> bool {
    later.distance != 0
        && later.length >= found.length
        && gain(later) - gain(found) > WORTH_A_LITERAL
}

/// What a match is good for: a byte of its length as much as four bits of its distance.
#[inline(always)]
fn gain(found: Match) -> i32 {
    4 * found.length as i32 - found.distance.max(1).ilog2() as i32
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::archive::deflate::sight::{REACH, SLACK};

    const START: usize = REACH + 1;

    /// Bytes of which no three come twice.
    fn noise(length: usize) -> Vec<u8> {
        let (mut seed, mut seen, mut bytes) = (1u64, HashSet::new(), vec![1, 2]);
        while bytes.len() < length {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let next = (seed >> 56) as u8;
            if seen.insert([bytes[bytes.len() - 2], bytes[bytes.len() - 1], next]) {
                bytes.push(next);
            }
        }
        bytes
    }

    /// The sequences of the first bytes: literals, length and distance.
    fn parsed(bytes: &[u8], length: usize) -> Vec<(u32, u16, u16)> {
        let buffer = [&[0; START], bytes, &[0; SLACK]].concat();
        let mut found = Vec::new();
        let end = START + length;
        parse(&mut Matches::new(), &buffer, START, START, end, &mut found);
        let all = found.iter();
        all.map(|found| (found.literals, found.length, found.distance))
            .collect()
    }

    #[test]
    fn no_match_reaches_beyond_the_end() {
        let bytes = b"abcdefgh abcdefgh";
        for length in 9..=bytes.len() {
            let want = match length - 9 {
                0..3 => vec![(length as u32, 0, 0)],
                most => vec![(9, most as u16, 9)],
            };
            assert_eq!(parsed(bytes, length), want);
        }
    }

    #[test]
    fn no_later_match_reaches_beyond_the_end() {
        // `cdefghij` would be better than `bcdef`, were it not for the end.
        let bytes = b"bcdef1 cdefghij2 bcdefghij";
        assert_eq!(parsed(bytes, 26)[1..], [(7, 8, 11)]);
        assert_eq!(parsed(bytes, 22)[1..], [(6, 5, 17)]);
    }

    #[test]
    fn no_match_is_longer_than_it_may_be() {
        let bytes = [7; 1 + 258 + 258 + 4];
        let want = [(1, 258, 1), (0, 258, 1), (0, 4, 1)];
        assert_eq!(parsed(&bytes, bytes.len()), want);
    }

    /// Parses all but the first bytes, which may be repeated.
    fn parsed_behind(window: &[u8], bytes: &[u8]) -> Vec<(u32, u16, u16)> {
        let buffer = [&[0; START], window, bytes, &[0; SLACK]].concat();
        let mut found = Vec::new();
        let (start, end) = (START + window.len(), START + window.len() + bytes.len());
        parse(&mut Matches::new(), &buffer, START, start, end, &mut found);
        let all = found.iter();
        all.map(|found| (found.literals, found.length, found.distance))
            .collect()
    }

    /// Text in which the first occurrence of `Zabc` is too long ago to be compared, and `filler`.
    fn hidden(first: &[u8], filler: &[u8]) -> Vec<u8> {
        let others = (0..16_u8).map(|other| [b"Zabc", &[b'0' + other, other | 0x80][..]].concat());
        [first, &others.collect::<Vec<_>>().concat(), filler].concat()
    }

    #[test]
    fn a_match_goes_back_to_where_the_repetition_begins() {
        let window = hidden(b"YZabcdefghij", b"--");
        let distance = window.len() as u16;
        // With two literals before it, of which one is the same, both are, and none is.
        for (before, want) in [
            (&b"XZ"[..], (1, 11, distance)),
            (b"YZ", (0, 12, distance)),
            (b"XX", (2, 10, distance)),
        ] {
            let found = parsed_behind(&window, &[before, b"abcdefghij"].concat());
            assert_eq!(found, [want], "{before:?}");
        }
    }

    #[test]
    fn a_match_goes_back_no_farther_than_it_may() {
        // What stands before the window is zero, as the literal is: it is not there.
        let window = hidden(b"abcdefghij", b"--");
        let found = parsed_behind(&window, b"\0abcdefghij");
        assert_eq!(found, [(1, 10, window.len() as u16 + 1)]);
        // Nor is it longer than it may be.
        for (more, want) in [(254, (0, 258)), (255, (1, 258))] {
            let text = [b"Zabc", &noise(300)[10..10 + more]].concat();
            let found = parsed_behind(&hidden(&text, b"--"), &text);
            assert_eq!((found[0].0, found[0].1), want, "{more}");
        }
    }

    #[test]
    fn a_good_match_is_taken_as_it_is() {
        let noise = noise(200);
        for length in 29..35 {
            // The first bytes, and all but the first of them with many more.
            let first = &noise[..length];
            let bytes = [first, b"--", &noise[1..101], b"++", &noise[..101]].concat();
            let found = parsed(&bytes, bytes.len());
            let literals = 101 - length as u32 + 2;
            let want = match length {
                ..32 => (literals + 1, 100, 103),
                _ => (literals, length as u16, length as u16 + 104),
            };
            assert_eq!(found[1], want, "{length}");
        }
    }

    #[test]
    fn the_longer_nothing_repeats_the_less_is_looked_at() {
        let mut bytes = noise(13_000);
        let literals = |found: Vec<(u32, u16, u16)>| -> Vec<u32> {
            found.iter().map(|found| found.0).collect()
        };
        // Whole numbers of 1, 2, and up to 8 bytes; what is left in the end.
        let barren = [1024, 1024, 1026, 1024, 1025, 1026, 1029, 1024, 1024];
        assert_eq!(literals(parsed(&bytes, 9230)), [&barren[..], &[4]].concat());
        assert_eq!(literals(parsed(&bytes, 9226)), barren);
        // The last step goes no farther than the end.
        assert_eq!(
            literals(parsed(&bytes, 9225)),
            [&barren[..8], &[1023]].concat()
        );
        // A match makes it careful again.
        bytes.copy_within(9126..9226, 9230);
        let found = parsed(&bytes, 13_000);
        assert_eq!(found[9], (4, 100, 104));
        assert_eq!(literals(found)[10..], [1024, 1024, 1026, 596]);
    }
}
