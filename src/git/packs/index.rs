//! The index of a pack, of which next to nothing is in memory. It has 28 bytes for each object, and what is
//! looked at of a mapped file counts as memory of ours. Ids are evenly spread: where one stands is known to
//! within a few dozen, which are read at once.
//!
//! This is version 2 of the form (git, `Documentation/gitformat-pack`): how many objects have an id whose
//! first byte is no greater, for each byte; the ids, in order; a CRC-32 for each; where each begins in the
//! pack, in 31 bits or as a place in the table of longer ones that follows; two checksums.

use std::path::Path;

use super::file::SharedFile;

/// An open index.
pub(super) struct Index {
    file: SharedFile,
    /// For each byte how many ids begin with it or a smaller one.
    fan: Box<[u32; 256]>,
    /// How many offsets do not fit into 31 bits.
    long: u64,
}

/// What it begins with.
const MAGIC: &[u8; 8] = b"\xfftOc\0\0\0\x02";

/// Where the ids begin.
const IDS: u64 = 8 + 256 * 4;

/// Bytes of an id.
const ID: usize = 20;

/// Bytes of the checksums at the end.
const END: u64 = 2 * ID as u64;

/// Ids that are read at a time. Of those that share their first byte one stands where it is guessed, give
/// or take half of the root of their number: of a repository's million that is thirty.
const NEAR: u32 = 64;

impl Index {
    /// The index at a path, if it is one of this form.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let (file, length) = SharedFile::open(path).ok()?;
        let mut head = [0; IDS as usize];
        let read = file.fill(0, &mut head).ok()?;
        let numbers = head.strip_prefix(MAGIC).filter(|_| read == head.len())?;
        let mut fan = Box::new([0; 256]);
        for (count, bytes) in fan.iter_mut().zip(numbers.as_chunks().0) {
            *count = u32::from_be_bytes(*bytes);
        }
        let shortest = IDS + u64::from(fan[255]) * (ID as u64 + 4 + 4) + END;
        let long = length.checked_sub(shortest)?;
        (fan.is_sorted() && long % 8 == 0).then_some(Self {
            file,
            fan,
            long: long / 8,
        })
    }

    /// Where the object of an id begins in the pack, if it is there.
    pub(super) fn offset(&self, id: &[u8; ID]) -> Option<u64> {
        let place = u64::from(self.place(id)?);
        let count = u64::from(self.fan[255]);
        let offsets = IDS + count * (ID as u64 + 4);
        let offset = u32::from_be_bytes(self.at(offsets + 4 * place)?);
        let Some(long) = offset.checked_sub(1 << 31) else {
            return Some(u64::from(offset));
        };
        let long = u64::from(long);
        let is_there = long < self.long;
        let offset = is_there.then(|| self.at(offsets + 4 * count + 8 * long))?;
        offset.map(u64::from_be_bytes)
    }

    /// How many ids stand before this one, if it is there.
    fn place(&self, id: &[u8; ID]) -> Option<u32> {
        let first = usize::from(id[0]);
        let (mut begin, mut end) = (
            first.checked_sub(1).map_or(0, |before| self.fan[before]),
            self.fan[first],
        );
        // What the ids between these have behind their first byte.
        let (mut low, mut high) = (0, 1 << 32);
        let wanted = behind_first(id);
        let mut near = [[0; ID]; NEAR as usize];
        let mut tries = 0;
        while begin < end {
            let left = end - begin;
            let middle = match tries {
                // Ids that somebody chose are not evenly spread.
                2.. => left / 2,
                _ => {
                    let part = u64::from(left) * wanted.saturating_sub(low) / (high - low).max(1);
                    u32::try_from(part).ok()?.min(left)
                }
            };
            let at = begin
                + middle
                    .saturating_sub(NEAR / 2)
                    .min(left.saturating_sub(NEAR));
            let near = &mut near[..left.min(NEAR) as usize];
            let bytes = near.as_flattened_mut();
            let read = self
                .file
                .fill(IDS + u64::from(at) * ID as u64, bytes)
                .ok()?;
            if read < bytes.len() {
                return None;
            }
            match near.binary_search(id) {
                Ok(found) => return Some(at + found as u32),
                Err(0) => (end, high) = (at, behind_first(&near[0])),
                Err(behind) if behind == near.len() => {
                    begin = at + behind as u32;
                    low = behind_first(&near[behind - 1]);
                }
                Err(_) => return None,
            }
            tries += 1;
        }
        None
    }

    /// Some bytes at a place.
    fn at<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        let read = self.file.fill(at, &mut bytes).ok()?;
        (read == N).then_some(bytes)
    }
}

