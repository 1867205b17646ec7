//! What can be wrong with a thing that the store keeps.

use std::path::PathBuf;

use crate::digest::Digest;

/// What is wrong with something that the store keeps. Files are relative to the folder of what is
/// damaged.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It cannot even be opened.
    #[error("it is no git repository: {reason}")]
    NotARepository {
        /// What libgit2 says.
        reason: String,
    },
    /// A pack or an index does not have the checksum at its end.
    #[error("the checksum of `{}` does not fit its content", file.display())]
    Checksum {
        /// The pack or the index.
        file: PathBuf,
    },
    /// An index was made for another content of its pack.
    #[error("`{}` is the index of another pack", file.display())]
    OtherPack {
        /// The index.
        file: PathBuf,
    },
    /// An index has no pack.
    #[error("the pack of `{}` is missing", file.display())]
    PackMissing {
        /// The index.
        file: PathBuf,
    },
    /// What indexes name cannot be read, or has another id.
    #[error("{count} objects cannot be read; of {first} git says: {reason}")]
    Objects {
        /// How many there are.
        count: usize,
        /// The id of the first.
        first: String,
        /// What libgit2 says of that one.
        reason: String,
    },
    /// The objects cannot even be listed.
    #[error("the objects cannot be listed: {reason}")]
    Unlisted {
        /// What libgit2 says.
        reason: String,
    },
    /// A loose object is not the one whose id its file has as a name.
    #[error("`{}` is not the object of that name", file.display())]
    LooseObject {
        /// The file.
        file: PathBuf,
    },
    /// A file is named by another one, and is not there.
    #[error("`{}` is missing", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// A file's content does not have the digest that is its name.
    #[error("`{}` has the digest {found}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// The digest of what it holds.
        found: Digest,
    },
}
