//! The things that a store keeps: what they are, when they were used, and how they are removed.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module keeps files"
)]

use std::fs::{self, DirEntry, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::kind::{Form, is_folder_name, is_hex};
use super::{CacheKind, Damage, Store, StoreError};
use crate::digest::{Digest, Hasher};
use crate::event::CancelToken;
use crate::layout::TEMPORARY_PREFIX;

/// A file in a mirror: the address of the repository, without credentials, and a newline.
const ADDRESS: &str = "cookpack-address";

/// A file in a mirror: its time is when the mirror was last used.
const USED: &str = "cookpack-used";

/// Longer addresses than this are not read back: whoever writes into the store shall not fill memory.
const ADDRESS_BYTES: u64 = 8 << 10;

/// One thing that the store keeps.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: CacheKind,
    /// Its folder, or its file.
    pub(crate) path: PathBuf,
    /// Bytes of its files.
    pub(crate) size: u64,
    /// When it was last used, as far as the file system knows.
    pub(crate) used: Option<SystemTime>,
    /// The address of the repository that it is a mirror of, if that was written down.
    pub(crate) address: Option<String>,
}

/// What became of something that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is gone.
    Done,
    /// Another process uses it.
    InUse,
}

impl Store {
    /// Everything of a kind, in the order of the paths. A store that is not there holds nothing.
    pub(crate) fn items(&self, kind: CacheKind) -> Result<Vec<Item>, StoreError> {
        let folder = self.folder.join(kind.folder());
        let mut items = Vec::new();
        for entry in entries(&folder)? {
            let is_folder = entry.file_type().is_ok_and(|found| found.is_dir());
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|_| is_folder) else {
                continue;
            };
            match kind.form() {
                Form::Folders if is_folder_name(name) => {
                    let path = entry.path();
                    let (size, used) = (size_of(&path)?, used(&path));
                    items.push(Item {
                        kind,
                        address: self.address(&path),
                        path,
                        size,
                        used,
                    });
                }
                Form::Objects if is_hex(name, kind.digits()) => {
                    objects(kind, &entry.path(), &mut items)?;
                }
                _ => {}
            }
        }
        items.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(items)
    }

    /// Marks a mirror, or an object of another kind, as used now. It is for finding what may go: where
    /// the store cannot be written it is left undone.
    pub(crate) fn mark_used(&self, path: &Path) {
        let marked = match path.is_dir() {
            // The file system dates what is written.
            true => fs::write(path.join(USED), ""),
            false => self.touch(path),
        };
        drop(marked);
    }

    /// Gives a file the time that the file system has now; its content stays as it is.
    fn touch(&self, path: &Path) -> io::Result<()> {
        let now = tempfile::tempfile_in(&self.folder)?
            .metadata()?
            .modified()?;
        // Not for writing: an object may be read-only, and its owner may date it all the same.
        File::open(path)?.set_modified(now)
    }

    /// Writes down which repository a mirror is of; the address has no credentials. The caller holds
    /// the mirror's lock.
    pub(crate) fn describe(&self, mirror: &Path, address: &str) -> Result<(), StoreError> {
        let aside = mirror.join(format!("{TEMPORARY_PREFIX}{ADDRESS}"));
        let written = fs::write(&aside, format!("{address}\n"));
        let written = written.and_then(|()| fs::rename(&aside, mirror.join(ADDRESS)));
        written.map_err(StoreError::at(mirror))
    }

    /// The address of a mirror's repository, if it was written down.
    pub(super) fn address(&self, mirror: &Path) -> Option<String> {
        let mut text = String::new();
        let file = File::open(mirror.join(ADDRESS)).ok()?;
        file.take(ADDRESS_BYTES).read_to_string(&mut text).ok()?;
        let address = text.strip_suffix('\n')?;
        let is_one = !address.is_empty() && !address.contains(char::is_control);
        is_one.then(|| address.to_owned())
    }

    /// Whether another process is at work on it. Nothing is written for it.
    pub(crate) fn is_in_use(&self, item: &Item) -> bool {
        match item.kind.form() {
            Form::Folders => self.is_locked(&item.path),
            Form::Objects => false,
        }
    }

    /// Removes a thing. With `if_unused` one that was used since it was listed stays.
    pub(crate) fn remove(&self, item: &Item, if_unused: bool) -> Result<Removal, StoreError> {
        let failed = StoreError::at(&item.path);
        let is_used = || if_unused && used(&item.path) > item.used;
        if item.kind.form() == Form::Objects {
            if is_used() {
                return Ok(Removal::InUse);
            }
            return match fs::remove_file(&item.path) {
                Err(error) if !is_gone(&error) => Err(failed(error)),
                _ => Ok(Removal::Done),
            };
        }
        let Some(lock) = self.try_lock(&item.path)? else {
            return Ok(Removal::InUse);
        };
        if is_used() {
            return Ok(Removal::InUse);
        }
        // Renamed first: one that is half removed would be taken for a mirror that is damaged.
        let name = item.path.file_name().unwrap_or_default().to_string_lossy();
        let aside = item
            .path
            .with_file_name(format!("{TEMPORARY_PREFIX}{name}"));
        remove_all(&aside)?;
        match fs::rename(&item.path, &aside) {
            Err(error) if !is_gone(&error) => return Err(failed(error)),
            _ => remove_all(&aside)?,
        }
        lock.remove();
        Ok(Removal::Done)
    }
}

