//! Takes the patterns of a manifest for the cookbooks that they name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::{Place, read_metadata};
use super::plans::Plans;
use super::{Context, Error, LockMode};
use crate::git::{Repositories, Request, Wanted};
use crate::layout::CookbookPlan;
use crate::lockfile::{Lockfile, Pin};
use crate::manifest::{CommitId, GlobRequirement, GlobSource, Manifest, Requirement};
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::upstream::in_parallel;

/// A manifest that names each cookbook.
pub(super) struct Expanded<'a> {
    pub(super) manifest: Cow<'a, Manifest>,
    /// The commits at which the patterns were looked up, by the cookbooks that they name.
    pub(super) commits: BTreeMap<CookbookName, CommitId>,
}

/// Looks the patterns up in their sources.
pub(super) fn expand_globs<'a>(
    cx: &Context<'_>,
    plans: &Plans,
    manifest: &'a Manifest,
    mode: LockMode<'_>,
) -> Result<Expanded<'a>, Error> {
    let mut expanded = Expanded {
        manifest: Cow::Borrowed(manifest),
        commits: BTreeMap::new(),
    };
    if manifest.globs.is_empty() {
        return Ok(expanded);
    }
    let repositories = cx.repositories(manifest);
    let mut commits = bring(&repositories, manifest, mode)?.into_iter();
    let mut taken: BTreeMap<CookbookName, (&GlobRequirement, TreePath)> = BTreeMap::new();
    let mut cookbooks = manifest.cookbooks.clone();
    for glob in &manifest.globs {
        let commit = match glob.source {
            GlobSource::Git { .. } => commits.next(),
            GlobSource::Path(_) => None,
        };
        let mut found_any = false;
        for (name, folder) in look_up(cx, plans, (&repositories, manifest), glob, commit.as_ref())?
        {
            found_any = true;
            // What the manifest says of a cookbook by name counts for more.
            let explicit = manifest.cookbooks.get(&name);
            if explicit.is_some_and(|asked| asked.source.is_some()) {
                continue;
            }
            if let Some((other, at_other)) = taken.insert(name.clone(), (glob, folder.clone())) {
                return Err(Error::NamedTwice {
                    name,
                    folders: Box::new([at_other.to_string(), folder.to_string()]),
                    at: glob.at.clone(),
                    other: Box::new(other.at.clone()),
                });
            }
            let requirement = with_constraint(glob.requirement(&folder), explicit);
            if let Some(commit) = &commit {
                expanded.commits.insert(name.clone(), commit.clone());
            }
            cookbooks.insert(name, requirement);
        }
        if !found_any {
            return Err(Error::NothingMatches {
                glob: glob.glob.to_string(),
                at: glob.at.clone(),
            });
        }
    }
    expanded.manifest.to_mut().cookbooks = cookbooks;
    Ok(expanded)
}

/// A manifest with the cookbooks that its patterns named when it was locked.
pub(super) fn expand_as_locked<'a>(
    manifest: &'a Manifest,
    lockfile: &Lockfile,
) -> Cow<'a, Manifest> {
    let mut expanded = Cow::Borrowed(manifest);
    for (name, locked) in &lockfile.cookbooks {
        let explicit = manifest.cookbooks.get(name);
        if explicit.is_some_and(|asked| asked.source.is_some()) {
            continue;
        }
        let glob = manifest.globs.iter().find_map(|glob| {
            let folder = folder_of(glob, &locked.pin)?;
            Some(with_constraint(glob.requirement(&folder), explicit))
        });
        if let Some(requirement) = glob {
            expanded
                .to_mut()
                .cookbooks
                .insert(name.clone(), requirement);
        }
    }
    expanded
}

fn with_constraint(found: Requirement, explicit: Option<&Requirement>) -> Requirement {
    match explicit {
        Some(explicit) => Requirement {
            constraint: explicit.constraint.clone(),
            ..found
        },
        None => found,
    }
}

/// The commits of the patterns that name folders of repositories, in order.
fn bring(
    repositories: &Repositories<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
) -> Result<Vec<CommitId>, Error> {
    let mut requests = Vec::new();
    let mut asking = Vec::new();
    for glob in &manifest.globs {
        let GlobSource::Git { url, reference, .. } = &glob.source else {
            continue;
        };
        let reference = reference.clone();
        let wanted = match locked_commit(glob, mode) {
            Some(commit) => Wanted::Locked { reference, commit },
            None => Wanted::Reference(reference),
        };
        let url = url.clone();
        requests.push(Request { url, wanted });
        asking.push(glob);
    }
    repositories.bring(&requests).map_err(|(index, error)| {
        let glob = asking[index];
        Error::of_git(&glob.label, &glob.at, error)
    })
}

