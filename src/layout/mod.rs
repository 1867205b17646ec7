//! What an archive holds: every file of every cookbook under its path, planned once and read by
//! every writer.

mod consumer;
mod content;
mod held;
mod links;
mod omission;
mod plan;
mod record;
mod run_list;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use crate::archive::Format;
use crate::digest::{ContentDigest, ContentHasher, Digest};
use crate::error::{Diagnose, Diagnostic, Kind};
use crate::event::Cancelled;
use crate::lockfile::Pin;
use crate::manifest::{LayoutKind, Manifest, Target};
use crate::name::CookbookName;
use crate::path::ArchivePath;
use crate::text::nearest;
use crate::tree::{Tree, TreeError};
use crate::version::Version;

use content::{Content, Origin};
use held::Held;
pub(crate) use held::{HeldContents, Kept};
pub(crate) use omission::is_version_control;
pub use omission::{Omission, TEMPORARY_PREFIX, VENDOR_MARKER};
pub use plan::{CookbookPlan, OmittedFile, PlannedFile, Refusal, RefusedFile, plan_cookbook};
pub(crate) use plan::{FoundChefignore, find_chefignore, plan_with};
pub(crate) use record::{PlanInputs, PlanRecord, RecordedMetadata, is_whole_record};
pub use run_list::RunListProblem;

/// Everything an archive holds, in the order in which it is written.
#[derive(Clone, Debug)]
pub struct Layout {
    kind: LayoutKind,
    entries: Vec<Entry>,
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
    pub pin: Pin,
    /// The digest of that content.
    pub content: ContentDigest,
}

/// One file of a layout.
#[derive(Clone)]
pub struct Entry {
    path: ArchivePath,
    executable: bool,
    size: u64,
    digest: Digest,
    content: Content,
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
    /// The text of its metadata.rb, if it has one.
    pub metadata_rb: Option<String>,
    /// Its compiled metadata, packed where it has no metadata.json of its own.
    pub compiled_metadata: String,
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
        mut cookbooks: Vec<PlannedCookbook>,
    ) -> Result<Self, LayoutError> {
        cookbooks.sort_by(|a, b| a.packed.name.cmp(&b.packed.name));
        // One more for each: its metadata.
        let files = cookbooks.iter().map(|one| one.plan.included.len() + 1);
        let mut layout = Self {
            kind,
            entries: Vec::with_capacity(files.sum()),
            target: manifest.bundle.target,
            cookbooks: Vec::with_capacity(cookbooks.len()),
            omitted: Vec::new(),
            warnings: Vec::new(),
        };
        let mut refusals = Vec::new();
        let mut folders: HashMap<String, &CookbookName> = HashMap::new();
        for cookbook in &cookbooks {
            let name = &cookbook.packed.name;
            let folded = crate::path::fold_case(name.as_str());
            if let Some(first) = folders.insert(folded, name) {
                return Err(LayoutError::TwoOfOneName {
                    first: first.clone(),
                    second: name.clone(),
                });
            }
        }
        for cookbook in &mut cookbooks {
            refusals.extend(layout.add(cookbook));
        }
        if !refusals.is_empty() {
            return Err(LayoutError::Refused(refusals));
        }
        // They are in order, but for a cookbook whose name goes on where another one's ends.
        if !layout.entries.is_sorted_by(|a, b| a.path < b.path) {
            layout.entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        }
        layout.omitted.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        run_list::check(manifest, &layout)?;
        if manifest.bundle.target == Target::OpsWorks {
            layout.warnings.extend(lone_flat_cookbook(kind, &cookbooks));
        }
        Ok(layout)
    }

    /// Takes one cookbook's files out of its plan; gives what is refused.
    fn add(&mut self, cookbook: &mut PlannedCookbook) -> Vec<LayoutRefusal> {
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
                return refusals;
            }
        };
        let of = (&cookbook.tree, &cookbook.plan);
        let own = entries_below(&folder, of, &cookbook.compiled_metadata, None);
        self.entries.extend(own);
        cookbook.plan.included = Vec::new();
        self.omitted
            .extend(cookbook.plan.omitted.drain(..).map(|file| OmittedFile {
                path: format!("{folder}/{}", file.path),
                reason: file.reason,
            }));
        self.cookbooks.push(cookbook.packed.clone());
        refusals
    }

    /// The arrangement of folders.
    pub fn kind(&self) -> LayoutKind {
        self.kind
    }

    /// Every file, in the order in which it is written: by the bytes of its path.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
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
        let first = self.entries.first().map(|entry| entry.path().as_str());
        consumer::warnings(self.target, format, first.unwrap_or_default())
    }

    /// The identity of names, modes and contents.
    pub fn content_digest(&self) -> ContentDigest {
        // They are in order: nothing has to be sorted, and a million of them not copied.
        let mut hasher = ContentHasher::default();
        for entry in &self.entries {
            hasher.file(entry.path.as_str(), entry.executable, entry.digest);
        }
        hasher.finish()
    }

    /// Bytes of content of all files.
    pub fn content_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }

    /// The entry at a path.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries
            .binary_search_by(|entry| entry.path.as_str().cmp(path))
            .ok()
            .map(|index| &self.entries[index])
    }

    /// The folder of a cookbook, with a `/` at its end.
    fn folder(&self, cookbook: &CookbookName) -> String {
        match self.kind.prefix() {
            "" => format!("{cookbook}/"),
            prefix => format!("{prefix}/{cookbook}/"),
        }
    }
}

