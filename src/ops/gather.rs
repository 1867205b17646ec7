//! Gathers every cookbook of a manifest: finds out where each is, brings the repositories, and reads
//! the files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use super::load::{LoadedCookbook, Place, load};
use super::lock::outdated_before_reading;
use super::{Context, Error, LockMode};
use crate::digest::ContentDigest;
use crate::error::Diagnostic;
use crate::event::{CancelToken, Event};
use crate::git::{GitError, Repositories, Request, Wanted};
use crate::limits::Limits;
use crate::lockfile::{LockedCookbook, Pin};
use crate::manifest::{CommitId, Manifest, Requirement, Source};
use crate::name::CookbookName;
use crate::tree::TreeError;

/// Every cookbook that was read, and where it is.
pub(super) type Gathered = BTreeMap<CookbookName, (Pin, LoadedCookbook)>;

/// A cookbook of the manifest that has a source.
struct Wish<'a> {
    name: &'a CookbookName,
    requirement: &'a Requirement,
    source: &'a Source,
    locked: Option<&'a LockedCookbook>,
    /// The commit that Berkshelf locked.
    imported: Option<CommitId>,
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

/// Finds every cookbook where it is locked, or else where the manifest says, and reads it. A
/// repository whose copy in the store turns out to be damaged is fetched anew, once.
pub(super) fn gather(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
) -> Result<Gathered, Error> {
    let wishes = wishes(manifest, mode)?;
    let repositories = cx.repositories(manifest);
    let mut fetched_anew = BTreeSet::new();
    loop {
        let located = locate_all(cx, manifest, &wishes, &repositories)?;
        let (index, error) = match load_all(cx, located) {
            Ok(gathered) => return Ok(gathered),
            Err(failed) => failed,
        };
        let is_damaged = matches!(error, Error::Tree(TreeError::Damaged { .. }));
        let Source::Git { url, .. } = wishes[index].source else {
            return Err(error);
        };
        if !is_damaged || !fetched_anew.insert(url.redacted()) {
            return Err(error);
        }
        let discarded = repositories.discard(url);
        if !discarded.map_err(|error| git_failed(&wishes[index], error))? {
            return Err(error);
        }
        let warning = Diagnostic::new(error.to_string()).hint("it is fetched anew");
        cx.reporter().report(&Event::Warning(&warning));
    }
}

/// The cookbooks that have a source. One that must be locked and is not ends it here.
fn wishes<'a>(manifest: &'a Manifest, mode: LockMode<'a>) -> Result<Vec<Wish<'a>>, Error> {
    let mut wishes = Vec::new();
    for (name, requirement) in &manifest.cookbooks {
        let Some(source) = &requirement.source else {
            continue;
        };
        let locked = mode.locked(name).filter(|locked| locked.pin.pins(source));
        if let (LockMode::Exact(Some(lockfile)), None) = (mode, locked) {
            return Err(outdated_before_reading(manifest, lockfile));
        }
        let imported = match mode {
            LockMode::Import(lock) => lock.commit(name, source),
            _ => None,
        };
        wishes.push(Wish {
            name,
            requirement,
            source,
            locked,
            imported,
        });
    }
    Ok(wishes)
}

/// Finds the place of each cookbook. All repositories are asked at once.
fn locate_all<'a>(
    cx: &Context<'_>,
    manifest: &Manifest,
    wishes: &[Wish<'a>],
    repositories: &Repositories<'_>,
) -> Result<Vec<Located<'a>>, Error> {
    let mut requests = Vec::new();
    let mut asking = Vec::new();
    for wish in wishes {
        if let Some(request) = wish.request() {
            requests.push(request);
            asking.push(wish);
        }
    }
    cx.cancel().check()?;
    let commits = repositories
        .bring(&requests)
        .map_err(|(index, error)| git_failed(asking[index], error))?;
    let mut commits = commits.into_iter();
    let mut located = Vec::new();
    for wish in wishes {
        cx.cancel().check()?;
        located.push(match wish.source {
            Source::Path(path) => in_folder(manifest, wish, path)?,
            // There is a commit for each request.
            Source::Git { .. } => match commits.next() {
                Some(commit) => in_repository(repositories, wish, commit)?,
                None => continue,
            },
        });
    }
    Ok(located)
}

impl Wish<'_> {
    /// What is asked of a repository for it.
    fn request(&self) -> Option<Request> {
        let Source::Git { url, reference, .. } = self.source else {
            return None;
        };
        let pinned = match self.locked.map(|locked| &locked.pin) {
            Some(Pin::Git { commit, .. }) => Some(commit),
            _ => self.imported.as_ref(),
        };
        let reference = reference.clone();
        Some(Request {
            url: url.clone(),
            wanted: match pinned {
                Some(commit) => Wanted::Locked {
                    reference,
                    commit: commit.clone(),
                },
                None => Wanted::Reference(reference),
            },
        })
    }
}

fn git_failed(wish: &Wish<'_>, error: GitError) -> Error {
    if let GitError::Cancelled(cancelled) = error {
        return Error::Cancelled(cancelled);
    }
    Error::Git {
        name: wish.name.clone(),
        at: wish.requirement.at.clone(),
        error: Box::new(error),
    }
}

fn in_folder<'a>(manifest: &Manifest, wish: &Wish<'a>, path: &str) -> Result<Located<'a>, Error> {
    let Wish {
        name, requirement, ..
    } = *wish;
    let project = manifest.folder();
    let at = requirement.at.clone();
    let place = Place::folder(&project, &project.join(path), Some(at.clone()));
    let mut place = place.map_err(|error| Error::CookbookFolder {
        name: name.clone(),
        at,
        error,
    })?;
    place.fallback_name = Some(name.to_string());
    place.declared = requirement.overrides.as_ref().map(|o| o.metadata(name));
    Ok(Located {
        name,
        requirement,
        pin: Pin::Path {
            path: path.to_owned(),
        },
        place,
        locked: None,
    })
}

fn in_repository<'a>(
    repositories: &Repositories<'_>,
    wish: &Wish<'a>,
    commit: CommitId,
) -> Result<Located<'a>, Error> {
    let Wish {
        name, requirement, ..
    } = *wish;
    let Source::Git {
        url,
        reference,
        rel,
    } = wish.source
    else {
        unreachable!("only a git source has a commit");
    };
    let tree = repositories.tree(url, &commit);
    Ok(Located {
        name,
        requirement,
        place: Place {
            tree: tree.map_err(|error| git_failed(wish, error))?,
            base: rel.clone(),
            fallback_name: Some(name.to_string()),
            declared: requirement.overrides.as_ref().map(|o| o.metadata(name)),
            at: Some(requirement.at.clone()),
        },
        pin: Pin::Git {
            url: url.redacted(),
            reference: reference.clone(),
            rel: rel.clone(),
            commit,
        },
        locked: wish.locked.map(|locked| locked.content),
    })
}

/// Reads every cookbook, several at once. Which error is told does not depend on which came first.
fn load_all(cx: &Context<'_>, located: Vec<Located<'_>>) -> Result<Gathered, (usize, Error)> {
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
                    let result = load_checked(limits, cancel, located);
                    if results.send((index, name, result)).is_err() {
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
        .map(|(index, result)| result.map_err(|error| (index, error)))
        .collect::<Result<Gathered, _>>()?;
    for (_, cookbook) in loaded.values() {
        cookbook.tell_warnings(cx);
    }
    Ok(loaded)
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
