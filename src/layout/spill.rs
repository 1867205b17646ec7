//! What a run sets aside once it takes more memory than it may: it stands in a file then, from which it is
//! read whenever somebody wants it. So memory does not grow with what is known of an archive's files.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::tree::TreeError;

/// Where it is set aside as long as a run lasts.
pub(crate) trait SpillFile: Send + Sync {
    /// Appends bytes. Gives their place.
    fn append(&self, bytes: &[u8]) -> io::Result<u64>;

    /// Reads so many bytes at a place.
    fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// Decides on what is set aside.
#[derive(Clone)]
pub(crate) struct Spill {
    file: Arc<dyn SpillFile>,
    /// Bytes of memory that may still be taken.
    left: Arc<AtomicUsize>,
    /// As many of them are left for others.
    spared: usize,
}

/// Bytes that were set aside.
#[derive(Clone)]
pub(super) struct Spilled {
    file: Arc<dyn SpillFile>,
    at: u64,
    length: usize,
}

impl Spill {
    /// Bytes of memory for one run: for what is known of some forty thousand files.
    pub(crate) const MEMORY: usize = 3 << 20;

    /// Bytes of it that are left to what a run only looks up, for which a file is slow.
    const SPARED: usize = Self::MEMORY - (512 << 10);

    /// What does not fit into so many bytes of memory goes to the file.
    pub(crate) fn new(file: Arc<dyn SpillFile>, memory: usize) -> Self {
        Self {
            file,
            left: Arc::new(AtomicUsize::new(memory)),
            spared: 0,
        }
    }

    /// The same for what takes a run its time in any case, beside which a file is nothing: it has less of
    /// the memory.
    pub(crate) fn sparing(&self) -> Self {
        Self {
            spared: Self::SPARED,
            ..self.clone()
        }
    }

    /// Takes so many bytes of what is left of the memory. Whether they were left.
    pub(crate) fn take_memory(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes).filter(|left| *left >= self.spared);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.left.fetch_update(set, fetch, take).is_ok()
    }

    /// Sets bytes aside. None if that fails: they stay where they are then.
    pub(super) fn put(&self, bytes: &[u8]) -> Option<Spilled> {
        let at = self.file.append(bytes).ok()?;
        Some(Spilled {
            file: Arc::clone(&self.file),
            at,
            length: bytes.len(),
        })
    }
}

impl Spilled {
    /// The bytes.
    pub(super) fn read(&self) -> Result<Vec<u8>, TreeError> {
        let read = self.file.read(self.at, self.length);
        read.map_err(TreeError::SetAside)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A file in memory, that can be told to fail.
    #[derive(Default)]
    pub(in crate::layout) struct Memory {
        pub(in crate::layout) bytes: Mutex<Vec<u8>>,
        pub(in crate::layout) is_full: bool,
    }

    impl Memory {
        pub(in crate::layout) fn shared(memory: &Arc<Self>) -> Arc<dyn SpillFile> {
            Arc::clone(memory) as Arc<dyn SpillFile>
        }
    }

    impl SpillFile for Memory {
        fn append(&self, bytes: &[u8]) -> io::Result<u64> {
            if self.is_full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let mut all = self.bytes.lock().expect("bytes");
            let at = all.len() as u64;
            all.extend_from_slice(bytes);
            Ok(at)
        }

        fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
            let all = self.bytes.lock().expect("bytes");
            let found = all.get(at as usize..at as usize + length);
            found
                .map(<[u8]>::to_vec)
                .ok_or(io::ErrorKind::UnexpectedEof.into())
        }
    }

    #[test]
    fn memory_is_given_until_it_is_spent() {
        let spill = Spill::new(Arc::new(Memory::default()), 10);
        let given = [4, 7, 6, 1, 0].map(|bytes| spill.take_memory(bytes));
        assert_eq!(given, [true, false, true, false, true]);
    }

    #[test]
    fn some_memory_is_spared() {
        let spill = Spill::new(Arc::new(Memory::default()), Spill::SPARED + 10);
        let sparing = spill.sparing();
        assert!(sparing.take_memory(4));
        assert!(!sparing.take_memory(7));
        assert!(spill.take_memory(7), "it was left for this");
        assert!(!sparing.take_memory(0));
        assert!(spill.take_memory(Spill::SPARED - 1));
        assert!(!spill.take_memory(1));
    }
}
