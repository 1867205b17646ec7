//! Settles all that is wanted of one repository: which commits are meant, and that they are in the
//! store. The remote is asked at most once, and brings all at once, and only what is missing.

mod bring;
mod wanted;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use git2::Oid;

pub(crate) use self::wanted::Wanted;
use crate::event::{CancelToken, Reporter};
use crate::git::GitError;
use crate::git::mirror::{Mirror, discard};
use crate::git::refs::{Meaning, all_prefixes, oid, prefixes};
use crate::git::shallow::knew_commit;
use crate::git::transport::{Remote, RemoteRefs};
use crate::manifest::{CommitId, CommitPrefix, GitRef};
use crate::store::Store;

/// One repository, and what is needed to settle it.
pub(super) struct Settling<'a> {
    pub(super) store: &'a Store,
    /// The address as it is shown.
    pub(super) url: String,
    /// The address by which the store knows it.
    pub(super) key: String,
    /// Its mirror.
    pub(super) folder: PathBuf,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) cancel: &'a CancelToken,
    pub(super) offline: bool,
}

/// An error, and which of the things wanted it belongs to.
type Failed = (usize, GitError);

/// What the remote must give for one thing wanted.
enum Target {
    /// An object by the id under which it is asked for, and the object that must then be there.
    Object { want: Oid, has: Oid },
    /// The commit whose id begins so.
    Prefix(CommitPrefix),
}

/// How often a connection that failed is tried again, after so many milliseconds.
const RETRIES: [u64; 2] = [200, 800];

