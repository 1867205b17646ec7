//! What a person is told of culprits: who wants what, why each version is out, what was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Stop;
use super::attempt::{Element, Terms};
use super::catalogue::Catalogue;
use super::clash::{Asker, Clash, Contradiction, Pinned, Reason, RuledOut, Want};
use super::edits;
use super::index::{Entry, Id, Index, Origin, Written};
use super::shrink::Culprits;
use super::versions::Versions;
use crate::text::{Location, nearest};
use crate::version::{Constraint, Version};

/// Contradictions that are told at once.
const TOLD: usize = 3;

/// Contradictions that are looked for, so that an edit of one is not held against another.
const SOUGHT: usize = 16;

/// What does not fit, where it is known that something does not.
pub(super) fn clash<C: Catalogue>(index: &Index<'_, C>, terms: &Terms) -> Result<Clash, Stop> {
    let mut found: Vec<(Id, Culprits)> = Vec::new();
    let mut rest = terms.clone();
    while found.len() < SOUGHT {
        match index.culprits(&rest) {
            Ok(Some(culprits)) => {
                let name = Story::new(index, &rest, &culprits.elements)?.contested()?;
                rest.ignored.insert(name);
                found.push((name, culprits));
            }
            Ok(None) => break,
            Err(Stop::Steps(_)) if !found.is_empty() => break,
            Err(stop) => return Err(stop),
        }
    }
    let mut contradictions = Vec::new();
    for (name, culprits) in found.iter().take(TOLD) {
        let mut terms = rest.clone();
        terms.ignored.remove(name);
        let story = Story::new(index, &terms, &culprits.elements)?;
        contradictions.push(story.tell()?);
    }
    Ok(Clash {
        contradictions,
        more: found.len() > TOLD,
    })
}

/// What follows from culprits by going along them from the manifest downwards.
pub(super) struct Story<'a, 'q, C: Catalogue> {
    pub(super) index: &'a Index<'q, C>,
    pub(super) terms: &'a Terms,
    pub(super) elements: &'a BTreeSet<Element>,
    /// The versions of each name that nothing excludes so far.
    left: BTreeMap<Id, Versions>,
    /// The names that every answer would have.
    certain: BTreeSet<Id>,
    /// How far each name is from the manifest.
    depth: BTreeMap<Id, usize>,
}

impl<'a, 'q, C: Catalogue> Story<'a, 'q, C> {
    fn new(
        index: &'a Index<'q, C>,
        terms: &'a Terms,
        elements: &'a BTreeSet<Element>,
    ) -> Result<Self, Stop> {
        let mut story = Self {
            index,
            terms,
            elements,
            left: BTreeMap::new(),
            certain: BTreeSet::from([Id::ROOT]),
            depth: BTreeMap::from([(Id::ROOT, 0)]),
        };
        for element in elements {
            let ids = match *element {
                Element::Edge(by, to) => [by, to],
                Element::Held(id) => [id, id],
            };
            for id in ids {
                let all = index.entry(id)?.all();
                story.left.insert(id, all);
            }
        }
        for element in elements {
            if let Element::Held(id) = element
                && let Some(version) = terms.held.get(id)
            {
                let entry = index.entry(*id)?;
                let kept = Versions::of(entry.versions.len(), |at| entry.versions[at] == *version);
                story.left.insert(*id, kept);
            }
        }
        while story.follow()? {}
        Ok(story)
    }

    fn edges(&self) -> impl Iterator<Item = (Id, Id)> {
        self.elements.iter().filter_map(|element| match element {
            Element::Edge(by, to) => Some((*by, *to)),
            Element::Held(_) => None,
        })
    }

