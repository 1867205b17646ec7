//! What runs that were killed left in a store.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module looks through the store"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::items::{entries, remove_all, size_of};
use super::kind::{Form, is_folder_name};
use super::lock::{is_locked_file, lock_path};
use super::{CacheKind, Removal, Store, StoreError};
use crate::layout::TEMPORARY_PREFIX;

/// A folder being written by somebody whose lock is not known is taken for abandoned after this time.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Something that nobody reads.
#[derive(Clone, Debug)]
pub(crate) struct Leftover {
    pub(crate) path: PathBuf,
    /// Bytes of its files.
    pub(crate) size: u64,
    guard: Guard,
}

/// How it is told that nobody is at work on it any more.
#[derive(Clone, Debug)]
enum Guard {
    /// Whoever is at work on it holds the lock of what stands at this path.
    Lock(PathBuf),
    /// It is itself the lock's file of this path, at which nothing stands.
    IsLockOf(PathBuf),
    /// Its writer holds a lock on the file itself.
    Own,
    /// There is no telling but by its age.
    Age,
}

impl Store {
    /// What killed runs left. `now` is for telling how old something is.
    pub(crate) fn leftovers(&self, now: SystemTime) -> Result<Vec<Leftover>, StoreError> {
        let mut found = Vec::new();
        temporary(&self.folder, &mut found)?;
        for kind in CacheKind::ALL {
            let folder = self.folder.join(kind.folder());
            temporary(&folder, &mut found)?;
            match kind.form() {
                Form::Folders => in_folders(&folder, &mut found)?,
                Form::Objects => {
                    for entry in entries(&folder)? {
                        if entry.file_type().is_ok_and(|found| found.is_dir()) {
                            temporary(&entry.path(), &mut found)?;
                        }
                    }
                }
            }
        }
        found.retain(|leftover| self.is_abandoned(leftover, now));
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn is_abandoned(&self, leftover: &Leftover, now: SystemTime) -> bool {
        match &leftover.guard {
            Guard::Lock(path) | Guard::IsLockOf(path) => !self.is_locked(path),
            Guard::Own => !is_locked_file(&leftover.path),
            Guard::Age => {
                let written = leftover.path.symlink_metadata().and_then(|m| m.modified());
                let age = written.ok().and_then(|time| now.duration_since(time).ok());
                age.is_some_and(|age| age >= ABANDONED)
            }
        }
    }

    /// Removes it, unless somebody has begun to work there since.
    pub(crate) fn remove_leftover(&self, leftover: &Leftover) -> Result<Removal, StoreError> {
        let (Guard::Lock(path) | Guard::IsLockOf(path)) = &leftover.guard else {
            remove_all(&leftover.path)?;
            return Ok(Removal::Done);
        };
        let Some(lock) = self.try_lock(path)? else {
            return Ok(Removal::InUse);
        };
        if let Guard::Lock(_) = leftover.guard {
            remove_all(&leftover.path)?;
        }
        if !path.exists() {
            lock.remove();
        }
        Ok(Removal::Done)
    }
}

/// What is being written in a folder under a temporary name.
fn temporary(folder: &Path, found: &mut Vec<Leftover>) -> Result<(), StoreError> {
    for entry in entries(folder)? {
        let name = entry.file_name();
        let Some(of) = name.to_str().and_then(|n| n.strip_prefix(TEMPORARY_PREFIX)) else {
            continue;
        };
        let is_folder = entry.file_type().is_ok_and(|found| found.is_dir());
        let guard = match is_folder {
            _ if is_folder_name(of) => Guard::Lock(folder.join(of)),
            true => Guard::Age,
            false => Guard::Own,
        };
        found.push(leftover(entry.path(), guard)?);
    }
    Ok(())
}

/// The locks of nothing, and what is within the folders.
fn in_folders(folder: &Path, found: &mut Vec<Leftover>) -> Result<(), StoreError> {
    for entry in entries(folder)? {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str() else {
            continue;
        };
        if let Some(of) = name.strip_suffix(".lock").filter(|of| is_folder_name(of)) {
            let of = folder.join(of);
            if !of.exists() {
                found.push(leftover(lock_path(&of), Guard::IsLockOf(of))?);
            }
        } else if is_folder_name(name) && entry.file_type().is_ok_and(|found| found.is_dir()) {
            in_mirror(&path, found)?;
        }
    }
    Ok(())
}

/// What a fetch that was killed left in a mirror: files being copied, packs and objects never
/// finished, and git's own locks.
fn in_mirror(mirror: &Path, found: &mut Vec<Leftover>) -> Result<(), StoreError> {
    let objects = mirror.join("objects");
    let mut folders = vec![mirror.to_owned(), objects.clone()];
    for entry in entries(&objects)? {
        if entry.file_type().is_ok_and(|found| found.is_dir()) {
            folders.push(entry.path());
        }
    }
    for folder in folders {
        for entry in entries(&folder)? {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let begins = ["pack_git2_", "tmp_", TEMPORARY_PREFIX];
            if name.ends_with(".lock") || begins.iter().any(|begin| name.starts_with(begin)) {
                found.push(leftover(entry.path(), Guard::Lock(mirror.to_owned()))?);
            }
        }
    }
    Ok(())
}

fn leftover(path: PathBuf, guard: Guard) -> Result<Leftover, StoreError> {
    let size = size_of(&path)?;
    Ok(Leftover { path, size, guard })
}
