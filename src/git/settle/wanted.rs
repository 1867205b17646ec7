//! What is wanted of a repository.

use crate::manifest::{CommitId, GitRef};

/// What is wanted of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// The commit that a reference names at the remote now. What the store happens to hold has no
    /// say: anything but a whole commit id is asked of the remote.
    Reference(GitRef),
    /// A commit that is locked. The remote is asked only if the store lacks it; what it then says of
    /// the reference must still agree with the lock.
    Locked {
        /// What the manifest asks for.
        reference: GitRef,
        /// What that was when it was locked.
        commit: CommitId,
    },
}

impl Wanted {
    /// A commit, whatever may lead to it.
    pub(crate) fn commit(commit: &CommitId) -> Self {
        Self::Reference(GitRef::Any(commit.to_string()))
    }

    pub(super) fn reference(&self) -> &GitRef {
        match self {
            Self::Reference(reference) | Self::Locked { reference, .. } => reference,
        }
    }

    /// The commit, where it is known without asking.
    pub(super) fn known_commit(&self) -> Option<CommitId> {
        match self {
            Self::Locked { commit, .. } => Some(commit.clone()),
            Self::Reference(GitRef::Commit(prefix)) => prefix.full(),
            Self::Reference(GitRef::Any(name)) => name.parse().ok(),
            Self::Reference(_) => None,
        }
    }

    /// How a message names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Locked { commit, .. } => format!("commit {commit}"),
            Self::Reference(reference) => reference.to_string(),
        }
    }
}
