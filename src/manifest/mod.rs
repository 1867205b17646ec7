//! What a person asks for: the manifest.

mod berksfile;
mod berksfile_lock;
mod cheffile;
mod cookpack_toml;
mod declared;
mod error;
mod git;
mod glob;
mod hosts;
mod overrides;
mod policyfile;
mod print;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::digest::{Digest, Hasher};
use crate::document::DocumentError;
use crate::metadata::Json;
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::run_list::RunListItem;
use crate::text::{Location, SourceFile};
use crate::version::Constraint;

pub use berksfile::{Berksfile, Declaration, GitOrigin, Origin};
pub use berksfile_lock::{BerksfileLock, LockedVersion};
pub use cheffile::Cheffile;
pub use error::{ManifestError, ManifestProblem};
#[cfg(feature = "cli")]
pub(crate) use git::masked;
pub use git::{CommitId, CommitPrefix, GitRef, GitUrl, GitUrlForm, InvalidCommit, InvalidGitUrl};
pub(crate) use git::{check_any_ref, check_ref_name, redact};
pub use glob::{Glob, GlobRequirement, GlobSource, InvalidGlob};
pub use hosts::GitProtocol;
pub use overrides::Override;
pub use policyfile::{NamedRunList, Policyfile};
pub(crate) use print::key;
use upstream::PUBLIC_SUPERMARKET;
pub use upstream::{InvalidNamePattern, NamePattern, Upstream, UpstreamKind, upstreams_for};

/// What a person wants packed: cookbooks and where they come from.
#[derive(Clone, Debug)]
pub struct Manifest {
    file: SourceFile,
    format: Format,
    /// The archive and its consumer.
    pub bundle: Bundle,
    /// The run lists of layers, by layer and lifecycle event; checked like the bundle's own.
    pub layers: Vec<Layer>,
    /// Every cookbook named, by name.
    pub cookbooks: BTreeMap<CookbookName, Requirement>,
    /// The entries that take in all cookbooks of the folders that a pattern names.
    pub globs: Vec<GlobRequirement>,
    /// How repositories are reached.
    pub git: GitSettings,
    /// Cookbooks that the machine already has: a dependency on one is met without packing it.
    pub provided: BTreeSet<CookbookName>,
    /// The places that give the cookbooks that have no source of their own, in the order in which they
    /// are asked; [`upstreams_for`] says which of them for which name.
    pub upstreams: Vec<Upstream>,
    /// Whether the Berksfile or cookpack.toml of a cookbook that something depends on is read for where
    /// that cookbook's own dependencies come from. What this manifest says of a name counts for more.
    pub transitive_sources: bool,
    /// What a Policyfile.rb says beside its cookbooks.
    pub policy: Option<Policy>,
}

/// What a manifest says of git itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GitSettings {
    /// Whether the `git` program is to fetch, in place of this library. What git LFS keeps is fetched
    /// by this library in any case.
    pub executable: bool,
    /// How the short forms of addresses were read.
    pub protocol: GitProtocol,
}

/// What a Policyfile.rb says beside its cookbooks and its run list.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its other run lists, by name.
    pub named_run_lists: BTreeMap<String, Vec<RunListEntry>>,
    /// Its attributes of the level `default`.
    pub default: Json,
    /// Its attributes of the level `override`.
    pub overrides: Json,
    /// The policies that it includes. This version does not read them.
    pub included: Vec<IncludedPolicy>,
}

/// A policy that another one includes.
#[derive(Clone, Debug, PartialEq)]
pub struct IncludedPolicy {
    /// The name by which it is included.
    pub name: String,
    /// Where its lockfile is, as written.
    pub options: Vec<(String, Json)>,
    /// Where it is included.
    pub at: Location,
}

/// The kind of file that a manifest was read from.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A cookpack.toml.
    CookpackToml,
    /// A Policyfile.rb.
    Policyfile,
    /// A Berksfile.
    Berksfile,
    /// A Cheffile.
    Cheffile,
    /// The metadata of a lone cookbook.
    Metadata,
}

/// The archive and its consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The archive's file name without its ending.
    pub name: String,
    /// Who reads the archive.
    pub target: Target,
    /// The folders of the archive.
    pub layout: LayoutKind,
    /// The recipes that will be run, each of which must be in the archive.
    pub run_list: Vec<RunListEntry>,
    /// Whose cookbooks are packed.
    pub groups: GroupChoice,
}

