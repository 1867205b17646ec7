//! The cookbooks that are wanted by name alone: which version of each, from which source, and its
//! files.
//!
//! What is locked and still fits is taken as it is: then no source is asked what it has. Otherwise the
//! sources are asked, and the solver chooses, moving what is locked as little as possible.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::gather::Gathered;
use super::load::{GatheredCookbook, Place, load, read_metadata};
use super::own_metadata::OwnMetadata;
use super::plans::Plans;
use super::{Context, Error, LockDifference, LockMode};
use crate::error::{Diagnose, Diagnostic, Kind};
use crate::event::Event;
use crate::layout::CookbookPlan;
use crate::limits::Limits;
use crate::lockfile::{LockedCookbook, Lockfile, Pin};
use crate::manifest::Manifest;
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::resolve::{self, Candidate, Catalogue, Question, solve};
use crate::source::open_folder;
use crate::upstream::{
    Fetched, LocalCookbook, ReadCookbook, Surroundings, UpstreamError, Upstreams, Wanted,
    in_parallel,
};
use crate::version::Version;

/// Finds the cookbooks that the manifest, or what it locates, wants by name alone.
pub(super) fn find_named(
    cx: &Context<'_>,
    plans: &Plans,
    manifest: &Manifest,
    mode: LockMode<'_>,
    found: &Gathered,
) -> Result<Gathered, Error> {
    let is_there = |name: &String| {
        let name = name.parse::<CookbookName>();
        name.is_ok_and(|name| found.contains_key(&name) || manifest.provided.contains(&name))
    };
    if wanted_names(manifest, found).iter().all(is_there) {
        return Ok(Gathered::new());
    }
    let named = Named::open(cx, plans, manifest)?;
    if let Some(lockfile) = mode.kept()
        && let Some(locked) = needed_as_locked(manifest, lockfile, found)
    {
        let taken = named.take_locked(&locked)?;
        if fits(manifest, found, &taken) {
            return Ok(taken);
        }
    }
    if let LockMode::Exact(Some(lockfile)) = mode {
        return Err(outdated(manifest, lockfile, found));
    }
    named.choose(mode, found)
}

/// Whether what is found is all that is needed, and fits together.
fn fits(manifest: &Manifest, found: &Gathered, named: &Gathered) -> bool {
    let all = found.iter().chain(named);
    let candidates =
        all.map(|(name, (pin, cookbook))| (name.clone(), super::lock::candidate(pin, cookbook)));
    resolve::resolve(manifest, &candidates.collect()).is_ok()
}

/// The locked cookbooks that are needed, if all that is needed is locked to a source that may still
/// give it.
fn needed_as_locked<'a>(
    manifest: &Manifest,
    lockfile: &'a Lockfile,
    found: &Gathered,
) -> Option<Vec<(&'a CookbookName, &'a LockedCookbook)>> {
    let mut needed = BTreeMap::new();
    let mut open: Vec<String> = wanted_names(manifest, found);
    while let Some(name) = open.pop() {
        let name: CookbookName = name.parse().ok()?;
        if found.contains_key(&name)
            || manifest.provided.contains(&name)
            || needed.contains_key(&name)
        {
            continue;
        }
        let (name, locked) = lockfile.cookbooks.get_key_value(&name)?;
        let any = crate::version::Constraint::any();
        let constraint = manifest.cookbooks.get(name).map(|asked| &asked.constraint);
        if !locked.answers(name, constraint.unwrap_or(&any), &manifest.upstreams) {
            return None;
        }
        open.extend(locked.dependencies.iter().map(ToString::to_string));
        needed.insert(name, locked);
    }
    Some(needed.into_iter().collect())
}

/// The names that are wanted: by the manifest without a source, and by what it locates.
pub(super) fn wanted_names(manifest: &Manifest, found: &Gathered) -> Vec<String> {
    let stated = manifest.cookbooks.iter();
    let stated = stated.filter(|(_, asked)| asked.source.is_none());
    let needed = found.values();
    let needed = needed.flat_map(|(_, cookbook)| &*cookbook.dependencies);
    stated
        .map(|(name, _)| name.to_string())
        .chain(needed.map(|dependency| dependency.name.clone()))
        .collect()
}

/// By what a lockfile that may not change does not fit any more.
fn outdated(manifest: &Manifest, lockfile: &Lockfile, found: &Gathered) -> Error {
    let missing = wanted_names(manifest, found).into_iter();
    let missing = missing.filter_map(|name| name.parse::<CookbookName>().ok());
    let missing: BTreeSet<_> = missing
        .filter(|name| !found.contains_key(name) && !manifest.provided.contains(name))
        .filter(|name| !lockfile.cookbooks.contains_key(name))
        .collect();
    let mut differences: Vec<_> = missing.into_iter().map(LockDifference::Added).collect();
    if differences.is_empty() {
        differences.push(LockDifference::Requirements);
    }
    Error::LockOutdated { differences }
}

