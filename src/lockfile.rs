//! What was decided: `cookpack.lock`. Versioned, sorted, and the same bytes for the same decision.

mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::digest::{ContentDigest, Digest};
use crate::document::DocumentError;
use crate::error::{Diagnose, Diagnostic};
#[cfg(doc)]
use crate::manifest::UpstreamKind;
use crate::manifest::{CommitId, GitRef, Source, Upstream, upstreams_for};
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::text::Location;
use crate::version::{Constraint, Version};

/// The version of the format that this crate writes, and the newest it reads.
const FORMAT: u64 = 1;

/// The decisions of one resolution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockfile {
    /// [`crate::manifest::Manifest::requirements_digest`] of the manifest it was made for.
    pub requirements: Digest,
    /// Every cookbook of the bundle.
    pub cookbooks: BTreeMap<CookbookName, LockedCookbook>,
}

/// One cookbook as it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedCookbook {
    /// Its version.
    pub version: Version,
    /// Where its content is.
    pub pin: Arc<Pin>,
    /// The digest of its content: what is packed of its source, before a metadata.json is compiled.
    pub content: ContentDigest,
    /// The cookbooks of the bundle that it depends on.
    pub dependencies: Vec<CookbookName>,
}

/// Where exactly a cookbook's content is.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// A commit of a git repository.
    Git {
        /// The repository's address, without credentials.
        url: String,
        /// What was asked for.
        reference: GitRef,
        /// The cookbook's folder within it.
        rel: TreePath,
        /// What that was.
        commit: CommitId,
        /// Whether files that git LFS keeps are fetched.
        lfs: bool,
        /// The repositories within it that give a part of the content, sorted by their paths.
        submodules: Vec<LockedSubmodule>,
    },
    /// A folder.
    Path {
        /// As the manifest has it.
        path: String,
        /// Whether what was packed of it stood in no commit of the git work tree that holds it. A
        /// note for who reads the lockfile: [`Pin::pins_the_same`] does not look at it.
        dirty: bool,
    },
    /// A version that a place gives by name; which version is [`LockedCookbook::version`].
    Upstream {
        /// The place's address ([`UpstreamKind::address`]).
        upstream: String,
        /// Where it gives this version: a file to download, or a folder. Without credentials and query.
        url: String,
        /// The digest of that file as it was first seen; none for a folder.
        sha256: Option<Digest>,
    },
}

/// A submodule of a git repository, at the commit that the repository names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedSubmodule {
    /// Its folder, from the root of the outermost repository.
    pub path: TreePath,
    /// Its repository's address, without credentials.
    pub url: String,
    /// Its commit.
    pub commit: CommitId,
}

impl Pin {
    /// Whether this is a pin of the source that the manifest gives. What comes from a place that gives
    /// cookbooks by name has none: [`LockedCookbook::answers`] is asked of that.
    pub fn pins(&self, source: &Source) -> bool {
        match (self, source) {
            (
                Pin::Git {
                    url,
                    reference,
                    rel,
                    lfs,
                    ..
                },
                Source::Git {
                    url: asked_url,
                    reference: asked_reference,
                    rel: asked_rel,
                    lfs: asked_lfs,
                },
            ) => {
                *url == asked_url.redacted()
                    && (reference, rel, lfs) == (asked_reference, asked_rel, asked_lfs)
            }
            (Pin::Path { path, .. }, Source::Path(asked)) => path == asked,
            _ => false,
        }
    }

    /// Whether the other is a pin of the same content. That a folder's content was or was not
    /// committed meanwhile changes nothing of it.
    pub fn pins_the_same(&self, other: &Pin) -> bool {
        match (self, other) {
            (Pin::Path { path, .. }, Pin::Path { path: other, .. }) => path == other,
            _ => self == other,
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pin::Git {
                url, rel, commit, ..
            } => {
                write!(f, "{url}#{}", commit.short())?;
                match rel.is_root() {
                    true => Ok(()),
                    false => write!(f, ":{rel}"),
                }
            }
            Pin::Path { path, .. } => f.write_str(path),
            Pin::Upstream { upstream, .. } => f.write_str(upstream),
        }
    }
}

/// Why a lockfile cannot be read.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockfileError {
    /// The document is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A newer cookpack wrote it.
    #[error("{at}: the lockfile has format {found}, and this cookpack knows {FORMAT}")]
    Newer {
        /// The format's version.
        found: u64,
        /// Where it says so.
        at: Location,
    },
    /// Two branches of its history were merged and nobody decided between them.
    #[error("{at}: the lockfile has the marks of an unresolved merge")]
    MergeConflict {
        /// The first mark.
        at: Location,
    },
}

impl Diagnose for LockfileError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Document(error) => error
                .diagnostics()
                .into_iter()
                .map(|d| d.hint("the lockfile is written by cookpack: restore it, or delete it to resolve anew"))
                .collect(),
            Self::Newer { found, at } => vec![
                Diagnostic::new(format!("the lockfile has format {found}, and this cookpack knows {FORMAT}"))
                    .label(at.label(""))
                    .hint("a newer cookpack wrote it: install that one"),
            ],
            Self::MergeConflict { at } => vec![
                Diagnostic::new("the lockfile has the marks of an unresolved merge")
                    .label(at.label(""))
                    .hint("take either side (`git checkout --theirs cookpack.lock`) and run `cookpack lock`"),
            ],
        }
    }
}

impl LockedCookbook {
    /// Whether this is still an answer to a demand for the cookbook `name` by its name alone: it came from
    /// one of the places that are asked for that name now, and its version fits. `upstreams` are all the
    /// places of the bundle.
    pub fn answers(
        &self,
        name: &CookbookName,
        constraint: &Constraint,
        upstreams: &[Upstream],
    ) -> bool {
        let Pin::Upstream { upstream, .. } = &*self.pin else {
            return false;
        };
        let asked = upstreams_for(upstreams, name);
        constraint.matches(self.version) && asked.iter().any(|u| u.kind.address() == *upstream)
    }

    /// Whether the other is the same decision: all but whether a folder's content was committed.
    pub fn is_same(&self, other: &LockedCookbook) -> bool {
        let rest =
            |locked: &LockedCookbook| (locked.version, locked.content, locked.dependencies.clone());
        self.pin.pins_the_same(&other.pin) && rest(self) == rest(other)
    }
}
