//! The plan of one cookbook: every file of its folder ends as included, omitted with the reason, or
//! refused with the reason.

use std::fmt;
use std::io::{self, Read};

use super::case_clashes::refuse_case_clashes;
use super::files::PlannedFiles;
use super::links::{self, Target};
use super::omission::{self, Omission};
use crate::archive;
use crate::chefignore::Chefignore;
use crate::digest::{ContentDigest, Digest, Hasher};
use crate::event::CancelToken;
use crate::layout::LayoutError;
use crate::layout::held::HeldContents;
use crate::lfs::Pointer;
use crate::limits::Limits;
use crate::path::{ArchivePath, PathProblem, TreePath, join_bytes};
use crate::tree::{EntryKind, Tree, TreeError, lossy};

/// The plan of one cookbook. Paths are relative to the cookbook.
#[derive(Clone, Debug, Default)]
pub struct CookbookPlan {
    /// The cookbook's folder in its tree.
    pub base: TreePath,
    /// What is packed, by path.
    pub included: PlannedFiles,
    /// What is left out, by path.
    pub omitted: Vec<OmittedFile>,
    /// What keeps the cookbook from being packed, by path.
    pub refused: Vec<RefusedFile>,
}

/// A file that is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its path within the cookbook.
    pub path: ArchivePath,
    /// Where its content is, where a link was followed: another path within the cookbook.
    pub elsewhere: Option<Box<[u8]>>,
    /// Whether it may be executed.
    pub executable: bool,
    /// Bytes of content.
    pub size: u64,
    /// The digest of the content.
    pub digest: Digest,
}

/// A file or a folder that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OmittedFile {
    /// Its path within the cookbook, ending in `/` for a folder.
    pub path: String,
    /// Why.
    pub reason: Omission,
}

/// A file that keeps its cookbook from being packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFile {
    /// Its path within the cookbook.
    pub path: String,
    /// Why.
    pub reason: Refusal,
}

/// Why a file can be neither packed nor passed over.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No archive can hold its name for every consumer.
    Path(PathProblem),
    /// Another path differs from it only in case.
    CaseClash {
        /// The other path.
        other: String,
    },
    /// A symbolic link that leads out of the cookbook: following it would pack the build host's files.
    LinkOutside {
        /// The link's text.
        target: String,
    },
    /// A symbolic link to nothing.
    LinkDangling {
        /// The link's text.
        target: String,
    },
    /// A symbolic link that leads back to itself or to a folder above it.
    LinkLoop {
        /// The link's text.
        target: String,
    },
    /// A symbolic link into version control's own folder, which may hold credentials.
    LinkIntoVersionControl {
        /// The link's text.
        target: String,
    },
    /// A FIFO, a socket or a device.
    NotAFile {
        /// What it is.
        what: &'static str,
    },
    /// A submodule, whose files are in another repository, and are not there.
    Submodule {
        /// Its path in the source.
        path: String,
    },
    /// A pointer to a file that git LFS keeps, which is not there.
    LfsPointer {
        /// The pointer's path in the source.
        path: String,
        /// What it points to.
        pointer: Pointer,
    },
    /// A file larger than the limit.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Folders nested deeper than the limit.
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(problem) => problem.fmt(f),
            Self::CaseClash { other } => write!(f, "it differs from `{other}` only in case"),
            Self::LinkOutside { target } => {
                write!(
                    f,
                    "it is a link to `{target}`, which is outside of the cookbook"
                )
            }
            Self::LinkDangling { target } => {
                write!(f, "it is a link to `{target}`, where there is nothing")
            }
            Self::LinkLoop { target } => {
                write!(
                    f,
                    "it is a link to `{target}`, which leads back to the link"
                )
            }
            Self::LinkIntoVersionControl { target } => {
                write!(
                    f,
                    "it is a link to `{target}`, which belongs to version control"
                )
            }
            Self::NotAFile { what } => write!(f, "it is {what}, not a file"),
            Self::Submodule { .. } => f.write_str("it is a submodule, whose files are not there"),
            Self::LfsPointer { .. } => {
                f.write_str("it is a pointer to a file that git LFS keeps elsewhere")
            }
            Self::TooLarge { limit } => write!(f, "it is larger than {limit} bytes"),
            Self::TooDeep { limit } => write!(f, "it is more than {limit} folders deep"),
        }
    }
}

