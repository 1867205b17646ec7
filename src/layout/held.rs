//! The contents of a cookbook's files as they were read for its plan, so that whoever wants them right
//! away needs not read them again.

use std::io;
use std::ops::{Deref, Range};
use std::sync::Arc;

use memmap2::MmapMut;

/// Memory for contents. It is the system's own and goes back there when it is dropped: what an allocator is
/// given back lies between small things that stay, and keeps counting as ours.
#[derive(Debug)]
pub(crate) struct HeldMemory {
    map: MmapMut,
    length: usize,
    /// Bytes that were in use at a time, and so are there.
    most_used: usize,
}

impl HeldMemory {
    /// Room for so many bytes, which are not there before they are used.
    pub(crate) fn new(room: usize) -> io::Result<Self> {
        Ok(Self {
            map: MmapMut::map_anon(room)?,
            length: 0,
            most_used: 0,
        })
    }

    /// The most bytes that stood in it at a time.
    pub(crate) fn most_used(&self) -> usize {
        self.most_used
    }

    /// Appends bytes. Whether there was room for them.
    fn push(&mut self, bytes: &[u8]) -> bool {
        let end = self.length + bytes.len();
        let Some(place) = self.map.get_mut(self.length..end) else {
            return false;
        };
        place.copy_from_slice(bytes);
        self.length = end;
        self.most_used = self.most_used.max(end);
        true
    }

    fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }
}

impl Deref for HeldMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map[..self.length]
    }
}

/// Takes what is read of a cookbook's files, as long as it is not too much. What was digested is in memory
/// then, byte by byte: nobody can change it between its digest and its use.
#[derive(Debug)]
pub(crate) struct HeldContents {
    /// The contents, one after the other.
    bytes: HeldMemory,
    /// Where each one stands: in the order of the files that are included.
    places: Vec<Range<usize>>,
    is_over: bool,
}

/// The contents of a cookbook's files, and where in them those of each one stand.
pub(crate) type Held = (Arc<HeldMemory>, Vec<Range<usize>>);

/// What was kept of a cookbook.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// All: each file's bytes are there.
    All(Vec<Range<usize>>),
    /// It was read, but is too much to be kept.
    TooMuch,
    /// It was not read.
    Nothing,
}

impl HeldContents {
    /// As many as there is room for. What stands in `bytes` is of no use any more.
    pub(crate) fn in_memory(mut bytes: HeldMemory) -> Self {
        bytes.truncate(0);
        Self {
            bytes,
            places: Vec::new(),
            is_over: false,
        }
    }

    /// What there is of a cookbook with so many files, and the memory in any case.
    pub(crate) fn of_files(self, count: usize) -> (HeldMemory, Kept) {
        let kept = match self.is_over {
            true => Kept::TooMuch,
            false if self.places.len() == count => Kept::All(self.places),
            false => Kept::Nothing,
        };
        (self.bytes, kept)
    }

    /// Takes more of the file that is read.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.is_over = self.is_over || !self.bytes.push(bytes);
    }

    /// Where the next file begins.
    pub(super) fn end(&self) -> usize {
        self.bytes.len()
    }

    /// The file that began there is included.
    pub(super) fn include(&mut self, begin: usize) {
        self.places.push(begin..self.bytes.len());
    }

    /// The file that began there is not included.
    pub(super) fn forget(&mut self, begin: usize) {
        self.bytes.truncate(begin);
    }

    /// None of it is of use.
    pub(super) fn give_up(&mut self) {
        self.is_over = false;
        self.places.clear();
        self.bytes.truncate(0);
    }

    /// Brings the files into another order: that of these indices.
    pub(super) fn reorder(&mut self, order: &[usize]) {
        if !self.is_over {
            self.places = order.iter().map(|at| self.places[*at].clone()).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl From<&[u8]> for HeldMemory {
        fn from(bytes: &[u8]) -> Self {
            let mut memory = Self::new(bytes.len().max(1)).expect("memory");
            assert!(memory.push(bytes));
            memory
        }
    }

    fn contents(most: usize, files: &[&[u8]]) -> HeldContents {
        let mut memory = HeldMemory::new(most).expect("memory");
        memory.push(&b"what was there before"[..most.min(21)]);
        let mut contents = HeldContents::in_memory(memory);
        for file in files {
            let begin = contents.end();
            file.chunks(3).for_each(|piece| contents.take(piece));
            contents.include(begin);
        }
        contents
    }

    #[test]
    fn what_is_included_is_kept_in_the_order_that_it_is_given() {
        let mut contents = contents(11, &[b"second", b"", b"third"]);
        let begin = contents.end();
        contents.forget(begin);
        contents.reorder(&[1, 0, 2]);
        let (bytes, kept) = contents.of_files(3);
        assert_eq!(&*bytes, b"secondthird");
        assert_eq!(kept, Kept::All(vec![6..6, 0..6, 6..11]));
    }

    #[test]
    fn what_is_not_included_is_forgotten() {
        let mut contents = contents(20, &[b"first"]);
        let begin = contents.end();
        contents.take(b"omitted");
        contents.forget(begin);
        let begin = contents.end();
        contents.take(b"last");
        contents.include(begin);
        let (bytes, kept) = contents.of_files(2);
        assert_eq!(&*bytes, b"firstlast");
        assert_eq!(kept, Kept::All(vec![0..5, 5..9]));
    }

    #[test]
    fn one_byte_more_than_there_is_room_for_is_too_much() {
        let kept = |most| contents(most, &[b"1234", b"5"]).of_files(2).1;
        assert_eq!(kept(5), Kept::All(vec![0..4, 4..5]));
        assert_eq!(kept(4), Kept::TooMuch);
        // It is too much even if what made it so is forgotten.
        let mut contents = contents(4, &[b"12345"]);
        contents.forget(0);
        contents.reorder(&[0]);
        assert_eq!(contents.of_files(1).1, Kept::TooMuch);
    }

    #[test]
    fn memory_knows_the_most_that_stood_in_it() {
        let mut memory = HeldMemory::new(8).expect("memory");
        assert!(memory.push(b"12345"));
        memory.truncate(2);
        assert!(!memory.push(b"3456789"));
        assert!(memory.push(b"3"));
        memory.truncate(9);
        assert_eq!(&*memory, b"123");
        assert_eq!(memory.most_used(), 5);
    }

    #[test]
    fn nothing_is_known_of_what_was_not_read_or_is_refused() {
        assert_eq!(contents(9, &[]).of_files(1).1, Kept::Nothing);
        assert_eq!(contents(9, &[]).of_files(0).1, Kept::All(Vec::new()));
        let mut contents = contents(4, &[b"12345"]);
        contents.give_up();
        assert_eq!(contents.of_files(1).1, Kept::Nothing);
    }
}