/// The sources of a run.
pub(super) struct Named<'a> {
    cx: &'a Context<'a>,
    plans: &'a Plans,
    manifest: &'a Manifest,
    project: PathBuf,
    upstreams: Upstreams,
    own_metadata: OwnMetadata,
}

/// A version that is wanted, and where it is.
struct Chosen {
    name: CookbookName,
    version: Version,
    /// The source's address.
    upstream: String,
    /// The folder in which it stands, if it is not to be fetched.
    folder: Option<PathBuf>,
    locked: Option<LockedCookbook>,
}

impl<'a> Named<'a> {
    pub(super) fn open(
        cx: &'a Context<'a>,
        plans: &'a Plans,
        manifest: &'a Manifest,
    ) -> Result<Self, Error> {
        let project = manifest.folder();
        let store = cx.store();
        let surroundings = Surroundings {
            project: &project,
            access: cx.upstreams(),
            store: &store,
            offline: cx.is_offline(),
            limits: cx.limits(),
            cancel: cx.cancel(),
            reader: Arc::new(Reader {
                limits: *cx.limits(),
            }),
        };
        Ok(Self {
            upstreams: Upstreams::open(&manifest.upstreams, &surroundings)?,
            own_metadata: OwnMetadata::default(),
            cx,
            plans,
            manifest,
            project,
        })
    }

    /// The versions of a name that its source has.
    pub(super) fn versions_of(&self, name: &CookbookName) -> Result<Option<Vec<Version>>, Error> {
        let offers = self.upstreams.offers(name.as_str())?;
        let versions = offers.versions.iter().map(|offer| offer.version);
        Ok(offers.source.map(|_| versions.collect()))
    }

    /// What is locked, as it is.
    fn take_locked(&self, locked: &[(&CookbookName, &LockedCookbook)]) -> Result<Gathered, Error> {
        let chosen = locked.iter().filter_map(|(name, locked)| {
            let Pin::Upstream {
                upstream,
                url,
                sha256,
            } = &*locked.pin
            else {
                return None;
            };
            Some(Chosen {
                name: (*name).clone(),
                version: locked.version,
                upstream: upstream.clone(),
                folder: sha256.is_none().then(|| PathBuf::from(url)),
                locked: Some((*locked).clone()),
            })
        });
        self.bring(&chosen.collect::<Vec<_>>())
    }

    /// Asks the sources, and chooses.
    fn choose(&self, mode: LockMode<'_>, found: &Gathered) -> Result<Gathered, Error> {
        let cx = self.cx;
        self.upstreams.load(cx.fetches(), cx.reporter())?;
        let pinned: BTreeMap<CookbookName, Candidate> = found
            .iter()
            .map(|(name, (pin, cookbook))| (name.clone(), super::lock::candidate(pin, cookbook)))
            .collect();
        let mut question = Question::new(self.manifest, &pinned);
        question.cancel = cx.cancel().clone();
        let lockfile = mode.lockfile();
        if let Some(lockfile) = lockfile {
            let named = lockfile.cookbooks.iter();
            let named = named.filter(|(_, locked)| matches!(*locked.pin, Pin::Upstream { .. }));
            question.preferred = match mode {
                LockMode::Update(_, []) => BTreeMap::new(),
                _ => named
                    .map(|(name, locked)| (name.clone(), locked.version))
                    .collect(),
            };
        }
        if let LockMode::Import(lock) = mode {
            question.preferred = lock.versions();
        }
        if let LockMode::Update(_, names) = mode {
            question.update = names.iter().cloned().collect();
        }
        let mut told = BTreeSet::new();
        loop {
            let chosen = self.solved(&question, mode.lockfile(), &mut told)?;
            let named = self.bring(&chosen)?;
            // What a cookbook says itself counts, whatever its source says of it.
            if fits(self.manifest, found, &named) || !self.own_metadata.note(&named) {
                return Ok(named);
            }
        }
    }

