//! Finds out where each cookbook of a manifest is, and brings the repositories.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expand::Expanded;
use super::load::Place;
use super::lock::outdated_before_reading;
use super::{Context, Error, LockMode};
use crate::digest::ContentDigest;
use crate::git::{GitError, Repositories, Request, Submodule, Wanted};
use crate::lockfile::{LockedCookbook, Pin};
use crate::manifest::{CommitId, GitRef, GitUrl, Manifest, Requirement, Source};
use crate::metadata::Metadata;
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::source::Folders;
use crate::tree::Tree;

/// A cookbook of the manifest that has a source.
pub(super) struct Wish<'a> {
    pub(super) name: &'a CookbookName,
    pub(super) requirement: &'a Requirement,
    pub(super) source: &'a Source,
    pub(super) locked: Option<&'a LockedCookbook>,
    /// The commit that Berkshelf locked, or at which the pattern that names it was looked up.
    pub(super) imported: Option<CommitId>,
}

/// A cookbook whose place is known.
#[derive(Clone)]
pub(super) struct Located<'a> {
    pub(super) name: &'a CookbookName,
    pub(super) requirement: &'a Requirement,
    pub(super) pin: Arc<Pin>,
    pub(super) place: Place,
    /// Where it is in git.
    pub(super) origin: Option<Box<Origin<'a>>>,
    /// The digest that its content must have: a folder is expected to change between builds, a
    /// commit never does.
    pub(super) locked: Option<ContentDigest>,
}

/// Where a cookbook is in git.
#[derive(Clone)]
pub(super) struct Origin<'a> {
    pub(super) url: &'a GitUrl,
    pub(super) commit: CommitId,
    pub(super) lfs: bool,
    /// The tree of the commit by itself.
    pub(super) tree: Arc<dyn Tree>,
    /// The submodules that are followed, by their paths from the repository's root.
    pub(super) submodules: BTreeMap<String, Submodule>,
}

/// The cookbooks that have a source. One that must be locked and is not ends it here.
pub(super) fn wishes<'a>(
    expanded: &'a Expanded<'_>,
    mode: LockMode<'a>,
) -> Result<Vec<Wish<'a>>, Error> {
    let manifest = &*expanded.manifest;
    let mut wishes = Vec::with_capacity(manifest.cookbooks.len());
    for (name, requirement) in &manifest.cookbooks {
        let Some(source) = &requirement.source else {
            continue;
        };
        let of_glob = expanded.commits.get(name);
        let locked = mode.locked(name).filter(|locked| {
            let is_same =
                |commit| matches!(&*locked.pin, Pin::Git { commit: at, .. } if at == commit);
            locked.pin.pins(source) && of_glob.is_none_or(is_same)
        });
        if let (LockMode::Exact(Some(lockfile)), None) = (mode, locked) {
            return Err(outdated_before_reading(manifest, lockfile));
        }
        let imported = match mode {
            LockMode::Import(lock) => lock.commit(name, source),
            _ => of_glob.cloned(),
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
pub(super) fn locate_all<'a>(
    cx: &Context<'_>,
    folders: &Folders,
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
    let mut located = Vec::with_capacity(wishes.len());
    for wish in wishes {
        cx.cancel().check()?;
        match wish.source {
            Source::Path(path) => located.push(in_folder(folders, manifest, wish, path)?),
            Source::Git {
                url,
                reference,
                rel,
                lfs,
            } => {
                // There is a commit for each request.
                if let Some(commit) = commits.next() {
                    let at = (url, reference);
                    located.push(in_repository(repositories, wish, at, (rel, *lfs), commit)?);
                }
            }
        }
    }
    Ok(located)
}

impl Wish<'_> {
    /// A pin of it. That of the lockfile is not held twice, if it is the same.
    fn pin(&self, pin: Pin) -> Arc<Pin> {
        let locked = self.locked.map(|locked| &locked.pin);
        let same = locked.filter(|locked| ***locked == pin);
        same.map_or_else(|| Arc::new(pin), Arc::clone)
    }

    /// What is asked of a repository for it.
    fn request(&self) -> Option<Request> {
        let Source::Git { url, reference, .. } = self.source else {
            return None;
        };
        let pinned = match self.locked.map(|locked| &*locked.pin) {
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

pub(super) fn git_failed(wish: &Wish<'_>, error: GitError) -> Error {
    Error::of_git(wish.name, &wish.requirement.at, error)
}

impl Located<'_> {
    pub(super) fn git_failed(&self, error: GitError) -> Error {
        Error::of_git(self.name, &self.requirement.at, error)
    }
}

pub(super) fn in_folder<'a>(
    folders: &Folders,
    manifest: &Manifest,
    wish: &Wish<'a>,
    path: &str,
) -> Result<Located<'a>, Error> {
    let Wish {
        name, requirement, ..
    } = *wish;
    let project = manifest.folder();
    let at = requirement.at.clone();
    let place = Place::folder(folders, &project, &project.join(path), Some(at.clone()));
    let mut place = place.map_err(|error| Error::CookbookFolder {
        name: name.to_string(),
        at,
        error,
    })?;
    place.fallback_name = Some(name.shared());
    place.declared = declared(wish);
    Ok(Located {
        name,
        requirement,
        pin: wish.pin(Pin::Path {
            path: path.to_owned(),
            dirty: false,
        }),
        place,
        origin: None,
        locked: None,
    })
}

/// What the manifest says in place of the cookbook's metadata.rb.
fn declared(wish: &Wish<'_>) -> Option<Box<Metadata>> {
    let overrides = wish.requirement.overrides.as_ref()?;
    Some(Box::new(overrides.metadata(wish.name)))
}

pub(super) fn in_repository<'a>(
    repositories: &Repositories<'_>,
    wish: &Wish<'a>,
    (url, reference): (&'a GitUrl, &GitRef),
    (rel, lfs): (&TreePath, bool),
    commit: CommitId,
) -> Result<Located<'a>, Error> {
    let Wish {
        name, requirement, ..
    } = *wish;
    let tree = repositories.tree(url, &commit);
    let tree = tree.map_err(|error| git_failed(wish, error))?;
    Ok(Located {
        name,
        requirement,
        place: Place {
            tree: match lfs {
                true => repositories.tree_with_lfs(Arc::clone(&tree)),
                false => Arc::clone(&tree),
            },
            base: rel.clone(),
            fallback_name: Some(name.shared()),
            declared: declared(wish),
            at: Some(requirement.at.clone()),
        },
        pin: wish.pin(Pin::Git {
            url: url.redacted(),
            reference: reference.clone(),
            rel: rel.clone(),
            commit: commit.clone(),
            lfs,
            submodules: Vec::new(),
        }),
        origin: Some(Box::new(Origin {
            url,
            commit,
            lfs,
            tree,
            submodules: BTreeMap::new(),
        })),
        locked: wish.locked.map(|locked| locked.content),
    })
}
