//! Settles all that is wanted of one repository: which commits are meant, and that they are in the
//! store. The remote is asked at most once, and brings all at once, and only what is missing.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use git2::Oid;

use super::GitError;
use super::mirror::{Mirror, discard};
use super::refs::{Meaning, all_prefixes, oid, prefixes};
use super::shallow::{knew_commit, remember_commits};
use super::transport::{Progress, Remote, RemoteRef, RemoteRefs, Wants};
use crate::error::Diagnostic;
use crate::event::{CancelToken, Cancelled, Event, Reporter};
use crate::manifest::{CommitId, CommitPrefix, GitRef};
use crate::store::Store;

/// What is wanted of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// The commit that a reference names at the remote now. What the store happens to hold has no
    /// say: anything but a whole commit id is asked of the remote.
    Reference(GitRef),
    /// A commit that is locked. The remote is asked only if the store lacks it; what it then says of
    /// the reference must still agree with the lock.
    Locked {
        /// What the manifest asks for.
        reference: GitRef,
        /// What that was when it was locked.
        commit: CommitId,
    },
}

impl Wanted {
    /// A commit, whatever may lead to it.
    pub(crate) fn commit(commit: &CommitId) -> Self {
        Self::Reference(GitRef::Any(commit.to_string()))
    }

    fn reference(&self) -> &GitRef {
        match self {
            Self::Reference(reference) | Self::Locked { reference, .. } => reference,
        }
    }

    /// The commit, where it is known without asking.
    fn known_commit(&self) -> Option<CommitId> {
        match self {
            Self::Locked { commit, .. } => Some(commit.clone()),
            Self::Reference(GitRef::Commit(prefix)) => prefix.full(),
            Self::Reference(GitRef::Any(name)) => name.parse().ok(),
            Self::Reference(_) => None,
        }
    }

    /// How a message names it.
    fn shown(&self) -> String {
        match self {
            Self::Locked { commit, .. } => format!("commit {commit}"),
            Self::Reference(reference) => reference.to_string(),
        }
    }
}

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