/// Which groups' cookbooks are packed, with all that they depend on. What is locked does not depend
/// on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GroupChoice {
    /// All of them.
    #[default]
    All,
    /// Those in one of these groups.
    Only(Vec<String>),
    /// Those in none of these groups.
    Except(Vec<String>),
}

impl GroupChoice {
    /// Whether a cookbook in these groups is packed.
    pub fn takes(&self, groups: &[String]) -> bool {
        let named = |chosen: &[String]| groups.iter().any(|group| chosen.contains(group));
        match self {
            Self::All => true,
            Self::Only(chosen) => named(chosen),
            Self::Except(chosen) => !named(chosen),
        }
    }
}

/// The group of a cookbook that is in no other.
pub const DEFAULT_GROUP: &str = "default";

/// The groups of a cookbook that names none.
fn default_groups() -> Arc<[String]> {
    static GROUPS: LazyLock<Arc<[String]>> = LazyLock::new(|| [DEFAULT_GROUP.to_owned()].into());
    Arc::clone(&GROUPS)
}

/// A layer, as OpsWorks calls a group of machines with one set of run lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Run lists by lifecycle event (`setup`, `configure`, `deploy`, `undeploy`, `shutdown`).
    pub events: BTreeMap<&'static str, Vec<RunListEntry>>,
}

/// An entry of a run list and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunListEntry {
    /// The entry.
    pub item: RunListItem,
    /// Where it is written.
    pub at: Location,
}

/// A consumer of archives.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// AWS OpsWorks Stacks, and what took over its cookbooks.
    #[default]
    OpsWorks,
    /// AWS Systems Manager's AWS-ApplyChefRecipes.
    Ssm,
    /// chef-solo and chef-client -z with `--recipe-url`, and what unpacks to a `cookbook_path`.
    ChefSolo,
}

/// How cookbooks are laid out in folders.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayoutKind {
    /// `<cookbook>/recipes/default.rb`.
    #[default]
    Flat,
    /// `cookbooks/<cookbook>/recipes/default.rb`.
    Cookbooks,
}

impl Target {
    pub(crate) const ALL: [(&'static str, Target); 3] = [
        ("opsworks", Target::OpsWorks),
        ("ssm", Target::Ssm),
        ("chef-solo", Target::ChefSolo),
    ];

    /// Its name in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Target::OpsWorks => "opsworks",
            Target::Ssm => "ssm",
            Target::ChefSolo => "chef-solo",
        }
    }

    /// The layout that this consumer wants.
    pub fn default_layout(self) -> LayoutKind {
        match self {
            Target::OpsWorks | Target::Ssm => LayoutKind::Flat,
            Target::ChefSolo => LayoutKind::Cookbooks,
        }
    }
}

impl LayoutKind {
    pub(crate) const ALL: [(&'static str, LayoutKind); 2] = [
        ("flat", LayoutKind::Flat),
        ("cookbooks", LayoutKind::Cookbooks),
    ];

    /// The folder that holds the cookbooks' own folders; empty for the archive's root.
    pub fn prefix(self) -> &'static str {
        match self {
            LayoutKind::Flat => "",
            LayoutKind::Cookbooks => "cookbooks",
        }
    }

    /// Its name in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            LayoutKind::Flat => "flat",
            LayoutKind::Cookbooks => "cookbooks",
        }
    }
}

/// One cookbook asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// The versions that fit.
    pub constraint: Constraint,
    /// Where it comes from; without one, only the constraint is stated.
    pub source: Option<Source>,
    /// Its groups, at least one. They are shared: most cookbooks have the same.
    pub groups: Arc<[String]>,
    /// What is declared of the cookbook in place of its metadata.rb.
    pub overrides: Option<Box<Override>>,
    /// Where the requirement is written.
    pub at: Location,
}

/// Where a cookbook comes from.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A git repository.
    Git {
        /// Its address.
        url: GitUrl,
        /// The commit wanted.
        reference: GitRef,
        /// The cookbook's folder within it.
        rel: TreePath,
        /// Whether files that git LFS keeps are fetched. Without it they are an error.
        lfs: bool,
    },
    /// A folder, absolute or relative to the manifest's.
    Path(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Git {
                url,
                reference,
                rel,
                ..
            } => {
                write!(f, "{url}, {reference}")?;
                match rel.is_root() {
                    true => Ok(()),
                    false => write!(f, ", folder `{rel}`"),
                }
            }
            Source::Path(path) => write!(f, "folder `{path}`"),
        }
    }
}

