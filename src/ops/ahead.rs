//! Has cookbooks compressed while they are read, so that whoever writes the archive finds their segments
//! in the store and needs not read the files again.
//!
//! A segment may refer to what stands before it, so a cookbook waits for the one before it in the
//! archive. What that will be is a guess, though a good one where the manifest places all cookbooks: a
//! wrong one costs time, since segments are found by what they are made of. Whatever does not work out here,
//! because there is too much of it, the disk is full, or something else stands between, is made by the
//! writer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Context;
use super::Error;
use super::load::LoadedCookbook;
use crate::archive::{self, ArchiveOptions, Format, Tools};
use crate::event::CancelToken;
use crate::layout::{Folder, HeldContents, HeldMemory, Kept, folder_of};
use crate::manifest::{GroupChoice, LayoutKind, Manifest};
use crate::name::CookbookName;
use crate::store::Segments;

/// Bytes of one cookbook that are kept in memory until they are compressed. A larger one is read again.
const MOST_HELD: usize = 2 << 20;

/// Memory that so many bytes stood in is not used again, but given back: most cookbooks are smaller.
const MOST_IDLE: usize = 512 << 10;

/// Bytes of all cookbooks that wait for the one before them.
const MOST_WAITING: usize = 2 << 20;

/// The order of cookbooks in an archive: that of the bytes of their files' paths.
pub(super) fn in_archive(name: &CookbookName) -> String {
    format!("{name}/")
}

/// What is compressed ahead of an archive, on any number of threads.
pub(super) struct Ahead {
    format: Format,
    options: ArchiveOptions,
    layout: LayoutKind,
    cancel: CancelToken,
    segments: Segments,
    tools: Tools,
    jobs: usize,
    state: Mutex<State>,
}

/// Of cookbooks by their places in the order.
#[derive(Default)]
struct State {
    /// What may be referred to by those that have not come; `None` where it will never be known.
    windows: HashMap<usize, Option<Vec<u8>>>,
    /// Those that came before their windows did.
    waiting: HashMap<usize, Waiting>,
    waiting_bytes: usize,
    /// Memory that is used again.
    idle: Vec<HeldMemory>,
}

/// A cookbook that was read.
struct Held {
    folder: Folder,
    /// Its contents; none if they are too many.
    bytes: Option<Arc<HeldMemory>>,
}

struct Waiting {
    held: Option<Held>,
    /// Whether the next one has been told its window.
    is_told: bool,
}

/// A cookbook whose window is there, or will never be.
struct Ready {
    place: usize,
    cookbook: Waiting,
    window: Option<Vec<u8>>,
}

impl Ahead {
    /// For so many cookbooks of a manifest. None where no archive is to come, where others may stand between
    /// them, or where they are so few that the writer makes better use of several threads.
    pub(super) fn new(cx: &Context<'_>, manifest: &Manifest, count: usize) -> Option<Self> {
        let (format, options) = cx.archive()?;
        let is_all = manifest.upstreams.is_empty()
            && !manifest.transitive_sources
            && manifest.bundle.groups == GroupChoice::All;
        if !is_all || count < 2 * cx.jobs().get() {
            return None;
        }
        let state = State {
            // Nothing stands before the first one.
            windows: HashMap::from([(0, Some(Vec::new()))]),
            ..State::default()
        };
        Some(Self {
            format,
            options,
            layout: manifest.bundle.layout,
            cancel: cx.cancel().clone(),
            segments: cx.store().segments(),
            tools: cx.tools().clone(),
            jobs: cx.jobs().get(),
            state: Mutex::new(state),
        })
    }

