//! A set of versions of one name, by their places in the sorted list of those that exist.
//!
//! `pubgrub` works on sets of all versions that could ever be. Counting only those that exist makes
//! two demands that meet between two versions a contradiction at once, and keeps a set small when
//! hundreds of versions have each a slightly different constraint.

use std::fmt;

const BITS: u32 = u64::BITS;

/// A set of places, or all places but a few. The first 64 need no memory of their own.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Versions {
    /// Whether the places beyond those written down are in it.
    beyond: bool,
    low: u64,
    /// Never ends in a word that says what `beyond` says, so that equal sets are equal values.
    high: Box<[u64]>,
}

impl Versions {
    /// The places below `count` that pass a test.
    pub(super) fn of(count: usize, fits: impl Fn(usize) -> bool) -> Self {
        let words = count.div_ceil(BITS as usize);
        let word = |w: usize| {
            let start = w * BITS as usize;
            let end = count.min(start + BITS as usize);
            (start..end).fold(0, |word, i| word | (u64::from(fits(i)) << (i - start)))
        };
        Self::canonical(false, words, word)
    }

    fn canonical(beyond: bool, words: usize, word: impl Fn(usize) -> u64) -> Self {
        let fill = if beyond { u64::MAX } else { 0 };
        let low = if words == 0 { fill } else { word(0) };
        let high: Vec<u64> = (1..words.max(1)).map(word).collect();
        let kept = high.iter().rposition(|w| *w != fill).map_or(0, |at| at + 1);
        Self {
            beyond,
            low,
            high: high[..kept].into(),
        }
    }

    fn word(&self, at: usize) -> u64 {
        match at.checked_sub(1) {
            None => self.low,
            Some(at) => match self.high.get(at) {
                Some(word) => *word,
                None if self.beyond => u64::MAX,
                None => 0,
            },
        }
    }

    fn with(&self, other: &Self, bits: impl Fn(u64, u64) -> u64) -> Self {
        let beyond = bits(u64::from(self.beyond), u64::from(other.beyond)) & 1 == 1;
        let words = 1 + self.high.len().max(other.high.len());
        Self::canonical(beyond, words, |at| bits(self.word(at), other.word(at)))
    }

    /// The highest place below `count` that is in it.
    pub(super) fn newest(&self, count: usize) -> Option<u32> {
        self.below(count).next_back()
    }

    /// The places below `count` that are in it, in order.
    pub(super) fn below(&self, count: usize) -> impl DoubleEndedIterator<Item = u32> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        (0..count).filter(|at| self.has(*at))
    }

    /// Whether a place is in it.
    pub(super) fn has(&self, at: u32) -> bool {
        self.word((at / BITS) as usize) >> (at % BITS) & 1 == 1
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        !self.beyond && self.low == 0 && self.high.is_empty()
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        self.with(other, |a, b| a & b)
    }

    /// What is in either.
    pub(super) fn or(&self, other: &Self) -> Self {
        self.with(other, |a, b| a | b)
    }
}

impl pubgrub::VersionSet for Versions {
    type V = u32;

    fn empty() -> Self {
        Self::canonical(false, 0, |_| 0)
    }

    fn singleton(v: u32) -> Self {
        let last = (v / BITS) as usize;
        Self::canonical(false, last + 1, |at| match at == last {
            true => 1 << (v % BITS),
            false => 0,
        })
    }

    fn complement(&self) -> Self {
        Self::canonical(!self.beyond, 1 + self.high.len(), |at| !self.word(at))
    }

    fn intersection(&self, other: &Self) -> Self {
        self.and(other)
    }

    fn union(&self, other: &Self) -> Self {
        self.or(other)
    }

    fn contains(&self, v: &u32) -> bool {
        self.has(*v)
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        let words = 1 + self.high.len().max(other.high.len());
        !(self.beyond && other.beyond) && (0..words).all(|at| self.word(at) & other.word(at) == 0)
    }

    fn subset_of(&self, other: &Self) -> bool {
        let words = 1 + self.high.len().max(other.high.len());
        (!self.beyond || other.beyond) && (0..words).all(|at| self.word(at) & !other.word(at) == 0)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = BITS as usize * (1 + self.high.len());
        f.debug_set().entries(self.below(written)).finish()?;
        f.write_str(if self.beyond { ".." } else { "" })
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use pubgrub::VersionSet as _;

    use super::*;

    const COUNT: usize = 200;

    /// Every third, every fifth, ...: sets of one to four words, and what is not in them.
    fn samples() -> Vec<Versions> {
        let mut samples = vec![Versions::empty(), Versions::full()];
        for count in [0, 1, 63, 64, 65, 128, 130, COUNT] {
            for step in [1, 3, 5, 64] {
                let set = Versions::of(count, |at| at % step == 0);
                samples.push(set.complement());
                samples.push(set);
            }
        }
        samples.extend([0, 1, 63, 64, 127, 128, 199].map(Versions::singleton));
        samples
    }

    #[test]
    fn sets_of_places_are_sets() {
        let all = 0..u32::try_from(COUNT + 70).unwrap();
        for a in samples() {
            let not = a.complement();
            assert_eq!(not.complement(), a);
            assert_eq!(a.newest(COUNT), a.below(COUNT).max());
            assert_eq!(a.is_empty(), a == Versions::empty());
            for b in samples() {
                let (and, or) = (a.and(&b), a.or(&b));
                for at in all.clone() {
                    assert_eq!(not.has(at), !a.has(at));
                    assert_eq!(and.has(at), a.has(at) && b.has(at), "{a} {b} {at}");
                    assert_eq!(or.has(at), a.has(at) || b.has(at), "{a} {b} {at}");
                }
                assert_eq!(a.is_disjoint(&b), and.is_empty(), "{a} {b}");
                assert_eq!(a.subset_of(&b), and == a, "{a} {b}");
                let same = all.clone().all(|at| a.has(at) == b.has(at));
                assert_eq!(a == b, same, "{a} {b}");
            }
        }
    }
}
