//! Decides which content each cookbook of a manifest has, and lays it out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use super::load::{LoadedCookbook, Place, load};
use super::{Context, Error, LockDifference, choose_groups};
use crate::digest::ContentDigest;
use crate::event::{CancelToken, Event};
use crate::git::Repositories;
use crate::layout::{Layout, PackedCookbook, PlannedCookbook};
use crate::limits::Limits;
use crate::lockfile::{LockedCookbook, Lockfile, Pin};
use crate::manifest::{BerksfileLock, CommitId, Manifest, Requirement, Source};
use crate::name::CookbookName;
use crate::resolve::{Candidate, resolve};
use crate::source::are_dirty;
use crate::text::nearest;

/// What an existing lockfile means to a resolution.
#[derive(Clone, Copy, Debug)]
pub enum LockMode<'a> {
    /// There is none: everything is decided anew.
    Fresh,
    /// There is none, but Berkshelf has locked commits: they stay as long as the Berksfile asks for
    /// the same.
    Import(&'a BerksfileLock),
    /// Its decisions stay as long as the manifest asks for the same.
    Prefer(&'a Lockfile),
    /// It must not change. `None`: there is none, which is out of date by itself.
    Exact(Option<&'a Lockfile>),
    /// Like `Prefer`, but these cookbooks are decided anew; all of them if none is named.
    Update(&'a Lockfile, &'a [CookbookName]),
}

impl<'a> LockMode<'a> {
    /// What is locked of a cookbook and still counts.
    fn locked(self, name: &CookbookName) -> Option<&'a LockedCookbook> {
        match self {
            Self::Fresh | Self::Exact(None) | Self::Import(_) => None,
            Self::Prefer(lockfile) | Self::Exact(Some(lockfile)) => lockfile.cookbooks.get(name),
            Self::Update(_, names) if names.is_empty() || names.contains(name) => None,
            Self::Update(lockfile, _) => lockfile.cookbooks.get(name),
        }
    }
}

/// Decides on a commit and a content digest for every cookbook of the manifest.
///
/// # Errors
/// When a source fails, a cookbook cannot be read, the cookbooks do not fit together, or what is
/// locked is no longer what is found.
pub fn lock(cx: &Context<'_>, manifest: &Manifest, mode: LockMode<'_>) -> Result<Lockfile, Error> {
    prepare(cx, manifest, mode).map(|prepared| prepared.lockfile)
}

/// Lays out exactly what is locked. Every cookbook's content digest is checked; nothing is written.
///
/// # Errors
/// As [`lock`], and when a file or a run list entry is refused.
pub fn assemble(
    cx: &Context<'_>,
    manifest: &Manifest,
    lockfile: &Lockfile,
) -> Result<Layout, Error> {
    lock_and_assemble(cx, manifest, LockMode::Exact(Some(lockfile))).map(|(_, layout)| layout)
}

/// [`lock`] and [`assemble`] in one, reading each file once.
///
/// # Errors
/// As both.
pub fn lock_and_assemble(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
) -> Result<(Lockfile, Layout), Error> {
    let Prepared {
        lockfile,
        cookbooks,
    } = prepare(cx, manifest, mode)?;
    let layout = Layout::of(manifest, manifest.bundle.layout, cookbooks)?;
    for warning in layout.warnings() {
        cx.reporter().report(&Event::Warning(warning));
    }
    Ok((lockfile, layout))
}

pub(super) struct Prepared {
    lockfile: Lockfile,
    pub(super) cookbooks: Vec<PlannedCookbook>,
}

pub(super) fn prepare(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
) -> Result<Prepared, Error> {
    if let LockMode::Update(_, names) = mode {
        check_names(manifest, names)?;
    }
    if manifest.cookbooks.is_empty() {
        return Err(Error::NoCookbooks {
            manifest: manifest.file().name().to_owned(),
        });
    }
    if let LockMode::Exact(None) = mode {
        return Err(Error::LockOutdated {
            differences: vec![LockDifference::Absent],
        });
    }
    let mut found = load_all(cx, locate_all(cx, manifest, mode)?)?;
    note_what_is_in_no_commit(manifest, &mut found);
    let candidates = found
        .iter()
        .map(|(name, (pin, cookbook))| (name.clone(), candidate(pin, cookbook)))
        .collect();
    let resolution = resolve(manifest, &candidates)?;
    let lockfile = Lockfile {
        requirements: manifest.requirements_digest(),
        cookbooks: found
            .iter()
            .map(|(name, (pin, cookbook))| {
                let locked = LockedCookbook {
                    version: cookbook.metadata.version,
                    pin: pin.clone(),
                    content: cookbook.plan.content_digest(),
                    dependencies: resolution
                        .dependencies
                        .get(name)
                        .cloned()
                        .unwrap_or_default(),
                };
                (name.clone(), locked)
            })
            .collect(),
    };
    check_lockfile(mode, &lockfile)?;
    // Not a byte of it changes: not even what is noted of folders.
    let lockfile = match mode {
        LockMode::Exact(Some(existing)) => existing.clone(),
        _ => lockfile,
    };
    let chosen = choose_groups(manifest, &lockfile)?;
    let cookbooks = found
        .into_iter()
        .filter(|(name, _)| chosen.cookbooks.contains_key(name))
        .map(|(name, (pin, cookbook))| planned(name, pin, cookbook))
        .collect();
    Ok(Prepared {
        lockfile,
        cookbooks,
    })
}

fn check_names(manifest: &Manifest, names: &[CookbookName]) -> Result<(), Error> {
    match names.iter().find(|n| !manifest.cookbooks.contains_key(*n)) {
        Some(name) => {
            let known = manifest.cookbooks.keys().map(CookbookName::as_str);
            Err(Error::NotInManifest {
                name: name.clone(),
                near: nearest(name.as_str(), known).map(str::to_owned),
            })
        }
        None => Ok(()),
    }
}

/// A cookbook whose place is known and that is not read yet.
struct Located<'a> {
    name: &'a CookbookName,
    requirement: &'a Requirement,
    pin: Pin,
    place: Place,
    /// The digest that its content must have: a folder is expected to change between builds, a
    /// commit never does.
    locked: Option<ContentDigest>,
}

