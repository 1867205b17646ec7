//! The store: a folder with what was fetched, and what was worked out of it, shared by every project of
//! a user. It can be deleted at any time; no answer depends on what it holds.
//!
//! ```text
//! <store>/CACHEDIR.TAG                     tells backup programs to leave the folder out
//! <store>/git-1/<name>-<16 hex>/           a bare mirror of one repository: its objects, and no
//!                                          references; the digits are those of its address's SHA-256
//!     cookpack-address                     the address without credentials, and a newline
//!     cookpack-used                        empty; its time is when the mirror was last used
//!     cookpack-incomplete                  there as long as objects are being brought
//! <store>/git-1/<name>-<16 hex>.lock       held while the mirror is changed, made, checked or removed
//! <store>/lfs-1/<2 hex>/<64 hex>           one object of Git LFS under its SHA-256; its time is when
//!                                          it was last used
//! <store>/cookbooks-1/<2 hex>/<64 hex>     the tarball of a cookbook under its SHA-256
//! <store>/universe-1/<host>-<16 hex>/      what one source has; the digits are those of the SHA-256
//!                                          of the universe's address
//!     cookpack-address, cookpack-used      as those of a mirror
//!     cookpack-universe                    which body counts, and how to ask whether it still does
//!     <64 hex>                             the body under its SHA-256
//! <store>/segments-1/<1 hex>/<64 hex>      the compressed segment of an archive under the SHA-256 of
//!                                          what it depends on; `segments.rs` has the form
//! <store>/plans-1/<1 hex>/<64 hex>         what was found out of a cookbook's content (`layout/record.rs`),
//!                                          under the digest of all that it depends on; its time is when
//!                                          it was last used, to a day
//! <store>/trails-1/<1 hex>/<64 hex>        the digests of what an archive begins with (`archive/trail.rs`),
//!                                          under its first segment's key; its time as that of a plan
//! <store>/status-1/<1 hex>/<64 hex>        which folders of a project are as their commit has them
//!                                          (`source/work_tree/clean.rs`), under the digest of its
//!                                          manifest's path; its time as that of a plan
//! <store>/plans-1/cookpack-added           bytes that were added since the folder was last looked through
//! .cookpack-tmp-*                          in any of these folders: what is being written or removed.
//!                                          A mirror is made, and removed, as
//!                                          git-1/.cookpack-tmp-<name>-<16 hex> under its lock
//! ```
//!
//! The number in `git-1` is that of the form: a version of cookpack that keeps something in another
//! way keeps it in another folder, so that an older one beside it is not disturbed.
//!
//! What is kept appears by one rename and disappears by one, so that a kill at any moment leaves it
//! whole, or leaves something that nobody reads; the next fetch or [`crate::cache_prune`] removes
//! that. A reader takes no lock: a mirror may be removed beneath it, and it then fetches anew. A lock
//! file that is removed with what it guarded may have been opened by another process before; `lock`
//! takes none that does not stand at its path any more.
//!
//! What is worked out of content, as plans are, is bounded: a build that adds to it removes what was not
//! used for the longest time.
//!
//! No clock is read: that something was used is told by a write, which the file system dates.
#![expect(clippy::disallowed_methods, reason = "rank 3: this module keeps files")]

mod damage;
mod items;
mod kind;
mod leftovers;
mod lock;
mod records;
mod segments;
mod spill;
mod spool;
mod universes;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::aside::{AsideError, AsideFile};
use crate::digest::Digest;
use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;

pub use damage::Damage;
pub(crate) use items::{Item, Removal, verify_object};
pub use kind::CacheKind;
pub(crate) use leftovers::Leftover;
pub(crate) use records::verify_record;
pub(crate) use segments::{Segments, verify_segment};
pub(crate) use spool::{Spool, Spooled};
pub(crate) use universes::{Validators, verify_universe};

/// Why the store cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot use the store at `{}`", path.display())]
    Io {
        /// The file or the folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store has nothing of a name.
    #[error("the store has no `{name}`")]
    NotKept {
        /// The name or the address.
        name: String,
        /// A name or an address that is meant, perhaps.
        near: Option<String>,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl StoreError {
    /// For [`Result::map_err`] on what was done to a file or a folder.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

impl From<AsideError> for StoreError {
    fn from(AsideError { path, source }: AsideError) -> Self {
        Self::Io { path, source }
    }
}

impl Diagnose for StoreError {
    fn kind(&self) -> Kind {
        match self {
            Self::Io { .. } => Kind::Internal,
            Self::NotKept { .. } => Kind::User,
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::NotKept {
                near: Some(near), ..
            } => shown.hint(format!("did you mean `{near}`?")),
            Self::NotKept { .. } => shown.hint("`cookpack cache list` names all that it has"),
            _ => shown,
        }]
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// Tells backup programs that the folder can be made anew (<https://bford.info/cachedir/>).
const CACHEDIR_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Kept by cookpack. It can be deleted at any time.\n";

impl Store {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Where the mirror of the repository at an address is, whether it exists or not.
    pub(crate) fn mirror_folder(&self, address: &str) -> PathBuf {
        let name = address
            .trim_end_matches('/')
            .rsplit(['/', '\\', ':'])
            .next()
            .unwrap_or_default()
            .trim_end_matches(".git");
        self.folder_of(CacheKind::Git, name, address)
    }

    /// The folder of what has an address, with a name in front that a person knows it by.
    fn folder_of(&self, kind: CacheKind, name: &str, address: &str) -> PathBuf {
        let digest = Digest::of(address).to_string();
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name: String = name.chars().filter(is_plain).take(40).collect();
        self.folder
            .join(kind.folder())
            .join(format!("{name}-{}", &digest[..16]))
    }

    /// Where the content of a file that git LFS keeps is, whether it exists or not.
    pub(crate) fn lfs_object(&self, oid: &Digest) -> PathBuf {
        self.object(CacheKind::Lfs, oid)
    }

    /// Where an object is, whether it exists or not.
    pub(crate) fn object(&self, kind: CacheKind, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let folder = self.folder.join(kind.folder());
        folder.join(&name[..kind.digits()]).join(&name)
    }

    /// Begins the file of an object that git LFS keeps. It appears whole, or not at all; another
    /// process that brings the same puts the same bytes there.
    pub(crate) fn new_lfs_object(&self, oid: &Digest) -> Result<AsideFile, StoreError> {
        let path = self.lfs_object(oid);
        self.create_folder(path.parent().unwrap_or(&self.folder))?;
        Ok(AsideFile::create(&path)?)
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn create_folder(&self, folder: &Path) -> Result<(), StoreError> {
        let tag = self.folder.join("CACHEDIR.TAG");
        let created = fs::create_dir_all(folder).and_then(|()| match tag.exists() {
            true => Ok(()),
            false => fs::write(&tag, CACHEDIR_TAG),
        });
        created.map_err(|source| StoreError::Io {
            path: folder.to_owned(),
            source,
        })
    }
}
