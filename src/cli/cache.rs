//! `cookpack cache`: what the store keeps, as texts for people and documents for machines.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::args::{CacheCommand, Global, Prune};
use super::units::{age, bytes};
use super::{Failure, environment, show, standard_output};
use crate::error::{Diagnostic, Kind};
use crate::ops::{
    CacheCheck, CacheEntry, CacheListing, CachePruned, CheckedEntry, Context, PruneOptions,
    cache_list, cache_prune, cache_verify,
};
use crate::store::CacheKind;

/// What was not used for so long goes when `prune` is not told otherwise. Who builds at least once a
/// month keeps what is built; a mirror that is fetched again after that costs a minute, not an answer.
const OLDER_THAN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// So much of what is wrong with one thing is told.
const TOLD: usize = 5;

/// Runs one command of the cache; `folder` is the store.
pub(super) fn run(
    cx: &Context<'_>,
    global: &Global,
    folder: &Path,
    command: &CacheCommand,
) -> Result<(), Failure> {
    let folder = &std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    match command {
        CacheCommand::Dir => dir(global, folder),
        CacheCommand::List => list(cx, global, folder),
        CacheCommand::Verify { names } => verify(cx, global, names),
        CacheCommand::Prune(prune) => remove(cx, global, folder, prune),
    }
}

fn dir(global: &Global, folder: &Path) -> Result<(), Failure> {
    let mut out = standard_output();
    match global.json {
        true => out.json(&json!({ "path": folder.to_string_lossy() })),
        false => out.text(&format!("{}\n", folder.display())),
    }
}

fn list(cx: &Context<'_>, global: &Global, folder: &Path) -> Result<(), Failure> {
    let listing = cache_list(cx)?;
    let now = environment::now();
    let mut out = standard_output();
    if global.json {
        return out.json(&json!({
            "path": folder.to_string_lossy(),
            "entries": entries_json(&listing.entries, now),
            "size": listing.size(),
        }));
    }
    out.text(&list_text(&listing, now))?;
    match global.quiet {
        true => Ok(()),
        false => note(&format!(
            "{} in {}\n",
            sum(&listing.entries, listing.size()),
            folder.display()
        )),
    }
}

fn verify(cx: &Context<'_>, global: &Global, names: &[String]) -> Result<(), Failure> {
    let check = cache_verify(cx, names)?;
    let damaged = check.damaged().count();
    let mut out = standard_output();
    if global.json {
        out.json(&check_json(&check))?;
    } else if damaged > 0 {
        let mut shown: Vec<_> = check.damaged().map(damage).collect();
        if let Some(last) = shown.last_mut() {
            last.hints.push(
                "`cookpack cache prune --damaged` removes what is damaged; the next build fetches it anew"
                    .to_owned(),
            );
        }
        show(&shown, global.color);
    } else if !global.quiet {
        let entries: Vec<_> = check.entries.iter().map(|one| one.entry.clone()).collect();
        let size = entries.iter().map(|entry| entry.size).sum();
        out.text(&format!("nothing is damaged: {}\n", sum(&entries, size)))?;
    }
    match damaged {
        0 => Ok(()),
        _ => Err(Failure::Told(Kind::Verification)),
    }
}

fn remove(cx: &Context<'_>, global: &Global, folder: &Path, prune: &Prune) -> Result<(), Failure> {
    let says_nothing =
        prune.older_than.is_none() && prune.max_size.is_none() && !prune.damaged && !prune.all;
    let options = PruneOptions {
        older_than: prune.older_than.or(says_nothing.then_some(OLDER_THAN)),
        max_size: prune.max_size,
        damaged: prune.damaged,
        all: prune.all,
        dry_run: prune.dry_run,
    };
    let now = environment::now();
    let pruned = cache_prune(cx, &options, now)?;
    let mut out = standard_output();
    if global.json {
        return out.json(&pruned_json(&pruned, prune.dry_run, now));
    }
    if global.quiet {
        return Ok(());
    }
    out.text(&pruned_text(&pruned, prune.dry_run, folder, now))?;
    let skipped = pruned.in_use.iter().map(|entry| {
        let shown = entry.shown();
        format!("skipped {shown}: another process uses it\n")
    });
    note(&skipped.collect::<String>())
}

