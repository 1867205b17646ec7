//! What an archive holds: every file of every cookbook under its path, planned once and read by
//! every writer.

mod bytes;
mod case_clashes;
mod compiled;
mod consumer;
mod files;
mod folder;
mod held;
mod links;
mod omission;
mod plan;
mod record;
mod run_list;
mod spill;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::archive::Format;
use crate::digest::{ContentDigest, ContentHasher, Digest};
use crate::error::{Diagnose, Diagnostic, Kind};
use crate::event::Cancelled;
use crate::lockfile::Pin;
use crate::manifest::{LayoutKind, Manifest, Target};
use crate::name::CookbookName;
use crate::text::nearest;
use crate::tree::{Tree, TreeError};
use crate::version::Version;

pub use compiled::CompiledMetadata;
pub use files::{FileTable, FileView, PlannedFiles};
pub use folder::{Entries, Entry, EntryPath, Folder};
pub(crate) use folder::{SharedEntry, folder_of};
pub(crate) use held::{HeldContents, HeldMemory, Kept};
pub(crate) use omission::is_version_control;
pub use omission::{Omission, TEMPORARY_PREFIX, VENDOR_MARKER};
pub use plan::{CookbookPlan, OmittedFile, PlannedFile, Refusal, RefusedFile, plan_cookbook};
pub(crate) use plan::{FoundChefignore, find_chefignore, plan_with};
pub(crate) use record::{PlanInputs, PlanRecord, RecordedMetadata, is_whole_record};
pub use run_list::RunListProblem;
pub(crate) use spill::{Spill, SpillFile};

/// Everything an archive holds, in the order in which it is written.
#[derive(Clone, Debug)]
pub struct Layout {
    kind: LayoutKind,
    /// The folder of each cookbook, by the bytes of its files' paths.
    folders: Vec<Folder>,
    /// The path of the first file.
    first: String,
    target: Target,
    cookbooks: Vec<PackedCookbook>,
    omitted: Vec<OmittedFile>,
    warnings: Vec<Diagnostic>,
}

/// A cookbook in a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedCookbook {
    /// Its name.
    pub name: CookbookName,
    /// Its version.
    pub version: Version,
    /// Where its content came from.
    pub pin: Arc<Pin>,
    /// The digest of that content.
    pub content: ContentDigest,
}

/// A cookbook ready to be laid out.
#[derive(Clone)]
pub struct PlannedCookbook {
    /// Its name, version and pin.
    pub packed: PackedCookbook,
    /// The tree that holds its files.
    pub tree: Arc<dyn Tree>,
    /// The plan of its files.
    pub plan: CookbookPlan,
    /// Whether OpsWorks's agent finds its name in its metadata.rb: what [`has_plain_name`] says of that.
    pub has_plain_name: bool,
    /// Its compiled metadata, packed where it has no metadata.json of its own.
    pub compiled_metadata: CompiledMetadata,
}

/// Why cookbooks cannot be laid out.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// Files that can be neither packed nor passed over.
    #[error("{} cannot be packed", count_files(.0.len()))]
    Refused(Vec<LayoutRefusal>),
    /// Two cookbooks have one name, or names that differ only in case.
    #[error("two cookbooks are named `{first}` and `{second}`, which would be one folder")]
    TwoOfOneName {
        /// The first.
        first: CookbookName,
        /// The second.
        second: CookbookName,
    },
    /// Entries of run lists that the archive cannot serve.
    #[error("{} in the run list cannot be run", count_entries(.0.len()))]
    RunList(Vec<RunListProblem>),
    /// A cookbook has more files than the limit.
    #[error("the cookbook holds more than {limit} files")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
    /// A chefignore has more patterns than the limit.
    #[error("`{file}` has more than {limit} patterns")]
    TooManyPatterns {
        /// The chefignore's path.
        file: String,
        /// The limit.
        limit: usize,
    },
    /// A source failed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// A refused file and the cookbook it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutRefusal {
    /// The cookbook.
    pub cookbook: CookbookName,
    /// Where its content comes from, for a person.
    pub source: String,
    /// The file and the reason.
    pub file: RefusedFile,
}

fn count_files(count: usize) -> String {
    match count {
        1 => "a file".to_owned(),
        _ => format!("{count} files"),
    }
}

fn count_entries(count: usize) -> String {
    match count {
        1 => "an entry".to_owned(),
        _ => format!("{count} entries"),
    }
}