impl Refusal {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Path(_) | Self::CaseClash { .. } => {
                "rename it, or add a line to the cookbook's chefignore that matches it"
            }
            Self::LinkOutside { .. } | Self::LinkIntoVersionControl { .. } => {
                "replace the link by a copy of the file, or add a line to chefignore that matches it"
            }
            Self::LinkDangling { .. } | Self::LinkLoop { .. } => {
                "mend or remove the link, or add a line to chefignore that matches it"
            }
            Self::NotAFile { .. } | Self::TooLarge { .. } | Self::TooDeep { .. } => {
                "remove it, or add a line to chefignore that matches it"
            }
            Self::Submodule { .. } => {
                "run `git submodule update --init`, or add a line to chefignore that matches its path"
            }
            Self::LfsPointer { .. } => {
                "write `lfs = true` beside `git` to have it fetched (in a work tree: `git lfs pull`), or add a line to chefignore that matches it"
            }
        }
    }
}

impl CookbookPlan {
    /// The identity of what the cookbook's source contributes to an archive.
    ///
    /// # Errors
    /// Those of [`PlannedFiles::read`].
    pub fn content_digest(&self) -> Result<ContentDigest, TreeError> {
        let files = self.included.read()?;
        let files = files.iter();
        Ok(ContentDigest::of(files.map(|file| {
            (file.path(), file.executable(), file.digest())
        })))
    }
}

/// Plans the cookbook in folder `base` of `tree`. Every file that is included is read once.
///
/// # Errors
/// When the tree cannot be read, holds more files than the limit, or the caller asked to stop.
/// Files that cannot be packed are no error here: see [`CookbookPlan::refused`].
pub fn plan_cookbook(
    tree: &dyn Tree,
    base: &TreePath,
    limits: &Limits,
    cancel: &CancelToken,
) -> Result<CookbookPlan, LayoutError> {
    let found = find_chefignore(tree, base)?;
    plan_with(found, tree, base, limits, cancel, None)
}

/// The same where it is known which chefignore applies, and with the contents of what is included, in
/// its order, in `contents`.
pub(crate) fn plan_with(
    chefignore: Option<FoundChefignore>,
    tree: &dyn Tree,
    base: &TreePath,
    limits: &Limits,
    cancel: &CancelToken,
    contents: Option<&mut HeldContents>,
) -> Result<CookbookPlan, LayoutError> {
    let read = |found: FoundChefignore| found.read(tree, limits);
    let mut planner = Planner {
        tree,
        base,
        limits,
        cancel,
        ignore: chefignore.map(read).transpose()?,
        open_folders: Vec::new(),
        seen: 0,
        buffer: vec![0; 32 << 10],
        included: Vec::new(),
        plan: CookbookPlan {
            base: base.clone(),
            ..CookbookPlan::default()
        },
        contents,
    };
    planner.folder(&[], &[])?;
    let Planner {
        mut included,
        mut plan,
        contents,
        ..
    } = planner;
    if let Some(contents) = contents {
        let paths = included.iter().map(|file| &file.path);
        let mut order: Vec<(usize, _)> = paths.enumerate().collect();
        order.sort_unstable_by_key(|(_, path)| *path);
        let order: Vec<usize> = order.into_iter().map(|(at, _)| at).collect();
        contents.reorder(&order);
        if !plan.refused.is_empty() {
            contents.give_up();
        }
    }
    included.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    plan.refused.extend(refuse_case_clashes(&mut included));
    plan.included = included.into_iter().collect();
    plan.omitted.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    plan.refused.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(plan)
}

/// Where the chefignore that applies to a cookbook is.
pub(crate) struct FoundChefignore {
    /// The file's path in the tree, which is where a link leads.
    pub(crate) file: Vec<u8>,
}

/// The nearest chefignore from the cookbook's folder up to the source's root. Never above: what a
/// build host has in a home folder must not decide what is packed.
pub(crate) fn find_chefignore(
    tree: &dyn Tree,
    base: &TreePath,
) -> Result<Option<FoundChefignore>, TreeError> {
    for folder in base.ancestors() {
        let path = join_bytes(folder.as_bytes(), b"chefignore");
        let file = match tree.kind(&path)? {
            Some(EntryKind::File { .. }) => path,
            Some(EntryKind::Symlink) => match links::follow(tree, b"", &path)? {
                Target::File { path, .. } if !omission::is_version_control(&path) => path,
                _ => continue,
            },
            _ => continue,
        };
        return Ok(Some(FoundChefignore { file }));
    }
    Ok(None)
}

