//! Loads one cookbook: its files' plan and its metadata.

use std::path::Path;
use std::sync::Arc;

use super::plans::{Plans, Watched};
use super::{Context, Error};
use crate::digest::ContentDigest;
use crate::error::Diagnostic;
use crate::event::Event;
use crate::layout::{
    CompiledMetadata, CookbookPlan, HeldContents, LayoutError, METADATA_JSON, PlanRecord,
    RecordedMetadata, Spill, find_chefignore, has_plain_name, plan_with,
};
use crate::limits::Limits;
use crate::metadata::{Dependency, Metadata};
use crate::name::CookbookName;
use crate::path::{TreePath, join_bytes};
use crate::ruby;
use crate::source::{FolderError, Folders};
use crate::text::{Location, SourceFile, keep_lines_of};
use crate::tree::{EntryKind, Tree};
use crate::version::Version;

/// A cookbook that was read.
#[derive(Clone)]
#[non_exhaustive]
pub struct LoadedCookbook {
    /// Its name: its metadata's, or else its folder's.
    pub name: CookbookName,
    /// Its metadata.
    pub metadata: Metadata,
    /// What is packed of it, and what is not.
    pub plan: CookbookPlan,
    /// The digest of what is packed.
    pub(super) content: ContentDigest,
    /// [`LoadedCookbook::compiled_metadata`], once.
    pub(super) compiled: CompiledMetadata,
    pub(super) tree: Arc<dyn Tree>,
    pub(super) metadata_rb: Option<String>,
    pub(super) warnings: Vec<Diagnostic>,
    /// Whether its files were not read: its plan was known.
    is_known: bool,
}

impl std::fmt::Debug for LoadedCookbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedCookbook")
            .field("name", &self.name)
            .field("tree", &self.tree.label())
            .finish_non_exhaustive()
    }
}

/// A cookbook's place: a tree, its folder in it, and the name it has if its metadata gives none.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) tree: Arc<dyn Tree>,
    pub(super) base: TreePath,
    pub(super) fallback_name: Option<Arc<str>>,
    /// What the manifest declares in place of the metadata.rb there.
    pub(super) declared: Option<Box<Metadata>>,
    /// The manifest's line that names the place.
    pub(super) at: Option<Location>,
}

impl Place {
    /// The cookbook in a folder of this machine. `project` is the folder of the manifest.
    pub(super) fn folder(
        folders: &Folders,
        project: &Path,
        folder: &Path,
        at: Option<Location>,
    ) -> Result<Self, FolderError> {
        let (tree, base) = folders.open(project, folder)?;
        Ok(Self {
            fallback_name: tree.folder_name(&base).map(Arc::from),
            tree: Arc::new(tree),
            base,
            declared: None,
            at,
        })
    }

    /// How a person knows a file there.
    fn shown(&self, name: &str) -> String {
        match &*self.label() {
            "." => name.to_owned(),
            label => format!("{label}/{name}"),
        }
    }

    /// The name of the folder that is the source's root, as a metadata.rb there sees it.
    pub(super) fn root_name(&self) -> Option<&str> {
        self.fallback_name
            .as_deref()
            .filter(|_| self.base.is_root())
    }

    /// How a person knows the place.
    pub(super) fn label(&self) -> String {
        label(&*self.tree, &self.base)
    }
}

fn label(tree: &dyn Tree, base: &TreePath) -> String {
    let label = tree.label();
    match base.is_root() || !label.contains('#') {
        true => label,
        false => format!("{label}:{base}"),
    }
}

/// Loads the cookbook in a folder by itself, whatever it depends on.
///
/// # Errors
/// When the folder is no cookbook or cannot be read.
pub fn load_folder(cx: &Context<'_>, folder: &Path) -> Result<LoadedCookbook, Error> {
    let plans = Plans::without_store(cx);
    let place = Place::folder(&plans.folders, folder, folder, None)?;
    let cookbook = load(&plans, place, None, None)?;
    cookbook.tell_warnings(cx);
    Ok(cookbook)
}

