//! Decides which content each cookbook of a manifest has, and lays it out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::adopt::adopt_sources;
use super::expand::expand_globs;
use super::gather::{Gathered, gather};
use super::graph::{Edge, edges};
use super::groups::chosen_names;
use super::load::GatheredCookbook;
use super::named::find_named;
use super::plans::Plans;
use super::thread::on_a_thread;
use super::{Context, Error, LockDifference};
use crate::digest::Digest;
use crate::event::Event;
use crate::layout::{Layout, PackedCookbook, PlannedCookbook};
use crate::lockfile::{LockedCookbook, Lockfile, Pin};
use crate::manifest::{BerksfileLock, Manifest};
use crate::name::CookbookName;
use crate::resolve::{Candidate, resolve};
use crate::source::InFolder;
use crate::text::nearest;

/// What an existing lockfile means to a resolution.
#[derive(Clone, Copy, Debug)]
pub enum LockMode<'a> {
    /// There is none: everything is decided anew.
    Fresh,
    /// There is none, but Berkshelf has locked commits: they stay as long as the Berksfile asks for
    /// the same.
    Import(&'a BerksfileLock),
    /// Its decisions stay as long as the manifest asks for the same.
    Prefer(&'a Lockfile),
    /// It must not change. `None`: there is none, which is out of date by itself.
    Exact(Option<&'a Lockfile>),
    /// Like `Prefer`, but these cookbooks are decided anew; all of them if none is named.
    Update(&'a Lockfile, &'a [CookbookName]),
}

impl<'a> LockMode<'a> {
    /// What is locked, if anything is.
    pub(super) fn lockfile(self) -> Option<&'a Lockfile> {
        match self {
            Self::Fresh | Self::Exact(None) | Self::Import(_) => None,
            Self::Prefer(lockfile) | Self::Exact(Some(lockfile)) | Self::Update(lockfile, _) => {
                Some(lockfile)
            }
        }
    }

    /// What is locked, if all of it is to stay where that can be.
    pub(super) fn kept(self) -> Option<&'a Lockfile> {
        match self {
            Self::Update(..) => None,
            mode => mode.lockfile(),
        }
    }

    /// What is locked of a cookbook and still counts.
    pub(super) fn locked(self, name: &CookbookName) -> Option<&'a LockedCookbook> {
        match self {
            Self::Fresh | Self::Exact(None) | Self::Import(_) => None,
            Self::Prefer(lockfile) | Self::Exact(Some(lockfile)) => lockfile.cookbooks.get(name),
            Self::Update(_, names) if names.is_empty() || names.contains(name) => None,
            Self::Update(lockfile, _) => lockfile.cookbooks.get(name),
        }
    }
}

/// Decides on a commit and a content digest for every cookbook of the manifest.
///
/// # Errors
/// When a source fails, a cookbook cannot be read, the cookbooks do not fit together, or what is
/// locked is no longer what is found.
pub fn lock(cx: &Context<'_>, manifest: &Manifest, mode: LockMode<'_>) -> Result<Lockfile, Error> {
    prepare(cx, manifest, mode).map(|prepared| prepared.lockfile.into_owned())
}

/// Lays out exactly what is locked. Every cookbook's content digest is checked; nothing is written.
///
/// # Errors
/// As [`lock`], and when a file or a run list entry is refused.
pub fn assemble(
    cx: &Context<'_>,
    manifest: &Manifest,
    lockfile: &Lockfile,
) -> Result<Layout, Error> {
    lock_and_assemble(cx, manifest, LockMode::Exact(Some(lockfile))).map(|(_, layout)| layout)
}

/// [`lock`] and [`assemble`] in one, reading each file once.
///
/// # Errors
/// As both.
pub fn lock_and_assemble(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
) -> Result<(Lockfile, Layout), Error> {
    let (lockfile, layout) = lay_out(cx, manifest, mode)?;
    Ok((lockfile.into_owned(), layout))
}

/// The same, which takes no memory for a lockfile that is not to change.
fn lay_out<'m>(
    cx: &Context<'_>,
    manifest: &'m Manifest,
    mode: LockMode<'m>,
) -> Result<(Cow<'m, Lockfile>, Layout), Error> {
    let (lockfile, cookbooks) = prepare(cx, manifest, mode)?.into_parts();
    let layout = on_a_thread(|| Layout::of(manifest, manifest.bundle.layout, cookbooks))?;
    for warning in layout.warnings() {
        cx.reporter().report(&Event::Warning(warning));
    }
    Ok((lockfile, layout))
}

/// [`lock_and_assemble`], and then `write` with the result. What is known of content without reading it
/// can turn out wrong once it is read: a repository in the store was damaged, a file was changed behind
/// the file system's back. Then everything is read, whatever is known, and it is written anew, once.
///
/// # Errors
/// As [`lock_and_assemble`], and those of `write`.
pub fn lock_and_write<T>(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
    mut write: impl FnMut(&Lockfile, &Layout) -> Result<T, Error>,
) -> Result<T, Error> {
    let (lockfile, layout) = lay_out(cx, manifest, mode)?;
    match write(&lockfile, &layout) {
        Err(error) if cx.uses_index() && error.is_of_content() => {}
        written => return written,
    }
    // Nothing of what was opened may be left: libgit2 would go on with a pack that is replaced.
    drop(layout);
    let cx = cx.clone().with_index(false);
    let (lockfile, layout) = lay_out(&cx, manifest, mode)?;
    write(&lockfile, &layout)
}

