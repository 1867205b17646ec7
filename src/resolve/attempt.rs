//! One run of `pubgrub` over what an [`Index`] knows, under given terms.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use pubgrub::{
    Dependencies, DependencyProvider, DerivationTree, External, PackageResolutionStatistics,
    PubGrubError,
};

use super::Stop;
use super::catalogue::Catalogue;
use super::index::{Edge, Id, Index};
use super::versions::Versions;
use crate::version::{Constraint, Version};

/// Steps in the plain order, after which names that are often in the way are decided first.
const PLAIN_STEPS: u64 = 3_000;

/// Steps in one run, a decision each: far more than what `benches/resolve` makes to be hard needs.
const STEPS: u64 = 200_000;

/// One of the things that together leave no versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Element {
    /// What the first says of the second, in whatever version.
    Edge(Id, Id),
    /// That a name may not leave its version.
    Held(Id),
}

/// A demand that is put in another's place, to see what would come of it.
#[derive(Clone, Debug)]
pub(super) struct Instead {
    pub(super) by: Id,
    pub(super) of: Id,
    pub(super) to: Id,
    pub(super) constraint: Constraint,
}

/// What holds in one run.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Names that may have this version only.
    pub(super) held: BTreeMap<Id, Version>,
    /// Names decided before all others.
    pub(super) first: BTreeSet<Id>,
    /// If given, nothing but these elements counts.
    pub(super) only: Option<BTreeSet<Element>>,
    /// Names that nobody needs.
    pub(super) ignored: BTreeSet<Id>,
    /// Elements that do not count.
    pub(super) without: BTreeSet<Element>,
    pub(super) instead: Option<Instead>,
    /// Steps after which the run is given up.
    pub(super) steps: u64,
}

impl Terms {
    /// The terms of the question itself, without what is merely preferred.
    pub(super) fn of<C: Catalogue>(index: &Index<'_, C>) -> Self {
        let question = index.question;
        let held = question.held.iter();
        Self {
            held: held
                .filter(|(name, _)| !question.pinned.contains_key(*name))
                .map(|(name, version)| (index.id(name.as_str()), *version))
                .collect(),
            first: BTreeSet::new(),
            only: None,
            ignored: BTreeSet::new(),
            without: BTreeSet::new(),
            instead: None,
            steps: STEPS,
        }
    }

    pub(super) fn counts(&self, element: Element) -> bool {
        let among = self
            .only
            .as_ref()
            .is_none_or(|only| only.contains(&element));
        among && !self.without.contains(&element)
    }
}

/// What a run found.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The version of each name that is needed, the root left out.
    Fits(BTreeMap<Id, u32>),
    /// These elements alone leave no versions; few, but not the fewest.
    Unfit(BTreeSet<Element>),
}

impl<C: Catalogue> Index<'_, C> {
    /// Looks for versions under the given terms. The names decided first have the newest version that
    /// any answer gives them; then those of the manifest, then all others, each by name.
    pub(super) fn attempt(&self, terms: &Terms) -> Result<Outcome, Stop> {
        match self.run(terms, false, terms.steps.min(PLAIN_STEPS)) {
            Err(Stop::Steps(_)) if terms.steps > PLAIN_STEPS => self.run(terms, true, terms.steps),
            done => done,
        }
    }

    fn run(&self, terms: &Terms, learned_order: bool, steps: u64) -> Result<Outcome, Stop> {
        let run = Run {
            index: self,
            terms,
            learned_order,
            limit: steps,
            steps: Cell::new(0),
        };
        let result = pubgrub::resolve(&run, Id::ROOT, 0_u32);
        self.spent.set(self.spent.get() + run.steps.get());
        match result {
            Ok(found) => Ok(Outcome::Fits(
                found
                    .into_iter()
                    .filter(|(id, _)| *id != Id::ROOT)
                    .collect(),
            )),
            Err(PubGrubError::NoSolution(proof)) => Ok(Outcome::Unfit(run.elements(proof))),
            Err(
                PubGrubError::ErrorRetrievingDependencies { source, .. }
                | PubGrubError::ErrorChoosingVersion { source, .. }
                | PubGrubError::ErrorInShouldCancel(source),
            ) => Err(source),
        }
    }
}

struct Run<'a, 'q, C: Catalogue> {
    index: &'a Index<'q, C>,
    terms: &'a Terms,
    learned_order: bool,
    limit: u64,
    steps: Cell<u64>,
}

