//! Gathers every cookbook of a manifest: finds out where each is, brings the repositories, and reads
//! the files. What turns out to be needed only then, submodules and large files, is brought in turns,
//! all that is known to be missing at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use super::ahead::{Ahead, in_archive};
use super::expand::Expanded;
use super::load::{GatheredCookbook, LoadedCookbook, load};
use super::locate::{Located, Origin, git_failed, locate_all, wishes};
use super::plans::Plans;
use super::{Context, Error, LockMode};
use crate::error::{Diagnostic, message_with_causes};
use crate::event::Event;
use crate::git::{GitError, LargeFiles, Repositories, Request, Submodule, Wanted};
use crate::layout::{CookbookPlan, HeldContents, Refusal};
use crate::lfs::Pointer;
use crate::lockfile::{LockedSubmodule, Pin};
use crate::manifest::{CommitId, GitUrl};
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::ruby;
use crate::source::Mounted;
use crate::tree::{EntryKind, Tree, TreeError};

/// Every cookbook that was read, and where it is.
pub(super) type Gathered = BTreeMap<CookbookName, (Arc<Pin>, Box<GatheredCookbook>)>;

/// The index of a cookbook, and what is wrong with it.
type Failed = (usize, Box<Error>);

/// What a cookbook needs that is not there yet.
#[derive(Default)]
struct Needs {
    /// Paths of submodules, from the repository's root.
    submodules: BTreeSet<String>,
    /// Paths of pointers, from the repository's root, and what they point to.
    large_files: BTreeSet<(String, Pointer)>,
}

/// Finds every cookbook where it is locked, or else where the manifest says, and reads it. A
/// repository whose copy in the store turns out to be damaged is fetched anew, once.
pub(super) fn gather(
    cx: &Context<'_>,
    plans: &Plans,
    expanded: &Expanded<'_>,
    mode: LockMode<'_>,
) -> Result<Gathered, Error> {
    let manifest = &*expanded.manifest;
    let wishes = wishes(expanded, mode)?;
    let repositories = cx.repositories(manifest);
    let mut fetched_anew = BTreeSet::new();
    loop {
        let mut located = locate_all(cx, &plans.folders, manifest, &wishes, &repositories)?;
        let ahead = Ahead::new(cx, manifest, located.len());
        let read = read_all(cx, plans, &repositories, &mut located, ahead.as_ref());
        if let Some(ahead) = &ahead {
            ahead.finish();
        }
        let (index, error) = match read {
            Ok(gathered) => return Ok(gathered),
            Err((index, error)) => (index, *error),
        };
        let Some(origin) = &located[index].origin else {
            return Err(error);
        };
        // Which of them is damaged is not known, and does not matter.
        let inner = origin.submodules.values().map(|inner| &inner.url);
        let urls: Vec<_> = [origin.url].into_iter().chain(inner).collect();
        if !error.is_damage() || !fetched_anew.insert(index) {
            return Err(error);
        }
        for url in urls {
            let discarded = repositories.discard(url);
            if !discarded.map_err(|failed| git_failed(&wishes[index], failed))? {
                return Err(error);
            }
        }
        let warning = Diagnostic::new(message_with_causes(&error)).hint("it is fetched anew");
        cx.reporter().report(&Event::Warning(&warning));
    }
}

