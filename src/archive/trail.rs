//! What is known of the bytes of an earlier archive: where each of its segments ended, and the state
//! that a SHA-256 of all bytes up to there has. An archive that begins with the same segments goes on
//! from there, and what is joined is not digested once more.
//!
//! A segment's key is a digest of all that its bytes depend on, format and options included, and what
//! stands before the first segment depends on these alone. So as long as the keys of two archives are
//! the same, in the same order, their bytes are. [`Output`](super::output::Output) goes along a trail
//! only with segments that were kept, whose bytes are checked as they are read, and whose length is the
//! one told here. With the first that is compressed anew, is damaged, or is of another key or length, it
//! leaves the trail for good and digests from the last state. What is relied upon is thus what the
//! segments themselves rely upon, the CRC-32 of a segment's bytes: where a damage escapes that, the
//! receipt has the digest that the archive ought to have, and `cookpack verify` finds out.
//!
//! A trail is kept under its first segment's key: the archive of the build before is the one whose
//! beginning is most likely met again. It ends with a digest of its own bytes: one that is damaged, cut
//! off, or of another name is none, and nothing is lost but time.

use crate::digest::{Digest, Hasher};

/// What a trail begins with. It is raised with its form, and with that of [`Hasher::state`].
const FORM: &[u8] = b"cookpack-trail 1\n";

/// Bytes of a SHA-256.
const DIGEST: usize = 32;

/// Bytes of a mark: a key, a length and a state.
const MARK: usize = DIGEST + 8 + Hasher::STATE;

/// What comes behind so many segments is not noted: memory is bounded by it.
const MOST: usize = 1 << 14;

/// The end of a segment in an archive.
#[derive(Clone)]
pub(super) struct Mark {
    /// The segment's key.
    pub(super) key: Digest,
    /// Bytes of the archive up to there.
    pub(super) length: u64,
    /// What has taken them.
    pub(super) hasher: Hasher,
}

/// The ends of the segments that an archive begins with: the bytes that a store keeps, but for the digest at
/// their end.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Trail(Vec<u8>);

impl Default for Trail {
    fn default() -> Self {
        Self(FORM.to_vec())
    }
}

impl Trail {
    /// Adds the next mark, if there is room for it.
    pub(super) fn push(&mut self, mark: &Mark) {
        if self.marks().len() < MOST * MARK {
            self.0.extend_from_slice(mark.key.as_bytes());
            self.0.extend_from_slice(&mark.length.to_le_bytes());
            self.0.extend_from_slice(&mark.hasher.state());
        }
    }

    fn marks(&self) -> &[u8] {
        &self.0[FORM.len()..]
    }

    /// The mark at an index, if there is one.
    pub(super) fn mark(&self, index: usize) -> Option<Mark> {
        let bytes = self.marks().as_chunks::<MARK>().0.get(index)?;
        let (key, rest) = bytes.split_first_chunk()?;
        let (length, state) = rest.split_first_chunk()?;
        Some(Mark {
            key: Digest::from_bytes(*key),
            length: u64::from_le_bytes(*length),
            hasher: Hasher::from_state(state.try_into().ok()?)?,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.marks().is_empty()
    }

    /// Has the marks of another one behind so many of its own, as far as there is room for them. Whether it is
    /// another one then.
    pub(super) fn go_on(&mut self, marks: usize, other: &Self) -> bool {
        let at = marks * MARK;
        let others = &other.marks()[..other.marks().len().min(MOST * MARK - at)];
        let is_other = self.marks()[at..] != *others;
        if is_other {
            self.0.truncate(FORM.len() + at);
            self.0.extend_from_slice(others);
        }
        is_other
    }

    /// The name under which it is kept: its first segment's key.
    pub(super) fn name(&self) -> Option<Digest> {
        Some(self.mark(0)?.key)
    }

    /// Its bytes in a store.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.0;
        let check = Digest::of(&bytes);
        bytes.extend_from_slice(check.as_bytes());
        bytes
    }

    /// The one of this name, if these are its bytes.
    pub(super) fn from_bytes(mut bytes: Vec<u8>, name: &Digest) -> Option<Self> {
        let (rest, check) = bytes.split_last_chunk::<DIGEST>()?;
        let marks = rest.strip_prefix(FORM)?;
        let is_whole = marks.len().is_multiple_of(MARK) && Digest::of(rest).as_bytes() == check;
        let length = FORM.len() + marks.len().min(MOST * MARK);
        bytes.truncate(length);
        let trail = is_whole.then_some(Self(bytes))?;
        (trail.name().as_ref() == Some(name)).then_some(trail)
    }
}

/// Whether the bytes are a trail of this name, as it was written.
pub(crate) fn is_whole_trail(bytes: &[u8], name: &Digest) -> bool {
    Trail::from_bytes(bytes.to_vec(), name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(marks: usize) -> Trail {
        let mut trail = Trail::default();
        let mut hasher = Hasher::default();
        for index in 0..marks {
            hasher.update(&[index as u8; 100]);
            trail.push(&Mark {
                key: Digest::of([index as u8]),
                length: 100 * (index as u64 + 1),
                hasher: hasher.clone(),
            });
        }
        trail
    }

    #[test]
    fn a_trail_is_read_as_it_was_written() {
        let trail = trail(3);
        let name = trail.name().expect("a mark");
        let read = Trail::from_bytes(trail.clone().into_bytes(), &name).expect("a trail");
        assert!(read == trail);
        let mark = read.mark(1).expect("a mark");
        assert_eq!((mark.key, mark.length), (Digest::of([1]), 200));
        let wanted = Digest::of([[0; 100], [1; 100]].concat());
        assert_eq!(mark.hasher.finish(), wanted);
        assert!(read.mark(3).is_none());
    }

    #[test]
    fn a_damaged_trail_is_none() {
        let whole = trail(2).into_bytes();
        let name = Digest::of([0]);
        assert!(is_whole_trail(&whole, &name));
        assert!(!is_whole_trail(&whole, &Digest::of([1])), "another name");
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_whole_trail(&bytes, &name), "{bit}");
        }
        for length in 0..whole.len() {
            assert!(!is_whole_trail(&whole[..length], &name), "{length}");
        }
        let empty = Trail::default().into_bytes();
        assert!(!is_whole_trail(&empty, &name), "one without a name");
    }

    #[test]
    fn another_trail_goes_on_behind_some_marks() {
        let whole = trail(4);
        let mut end = Trail::default();
        (2..4).for_each(|index| end.push(&whole.mark(index).expect("a mark")));
        for marks in [2, 3] {
            let mut begun = trail(marks);
            assert!(begun.go_on(2, &end), "{marks}");
            assert!(begun == whole, "{marks}");
            assert!(!begun.go_on(2, &end), "the same once more");
        }
        let mut longer = trail(5);
        assert!(longer.go_on(2, &end));
        assert!(longer == whole, "what stood there is gone");
    }

    #[test]
    fn a_trail_has_a_bound() {
        let mut trail = Trail::default();
        let mark = Mark {
            key: Digest::of(""),
            length: 0,
            hasher: Hasher::default(),
        };
        (0..MOST - 1).for_each(|_| trail.push(&mark));
        let mut other = trail.clone();
        trail.go_on(MOST - 1, &other);
        (0..2).for_each(|_| other.push(&mark));
        for full in [trail, other] {
            assert!(full.mark(MOST - 1).is_some());
            assert!(full.mark(MOST).is_none());
        }
    }
}
