//! What is asked of the solver, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Clash, Resolution};
use crate::error::{Diagnose, Diagnostic, Kind};
use crate::event::{CancelToken, Cancelled};
use crate::manifest::Manifest;
use crate::name::CookbookName;
use crate::version::Version;

/// What versions are asked for.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The demands, and the cookbooks that the machine has already.
    pub manifest: &'a Manifest,
    /// The cookbooks that a repository or a folder gives: their names have this version and no other.
    pub pinned: &'a BTreeMap<CookbookName, Candidate>,
    /// The versions of the lockfile. One is left only if it has to be.
    pub preferred: BTreeMap<CookbookName, Version>,
    /// Versions that may not be left.
    pub held: BTreeMap<CookbookName, Version>,
    /// The names that are to be updated: to the newest version that what stands above them in the
    /// lockfile allows. Of the others in `preferred` only what such a version needs is moved.
    pub update: BTreeSet<CookbookName>,
    /// Ends the search.
    pub cancel: CancelToken,
}

impl<'a> Question<'a> {
    /// Asks for the newest versions that fit.
    pub fn new(manifest: &'a Manifest, pinned: &'a BTreeMap<CookbookName, Candidate>) -> Self {
        Self {
            manifest,
            pinned,
            preferred: BTreeMap::new(),
            held: BTreeMap::new(),
            update: BTreeSet::new(),
            cancel: CancelToken::default(),
        }
    }
}

/// Versions that fit together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What was chosen for each cookbook that is needed and not pinned.
    pub chosen: BTreeMap<CookbookName, Chosen>,
    /// What depends on what, the pinned ones among them.
    pub resolution: Resolution,
}

/// The version chosen for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The version.
    pub version: Version,
    /// The place of its source in [`super::Catalogue::sources`].
    pub source: usize,
}

/// Why there is no answer.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SolveError<E: std::error::Error + 'static> {
    /// No versions fit together.
    #[error(transparent)]
    Clash(#[from] Box<Clash>),
    /// The catalogue could not be asked.
    #[error(transparent)]
    Catalogue(E),
    /// Neither versions nor a proof that there are none were found in a reasonable number of steps.
    #[error(
        "no versions that fit together were found in {steps} steps, nor a proof that there are none"
    )]
    TooHard {
        /// The steps taken.
        steps: u64,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl<E: Diagnose + 'static> Diagnose for SolveError<E> {
    fn kind(&self) -> Kind {
        match self {
            Self::Clash(clash) => clash.kind(),
            Self::Catalogue(error) => error.kind(),
            Self::TooHard { .. } => Kind::User,
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        match self {
            Self::Clash(clash) => Some(serde_json::json!({ "conflict": clash.to_json() })),
            _ => None,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Clash(clash) => clash.diagnostics(),
            Self::Catalogue(error) => error.diagnostics(),
            Self::TooHard { .. } => vec![
                Diagnostic::new(self.to_string())
                    .hint("narrow the constraints of the manifest: a `~>` for each cookbook leaves less to try"),
            ],
            Self::Cancelled(_) => vec![Diagnostic::new(self.to_string())],
        }
    }
}
