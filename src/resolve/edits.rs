//! Changes after which a contradiction is gone, found by trying.

use super::Stop;
use super::attempt::{Element, Instead, Outcome, Terms};
use super::catalogue::Catalogue;
use super::clash::Edit;
use super::explain::{Story, version_at};
use super::index::{Id, Origin, Written};
use crate::version::{Constraint, Operator, Version};

/// Edits that are told.
const TOLD: usize = 2;

/// Runs that are made for them.
const RUNS: usize = 16;

/// The edits of one contradiction, best first, and whether every demand in a file was tried.
pub(super) fn find<C: Catalogue>(
    story: &Story<'_, '_, C>,
    contested: Id,
    near: Option<&str>,
) -> Result<(Vec<Edit>, bool), Stop> {
    let mut search = Search {
        story,
        runs: 0,
        edits: Vec::new(),
        searched: true,
    };
    let (manifest, others): (Vec<_>, Vec<_>) = story
        .in_order()
        .into_iter()
        .partition(|(by, _)| *by == Id::ROOT);
    if let Some(near) = near {
        for (by, to) in manifest.iter().chain(&others) {
            if *to == contested {
                search.rename(*by, *to, near)?;
            }
        }
    }
    // What is asked of the contested name itself is nearest at hand.
    let (about, above): (Vec<_>, Vec<_>) =
        manifest.into_iter().partition(|(_, to)| *to == contested);
    for (by, to) in about.into_iter().chain(above) {
        search.loosen(by, to)?;
    }
    for element in story.elements {
        if let Element::Held(id) = element {
            search.free(*id)?;
        }
    }
    for (by, to) in others {
        search.loosen(by, to)?;
    }
    Ok((search.edits, search.searched))
}

struct Search<'a, 'b, 'q, C: Catalogue> {
    story: &'a Story<'b, 'q, C>,
    runs: usize,
    edits: Vec<Edit>,
    searched: bool,
}

impl<C: Catalogue> Search<'_, '_, '_, C> {
    /// The version that a name has when a demand is put in another's place.
    fn tried(&mut self, instead: Instead) -> Result<Option<Version>, Stop> {
        let mut terms = self.story.terms.clone();
        let to = instead.to;
        terms.instead = Some(instead);
        self.run(&terms, to)
    }

    fn run(&mut self, terms: &Terms, id: Id) -> Result<Option<Version>, Stop> {
        if self.runs >= RUNS || self.edits.len() >= TOLD {
            self.searched = false;
            return Ok(None);
        }
        self.runs += 1;
        let mut terms = terms.clone();
        terms.steps = self.story.index.steps_left();
        match self.story.index.attempt(&terms) {
            Ok(Outcome::Fits(found)) => version_at(self.story.index, id, &found),
            Ok(Outcome::Unfit(_)) => Ok(None),
            Err(Stop::Steps(_)) => {
                self.searched = false;
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    /// What is written in a file that the user can be expected to change.
    fn written(&mut self, by: Id, to: Id) -> Result<Option<Written>, Stop> {
        let entry = self.story.index.entry(by)?;
        if !matches!(entry.origin, Origin::Root | Origin::Pinned(_)) {
            return Ok(None);
        }
        let name = self.story.index.name(to);
        let mut written = self
            .story
            .index
            .written(&entry, 0)
            .remove(&*name)
            .unwrap_or_default();
        Ok(match written.len() {
            1 => written.pop(),
            _ => {
                self.searched = false;
                None
            }
        })
    }

    fn rename(&mut self, by: Id, from: Id, near: &str) -> Result<(), Stop> {
        let Some(written) = self.written(by, from)? else {
            return Ok(());
        };
        let instead = Instead {
            by,
            of: from,
            to: self.story.index.id(near),
            constraint: written.constraint,
        };
        if self.tried(instead)?.is_some() {
            self.edits.push(Edit::Rename {
                from: self.story.index.name(from).to_string(),
                to: near.to_owned(),
                at: written.at,
            });
        }
        Ok(())
    }

    fn loosen(&mut self, by: Id, to: Id) -> Result<(), Stop> {
        let Some(Written { constraint, at }) = self.written(by, to)? else {
            return Ok(());
        };
        let with = |constraint: &Constraint| Instead {
            by,
            of: to,
            to,
            constraint: constraint.clone(),
        };
        if constraint.is_any() {
            return Ok(());
        }
        let Some(version) = self.tried(with(&Constraint::any()))? else {
            return Ok(());
        };
        let other = match constraint.operator() {
            Operator::Equal => Constraint::exactly(version),
            _ => Constraint::within_major(version),
        };
        if let Some(version) = self.tried(with(&other))? {
            self.edits.push(Edit::Constraint {
                name: self.story.index.name(to).to_string(),
                from: constraint,
                to: other,
                at,
                version,
            });
        }
        Ok(())
    }

    fn free(&mut self, id: Id) -> Result<(), Stop> {
        let mut terms = self.story.terms.clone();
        terms.without.insert(Element::Held(id));
        if let Some(version) = self.run(&terms, id)? {
            self.edits.push(Edit::Free {
                name: self.story.index.name(id).to_string(),
                version,
            });
        }
        Ok(())
    }
}