    /// What one thread works with.
    pub(super) fn worker(&self) -> Option<Worker<'_>> {
        let archive = archive::Ahead::new(self.format, self.options, &self.segments, &self.tools)?;
        Some(Worker {
            shared: self,
            archive,
        })
    }

    /// Has the store stay within its bound.
    pub(super) fn finish(&self) {
        // A store that cannot be written keeps nothing, and needs no trimming.
        drop(self.segments.trim());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a cookbook of so many bytes may wait, if it must.
    fn has_room(&self, place: usize, bytes: usize) -> bool {
        let state = self.state();
        let is_next = state.windows.contains_key(&place);
        is_next || state.waiting_bytes + bytes <= MOST_WAITING
    }

    /// The cookbook at a place may refer to this. Gives it, if it was waiting.
    fn tell(&self, place: usize, window: Option<Vec<u8>>) -> Option<Ready> {
        let mut state = self.state();
        let Some(cookbook) = state.waiting.remove(&place) else {
            state.windows.insert(place, window);
            return None;
        };
        state.waiting_bytes -= cookbook.bytes();
        Some(Ready {
            place,
            cookbook,
            window,
        })
    }

    /// The cookbook at a place has come. Gives it back, if it need not wait.
    fn meet(&self, place: usize, cookbook: Waiting) -> Option<Ready> {
        let mut state = self.state();
        let Some(window) = state.windows.remove(&place) else {
            state.waiting_bytes += cookbook.bytes();
            state.waiting.insert(place, cookbook);
            return None;
        };
        Some(Ready {
            place,
            cookbook,
            window,
        })
    }

    /// Memory for the contents of one cookbook, if the system has any.
    fn lend(&self) -> Option<HeldMemory> {
        let idle = self.state().idle.pop();
        idle.or_else(|| HeldMemory::new(MOST_HELD).ok())
    }

    fn give_back(&self, memory: HeldMemory) {
        let mut state = self.state();
        if memory.most_used() <= MOST_IDLE && state.idle.len() < self.jobs {
            state.idle.push(memory);
        }
    }
}

impl Held {
    fn size(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len())
    }
}

impl Waiting {
    fn bytes(&self) -> usize {
        self.held.as_ref().map_or(0, Held::size)
    }
}

/// One thread's part of it.
pub(super) struct Worker<'a> {
    shared: &'a Ahead,
    archive: archive::Ahead<'a>,
}

impl Worker<'_> {
    /// Loads the cookbook at a place, and compresses what can be compressed then.
    pub(super) fn load(
        &mut self,
        place: usize,
        load: impl FnOnce(Option<&mut HeldContents>) -> Result<LoadedCookbook, Error>,
    ) -> Result<LoadedCookbook, Error> {
        if self.shared.segments.is_filled() {
            return load(None);
        }
        let Some(memory) = self.shared.lend() else {
            return load(None);
        };
        let mut contents = HeldContents::in_memory(memory);
        let loaded = load(Some(&mut contents));
        let held = match &loaded {
            Ok(cookbook) => self.held(cookbook, contents),
            Err(_) => None,
        };
        let held = held.filter(|held| self.shared.has_room(place, held.size()));
        // What fails here is done by the writer, and fails there.
        drop(self.came(place, held));
        loaded
    }

    fn held(&self, cookbook: &LoadedCookbook, contents: HeldContents) -> Option<Held> {
        let plan = &cookbook.plan;
        let (memory, kept) = contents.of_files(plan.included.len());
        let (bytes, places) = match kept {
            Kept::All(places) => (Some(Arc::new(memory)), places),
            Kept::TooMuch => {
                self.shared.give_back(memory);
                (None, Vec::new())
            }
            Kept::Nothing => {
                self.shared.give_back(memory);
                return None;
            }
        };
        let path = folder_of(self.shared.layout, &cookbook.name).ok()?;
        let of = (&cookbook.tree, &plan.base);
        let folder = Folder::new(path, of, plan.included.clone());
        let mut folder = folder.with_compiled(cookbook.compiled.clone()).ok()?;
        if let Some(bytes) = &bytes {
            folder = folder.with_held((Arc::clone(bytes), places))?;
        }
        Some(Held { folder, bytes })
    }

    /// The cookbook at a place was loaded; its files may be in memory.
    fn came(&mut self, place: usize, held: Option<Held>) -> Result<(), archive::WriteError> {
        let shared = self.shared;
        let mut ready = Vec::new();
        let behind = match &held {
            Some(held) => self.archive.window_behind(None, &held.folder)?,
            None => None,
        };
        let is_told = behind.is_some() || held.is_none();
        if is_told {
            ready.extend(shared.tell(place + 1, behind));
        }
        ready.extend(shared.meet(place, Waiting { held, is_told }));
        while let Some(Ready {
            place,
            cookbook,
            window,
        }) = ready.pop()
        {
            let Some(Held { folder, bytes }) = cookbook.held else {
                continue;
            };
            if !cookbook.is_told {
                let behind = self.archive.window_behind(window.as_deref(), &folder)?;
                ready.extend(shared.tell(place + 1, behind));
            }
            let Some(bytes) = bytes else { continue };
            let go_on = || shared.cancel.check();
            match window {
                Some(window) => self.archive.compress(window, &folder, &go_on)?,
                None if self.archive.refers_back() => {}
                None => self.archive.compress(Vec::new(), &folder, &go_on)?,
            }
            drop(folder);
            if let Some(memory) = Arc::into_inner(bytes) {
                shared.give_back(memory);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