impl FoundChefignore {
    fn read(self, tree: &dyn Tree, limits: &Limits) -> Result<(String, Chefignore), LayoutError> {
        let ignore = Chefignore::parse(&tree.read_text(&self.file, limits.text_bytes)?);
        let name = lossy(&self.file);
        if ignore.patterns().len() > limits.patterns {
            return Err(LayoutError::TooManyPatterns {
                file: name,
                limit: limits.patterns,
            });
        }
        Ok((name, ignore))
    }
}

struct Planner<'a> {
    tree: &'a dyn Tree,
    base: &'a TreePath,
    limits: &'a Limits,
    cancel: &'a CancelToken,
    ignore: Option<(String, Chefignore)>,
    /// The real folders that are being walked, outermost first.
    open_folders: Vec<Vec<u8>>,
    seen: usize,
    /// Takes the content of one file after the other.
    buffer: Vec<u8>,
    included: Vec<PlannedFile>,
    /// The rest of the plan.
    plan: CookbookPlan,
    contents: Option<&'a mut HeldContents>,
}

impl Planner<'_> {
    /// Walks the folder at `real`, whose files are packed below `shown`. The two differ below a link.
    fn folder(&mut self, real: &[u8], shown: &[u8]) -> Result<(), LayoutError> {
        if self.open_folders.len() > self.limits.depth {
            let limit = self.limits.depth;
            self.refuse(shown, Refusal::TooDeep { limit });
            return Ok(());
        }
        let mut entries = self.tree.entries(&self.base.join(real))?;
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let at_root = shown.is_empty();
        let is_vendor = |name: &[u8]| name == omission::VENDOR_MARKER.as_bytes();
        if !at_root && entries.iter().any(|e| is_vendor(&e.name)) {
            self.omit(shown, true, Omission::OwnVendorFolder);
            return Ok(());
        }
        self.open_folders.push(real.to_vec());
        for entry in entries {
            self.cancel.check()?;
            self.seen += 1;
            if self.seen > self.limits.files {
                return Err(LayoutError::TooManyFiles {
                    limit: self.limits.files,
                });
            }
            let real = join_bytes(real, &entry.name);
            let shown = join_bytes(shown, &entry.name);
            let is_folder = entry.kind == EntryKind::Directory;
            match omission::by_name(&entry.name, at_root) {
                Some(reason) => self.omit(&shown, is_folder, reason),
                None if is_folder => self.folder(&real, &shown)?,
                None => match self.ignored(&shown) {
                    Some(reason) => self.omit(&shown, false, reason),
                    None => self.entry(entry.kind, &real, &shown)?,
                },
            }
        }
        self.open_folders.pop();
        Ok(())
    }

    /// Judges what is neither a folder nor ignored.
    fn entry(&mut self, kind: EntryKind, real: &[u8], shown: &[u8]) -> Result<(), LayoutError> {
        match kind {
            EntryKind::File { executable } => self.file(real, shown, executable),
            EntryKind::Symlink => self.link(real, shown),
            EntryKind::Directory => self.folder(real, shown),
            EntryKind::Submodule => {
                let path = lossy(&self.base.join(real));
                self.refuse(shown, Refusal::Submodule { path });
                Ok(())
            }
            EntryKind::Special(what) => {
                self.refuse(shown, Refusal::NotAFile { what });
                Ok(())
            }
        }
    }

    /// A link to a file or a folder of the cookbook is packed as what it leads to.
    fn link(&mut self, real: &[u8], shown: &[u8]) -> Result<(), LayoutError> {
        let base = self.base.as_str().as_bytes();
        let target = lossy(&self.tree.link_target(&self.base.join(real))?);
        let refusal = match links::follow(self.tree, base, real)? {
            Target::File { path, .. } | Target::Directory { path }
                if omission::is_version_control(&path) =>
            {
                Refusal::LinkIntoVersionControl { target }
            }
            Target::File { path, executable } => return self.file(&path, shown, executable),
            Target::Directory { path } => {
                let leads_up = |open: &Vec<u8>| is_same_or_below(open, &path);
                if !self.open_folders.iter().any(leads_up) {
                    return self.folder(&path, shown);
                }
                Refusal::LinkLoop { target }
            }
            Target::Outside => Refusal::LinkOutside { target },
            Target::Dangling => Refusal::LinkDangling { target },
            Target::Loop => Refusal::LinkLoop { target },
            Target::Submodule { path } => Refusal::Submodule {
                path: lossy(&self.base.join(&path)),
            },
            Target::NotAFile => Refusal::NotAFile {
                what: "a link to something that is not a file",
            },
        };
        self.refuse(shown, refusal);
        Ok(())
    }

    fn file(&mut self, real: &[u8], shown: &[u8], executable: bool) -> Result<(), LayoutError> {
        let path = match ArchivePath::from_bytes(shown) {
            Ok(path) => path,
            Err(problem) => {
                self.refuse(shown, Refusal::Path(problem));
                return Ok(());
            }
        };
        let source = self.base.join(real);
        let begin = self.contents.as_ref().map_or(0, |contents| contents.end());
        let content = self.read(&source)?;
        if let Some(contents) = &mut self.contents {
            match content {
                Content::File { .. } => contents.include(begin),
                _ => contents.forget(begin),
            }
        }
        match content {
            Content::File { size, digest } => self.included.push(PlannedFile {
                path,
                elsewhere: (real != shown).then(|| real.into()),
                executable,
                size,
                digest,
            }),
            Content::LfsPointer(pointer) if pointer.size > self.limits.file_bytes => {
                let limit = self.limits.file_bytes;
                self.refuse(shown, Refusal::TooLarge { limit });
            }
            Content::LfsPointer(pointer) => {
                let path = lossy(&source);
                self.refuse(shown, Refusal::LfsPointer { path, pointer });
            }
            Content::OwnArchive => self.omit(shown, false, Omission::OwnArchive),
            Content::TooLarge => {
                let limit = self.limits.file_bytes;
                self.refuse(shown, Refusal::TooLarge { limit });
            }
        }
        Ok(())
    }

    fn read(&mut self, source: &[u8]) -> Result<Content, LayoutError> {
        let failed = |error| TreeError::Read {
            path: lossy(source),
            tree: self.tree.label(),
            source: error,
        };
        let mut file = self.tree.open(source)?;
        let mut hasher = Hasher::default();
        let mut size = 0_u64;
        let buffer = &mut self.buffer[..];
        loop {
            self.cancel.check()?;
            let count = fill(&mut *file, buffer).map_err(failed)?;
            let bytes = &buffer[..count];
            // What decides may stand far behind the beginning.
            if size == 0
                && archive::begins_as_own(bytes)
                && archive::is_own(&mut *self.tree.open(source)?)
            {
                return Ok(Content::OwnArchive);
            }
            if size == 0
                && count < buffer.len()
                && let Some(pointer) = Pointer::parse(bytes)
            {
                return Ok(Content::LfsPointer(pointer));
            }
            size += count as u64;
            if size > self.limits.file_bytes {
                return Ok(Content::TooLarge);
            }
            hasher.update(bytes);
            if let Some(contents) = &mut self.contents {
                contents.take(bytes);
            }
            if count < buffer.len() {
                break;
            }
        }
        Ok(Content::File {
            size,
            digest: hasher.finish(),
        })
    }

    fn ignored(&self, path: &[u8]) -> Option<Omission> {
        let (file, ignore) = self.ignore.as_ref()?;
        let pattern = ignore.matching(&String::from_utf8_lossy(path))?;
        Some(Omission::Chefignore {
            file: file.clone(),
            line: pattern.line,
            glob: pattern.glob.clone(),
        })
    }

    fn omit(&mut self, path: &[u8], is_folder: bool, reason: Omission) {
        let mut path = lossy(path);
        if is_folder {
            path.push('/');
        }
        self.plan.omitted.push(OmittedFile { path, reason });
    }

    fn refuse(&mut self, path: &[u8], reason: Refusal) {
        let path = lossy(path);
        self.plan.refused.push(RefusedFile { path, reason });
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

enum Content {
    File { size: u64, digest: Digest },
    OwnArchive,
    LfsPointer(Pointer),
    TooLarge,
}

/// Whether `path` is `folder` or lies below it.
fn is_same_or_below(path: &[u8], folder: &[u8]) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
