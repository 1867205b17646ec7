//! What any operation can fail with.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use crate::archive::WriteError;
use crate::aside::AsideError;
use crate::digest::ContentDigest;
use crate::document::DocumentError;
use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;
use crate::git::GitError;
use crate::layout::LayoutError;
use crate::lockfile::{LockfileError, Pin};
use crate::manifest::ManifestError;
use crate::metadata::MetadataError;
use crate::name::{CookbookName, InvalidName};
use crate::ops::VendorError;
use crate::resolve::{Conflict, SolveError};
use crate::source::FolderError;
use crate::text::Location;
use crate::tree::TreeError;
use crate::upstream::UpstreamError;
use crate::version::Version;

/// Why an operation failed.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] DocumentError),
    /// A Berksfile or another manifest of Ruby is wrong.
    #[error(transparent)]
    ManifestFile(#[from] ManifestError),
    /// The lockfile cannot be read.
    #[error(transparent)]
    Lockfile(#[from] LockfileError),
    /// The lockfile would have to change, and that was forbidden.
    #[error("the lockfile is out of date")]
    LockOutdated {
        /// What would change.
        differences: Vec<LockDifference>,
    },
    /// The cookbooks do not fit together.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// A cookbook's metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A folder that should be a cookbook has neither metadata.json nor metadata.rb.
    #[error("{source_label} is no cookbook: it has neither metadata.json nor metadata.rb")]
    NotACookbook {
        /// The folder, for a person.
        source_label: String,
        /// The manifest's line, if one names it.
        at: Option<Location>,
        /// Folders within it that are cookbooks, where there are any.
        inner: Vec<String>,
    },
    /// A source has no such folder.
    #[error("there is no folder `{folder}` in {source_label}")]
    NoSuchFolder {
        /// The folder within the source.
        folder: String,
        /// The source, for a person.
        source_label: String,
        /// The manifest's line, if one names it.
        at: Option<Location>,
    },
    /// The manifest overrides metadata that Chef would read all the same.
    #[error("`{file}` cannot be overridden: it is packed, and Chef reads it")]
    OverrideOfJson {
        /// The metadata.json.
        file: String,
        /// The manifest's line.
        at: Location,
    },
    /// A cookbook's own name is not the one the manifest gives it.
    #[error("the manifest calls a cookbook `{asked}`, but its own metadata calls it `{found}`")]
    OtherName {
        /// The manifest's name.
        asked: CookbookName,
        /// Its own name.
        found: String,
        /// The manifest's line.
        at: Location,
    },
    /// A cookbook's name cannot be one.
    #[error("{at}: {error}")]
    BadName {
        /// Where the metadata declares it.
        at: Location,
        /// Why.
        error: InvalidName,
    },
    /// A cookbook's content is not what was locked.
    #[error(
        "the content of cookbook `{name}` is not what was locked: {pin} has {found}, and {locked} is locked"
    )]
    ContentChanged {
        /// The cookbook.
        name: CookbookName,
        /// Where its content is.
        pin: Arc<Pin>,
        /// The digest that is locked.
        locked: ContentDigest,
        /// The digest found.
        found: ContentDigest,
    },
    /// `update` was given a name that the manifest does not have.
    #[error("the manifest has no cookbook `{name}` to update")]
    NotInManifest {
        /// The name.
        name: CookbookName,
        /// A name of the manifest that is close to it.
        near: Option<String>,
    },
    /// A cookbook was named that the bundle does not have.
    #[error("the bundle has no cookbook `{name}`")]
    NotInBundle {
        /// The name.
        name: CookbookName,
        /// A name of the bundle that is close to it.
        near: Option<String>,
    },
    /// A group was named that no cookbook is in.
    #[error("no cookbook is in the group `{group}`")]
    NoSuchGroup {
        /// The group.
        group: String,
        /// A group that is close to it.
        near: Option<String>,
        /// The groups that there are.
        known: Vec<String>,
    },
    /// The groups that were named leave nothing to pack.
    #[error("no cookbook of {manifest} is in the groups chosen, so there is nothing to pack")]
    NothingChosen {
        /// The manifest.
        manifest: String,
    },
    /// An archive would replace a file that is none.
    #[error("`{}` is there already, and is no archive", path.display())]
    NotAnArchive {
        /// The file.
        path: PathBuf,
    },
    /// A mirror would be written among what is none.
    #[error("`{}` holds something else than an earlier mirror", folder.display())]
    NotAMirror {
        /// The folder.
        folder: PathBuf,
    },
    /// There is neither a manifest nor a cookbook in a folder.
    #[error("there is no cookpack.toml, Policyfile.rb, Berksfile, metadata.json or metadata.rb in `{}`", folder.display())]
    NoProject {
        /// The folder.
        folder: PathBuf,
    },
    /// `init` would overwrite a manifest.
    #[error("`{}` is there already", path.display())]
    ManifestExists {
        /// The manifest.
        path: PathBuf,
    },
    /// A source that gives cookbooks by name fails.
    #[error(transparent)]
    Upstream(Box<UpstreamError>),
    /// No versions of the cookbooks fit together.
    #[error(transparent)]
    Solve(#[from] Box<SolveError<UpstreamError>>),
    /// What a source gives is not what it lists.
    #[error("{source_label} lists {name} {version}, and gives {found}")]
    NotAsListed {
        /// The cookbook.
        name: CookbookName,
        /// The version.
        version: Version,
        /// The source, for a person.
        source_label: String,
        /// What came.
        found: String,
    },
    /// A pattern names no cookbook.
    #[error("no folder that `{glob}` names is a cookbook")]
    NothingMatches {
        /// The pattern.
        glob: String,
        /// The manifest's line.
        at: Location,
    },
    /// Patterns name two cookbooks of one name.
    #[error("the manifest's patterns name two folders with a cookbook `{name}`: `{}` and `{}`", folders[0], folders[1])]
    NamedTwice {
        /// The cookbook.
        name: CookbookName,
        /// The folders.
        folders: Box<[String; 2]>,
        /// The manifest's line.
        at: Location,
        /// The line of the other one.
        other: Box<Location>,
    },
    /// A git repository does not give what is wanted of it.
    #[error("cookbook `{name}`: {error}")]
    Git {
        /// The cookbook, or the entry of the manifest.
        name: String,
        /// The manifest's line.
        at: Location,
        /// What is wrong with the repository.
        #[source]
        error: Box<GitError>,
    },
    /// A folder cannot be a source.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The folder of a cookbook cannot be a source.
    #[error("cookbook `{name}`: {error}")]
    CookbookFolder {
        /// The cookbook, or the entry of the manifest.
        name: String,
        /// The manifest's line.
        at: Location,
        /// What is wrong with the folder.
        #[source]
        error: FolderError,
    },
    /// The manifest names no cookbook.
    #[error("{manifest} names no cookbook, so there is nothing to pack")]
    NoCookbooks {
        /// The manifest.
        manifest: String,
    },
    /// A source's files cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The cookbooks cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The archive could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file could not be written.
    #[error(transparent)]
    Aside(#[from] AsideError),
    /// A folder could not be vendored.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// A file of the project cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// One thing by which a lockfile is out of date.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockDifference {
    /// There is no lockfile.
    Absent,
    /// The manifest asks for something else than when it was locked.
    Requirements,
    /// A cookbook is not locked.
    Added(CookbookName),
    /// A cookbook is locked that is not wanted any more.
    Removed(CookbookName),
    /// The files of a cookbook in a folder were changed since.
    Edited(CookbookName),
    /// Something else is locked of a cookbook than is found.
    Changed(CookbookName),
}

impl fmt::Display for LockDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is none"),
            Self::Requirements => {
                f.write_str("the manifest's cookbooks or sources were changed since")
            }
            Self::Added(name) => write!(f, "cookbook `{name}` is not locked"),
            Self::Removed(name) => write!(f, "cookbook `{name}` is locked, but not wanted"),
            Self::Edited(name) => write!(f, "the files of cookbook `{name}` were changed since"),
            Self::Changed(name) => write!(f, "cookbook `{name}` is not what is locked"),
        }
    }
}