impl Settling<'_> {
    /// The commit of each thing wanted, all of which are in the store then. `connect` begins a
    /// conversation with the remote.
    pub(super) fn settle<'r>(
        &self,
        wanted: &[Wanted],
        connect: &dyn Fn() -> Result<Box<dyn Remote + 'r>, GitError>,
    ) -> Result<Vec<CommitId>, Failed> {
        let (mut commits, is_damaged) = self.stored(wanted)?;
        let open = |commits: &[Option<CommitId>]| commits.iter().position(Option::is_none);
        if let Some(first) = open(&commits) {
            if self.offline {
                let url = self.url.clone();
                let wanted = wanted[first].shown();
                return Err((first, GitError::Offline { url, wanted }));
            }
            if is_damaged {
                self.refetch_all(wanted).map_err(|error| (first, error))?;
                commits.fill(None);
            }
            let mut tries = RETRIES.iter();
            let found = loop {
                let asked = self.ask(wanted, &commits, connect);
                match (asked, tries.next()) {
                    (Err((_, GitError::Connection { .. })), Some(wait)) => self
                        .pause(Duration::from_millis(*wait))
                        .map_err(|error| (first, error))?,
                    (asked, _) => break asked?,
                }
            };
            for (index, commit) in found {
                commits[index] = Some(commit);
            }
        }
        self.store.mark_used(&self.folder);
        Ok(commits.into_iter().flatten().collect())
    }

    /// What the store can answer by itself, and whether the mirror is damaged.
    fn stored(&self, wanted: &[Wanted]) -> Result<(Vec<Option<CommitId>>, bool), Failed> {
        match self.in_store(wanted) {
            Ok(commits) => Ok((commits, false)),
            Err(error @ GitError::Damaged { .. }) if self.offline => Err((0, error)),
            Err(GitError::Damaged { .. }) => Ok((vec![None; wanted.len()], true)),
            Err(error) => Err((0, error)),
        }
    }

    /// The commits that are known without asking, and are there. One that was brought and is not there
    /// any more means that a pack is gone, or was cut short, which libgit2 passes over in silence.
    fn in_store(&self, wanted: &[Wanted]) -> Result<Vec<Option<CommitId>>, GitError> {
        let mirror = Mirror::objects(&self.url, &self.folder)?;
        let known = |wanted: &Wanted| {
            let (Some(mirror), Some(commit)) = (&mirror, wanted.known_commit()) else {
                return Ok(None);
            };
            if mirror.has(oid(&commit))? {
                return Ok(Some(commit));
            }
            match knew_commit(&self.folder, oid(&commit)) {
                true => Err(mirror.damaged(git2::Error::from_str(&format!(
                    "commit {commit} was there, and is gone"
                )))),
                false => Ok(None),
            }
        };
        wanted.iter().map(known).collect()
    }

    /// Removes a damaged mirror, so that it is fetched anew.
    fn refetch_all(&self, wanted: &[Wanted]) -> Result<(), GitError> {
        let _lock = self
            .store
            .lock(&self.folder, &self.url, self.reporter, self.cancel)?;
        // Another process may have done it in the meantime.
        if let Err(GitError::Damaged { .. }) = self.in_store(wanted) {
            self.warn_of_damage();
            discard(&self.folder)?;
        }
        Ok(())
    }

    fn pause(&self, wait: Duration) -> Result<(), GitError> {
        let steps = wait.as_millis() / 20;
        for _ in 0..steps {
            self.cancel.check()?;
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Asks the remote for what is open.
    fn ask<'r>(
        &self,
        wanted: &[Wanted],
        commits: &[Option<CommitId>],
        connect: &dyn Fn() -> Result<Box<dyn Remote + 'r>, GitError>,
    ) -> Result<Vec<(usize, CommitId)>, Failed> {
        let open: Vec<_> = wanted
            .iter()
            .enumerate()
            .filter(|(index, _)| commits[*index].is_none())
            .collect();
        let first = open.first().map_or(0, |(index, _)| *index);
        let at_first = |error| (first, error);
        let mut remote = connect().map_err(at_first)?;
        let mut names: Vec<_> = open
            .iter()
            .flat_map(|(_, wanted)| prefixes(wanted.reference()))
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut refs = match names.is_empty() {
            true => RemoteRefs::default(),
            false => remote.refs(&names).map_err(at_first)?,
        };
        let mut targets = Vec::new();
        for (index, wanted) in &open {
            let target = self.target(wanted, &refs, &mut *remote);
            targets.push((*index, *wanted, target.map_err(|error| (*index, error))?));
        }
        if targets
            .iter()
            .any(|(_, _, t)| matches!(t, Target::Prefix(_)))
        {
            refs = remote.refs(&all_prefixes()).map_err(at_first)?;
        }
        let mirror = self.bring(&targets, &refs, &mut *remote)?;
        targets
            .iter()
            .map(|(index, wanted, target)| {
                let commit = self.commit(&mirror, wanted, target, &refs);
                commit
                    .map(|commit| (*index, commit))
                    .map_err(|error| (*index, error))
            })
            .collect()
    }

    /// What the remote must give for one thing wanted.
    fn target(
        &self,
        wanted: &Wanted,
        refs: &RemoteRefs,
        remote: &mut dyn Remote,
    ) -> Result<Target, GitError> {
        let url = self.url.clone();
        let reference = wanted.reference().clone();
        let meaning = refs.meaning(&reference);
        if let Wanted::Locked { commit, .. } = wanted {
            let locked = oid(commit);
            let found = match &meaning {
                Meaning::At(found) => Some(found.target()),
                _ => None,
            };
            if let GitRef::Tag(tag) = &reference
                && found != Some(locked)
            {
                return Err(GitError::TagMoved {
                    url,
                    tag: tag.clone(),
                    locked: commit.clone(),
                    found: found.and_then(super::refs::commit_id),
                });
            }
            return Ok(Target::Object {
                want: refs.name_of(locked),
                has: locked,
            });
        }
        match meaning {
            Meaning::At(found) => Ok(Target::Object {
                want: found.id,
                has: found.target(),
            }),
            Meaning::Commit(id) => Ok(Target::Object {
                want: refs.name_of(id),
                has: id,
            }),
            Meaning::Prefix(prefix) => Ok(Target::Prefix(prefix)),
            Meaning::Ambiguous => Err(GitError::AmbiguousRef {
                url,
                name: reference
                    .key_and_value()
                    .map_or_else(String::new, |(_, name)| name.to_owned()),
            }),
            Meaning::Missing => {
                // What there is instead helps whoever misspelt it.
                let all = remote.refs(&all_prefixes()).unwrap_or_default();
                Err(GitError::NoSuchRef {
                    near: all.near(&reference),
                    url,
                    reference,
                })
            }
        }
    }

    /// The commit of one thing wanted, after all has been brought.
    fn commit(
        &self,
        mirror: &Mirror,
        wanted: &Wanted,
        target: &Target,
        refs: &RemoteRefs,
    ) -> Result<CommitId, GitError> {
        let url = self.url.clone();
        let reference = wanted.reference().clone();
        let has = match target {
            Target::Object { has, .. } => *has,
            Target::Prefix(prefix) => {
                let mut commits = mirror.commits_of(prefix, &refs.tips())?;
                return match commits.len() {
                    0 => Err(GitError::NoSuchRef {
                        near: None,
                        url,
                        reference,
                    }),
                    1 => Ok(commits.remove(0)),
                    _ => {
                        commits.truncate(5);
                        Err(GitError::AmbiguousCommit {
                            url,
                            prefix: prefix.clone(),
                            commits,
                        })
                    }
                };
            }
        };
        let is_there = mirror.has(has)?;
        if let Wanted::Locked { commit, .. } = wanted
            && let GitRef::Branch(_) | GitRef::Default = reference
        {
            let is_kept = match refs.meaning(&reference) {
                Meaning::At(tip) => mirror.contains(tip.target(), commit),
                _ => Some(false),
            };
            if !is_kept.unwrap_or(is_there) {
                return Err(GitError::BranchRewritten {
                    url,
                    reference,
                    locked: commit.clone(),
                });
            }
        }
        if !is_there {
            return Err(GitError::NoSuchRef {
                near: None,
                url,
                reference,
            });
        }
        match mirror.commit(has)? {
            Some(commit) => Ok(commit),
            None => Err(GitError::NotACommit { url, reference }),
        }
    }
}

/// The folder of a mirror that was found damaged while it was read is discarded under its lock.
pub(super) fn discard_locked(
    store: &Store,
    folder: &Path,
    url: &str,
    reporter: &dyn Reporter,
    cancel: &CancelToken,
) -> Result<(), GitError> {
    let _lock = store.lock(folder, url, reporter, cancel)?;
    Ok(discard(folder)?)
}
