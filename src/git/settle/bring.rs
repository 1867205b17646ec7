//! Brings what a mirror lacks: as little as the remote lets us, and all of it at once.

use std::cell::Cell;
use std::collections::BTreeSet;

use git2::Oid;

use super::{Failed, Settling, Target, Wanted};
use crate::error::Diagnostic;
use crate::event::{Cancelled, Event};
use crate::git::GitError;
use crate::git::mirror::{Mirror, discard};
use crate::git::refs::all_prefixes;
use crate::git::shallow::remember_commits;
use crate::git::transport::{Progress, Remote, RemoteRef, RemoteRefs, Wants};

/// What a server gave of what it was asked for.
enum Given {
    All,
    /// All but these, which it does not have.
    AllBut(Vec<Oid>),
    /// Nothing, for a reason of its own.
    Nothing(GitError),
}

impl Settling<'_> {
    /// Brings what the mirror lacks.
    pub(super) fn bring(
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

    pub(super) fn warn_of_damage(&self) {
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
}