/// What is decided for a manifest, and the cookbooks that were read for it.
pub(super) struct Prepared<'m> {
    pub(super) lockfile: Cow<'m, Lockfile>,
    manifest: Cow<'m, Manifest>,
    found: Gathered,
    /// Those that are packed; none if all of them are.
    chosen: Option<BTreeSet<CookbookName>>,
}

impl<'m> Prepared<'m> {
    /// Who wants each cookbook, of all groups.
    pub(super) fn edges(&self) -> BTreeMap<CookbookName, Vec<Edge>> {
        edges(&self.manifest, &self.found)
    }

    /// What is locked, and the cookbooks that are packed, by name.
    pub(super) fn into_parts(self) -> (Cow<'m, Lockfile>, impl Iterator<Item = PlannedCookbook>) {
        let Self {
            lockfile,
            mut found,
            chosen,
            ..
        } = self;
        if let Some(chosen) = chosen {
            found.retain(|name, _| chosen.contains(name));
        }
        let planned = |(name, (pin, cookbook)): (_, (_, Box<_>))| planned(name, pin, *cookbook);
        (lockfile, found.into_iter().map(planned))
    }
}

pub(super) fn prepare<'m>(
    cx: &Context<'_>,
    manifest: &'m Manifest,
    mode: LockMode<'m>,
) -> Result<Prepared<'m>, Error> {
    if manifest.cookbooks.is_empty() && manifest.globs.is_empty() {
        return Err(Error::NoCookbooks {
            manifest: manifest.file().name().to_owned(),
        });
    }
    if let LockMode::Exact(None) = mode {
        return Err(Error::LockOutdated {
            differences: vec![LockDifference::Absent],
        });
    }
    let requirements = manifest.requirements_digest();
    let plans = Plans::new(cx);
    let mut expanded = expand_globs(cx, &plans, manifest, mode)?;
    let mut found = gather(cx, &plans, &expanded, mode)?;
    // What is adopted may say of more.
    while manifest.transitive_sources && adopt_sources(cx, expanded.manifest.to_mut(), &found)? {
        found = gather(cx, &plans, &expanded, mode)?;
    }
    let manifest = &*expanded.manifest;
    if let LockMode::Update(lockfile, names) = mode {
        check_names(manifest, lockfile, names)?;
    }
    if !manifest.upstreams.is_empty() {
        let named = find_named(cx, &plans, manifest, mode, &found)?;
        found.extend(named);
    }
    plans.finish();
    note_what_is_in_no_commit(cx, &plans, manifest, &mut found);
    let (lockfile, chosen) = on_a_thread(|| decide(manifest, mode, requirements, &found))?;
    Ok(Prepared {
        lockfile,
        manifest: expanded.manifest,
        found,
        chosen,
    })
}

/// What is locked of the cookbooks that were found, and which of them are packed; none if all are.
fn decide<'m>(
    manifest: &Manifest,
    mode: LockMode<'m>,
    requirements: Digest,
    found: &Gathered,
) -> Result<(Cow<'m, Lockfile>, Option<BTreeSet<CookbookName>>), Error> {
    let mut resolution = {
        let candidate =
            |(name, (pin, cookbook)): (&CookbookName, &(Arc<Pin>, Box<GatheredCookbook>))| {
                (name.clone(), candidate(pin, cookbook))
            };
        let candidates = found.iter().map(candidate).collect();
        resolve(manifest, &candidates)?
    };
    let lockfile = Lockfile {
        requirements,
        cookbooks: found
            .iter()
            .map(|(name, (pin, cookbook))| {
                let locked = LockedCookbook {
                    version: cookbook.version,
                    pin: Arc::clone(pin),
                    content: cookbook.content,
                    dependencies: resolution.dependencies.remove(name).unwrap_or_default(),
                };
                (name.clone(), locked)
            })
            .collect(),
    };
    check_lockfile(mode, &lockfile)?;
    // Not a byte of it changes: not even what is noted of folders.
    let lockfile = match mode {
        LockMode::Exact(Some(existing)) => Cow::Borrowed(existing),
        _ => Cow::Owned(lockfile),
    };
    let chosen = chosen_names(manifest, &lockfile)?;
    Ok((lockfile, chosen))
}