/// The compiled metadata.json of the cookbook in a folder; or, where `path` is a metadata.rb or a
/// metadata.json, of that file alone.
///
/// # Errors
/// As [`load_folder`].
pub fn compile_metadata(cx: &Context<'_>, path: &Path) -> Result<String, Error> {
    let is_named = |name: &&str| path.file_name().is_some_and(|last| *last == **name);
    let named = [METADATA_JSON, METADATA_RB].into_iter().find(is_named);
    let folder = match (named, path.parent()) {
        (None, _) => path,
        (Some(_), Some(parent)) if !parent.as_os_str().is_empty() => parent,
        (Some(_), _) => Path::new("."),
    };
    let place = Place::folder(&Folders::default(), folder, folder, None)?;
    let mut found = None;
    for name in [METADATA_JSON, METADATA_RB] {
        if found.is_none() && named.is_none_or(|named| named == name) {
            found = find(&place, &CookbookPlan::default(), name)?.map(|path| (name, path));
        }
    }
    let Some((name, inner)) = found else {
        return Err(Error::NotACookbook {
            source_label: place.label(),
            at: None,
            inner: inner_cookbooks(&place)?,
        });
    };
    let text = place.tree.read_text(&inner, cx.limits().text_bytes)?;
    let file = SourceFile::new(place.shown(name), text);
    let mut metadata = parse_metadata(&place, name, &file)?;
    // A folder whose name no cookbook can have gives none: nothing is packed here.
    if metadata.name.is_none()
        && let Ok((own, warnings)) = name_of(&place, &file, &metadata)
    {
        tell(cx, &warnings);
        metadata.name = Some(own.to_string());
    }
    Ok(metadata.to_json())
}

fn parse_metadata(place: &Place, name: &str, file: &SourceFile) -> Result<Metadata, Error> {
    if name == METADATA_JSON {
        return Ok(Metadata::from_json(file)?);
    }
    let files = ruby::TreeFiles {
        tree: &*place.tree,
        base: place.base.clone(),
    };
    let settings = ruby::Settings {
        root_name: place.root_name().map(str::to_owned),
        ..ruby::Settings::default()
    };
    Ok(Metadata::from_ruby(file, &files, &settings)?)
}

impl LoadedCookbook {
    /// The metadata.json that is packed where the cookbook has none, as Chef writes it.
    pub fn compiled_metadata(&self) -> String {
        compiled(&self.name, &self.metadata)
    }

    /// Whether its files were not read.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// What is needed of it until all is laid out, as far as there is memory for that.
    pub(super) fn set_aside(mut self, spill: &Spill) -> GatheredCookbook {
        let spill = match self.is_known {
            true => spill,
            false => &spill.sparing(),
        };
        let mut dependencies = self.metadata.dependencies;
        keep_lines_of(dependencies.iter_mut().map(|dependency| &mut dependency.at));
        self.plan.included.spill(spill);
        self.compiled.spill(spill);
        GatheredCookbook {
            has_plain_name: self.metadata_rb.as_deref().is_some_and(has_plain_name),
            name: self.name,
            version: self.metadata.version,
            dependencies: dependencies.into(),
            plan: self.plan,
            content: self.content,
            compiled: self.compiled,
            tree: self.tree,
            warnings: self.warnings,
        }
    }
}

/// One of the cookbooks of a manifest, of which there may be thousands: less than all that was read of it.
pub(super) struct GatheredCookbook {
    pub(super) name: CookbookName,
    pub(super) version: Version,
    /// Of the metadata's text their lines are left.
    pub(super) dependencies: Arc<[Dependency]>,
    pub(super) plan: CookbookPlan,
    pub(super) content: ContentDigest,
    pub(super) compiled: CompiledMetadata,
    pub(super) tree: Arc<dyn Tree>,
    pub(super) has_plain_name: bool,
    warnings: Vec<Diagnostic>,
}

impl GatheredCookbook {
    /// What was noticed while it was read, which may have been on another thread. It is told once.
    pub(super) fn tell_warnings(&mut self, cx: &Context<'_>) {
        tell(cx, &std::mem::take(&mut self.warnings));
    }
}

impl LoadedCookbook {
    /// What was noticed while it was read, which may have been on another thread.
    pub(super) fn tell_warnings(&self, cx: &Context<'_>) {
        tell(cx, &self.warnings);
    }
}

fn tell(cx: &Context<'_>, warnings: &[Diagnostic]) {
    for warning in warnings {
        cx.reporter().report(&Event::Warning(warning));
    }
}

fn compiled(name: &CookbookName, metadata: &Metadata) -> String {
    let mut metadata = metadata.clone();
    metadata.name = Some(name.to_string());
    metadata.to_json()
}

