//! Numbers that are the same everywhere: Marsaglia's xorshift, and integers only, since the last bit
//! of a logarithm is not.

use std::io::{self, Read};

/// A sequence of numbers.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of a seed. Seeds that lie side by side give sequences that do not.
    pub(crate) fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below a bound. The low bits of a step are its weakest.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }

    /// True so many times of a thousand.
    pub(crate) fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// A number of `2^low` to `2^high`, each doubling as likely as the next.
    pub(crate) fn doubling(&mut self, low: u32, high: u32) -> u64 {
        let octave = 1 << (u64::from(low) + self.below(u64::from(high - low)));
        octave + self.below(octave)
    }
}

/// So many bytes that no encoder shortens, made as they are read.
pub(crate) struct Noise {
    random: Random,
    left: u64,
}

impl Noise {
    pub(crate) fn new(seed: u64, length: u64) -> Self {
        Self {
            random: Random::new(seed),
            left: length,
        }
    }
}

impl Read for Noise {
    /// Whole words, but for the last one: where a reader stops changes nothing.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = match room as u64 == self.left {
            true => room,
            false => room - room % 8,
        };
        assert!(
            count > 0 || room == 0,
            "noise is read eight bytes at a time"
        );
        for word in buffer[..count].chunks_mut(8) {
            word.copy_from_slice(&self.random.next().to_le_bytes()[..word.len()]);
        }
        self.left -= count as u64;
        Ok(count)
    }
}
