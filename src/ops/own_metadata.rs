//! What fetched cookbooks say themselves that they need. A universe may say less, or something else: it is
//! made by a server from what it was given, and a static one by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::gather::Gathered;
use crate::name::CookbookName;
use crate::version::{Constraint, Version};

type Needs = Box<[(Arc<str>, Constraint)]>;

/// What each version says that was fetched.
#[derive(Default)]
pub(super) struct OwnMetadata(Mutex<BTreeMap<(CookbookName, Version), Needs>>);

impl OwnMetadata {
    fn said(&self) -> MutexGuard<'_, BTreeMap<(CookbookName, Version), Needs>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing was fetched yet that has to be asked.
    pub(super) fn is_empty(&self) -> bool {
        self.said().is_empty()
    }

    /// What a version says that it needs, if it was fetched.
    pub(super) fn of(&self, name: &CookbookName, version: Version) -> Option<Needs> {
        self.said().get(&(name.clone(), version)).cloned()
    }

    /// Notes what cookbooks say. Returns whether one of them had not been asked before.
    pub(super) fn note(&self, gathered: &Gathered) -> bool {
        let mut said = self.said();
        let before = said.len();
        for (name, (_, cookbook)) in gathered {
            let needs = cookbook.dependencies.iter();
            let needs = needs.map(|one| (Arc::from(one.name.as_str()), one.constraint.clone()));
            said.insert((name.clone(), cookbook.version), needs.collect());
        }
        said.len() > before
    }
}