/// Loads the cookbook at a place. What is locked of it is the digest that its content must have. What
/// is read of its files is put into `contents`.
pub(super) fn load(
    plans: &Plans,
    place: Place,
    locked: Option<ContentDigest>,
    contents: Option<&mut HeldContents>,
) -> Result<LoadedCookbook, Error> {
    let (limits, cancel) = (&plans.limits, &plans.cancel);
    cancel.check().map_err(LayoutError::from)?;
    let kind = place.tree.kind(place.base.as_str().as_bytes())?;
    if kind != Some(EntryKind::Directory) {
        return Err(Error::NoSuchFolder {
            folder: place.base.to_string(),
            source_label: place.tree.label(),
            at: place.at,
        });
    }
    let chefignore = find_chefignore(&*place.tree, &place.base).map_err(LayoutError::from)?;
    let key = plans.key(&place, chefignore.as_ref())?;
    // What is to be told to be something else than what is locked is read first.
    let is_locked = |record: &PlanRecord| {
        !record.plan.refused.is_empty() || locked.is_none_or(|locked| locked == record.content)
    };
    let known = key.and_then(|key| plans.find(&key, &place.base));
    if let Some(record) = known.filter(is_locked) {
        // Another thread may want one of them: it looks again.
        place.tree.forget_listings();
        return from_record(limits, place, record);
    }
    let plan = plan_with(
        chefignore,
        &*place.tree,
        &place.base,
        limits,
        cancel,
        contents,
    )?;
    let watched = Arc::new(Watched::new(Arc::clone(&place.tree), place.base.clone()));
    let seen = Place {
        tree: Arc::clone(&watched) as Arc<dyn Tree>,
        ..place.clone()
    };
    let found = read_metadata(limits, &seen, &plan)?;
    let mut record = PlanRecord {
        content: plan.content_digest().map_err(LayoutError::from)?,
        plan,
        metadata: None,
    };
    if let Some(key) = key
        && is_locked(&record)
    {
        let is_own = !watched.has_strayed() && place.declared.is_none();
        record.metadata = is_own.then(|| found.recorded());
        plans.keep(&key, &record);
    }
    Ok(found.cookbook(place.tree, record, false))
}

/// A cookbook whose plan is known.
fn from_record(
    limits: &Limits,
    place: Place,
    mut record: PlanRecord,
) -> Result<LoadedCookbook, Error> {
    let found = match record.metadata.take() {
        None => read_metadata(limits, &place, &record.plan)?,
        Some(recorded) => {
            let name = match recorded.is_json {
                true => METADATA_JSON,
                false => METADATA_RB,
            };
            let recorded = recorded.shown_as(place.shown(name));
            let (name, warnings) = name_of(&place, &recorded.file, &recorded.metadata)?;
            FoundMetadata {
                name,
                metadata: recorded.metadata,
                file: recorded.file,
                is_json: recorded.is_json,
                metadata_rb: recorded.metadata_rb,
                warnings,
            }
        }
    };
    Ok(found.cookbook(place.tree, record, true))
}

