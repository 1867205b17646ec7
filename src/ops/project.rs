//! Opens the project in a folder: its manifest and its lockfile.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 4: this module reads a project's files"
)]

use std::path::{Component, Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use super::manifest_file::{MANIFESTS, ManifestFile, read_manifest_file, read_text};
use super::{Context, Error};
use crate::lockfile::Lockfile;
use crate::manifest::{BerksfileLock, Format, Manifest};

/// A manifest and what was decided for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Project {
    /// What is wanted.
    pub manifest: Manifest,
    /// Where the lockfile stands or will stand: beside the manifest.
    pub lockfile_path: PathBuf,
    /// What was decided before, if anything was.
    pub lockfile: Option<Lockfile>,
    /// What Berkshelf decided before, if cookpack has decided nothing yet.
    pub berksfile_lock: Option<BerksfileLock>,
}

/// The manifest's file name.
pub(super) const MANIFEST: &str = "cookpack.toml";

/// The lockfile's file name.
const LOCKFILE: &str = "cookpack.lock";

/// Opens the project at `path`: a manifest (a `cookpack.toml`, a Policyfile.rb, a Berksfile, or the metadata
/// of a lone cookbook), or a folder that holds one.
///
/// # Errors
/// When there is none, or it or its lockfile cannot be read.
pub fn open_project(cx: &Context<'_>, path: &Path) -> Result<Project, Error> {
    let file = manifest_path(path)?;
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let lockfile_path = folder.join(LOCKFILE);
    let locked = lockfile_path
        .exists()
        .then(|| read_text(cx, &lockfile_path));
    // Each of them takes as long as the other: a manifest of many cookbooks has a lockfile of as many.
    let (manifest, lockfile) = thread::scope(|scope| {
        let parse = |text: String| {
            let name = lockfile_path.display().to_string();
            scope.spawn(move || Lockfile::parse(name, &text))
        };
        let parsing = locked.map(|text| text.map(parse));
        let manifest = read_manifest_file(cx, &file).and_then(|read| read.manifest(folder));
        let join = |parsing: ScopedJoinHandle<'_, _>| {
            let parsed = parsing.join();
            parsed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        (manifest, parsing.map(|parsing| parsing.map(join)))
    });
    let manifest = manifest?;
    let lockfile = match lockfile {
        Some(parsed) => Some(parsed??),
        None => None,
    };
    // `Berksfile.dev` has `Berksfile.dev.lock`.
    let beside = PathBuf::from(format!("{}.lock", file.display()));
    let berksfile_lock = match manifest.format() {
        Format::Berksfile if lockfile.is_none() && beside.is_file() => {
            match read_manifest_file(cx, &beside)? {
                ManifestFile::BerksfileLock(lock) => Some(*lock),
                _ => None,
            }
        }
        _ => None,
    };
    Ok(Project {
        manifest,
        lockfile_path,
        lockfile,
        berksfile_lock,
    })
}

fn without_dots(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .collect()
}

/// The manifest at `path`: the file itself, or the first of a folder's.
///
/// # Errors
/// When the folder has none.
pub fn manifest_path(path: &Path) -> Result<PathBuf, Error> {
    // Messages name files as a person would: not `./metadata.rb`.
    let path = without_dots(path);
    if !path.as_os_str().is_empty() && !path.is_dir() {
        return Ok(path);
    }
    MANIFESTS
        .iter()
        .map(|name| path.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| Error::NoProject {
            folder: Path::new(".").join(path),
        })
}
