//! What is known of names while one question is answered: each is asked for once, and the
//! dependencies of a version become sets of versions when it is first looked at.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use super::catalogue::{Catalogue, Offer};
use super::question::Question;
use super::versions::Versions;
use super::{Candidate, Stop};
use crate::name::CookbookName;
use crate::text::Location;
use crate::version::{Constraint, Version};

/// A name, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(u32);

impl Id {
    /// Who asks for what the manifest names.
    pub(super) const ROOT: Self = Self(0);
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What a version needs of a name: all that it says of that name taken together.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) to: Id,
    pub(super) set: Versions,
}

/// Where a name comes from.
#[derive(Debug)]
pub(super) enum Origin<'q> {
    Root,
    Pinned(&'q Candidate),
    /// By version, the oldest first.
    Offered(Vec<Offered>),
    /// The name is no cookbook's, or no source has it.
    Nowhere,
}

/// A version, and its place in the catalogue's list.
#[derive(Debug)]
pub(super) struct Offered {
    at: usize,
    list: Arc<[Offer]>,
}

impl Offered {
    pub(super) fn offer(&self) -> &Offer {
        &self.list[self.at]
    }
}

/// All that is known of a name.
#[derive(Debug)]
pub(super) struct Entry<'q> {
    pub(super) name: Rc<str>,
    pub(super) origin: Origin<'q>,
    /// The oldest first.
    pub(super) versions: Vec<Version>,
    /// Whether the manifest names it.
    pub(super) direct: bool,
    edges: RefCell<Vec<Option<Rc<[Edge]>>>>,
}

impl Entry<'_> {
    /// The versions that fit.
    pub(super) fn fitting(&self, constraint: &Constraint) -> Versions {
        Versions::of(self.versions.len(), |at| {
            constraint.matches(self.versions[at])
        })
    }

    /// The place of a version.
    pub(super) fn place(&self, version: Version) -> Option<u32> {
        let at = self.versions.binary_search(&version).ok()?;
        u32::try_from(at).ok()
    }

    /// All versions.
    pub(super) fn all(&self) -> Versions {
        Versions::of(self.versions.len(), |_| true)
    }
}

/// One dependency as somebody wrote it.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) constraint: Constraint,
    pub(super) at: Option<Location>,
}

/// The names met so far.
pub(super) struct Index<'q, C: Catalogue> {
    pub(super) question: &'q Question<'q>,
    pub(super) catalogue: &'q C,
    names: RefCell<Vec<Rc<str>>>,
    ids: RefCell<HashMap<Rc<str>, Id>>,
    entries: RefCell<Vec<Option<Rc<Entry<'q>>>>>,
    failed: RefCell<Option<C::Error>>,
    /// The steps of all runs so far.
    pub(super) spent: Cell<u64>,
}

impl<'q, C: Catalogue> Index<'q, C> {
    pub(super) fn new(question: &'q Question<'q>, catalogue: &'q C) -> Self {
        let root = Entry {
            name: "".into(),
            origin: Origin::Root,
            versions: vec![Version::default()],
            direct: true,
            edges: RefCell::new(vec![None]),
        };
        Self {
            question,
            catalogue,
            names: RefCell::new(vec!["".into()]),
            // The root is found by no name: an odd dependency on `` is not one on it.
            ids: RefCell::new(HashMap::new()),
            entries: RefCell::new(vec![Some(Rc::new(root))]),
            failed: RefCell::new(None),
            spent: Cell::new(0),
        }
    }

    /// What the catalogue failed with, once [`Stop::Catalogue`] was met.
    pub(super) fn take_failure(&self) -> Option<C::Error> {
        self.failed.borrow_mut().take()
    }

    /// The number of a name.
    pub(super) fn id(&self, name: &str) -> Id {
        if let Some(id) = self.ids.borrow().get(name) {
            return *id;
        }
        let mut names = self.names.borrow_mut();
        let id = Id(u32::try_from(names.len()).unwrap_or(u32::MAX));
        let name: Rc<str> = name.into();
        names.push(name.clone());
        self.ids.borrow_mut().insert(name, id);
        self.entries.borrow_mut().push(None);
        id
    }

    pub(super) fn name(&self, id: Id) -> Rc<str> {
        self.names.borrow()[id.0 as usize].clone()
    }

