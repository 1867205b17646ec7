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
