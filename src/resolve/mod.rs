//! Which versions of the cookbooks of a manifest fit together: every dependency met, every constraint
//! kept. Chef allows cycles, and so does this.
//!
//! [`solve`] chooses versions from a [`Catalogue`]; where there is nothing to choose from, [`resolve`]
//! checks what the manifest itself locates.

mod attempt;
mod catalogue;
mod clash;
mod closed;
mod data;
mod edits;
mod explain;
mod index;
mod question;
mod shrink;
mod solve;
mod told;
mod versions;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::Cancelled;
use crate::lockfile::Pin;
use crate::metadata::Dependency;
use crate::name::CookbookName;
use crate::version::Version;

pub use catalogue::{Catalogue, Offer};
pub use clash::{Asker, Clash, Contradiction, Edit, Pinned, Reason, RuledOut, Want};
pub use closed::{Conflict, Demand, Problem, resolve};
pub use question::{Answer, Chosen, Question, SolveError};
pub use solve::solve;

/// What a source gave for a name of the manifest.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The version found.
    pub version: Version,
    /// What it depends on.
    pub dependencies: Arc<[Dependency]>,
    /// Where it was found.
    pub pin: Arc<Pin>,
}

/// A set of cookbooks that fit together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// For each cookbook the cookbooks of the bundle that it depends on, by name.
    pub dependencies: BTreeMap<CookbookName, Vec<CookbookName>>,
}

/// Why a run of the solver ended before it found anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Cancelled(Cancelled),
    #[error("given up after {0} steps")]
    Steps(u64),
    /// The index keeps the error itself.
    #[error("the catalogue could not be asked")]
    Catalogue,
}