/// The file that Chef reads first, and that every packed cookbook has.
pub(crate) const METADATA_JSON: &str = "metadata.json";

fn folder_of(
    kind: LayoutKind,
    name: &CookbookName,
) -> Result<ArchivePath, crate::path::PathProblem> {
    let folder = ArchivePath::new(name.as_str())?;
    Ok(match kind.prefix() {
        "" => folder,
        prefix => folder.below(&ArchivePath::new(prefix)?),
    })
}

/// The entries that a cookbook will have in a layout of this kind, in their order. `held` says where in
/// memory the contents are, for each file that is included; without it they are read from the tree.
pub(crate) fn entries_of(
    kind: LayoutKind,
    name: &CookbookName,
    (tree, plan): (&Arc<dyn Tree>, &CookbookPlan),
    compiled_metadata: &str,
    held: Option<Held<'_>>,
) -> Option<Vec<Entry>> {
    let folder = folder_of(kind, name).ok()?;
    let is_whole = held.is_none_or(|(_, places)| places.len() == plan.included.len());
    is_whole.then(|| entries_below(&folder, (tree, plan), compiled_metadata, held))
}

/// The same below a folder of the archive.
fn entries_below(
    folder: &ArchivePath,
    (tree, plan): (&Arc<dyn Tree>, &CookbookPlan),
    compiled_metadata: &str,
    held: Option<Held<'_>>,
) -> Vec<Entry> {
    let origin = Origin::new(tree, &plan.base, folder);
    let mut entries = Vec::with_capacity(plan.included.len() + 1);
    for (at, file) in plan.included.iter().enumerate() {
        let content = match held {
            Some((bytes, places)) => Content::Held(Arc::clone(bytes), places[at].clone()),
            None => Content::of(&origin, file.elsewhere.clone()),
        };
        entries.push(Entry::of(file.path.below(folder), file, content));
    }
    if plan.file(METADATA_JSON).is_none() {
        let made = made_entry(folder, compiled_metadata);
        let at = entries.partition_point(|entry| entry.path < made.path);
        entries.insert(at, made);
    }
    entries
}

fn made_entry(folder: &ArchivePath, text: &str) -> Entry {
    let path = match ArchivePath::new(METADATA_JSON) {
        Ok(file) => file.below(folder),
        Err(_) => folder.clone(),
    };
    Entry {
        path,
        executable: false,
        size: text.len() as u64,
        digest: Digest::of(text),
        content: Content::Made(text.as_bytes().into()),
    }
}

impl Entry {
    fn of(path: ArchivePath, file: &PlannedFile, content: Content) -> Self {
        Self {
            path,
            executable: file.executable,
            size: file.size,
            digest: file.digest,
            content,
        }
    }

    /// Its path in the archive.
    pub fn path(&self) -> &ArchivePath {
        &self.path
    }

    /// Whether its mode is 755 rather than 644.
    pub fn executable(&self) -> bool {
        self.executable
    }

    /// Bytes of content.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of the content.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether cookpack made the content, so that no source holds it.
    pub fn is_compiled(&self) -> bool {
        matches!(self.content, Content::Made(_))
    }

    /// Opens the content for reading.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + '_>, TreeError> {
        self.content.open(&self.path)
    }

    /// The content, if it is in memory as it was digested.
    pub(crate) fn held(&self) -> Option<&[u8]> {
        self.content.held()
    }

    /// The error of a read that failed.
    pub(crate) fn read_error(&self, error: io::Error) -> TreeError {
        self.content.read_error(&self.path, error)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.executable { "755" } else { "644" };
        write!(f, "{} {mode} {} {}", self.digest, self.size, self.path)
    }
}

/// OpsWorks's agent on Linux moves the children of an archive's only folder up, unless the folder's
/// metadata.rb has a line that it takes for a name (aws/opsworks-cookbooks, branch
/// release-chef-11.10, `scm_helper/libraries/`): one cookbook alone would lose its folder.
fn lone_flat_cookbook(kind: LayoutKind, cookbooks: &[PlannedCookbook]) -> Option<Diagnostic> {
    let [cookbook] = cookbooks else { return None };
    let found = |line: &str| {
        line.trim_start()
            .strip_prefix("name")
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace()))
            .map(str::trim_start)
            .is_some_and(|name| {
                !name.is_empty() && !name.contains(|c: char| c.is_ascii_whitespace())
            })
    };
    let text = cookbook.metadata_rb.as_deref().unwrap_or_default();
    if kind != LayoutKind::Flat || text.split('\n').any(found) {
        return None;
    }
    let name = &cookbook.packed.name;
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
