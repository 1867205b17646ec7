//! Writes what is locked as a source of its own: a folder that holds a universe and the cookbooks that it
//! lists, for machines that reach nothing else.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 4: this module writes a folder"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::lock::prepare;
use super::{Context, Error, LockMode, stream_archive};
use crate::archive::{ArchiveOptions, Format};
use crate::aside::{AsideError, AsideFile};
use crate::layout::{Layout, PlannedCookbook};
use crate::lockfile::{Lockfile, Pin};
use crate::manifest::{GroupChoice, LayoutKind, Manifest};
use crate::store::CacheKind;

/// The file that lists what a folder offers, in the form of a Supermarket's `/universe`.
const UNIVERSE: &str = "universe";

/// What was written.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// The cookbooks' files, by name.
    pub files: Vec<String>,
    /// Bytes of all of them.
    pub size: u64,
}

/// Writes exactly the locked cookbooks into `folder` as a static universe: what a source gave byte for
/// byte, and what git and folders gave as an archive of one cookbook each. `base_url` is the address at
/// which the folder will be served; without one the universe names its files relative to itself, which
/// cookpack and minimart's readers follow, and Berkshelf does not.
///
/// The folder is new, empty, or an earlier mirror, which is brought up to date: as long as that lasts, its
/// universe names nothing that is not there.
///
/// # Errors
/// As [`super::lock_and_assemble`]; when the folder holds something else, or cannot be written.
pub fn mirror(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
    (folder, base_url): (&Path, Option<&str>),
) -> Result<(Lockfile, Mirrored), Error> {
    let mut manifest = manifest.clone();
    manifest.bundle.groups = GroupChoice::All;
    let prepared = prepare(cx, &manifest, mode)?;
    let unusable = |source| AsideError {
        path: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(unusable)?;
    let old = old_files(folder)?;
    let mut mirrored = Mirrored {
        files: Vec::new(),
        size: 0,
    };
    let mut universe: BTreeMap<String, Value> = BTreeMap::new();
    let mut edges = BTreeMap::new();
    for (name, wants) in &prepared.edges() {
        for edge in wants {
            let by = edge
                .by
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let dependencies: &mut BTreeMap<String, String> = edges.entry(by).or_default();
            dependencies.insert(name.to_string(), edge.constraint.to_string());
        }
    }
    let (lockfile, cookbooks) = prepared.into_parts();
    for cookbook in cookbooks {
        cx.cancel().check()?;
        let packed = cookbook.packed.clone();
        let file = format!("{}-{}.tar.gz", packed.name, packed.version);
        let path = folder.join(&file);
        match &*packed.pin {
            Pin::Upstream {
                sha256: Some(digest),
                ..
            } => copy(&cx.store().object(CacheKind::Cookbook, digest), &path)?,
            _ => pack(cx, &manifest, cookbook, &path)?,
        }
        mirrored.size += fs::metadata(&path).map_err(unusable)?.len();
        let address = match base_url {
            Some(base) => format!("{}/{file}", base.trim_end_matches('/')),
            None => file.clone(),
        };
        let listed = json!({
            "location_type": "uri",
            "location_path": address,
            "download_url": address,
            "dependencies": edges.remove(packed.name.as_str()).unwrap_or_default(),
        });
        let versions = json!({ packed.version.to_string(): listed });
        universe.insert(packed.name.to_string(), versions);
        mirrored.files.push(file);
    }
    let mut out = AsideFile::create(&folder.join(UNIVERSE))?;
    let written = serde_json::to_writer_pretty(&mut out, &universe);
    written.map_err(|error| unusable(error.into()))?;
    out.persist()?;
    for file in old.iter().filter(|file| !mirrored.files.contains(file)) {
        fs::remove_file(folder.join(file)).map_err(unusable)?;
    }
    Ok((lockfile.into_owned(), mirrored))
}

/// The cookbooks' files of an earlier mirror.
///
/// # Errors
/// When the folder holds something, and no universe of ours.
fn old_files(folder: &Path) -> Result<Vec<String>, Error> {
    let unusable = |source| AsideError {
        path: folder.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unusable)? {
        let entry = entry.map_err(unusable)?;
        found.push(entry.file_name().to_string_lossy().into_owned());
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let foreign = || Error::NotAMirror {
        folder: folder.to_owned(),
    };
    let text = fs::read(folder.join(UNIVERSE)).map_err(|_| foreign())?;
    let listed: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_slice(&text).map_err(|_| foreign())?;
    let named = |(name, versions): (&String, &BTreeMap<String, Value>)| {
        let file = |version: &String| format!("{name}-{version}.tar.gz");
        versions.keys().map(file).collect::<Vec<_>>()
    };
    let mut files: Vec<_> = listed.iter().flat_map(named).collect();
    // A name with a path in it is none of ours.
    files.retain(|file| found.contains(file));
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path: PathBuf = path.to_owned();
        move |source| AsideError { path, source }
    };
    let mut file = File::open(from).map_err(failed(from))?;
    let mut out = AsideFile::create(to)?;
    io::copy(&mut file, &mut out).map_err(failed(to))?;
    Ok(out.persist()?)
}

/// Writes one cookbook as an archive of its own.
fn pack(
    cx: &Context<'_>,
    manifest: &Manifest,
    cookbook: PlannedCookbook,
    path: &Path,
) -> Result<(), Error> {
    let mut alone = manifest.clone();
    alone.bundle.run_list.clear();
    alone.layers.clear();
    alone.policy = None;
    let layout = Layout::of(&alone, LayoutKind::Flat, vec![cookbook])?;
    let mut out = AsideFile::create(path)?;
    let options = ArchiveOptions::default();
    stream_archive(cx, &layout, &mut out, Format::TarGz, &options)?;
    Ok(out.persist()?)
}