/// Notes for each folder whether what is packed of it is in no commit.
fn note_what_is_in_no_commit(
    cx: &Context<'_>,
    plans: &Plans,
    manifest: &Manifest,
    loaded: &mut Gathered,
) {
    let project = manifest.folder();
    let folders: Vec<_> = loaded
        .values()
        .filter_map(|(pin, cookbook)| match &**pin {
            Pin::Path { path, .. } => Some(InFolder {
                folder: project.join(path),
                tree: &*cookbook.tree,
                plan: &cookbook.plan,
                content: cookbook.content,
            }),
            _ => None,
        })
        .collect();
    let mut found = plans.are_dirty(manifest, &folders, cx.jobs()).into_iter();
    for (pin, _) in loaded.values_mut() {
        if let Pin::Path { path, dirty } = &**pin {
            let is_dirty = found.next().unwrap_or(false);
            if is_dirty != *dirty {
                *pin = Arc::new(Pin::Path {
                    path: path.clone(),
                    dirty: is_dirty,
                });
            }
        }
    }
}

/// Names that are to be updated stand in the manifest, or are locked.
fn check_names(
    manifest: &Manifest,
    lockfile: &Lockfile,
    names: &[CookbookName],
) -> Result<(), Error> {
    let is_known = |name: &CookbookName| {
        manifest.cookbooks.contains_key(name) || lockfile.cookbooks.contains_key(name)
    };
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => {
            let known = manifest.cookbooks.keys().chain(lockfile.cookbooks.keys());
            let known = known.map(CookbookName::as_str);
            Err(Error::NotInManifest {
                name: name.clone(),
                near: nearest(name.as_str(), known).map(str::to_owned),
            })
        }
        None => Ok(()),
    }
}

pub(super) fn candidate(pin: &Arc<Pin>, cookbook: &GatheredCookbook) -> Candidate {
    Candidate {
        version: cookbook.version,
        dependencies: Arc::clone(&cookbook.dependencies),
        pin: Arc::clone(pin),
    }
}

fn planned(name: CookbookName, pin: Arc<Pin>, cookbook: GatheredCookbook) -> PlannedCookbook {
    PlannedCookbook {
        packed: PackedCookbook {
            name,
            version: cookbook.version,
            pin,
            content: cookbook.content,
        },
        tree: cookbook.tree,
        plan: cookbook.plan,
        has_plain_name: cookbook.has_plain_name,
        compiled_metadata: cookbook.compiled,
    }
}

/// Fails if the mode forbids the lockfile to become what was decided.
///
/// # Errors
/// [`Error::LockOutdated`] with every difference.
pub fn check_lockfile(mode: LockMode<'_>, decided: &Lockfile) -> Result<(), Error> {
    let differences = match mode {
        LockMode::Exact(None) => vec![LockDifference::Absent],
        LockMode::Exact(Some(existing)) => differences(existing, decided),
        _ => Vec::new(),
    };
    match differences.is_empty() {
        true => Ok(()),
        false => Err(Error::LockOutdated { differences }),
    }
}

/// What is out of date in a lockfile by the manifest alone.
pub(super) fn outdated_before_reading(manifest: &Manifest, lockfile: &Lockfile) -> Error {
    let mut differences = Vec::new();
    for (name, asked) in &manifest.cookbooks {
        let locked = lockfile.cookbooks.get(name);
        let is_answer = |locked: &LockedCookbook| match &asked.source {
            Some(source) => locked.pin.pins(source),
            None => locked.answers(name, &asked.constraint, &manifest.upstreams),
        };
        match locked {
            // Where nothing is asked for it, that is what is wrong, and not the lockfile.
            None if asked.source.is_none() && manifest.upstreams.is_empty() => {}
            None => differences.push(LockDifference::Added(name.clone())),
            Some(locked) if is_answer(locked) => {}
            // Nobody says any more where it comes from.
            Some(_) if asked.source.is_none() && manifest.upstreams.is_empty() => {
                differences.push(LockDifference::Removed(name.clone()));
            }
            Some(_) => differences.push(LockDifference::Changed(name.clone())),
        }
    }
    // What a place gives by name may be there because another cookbook depends on it.
    let removed = lockfile.cookbooks.iter().filter(|(name, locked)| {
        !manifest.cookbooks.contains_key(*name) && !matches!(*locked.pin, Pin::Upstream { .. })
    });
    let removed = removed.map(|(name, _)| LockDifference::Removed(name.clone()));
    differences.extend(removed);
    Error::LockOutdated { differences }
}

fn differences(existing: &Lockfile, decided: &Lockfile) -> Vec<LockDifference> {
    let mut differences = Vec::new();
    for (name, now) in &decided.cookbooks {
        match existing.cookbooks.get(name) {
            None => differences.push(LockDifference::Added(name.clone())),
            Some(then) if then.is_same(now) => {}
            Some(then) if matches!(*now.pin, Pin::Path { .. }) && then.content != now.content => {
                differences.push(LockDifference::Edited(name.clone()));
            }
            Some(_) => differences.push(LockDifference::Changed(name.clone())),
        }
    }
    let removed = existing
        .cookbooks
        .keys()
        .filter(|name| !decided.cookbooks.contains_key(*name));
    differences.extend(removed.cloned().map(LockDifference::Removed));
    if differences.is_empty() && existing.requirements != decided.requirements {
        differences.push(LockDifference::Requirements);
    }
    differences
}