/// Finds every cookbook where it is locked, or else where the manifest says.
fn locate_all<'a>(
    cx: &Context<'_>,
    manifest: &'a Manifest,
    mode: LockMode<'_>,
) -> Result<Vec<Located<'a>>, Error> {
    let mut repositories = cx.repositories(manifest);
    let mut located = Vec::new();
    for (name, requirement) in &manifest.cookbooks {
        let Some(source) = &requirement.source else {
            continue;
        };
        let locked = mode.locked(name).filter(|locked| locked.pin.pins(source));
        if let (LockMode::Exact(Some(lockfile)), None) = (mode, locked) {
            return Err(outdated_before_reading(manifest, lockfile));
        }
        cx.cancel().check()?;
        let wanted = (name, requirement);
        let imported = match mode {
            LockMode::Import(lock) => lock.commit(name, source),
            _ => None,
        };
        let locked = (locked, imported);
        located.push(locate(&mut repositories, manifest, wanted, source, locked)?);
    }
    Ok(located)
}

fn locate<'a>(
    repositories: &mut Repositories<'_>,
    manifest: &Manifest,
    (name, requirement): (&'a CookbookName, &'a Requirement),
    source: &Source,
    (locked, imported): (Option<&LockedCookbook>, Option<CommitId>),
) -> Result<Located<'a>, Error> {
    let at = &requirement.at;
    let declared = requirement.overrides.as_ref().map(|o| o.metadata(name));
    let git_failed = |error| Error::Git {
        name: name.clone(),
        at: at.clone(),
        error: Box::new(error),
    };
    let (pin, place, content) = match source {
        Source::Path(path) => {
            let project = manifest.folder();
            let place = Place::folder(&project, &project.join(path), Some(at.clone()));
            let mut place = place.map_err(|error| Error::CookbookFolder {
                name: name.clone(),
                at: at.clone(),
                error,
            })?;
            place.fallback_name = Some(name.to_string());
            place.declared = declared;
            let path = path.clone();
            (Pin::Path { path, dirty: false }, place, None)
        }
        Source::Git {
            url,
            reference,
            rel,
            lfs,
        } => {
            let pinned = match locked.map(|locked| &locked.pin) {
                Some(Pin::Git { commit, .. }) => Some(commit),
                _ => imported.as_ref(),
            };
            let commit = match pinned {
                Some(commit) => {
                    repositories
                        .ensure(url, reference, commit)
                        .map_err(git_failed)?;
                    commit.clone()
                }
                _ => repositories.resolve(url, reference).map_err(git_failed)?,
            };
            let place = Place {
                tree: repositories.tree(url, &commit).map_err(git_failed)?,
                base: rel.clone(),
                fallback_name: Some(name.to_string()),
                declared,
                at: Some(at.clone()),
            };
            let pin = Pin::Git {
                url: url.redacted(),
                reference: reference.clone(),
                rel: rel.clone(),
                commit,
                lfs: *lfs,
                submodules: Vec::new(),
            };
            (pin, place, locked.map(|locked| locked.content))
        }
    };
    Ok(Located {
        name,
        requirement,
        pin,
        place,
        locked: content,
    })
}