    /// What the solver chooses, and where that is.
    fn solved(
        &self,
        question: &Question<'_>,
        lockfile: Option<&Lockfile>,
        told: &mut BTreeSet<CookbookName>,
    ) -> Result<Vec<Chosen>, Error> {
        let answer = solve(question, self).map_err(Box::new)?;
        let mut chosen = Vec::new();
        for (name, version) in &answer.chosen {
            let offers = self.upstreams.offers(name.as_str())?;
            if told.insert(name.clone()) {
                self.tell(name, &offers.also_in, offers.source.as_deref());
            }
            let offer = offers
                .versions
                .iter()
                .find(|o| o.version == version.version);
            let upstream = &self.manifest.upstreams[version.source];
            let upstream = upstream.kind.address();
            let locked = lockfile.and_then(|lockfile| lockfile.cookbooks.get(name));
            // A digest counts for the very file that it was taken of.
            let same = |locked: &&LockedCookbook| {
                locked.version == version.version
                    && matches!(&*locked.pin, Pin::Upstream { upstream: at, .. } if *at == upstream)
            };
            chosen.push(Chosen {
                name: name.clone(),
                version: version.version,
                upstream: upstream.clone(),
                folder: offer.and_then(|offer| offer.path.clone()),
                locked: locked.filter(same).cloned(),
            });
        }
        Ok(chosen)
    }

    /// That a name stands in several sources is told when it is chosen: nobody shall be surprised by a
    /// stranger's cookbook of the same name.
    fn tell(&self, name: &CookbookName, also_in: &[String], source: Option<&str>) {
        if let (Some(source), [_, ..]) = (source, also_in) {
            let warning = Diagnostic::new(format!(
                "cookbook `{name}` is taken from {source}, and {} has one of that name too",
                also_in.join(" and ")
            ));
            let warning = warning.hint(format!(
                "say which one is meant: `only = [\"{name}\"]` for the one, or `except` for the other, under [[sources]]"
            ));
            self.cx.reporter().report(&Event::Warning(&warning));
        }
    }

    /// Fetches and reads what was chosen.
    fn bring(&self, chosen: &[Chosen]) -> Result<Gathered, Error> {
        let cx = self.cx;
        let remote: Vec<_> = chosen.iter().filter(|one| one.folder.is_none()).collect();
        let wanted: Vec<_> = remote.iter().map(|one| one.wanted()).collect();
        let fetched = self
            .upstreams
            .fetch_all(&wanted, cx.fetches(), cx.reporter());
        let mut trees = BTreeMap::new();
        for (one, fetched) in remote.iter().zip(fetched) {
            trees.insert(&one.name, fetched?);
        }
        let reading = Reading {
            manifest: self.manifest,
            project: &self.project,
            plans: self.plans,
        };
        let read = in_parallel(chosen, cx.jobs(), cx.reporter(), |one, _| {
            reading.read(one, trees.get(&one.name))
        });
        let mut gathered = Gathered::new();
        for (one, read) in chosen.iter().zip(read) {
            let (pin, mut cookbook) = read?;
            cx.reporter().report(&Event::CookbookRead {
                name: one.name.as_str(),
            });
            cookbook.tell_warnings(cx);
            gathered.insert(one.name.clone(), (pin, cookbook));
        }
        Ok(gathered)
    }
}

/// What is needed to read what was fetched, on any thread.
struct Reading<'a> {
    manifest: &'a Manifest,
    project: &'a Path,
    plans: &'a Plans,
}

impl Reading<'_> {
    fn read(
        &self,
        chosen: &Chosen,
        fetched: Option<&Fetched>,
    ) -> Result<(Arc<Pin>, Box<GatheredCookbook>), Error> {
        let at = self.manifest.cookbooks.get(&chosen.name);
        let at = at.map(|requirement| requirement.at.clone());
        let (place, pin) = match (&chosen.folder, fetched) {
            (Some(folder), _) => {
                let place = Place::folder(
                    &self.plans.folders,
                    self.project,
                    &self.project.join(folder),
                    at,
                )?;
                let pin = Pin::Upstream {
                    upstream: chosen.upstream.clone(),
                    url: self.shown(folder),
                    sha256: None,
                };
                (place, pin)
            }
            (None, Some(fetched)) => {
                let locked = chosen.locked.as_ref().map(|locked| &*locked.pin);
                let url = match (locked, &fetched.url) {
                    (Some(Pin::Upstream { url, .. }), _) => url.clone(),
                    (_, Some(url)) => url.clone(),
                    (_, None) => chosen.upstream.clone(),
                };
                let place = Place {
                    tree: Arc::clone(&fetched.tree),
                    base: TreePath::root(),
                    fallback_name: Some(chosen.name.shared()),
                    declared: None,
                    at,
                };
                let pin = Pin::Upstream {
                    upstream: chosen.upstream.clone(),
                    url,
                    sha256: Some(fetched.digest),
                };
                (place, pin)
            }
            (None, None) => {
                return Err(Error::from(UpstreamError::NotFound {
                    name: chosen.name.to_string(),
                    version: chosen.version,
                }));
            }
        };
        // A folder may change; a tarball may not.
        let locked = chosen.locked.as_ref().filter(|_| fetched.is_some());
        let loaded = load(self.plans, place, locked.map(|locked| locked.content), None)?;
        let cookbook = Box::new(loaded.set_aside(&self.plans.spill));
        self.check(chosen, &pin, &cookbook)?;
        Ok((Arc::new(pin), cookbook))
    }

    /// A folder as a lockfile names it: from the manifest's own, where it lies there.
    fn shown(&self, folder: &Path) -> String {
        let own = folder.strip_prefix(self.project).unwrap_or(folder);
        own.display().to_string()
    }

    /// Whether what was read is what the source said, and what is locked.
    fn check(&self, chosen: &Chosen, pin: &Pin, cookbook: &GatheredCookbook) -> Result<(), Error> {
        let found = (&cookbook.name, cookbook.version);
        if found != (&chosen.name, chosen.version) {
            return Err(Error::NotAsListed {
                name: chosen.name.clone(),
                version: chosen.version,
                source_label: chosen.upstream.clone(),
                found: format!("{} {}", found.0, found.1),
            });
        }
        let content = cookbook.content;
        let is_file = matches!(
            pin,
            Pin::Upstream {
                sha256: Some(_),
                ..
            }
        );
        match &chosen.locked {
            Some(locked)
                if is_file && locked.content != content && cookbook.plan.refused.is_empty() =>
            {
                Err(Error::ContentChanged {
                    name: chosen.name.clone(),
                    pin: Arc::new(pin.clone()),
                    locked: locked.content,
                    found: content,
                })
            }
            _ => Ok(()),
        }
    }
}

