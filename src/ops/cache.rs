//! What the store keeps: listing it, checking it, and removing what may go.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Context;
use crate::archive::trail::is_whole_trail;
use crate::event::Event;
use crate::git::verify_mirror;
use crate::layout::is_whole_record;
use crate::source::is_whole_status;
use crate::store::{
    CacheKind, Damage, Item, Leftover, Removal, Store, StoreError, verify_object, verify_record,
    verify_segment, verify_universe,
};
use crate::text::nearest;

/// Something that the store keeps: one repository, or all objects of a kind that has no names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheEntry {
    /// What it is.
    pub kind: CacheKind,
    /// The name of its folder.
    pub name: String,
    /// The address of the repository, without credentials. A store of an earlier version does not
    /// know it.
    pub address: Option<String>,
    /// Its folder.
    pub path: PathBuf,
    /// How many things it is: 1 for a repository.
    pub count: u64,
    /// Bytes of its files.
    pub size: u64,
    /// When it, or the last of several, was last used, as far as the file system knows.
    pub used: Option<SystemTime>,
}

impl CacheEntry {
    /// The address, or else the name.
    pub fn shown(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.name)
    }

    /// Whether a person means it by a word: its address, its name, or its name without the digits.
    fn is_called(&self, word: &str) -> bool {
        let short = self.name.rsplit_once('-').map(|(short, _)| short);
        self.address.as_deref() == Some(word)
            || self.name == word
            || match self.kind.is_told_one_by_one() {
                true => short == Some(word),
                false => self.kind.as_str() == word,
            }
    }
}

/// All that the store keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheListing {
    /// Repositories by their addresses, then the other kinds.
    pub entries: Vec<CacheEntry>,
}

impl CacheListing {
    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }
}

/// One entry with what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedEntry {
    /// What was checked.
    pub entry: CacheEntry,
    /// Empty if it is whole.
    pub damages: Vec<Damage>,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheCheck {
    /// Everything that was checked, in the order of a [`CacheListing`].
    pub entries: Vec<CheckedEntry>,
}

impl CacheCheck {
    /// What is damaged.
    pub fn damaged(&self) -> impl Iterator<Item = &CheckedEntry> {
        self.entries.iter().filter(|one| !one.damages.is_empty())
    }
}

/// What [`cache_prune`] removes beside what killed runs left. Without any of these it is nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// What was not used for this long.
    pub older_than: Option<Duration>,
    /// What was not used for the longest time, until no more than these bytes are left.
    pub max_size: Option<u64>,
    /// What [`cache_verify`] finds damaged.
    pub damaged: bool,
    /// Everything.
    pub all: bool,
    /// Tell what would be removed, and remove nothing.
    pub dry_run: bool,
}

/// Something that a killed run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLeftover {
    /// The file or the folder.
    pub path: PathBuf,
    /// Bytes of its files.
    pub size: u64,
}

/// What was removed from a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachePruned {
    /// What is gone; in a dry run, what would be.
    pub removed: Vec<CacheEntry>,
    /// What should have gone, but another process uses it.
    pub in_use: Vec<CacheEntry>,
    /// What killed runs had left; it is gone, or would be.
    pub leftovers: Vec<CacheLeftover>,
    /// What is kept, that which is in use being part of it.
    pub kept: CacheListing,
}

impl CachePruned {
    /// Bytes that were freed, or would be.
    pub fn freed(&self) -> u64 {
        let removed: u64 = self.removed.iter().map(|entry| entry.size).sum();
        let leftovers: u64 = self.leftovers.iter().map(|leftover| leftover.size).sum();
        removed + leftovers
    }
}

/// Lists what the store keeps. A store that does not exist keeps nothing.
///
/// # Errors
/// When its folders cannot be read.
pub fn cache_list(cx: &Context<'_>) -> Result<CacheListing, StoreError> {
    let store = cx.store();
    Ok(listing(&store, &all_items(&store)?))
}

/// Checks what the store keeps, or of it what `names` names by address or name: every pack, index
/// and object of a mirror, and the digest of every other object. Nothing is changed; what is being
/// fetched is waited for.
///
/// # Errors
/// When a file cannot be read, or the store has nothing of a name. Damage is no error but a result.
pub fn cache_verify(cx: &Context<'_>, names: &[String]) -> Result<CacheCheck, StoreError> {
    let store = cx.store();
    let mut items = all_items(&store)?;
    let entries: Vec<_> = items.iter().map(|item| alone(&store, item)).collect();
    for name in names {
        if !entries.iter().any(|entry| entry.is_called(name)) {
            let known = entries.iter().flat_map(|entry| {
                [Some(&entry.name), entry.address.as_ref()]
                    .into_iter()
                    .flatten()
            });
            return Err(StoreError::NotKept {
                name: name.clone(),
                near: nearest(name, known.map(String::as_str)).map(str::to_owned),
            });
        }
    }
    if !names.is_empty() {
        let is_named = |entry: &CacheEntry| names.iter().any(|name| entry.is_called(name));
        let mut named = entries.iter().map(is_named);
        items.retain(|_| named.next().unwrap_or(false));
    }
    let mut damages = Vec::with_capacity(items.len());
    let mut told = None;
    for item in &items {
        damages.push(verify(cx, &store, item, &mut told)?);
    }
    let mut checked: Vec<CheckedEntry> = grouped(&store, &items)
        .into_iter()
        .map(|(entry, members)| CheckedEntry {
            damages: members.iter().flat_map(|&i| damages[i].clone()).collect(),
            entry,
        })
        .collect();
    checked.sort_by(|a, b| order(&a.entry, &b.entry));
    Ok(CacheCheck { entries: checked })
}