impl Error {
    /// The part that knows its kind and its text, where there is one.
    fn inner(&self) -> Option<&dyn Diagnose> {
        match self {
            Self::Manifest(error) => Some(error),
            Self::ManifestFile(error) => Some(error),
            Self::Lockfile(error) => Some(error),
            Self::Conflict(error) => Some(error),
            Self::Metadata(error) => Some(error),
            Self::Upstream(error) => Some(&**error),
            Self::Solve(error) => Some(&**error),
            Self::Git { error, .. } => Some(&**error),
            Self::CookbookFolder { error, .. } => Some(error),
            Self::Folder(error) => Some(error),
            Self::Tree(error) => Some(error),
            Self::Layout(error) => Some(error),
            Self::Write(error) => Some(error),
            Self::Aside(error) => Some(error),
            Self::Vendor(error) => Some(error),
            _ => None,
        }
    }
}

impl From<UpstreamError> for Error {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            error => Self::Upstream(Box::new(error)),
        }
    }
}

impl Error {
    /// Whether what was kept in the store is not what was put there.
    pub(super) fn is_damage(&self) -> bool {
        let inner = match self {
            Self::Tree(error) => Some(error),
            Self::Layout(LayoutError::Tree(error)) => Some(error),
            _ => None,
        };
        matches!(inner, Some(TreeError::Damaged { .. }))
    }

    /// Whether content could not be read, or was not what it should be, when it was written.
    pub(super) fn is_of_content(&self) -> bool {
        matches!(
            self,
            Self::Write(WriteError::Source(_) | WriteError::Changed { .. })
        )
    }

    /// What is wrong with the repository of a cookbook, or of an entry of the manifest.
    pub(super) fn of_git(name: impl fmt::Display, at: &Location, error: GitError) -> Self {
        match error {
            GitError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            error => Self::Git {
                name: name.to_string(),
                at: at.clone(),
                error: Box::new(error),
            },
        }
    }