/// What a server gave of what it was asked for.
enum Given {
    All,
    /// All but these, which it does not have.
    AllBut(Vec<Oid>),
    /// Nothing, for a reason of its own.
    Nothing(GitError),
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
        let (mut commits, is_damaged) = self.from_store(wanted)?;
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
    fn from_store(&self, wanted: &[Wanted]) -> Result<(Vec<Option<CommitId>>, bool), Failed> {
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
        let mirror = Mirror::open(&self.url, &self.folder)?;
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

    /// Brings what the mirror lacks.
    fn bring(
        &self,
        targets: &[(usize, &Wanted, Target)],
        refs: &RemoteRefs,
        remote: &mut dyn Remote,
    ) -> Result<Mirror, Failed> {
        let first = targets.first().map_or(0, |(index, ..)| *index);
        let at_first = |error: GitError| (first, error);
        let wants_history = targets
            .iter()
            .any(|(_, _, t)| matches!(t, Target::Prefix(_)));
        let missing = |mirror: &Mirror| -> Result<Vec<usize>, GitError> {
            let mut missing = Vec::new();
            for (position, (_, _, target)) in targets.iter().enumerate() {
                if let Target::Object { has, .. } = target
                    && !mirror.has(*has)?
                {
                    missing.push(position);
                }
            }
            Ok(missing)
        };
        if !wants_history
            && let Ok(Some(mirror)) = Mirror::open(&self.url, &self.folder)
            && missing(&mirror).is_ok_and(|missing| missing.is_empty())
        {
            return Ok(mirror);
        }
        let lock = self
            .store
            .lock(&self.folder, &self.url, self.reporter, self.cancel);
        let _lock = lock.map_err(|error| at_first(error.into()))?;
        let mut mirror = self.open_whole(&missing).map_err(at_first)?;
        let lacks = missing(&mirror).map_err(at_first)?;
        if lacks.is_empty() && !wants_history {
            return Ok(mirror);
        }
        self.reporter
            .report(&Event::FetchStarted { url: &self.url });
        let seen = Cell::new(Progress::default());
        let mut progress = |now: Progress| {
            seen.set(now);
            self.reporter.report(&Event::FetchProgress {
                url: &self.url,
                objects: now.objects,
                total: now.total,
                bytes: now.bytes,
            });
            !self.cancel.is_cancelled()
        };
        let ids = lacks
            .iter()
            .filter_map(|position| match &targets[*position].2 {
                Target::Object { want, .. } => Some(*want),
                Target::Prefix(_) => None,
            });
        let ids: BTreeSet<_> = ids.collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let mut given = Given::All;
        if !wants_history {
            given = self
                .bring_shallow(&mirror, &ids, remote, &mut progress)
                .map_err(at_first)?;
            let absent = match &given {
                Given::All => Some(&[][..]),
                Given::AllBut(absent) => Some(&absent[..]),
                Given::Nothing(_) => None,
            };
            // What was given and is not there was put beside a pack of its own name that is broken.
            let is_lost = |target: &Target| match target {
                Target::Object { want, has } => {
                    absent.is_some_and(|absent| !absent.contains(want))
                        && !mirror.has(*has).unwrap_or(false)
                }
                Target::Prefix(_) => false,
            };
            if targets.iter().any(|(_, _, target)| is_lost(target)) {
                drop(mirror);
                mirror = self.make_anew().map_err(at_first)?;
                given = self
                    .bring_shallow(&mirror, &ids, remote, &mut progress)
                    .map_err(at_first)?;
            }
        }
        if wants_history || matches!(given, Given::Nothing(_)) {
            let brought = self.bring_history(&mirror, targets, refs, remote, &mut progress);
            // What the server said when it was asked for less says more.
            brought.map_err(|error| {
                at_first(match given {
                    Given::Nothing(refused) => refused,
                    _ => error,
                })
            })?;
        }
        let brought: Vec<_> = targets
            .iter()
            .filter_map(|(_, _, target)| match target {
                Target::Object { has, .. } => Some(*has),
                Target::Prefix(_) => None,
            })
            .filter(|id| mirror.has(*id).unwrap_or(false))
            .collect();
        remember_commits(&mirror.repository, &brought).map_err(|error| at_first(error.into()))?;
        let seen = seen.get();
        self.reporter.report(&Event::FetchFinished {
            url: &self.url,
            objects: seen.objects,
            bytes: seen.bytes,
        });
        if self.cancel.is_cancelled() {
            return Err(at_first(Cancelled.into()));
        }
        Ok(mirror)
    }

    /// The mirror, made anew where it cannot be read. The lock is held.
    fn open_whole(
        &self,
        missing: &dyn Fn(&Mirror) -> Result<Vec<usize>, GitError>,
    ) -> Result<Mirror, GitError> {
        let place = (&*self.key, &*self.folder);
        let opened = Mirror::open_or_make(self.store, &self.url, place);
        match opened.and_then(|mirror| missing(&mirror).map(|_| mirror)) {
            Err(GitError::Damaged { .. }) => self.make_anew(),
            opened => opened,
        }
    }

    /// Brings objects without their history, as far as the server gives them so.
    fn bring_shallow(
        &self,
        mirror: &Mirror,
        ids: &[Oid],
        remote: &mut dyn Remote,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Given, GitError> {
        match remote.bring(&mirror.repository, &Wants::Shallow(ids.to_vec()), progress) {
            Ok(()) => Ok(Given::All),
            // It has not one of them, and history would not have it either.
            Err(GitError::NotThere { .. }) => {
                let mut absent = Vec::new();
                for id in ids {
                    match remote.bring(&mirror.repository, &Wants::Shallow(vec![*id]), progress) {
                        Ok(()) => {}
                        Err(GitError::NotThere { .. }) => absent.push(*id),
                        Err(error) => return Err(error),
                    }
                }
                Ok(Given::AllBut(absent))
            }
            Err(error @ GitError::Refused { .. }) => Ok(Given::Nothing(error)),
            Err(error) => Err(error),
        }
    }

    /// An empty mirror in place of one that is damaged. The lock is held.
    fn make_anew(&self) -> Result<Mirror, GitError> {
        self.warn_of_damage();
        discard(&self.folder)?;
        Mirror::open_or_make(self.store, &self.url, (&self.key, &self.folder))
    }

    fn warn_of_damage(&self) {
        let warning = format!("the store's copy of `{}` was damaged", self.url);
        let warning = Diagnostic::new(warning).hint("it is fetched anew");
        self.reporter.report(&Event::Warning(&warning));
    }

    /// Brings all branches and tags with all their history, and what else is wanted by a name.
    fn bring_history(
        &self,
        mirror: &Mirror,
        targets: &[(usize, &Wanted, Target)],
        refs: &RemoteRefs,
        remote: &mut dyn Remote,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), GitError> {
        let mut tips = remote.refs(&all_prefixes())?.tips();
        let named = |want: &Oid| {
            refs.names
                .values()
                .any(|found: &RemoteRef| found.id == *want)
        };
        tips.extend(targets.iter().filter_map(|(_, _, target)| match target {
            Target::Object { want, .. } if named(want) => Some(*want),
            _ => None,
        }));
        tips.sort_unstable();
        tips.dedup();
        match tips.is_empty() {
            true => Ok(()),
            false => remote.bring(&mirror.repository, &Wants::History(tips), progress),
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
