//! Writes a layout as a folder, swapped in whole.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 4: this module writes a folder"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Context, Error};
use crate::archive::{WriteError, copy_entry};
use crate::digest::{ContentDigest, Digest, Hasher};
use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Event;
use crate::layout::{Entry, Layout, PackedCookbook, TEMPORARY_PREFIX, VENDOR_MARKER};

/// The receipt of a folder that was written.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendored {
    /// The number of files written.
    pub files: usize,
    /// The files of others that were in the folder and still are.
    pub kept: usize,
    /// The identity of the layout.
    pub content: ContentDigest,
    /// The cookbooks in it, by name.
    pub cookbooks: Vec<PackedCookbook>,
}

/// Why a layout could not be written as a folder. What stood there is as it was.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum VendorError {
    /// The folder holds files, and none of cookpack's own making.
    #[error("`{}` is not empty, and `cookpack vendor` did not write it", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
    },
    /// Files that cookpack wrote were edited since, and would be lost.
    #[error("files in `{}` were edited since they were vendored: {}", folder.display(), files.join(", "))]
    Edited {
        /// The folder.
        folder: PathBuf,
        /// Their paths.
        files: Vec<String>,
    },
    /// A file of somebody else's stands where a file is to be written.
    #[error("`{file}` in `{}` is in the way, and `cookpack vendor` did not write it", folder.display())]
    InTheWay {
        /// The folder.
        folder: PathBuf,
        /// The file's path.
        file: String,
    },
    /// The operating system refused.
    #[error("cannot write `{}`", path.display())]
    Io {
        /// The file or the folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Diagnose for VendorError {
    fn kind(&self) -> Kind {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Kind::User,
                _ => Kind::Internal,
            },
            _ => Kind::User,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::Foreign { .. } => shown.hint("name a folder that is empty or does not exist"),
            Self::Edited { .. } => shown.hint(
                "edit the cookbook's own source instead, and delete these files to vendor anew",
            ),
            Self::InTheWay { .. } => shown.hint("move it away"),
            Self::Io { .. } => shown,
        }]
    }
}

/// The first line of the file that lists what was written: one file a line, digest and path.
const MARKER_HEADER: &str =
    "# Written by cookpack vendor: these files are replaced at the next run.";

/// Writes a layout to `folder`. The new folder is built beside it and swapped in; what is deleted is
/// only what an earlier run wrote; files of others stay.
///
/// # Errors
/// When the folder belongs to somebody else, or a source or the disk fails.
pub fn vendor(cx: &Context<'_>, layout: &Layout, folder: &Path) -> Result<Vendored, Error> {
    let folder = &match fs::canonicalize(folder) {
        Ok(real) => real,
        Err(_) => folder.to_owned(),
    };
    let old = OldFolder::read(folder, layout)?;
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|source| io_error(parent, source))?;
    let staged = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .tempdir_in(parent)
        .map_err(|source| io_error(folder, source))?;
    let root = staged.path();
    open_to_others(root).map_err(|source| io_error(root, source))?;

    let total = layout.content_bytes();
    let mut written = 0;
    let mut marker = format!("{MARKER_HEADER}\n");
    let mut progress = |bytes| {
        written += bytes;
        cx.reporter().report(&Event::WriteProgress {
            bytes: written,
            total,
        });
        cx.cancel().check()
    };
    for packed in layout.folders() {
        for entry in packed.entries()?.iter() {
            write_file(root, entry, &mut progress)?;
            marker.push_str(&format!("{}  {}\n", entry.digest(), entry.path()));
        }
    }
    let marker_path = root.join(VENDOR_MARKER);
    fs::write(&marker_path, marker).map_err(|source| io_error(&marker_path, source))?;
    for path in &old.foreign {
        carry_over(folder, root, path)?;
    }
    cx.cancel().check()?;
    swap_in(root, folder).map_err(|source| io_error(folder, source))?;
    // After an exchange the staged folder is the old one; dropping it deletes what was carried over.
    drop(staged);
    Ok(Vendored {
        files: layout.file_count(),
        kept: old.foreign.len(),
        content: layout.content_digest()?,
        cookbooks: layout.cookbooks().to_vec(),
    })
}

fn io_error(path: &Path, source: io::Error) -> VendorError {
    VendorError::Io {
        path: path.to_owned(),
        source,
    }
}

/// A folder for whose files somebody else may be responsible.
#[derive(Default)]
struct OldFolder {
    /// The paths of files that an earlier run did not write.
    foreign: Vec<PathBuf>,
}