/// A cookbook's metadata as it was read.
pub(super) struct FoundMetadata {
    pub(super) name: CookbookName,
    pub(super) metadata: Metadata,
    /// The file it was read from: metadata.json where there is one, as in Chef.
    pub(super) file: SourceFile,
    is_json: bool,
    pub(super) metadata_rb: Option<String>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl FoundMetadata {
    fn recorded(&self) -> RecordedMetadata {
        RecordedMetadata {
            is_json: self.is_json,
            metadata_rb: self.metadata_rb.clone(),
            file: self.file.clone(),
            metadata: self.metadata.clone(),
        }
    }

    fn cookbook(self, tree: Arc<dyn Tree>, record: PlanRecord, is_known: bool) -> LoadedCookbook {
        LoadedCookbook {
            compiled: compiled(&self.name, &self.metadata).into(),
            name: self.name,
            metadata: self.metadata,
            plan: record.plan,
            content: record.content,
            tree,
            metadata_rb: self.metadata_rb,
            warnings: self.warnings,
            is_known,
        }
    }
}

/// Reads the metadata of the cookbook at a place, whose files are planned or, for a first look, not.
pub(super) fn read_metadata(
    limits: &Limits,
    place: &Place,
    plan: &CookbookPlan,
) -> Result<FoundMetadata, Error> {
    let limit = limits.text_bytes;
    let read = |name: &str| match find(place, plan, name)? {
        Some(path) => Ok::<_, Error>(Some(place.tree.read_text(&path, limit)?)),
        None => Ok(None),
    };
    let metadata_rb = read(METADATA_RB)?;
    let shown = |name| place.shown(name);
    let json = read(METADATA_JSON)?;
    let is_json = json.is_some();
    let (file, metadata) = if let Some(declared) = &place.declared {
        let file = SourceFile::new(
            shown(METADATA_RB),
            metadata_rb.as_deref().unwrap_or_default(),
        );
        if json.is_some() {
            return Err(Error::OverrideOfJson {
                file: shown(METADATA_JSON),
                at: declared.version_at.clone().unwrap_or_else(|| file.at(0..0)),
            });
        }
        (file, (**declared).clone())
    } else if let Some(text) = json {
        let file = SourceFile::new(shown(METADATA_JSON), text);
        let metadata = parse_metadata(place, METADATA_JSON, &file)?;
        (file, metadata)
    } else if let Some(text) = &metadata_rb {
        let file = SourceFile::new(shown(METADATA_RB), text.as_str());
        let metadata = parse_metadata(place, METADATA_RB, &file)?;
        (file, metadata)
    } else {
        return Err(Error::NotACookbook {
            source_label: place.label(),
            at: place.at.clone(),
            inner: inner_cookbooks(place)?,
        });
    };
    let (name, warnings) = name_of(place, &file, &metadata)?;
    Ok(FoundMetadata {
        name,
        metadata,
        file,
        is_json,
        metadata_rb,
        warnings,
    })
}

const METADATA_RB: &str = "metadata.rb";

/// Where a root file of the cookbook is read from: through a link if it is one, and even where a
/// chefignore leaves it out of the archive.
fn find(place: &Place, plan: &CookbookPlan, name: &str) -> Result<Option<Vec<u8>>, Error> {
    if let Some(file) = plan.included.read()?.get(name) {
        return Ok(Some(file.source(&place.base)));
    }
    let path = place.base.join(name.as_bytes());
    let is_file = matches!(place.tree.kind(&path)?, Some(EntryKind::File { .. }));
    Ok(is_file.then_some(path))
}

/// The name in the metadata; else the folder's, with a warning.
fn name_of(
    place: &Place,
    file: &SourceFile,
    metadata: &Metadata,
) -> Result<(CookbookName, Vec<Diagnostic>), Error> {
    let declared = metadata.name_at.clone();
    let bad = |error| Error::BadName {
        at: declared.clone().unwrap_or_else(|| file.at(0..0)),
        error,
    };
    if let Some(name) = &metadata.name {
        return Ok((name.parse().map_err(bad)?, Vec::new()));
    }
    let name = place.fallback_name.clone().unwrap_or_default();
    let name: CookbookName = name.parse().map_err(bad)?;
    let warning = Diagnostic::new(format!(
        "{} gives no name: the cookbook is taken for `{name}`",
        file.name()
    ))
    .hint(format!(
        "write `name '{name}'` into it: Chef refuses a cookbook without a name"
    ));
    Ok((name, vec![warning]))
}

/// Folders, one or two levels down, that are cookbooks: what was perhaps meant.
fn inner_cookbooks(place: &Place) -> Result<Vec<String>, Error> {
    let is_cookbook = |folder: &[u8]| -> Result<bool, Error> {
        for name in [METADATA_JSON, METADATA_RB] {
            let path = join_bytes(folder, name.as_bytes());
            if matches!(place.tree.kind(&path)?, Some(EntryKind::File { .. })) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let folders = |folder: &[u8]| -> Result<Vec<Vec<u8>>, Error> {
        let mut entries = place.tree.entries(folder)?;
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries
            .into_iter()
            .filter(|e| e.kind == EntryKind::Directory && !e.name.starts_with(b"."))
            .map(|e| join_bytes(folder, &e.name))
            .collect())
    };
    let mut found = Vec::new();
    for outer in folders(place.base.as_str().as_bytes())? {
        if is_cookbook(&outer)? {
            found.push(outer);
            continue;
        }
        for inner in folders(&outer)? {
            if is_cookbook(&inner)? {
                found.push(inner);
            }
        }
    }
    let shown = |path: Vec<u8>| format!("`{}`", String::from_utf8_lossy(&path));
    Ok(found.into_iter().take(8).map(shown).collect())
}
