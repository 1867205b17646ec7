//! What one lockfile changes of another.

use crate::lockfile::{LockedCookbook, Lockfile};
use crate::name::CookbookName;

/// What became of one cookbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockChange<'a> {
    /// It was not locked.
    Added(&'a CookbookName, &'a LockedCookbook),
    /// It is locked to something else: before, and now.
    Moved(&'a CookbookName, &'a LockedCookbook, &'a LockedCookbook),
    /// Its folder holds something else, under the same version: before, and now.
    Edited(&'a CookbookName, &'a LockedCookbook, &'a LockedCookbook),
    /// It is not locked any more.
    Removed(&'a CookbookName, &'a LockedCookbook),
}

/// What changed from one lockfile, if there was any, to another: first what is locked now, by name, then
/// what was removed.
pub fn lock_changes<'a>(before: Option<&'a Lockfile>, now: &'a Lockfile) -> Vec<LockChange<'a>> {
    let known = |name: &CookbookName| before.and_then(|lockfile| lockfile.cookbooks.get(name));
    let mut changes = Vec::new();
    for (name, cookbook) in &now.cookbooks {
        match known(name) {
            None => changes.push(LockChange::Added(name, cookbook)),
            Some(old)
                if !old.pin.pins_the_same(&cookbook.pin) || old.version != cookbook.version =>
            {
                changes.push(LockChange::Moved(name, old, cookbook));
            }
            Some(old) if old.content != cookbook.content => {
                changes.push(LockChange::Edited(name, old, cookbook));
            }
            Some(_) => {}
        }
    }
    let removed = before.iter().flat_map(|lockfile| &lockfile.cookbooks);
    let removed = removed.filter(|(name, _)| !now.cookbooks.contains_key(*name));
    changes.extend(removed.map(|(name, cookbook)| LockChange::Removed(name, cookbook)));
    changes
}