impl OldFolder {
    fn read(folder: &Path, layout: &Layout) -> Result<Self, Error> {
        let mut files = Vec::new();
        match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(io_error(folder, source).into()),
            Ok(_) => collect(folder, Path::new(""), &mut files)?,
        }
        if files.is_empty() {
            return Ok(Self::default());
        }
        let Some(own) = read_marker(&folder.join(VENDOR_MARKER)) else {
            return Err(VendorError::Foreign {
                folder: folder.to_owned(),
            }
            .into());
        };
        let mut foreign = Vec::new();
        let mut edited = Vec::new();
        for path in files {
            if path == Path::new(VENDOR_MARKER) {
                continue;
            }
            let name = path.to_string_lossy().replace('\\', "/");
            match own.get(&name) {
                None => foreign.push(path),
                Some(digest) => {
                    let file = folder.join(&path);
                    let found = digest_of(&file).map_err(|source| io_error(&file, source))?;
                    // An edit that is what will be written anyway loses nothing.
                    if found != *digest && layout.digest_of(&name)? != Some(found) {
                        edited.push(name);
                    }
                }
            }
        }
        match edited.is_empty() {
            true => Ok(Self { foreign }),
            false => Err(VendorError::Edited {
                folder: folder.to_owned(),
                files: edited,
            }
            .into()),
        }
    }
}

/// Everything below a folder that is not a folder.
fn collect(root: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<(), VendorError> {
    let folder = root.join(below);
    let failed = |source| io_error(&folder, source);
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = below.join(entry.file_name());
        match entry.file_type().map_err(failed)?.is_dir() {
            true => collect(root, &path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

fn read_marker(path: &Path) -> Option<BTreeMap<String, Digest>> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    (lines.next()? == MARKER_HEADER).then_some(())?;
    lines
        .map(|line| {
            let (digest, path) = line.split_once("  ")?;
            Some((path.to_owned(), digest.parse().ok()?))
        })
        .collect()
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    if !fs::symlink_metadata(path)?.is_file() {
        // Whatever replaced the file is not what was written.
        return Ok(Digest::of("not a file"));
    }
    let mut hasher = HashWriter(Hasher::default());
    io::copy(&mut open(path)?, &mut hasher)?;
    Ok(hasher.0.finish())
}

#[expect(
    clippy::disallowed_types,
    reason = "rank 4: this module writes a folder"
)]
fn open(path: &Path) -> io::Result<fs::File> {
    fs::File::open(path)
}

struct HashWriter(Hasher);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_file(
    root: &Path,
    entry: Entry<'_>,
    progress: &mut crate::archive::Progress<'_>,
) -> Result<(), Error> {
    let path = root.join(entry.path().to_string());
    let failed = |source| io_error(&path, source);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = BufWriter::new(create(&path, entry.executable()).map_err(failed)?);
    copy_entry(entry, &mut file, progress).map_err(|error| match error {
        WriteError::Output(source) => Error::from(failed(source)),
        error => Error::from(error),
    })?;
    file.flush().map_err(failed)?;
    Ok(())
}

#[expect(
    clippy::disallowed_types,
    reason = "rank 4: this module writes a folder"
)]
fn create(path: &Path, executable: bool) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o777 } else { 0o666 });
    #[cfg(not(unix))]
    let _ = executable;
    options.open(path)
}

/// A temporary folder is made for its owner alone; a vendored one is a folder like any other.
#[cfg(unix)]
fn open_to_others(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let probe = folder.join("probe");
    fs::create_dir(&probe)?;
    let mode = fs::metadata(&probe)?.permissions().mode();
    fs::remove_dir(&probe)?;
    fs::set_permissions(folder, PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn open_to_others(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Copies a file of somebody else's from the old folder into the new one.
fn carry_over(old: &Path, new: &Path, path: &Path) -> Result<(), VendorError> {
    let (from, to) = (old.join(path), new.join(path));
    let failed = |source| io_error(&from, source);
    let in_the_way = || VendorError::InTheWay {
        folder: old.to_owned(),
        file: path.display().to_string(),
    };
    if fs::symlink_metadata(&to).is_ok() {
        return Err(in_the_way());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|_| in_the_way())?;
    }
    let found = fs::symlink_metadata(&from).map_err(failed)?;
    if found.is_file() {
        // A second name for the same file costs nothing and keeps its times and owner.
        return fs::hard_link(&from, &to)
            .or_else(|_| fs::copy(&from, &to).map(|_| ()))
            .map_err(failed);
    }
    #[cfg(unix)]
    if found.is_symlink() {
        let target = fs::read_link(&from).map_err(failed)?;
        return std::os::unix::fs::symlink(target, &to).map_err(failed);
    }
    Err(in_the_way())
}

/// Puts the new folder in the old one's place. Where the system can, the two are exchanged in one
/// step; elsewhere the old one is moved out of the way first.
fn swap_in(new: &Path, old: &Path) -> io::Result<()> {
    if !old.exists() {
        fs::rename(new, old)?;
        // What is dropped later must be a folder that is there.
        return fs::create_dir(new);
    }
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    let aside = new.with_extension("old");
    fs::rename(old, &aside)?;
    if let Err(error) = fs::rename(new, old) {
        fs::rename(&aside, old)?;
        return Err(error);
    }
    fs::rename(&aside, new)
}
