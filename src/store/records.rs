//! What was worked out of content, and can be worked out again: a file each under the digest of all
//! that it depends on. It is never asked for without being checked, and never missed: where the store
//! cannot be written, or something of it is damaged, the work is done again.
//!
//! Each kind has a bound. What was not used for the longest time goes first; that something is used is
//! noted once a day, which is fine enough for that.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module keeps files"
)]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::items::Removal;
use super::{CacheKind, Damage, Store, StoreError};
use crate::aside::create_locked;
use crate::digest::Digest;
use crate::event::CancelToken;

/// In the folder of a kind that has a bound: how many bytes were added since it was last looked
/// through. Two processes may lose what one of them added: the bound is kept a little later then.
const ADDED: &str = "cookpack-added";

/// The part of a bound that may be added before the folder is looked through: that costs time for each
/// thing in it, and shall cost nothing for each thing added.
const PART: u64 = 16;

/// A use is noted if the last one that was noted is as long ago.
pub(super) const NOTED: Duration = Duration::from_secs(24 * 60 * 60);

impl Store {
    /// The time that the file system has now. None where the store cannot be written.
    pub(crate) fn now(&self) -> Option<SystemTime> {
        self.create_folder(&self.folder).ok()?;
        let file = tempfile::tempfile_in(&self.folder).ok()?;
        file.metadata().and_then(|found| found.modified()).ok()
    }

    /// What is kept under a key, unchecked. `now` is [`Self::now`], for noting that it is used.
    pub(crate) fn record(
        &self,
        kind: CacheKind,
        key: &Digest,
        now: Option<SystemTime>,
    ) -> Option<Vec<u8>> {
        let mut file = File::open(self.object(kind, key)).ok()?;
        let found = file.metadata().ok()?;
        // Attack: whoever writes into the store fills memory.
        if kind.bound().is_some_and(|bound| found.len() > bound) {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).ok()?);
        file.read_to_end(&mut bytes).ok()?;
        let age = |used| now?.duration_since(used).ok();
        if found.modified().ok().and_then(age) > Some(NOTED) {
            // One that cannot be noted goes a little earlier.
            let _ = now.map(|now| file.set_modified(now));
        }
        Some(bytes)
    }

    /// Keeps bytes under a key, in place of what is there. They appear whole or not at all.
    pub(crate) fn keep_record(
        &self,
        kind: CacheKind,
        key: &Digest,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let path = self.object(kind, key);
        let folder = path.parent().unwrap_or(&self.folder);
        if !folder.is_dir() {
            self.create_folder(folder)?;
        }
        let failed = || StoreError::at(&path);
        let mut file = create_locked(folder).map_err(failed())?;
        file.write_all(bytes).map_err(failed())?;
        let persisted = file.persist(&path);
        persisted.map(drop).map_err(|error| failed()(error.error))
    }

    /// Notes that so many bytes were added to a kind. Where that may be too much, what was not used for
    /// the longest time is removed.
    pub(crate) fn note_added(&self, kind: CacheKind, bytes: u64) -> Result<(), StoreError> {
        let Some(bound) = kind.bound().filter(|_| bytes > 0) else {
            return Ok(());
        };
        let path = self.folder.join(kind.folder()).join(ADDED);
        let known = match fs::read_to_string(&path) {
            // Garbage was left by a kill.
            Ok(text) => text.trim_end().parse().unwrap_or(bound),
            Err(_) => 0,
        };
        let mut added = bytes.saturating_add(known);
        if added > bound / PART {
            self.trim(kind, bound - bound / PART)?;
            added = 0;
        }
        fs::write(&path, format!("{added}\n")).map_err(StoreError::at(&path))
    }

    /// Removes what was not used for the longest time until a kind has no more than so many bytes.
    /// What is used meanwhile stays. Gives the bytes that are left.
    pub(crate) fn trim(&self, kind: CacheKind, most: u64) -> Result<u64, StoreError> {
        let mut items = self.items(kind)?;
        let mut left: u64 = items.iter().map(|item| item.size).sum();
        items.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        for item in items {
            if left <= most {
                break;
            }
            if self.remove(&item, true)? == Removal::Done {
                left -= item.size;
            }
        }
        Ok(left)
    }
}

