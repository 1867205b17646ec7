//! Bits, the lowest first, as deflate packs them (RFC 1951, 3.1.1).

/// Writes bits to the end of a vector. Up to seven of them wait for the rest of their byte.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    bits: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            bits: 0,
            count: 0,
        }
    }

    /// How many bits wait, less than eight.
    pub(super) fn waiting(&self) -> u32 {
        self.count
    }

    /// Writes the lowest `count` bits of `value`, at most 56; those above must be zero.
    pub(super) fn write(&mut self, value: u64, count: u32) {
        self.bits |= value << self.count;
        self.count += count;
        let bytes = self.count >> 3;
        self.out
            .extend_from_slice(&self.bits.to_le_bytes()[..bytes as usize]);
        self.bits = self.bits.checked_shr(bytes << 3).unwrap_or(0);
        self.count &= 7;
    }

    /// Fills the byte with zeros.
    pub(super) fn align(&mut self) {
        if self.count > 0 {
            self.write(0, 8 - self.count);
        }
    }

    /// Writes whole bytes, after [`Self::align`].
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.count, 0, "whole bytes begin at a byte");
        self.out.extend_from_slice(bytes);
    }

    /// Lets `write` write at most `bits` bits in the fastest way.
    pub(super) fn burst(&mut self, bits: u64, write: impl FnOnce(&mut Burst<'_>)) {
        let start = self.out.len();
        // Each store is of eight bytes, whatever is to be written.
        let most = (u64::from(self.count) + bits) / 8 + 8;
        self.out.resize(start + most as usize, 0);
        let mut burst = Burst {
            room: &mut self.out[start..],
            at: 0,
            bits: self.bits,
            count: self.count,
        };
        write(&mut burst);
        burst.store();
        let end = start + burst.at;
        (self.bits, self.count) = (burst.bits, burst.count);
        self.out.truncate(end);
    }
}

/// Bits on their way into room that was made before.
pub(super) struct Burst<'a> {
    room: &'a mut [u8],
    at: usize,
    bits: u64,
    count: u32,
}

impl Burst<'_> {
    /// Adds the lowest `count` bits of `value`; those above must be zero. At most 56 bits stand between
    /// two [`Self::store`].
    #[inline(always)]
    pub(super) fn add(&mut self, value: u64, count: u32) {
        self.bits |= value << self.count;
        self.count += count;
    }

    /// Puts all whole bytes into the room.
    #[inline(always)]
    pub(super) fn store(&mut self) {
        self.room[self.at..self.at + 8].copy_from_slice(&self.bits.to_le_bytes());
        self.at += (self.count >> 3) as usize;
        self.bits >>= self.count & 56;
        self.count &= 7;
    }
}
