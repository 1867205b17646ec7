//! Prefix codes of limited length. The lengths are optimal for the limit, always.

/// The longest code word that deflate can say.
const LONGEST: usize = 15;

/// Symbols of the largest alphabet.
const SYMBOLS: usize = 288;

/// Finds the code lengths that encode symbols of these frequencies in the fewest bits, none longer than
/// `limit`. A symbol that does not occur has length 0, but two symbols always have a code: a code of
/// one word is incomplete, and not every decoder takes it. Of two symbols of one frequency the higher
/// one never has the longer word.
pub(super) fn lengths(frequencies: &[u32], limit: usize, lengths: &mut [u8]) {
    debug_assert!(frequencies.len() <= SYMBOLS && frequencies.len() == lengths.len());
    debug_assert!(limit <= LONGEST);
    lengths.fill(0);
    // Frequency above symbol: sorting is by frequency, and then by symbol.
    let mut keys = [0u64; SYMBOLS];
    let mut used = 0;
    for (symbol, &frequency) in frequencies.iter().enumerate() {
        if frequency > 0 {
            keys[used] = u64::from(frequency) << 16 | symbol as u64;
            used += 1;
        }
    }
    let keys = &mut keys[..used];
    if let [] | [_] = keys {
        let only = keys.first().map_or(0, |key| (key & 0xFFFF) as usize);
        lengths[only] = 1;
        lengths[usize::from(only == 0)] = 1;
        return;
    }
    keys.sort_unstable();
    // How many words there are of each length.
    let mut counts = [0u16; SYMBOLS];
    let longest = unlimited(keys, &mut counts);
    if longest > limit {
        counts = package_merge(keys, limit);
    }
    // The rarest symbols have the longest words.
    let mut sorted = keys.iter();
    for length in (1..=longest.min(limit)).rev() {
        for key in sorted.by_ref().take(usize::from(counts[length])) {
            lengths[(key & 0xFFFF) as usize] = length as u8;
        }
    }
}

/// Huffman's own code: joins the two lightest nodes until one is left. Gives the longest length.
fn unlimited(keys: &[u64], counts: &mut [u16; SYMBOLS]) -> usize {
    let leaves = keys.len();
    // Nodes are made in the order of their weights, so a queue of them is sorted.
    let mut weights = [0u64; SYMBOLS];
    let mut parents = [0u16; 2 * SYMBOLS];
    let (mut leaf, mut node) = (0, 0);
    for made in 0..leaves - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            // Of two with the same weight the leaf is taken, which keeps the code shallow.
            if leaf < leaves && (node == made || keys[leaf] >> 16 <= weights[node]) {
                sum += keys[leaf] >> 16;
                parents[leaf] = made as u16;
                leaf += 1;
            } else {
                sum += weights[node];
                parents[SYMBOLS + node] = made as u16;
                node += 1;
            }
        }
        weights[made] = sum;
    }
    // From the root down: the depth of a node is one more than its parent's.
    let mut depths = [0u16; SYMBOLS];
    for node in (0..leaves.saturating_sub(2)).rev() {
        depths[node] = depths[usize::from(parents[SYMBOLS + node])] + 1;
    }
    let mut longest = 0;
    for &parent in &parents[..leaves] {
        let depth = usize::from(depths[usize::from(parent)]) + 1;
        counts[depth] += 1;
        longest = longest.max(depth);
    }
    longest
}

