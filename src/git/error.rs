//! What can go wrong with a git repository.

use std::path::PathBuf;

use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;
use crate::manifest::{CommitId, CommitPrefix, GitRef};
use crate::store::StoreError;

/// Why a repository does not give what is wanted of it. Addresses are without credentials.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// This version cannot speak the address's protocol.
    #[error(
        "cannot fetch `{url}`: this version of cookpack reads repositories from folders and file:// addresses only"
    )]
    UnsupportedTransport {
        /// The address.
        url: String,
    },
    /// There is no repository at the address.
    #[error("there is no git repository at `{url}`")]
    NoRepository {
        /// The address.
        url: String,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The repository could not be fetched.
    #[error("cannot fetch `{url}`")]
    Fetch {
        /// The address.
        url: String,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The server does not give a commit in the way it was asked for: by its id, or without its
    /// history.
    #[error("`{url}` does not give this: {message}")]
    Refused {
        /// The address.
        url: String,
        /// What the server says.
        message: String,
    },
    /// The conversation with the server did not go as git's protocol says.
    #[error("`{url}` does not speak git's protocol: {reason}")]
    Protocol {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The repository's objects have ids of a kind that libgit2 does not know.
    #[error("`{url}` is a repository of the object format {format}, which cookpack cannot read")]
    ObjectFormat {
        /// The address.
        url: String,
        /// The format: `sha256`.
        format: String,
    },
    /// A submodule's repository cannot be told.
    #[error("submodule `{path}` of `{url}` cannot be followed: {reason}")]
    Submodule {
        /// The repository's address.
        url: String,
        /// The submodule's path in it.
        path: String,
        /// Why.
        reason: String,
    },
    /// The connection failed: it may succeed when tried again.
    #[error("the connection to `{url}` failed: {reason}")]
    Connection {
        /// The address.
        url: String,
        /// What failed.
        reason: String,
    },
    /// A fetch is needed, and the caller forbade the network.
    #[error("`{url}` must be fetched for {wanted}, and the network is forbidden")]
    Offline {
        /// The address.
        url: String,
        /// What is wanted of it.
        wanted: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("`{url}` has no {}", match reference { GitRef::Default => "default branch".to_owned(), other => other.to_string() })]
    NoSuchRef {
        /// The address.
        url: String,
        /// What was asked for.
        reference: GitRef,
        /// A branch or a tag that is meant, perhaps.
        near: Option<String>,
    },
    /// A name is that of a branch and that of a tag.
    #[error("`{name}` is both a branch and a tag of `{url}`")]
    AmbiguousRef {
        /// The address.
        url: String,
        /// The name.
        name: String,
    },
    /// A reference leads to a file or a folder instead of a commit.
    #[error("{reference} of `{url}` is not a commit")]
    NotACommit {
        /// The address.
        url: String,
        /// What was asked for.
        reference: GitRef,
    },
    /// The first digits of a commit's id fit more than one commit.
    #[error("`{prefix}` is the beginning of more than one commit of `{url}`")]
    AmbiguousCommit {
        /// The address.
        url: String,
        /// The digits.
        prefix: CommitPrefix,
        /// Some of the commits.
        commits: Vec<CommitId>,
    },
    /// A tag is not where it was when it was locked.
    #[error("tag `{tag}` of `{url}` was moved: {locked} is locked, but it is {}", found.as_ref().map_or("gone".to_owned(), |found| format!("now {found}")))]
    TagMoved {
        /// The address.
        url: String,
        /// The tag.
        tag: String,
        /// The commit that is locked.
        locked: CommitId,
        /// The commit at which it stands now, if it still exists.
        found: Option<CommitId>,
    },
    /// A branch no longer contains the commit that is locked.
    #[error(
        "{reference} of `{url}` was rewritten: it no longer contains {locked}, which is locked"
    )]
    BranchRewritten {
        /// The address.
        url: String,
        /// The branch.
        reference: GitRef,
        /// The commit that is locked.
        locked: CommitId,
    },
    /// The mirror in the store cannot be read.
    #[error("the store's copy of `{url}` is damaged at `{}`", folder.display())]
    Damaged {
        /// The address.
        url: String,
        /// The mirror's folder.
        folder: PathBuf,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for GitError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoSuchRef { .. }
            | Self::AmbiguousRef { .. }
            | Self::Submodule { .. }
            | Self::NotACommit { .. }
            | Self::AmbiguousCommit { .. } => Kind::User,
            Self::UnsupportedTransport { .. }
            | Self::NoRepository { .. }
            | Self::Fetch { .. }
            | Self::Refused { .. }
            | Self::Protocol { .. }
            | Self::ObjectFormat { .. }
            | Self::Connection { .. }
            | Self::Offline { .. } => Kind::Unavailable,
            Self::TagMoved { .. } | Self::BranchRewritten { .. } | Self::Damaged { .. } => {
                Kind::Verification
            }
            Self::Store(error) => error.kind(),
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::UnsupportedTransport { url } => shown.hint(format!(
                "clone it (`git clone --mirror {url}`) and write the clone's folder as `git = \"...\"`"
            )),
            Self::Fetch { url, source } if source.code() == git2::ErrorCode::Owner => {
                shown.hint(format!(
                    "if you trust it: `git config --global --add safe.directory {url}`, with its absolute path"
                ))
            }
            Self::NoRepository { .. } => {
                shown.hint("a relative folder begins at the manifest; is it cloned there?")
            }
            Self::Offline { .. } => shown.hint("run once without `--frozen` and `--offline`"),
            Self::NoSuchRef {
                near: Some(near), ..
            } => shown.hint(format!("did you mean `{near}`?")),
            Self::NoSuchRef {
                reference: GitRef::Default,
                ..
            } => shown.hint("name a `branch`, a `tag` or a `commit`"),
            Self::AmbiguousRef { name, .. } => {
                shown.hint(format!("write `branch = \"{name}\"` or `tag = \"{name}\"`"))
            }
            Self::Submodule { .. } => shown.hint(
                "if it is not needed, add a line to the cookbook's chefignore that matches its path",
            ),
            Self::ObjectFormat { .. } => {
                shown.hint("only repositories of the format sha1 can be read, which is git's default")
            }
            Self::AmbiguousCommit { commits, .. } => {
                let list: Vec<_> = commits.iter().map(|c| format!("`{c}`")).collect();
                shown.hint(format!("write more digits: {}", list.join(", ")))
            }
            Self::TagMoved { .. } | Self::BranchRewritten { .. } => {
                shown.hint("ask whoever keeps the repository why")
            }
            Self::Damaged { folder, .. } => shown.hint(format!(
                "delete `{}`: it will be fetched anew",
                folder.display()
            )),
            _ => shown,
        }]
    }
}
