//! The gzip member. Every byte of its header and trailer is decided in this file: exactly one member,
//! because the pure-Ruby reader of Chef 12 to 14 stops silently behind the first. What stands between
//! them are blocks of `deflate.rs`, each of which ends at a byte, and so can be joined.

use super::deflate;

/// Magic, deflate, no flags, no time, no extra flags, an unknown operating system.
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// What stands behind the last block: the end of the deflate stream, the CRC-32 of the content, and its
/// length modulo 2^32.
pub(super) fn end(crc: u32, length: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..2].copy_from_slice(&deflate::END);
    bytes[2..6].copy_from_slice(&crc.to_le_bytes());
    bytes[6..].copy_from_slice(&(length as u32).to_le_bytes());
    bytes
}