/// The commit at which the cookbooks of a pattern are locked. It moves for all of them at once.
fn locked_commit(glob: &GlobRequirement, mode: LockMode<'_>) -> Option<CommitId> {
    let lockfile = match mode {
        LockMode::Fresh | LockMode::Import(_) | LockMode::Exact(None) => return None,
        LockMode::Prefer(lockfile)
        | LockMode::Exact(Some(lockfile))
        | LockMode::Update(lockfile, _) => lockfile,
    };
    let mut own = lockfile
        .cookbooks
        .iter()
        .filter(|(_, locked)| folder_of(glob, &locked.pin).is_some())
        .peekable();
    own.peek()?;
    let mut commit = None;
    for (name, _) in own {
        match mode.locked(name).map(|locked| &*locked.pin) {
            Some(Pin::Git { commit: at, .. }) => commit = Some(at.clone()),
            _ => return None,
        }
    }
    commit
}

/// The folder of a cookbook that a pattern names, if it is one of them.
fn folder_of(glob: &GlobRequirement, pin: &Pin) -> Option<TreePath> {
    let folder = match (&glob.source, pin) {
        (GlobSource::Git { .. }, Pin::Git { rel, .. }) => rel.clone(),
        (GlobSource::Path(outer), Pin::Path { path, .. }) => {
            let outer = outer.trim_end_matches('/');
            let inner = match outer {
                "" | "." => Some(path.as_str()),
                outer => path
                    .strip_prefix(outer)
                    .and_then(|rest| rest.strip_prefix('/')),
            };
            TreePath::parse(inner?).ok()?
        }
        _ => return None,
    };
    let is_own = glob.glob.matches(folder.as_str()) && pin.pins(&glob.source.at(&folder));
    is_own.then_some(folder)
}

/// The cookbooks that a pattern names, and their folders.
fn look_up(
    cx: &Context<'_>,
    plans: &Plans,
    (repositories, manifest): (&Repositories<'_>, &Manifest),
    glob: &GlobRequirement,
    commit: Option<&CommitId>,
) -> Result<Vec<(CookbookName, TreePath)>, Error> {
    let at = Some(glob.at.clone());
    let outer = match (&glob.source, commit) {
        (GlobSource::Git { url, .. }, Some(commit)) => Place {
            tree: repositories
                .tree(url, commit)
                .map_err(|error| Error::of_git(&glob.label, &glob.at, error))?,
            base: TreePath::root(),
            fallback_name: None,
            declared: None,
            at,
        },
        (GlobSource::Git { .. }, None) => return Ok(Vec::new()),
        (GlobSource::Path(path), _) => {
            let project = manifest.folder();
            Place::folder(&plans.folders, &project, &project.join(path), at).map_err(|error| {
                Error::CookbookFolder {
                    name: glob.label.clone(),
                    at: glob.at.clone(),
                    error,
                }
            })?
        }
    };
    let folders = glob.glob.expand(&*outer.tree, &outer.base)?;
    let names = in_parallel(&folders, cx.jobs(), cx.reporter(), |folder, _| {
        name_at(plans, &outer, folder)
    });
    let mut found = Vec::new();
    for (folder, name) in folders.into_iter().zip(names) {
        cx.cancel().check()?;
        found.extend(name?.map(|name| (name, folder)));
    }
    Ok(found)
}

/// The name of the cookbook in a folder below a place. None where the folder has no name that a path
/// can have.
fn name_at(plans: &Plans, outer: &Place, folder: &TreePath) -> Result<Option<CookbookName>, Error> {
    let base = outer.base.join(folder.as_str().as_bytes());
    let base = String::from_utf8(base).ok();
    let Some(base) = base.and_then(|base| TreePath::parse(&base).ok()) else {
        return Ok(None);
    };
    let place = Place {
        fallback_name: folder.as_str().rsplit('/').next().map(Arc::from),
        base,
        ..outer.clone()
    };
    if let Some(name) = plans.name(&place)? {
        return Ok(Some(name));
    }
    let found = read_metadata(&plans.limits, &place, &CookbookPlan::default())?;
    Ok(Some(found.name))
}