/// One line a thing: the sizes and ages in columns, so that the rest can be as long as it is.
fn list_text(listing: &CacheListing, now: SystemTime) -> String {
    let row = |entry: &CacheEntry| {
        let what = match entry.kind.is_told_one_by_one() {
            true => entry.shown().to_owned(),
            false => things(entry),
        };
        (bytes(entry.size), age(entry.used, now), what)
    };
    let rows: Vec<_> = listing.entries.iter().map(row).collect();
    let size_width = rows.iter().map(|(size, ..)| size.len()).max().unwrap_or(0);
    let age_width = rows.iter().map(|(_, age, _)| age.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (entry, (size, age, what)) in listing.entries.iter().zip(&rows) {
        let _ = write!(text, "{size:>size_width$}  {age:<age_width$}  {what}");
        if entry.shown() != entry.name || !entry.kind.is_told_one_by_one() {
            let _ = write!(text, "  ({})", entry.name);
        }
        text.push('\n');
    }
    text
}

fn pruned_text(pruned: &CachePruned, dry_run: bool, folder: &Path, now: SystemTime) -> String {
    let removed = if dry_run { "would remove" } else { "removed" };
    let mut text = String::new();
    for entry in &pruned.removed {
        let what = match entry.kind.is_told_one_by_one() {
            true => entry.shown().to_owned(),
            false => things(entry),
        };
        let (size, age) = (bytes(entry.size), age(entry.used, now));
        let _ = writeln!(text, "{removed} {what} ({size}, last used {age})");
    }
    for leftover in &pruned.leftovers {
        let path = leftover.path.strip_prefix(folder).unwrap_or(&leftover.path);
        let size = bytes(leftover.size);
        let _ = writeln!(text, "{removed} {} ({size}, left behind)", path.display());
    }
    let kept = sum(&pruned.kept.entries, pruned.kept.size());
    let freed = bytes(pruned.freed());
    let _ = match pruned.removed.is_empty() && pruned.leftovers.is_empty() {
        true => writeln!(text, "nothing to remove; kept {kept}"),
        false => writeln!(text, "{removed} {freed}; kept {kept}"),
    };
    text
}

/// What is wrong with one thing, for a person.
fn damage(one: &CheckedEntry) -> Diagnostic {
    let entry = &one.entry;
    let mut list: Vec<_> = one.damages.iter().map(ToString::to_string).collect();
    if list.len() > TOLD {
        let more = list.len() - TOLD;
        list.truncate(TOLD);
        list.push(format!("and {more} more"));
    }
    let what = match entry.kind.is_told_one_by_one() {
        true => format!("`{}`", entry.shown()),
        false => things(entry),
    };
    Diagnostic::new(format!(
        "the store's copy of {what} is damaged at `{}`: {}",
        entry.path.display(),
        list.join("; ")
    ))
}

/// What is counted, and not named.
fn things(entry: &CacheEntry) -> String {
    match entry.kind {
        CacheKind::Git => counted(entry.count, "repository", "repositories"),
        CacheKind::Lfs => counted(entry.count, "object of Git LFS", "objects of Git LFS"),
        CacheKind::Cookbook => counted(entry.count, "cookbook's tarball", "cookbooks' tarballs"),
        CacheKind::Universe => counted(entry.count, "universe", "universes"),
        CacheKind::Segment => counted(entry.count, "compressed segment", "compressed segments"),
        CacheKind::Plan => counted(entry.count, "cookbook's plan", "cookbooks' plans"),
        CacheKind::Trail => counted(entry.count, "archive's trail", "archives' trails"),
        CacheKind::Status => counted(entry.count, "work tree's status", "work trees' statuses"),
    }
}

fn counted(count: u64, one: &str, more: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    }
}

/// `2 repositories, 3 objects of Git LFS, 12.0 MiB`.
fn sum(entries: &[CacheEntry], size: u64) -> String {
    let mut text = String::new();
    for kind in CacheKind::ALL {
        let of_kind = entries.iter().filter(|entry| entry.kind == kind);
        let all = of_kind.cloned().reduce(|mut all, entry| {
            all.count += entry.count;
            all
        });
        if let Some(all) = all {
            text += &format!("{}, ", things(&all));
        }
    }
    match text.is_empty() {
        true => "nothing".to_owned(),
        false => text + &bytes(size),
    }
}

fn seconds(used: Option<SystemTime>) -> Option<u64> {
    let since = used?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

fn entries_json(entries: &[CacheEntry], now: SystemTime) -> Value {
    let entry = |entry: &CacheEntry| {
        let mut document = entry_json(entry);
        let age = entry.used.map(|used| now.duration_since(used));
        document["age"] = json!(age.map(|age| age.unwrap_or_default().as_secs()));
        document
    };
    entries.iter().map(entry).collect()
}

/// Times are seconds since 1970.
fn entry_json(entry: &CacheEntry) -> Value {
    json!({
        "kind": entry.kind.as_str(),
        "name": entry.name,
        "address": entry.address,
        "path": entry.path.to_string_lossy(),
        "count": entry.count,
        "size": entry.size,
        "used": seconds(entry.used),
    })
}

fn check_json(check: &CacheCheck) -> Value {
    let one = |one: &CheckedEntry| {
        let mut document = entry_json(&one.entry);
        let damages: Vec<_> = one.damages.iter().map(ToString::to_string).collect();
        document["damages"] = json!(damages);
        document
    };
    json!({
        "entries": check.entries.iter().map(one).collect::<Vec<_>>(),
        "damaged": check.damaged().count(),
    })
}

fn pruned_json(pruned: &CachePruned, dry_run: bool, now: SystemTime) -> Value {
    let leftovers = pruned
        .leftovers
        .iter()
        .map(|leftover| json!({ "path": leftover.path.to_string_lossy(), "size": leftover.size }));
    json!({
        "dry_run": dry_run,
        "removed": entries_json(&pruned.removed, now),
        "leftovers": leftovers.collect::<Vec<_>>(),
        "freed": pruned.freed(),
        "in_use": entries_json(&pruned.in_use, now),
        "kept": entries_json(&pruned.kept.entries, now),
        "size": pruned.kept.size(),
    })
}

/// What is said beside a result, to the standard error.
fn note(text: &str) -> Result<(), Failure> {
    let _ = io::stderr().write_all(text.as_bytes());
    Ok(())
}