impl<C: Catalogue> Run<'_, '_, C> {
    /// What a version needs under the terms of this run; none if it cannot be had itself.
    fn needs(&self, id: Id, version: u32) -> Result<Option<Vec<Edge>>, Stop> {
        let mut needs: Vec<Edge> = Vec::new();
        for edge in self.index.edges(id, version)?.iter() {
            let ignored = self.terms.ignored.contains(&edge.to);
            if ignored || !self.terms.counts(Element::Edge(id, edge.to)) {
                continue;
            }
            let mut edge = edge.clone();
            if let Some(instead) = &self.terms.instead
                && (instead.by, instead.of) == (id, edge.to)
            {
                edge.to = instead.to;
                edge.set = self.index.entry(edge.to)?.fitting(&instead.constraint);
            }
            if edge.to == id {
                if edge.set.has(version) {
                    continue;
                }
                return Ok(None);
            }
            if let Some(held) = self.terms.held.get(&edge.to)
                && self.terms.counts(Element::Held(edge.to))
            {
                let place = self.index.entry(edge.to)?.place(*held);
                let only = place.map_or_else(<Versions as pubgrub::VersionSet>::empty, |at| {
                    <Versions as pubgrub::VersionSet>::singleton(at)
                });
                edge.set = edge.set.and(&only);
            }
            match needs.iter_mut().find(|other| other.to == edge.to) {
                Some(other) => other.set = other.set.and(&edge.set),
                None => needs.push(edge),
            }
        }
        Ok(Some(needs))
    }

    /// The elements in a proof. It can be thousands of levels deep, and what it shares can be met
    /// from exponentially many sides: it is neither walked nor dropped by recursion.
    fn elements(&self, proof: DerivationTree<Id, Versions, Itself>) -> BTreeSet<Element> {
        let mut elements = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut keep = Vec::new();
        let mut open = vec![Arc::new(proof)];
        while let Some(tree) = open.pop() {
            if !seen.insert(Arc::as_ptr(&tree)) {
                continue;
            }
            match &*tree {
                DerivationTree::Derived(derived) => {
                    open.extend([derived.cause1.clone(), derived.cause2.clone()]);
                }
                DerivationTree::External(External::FromDependencyOf(by, _, to, _)) => {
                    elements.insert(Element::Edge(*by, *to));
                    if let Some(instead) = &self.terms.instead
                        && (instead.by, instead.to) == (*by, *to)
                    {
                        elements.insert(Element::Edge(*by, instead.of));
                    }
                    if self.terms.held.contains_key(to) && self.terms.counts(Element::Held(*to)) {
                        elements.insert(Element::Held(*to));
                    }
                }
                DerivationTree::External(External::Custom(id, ..)) => {
                    elements.insert(Element::Edge(*id, *id));
                }
                DerivationTree::External(External::NotRoot(..) | External::NoVersions(..)) => {}
            }
            keep.push(tree);
        }
        while let Some(tree) = keep.pop() {
            if let Ok(DerivationTree::Derived(derived)) = Arc::try_unwrap(tree) {
                keep.extend([derived.cause1, derived.cause2]);
            }
        }
        elements
    }
}

/// That a version needs another one of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Itself;

impl fmt::Display for Itself {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it depends on another version of itself")
    }
}

type Priority = (bool, u8, u32, Reverse<Rc<str>>);

impl<C: Catalogue> DependencyProvider for Run<'_, '_, C> {
    type P = Id;
    type V = u32;
    type VS = Versions;
    type Priority = Priority;
    type M = Itself;
    type Err = Stop;

    /// What has no choice comes first: it takes nothing from anybody. Then an order of names, so
    /// that the answer depends on nothing else.
    fn prioritize(
        &self,
        id: &Id,
        range: &Versions,
        statistics: &PackageResolutionStatistics,
    ) -> Priority {
        let Ok(entry) = self.index.entry(*id) else {
            return (true, u8::MAX, 0, Reverse("".into()));
        };
        let forced = range.below(entry.versions.len()).take(2).count() < 2;
        let class = match () {
            () if self.terms.first.contains(id) => 2,
            () if entry.direct => 1,
            () => 0,
        };
        let conflicts = statistics.conflict_count();
        let name = Reverse(entry.name.clone());
        match self.learned_order {
            true => (forced, 0, conflicts, name),
            false => (forced, class, 0, name),
        }
    }

    fn choose_version(&self, id: &Id, range: &Versions) -> Result<Option<u32>, Stop> {
        Ok(range.newest(self.index.entry(*id)?.versions.len()))
    }

    fn get_dependencies(
        &self,
        id: &Id,
        version: &u32,
    ) -> Result<Dependencies<Id, Versions, Itself>, Stop> {
        Ok(match self.needs(*id, *version)? {
            None => Dependencies::Unavailable(Itself),
            Some(needs) => {
                Dependencies::Available(needs.into_iter().map(|edge| (edge.to, edge.set)).collect())
            }
        })
    }

    fn should_cancel(&self) -> Result<(), Stop> {
        self.index
            .question
            .cancel
            .check()
            .map_err(Stop::Cancelled)?;
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        match steps > self.limit {
            true => Err(Stop::Steps(self.limit)),
            false => Ok(()),
        }
    }
}
