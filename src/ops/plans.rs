//! The plans of a run: those that the store has of an earlier one are not made again, and what they
//! are of is not read.
//!
//! A plan counts for whatever has the same identity: for a commit's folder that is git's own id of it,
//! for a folder on this machine what the file system says of its files (`source/identity.rs`). What is
//! shown, and what is packed, is the same with and without: a plan that was refused, metadata that
//! looked outside of its cookbook, and content that is not what is locked are never kept.

use std::collections::HashMap;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::load::Place;
use super::{Context, Error};
use crate::digest::Digest;
use crate::event::CancelToken;
use crate::layout::{
    FoundChefignore, LayoutError, PlanInputs, PlanRecord, Spill, is_version_control,
};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::source::{Clean, Folders, InFolder, StatusSettings, are_dirty};
use crate::store::{CacheKind, Store};
use crate::tree::{EntryKind, Tree, TreeEntry, TreeError};

/// The plans of one run, and what is needed to make them, on any thread.
pub(super) struct Plans {
    pub(super) limits: Limits,
    pub(super) cancel: CancelToken,
    pub(super) folders: Folders,
    store: Store,
    /// Whether what the store has is believed.
    is_asked: bool,
    /// When the run began. Without it nothing is kept.
    begun: Option<SystemTime>,
    /// What was looked at, and will be asked for again, as far as there is memory for long descriptions.
    known: Mutex<HashMap<Digest, PlanRecord>>,
    /// Bytes that were added to the store.
    added: AtomicU64,
    /// Where that goes which there is no memory for.
    pub(super) spill: Spill,
}

impl Plans {
    /// For a run that begins now: nothing has been read yet.
    pub(super) fn new(cx: &Context<'_>) -> Self {
        let begun = cx.store().now();
        Self {
            folders: Folders::new(begun),
            begun,
            is_asked: cx.uses_index(),
            ..Self::without_store(cx)
        }
    }

    /// For what is read in any case.
    pub(super) fn without_store(cx: &Context<'_>) -> Self {
        Self {
            limits: *cx.limits(),
            cancel: cx.cancel().clone(),
            folders: Folders::default(),
            store: cx.store(),
            is_asked: false,
            begun: None,
            known: Mutex::default(),
            added: AtomicU64::new(0),
            spill: Spill::new(Arc::new(cx.store().spill_file()), Spill::MEMORY),
        }
    }

    /// The key of a cookbook's plan, to which this chefignore applies. None where the content cannot be
    /// known without reading it.
    pub(super) fn key(
        &self,
        place: &Place,
        chefignore: Option<&FoundChefignore>,
    ) -> Result<Option<Digest>, LayoutError> {
        if !self.is_asked && self.begun.is_none() {
            return Ok(None);
        }
        let base = place.base.as_str().as_bytes();
        let Some(identity) = place.tree.identity(base)? else {
            return Ok(None);
        };
        let chefignore = match chefignore {
            None => None,
            Some(FoundChefignore { file }) => match place.tree.identity(file)? {
                Some(identity) => Some((&**file, identity)),
                None => return Ok(None),
            },
        };
        let inputs = PlanInputs {
            identity,
            base: &place.base,
            root_name: place.root_name(),
            chefignore,
            is_declared: place.declared.is_some(),
            limits: &self.limits,
        };
        Ok(Some(inputs.key()))
    }

    /// What the store has for a key.
    pub(super) fn find(&self, key: &Digest, base: &TreePath) -> Option<PlanRecord> {
        if !self.is_asked {
            return None;
        }
        if let Some(known) = self.known().remove(key) {
            return Some(known);
        }
        let bytes = self.store.record(CacheKind::Plan, key, self.begun)?;
        let mut record = PlanRecord::read(&bytes, key, base)?;
        record.plan.included.spill(&self.spill);
        Some(record)
    }

    /// The name that the metadata of a cookbook gives, if that is known without reading it.
    pub(super) fn name(&self, place: &Place) -> Result<Option<CookbookName>, Error> {
        let chefignore = crate::layout::find_chefignore(&*place.tree, &place.base)?;
        let Some(key) = self.key(place, chefignore.as_ref())? else {
            return Ok(None);
        };
        let Some(record) = self.find(&key, &place.base) else {
            return Ok(None);
        };
        let name = record.metadata.as_ref();
        let name = name.and_then(|found| found.metadata.name.as_deref()?.parse().ok());
        let description = record.metadata.as_ref();
        let description = description.map_or(0, |found| found.metadata.long_description.len());
        if self.spill.take_memory(description) {
            self.known().insert(key, record);
        }
        Ok(name)
    }