/// Whether a file still has the content that its name promises.
pub(crate) fn verify_object(path: &Path, cancel: &CancelToken) -> Result<Vec<Damage>, StoreError> {
    let name = path.file_name().unwrap_or_default();
    let mut file = match File::open(path) {
        // Somebody removed it meanwhile.
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        opened => opened.map_err(StoreError::at(path))?,
    };
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 64 << 10]);
    loop {
        cancel.check()?;
        match file.read(&mut buffer).map_err(StoreError::at(path))? {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    let found = hasher.finish();
    let wanted = name.to_str().and_then(|name| name.parse::<Digest>().ok());
    Ok(match wanted == Some(found) {
        true => Vec::new(),
        false => vec![Damage::Content {
            file: name.into(),
            found,
        }],
    })
}

fn objects(kind: CacheKind, folder: &Path, items: &mut Vec<Item>) -> Result<(), StoreError> {
    for entry in entries(folder)? {
        let found = entry.metadata().ok().filter(Metadata::is_file);
        let name = entry.file_name();
        if let (Some(found), Some(name)) = (found, name.to_str())
            && is_hex(name, 64)
        {
            items.push(Item {
                kind,
                path: entry.path(),
                size: found.len(),
                used: found.modified().ok(),
                address: None,
            });
        }
    }
    Ok(())
}

/// When a thing was last used. A mirror that no run has marked yet is as old as its folder.
fn used(path: &Path) -> Option<SystemTime> {
    let found = fs::metadata(path.join(USED)).or_else(|_| fs::metadata(path));
    found.and_then(|found| found.modified()).ok()
}

/// The entries of a folder. Another process may remove what is being looked at.
pub(super) fn entries(folder: &Path) -> Result<Vec<DirEntry>, StoreError> {
    let listed = fs::read_dir(folder).and_then(Iterator::collect);
    match listed {
        Err(error) if is_gone(&error) => Ok(Vec::new()),
        other => other.map_err(StoreError::at(folder)),
    }
}

/// The bytes of all files at and below a path. No link is followed.
pub(super) fn size_of(path: &Path) -> Result<u64, StoreError> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if is_gone(&error) => return Ok(0),
        found => found.map_err(StoreError::at(path))?,
    };
    if !found.is_dir() {
        return Ok(found.len());
    }
    let mut size = 0;
    for entry in entries(path)? {
        size += match entry.file_type() {
            Ok(found) if found.is_dir() => size_of(&entry.path())?,
            _ => entry.metadata().map_or(0, |found| found.len()),
        };
    }
    Ok(size)
}

/// Removes a file or a folder with all that is in it, if it is there. No link is followed.
pub(super) fn remove_all(path: &Path) -> Result<(), StoreError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if !is_gone(&error) => Err(StoreError::at(path)(error)),
        _ => Ok(()),
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn store() -> (tempfile::TempDir, Store, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path());
        let mirror = store.mirror_folder("https://example.com/web.git");
        fs::create_dir_all(&mirror).expect("folders");
        (folder, store, mirror)
    }

    #[test]
    fn a_mirror_knows_its_address_once_it_is_written_down() {
        let (_folder, store, mirror) = store();
        assert_eq!(store.address(&mirror), None);
        for address in ["https://example.com/web.git", "/srv/été"] {
            store.describe(&mirror, address).expect("a file");
            assert_eq!(store.address(&mirror).as_deref(), Some(address));
        }
        assert_eq!(
            entries(&mirror).expect("a folder").len(),
            1,
            "nothing aside"
        );
    }

    #[test]
    fn a_use_is_dated_by_the_file_system() {
        let (folder, store, mirror) = store();
        let object = folder.path().join("lfs-1/ab").join("ab".repeat(32));
        fs::create_dir_all(object.parent().expect("a parent")).expect("folders");
        fs::write(&object, "content").expect("a file");
        fs::set_permissions(&object, {
            let mut permissions = fs::metadata(&object).expect("metadata").permissions();
            permissions.set_readonly(true);
            permissions
        })
        .expect("a mode");
        store.mark_used(&mirror);
        let before = fs::metadata(mirror.join(USED)).and_then(|found| found.modified());
        let before = before.expect("a time");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for path in [mirror.join(USED), object.clone()] {
            let file = File::open(path).expect("a file");
            file.set_modified(long_ago).expect("a time");
        }
        for (kind, path) in [(CacheKind::Git, &mirror), (CacheKind::Lfs, &object)] {
            let time = || store.items(kind).expect("items")[0].used.expect("a time");
            assert_eq!(time(), long_ago, "{path:?}");
            store.mark_used(path);
            assert!(time() >= before, "{path:?}");
        }
        assert_eq!(fs::read(&object).expect("a file"), b"content");
        // The store has nothing of these: no mark makes it up.
        store.mark_used(&mirror.with_file_name("other"));
        assert_eq!(store.items(CacheKind::Git).expect("items").len(), 1);
        assert_eq!(
            entries(&folder.path().join("git-1"))
                .expect("a folder")
                .len(),
            1
        );
    }

    #[test]
    fn what_was_used_since_it_was_listed_stays() {
        let (_folder, store, mirror) = store();
        let item = store.items(CacheKind::Git).expect("items").remove(0);
        let item = Item {
            used: Some(SystemTime::UNIX_EPOCH),
            ..item
        };
        store.mark_used(&mirror);
        assert_eq!(store.remove(&item, true).expect("a store"), Removal::InUse);
        assert!(mirror.exists());
        assert_eq!(store.remove(&item, false).expect("a store"), Removal::Done);
        let left = entries(&mirror.with_file_name("")).expect("a folder");
        assert_eq!(
            left.len(),
            0,
            "neither the lock nor anything aside: {left:?}"
        );
        // Somebody else was faster.
        assert_eq!(store.remove(&item, true).expect("a store"), Removal::Done);
    }
}