impl Chosen {
    fn wanted(&self) -> Wanted {
        let (url, digest) = match self.locked.as_ref().map(|locked| &*locked.pin) {
            Some(Pin::Upstream { url, sha256, .. }) => (Some(url.clone()), *sha256),
            _ => (None, None),
        };
        Wanted {
            name: self.name.to_string(),
            version: self.version,
            digest,
            url,
        }
    }
}

impl Catalogue for Named<'_> {
    type Error = UpstreamError;

    fn versions(&self, name: &str) -> Result<Option<Arc<[resolve::Offer]>>, UpstreamError> {
        let offers = self.upstreams.offers(name)?;
        for warning in &offers.warnings {
            let warning = warning.diagnostic();
            self.cx.reporter().report(&Event::Warning(&warning));
        }
        let Some(source) = &offers.source else {
            return Ok(None);
        };
        let source = self.upstreams.shown().position(|shown| shown == source);
        let own_metadata = name.parse::<CookbookName>().ok();
        let own_metadata = own_metadata.filter(|_| !self.own_metadata.is_empty());
        let listed = |offer: &crate::upstream::Offer| {
            let needs = offer.dependencies.iter();
            needs
                .map(|(name, constraint)| (Arc::from(name.as_str()), constraint.clone()))
                .collect()
        };
        let offer = |offer: &crate::upstream::Offer| resolve::Offer {
            version: offer.version,
            dependencies: own_metadata
                .as_ref()
                .and_then(|name| self.own_metadata.of(name, offer.version))
                .unwrap_or_else(|| listed(offer)),
            source: source.unwrap_or_default(),
        };
        Ok(Some(offers.versions.iter().map(offer).collect()))
    }

    fn names(&self) -> Vec<String> {
        let names = self.upstreams.names().unwrap_or_default();
        names.into_iter().collect()
    }

    fn sources(&self) -> Vec<String> {
        self.upstreams.shown().map(str::to_owned).collect()
    }
}

/// Reads the metadata of cookbooks in folders.
struct Reader {
    limits: Limits,
}

impl ReadCookbook for Reader {
    fn read(&self, folder: &Path) -> Result<Option<LocalCookbook>, (Diagnostic, Kind)> {
        let told = |error: Error| {
            let shown = error.diagnostics().into_iter().next();
            let shown = shown.unwrap_or_else(|| Diagnostic::new(error.to_string()));
            (shown, error.kind())
        };
        let (tree, base) = open_folder(folder, folder).map_err(|error| told(error.into()))?;
        let place = Place {
            fallback_name: tree.folder_name(&base).map(Arc::from),
            tree: Arc::new(tree),
            base,
            declared: None,
            at: None,
        };
        let found = match read_metadata(&self.limits, &place, &CookbookPlan::default()) {
            Ok(found) => found,
            Err(Error::NotACookbook { .. }) => return Ok(None),
            Err(error) => return Err(told(error)),
        };
        let dependencies = found.metadata.dependencies.iter();
        Ok(Some(LocalCookbook {
            name: found.name.to_string(),
            version: found.metadata.version,
            dependencies: dependencies
                .map(|dependency| (dependency.name.clone(), dependency.constraint.clone()))
                .collect(),
        }))
    }
}