impl Diagnose for LayoutError {
    fn kind(&self) -> Kind {
        match self {
            Self::Tree(error) => error.kind(),
            Self::Cancelled(_) => Kind::Cancelled,
            _ => Kind::User,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Refused(refusals) => refusals
                .iter()
                .map(|refusal| {
                    let LayoutRefusal {
                        cookbook,
                        source,
                        file,
                    } = refusal;
                    let path = file.path.escape_debug();
                    let reason = &file.reason;
                    Diagnostic::new(format!(
                        "cannot pack `{path}` of cookbook `{cookbook}` ({source}): {reason}"
                    ))
                    .hint(file.reason.hint())
                })
                .collect(),
            Self::TwoOfOneName { .. } => vec![
                Diagnostic::new(self.to_string())
                    .hint("rename one, or take it out of the manifest"),
            ],
            Self::RunList(problems) => problems.iter().map(RunListProblem::diagnostic).collect(),
            Self::Tree(error) => error.diagnostics(),
            _ => vec![Diagnostic::new(self.to_string())],
        }
    }
}

impl Layout {
    /// Lays out cookbooks for a manifest's consumer and checks its run lists. Nothing is read.
    ///
    /// # Errors
    /// Every refused file at once, or two cookbooks for one folder, or run list entries whose recipe
    /// is not there.
    pub fn of(
        manifest: &Manifest,
        kind: LayoutKind,
        cookbooks: impl IntoIterator<Item = PlannedCookbook>,
    ) -> Result<Self, LayoutError> {
        let cookbooks = cookbooks.into_iter();
        let (count, _) = cookbooks.size_hint();
        let mut layout = Self {
            kind,
            folders: Vec::with_capacity(count),
            first: String::new(),
            target: manifest.bundle.target,
            cookbooks: Vec::with_capacity(count),
            omitted: Vec::new(),
            warnings: Vec::new(),
        };
        let mut refusals = Vec::new();
        let mut has_plain_name = false;
        for mut cookbook in cookbooks {
            refusals.extend(layout.add(&mut cookbook)?);
            has_plain_name = cookbook.has_plain_name;
        }
        layout
            .cookbooks
            .sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some((first, second)) = two_of_one_name(&layout.cookbooks) {
            return Err(LayoutError::TwoOfOneName { first, second });
        }
        if !refusals.is_empty() {
            refusals.sort_by(|a, b| a.cookbook.cmp(&b.cookbook));
            return Err(LayoutError::Refused(refusals));
        }
        // By name they are in order, but for a name that goes on where another one ends.
        layout
            .folders
            .sort_unstable_by(|a, b| a.order().cmp(b.order()));
        if let Some(first) = layout.folders.first() {
            let first = first.entries()?;
            layout.first = first
                .first()
                .map_or_else(String::new, |entry| entry.path().to_string());
        }
        layout.omitted.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        run_list::check(manifest, &layout)?;
        if manifest.bundle.target == Target::OpsWorks {
            let lone = lone_flat_cookbook(kind, &layout.cookbooks, has_plain_name);
            layout.warnings.extend(lone);
        }
        Ok(layout)
    }

    /// Takes one cookbook's files out of its plan; gives what is refused.
    fn add(&mut self, cookbook: &mut PlannedCookbook) -> Result<Vec<LayoutRefusal>, TreeError> {
        let name = &cookbook.packed.name;
        let refuse = |path: &str, reason| LayoutRefusal {
            cookbook: name.clone(),
            source: cookbook.tree.label(),
            file: RefusedFile {
                path: path.to_owned(),
                reason,
            },
        };
        let mut refusals: Vec<_> = cookbook
            .plan
            .refused
            .iter()
            .map(|file| refuse(&file.path, file.reason.clone()))
            .collect();
        let folder = match folder_of(self.kind, name) {
            Ok(folder) => folder,
            Err(problem) => {
                refusals.push(refuse("", Refusal::Path(problem)));
                return Ok(refusals);
            }
        };
        self.omitted
            .extend(cookbook.plan.omitted.drain(..).map(|file| OmittedFile {
                path: format!("{folder}/{}", file.path),
                reason: file.reason,
            }));
        let files = std::mem::take(&mut cookbook.plan.included);
        let folder = Folder::new(folder, (&cookbook.tree, &cookbook.plan.base), files);
        self.folders
            .push(folder.with_compiled(cookbook.compiled_metadata.clone())?);
        self.cookbooks.push(cookbook.packed.clone());
        Ok(refusals)
    }

    /// The arrangement of folders.
    pub fn kind(&self) -> LayoutKind {
        self.kind
    }

    /// The folder of each cookbook, in the order in which it is written: by the bytes of its files' paths.
    pub fn folders(&self) -> &[Folder] {
        &self.folders
    }