    /// Adds the manifest's line, and what can be done about it there.
    fn with_its_place(&self, mut shown: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let (name, at, is_moved) = match self {
            Self::Git { name, at, error } => {
                let is_moved = matches!(
                    **error,
                    GitError::TagMoved { .. } | GitError::BranchRewritten { .. }
                );
                (name, at, is_moved)
            }
            Self::CookbookFolder { name, at, .. } => (name, at, false),
            _ => return shown,
        };
        if let Some(first) = shown.first_mut() {
            let note = format!("cookbook `{name}` comes from there");
            first.labels.push(at.label(note));
            if is_moved {
                first.hints.push(format!(
                    "if it is right, `cookpack update {name}` takes what is there now"
                ));
            }
        }
        shown
    }
}

impl Diagnose for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::LockOutdated { .. } => Kind::LockOutdated,
            Self::ContentChanged { .. } | Self::NotAsListed { .. } => Kind::Verification,
            Self::Cancelled(_) => Kind::Cancelled,
            Self::Read { source, .. } => match source.kind() {
                ErrorKind::NotFound | ErrorKind::InvalidData | ErrorKind::IsADirectory => {
                    Kind::User
                }
                _ => Kind::Internal,
            },
            _ => self.inner().map_or(Kind::User, Diagnose::kind),
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        self.inner().and_then(Diagnose::data)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        if let Some(inner) = self.inner() {
            return self.with_its_place(inner.diagnostics());
        }
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::LockOutdated { differences } => {
                let list: Vec<_> = differences.iter().map(ToString::to_string).collect();
                Diagnostic::new(format!("{self}: {}", list.join("; "))).hint(
                    "run `cookpack lock` without `--locked`, and commit the cookpack.lock it writes",
                )
            }
            Self::NotACookbook { at, inner, .. } => {
                let mut shown = shown;
                shown.labels.extend(at.as_ref().map(|at| at.label("asks for it")));
                match &inner[..] {
                    [] => shown,
                    _ => shown.hint(format!(
                        "these folders in it are cookbooks: {}; name one with `rel`, or in `path`",
                        inner.join(", ")
                    )),
                }
            }
            Self::NoSuchFolder { at, .. } => {
                let mut shown = shown.hint("`rel` is the cookbook's folder from the repository's root");
                shown.labels.extend(at.as_ref().map(|at| at.label("asks for it")));
                shown
            }
            Self::OverrideOfJson { at, .. } => shown
                .label(at.label("declared here"))
                .hint("take `override` out: metadata.json needs no Ruby"),
            Self::OtherName { found, at, .. } => shown
                .label(at.label("the manifest's name"))
                .hint(format!("write `{found}` instead: Chef finds a cookbook by its own name")),
            Self::ContentChanged { pin, .. } => match **pin {
                Pin::Git { .. } => shown.hint(
                    "either the lockfile was edited or the store is damaged: restore the lockfile, or delete the store's copy and build again",
                ),
                Pin::Upstream { .. } => shown.hint(
                    "either the lockfile was edited, or another file is given under this version than was locked: restore the lockfile, and ask who publishes it",
                ),
                Pin::Path { .. } => shown.hint("run `cookpack lock` to take the folder as it is now"),
            },
            Self::NotInManifest {
                near: Some(near), ..
            }
            | Self::NotInBundle {
                near: Some(near), ..
            } => shown.hint(format!("did you mean `{near}`?")),
            Self::NotInBundle { near: None, .. } => {
                shown.hint("`cookpack tree` prints those that it has")
            }
            Self::NoSuchGroup { near, known, .. } => {
                let known: Vec<_> = known.iter().map(|group| format!("`{group}`")).collect();
                let known = known.join(", ");
                shown.hint(match near {
                    Some(near) => format!("did you mean `{near}`? there are {known}"),
                    None => format!("there are {known}"),
                })
            }
            Self::BadName { at, error } => {
                Diagnostic::new(error.to_string()).label(at.label("the cookbook's name"))
            }
            Self::NothingMatches { at, .. } => shown
                .label(at.label("asks for them"))
                .hint("a cookbook's folder holds a metadata.rb or a metadata.json"),
            Self::NamedTwice {
                name, at, other, ..
            } => (match *at == **other {
                true => shown,
                false => shown.label(other.label("names the one")),
            })
                .label(at.label("names it again"))
                .hint(format!(
                    "write an entry `{name}` of its own: it counts for more than a pattern"
                )),
            Self::NoCookbooks { .. } => shown.hint(
                "write a line for each into [cookbooks], as in `web = { path = \"cookbooks/web\" }`",
            ),
            Self::NotAnArchive { .. } => {
                shown.hint("name another file with `-o`, or delete this one if it may go")
            }
            Self::NotAMirror { .. } => shown.hint("name a folder that is new or empty"),
            Self::NoProject { .. } => {
                shown.hint("run `cookpack init` to write one, or name one with `--manifest-path`")
            }
            _ => shown,
        }]
    }
}
