//! Memory for blocks, for what becomes of them, and for segments that are read, used again: what is fresh
//! for each of them costs the kernel more than the bytes do, and what is given back to the allocator lies
//! between what stays, and is of no use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::deflate::WINDOW;
use super::segment::BLOCK;

/// No more buffers are kept.
const MOST: usize = 8;

/// The bytes of each, so that none ever grows: a block with what stands before it. A segment that is larger has memory of its own.
const SIZE: usize = WINDOW + BLOCK;

/// Memory that nobody uses right now, on any thread.
#[derive(Clone, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// A buffer with room for so many bytes, if they are not too many; what stands in it means nothing.
    pub(super) fn lend(&self, bytes: u64) -> Vec<u8> {
        if bytes > SIZE as u64 {
            return Vec::new();
        }
        let idle = self.idle().pop();
        idle.unwrap_or_else(|| Vec::with_capacity(SIZE))
    }

    /// An empty buffer with room for so many bytes, of memory of its own if they are too many.
    pub(super) fn lend_empty(&self, bytes: u64) -> Vec<u8> {
        let mut buffer = self.lend(bytes);
        buffer.clear();
        buffer.reserve_exact(usize::try_from(bytes).unwrap_or_default());
        buffer
    }

    /// Takes it again. Other memory is freed.
    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        let mut idle = self.idle();
        if idle.len() < MOST && buffer.capacity() == SIZE {
            idle.push(buffer);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_lent_again() {
        let buffers = Buffers::default();
        let mut buffer = buffers.lend(1);
        buffer.resize(SIZE, 7);
        buffers.give_back(buffer);
        assert_eq!(buffers.lend(SIZE as u64).len(), SIZE);
        assert_eq!(buffers.lend(SIZE as u64).len(), 0, "there was one");
        let large = buffers.lend(SIZE as u64 + 1);
        assert_eq!(large.capacity(), 0);
        buffers.give_back(vec![7; SIZE]);
        for bytes in [1, SIZE, SIZE + 1] {
            let empty = buffers.lend_empty(bytes as u64);
            assert!(empty.is_empty() && empty.capacity() >= bytes, "{bytes}");
            buffers.give_back(empty);
        }
        assert_eq!(buffers.idle().len(), 1, "the large one is freed");
        drop(buffers.lend(1));
        buffers.give_back(vec![0; SIZE + 1]);
        (0..=MOST).for_each(|_| buffers.give_back(Vec::with_capacity(SIZE)));
        assert_eq!(buffers.idle().len(), MOST);
    }
}