/// Reads the cookbooks that are located, and brings what they need as it becomes known.
fn read_all(
    cx: &Context<'_>,
    plans: &Plans,
    repositories: &Repositories<'_>,
    located: &mut [Located<'_>],
    mut ahead: Option<&Ahead>,
) -> Result<Gathered, Failed> {
    // A cookbook may itself lie in a submodule.
    loop {
        let mut needs = BTreeMap::new();
        for (index, place) in located.iter().enumerate() {
            let way = place.submodule_on_the_way();
            if let Some(path) = way.map_err(|error| (index, Box::new(error.into())))? {
                needs.insert(index, Needs::of_submodule(path));
            }
        }
        if needs.is_empty() {
            break;
        }
        meet(repositories, located, &needs)?;
    }
    let mut gathered = Gathered::new();
    let mut open: Vec<usize> = (0..located.len()).collect();
    open.sort_by_cached_key(|index| in_archive(located[*index].name));
    let mut met: BTreeMap<usize, Needs> = BTreeMap::new();
    while !open.is_empty() {
        let mut needs = BTreeMap::new();
        for (index, mut cookbook) in load_all(cx, plans, located, &open, ahead.take())? {
            let place = &located[index];
            let need = Needs::of(&cookbook.plan, place.origin.as_deref());
            // What was brought and is still missing will never be there.
            let is_new = met.get(&index).is_none_or(|met| need.is_more_than(met));
            if !need.is_empty() && is_new {
                needs.insert(index, need);
                continue;
            }
            let checked = place.check(&cookbook);
            checked.map_err(|error| (index, Box::new(error)))?;
            cookbook.tell_warnings(cx);
            // The same name: one text of it is enough.
            cookbook.name = place.name.clone();
            gathered.insert(place.name.clone(), (Arc::clone(&place.pin), cookbook));
        }
        meet(repositories, located, &needs)?;
        open = needs.keys().copied().collect();
        met.extend(needs);
    }
    Ok(gathered)
}

impl Needs {
    /// What keeps a cookbook from being packed, and can be brought.
    fn of(plan: &CookbookPlan, origin: Option<&Origin<'_>>) -> Self {
        let mut needs = Self::default();
        let Some(origin) = origin else {
            return needs;
        };
        for refused in &plan.refused {
            match &refused.reason {
                Refusal::Submodule { path } => {
                    needs.submodules.insert(path.clone());
                }
                Refusal::LfsPointer { path, pointer } if origin.lfs => {
                    needs.large_files.insert((path.clone(), *pointer));
                }
                _ => {}
            }
        }
        needs
    }

    fn of_submodule(path: String) -> Self {
        Self {
            submodules: BTreeSet::from([path]),
            large_files: BTreeSet::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.submodules.is_empty() && self.large_files.is_empty()
    }

    fn is_more_than(&self, other: &Self) -> bool {
        !self.submodules.is_subset(&other.submodules)
            || !self.large_files.is_subset(&other.large_files)
    }
}

impl Located<'_> {
    /// The first submodule on the way from the repository's root to the cookbook.
    fn submodule_on_the_way(&self) -> Result<Option<String>, TreeError> {
        if self.origin.is_none() {
            return Ok(None);
        }
        let mut way: Vec<_> = self.place.base.ancestors().collect();
        way.reverse();
        for folder in way.into_iter().filter(|folder| !folder.is_empty()) {
            if self.place.tree.kind(folder.as_bytes())? == Some(EntryKind::Submodule) {
                return Ok(Some(folder.to_owned()));
            }
        }
        Ok(None)
    }

    /// Whether what was read is what the manifest and the lockfile say.
    fn check(&self, cookbook: &GatheredCookbook) -> Result<(), Error> {
        if cookbook.name != *self.name {
            return Err(Error::OtherName {
                asked: self.name.clone(),
                found: cookbook.name.to_string(),
                at: self.requirement.at.clone(),
            });
        }
        let found = cookbook.content;
        match self.locked {
            Some(locked) if locked != found && cookbook.plan.refused.is_empty() => {
                Err(Error::ContentChanged {
                    name: self.name.clone(),
                    pin: Arc::clone(&self.pin),
                    locked,
                    found,
                })
            }
            _ => Ok(()),
        }
    }

    /// Reads the cookbook with these submodules in their places.
    fn mount(
        &mut self,
        repositories: &Repositories<'_>,
        found: Vec<Submodule>,
    ) -> Result<(), GitError> {
        let Some(origin) = &mut self.origin else {
            return Ok(());
        };
        for submodule in found {
            origin.submodules.insert(submodule.path.clone(), submodule);
        }
        let mut inner: BTreeMap<Vec<u8>, Arc<dyn Tree>> = BTreeMap::new();
        for (path, submodule) in &origin.submodules {
            let tree = repositories.tree(&submodule.url, &submodule.commit)?;
            inner.insert(path.clone().into_bytes(), tree);
        }
        let tree: Arc<dyn Tree> = match inner.is_empty() {
            true => Arc::clone(&origin.tree),
            false => Arc::new(Mounted::new(Arc::clone(&origin.tree), inner)),
        };
        self.place.tree = match origin.lfs {
            true => repositories.tree_with_lfs(tree),
            false => tree,
        };
        let locked = |(path, submodule): (&String, &Submodule)| {
            Some(LockedSubmodule {
                path: TreePath::parse(path).ok()?,
                url: submodule.url.redacted(),
                commit: submodule.commit.clone(),
            })
        };
        if let Pin::Git { submodules, .. } = Arc::make_mut(&mut self.pin) {
            *submodules = origin.submodules.iter().filter_map(locked).collect();
        }
        Ok(())
    }
}

impl Origin<'_> {
    /// The repository in which a path lies, and the path in it.
    fn innermost<'p>(&self, path: &'p str) -> (&GitUrl, &CommitId, &'p str) {
        let mut found = (self.url, &self.commit, path);
        for (outer, submodule) in &self.submodules {
            // They are in order, so that an inner one follows the one it lies in.
            let below = path.strip_prefix(outer.as_str());
            if let Some(below) = below.and_then(|below| below.strip_prefix('/')) {
                found = (&submodule.url, &submodule.commit, below);
            }
        }
        found
    }
}

