//! The order in which the solver is asked: what is locked first, what is newest after it.

use std::collections::{BTreeMap, BTreeSet};

use super::attempt::{Element, Outcome, Terms};
use super::catalogue::Catalogue;
use super::index::{Id, Index, Origin};
use super::question::{Answer, Chosen, Question, SolveError};
use super::{Stop, explain};
use crate::name::CookbookName;
use crate::version::Version;

/// Chooses a version for each cookbook that is needed and not pinned.
///
/// A version of the lockfile is kept unless no answer has it together with the others that are kept.
/// What is not locked has the newest version that fits: the names of the manifest are decided before
/// all others, each group in the order of names. The answer depends on nothing else.
///
/// # Errors
/// A [`Clash`](super::Clash) when no versions fit together; what the catalogue fails with; when cancelled; when
/// the question is too hard.
pub fn solve<C: Catalogue>(
    question: &Question<'_>,
    catalogue: &C,
) -> Result<Answer, SolveError<C::Error>> {
    let index = Index::new(question, catalogue);
    let solver = Solver { index: &index };
    let failed = |stop| failure(&index, stop);
    let locks = solver.locks().map_err(failed)?;
    let found = solver.settle(&locks).map_err(failed)?;
    match found {
        Some(found) => solver.answer(&found).map_err(failed),
        None => {
            let clash = explain::clash(&index, &Terms::of(&index)).map_err(failed)?;
            Err(SolveError::Clash(Box::new(clash)))
        }
    }
}

fn failure<C: Catalogue>(index: &Index<'_, C>, stop: Stop) -> SolveError<C::Error> {
    match (stop, index.take_failure()) {
        (_, Some(error)) => SolveError::Catalogue(error),
        (Stop::Cancelled(cancelled), _) => SolveError::Cancelled(cancelled),
        (Stop::Steps(steps), _) => SolveError::TooHard { steps },
        (Stop::Catalogue, None) => SolveError::TooHard { steps: 0 },
    }
}

/// The versions of a lockfile in the order in which they are kept.
struct Locks {
    /// Above what is to be updated.
    above: Vec<(Id, Version)>,
    others: Vec<(Id, Version)>,
    updated: BTreeSet<Id>,
}

type Found = BTreeMap<Id, u32>;

struct Solver<'a, 'q, C: Catalogue> {
    index: &'a Index<'q, C>,
}

impl<C: Catalogue> Solver<'_, '_, C> {
    fn locks(&self) -> Result<Locks, Stop> {
        let question = self.index.question;
        let locked: BTreeMap<Id, Version> = question
            .preferred
            .iter()
            .filter(|(name, _)| !question.pinned.contains_key(*name))
            .filter(|(name, _)| !question.held.contains_key(*name))
            .map(|(name, version)| (self.index.id(name.as_str()), *version))
            .collect();
        let named = question.update.iter();
        let updated: BTreeSet<Id> = named.map(|name| self.index.id(name.as_str())).collect();
        let above = match updated.is_empty() {
            true => BTreeSet::new(),
            false => self.above(&locked, &updated)?,
        };
        let mut locks = Locks {
            above: Vec::new(),
            others: Vec::new(),
            updated,
        };
        for (id, version) in locked {
            match () {
                () if locks.updated.contains(&id) => {}
                () if above.contains(&id) => locks.above.push((id, version)),
                () => locks.others.push((id, version)),
            }
        }
        for list in [&mut locks.above, &mut locks.others] {
            let manifest = &question.manifest.cookbooks;
            list.sort_by_cached_key(|(id, _)| {
                let name = self.index.name(*id);
                (!manifest.contains_key(&*name), name)
            });
        }
        Ok(locks)
    }