/// Whether a record is what was written under its name, as `is_whole` tells of its bytes.
pub(crate) fn verify_record(
    path: &Path,
    is_whole: fn(&[u8], &Digest) -> bool,
    cancel: &CancelToken,
) -> Result<Vec<Damage>, StoreError> {
    cancel.check()?;
    let name = path.file_name().unwrap_or_default();
    let bytes = match fs::read(path) {
        // Somebody removed it meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(StoreError::at(path))?,
    };
    let key = name.to_str().and_then(|name| name.parse::<Digest>().ok());
    Ok(match key.is_some_and(|key| is_whole(&bytes, &key)) {
        true => Vec::new(),
        false => vec![Damage::Checksum { file: name.into() }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::is_whole_record;

    const KIND: CacheKind = CacheKind::Plan;

    fn key(number: u8) -> Digest {
        Digest::of([number])
    }

    /// Ten records of 100 bytes, the first used longest ago.
    fn filled() -> (tempfile::TempDir, Store, SystemTime) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path());
        let now = store.now().expect("a store");
        for number in 0..10 {
            store
                .keep_record(KIND, &key(number), &[number; 100])
                .expect("kept");
            let hours = u64::from(100 - number);
            let file = File::open(store.object(KIND, &key(number))).expect("a record");
            let used = now - Duration::from_secs(hours * 3600);
            file.set_modified(used).expect("a time");
        }
        (folder, store, now)
    }

    fn kept(store: &Store) -> Vec<u8> {
        (0..10)
            .filter(|number| store.object(KIND, &key(*number)).exists())
            .collect()
    }

    #[test]
    fn a_record_is_what_was_kept_last() {
        let (_folder, store, now) = filled();
        assert_eq!(store.record(KIND, &key(3), None), Some(vec![3; 100]));
        store.keep_record(KIND, &key(3), b"other").expect("kept");
        assert_eq!(
            store.record(KIND, &key(3), Some(now)),
            Some(b"other".into())
        );
        assert_eq!(store.record(KIND, &key(99), Some(now)), None);
        let items = store.items(KIND).expect("items");
        assert_eq!(items.len(), 10);
        assert!(store.leftovers(now).expect("a store").is_empty());
    }

    #[test]
    fn the_least_used_go_first_and_a_use_counts() {
        let (_folder, store, now) = filled();
        // It was used four days ago.
        assert!(store.record(KIND, &key(0), Some(now)).is_some());
        assert_eq!(store.trim(KIND, 350).expect("a store"), 300);
        assert_eq!(kept(&store), [0, 8, 9]);
        assert_eq!(store.trim(KIND, 300).expect("a store"), 300);
        assert_eq!(store.trim(KIND, 0).expect("a store"), 0);
        assert!(kept(&store).is_empty());
        assert_eq!(store.trim(KIND, 0).expect("an empty store"), 0);
    }

    #[test]
    fn a_use_is_noted_once_a_day() {
        let (_folder, store, now) = filled();
        let used = |number| {
            let found = fs::metadata(store.object(KIND, &key(number)));
            found.and_then(|found| found.modified()).expect("a time")
        };
        let recent = now - Duration::from_secs(3600);
        let file = File::open(store.object(KIND, &key(1))).expect("a record");
        file.set_modified(recent).expect("a time");
        for number in [0, 1] {
            assert!(store.record(KIND, &key(number), Some(now)).is_some());
        }
        assert_eq!((used(0), used(1)), (now, recent));
    }

    #[test]
    fn the_folder_is_looked_through_when_enough_was_added() {
        let (folder, store, _) = filled();
        let added = folder.path().join("plans-1").join(ADDED);
        let bound = KIND.bound().expect("a bound");
        store.note_added(KIND, 0).expect("a store");
        assert!(!added.exists());
        store.note_added(KIND, 5).expect("a store");
        store.note_added(KIND, 7).expect("a store");
        assert_eq!(fs::read_to_string(&added).expect("a file"), "12\n");
        store.note_added(KIND, bound / PART).expect("a store");
        assert_eq!(fs::read_to_string(&added).expect("a file"), "0\n");
        assert_eq!(kept(&store).len(), 10, "there is room");
        fs::write(&added, "").expect("a file");
        store.note_added(KIND, 1).expect("a store");
        assert_eq!(fs::read_to_string(&added).expect("a file"), "0\n");
    }

    #[test]
    fn a_record_under_another_name_is_damaged() {
        let (_folder, store, _) = filled();
        let path = store.object(KIND, &key(4));
        let damages =
            verify_record(&path, is_whole_record, &CancelToken::default()).expect("a store");
        assert!(matches!(&damages[..], [Damage::Checksum { .. }]));
        let gone = store.object(KIND, &key(99));
        let damages =
            verify_record(&gone, is_whole_record, &CancelToken::default()).expect("a store");
        assert_eq!(damages, []);
    }
}