impl Manifest {
    /// Reads a `cookpack.toml`. `path` is the file's path: it is shown in messages, and relative
    /// paths in the text begin at its folder. Nothing is read from the disk.
    ///
    /// # Errors
    /// When the text is no manifest.
    pub fn parse(path: impl AsRef<str>, text: &str) -> Result<Self, DocumentError> {
        Self::parse_with(path, text, GitProtocol::default())
    }

    /// [`Self::parse`], with the protocol by which the short forms of repositories (`github`,
    /// `gitlab`, `bitbucket`) are read where the text itself names none.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with(
        path: impl AsRef<str>,
        text: &str,
        protocol: GitProtocol,
    ) -> Result<Self, DocumentError> {
        cookpack_toml::parse(&SourceFile::new(path.as_ref(), text), protocol)
    }

    /// The manifest of a lone cookbook: its own folder and nothing else. `metadata` is the text of
    /// its metadata.rb or metadata.json under that file's path.
    pub fn of_cookbook(metadata: SourceFile, name: CookbookName) -> Self {
        let requirement = Requirement {
            constraint: Constraint::any(),
            source: Some(Source::Path(".".to_owned())),
            groups: default_groups(),
            overrides: None,
            at: metadata.at(0..0),
        };
        let bundle = Bundle {
            name: name.to_string(),
            target: Target::default(),
            layout: LayoutKind::default(),
            run_list: Vec::new(),
            groups: GroupChoice::All,
        };
        Self {
            cookbooks: BTreeMap::from([(name, requirement)]),
            ..Self::empty(metadata, Format::Metadata, bundle)
        }
    }

    /// A manifest that names nothing.
    fn empty(file: SourceFile, format: Format, bundle: Bundle) -> Self {
        Self {
            file,
            format,
            bundle,
            layers: Vec::new(),
            cookbooks: BTreeMap::new(),
            globs: Vec::new(),
            git: GitSettings::default(),
            provided: BTreeSet::new(),
            upstreams: Vec::new(),
            transitive_sources: false,
            policy: None,
        }
    }

    /// The kind of file it was read from.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The text it was read from.
    pub fn file(&self) -> &SourceFile {
        &self.file
    }

    /// The folder in which it stands: relative paths begin there.
    pub fn folder(&self) -> PathBuf {
        match Path::new(self.file.name()).parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// Every run list entry: the bundle's, the layers' and the policy's.
    pub fn run_list_entries(&self) -> impl Iterator<Item = &RunListEntry> {
        let layers = self.layers.iter().flat_map(|layer| layer.events.values());
        let named = self.policy.iter().flat_map(|p| p.named_run_lists.values());
        let others = layers.chain(named).flatten();
        self.bundle.run_list.iter().chain(others)
    }

    /// The digest of everything that decides a resolution, kept in the lockfile so that a stale one
    /// is known at once. Names, constraints, sources, patterns and what is provided; neither the
    /// bundle's name nor its run lists.
    pub fn requirements_digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        for (name, requirement) in &self.cookbooks {
            let source = match &requirement.source {
                Some(source) => digested(source),
                None => "anywhere".to_owned(),
            };
            let constraint = &requirement.constraint;
            hasher.update(format!("cookbook {name} {constraint} {source}\n").as_bytes());
            if let Some(overrides) = &requirement.overrides {
                hasher.update(format!("override {overrides}\n").as_bytes());
            }
        }
        // The order of patterns and what they are called decide nothing.
        let mut globs: Vec<_> = self
            .globs
            .iter()
            .map(|asked| {
                let source = digested(&asked.source.at(&TreePath::root()));
                format!("glob {} {source}\n", asked.glob)
            })
            .collect();
        globs.sort_unstable();
        for glob in globs {
            hasher.update(glob.as_bytes());
        }
        for name in &self.provided {
            hasher.update(format!("provided {name}\n").as_bytes());
        }
        for upstream in &self.upstreams {
            hasher.update(upstream.digested().as_bytes());
        }
        if self.transitive_sources {
            hasher.update(b"transitive sources\n");
        }
        hasher.finish()
    }
}

/// A source for a digest. What is not set leaves no trace, so that older digests stay.
fn digested(source: &Source) -> String {
    match source {
        Source::Git {
            url,
            reference,
            rel,
            lfs,
        } => {
            let lfs = if *lfs { " lfs" } else { "" };
            format!("git {url:?} {reference:?} {rel:?}{lfs}")
        }
        Source::Path(path) => format!("path {path:?}"),
    }
}