    /// What depends, by what is locked, on one of the given names.
    fn above(
        &self,
        locked: &BTreeMap<Id, Version>,
        of: &BTreeSet<Id>,
    ) -> Result<BTreeSet<Id>, Stop> {
        let pinned = self.index.question.pinned.keys();
        let mut nodes: Vec<(Id, Option<u32>)> = pinned
            .map(|name| (self.index.id(name.as_str()), Some(0)))
            .collect();
        for (id, version) in locked {
            nodes.push((*id, self.index.entry(*id)?.place(*version)));
        }
        let mut by: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        for (id, place) in nodes {
            let Some(place) = place else { continue };
            for edge in self.index.edges(id, place)?.iter() {
                by.entry(edge.to).or_default().push(id);
            }
        }
        let mut above = BTreeSet::new();
        let mut open: Vec<Id> = of.iter().copied().collect();
        while let Some(id) = open.pop() {
            for asker in by.get(&id).into_iter().flatten() {
                if above.insert(*asker) {
                    open.push(*asker);
                }
            }
        }
        Ok(above)
    }

    /// Versions that fit, with as much of the lock as can be; none if there are none at all.
    fn settle(&self, locks: &Locks) -> Result<Option<Found>, Stop> {
        let mut terms = Terms::of(self.index);
        terms.first.clone_from(&locks.updated);
        let Some(found) = self.keep(&mut terms, &locks.above)? else {
            return Ok(None);
        };
        if locks.others.is_empty() {
            return Ok(Some(found));
        }
        // What is updated is decided; the rest may hold it back no more.
        for id in &locks.updated {
            if let Some(place) = found.get(id) {
                let entry = self.index.entry(*id)?;
                if matches!(entry.origin, Origin::Offered(_)) {
                    terms.held.insert(*id, entry.versions[*place as usize]);
                }
            }
        }
        self.keep(&mut terms, &locks.others)
    }

    /// Holds as many of the locked versions as fit together: to hold any other one would leave no
    /// answer. Those that have no part in a contradiction are never looked at singly.
    fn keep(&self, terms: &mut Terms, locks: &[(Id, Version)]) -> Result<Option<Found>, Stop> {
        let before = terms.held.clone();
        terms.held.extend(locks.iter().copied());
        let mut suspects = BTreeSet::new();
        let mut found = loop {
            let culprits = match self.index.attempt(terms)? {
                Outcome::Fits(found) => break found,
                Outcome::Unfit(elements) => elements,
            };
            let count = suspects.len();
            for element in culprits {
                if let Element::Held(id) = element
                    && !before.contains_key(&id)
                {
                    terms.held.remove(&id);
                    suspects.insert(id);
                }
            }
            if suspects.len() == count {
                return Ok(None);
            }
        };
        for (id, version) in locks.iter().filter(|(id, _)| suspects.contains(id)) {
            terms.held.insert(*id, *version);
            let place = self.index.entry(*id)?.place(*version);
            if found.get(id).is_none_or(|at| Some(*at) == place) {
                continue;
            }
            match self.index.attempt(terms) {
                Ok(Outcome::Fits(better)) => found = better,
                Ok(Outcome::Unfit(_)) | Err(Stop::Steps(_)) => {
                    terms.held.remove(id);
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(Some(found))
    }

    fn answer(&self, found: &Found) -> Result<Answer, Stop> {
        let mut answer = Answer::default();
        let mut names: BTreeMap<Id, CookbookName> = BTreeMap::new();
        for id in found.keys() {
            if let Ok(name) = self.index.name(*id).parse() {
                names.insert(*id, name);
            }
        }
        for (id, place) in found {
            let Some(name) = names.get(id) else { continue };
            let entry = self.index.entry(*id)?;
            if let Origin::Offered(offered) = &entry.origin {
                let offer = offered[*place as usize].offer();
                let chosen = Chosen {
                    version: offer.version,
                    source: offer.source,
                };
                answer.chosen.insert(name.clone(), chosen);
            }
            let edges = self.index.edges(*id, *place)?;
            let mut needs: Vec<_> = edges
                .iter()
                .filter_map(|e| names.get(&e.to))
                .cloned()
                .collect();
            needs.sort();
            answer.resolution.dependencies.insert(name.clone(), needs);
        }
        Ok(answer)
    }
}