/// Four bytes of an id behind its first one, as a number.
fn behind_first(id: &[u8; ID]) -> u64 {
    u64::from(u32::from_be_bytes([id[1], id[2], id[3], id[4]]))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::NamedTempFile;

    use super::*;
    use crate::digest::Digest;

    /// An index of ids, in order, and their offsets.
    fn index_of(objects: &[([u8; ID], u64)]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for byte in 0..=255 {
            let count = objects.iter().filter(|(id, _)| id[0] <= byte).count();
            bytes.extend((count as u32).to_be_bytes());
        }
        bytes.extend(objects.iter().flat_map(|(id, _)| id));
        bytes.extend(objects.iter().flat_map(|_| [0; 4]));
        let mut long = Vec::new();
        for (_, offset) in objects {
            let short = u32::try_from(*offset).ok().filter(|short| *short < 1 << 31);
            let short = short.unwrap_or_else(|| {
                long.extend(offset.to_be_bytes());
                (1 << 31) + long.len() as u32 / 8 - 1
            });
            bytes.extend(short.to_be_bytes());
        }
        bytes.extend(long);
        bytes.extend([0; END as usize]);
        bytes
    }

    fn written(bytes: &[u8]) -> NamedTempFile {
        let file = NamedTempFile::new().expect("a file");
        fs::write(file.path(), bytes).expect("written");
        file
    }

    fn open(bytes: &[u8]) -> Option<Index> {
        Index::open(written(bytes).path())
    }

    fn id_of(number: u32) -> [u8; ID] {
        let digest = Digest::of(number.to_le_bytes());
        *digest.as_bytes().first_chunk().expect("20 of 32 bytes")
    }

    fn sorted(ids: impl Iterator<Item = [u8; ID]>) -> Vec<([u8; ID], u64)> {
        let mut ids: Vec<_> = ids.collect();
        ids.sort_unstable();
        let offset = |place: usize| match place % 7 {
            3 => (1 << 31) + place as u64,
            5 => (1 << 40) + place as u64,
            _ => 12 + place as u64,
        };
        let offsets = (0..ids.len()).map(offset);
        ids.iter().copied().zip(offsets).collect()
    }

    #[test]
    fn every_id_has_its_offset_and_others_have_none() {
        for count in [0, 1, 2, 63, 64, 65, 1000, 70_000] {
            let objects = sorted((0..count).map(id_of));
            let index = open(&index_of(&objects)).expect("an index");
            for (id, offset) in &objects {
                assert_eq!(index.offset(id), Some(*offset));
            }
            for other in count..count + 500 {
                assert_eq!(index.offset(&id_of(other)), None);
            }
        }
    }

    #[test]
    fn ids_that_are_not_evenly_spread_are_found_as_well() {
        // All begin alike, and one does not.
        let alike = |number: u32| {
            let mut id = [0; ID];
            id[16..].copy_from_slice(&number.to_be_bytes());
            id
        };
        let mut far = [0; ID];
        far[1] = 255;
        for spread in [1, 1000] {
            let ids = (0..5000).map(|number| alike(number * spread));
            let objects = sorted(ids.chain([far]));
            let index = open(&index_of(&objects)).expect("an index");
            for (id, offset) in &objects {
                assert_eq!(index.offset(id), Some(*offset));
            }
            assert_eq!(index.offset(&alike(u32::MAX)), None);
        }
    }

    #[test]
    fn what_is_no_index_is_none() {
        let whole = index_of(&sorted((0..300).map(id_of)));
        assert!(open(&whole).is_some());
        for length in [0, 7, 8, IDS as usize - 1, IDS as usize, whole.len() - 1] {
            assert!(open(&whole[..length]).is_none(), "{length}");
        }
        let mut other = whole.clone();
        other[7] = 3;
        assert!(open(&other).is_none());
        let mut unsorted = whole.clone();
        unsorted[8 + 4 * 100] = 1;
        assert!(open(&unsorted).is_none());
    }

    #[test]
    fn damage_leads_nowhere() {
        let objects = sorted((0..300).map(id_of));
        let whole = index_of(&objects);
        // A long offset that is not there.
        let mut damaged = whole.clone();
        let offsets = IDS as usize + 300 * (ID + 4);
        damaged[offsets + 4 * 3..][..4].copy_from_slice(&u32::MAX.to_be_bytes());
        let index = open(&damaged).expect("an index");
        assert_eq!(index.offset(&objects[3].0), None);
        assert_eq!(index.offset(&objects[4].0), Some(objects[4].1));
        // Ids in another order.
        let mut damaged = whole.clone();
        damaged[IDS as usize..offsets - 300 * 4].reverse();
        let index = open(&damaged).expect("an index");
        for (id, _) in &objects {
            let found = index.offset(id);
            assert!(found.is_none_or(|found| objects.iter().any(|(_, offset)| *offset == found)));
        }
        // It is cut off while it is open.
        let file = written(&whole);
        let index = Index::open(file.path()).expect("an index");
        fs::write(file.path(), &whole[..IDS as usize]).expect("written");
        assert_eq!(index.offset(&objects[9].0), None);
    }
}