/// The optimal code of limited length: Larmore and Hirschberg's package-merge. Each level's list holds
/// the leaves and the pairs of the list before, by weight; the `2n - 2` lightest of the last list say
/// how often each leaf counts, which is its length.
fn package_merge(keys: &[u64], limit: usize) -> [u16; SYMBOLS] {
    let leaves = keys.len();
    // Whether an item of a level's list is a leaf. Of a list's first items those that are leaves are
    // the first leaves, so that this is all there is to know.
    let mut is_leaf = [[false; 2 * SYMBOLS]; LONGEST];
    let mut before = [0u64; 2 * SYMBOLS];
    let mut length_before = 0;
    for level in is_leaf[..limit].iter_mut() {
        let mut list = [0u64; 2 * SYMBOLS];
        let mut length = 0;
        let (mut leaf, mut pair) = (0, 0);
        loop {
            let package = (pair + 1 < length_before).then(|| before[pair] + before[pair + 1]);
            let weight = keys.get(leaf).map(|key| key >> 16);
            (list[length], level[length]) = match (weight, package) {
                (Some(weight), Some(package)) if weight > package => (package, false),
                (Some(weight), _) => (weight, true),
                (None, Some(package)) => (package, false),
                (None, None) => break,
            };
            leaf += usize::from(level[length]);
            pair += 2 * usize::from(!level[length]);
            length += 1;
        }
        (before, length_before) = (list, length);
    }
    let mut counts = [0; SYMBOLS];
    let mut items = 2 * leaves - 2;
    let mut shorter = 0;
    for (level, is_leaf) in is_leaf[..limit].iter().rev().enumerate() {
        // The first `counted` leaves have a length of at least `level + 1`.
        let counted = is_leaf[..items].iter().filter(|leaf| **leaf).count();
        if level > 0 {
            counts[level] = (shorter - counted) as u16;
        }
        shorter = counted;
        items = 2 * (items - counted);
    }
    counts[limit] = shorter as u16;
    counts
}

