//! Deflate's alphabets: which symbol and which further bits stand for a length or a distance
//! (RFC 1951, 3.2.5).

/// The shortest match.
pub(super) const MIN_MATCH: u32 = 3;

/// The longest match.
pub(super) const MAX_MATCH: u32 = 258;

/// Literals, the end of a block, lengths, and two symbols that never occur.
pub(super) const LITERALS: usize = 288;

/// Distances, and two symbols that never occur.
pub(super) const DISTANCES: usize = 32;

/// The symbol that ends a block.
pub(super) const END_OF_BLOCK: usize = 256;

/// The number of length symbols, which follow [`END_OF_BLOCK`].
pub(super) const LENGTH_SYMBOLS: usize = 29;

/// The number of bits that follow each length symbol.
pub(super) const LENGTH_BITS: [u8; LENGTH_SYMBOLS] = {
    let mut bits = [0; LENGTH_SYMBOLS];
    let mut symbol = 8;
    while symbol < LENGTH_SYMBOLS - 1 {
        bits[symbol] = (symbol / 4 - 1) as u8;
        symbol += 1;
    }
    bits // 258 has a symbol of its own, without further bits
};

/// The shortest length of each length symbol.
pub(super) const LENGTH_BASE: [u16; LENGTH_SYMBOLS] = {
    let mut base = [MIN_MATCH as u16; LENGTH_SYMBOLS];
    let mut symbol = 1;
    while symbol < LENGTH_SYMBOLS - 1 {
        base[symbol] = base[symbol - 1] + (1 << LENGTH_BITS[symbol - 1]);
        symbol += 1;
    }
    base[symbol] = MAX_MATCH as u16;
    base
};

/// The symbol of each length above [`MIN_MATCH`], counted from the first length symbol.
pub(super) static LENGTH_SYMBOL: [u8; 256] = {
    let mut table = [0; 256];
    let mut symbol = 0;
    while symbol < LENGTH_SYMBOLS {
        let mut length = LENGTH_BASE[symbol] as usize - MIN_MATCH as usize;
        while length < 256 {
            table[length] = symbol as u8;
            length += 1;
        }
        symbol += 1;
    }
    table
};

/// The number of bits that follow a distance symbol.
pub(super) const fn distance_bits(symbol: usize) -> u32 {
    if symbol < 4 { 0 } else { symbol as u32 / 2 - 1 }
}

/// The symbols of `distance - 1` below 256, and after them those of every 128th, for what is above.
static DISTANCE_SYMBOL: [u8; 512] = {
    let mut table = [0; 512];
    let mut at = 0;
    while at < 512 {
        let below = if at < 256 {
            at as u32
        } else {
            (at as u32 - 256) << 7
        };
        table[at] = if below < 4 {
            below as u8
        } else {
            let top = below.ilog2();
            (2 * top + ((below >> (top - 1)) & 1)) as u8
        };
        at += 1;
    }
    table
};

/// The symbol of a distance of at most 32,768.
#[inline(always)]
pub(super) fn distance_symbol(distance: u32) -> usize {
    let below = distance.wrapping_sub(1);
    let at = if below < 256 {
        below
    } else {
        256 + (below >> 7)
    };
    usize::from(DISTANCE_SYMBOL[(at & 511) as usize])
}