    /// Keeps a plan. Where it cannot be kept it is made again by the next run.
    pub(super) fn keep(&self, key: &Digest, record: &PlanRecord) {
        if self.begun.is_some()
            && let Some(bytes) = record.write(key)
            && self.store.keep_record(CacheKind::Plan, key, &bytes).is_ok()
        {
            self.added.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    }

    /// For each of the cookbooks in folders, whether what is packed of it is in no commit. Those of a project
    /// for which that was found out before are not looked at again.
    pub(super) fn are_dirty(
        &self,
        manifest: &Manifest,
        cookbooks: &[InFolder<'_>],
        jobs: NonZeroUsize,
    ) -> Vec<bool> {
        if cookbooks.is_empty() {
            return Vec::new();
        }
        const KIND: CacheKind = CacheKind::Status;
        let path = Path::new(manifest.file().name());
        let folder = self.folders.real(&manifest.folder()).unwrap_or_default();
        let parts = [Some(folder.as_os_str()), path.file_name()];
        let parts = parts.map(|part| part.unwrap_or_default().as_encoded_bytes());
        let name = Digest::of(parts.join(&0));
        let kept = self.store.record(KIND, &name, self.begun);
        let kept = kept.and_then(|bytes| Clean::from_bytes(&bytes, &name));
        let mut clean = match self.is_asked {
            true => kept.clone().unwrap_or_default(),
            false => Clean::default(),
        };
        let settings = StatusSettings {
            asks_index: self.is_asked,
            jobs,
        };
        let dirty = are_dirty(&self.folders, cookbooks, &mut clean, settings);
        if self.begun.is_some() && kept.unwrap_or_default() != clean {
            let bytes = clean.to_bytes(&name);
            // Where it cannot be kept it is found out again by the next run.
            if self.store.keep_record(KIND, &name, &bytes).is_ok() {
                let _ = self.store.note_added(KIND, bytes.len() as u64);
            }
        }
        dirty
    }

    /// Has the store stay within its bound, after all has been read, and memory small.
    pub(super) fn finish(&self) {
        self.folders.forget_listings();
        // A store that is too large is no reason to fail.
        let added = self.added.swap(0, Ordering::Relaxed);
        let _ = self.store.note_added(CacheKind::Plan, added);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Digest, PlanRecord>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tree that notes whether somebody looked at what the identity of one of its folders does not speak
/// of.
pub(super) struct Watched {
    tree: Arc<dyn Tree>,
    folder: TreePath,
    has_strayed: AtomicBool,
}

impl Watched {
    pub(super) fn new(tree: Arc<dyn Tree>, folder: TreePath) -> Self {
        Self {
            tree,
            folder,
            has_strayed: AtomicBool::new(false),
        }
    }

    /// Whether what was found out depends on more than the folder.
    pub(super) fn has_strayed(&self) -> bool {
        self.has_strayed.load(Ordering::Relaxed)
    }

    fn looks_at(&self, path: &[u8]) {
        let folder = self.folder.as_str().as_bytes();
        let below = match folder.is_empty() {
            true => Some(path),
            false => path
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix(b"/").or(rest.is_empty().then_some(rest))),
        };
        if below.is_none_or(is_version_control) {
            self.has_strayed.store(true, Ordering::Relaxed);
        }
    }
}

impl Tree for Watched {
    fn label(&self) -> String {
        self.tree.label()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        self.looks_at(dir);
        self.tree.entries(dir)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        // What is above the folder is a folder: it could not be there otherwise.
        if !self.folder.ancestors().any(|at| at.as_bytes() == path) {
            self.looks_at(path);
        }
        self.tree.kind(path)
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        self.looks_at(path);
        self.tree.link_target(path)
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        self.looks_at(path);
        self.tree.open(path)
    }

    fn identity(&self, path: &[u8]) -> Result<Option<Digest>, TreeError> {
        self.tree.identity(path)
    }
}

#[cfg(all(test, unix))]
mod tests;