    /// The first so many files of all folders, the last of these first.
    pub(crate) fn entries_before(
        &self,
        count: usize,
    ) -> impl Iterator<Item = Result<SharedEntry<'_>, TreeError>> {
        let mut behind = self.file_count() - count;
        self.folders.iter().rev().flat_map(move |folder| {
            let skipped = behind.min(folder.file_count());
            behind -= skipped;
            let before = (skipped < folder.file_count()).then(|| folder.entries());
            let (entries, error) = match before.transpose() {
                Ok(entries) => (entries, None),
                Err(error) => (None, Some(Err(error))),
            };
            let entries = entries.into_iter().flat_map(Entries::each);
            entries.rev().skip(skipped).map(Ok).chain(error)
        })
    }

    /// How many files there are.
    pub fn file_count(&self) -> usize {
        self.folders.iter().map(Folder::file_count).sum()
    }

    /// Every cookbook, by name.
    pub fn cookbooks(&self) -> &[PackedCookbook] {
        &self.cookbooks
    }

    /// What was left out of the cookbooks, and why, by the path it would have had.
    pub fn omitted(&self) -> &[OmittedFile] {
        &self.omitted
    }

    /// What a person should know of this layout.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// What a person should know of this layout in an archive of this format: whether the manifest's
    /// target reads it.
    pub fn warnings_as(&self, format: Format) -> Vec<Diagnostic> {
        consumer::warnings(self.target, format, &self.first)
    }

    /// The identity of names, modes and contents.
    ///
    /// # Errors
    /// Those of [`Folder::entries`].
    pub fn content_digest(&self) -> Result<ContentDigest, TreeError> {
        // They are in order: nothing has to be sorted, and a million of them not copied.
        let mut hasher = ContentHasher::default();
        for folder in &self.folders {
            for entry in folder.entries()?.iter() {
                hasher.entry(&entry.path().parts(), entry.executable(), entry.digest());
            }
        }
        Ok(hasher.finish())
    }

    /// Bytes of content of all files.
    pub fn content_bytes(&self) -> u64 {
        let bytes = self.folders.iter().map(Folder::content_bytes);
        bytes.fold(0, u64::saturating_add)
    }

    /// The digest of the content at a path, if there is a file.
    ///
    /// # Errors
    /// Those of [`Folder::entries`].
    pub fn digest_of(&self, path: &str) -> Result<Option<Digest>, TreeError> {
        let begin = match self.kind.prefix() {
            "" => 0,
            prefix => prefix.len() + 1,
        };
        let below = path.get(begin..).and_then(|path| path.split_once('/'));
        let Some((name, below)) = below else {
            return Ok(None);
        };
        let Some(folder) = self.folder(&path[..begin + name.len()]) else {
            return Ok(None);
        };
        let entries = folder.entries()?;
        Ok(entries.find(below).map(|entry| entry.digest()))
    }

    /// The folder at a path in the archive.
    pub fn folder(&self, path: &str) -> Option<&Folder> {
        let order = |folder: &Folder| folder.order().cmp(folder::order(path));
        let found = self.folders.binary_search_by(order).ok()?;
        Some(&self.folders[found])
    }
}

/// Two of these cookbooks, which are in order, whose folders are one where case does not count.
fn two_of_one_name(cookbooks: &[PackedCookbook]) -> Option<(CookbookName, CookbookName)> {
    let mut folders: HashMap<String, &CookbookName> = HashMap::new();
    cookbooks.iter().find_map(|PackedCookbook { name, .. }| {
        let folded = crate::path::fold_case(name.as_str());
        let first = folders.insert(folded, name)?;
        Some((first.clone(), name.clone()))
    })
}

/// The file that Chef reads first, and that every packed cookbook has.
pub(crate) const METADATA_JSON: &str = "metadata.json";

/// Whether a metadata.rb has a line that OpsWorks's agent takes for a name: `name` and one word.
pub fn has_plain_name(metadata_rb: &str) -> bool {
    let found = |line: &str| {
        line.trim_start()
            .strip_prefix("name")
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace()))
            .map(str::trim_start)
            .is_some_and(|name| {
                !name.is_empty() && !name.contains(|c: char| c.is_ascii_whitespace())
            })
    };
    metadata_rb.split('\n').any(found)
}

/// OpsWorks's agent on Linux moves the children of an archive's only folder up, unless the folder's
/// metadata.rb has a line that it takes for a name (aws/opsworks-cookbooks, branch
/// release-chef-11.10, `scm_helper/libraries/`): one cookbook alone would lose its folder.
fn lone_flat_cookbook(
    kind: LayoutKind,
    cookbooks: &[PackedCookbook],
    has_plain_name: bool,
) -> Option<Diagnostic> {
    let [cookbook] = cookbooks else { return None };
    if kind != LayoutKind::Flat || has_plain_name {
        return None;
    }
    let name = &cookbook.name;
    Some(
        Diagnostic::new(format!(
            "OpsWorks's agent on Linux would take `{name}` apart: it is the archive's only folder, and no line of its metadata.rb is just `name '{name}'`"
        ))
        .hint("write `layout = \"cookbooks\"` into [bundle], or put the name on a line of its own"),
    )
}

/// Names of `cookbooks` near to `name`.
fn near_name<'a>(name: &str, cookbooks: &'a [PackedCookbook]) -> Option<&'a str> {
    let known: BTreeSet<&str> = cookbooks.iter().map(|c| c.name.as_str()).collect();
    nearest(name, known)
}
