//! What a search sees of a buffer, in one piece of a fixed size, so that what is read of it needs no
//! further checks.

/// The farthest that a match reaches back.
pub(super) const REACH: usize = 32 << 10;

/// What a search looks at: [`REACH`] bytes before a position, and enough behind it to compare a match
/// of any length eight bytes at a time.
const SIGHT: usize = REACH + 520;

/// Bytes that a buffer needs behind its end.
pub(super) const SLACK: usize = SIGHT - REACH;

pub(super) type Sight = [u8; SIGHT];

#[inline(always)]
pub(super) fn load4(bytes: &Sight, at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

#[inline(always)]
pub(super) fn load8(bytes: &Sight, at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

#[inline(always)]
pub(super) fn hash(bytes: u32, log: u32) -> usize {
    (bytes.wrapping_mul(0x9E37_79B1) >> (32 - log)) as usize
}

/// The bytes around a position, of a buffer with [`REACH`] bytes before it and [`SLACK`] behind.
#[inline(always)]
pub(super) fn sight(buffer: &[u8], at: usize) -> &Sight {
    let start = at.wrapping_sub(REACH);
    buffer
        .get(start..)
        .and_then(|rest| rest.first_chunk())
        .expect("a buffer has room before and behind")
}