    /// What is known of a name; asks for it the first time.
    pub(super) fn entry(&self, id: Id) -> Result<Rc<Entry<'q>>, Stop> {
        if let Some(entry) = &self.entries.borrow()[id.0 as usize] {
            return Ok(entry.clone());
        }
        let name = self.name(id);
        let (origin, versions) = self.origin(&name)?;
        let entry = Rc::new(Entry {
            direct: self.question.manifest.cookbooks.contains_key(&*name),
            edges: RefCell::new(vec![None; versions.len()]),
            name,
            origin,
            versions,
        });
        self.entries.borrow_mut()[id.0 as usize] = Some(entry.clone());
        Ok(entry)
    }

    fn origin(&self, name: &str) -> Result<(Origin<'q>, Vec<Version>), Stop> {
        if let Some(candidate) = self.question.pinned.get(name) {
            return Ok((Origin::Pinned(candidate), vec![candidate.version]));
        }
        if name.parse::<CookbookName>().is_err() {
            return Ok((Origin::Nowhere, Vec::new()));
        }
        let found = self.catalogue.versions(name).map_err(|error| {
            *self.failed.borrow_mut() = Some(error);
            Stop::Catalogue
        })?;
        let Some(list) = found.filter(|list| !list.is_empty()) else {
            return Ok((Origin::Nowhere, Vec::new()));
        };
        let mut places: Vec<usize> = (0..list.len()).collect();
        places.sort_by_key(|&at| (list[at].version, list[at].source));
        places.dedup_by_key(|&mut at| list[at].version);
        let versions = places.iter().map(|&at| list[at].version).collect();
        let offered = places.into_iter().map(|at| Offered {
            at,
            list: list.clone(),
        });
        Ok((Origin::Offered(offered.collect()), versions))
    }

    /// What a version depends on, by name. What the machine has already is left out.
    pub(super) fn edges(&self, id: Id, version: u32) -> Result<Rc<[Edge]>, Stop> {
        let entry = self.entry(id)?;
        if let Some(edges) = &entry.edges.borrow()[version as usize] {
            return Ok(edges.clone());
        }
        let written = self.written(&entry, version);
        let ids: Vec<Id> = written.keys().map(|name| self.id(name)).collect();
        self.announce(&ids);
        let mut edges = Vec::with_capacity(ids.len());
        for (to, written) in ids.into_iter().zip(written.into_values()) {
            let target = self.entry(to)?;
            let sets = written.iter().map(|one| target.fitting(&one.constraint));
            let set = sets.fold(target.all(), |all, one| all.and(&one));
            edges.push(Edge { to, set });
        }
        let edges: Rc<[Edge]> = edges.into();
        entry.edges.borrow_mut()[version as usize] = Some(edges.clone());
        Ok(edges)
    }

    fn announce(&self, ids: &[Id]) {
        let entries = self.entries.borrow();
        let names: Vec<_> = ids
            .iter()
            .filter(|id| entries[id.0 as usize].is_none())
            .map(|id| self.name(*id))
            .filter(|name| !self.question.pinned.contains_key(&**name))
            .collect();
        drop(entries);
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            self.catalogue.announce(&names);
        }
    }

    /// What a version says of each name that it depends on, in the order of names.
    pub(super) fn written(
        &self,
        entry: &Entry<'q>,
        version: u32,
    ) -> BTreeMap<Rc<str>, Vec<Written>> {
        let mut all: BTreeMap<Rc<str>, Vec<Written>> = BTreeMap::new();
        let mut add = |name: &str, constraint: &Constraint, at: Option<&Location>| {
            let known = self.question.pinned.contains_key(name);
            if known || !self.question.manifest.provided.contains(name) {
                all.entry(name.into()).or_default().push(Written {
                    constraint: constraint.clone(),
                    at: at.cloned(),
                });
            }
        };
        match &entry.origin {
            Origin::Root => {
                for (name, asked) in &self.question.manifest.cookbooks {
                    add(name.as_str(), &asked.constraint, Some(&asked.at));
                }
            }
            Origin::Pinned(candidate) => {
                for dependency in &*candidate.dependencies {
                    let at = Some(&dependency.at);
                    add(&dependency.name, &dependency.constraint, at);
                }
            }
            Origin::Offered(offered) => {
                for (name, constraint) in &offered[version as usize].offer().dependencies {
                    add(name, constraint, None);
                }
            }
            Origin::Nowhere => {}
        }
        all
    }
}
