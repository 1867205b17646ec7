//! A contradiction between demands, as data.

use crate::manifest::Format;
use crate::text::Location;
use crate::version::{Constraint, Version};

/// No versions fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// One for each name on which demands meet, at least one.
    pub contradictions: Vec<Contradiction>,
    /// Whether there are more.
    pub more: bool,
}

/// Demands that leave no version of a name. Without any one of them there would be versions that fit,
/// as far as these demands go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The name on which they meet.
    pub name: String,
    /// Whether anything gives that name.
    pub known: bool,
    /// What a repository or a folder gives, where that leaves nothing to choose from.
    pub pinned: Option<Pinned>,
    /// Who wants what, from the manifest downwards.
    pub wants: Vec<Want>,
    /// Why each version of the name is out, the oldest first; empty for an unknown name.
    pub ruled_out: Vec<RuledOut>,
    /// Where the versions of the name come from.
    pub source: Option<String>,
    /// The sources that were asked, in order.
    pub asked: Vec<String>,
    /// A known name that is close to an unknown one.
    pub near: Option<String>,
    /// Changes after which this contradiction is gone. Each was tried.
    pub edits: Vec<Edit>,
    /// Whether every demand that is written in a file was tried.
    pub edits_searched: bool,
    /// The manifest's file and its kind.
    pub manifest: (String, Format),
}

/// The only version that a name can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The version.
    pub version: Version,
    /// The manifest's line that says where it is from.
    pub at: Option<Location>,
}

/// Somebody's demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Who.
    pub by: Asker,
    /// The cookbook wanted.
    pub name: String,
    /// The versions of it that will do.
    pub constraint: Constraint,
    /// Where that is written, for what is written in a file.
    pub at: Option<Location>,
}

/// Who wants something.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The manifest.
    Manifest,
    /// A cookbook from a repository or a folder.
    Pinned {
        /// Its name.
        name: String,
        /// Its version.
        version: Version,
        /// Where it is from.
        source: String,
    },
    /// Versions of a cookbook that a source offers, which all want the same.
    Offered {
        /// The cookbook.
        name: String,
        /// The oldest of them.
        first: Version,
        /// The newest of them.
        last: Version,
        /// How many they are.
        count: usize,
        /// Whether these are all versions that there are.
        all: bool,
        /// The source.
        source: String,
    },
    /// The lockfile, of a cookbook that may not leave its version.
    Lock {
        /// That version.
        version: Version,
        /// Whether nothing gives it any more.
        gone: bool,
    },
}

/// Neighbouring versions that are out for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuledOut {
    /// The oldest of them.
    pub first: Version,
    /// The newest of them.
    pub last: Version,
    /// How many they are.
    pub count: usize,
    /// Why.
    pub reason: Reason,
}

/// Why versions are out.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// They do not fit what somebody wants.
    Unwanted {
        /// Who, as a person is told: a file and line, or a cookbook.
        by: String,
        /// What is wanted: more than one where versions of who wants it differ.
        constraints: Vec<Constraint>,
    },
    /// They need what cannot be had.
    Needs {
        /// The cookbook that they need.
        name: String,
        /// The versions of it that would do.
        constraint: Constraint,
        /// Whether anything gives that name.
        known: bool,
    },
    /// They are not the version in the lockfile.
    Locked {
        /// That version.
        version: Version,
    },
    /// Each of the demands alone would allow them.
    Together,
}

/// A change after which a contradiction is gone.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another name.
    Rename {
        /// The name written.
        from: String,
        /// The name to write.
        to: String,
        /// Where.
        at: Option<Location>,
    },
    /// Another constraint.
    Constraint {
        /// The cookbook that it is about.
        name: String,
        /// The constraint written.
        from: Constraint,
        /// The constraint to write.
        to: Constraint,
        /// Where.
        at: Option<Location>,
        /// The version that then fits.
        version: Version,
    },
    /// Let a cookbook leave its locked version.
    Free {
        /// The cookbook.
        name: String,
        /// The version that then fits.
        version: Version,
    },
}