type Loaded = BTreeMap<CookbookName, (Pin, LoadedCookbook)>;

/// Reads every cookbook, several at once. Which error is told does not depend on which came first.
fn load_all(cx: &Context<'_>, located: Vec<Located<'_>>) -> Result<Loaded, Error> {
    let count = located.len();
    let workers = cx.jobs().get().min(count);
    let queue = Mutex::new(located.into_iter().enumerate());
    let (limits, cancel) = (cx.limits(), cx.cancel());
    let (results, finished) = mpsc::channel();
    let mut loaded: Vec<(usize, Result<_, Error>)> = thread::scope(|scope| {
        for _ in 0..workers {
            let (queue, results) = (&queue, results.clone());
            scope.spawn(move || {
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((index, located)) = next() {
                    let name = located.name.clone();
                    if results
                        .send((index, name, load_checked(limits, cancel, located)))
                        .is_err()
                    {
                        break;
                    }
                }
            });
        }
        drop(results);
        let tell = |(index, name, result): (usize, CookbookName, Result<_, Error>)| {
            cx.reporter().report(&Event::CookbookRead {
                name: name.as_str(),
            });
            (index, result.map(|cookbook| (name, cookbook)))
        };
        finished.into_iter().map(tell).collect()
    });
    loaded.sort_by_key(|(index, _)| *index);
    let loaded = loaded
        .into_iter()
        .map(|(_, result)| result)
        .collect::<Result<Loaded, _>>()?;
    for (_, cookbook) in loaded.values() {
        cookbook.tell_warnings(cx);
    }
    Ok(loaded)
}

/// Notes for each folder whether what is packed of it is in no commit.
fn note_what_is_in_no_commit(manifest: &Manifest, loaded: &mut Loaded) {
    let project = manifest.folder();
    let folders: Vec<_> = loaded
        .values()
        .filter_map(|(pin, cookbook)| match pin {
            Pin::Path { path, .. } => Some((project.join(path), &cookbook.plan)),
            Pin::Git { .. } => None,
        })
        .collect();
    let mut found = are_dirty(&project, &folders).into_iter();
    for (pin, _) in loaded.values_mut() {
        if let Pin::Path { dirty, .. } = pin {
            *dirty = found.next().unwrap_or(false);
        }
    }
}

