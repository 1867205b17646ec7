//! From a proof that nothing fits to the few demands that already leave nothing.

use std::collections::BTreeSet;

use super::Stop;
use super::attempt::{Element, Outcome, Terms};
use super::catalogue::Catalogue;
use super::index::{Id, Index, Origin};

/// Steps in one run while a proof is made smaller and edits are tried: what takes longer is left as
/// it is.
const STEPS: u64 = 20_000;

/// Steps of all runs together after which no further ones are made for a better explanation.
const EFFORT: u64 = 150_000;

/// Elements that together leave no versions, while any of them taken away leaves some.
#[derive(Clone, Debug)]
pub(super) struct Culprits {
    pub(super) elements: BTreeSet<Element>,
    /// Whether each was tried: a run that took too long leaves its element in.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the tests assert minimality where it holds")
    )]
    pub(super) minimal: bool,
}

impl<C: Catalogue> Index<'_, C> {
    /// The culprits of one contradiction under the given terms; none if versions fit.
    pub(super) fn culprits(&self, terms: &Terms) -> Result<Option<Culprits>, Stop> {
        let Outcome::Unfit(mut elements) = self.attempt(terms)? else {
            return Ok(None);
        };
        let mut terms = terms.clone();
        terms.steps = self.steps_left();
        // A smaller question often has a shorter proof.
        loop {
            terms.only = Some(elements.clone());
            match self.attempt(&terms) {
                Ok(Outcome::Unfit(fewer)) if fewer.len() < elements.len() => elements = fewer,
                Ok(_) | Err(Stop::Steps(_)) => break,
                Err(stop) => return Err(stop),
            }
        }
        let mut minimal = true;
        let mut order: Vec<_> = elements.iter().copied().collect();
        order.sort_by_cached_key(|element| self.weight(*element));
        for element in order {
            if !elements.remove(&element) {
                continue;
            }
            terms.only = Some(elements.clone());
            terms.steps = self.steps_left();
            match self.attempt(&terms) {
                Ok(Outcome::Unfit(fewer)) => elements = fewer,
                Ok(Outcome::Fits(_)) => {
                    elements.insert(element);
                }
                Err(Stop::Steps(_)) => {
                    minimal = false;
                    elements.insert(element);
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(Some(Culprits { elements, minimal }))
    }

    /// How long a run for a better explanation may take; not at all, once enough was done.
    pub(super) fn steps_left(&self) -> u64 {
        STEPS.min(EFFORT.saturating_sub(self.spent.get()))
    }

    /// What is taken away first is what a person can do least about.
    fn weight(&self, element: Element) -> (u8, [String; 2]) {
        let name = |id: Id| self.name(id).to_string();
        match element {
            Element::Edge(Id::ROOT, to) => (2, [String::new(), name(to)]),
            Element::Edge(by, to) => {
                let pinned = self
                    .entry(by)
                    .is_ok_and(|entry| matches!(entry.origin, Origin::Pinned(_)));
                (u8::from(pinned), [name(by), name(to)])
            }
            Element::Held(id) => (3, [name(id), String::new()]),
        }
    }
}
