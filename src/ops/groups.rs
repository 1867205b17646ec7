//! Which of a bundle's cookbooks are packed, by their groups.

use std::collections::BTreeSet;

use super::Error;
use super::expand::expand_as_locked;
use crate::lockfile::Lockfile;
use crate::manifest::{GroupChoice, Manifest};
use crate::name::CookbookName;
use crate::text::nearest;

/// The part of a lockfile that a manifest's choice of groups takes: the cookbooks of these groups
/// and all that they depend on.
///
/// # Errors
/// When no cookbook is in a group that is named, or none is left.
pub fn choose_groups(manifest: &Manifest, lockfile: &Lockfile) -> Result<Lockfile, Error> {
    let mut chosen = lockfile.clone();
    if let Some(taken) = chosen_names(manifest, lockfile)? {
        chosen.cookbooks.retain(|name, _| taken.contains(name));
    }
    Ok(chosen)
}

/// The cookbooks that are packed; none if all of them are.
pub(super) fn chosen_names(
    manifest: &Manifest,
    lockfile: &Lockfile,
) -> Result<Option<BTreeSet<CookbookName>>, Error> {
    let choice = &manifest.bundle.groups;
    let named = match choice {
        GroupChoice::All => return Ok(None),
        GroupChoice::Only(named) | GroupChoice::Except(named) => named,
    };
    let manifest = &*expand_as_locked(manifest, lockfile);
    let known: BTreeSet<&str> = manifest
        .cookbooks
        .values()
        .flat_map(|asked| asked.groups.iter().map(String::as_str))
        .collect();
    if let Some(group) = named.iter().find(|group| !known.contains(group.as_str())) {
        return Err(Error::NoSuchGroup {
            group: group.clone(),
            near: nearest(group, known.iter().copied()).map(str::to_owned),
            known: known.iter().map(ToString::to_string).collect(),
        });
    }
    let roots = manifest.cookbooks.iter();
    let roots = roots.filter(|(_, asked)| choice.takes(&asked.groups));
    let mut next: Vec<&CookbookName> = roots.map(|(name, _)| name).collect();
    let mut taken = BTreeSet::new();
    while let Some(name) = next.pop() {
        if let Some(locked) = lockfile.cookbooks.get(name)
            && taken.insert(name.clone())
        {
            next.extend(&locked.dependencies);
        }
    }
    if taken.is_empty() {
        return Err(Error::NothingChosen {
            manifest: manifest.file().name().to_owned(),
        });
    }
    Ok(Some(taken))
}