    /// Goes along all edges once; whether anything new was learnt.
    fn follow(&mut self) -> Result<bool, Stop> {
        let mut learnt = false;
        for (by, to) in self.edges().collect::<Vec<_>>() {
            let far = self.depth.get(&by).map(|depth| depth + 1);
            if let Some(far) = far
                && self.depth.get(&to).is_none_or(|known| *known > far)
            {
                self.depth.insert(to, far);
                learnt = true;
            }
            if !self.certain.contains(&by) || by == to {
                continue;
            }
            let Some(wanted) = self.wanted(by, to, &self.left[&by])? else {
                continue;
            };
            let left = self.left[&to].and(&wanted);
            learnt |= self.certain.insert(to) | (left != self.left[&to]);
            self.left.insert(to, left);
        }
        Ok(learnt)
    }

    /// The versions that at least one of the given versions would take; none if one of them takes
    /// any, or if there are none of them.
    fn wanted(&self, by: Id, to: Id, of: &Versions) -> Result<Option<Versions>, Stop> {
        let entry = self.index.entry(by)?;
        let mut wanted: Option<Versions> = None;
        for version in of.below(entry.versions.len()) {
            let edges = self.index.edges(by, version)?;
            let Some(edge) = edges.iter().find(|edge| edge.to == to) else {
                return Ok(None);
            };
            wanted = Some(match wanted {
                Some(all) => all.or(&edge.set),
                None => edge.set.clone(),
            });
        }
        Ok(wanted)
    }

    /// The versions of a name whose demands are told: those that are left, or all if none is.
    fn told(&self, id: Id, entry: &Entry<'_>) -> Versions {
        match self.left.get(&id) {
            Some(left) if left.newest(entry.versions.len()).is_some() => left.clone(),
            _ => entry.all(),
        }
    }

    fn tell(&self) -> Result<Contradiction, Stop> {
        let question = self.index.question;
        let contested = self.contested()?;
        let entry = self.index.entry(contested)?;
        let asked = self.index.catalogue.sources();
        let (known, source) = match &entry.origin {
            Origin::Pinned(candidate) => (true, Some(candidate.pin.to_string())),
            Origin::Offered(_) => (true, self.source(&entry, &asked)),
            Origin::Root | Origin::Nowhere => (false, None),
        };
        let line = question.manifest.cookbooks.get(&*entry.name);
        let pinned = match &entry.origin {
            Origin::Pinned(candidate) => Some(Pinned {
                version: candidate.version,
                at: line.map(|asked| asked.at.clone()),
            }),
            _ => None,
        };
        let near = match known {
            true => None,
            false => self.near(contested, &entry.name),
        };
        let (edits, edits_searched) = edits::find(self, contested, near.as_deref())?;
        Ok(Contradiction {
            name: entry.name.to_string(),
            known,
            pinned,
            wants: self.wants(&asked)?,
            ruled_out: self.ruled_out(contested, &entry)?,
            source,
            asked,
            near,
            edits,
            edits_searched,
            manifest: (
                question.manifest.file().name().to_owned(),
                question.manifest.format(),
            ),
        })
    }

    fn source(&self, entry: &Entry<'_>, asked: &[String]) -> Option<String> {
        let Origin::Offered(offered) = &entry.origin else {
            return None;
        };
        asked.get(offered.last()?.offer().source).cloned()
    }

    /// What was perhaps meant; what the manifest names beside it was not.
    fn near(&self, id: Id, name: &str) -> Option<String> {
        let question = self.index.question;
        let mut known = self.index.catalogue.names();
        known.extend(question.pinned.keys().map(ToString::to_string));
        if self.elements.contains(&Element::Edge(Id::ROOT, id)) {
            known.retain(|name| !question.manifest.cookbooks.contains_key(name.as_str()));
        }
        known.sort();
        nearest(name, known.iter().map(String::as_str)).map(str::to_owned)
    }

