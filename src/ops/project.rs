//! Opens the project in a folder: its manifest and its lockfile.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 4: this module reads a project's files"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::load::{Place, read_metadata};
use super::{Context, Error};
use crate::layout::{CookbookPlan, METADATA_JSON};
use crate::lockfile::Lockfile;
use crate::manifest::Manifest;

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
}

/// The manifest's file name.
pub(super) const MANIFEST: &str = "cookpack.toml";

/// The lockfile's file name.
const LOCKFILE: &str = "cookpack.lock";

/// What a folder is taken for, the first that is there.
const MANIFESTS: [&str; 3] = [MANIFEST, METADATA_JSON, "metadata.rb"];

/// Opens the project at `path`: a manifest (a `cookpack.toml`, or the metadata of a lone cookbook),
/// or a folder that holds one.
///
/// # Errors
/// When there is none, or it or its lockfile cannot be read.
pub fn open_project(cx: &Context<'_>, path: &Path) -> Result<Project, Error> {
    let file = match path.is_dir() {
        true => MANIFESTS
            .iter()
            .map(|name| path.join(name))
            .find(|file| file.is_file())
            .ok_or_else(|| Error::NoProject {
                folder: path.to_owned(),
            })?,
        false => path.to_owned(),
    };
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let manifest = match MANIFESTS[1..].contains(&&*name) {
        true => lone_cookbook(cx, folder)?,
        false => Manifest::parse(file.display().to_string(), &read(cx, &file)?)?,
    };
    let lockfile_path = folder.join(LOCKFILE);
    let lockfile = match lockfile_path.exists() {
        true => {
            let text = read(cx, &lockfile_path)?;
            Some(Lockfile::parse(lockfile_path.display().to_string(), &text)?)
        }
        false => None,
    };
    Ok(Project {
        manifest,
        lockfile_path,
        lockfile,
    })
}

fn lone_cookbook(cx: &Context<'_>, folder: &Path) -> Result<Manifest, Error> {
    let place = Place::folder(folder, folder, None)?;
    let found = read_metadata(cx.limits(), &place, &CookbookPlan::default())?;
    Ok(Manifest::of_cookbook(found.file, found.name))
}

fn read(cx: &Context<'_>, path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > cx.limits().text_bytes {
        let limit = cx.limits().text_bytes;
        let reason = format!("it is larger than {limit} bytes");
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, reason)));
    }
    fs::read_to_string(path).map_err(failed)
}