/// Removes from the store what the options say, and what killed runs left. What another process is at
/// work on stays. `now` is for telling how long something was not used.
///
/// # Errors
/// When something can be neither read nor removed. What was removed before stays so.
pub fn cache_prune(
    cx: &Context<'_>,
    options: &PruneOptions,
    now: SystemTime,
) -> Result<CachePruned, StoreError> {
    let store = cx.store();
    let mut items = all_items(&store)?;
    // The least used first. What was never dated is the oldest; the path decides between equals.
    items.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
    let mut left: u64 = items.iter().map(|item| item.size).sum();
    let (mut removed, mut in_use, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    let mut told = None;
    for item in items {
        cx.cancel().check()?;
        let is_old = options.older_than.is_some_and(|limit| {
            let age = item
                .used
                .map(|used| now.duration_since(used).unwrap_or_default());
            age.is_none_or(|age| age >= limit)
        });
        let is_too_much = options.max_size.is_some_and(|limit| left > limit);
        let goes_anyway =
            options.all || options.damaged && !verify(cx, &store, &item, &mut told)?.is_empty();
        if !goes_anyway && !is_old && !is_too_much {
            kept.push(item);
            continue;
        }
        let removal = match options.dry_run {
            true if store.is_in_use(&item) => Removal::InUse,
            true => Removal::Done,
            false => store.remove(&item, !goes_anyway)?,
        };
        match removal {
            Removal::Done => {
                left -= item.size;
                removed.push(item);
            }
            Removal::InUse => {
                in_use.push(item.clone());
                kept.push(item);
            }
        }
    }
    Ok(CachePruned {
        leftovers: remove_leftovers(&store, options, &removed, now)?,
        removed: listing(&store, &removed).entries,
        in_use: listing(&store, &in_use).entries,
        kept: listing(&store, &kept),
    })
}

fn remove_leftovers(
    store: &Store,
    options: &PruneOptions,
    removed: &[Item],
    now: SystemTime,
) -> Result<Vec<CacheLeftover>, StoreError> {
    let mut gone = Vec::new();
    for leftover in store.leftovers(now)? {
        // In a dry run it still lies in what would be removed.
        let is_told = removed
            .iter()
            .any(|item| leftover.path.starts_with(&item.path));
        let is_gone = options.dry_run || matches!(store.remove_leftover(&leftover)?, Removal::Done);
        if is_gone && !is_told {
            let Leftover { path, size, .. } = leftover;
            gone.push(CacheLeftover { path, size });
        }
    }
    Ok(gone)
}

/// Checks one thing. `told` is the last of which a reporter heard.
fn verify(
    cx: &Context<'_>,
    store: &Store,
    item: &Item,
    told: &mut Option<String>,
) -> Result<Vec<Damage>, StoreError> {
    cx.cancel().check()?;
    let entry = alone(store, item);
    if told.as_deref() != Some(entry.shown()) {
        let name = entry.shown();
        cx.reporter().report(&Event::Verifying { name });
        *told = Some(name.to_owned());
    }
    match item.kind {
        CacheKind::Git => {
            let name = entry.shown();
            let _lock = store.lock_to_read(&item.path, name, cx.reporter(), cx.cancel())?;
            verify_mirror(&item.path, cx.cancel())
        }
        CacheKind::Universe => verify_universe(&item.path, cx.cancel()),
        CacheKind::Segment => verify_segment(&item.path, cx.cancel()),
        CacheKind::Lfs | CacheKind::Cookbook => verify_object(&item.path, cx.cancel()),
        CacheKind::Plan => verify_record(&item.path, is_whole_record, cx.cancel()),
        CacheKind::Trail => verify_record(&item.path, is_whole_trail, cx.cancel()),
        CacheKind::Status => verify_record(&item.path, is_whole_status, cx.cancel()),
    }
}

fn all_items(store: &Store) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    for kind in CacheKind::ALL {
        items.extend(store.items(kind)?);
    }
    Ok(items)
}

/// The entry of one thing by itself.
fn alone(store: &Store, item: &Item) -> CacheEntry {
    let (path, address) = match item.kind.is_told_one_by_one() {
        true => (item.path.clone(), item.address.clone()),
        false => (store.folder().join(item.kind.folder()), None),
    };
    CacheEntry {
        kind: item.kind,
        name: file_name(&path),
        address,
        path,
        count: 1,
        size: item.size,
        used: item.used,
    }
}

/// The entries of things, and which things each one is.
fn grouped(store: &Store, items: &[Item]) -> Vec<(CacheEntry, Vec<usize>)> {
    let mut groups: Vec<(CacheEntry, Vec<usize>)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let same = |(entry, _): &&mut (CacheEntry, Vec<usize>)| {
            entry.kind == item.kind && !item.kind.is_told_one_by_one()
        };
        match groups.iter_mut().find(same) {
            Some((entry, members)) => {
                entry.count += 1;
                entry.size += item.size;
                entry.used = entry.used.max(item.used);
                members.push(index);
            }
            None => groups.push((alone(store, item), vec![index])),
        }
    }
    groups
}

fn listing(store: &Store, items: &[Item]) -> CacheListing {
    let groups = grouped(store, items).into_iter();
    let mut entries: Vec<_> = groups.map(|(entry, _)| entry).collect();
    entries.sort_by(order);
    CacheListing { entries }
}

fn order(a: &CacheEntry, b: &CacheEntry) -> std::cmp::Ordering {
    (a.kind, a.shown(), &a.name).cmp(&(b.kind, b.shown(), &b.name))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