    /// The name on which the demands meet: one that is needed and that nothing gives, else one of
    /// which nothing is left, else one of which each version is out for a reason of its own, else
    /// the one that most demands are about, the farthest from the manifest.
    fn contested(&self) -> Result<Id, Stop> {
        let mut best = None;
        for (id, left) in self.left.iter().filter(|(id, _)| **id != Id::ROOT) {
            let entry = self.index.entry(*id)?;
            let certain = self.certain.contains(id);
            let demands = self.elements.iter().filter(|element| match element {
                Element::Edge(_, to) => to == id,
                Element::Held(held) => held == id,
            });
            let mut explained = certain;
            for version in (0_u32..).take(entry.versions.len()) {
                explained = explained && self.reason(*id, &entry, version)? != Reason::Together;
            }
            let score = (
                certain && matches!(entry.origin, Origin::Nowhere),
                certain && left.newest(entry.versions.len()).is_none(),
                explained,
                !matches!(entry.origin, Origin::Nowhere),
                demands.count(),
                self.depth.get(id).copied(),
                std::cmp::Reverse(entry.name.clone()),
            );
            if best.as_ref().is_none_or(|(known, _)| *known < score) {
                best = Some((score, *id));
            }
        }
        Ok(best.map_or(Id::ROOT, |(_, id)| id))
    }

    /// The edges in the order in which they are told: from the manifest downwards, then by name.
    pub(super) fn in_order(&self) -> Vec<(Id, Id)> {
        let mut edges: Vec<_> = self.edges().collect();
        let depth = |id: &Id| self.depth.get(id).copied().unwrap_or(usize::MAX);
        edges.sort_by_cached_key(|(by, to)| {
            let names = (self.index.name(*by), self.index.name(*to));
            (depth(by), depth(to), names)
        });
        edges
    }

    fn wants(&self, asked: &[String]) -> Result<Vec<Want>, Stop> {
        let mut wants = Vec::new();
        for (by, to) in self.in_order() {
            let entry = self.index.entry(by)?;
            let name = self.index.name(to);
            for run in self.runs(by, &entry, &name)? {
                let asker = run.asker(&entry, asked);
                wants.extend(run.written.into_iter().map(|written| Want {
                    by: asker.clone(),
                    name: name.to_string(),
                    constraint: written.constraint,
                    at: written.at,
                }));
            }
        }
        // The manifest's come first; a person reads them as lines.
        wants.sort_by_key(|want| match (&want.by, &want.at) {
            (Asker::Manifest, Some(at)) => at.span.start,
            _ => usize::MAX,
        });
        for element in self.elements {
            if let Element::Held(id) = element
                && let Some(version) = self.terms.held.get(id)
            {
                let entry = self.index.entry(*id)?;
                wants.push(Want {
                    by: Asker::Lock {
                        version: *version,
                        gone: entry.place(*version).is_none(),
                    },
                    name: entry.name.to_string(),
                    constraint: Constraint::exactly(*version),
                    at: None,
                });
            }
        }
        Ok(wants)
    }

    /// Neighbouring versions that want the same of a name, the oldest first.
    fn runs(&self, by: Id, entry: &Rc<Entry<'q>>, name: &str) -> Result<Vec<Run>, Stop> {
        let mut runs: Vec<Run> = Vec::new();
        let mut joined = false;
        for version in self.told(by, entry).below(entry.versions.len()) {
            let Some(written) = self.index.written(entry, version).remove(name) else {
                joined = false;
                continue;
            };
            match runs.last_mut().filter(|run| joined && run.wants(&written)) {
                Some(run) => {
                    run.last = version;
                    run.count += 1;
                }
                None => runs.push(Run {
                    first: version,
                    last: version,
                    count: 1,
                    written,
                }),
            }
            joined = true;
        }
        Ok(runs)
    }

    /// Why each version of the contested name is out.
    fn ruled_out(&self, id: Id, entry: &Rc<Entry<'q>>) -> Result<Vec<RuledOut>, Stop> {
        let mut groups: Vec<RuledOut> = Vec::new();
        for (at, version) in (0_u32..).zip(entry.versions.iter().copied()) {
            let reason = self.reason(id, entry, at)?;
            match groups.last_mut().filter(|group| group.reason == reason) {
                Some(group) => {
                    group.last = version;
                    group.count += 1;
                }
                None => groups.push(RuledOut {
                    first: version,
                    last: version,
                    count: 1,
                    reason,
                }),
            }
        }
        Ok(groups)
    }