/// Brings what is needed: everything at once.
fn meet(
    repositories: &Repositories<'_>,
    located: &mut [Located<'_>],
    needs: &BTreeMap<usize, Needs>,
) -> Result<(), Failed> {
    let mut asking = Vec::new();
    let mut requests = Vec::new();
    for (index, need) in needs {
        let place = &located[*index];
        let Some(origin) = &place.origin else {
            continue;
        };
        for path in &need.submodules {
            let (url, commit, inner) = origin.innermost(path);
            let found = repositories.submodule(url, commit, inner);
            let mut found = found.map_err(|error| (*index, Box::new(place.git_failed(error))))?;
            found.path.clone_from(path);
            requests.push(Request {
                url: found.url.clone(),
                wanted: Wanted::commit(&found.commit),
            });
            asking.push((*index, found));
        }
    }
    let brought = repositories.bring(&requests);
    brought.map_err(|(request, error)| {
        let (index, submodule) = &asking[request];
        let error = GitError::InSubmodule {
            url: located[*index].place.label(),
            path: submodule.path.clone(),
            error: Box::new(error),
        };
        (*index, Box::new(located[*index].git_failed(error)))
    })?;
    for index in needs.keys() {
        let own = asking.iter().filter(|(at, _)| at == index);
        let own = own.map(|(_, submodule)| submodule.clone()).collect();
        let mounted = located[*index].mount(repositories, own);
        mounted.map_err(|error| (*index, Box::new(located[*index].git_failed(error))))?;
    }
    meet_large_files(repositories, located, needs)
        .map_err(|(index, error)| (index, Box::new(located[index].git_failed(error))))
}

/// Brings the large files that are needed, each of the repository that its path lies in.
fn meet_large_files(
    repositories: &Repositories<'_>,
    located: &[Located<'_>],
    needs: &BTreeMap<usize, Needs>,
) -> Result<(), (usize, GitError)> {
    let mut asking = Vec::new();
    let mut requests: Vec<LargeFiles> = Vec::new();
    for (index, need) in needs {
        let Some(origin) = &located[*index].origin else {
            continue;
        };
        let begin = requests.len();
        for (path, pointer) in &need.large_files {
            let (url, commit, inner) = origin.innermost(path);
            let same = |known: &LargeFiles| known.url == *url && known.commit == *commit;
            let own = requests[begin..].iter().position(same);
            let at = own.map_or(requests.len(), |own| begin + own);
            if at == requests.len() {
                asking.push(*index);
                requests.push(LargeFiles {
                    url: url.clone(),
                    commit: commit.clone(),
                    files: BTreeMap::new(),
                });
            }
            requests[at].files.insert(inner.to_owned(), *pointer);
        }
    }
    let brought = repositories.bring_large_files(&requests);
    brought.map_err(|(request, error)| (asking[request], error))
}

/// So many cookbooks of which all is known are told of at once.
const MOST_AT_ONCE: usize = 16;

/// Reads the cookbooks at these indices, several at once, and may have them compressed `ahead`. Which
/// error is told does not depend on which came first.
fn load_all(
    cx: &Context<'_>,
    plans: &Plans,
    located: &[Located<'_>],
    open: &[usize],
    ahead: Option<&Ahead>,
) -> Result<Vec<(usize, Box<GatheredCookbook>)>, Failed> {
    let workers = cx.jobs().get().min(open.len());
    let queue = Mutex::new(open.iter().copied().enumerate());
    let (results, finished) = mpsc::channel();
    let mut loaded: Vec<(usize, Result<_, Box<Error>>)> = thread::scope(|scope| {
        for _ in 0..workers {
            let (queue, results) = (&queue, results.clone());
            let work = move || {
                let mut ahead = ahead.and_then(Ahead::worker);
                let mut done = Vec::new();
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((place, index)) = next() {
                    let load = |contents: Option<&mut HeldContents>| {
                        let located = &located[index];
                        load(plans, located.place.clone(), located.locked, contents)
                    };
                    let result = match &mut ahead {
                        Some(ahead) => ahead.load(place, load),
                        None => load(None),
                    };
                    let is_known = result.as_ref().is_ok_and(LoadedCookbook::is_known);
                    // They are moved about.
                    let boxed =
                        |cookbook: LoadedCookbook| Box::new(cookbook.set_aside(&plans.spill));
                    done.push((index, result.map(boxed).map_err(Box::new)));
                    // To wake who waits for them takes as long as to look up what is known of one.
                    let is_time = !is_known || done.len() >= MOST_AT_ONCE;
                    if is_time && results.send(std::mem::take(&mut done)).is_err() {
                        break;
                    }
                }
                // Nobody waits for them if it failed elsewhere.
                drop(results.send(done));
            };
            // Each metadata.rb would need a thread of its own otherwise.
            if ruby::spawn(scope, work.clone()).is_err() {
                scope.spawn(work);
            }
        }
        drop(results);
        let tell = |(index, result): (usize, Result<_, _>)| {
            cx.reporter().report(&Event::CookbookRead {
                name: located[index].name.as_str(),
            });
            (index, result)
        };
        finished.into_iter().flatten().map(tell).collect()
    });
    loaded.sort_by_key(|(index, _)| *index);
    loaded
        .into_iter()
        .map(|(index, result)| match result {
            Ok(cookbook) => Ok((index, cookbook)),
            Err(error) => Err((index, error)),
        })
        .collect()
}