/// The code words of these lengths (RFC 1951, 3.2.2), their first bit the lowest one.
pub(super) fn words(lengths: &[u8], words: &mut [u16]) {
    let mut counts = [0u16; LONGEST + 1];
    for &length in lengths {
        counts[usize::from(length)] += 1;
    }
    counts[0] = 0;
    let mut next = [0u16; LONGEST + 1];
    for length in 1..=LONGEST {
        next[length] = (next[length - 1] + counts[length - 1]) << 1;
    }
    for (&length, word) in lengths.iter().zip(words) {
        let code = &mut next[usize::from(length)];
        *word = match length {
            0 => 0,
            _ => code.reverse_bits() >> (16 - u32::from(length)),
        };
        *code = code.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(frequencies: &[u32], limit: usize) -> Vec<u8> {
        let mut found = vec![0; frequencies.len()];
        lengths(frequencies, limit, &mut found);
        found
    }

    fn bits(frequencies: &[u32], lengths: &[u8]) -> u64 {
        let pairs = frequencies.iter().zip(lengths);
        pairs.map(|(f, l)| u64::from(*f) * u64::from(*l)).sum()
    }

    /// A code is complete if each sequence of bits begins with one of its words.
    fn assert_complete(lengths: &[u8], limit: usize) {
        let words = lengths.iter().filter(|l| **l != 0);
        let sum: u64 = words.map(|l| 1 << (limit - usize::from(*l))).sum();
        assert_eq!(sum, 1 << limit, "{lengths:?}");
    }

    /// The fewest bits of any code, by trying for each number of words of each length. `f` is sorted,
    /// the most frequent first; `open` words of `length` are still to be used.
    fn fewest(f: &[u32], open: usize, length: usize, limit: usize) -> Option<u64> {
        if f.is_empty() {
            return Some(0);
        }
        if length > limit || open == 0 {
            return None;
        }
        (0..=open.min(f.len()))
            .filter_map(|taken| {
                let here: u64 = f[..taken].iter().map(|f| u64::from(*f)).sum();
                let rest = fewest(&f[taken..], 2 * (open - taken), length + 1, limit)?;
                Some(here * length as u64 + rest)
            })
            .min()
    }

    fn random(seed: &mut u64) -> u32 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (*seed >> 33) as u32
    }

    #[test]
    fn no_code_of_the_same_limit_takes_fewer_bits() {
        let mut seed = 1;
        for round in 0..3000 {
            let count = 2 + random(&mut seed) as usize % 9;
            let range = [2, 10, 1000, 1 << 20][round % 4];
            let mut frequencies: Vec<u32> =
                (0..count).map(|_| 1 + random(&mut seed) % range).collect();
            for limit in 4..=7 {
                let found = code(&frequencies, limit);
                assert_complete(&found, limit);
                let cost = bits(&frequencies, &found);
                let mut sorted = frequencies.clone();
                sorted.sort_unstable_by(|a, b| b.cmp(a));
                assert_eq!(Some(cost), fewest(&sorted, 2, 1, limit), "{frequencies:?}");
            }
            frequencies.reverse();
        }
    }

    #[test]
    fn fibonacci_frequencies_stay_within_the_limit() {
        let mut frequencies = vec![1u32, 1];
        while frequencies.len() < 40 {
            let next = frequencies.iter().rev().take(2).sum();
            frequencies.push(next);
        }
        for symbols in 2..=40 {
            let used = &frequencies[..symbols];
            for limit in [6, 7, 14, 15] {
                let found = code(used, limit);
                assert_complete(&found, limit);
                assert!(found.is_sorted_by(|a, b| a >= b), "{found:?}");
                if symbols <= limit + 1 {
                    // The first two share the deepest level, and each further one stands one higher.
                    let want: Vec<u8> =
                        (0..symbols).map(|at| (symbols - at.max(1)) as u8).collect();
                    assert_eq!(found, want);
                }
            }
        }
        for symbols in 9..=12 {
            let used = &frequencies[..symbols];
            let mut sorted = used.to_vec();
            sorted.reverse();
            let fewest = fewest(&sorted, 2, 1, 7);
            assert_eq!(Some(bits(used, &code(used, 7))), fewest);
        }
    }

    #[test]
    fn a_limit_that_is_not_needed_changes_nothing() {
        let mut seed = 7;
        for count in 2..=SYMBOLS {
            let frequencies: Vec<u32> = (0..count).map(|_| 1 + random(&mut seed) % 50).collect();
            let mut keys: Vec<u64> = (0u64..)
                .zip(&frequencies)
                .map(|(symbol, f)| u64::from(*f) << 16 | symbol)
                .collect();
            keys.sort_unstable();
            let mut counts = [0; SYMBOLS];
            assert!(unlimited(&keys, &mut counts) <= LONGEST);
            let cost = |counts: &[u16; SYMBOLS]| -> u64 {
                let mut keys = keys.iter().rev();
                let each = counts.iter().enumerate();
                each.map(|(length, &count)| {
                    let these = keys.by_ref().take(usize::from(count));
                    these.map(|key| (key >> 16) * length as u64).sum::<u64>()
                })
                .sum()
            };
            assert_eq!(cost(&counts), cost(&package_merge(&keys, LONGEST)));
        }
    }

    #[test]
    fn few_symbols_still_make_a_complete_code() {
        assert_eq!(code(&[0; 5], 7), [1, 1, 0, 0, 0]);
        assert_eq!(code(&[9, 0, 0], 7), [1, 1, 0]);
        assert_eq!(code(&[0, 9, 0], 7), [1, 1, 0]);
        assert_eq!(code(&[0, 0, 9], 7), [1, 0, 1]);
        assert_eq!(code(&[0, 1, u32::MAX], 7), [0, 1, 1]);
    }

    #[test]
    fn of_equal_symbols_the_later_ones_have_the_shorter_words() {
        assert_eq!(code(&[5; 6], 7), [3, 3, 3, 3, 2, 2]);
        assert_eq!(code(&[1, 1, 1, 3, 3], 7), [3, 3, 2, 2, 2]);
        // Two leaves or a leaf and a pair of the same weight: the leaf, for the shallower code.
        assert_eq!(code(&[2, 2, 1, 1], 7), [2, 2, 2, 2]);
        assert_eq!(code(&[3; 5], 3), [3, 3, 2, 2, 2]);
    }

    #[test]
    fn words_count_up_within_a_length() {
        // The example of RFC 1951, 3.2.2, with the first bit lowest.
        let mut found = [0; 8];
        words(&[3, 3, 3, 3, 3, 2, 4, 4], &mut found);
        assert_eq!(
            found,
            [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111]
        );
    }
}
