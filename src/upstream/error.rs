//! Why a source gives nothing.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;
use crate::http::HttpError;
use crate::store::StoreError;
use crate::tarball::TarballError;
use crate::universe::UniverseError;
use crate::version::Version;

/// Why a source gives nothing. Addresses are without credentials.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// A source's address is none.
    #[error("`{address}` is not the address of a source: {reason}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A source cannot be asked.
    #[error("cannot ask the source {source_name}")]
    Http {
        /// The source.
        source_name: String,
        /// Why not.
        #[source]
        source: HttpError,
    },
    /// What a source says it has cannot be read.
    #[error("the universe of {source_name} cannot be used")]
    Universe {
        /// The source.
        source_name: String,
        /// Why not.
        #[source]
        source: UniverseError,
    },
    /// An answer is longer than the limit.
    #[error("`{url}` is longer than {limit} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// An answer broke off, each time that it was asked for.
    #[error("`{url}` broke off")]
    Broken {
        /// The address.
        url: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// An answer is not what it should be.
    #[error("`{url}` does not answer as {wanted} should: {reason}")]
    Answer {
        /// The address.
        url: String,
        /// What it should be.
        wanted: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A file or a folder that is a source cannot be read.
    #[error("cannot read `{}`, which is a source", path.display())]
    Read {
        /// The file or the folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A cookbook in a folder of cookbooks cannot be read.
    #[error("{}", reason.message)]
    Cookbook {
        /// What is wrong, with its place.
        reason: Box<Diagnostic>,
        /// What sort of failure it is.
        kind: Kind,
    },
    /// One folder of cookbooks holds one cookbook twice.
    #[error("{source_name} has {name} {version} in `{}` and in `{}`", first.display(), second.display())]
    Twice {
        /// The source.
        source_name: String,
        /// The cookbook.
        name: String,
        /// The version.
        version: Version,
        /// A folder.
        first: PathBuf,
        /// Another one.
        second: PathBuf,
    },
    /// It would have to be asked for, and that is forbidden.
    #[error("{what} is not in the store, and nothing is fetched while offline")]
    Offline {
        /// What is needed.
        what: String,
    },
    /// No source has a version.
    #[error("no source has {name} {version}")]
    NotFound {
        /// The cookbook.
        name: String,
        /// The version.
        version: Version,
    },
    /// A source says that it has a cookbook, and does not give it.
    #[error("{source_name} lists {name} {version} and does not have it")]
    Gone {
        /// The source.
        source_name: String,
        /// The cookbook.
        name: String,
        /// The version.
        version: Version,
    },
    /// A source has a cookbook in a way that is not known here.
    #[error("{source_name} has {name} {version} as `{location_type}`, which cannot be fetched")]
    Unsupported {
        /// The source.
        source_name: String,
        /// The cookbook.
        name: String,
        /// The version.
        version: Version,
        /// The word in its universe.
        location_type: String,
    },
    /// A source leads to where a cookbook is not fetched from.
    #[error("{source_name} has {name} {version} at `{location}`: {reason}")]
    Location {
        /// The source.
        source_name: Box<str>,
        /// The cookbook.
        name: Box<str>,
        /// The version.
        version: Version,
        /// Where it leads.
        location: Box<str>,
        /// Why not there.
        reason: &'static str,
    },
    /// What came is not what was locked.
    #[error(
        "`{url}` gives {name} {version} with the digest {}, and {} was locked",
        digests.found,
        digests.expected
    )]
    Changed {
        /// The address.
        url: String,
        /// The cookbook.
        name: String,
        /// The version.
        version: Version,
        /// The digests of what came and of what was locked.
        digests: Box<ChangedDigests>,
    },
    /// The tarball of a cookbook is refused.
    #[error("the tarball of {name} {version} from `{url}` is refused")]
    Tarball {
        /// The address.
        url: String,
        /// The cookbook.
        name: String,
        /// The version.
        version: Version,
        /// Why.
        #[source]
        source: Box<TarballError>,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file of credentials cannot be read.
    #[error("cannot read the credentials in `{}`", path.display())]
    CredentialsFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file of credentials can be read by others.
    #[error("others than you can read or change the credentials in `{}` (mode {mode:o})", path.display())]
    CredentialsReadable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file of credentials is not as it should be. Nothing of what stands there is shown.
    #[error("the credentials in `{}` cannot be used: {reason}", path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A Chef Server wants signed requests, and there is nobody who signs.
    #[error("the requests to {source_name} cannot be signed: {reason}")]
    Signature {
        /// The source.
        source_name: String,
        /// Why not.
        reason: String,
        /// The host, for which credentials are needed.
        host: String,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// The two digests of what should have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedDigests {
    /// Of what came.
    pub found: Digest,
    /// Of what was locked.
    pub expected: Digest,
}

impl Diagnose for UpstreamError {
    fn kind(&self) -> Kind {
        match self {
            Self::Address { .. }
            | Self::Twice { .. }
            | Self::NotFound { .. }
            | Self::CredentialsFile { .. }
            | Self::CredentialsReadable { .. }
            | Self::Credentials { .. }
            | Self::Signature { .. } => Kind::User,
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Kind::User,
                _ => Kind::Internal,
            },
            Self::Http { source, .. } => source.kind(),
            Self::Universe { source, .. } => source.kind(),
            Self::Cookbook { kind, .. } => *kind,
            Self::Changed { .. } => Kind::Verification,
            Self::Tarball { source, .. } => source.kind(),
            Self::Store(error) => error.kind(),
            Self::Cancelled(_) => Kind::Cancelled,
            _ => Kind::Unavailable,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = || Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::Cookbook { reason, .. } => (**reason).clone(),
            Self::Http { source, .. } => match source {
                HttpError::Status { status: 401 | 403, .. } => shown().hint(
                    "give credentials for that host: COOKPACK_SUPERMARKET_TOKEN_<HOST>, or the file of credentials",
                ),
                HttpError::Status { status: 404, .. } => {
                    shown().hint("is it the address below which `/universe` stands?")
                }
                source => source.with_hints(shown()),
            },
            Self::Universe {
                source: UniverseError::Blank,
                ..
            } => shown().hint(
                "a server that refuses may answer with nothing: are its address and the credentials right?",
            ),
            Self::Offline { .. } => shown().hint("run it once without `--offline`"),
            Self::Changed { .. } => shown().hint(
                "somebody replaced what had been published: find out who before you lock it anew",
            ),
            Self::Unsupported { .. } => {
                shown().hint("give the cookbook a source of its own, such as `git`, or take another version")
            }
            Self::CredentialsReadable { path, .. } => {
                shown().hint(format!("chmod 600 {}", path.display()))
            }
            Self::Signature { host, .. } => shown().hint(format!(
                "in the file of credentials, write `client_name` and `client_key` under `[hosts.\"{host}\"]`"
            )),
            Self::NotFound { name, .. } => shown().hint(format!(
                "if it was locked and is gone, `cookpack update {name}` takes another version"
            )),
            Self::Broken { .. } => shown().hint("try again later"),
            Self::Store(error) => return error.diagnostics(),
            Self::Tarball { source, .. } => {
                let hints = source.diagnostics().into_iter().flat_map(|one| one.hints);
                hints.fold(shown(), Diagnostic::hint)
            }
            _ => shown(),
        }]
    }
}