/// Reads one cookbook, which must be what the manifest and the lockfile say.
fn load_checked(
    limits: &Limits,
    cancel: &CancelToken,
    located: Located<'_>,
) -> Result<(Pin, LoadedCookbook), Error> {
    let Located {
        name,
        requirement,
        pin,
        place,
        locked,
    } = located;
    let cookbook = load(limits, cancel, place)?;
    if cookbook.name != *name {
        return Err(Error::OtherName {
            asked: name.clone(),
            found: cookbook.name.to_string(),
            at: requirement.at.clone(),
        });
    }
    let found = cookbook.plan.content_digest();
    match locked {
        Some(locked) if locked != found => Err(Error::ContentChanged {
            name: name.clone(),
            pin: Box::new(pin),
            locked,
            found,
        }),
        _ => Ok((pin, cookbook)),
    }
}

fn candidate(pin: &Pin, cookbook: &LoadedCookbook) -> Candidate {
    Candidate {
        version: cookbook.metadata.version,
        dependencies: cookbook.metadata.dependencies.clone(),
        source: pin.to_string(),
    }
}

fn planned(name: CookbookName, pin: Pin, cookbook: LoadedCookbook) -> PlannedCookbook {
    let compiled_metadata = cookbook.compiled_metadata();
    PlannedCookbook {
        packed: PackedCookbook {
            name,
            version: cookbook.metadata.version,
            pin,
            content: cookbook.plan.content_digest(),
        },
        tree: cookbook.tree,
        plan: cookbook.plan,
        metadata_rb: cookbook.metadata_rb,
        compiled_metadata,
    }
}

/// Fails if the mode forbids the lockfile to become what was decided.
///
/// # Errors
/// [`Error::LockOutdated`] with every difference.
pub fn check_lockfile(mode: LockMode<'_>, decided: &Lockfile) -> Result<(), Error> {
    let differences = match mode {
        LockMode::Exact(None) => vec![LockDifference::Absent],
        LockMode::Exact(Some(existing)) => differences(existing, decided),
        _ => Vec::new(),
    };
    match differences.is_empty() {
        true => Ok(()),
        false => Err(Error::LockOutdated { differences }),
    }
}

/// What is out of date in a lockfile by the manifest alone.
fn outdated_before_reading(manifest: &Manifest, lockfile: &Lockfile) -> Error {
    let mut differences = Vec::new();
    for (name, requirement) in &manifest.cookbooks {
        let Some(source) = &requirement.source else {
            continue;
        };
        match lockfile.cookbooks.get(name) {
            None => differences.push(LockDifference::Added(name.clone())),
            Some(locked) if !locked.pin.pins(source) => {
                differences.push(LockDifference::Changed(name.clone()));
            }
            Some(_) => {}
        }
    }
    let removed = lockfile.cookbooks.keys().filter(|name| {
        manifest
            .cookbooks
            .get(*name)
            .is_none_or(|asked| asked.source.is_none())
    });
    differences.extend(removed.cloned().map(LockDifference::Removed));
    Error::LockOutdated { differences }
}

fn differences(existing: &Lockfile, decided: &Lockfile) -> Vec<LockDifference> {
    let mut differences = Vec::new();
    for (name, now) in &decided.cookbooks {
        match existing.cookbooks.get(name) {
            None => differences.push(LockDifference::Added(name.clone())),
            Some(then) if then.is_same(now) => {}
            Some(then) if matches!(now.pin, Pin::Path { .. }) && then.content != now.content => {
                differences.push(LockDifference::Edited(name.clone()));
            }
            Some(_) => differences.push(LockDifference::Changed(name.clone())),
        }
    }
    let removed = existing
        .cookbooks
        .keys()
        .filter(|name| !decided.cookbooks.contains_key(*name));
    differences.extend(removed.cloned().map(LockDifference::Removed));
    if differences.is_empty() && existing.requirements != decided.requirements {
        differences.push(LockDifference::Requirements);
    }
    differences
}