    /// What the given versions of somebody say of a name that excludes a version, each once.
    fn against(
        &self,
        asker: &Rc<Entry<'q>>,
        told: &Versions,
        name: &str,
        version: Version,
    ) -> (Vec<Constraint>, Option<Location>) {
        let mut constraints = Vec::new();
        let mut place = None;
        for at in told.below(asker.versions.len()) {
            let written = self
                .index
                .written(asker, at)
                .remove(name)
                .unwrap_or_default();
            for Written { constraint, at } in written {
                if !constraint.matches(version) && !constraints.contains(&constraint) {
                    constraints.push(constraint);
                    place = place.or(at);
                }
            }
        }
        (constraints, place)
    }

    fn reason(&self, id: Id, entry: &Rc<Entry<'q>>, version: u32) -> Result<Reason, Stop> {
        for (by, to) in self.in_order() {
            if to != id || by == id {
                continue;
            }
            let asker = self.index.entry(by)?;
            let told = self.told(by, &asker);
            let Some(wanted) = self.wanted(by, id, &told)? else {
                continue;
            };
            if !wanted.has(version) {
                let own = entry.versions[version as usize];
                let (constraints, at) = self.against(&asker, &told, &entry.name, own);
                let by = match (&asker.origin, at) {
                    (Origin::Root, Some(at)) => at.to_string(),
                    _ => format!("`{}`", asker.name),
                };
                return Ok(Reason::Unwanted { by, constraints });
            }
        }
        if self.elements.contains(&Element::Held(id))
            && let Some(held) = self.terms.held.get(&id)
            && entry.versions[version as usize] != *held
        {
            return Ok(Reason::Locked { version: *held });
        }
        for edge in self.index.edges(id, version)?.iter() {
            if !self.elements.contains(&Element::Edge(id, edge.to)) {
                continue;
            }
            let left = match edge.to == id {
                true => Versions::of(entry.versions.len(), |at| at == version as usize),
                false => self.left[&edge.to].clone(),
            };
            if edge.set.and(&left).is_empty() {
                let name = self.index.name(edge.to);
                let written = self.index.written(entry, version).remove(&*name);
                if let Some(written) = written.into_iter().flatten().next() {
                    return Ok(Reason::Needs {
                        name: name.to_string(),
                        constraint: written.constraint,
                        known: !self.index.entry(edge.to)?.versions.is_empty(),
                    });
                }
            }
        }
        Ok(Reason::Together)
    }
}

struct Run {
    first: u32,
    last: u32,
    count: usize,
    written: Vec<Written>,
}

impl Run {
    fn wants(&self, written: &[Written]) -> bool {
        let own = self.written.iter().map(|one| &one.constraint);
        own.eq(written.iter().map(|one| &one.constraint))
    }

    fn asker(&self, entry: &Entry<'_>, asked: &[String]) -> Asker {
        let version = |at: u32| entry.versions.get(at as usize).copied().unwrap_or_default();
        let name = entry.name.to_string();
        match &entry.origin {
            Origin::Pinned(candidate) => Asker::Pinned {
                name,
                version: candidate.version,
                source: candidate.pin.to_string(),
            },
            Origin::Offered(offered) => Asker::Offered {
                name,
                first: version(self.first),
                last: version(self.last),
                count: self.count,
                all: self.count == entry.versions.len(),
                source: offered
                    .first()
                    .and_then(|one| asked.get(one.offer().source))
                    .cloned()
                    .unwrap_or_default(),
            },
            Origin::Root | Origin::Nowhere => Asker::Manifest,
        }
    }
}

/// A version's place as the version.
pub(super) fn version_at<C: Catalogue>(
    index: &Index<'_, C>,
    id: Id,
    found: &BTreeMap<Id, u32>,
) -> Result<Option<Version>, Stop> {
    let entry = index.entry(id)?;
    let place = found.get(&id).map(|at| *at as usize);
    Ok(place.and_then(|at| entry.versions.get(at).copied()))
}
