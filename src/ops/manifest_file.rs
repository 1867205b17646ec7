//! Reads a manifest of any kind.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 4: this module reads a project's files"
)]

use std::fs;
use std::io;
use std::path::Path;

use super::load::{Place, read_metadata};
use super::thread::on_a_thread;
use super::{Context, Error};
use crate::error::Diagnostic;
use crate::event::Event;
use crate::layout::{CookbookPlan, METADATA_JSON};
use crate::manifest::{Berksfile, BerksfileLock, Cheffile, Manifest, Policyfile};
use crate::name::CookbookName;
use crate::ruby::Settings;
use crate::source::{Folders, ProjectFiles};
use crate::text::SourceFile;

/// A file that says which cookbooks are wanted, as it was written.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum ManifestFile {
    /// A cookpack.toml.
    CookpackToml(Box<Manifest>),
    /// A Policyfile.rb.
    Policyfile(Box<Policyfile>),
    /// A Berksfile.
    Berksfile(Box<Berksfile>),
    /// A Cheffile, which `init` alone takes for a manifest.
    Cheffile(Box<Cheffile>),
    /// A Berksfile.lock, which is no manifest, but can be read.
    BerksfileLock(Box<BerksfileLock>),
    /// A lone cookbook's metadata.
    Metadata(Box<Manifest>),
}

/// The file names of manifests, the first of which in a folder is taken.
pub(super) const MANIFESTS: [&str; 5] = [
    "cookpack.toml",
    "Policyfile.rb",
    "Berksfile",
    METADATA_JSON,
    "metadata.rb",
];

/// Reads the manifest in a file; its name says which kind it is.
///
/// # Errors
/// When it cannot be read, or is wrong.
pub fn read_manifest_file(cx: &Context<'_>, path: &Path) -> Result<ManifestFile, Error> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if matches!(&*name, METADATA_JSON | "metadata.rb") {
        let place = Place::folder(&Folders::default(), folder, folder, None)?;
        let found = read_metadata(cx.limits(), &place, &CookbookPlan::default())?;
        let manifest = Manifest::of_cookbook(found.file, found.name);
        return Ok(ManifestFile::Metadata(Box::new(manifest)));
    }
    let text = read_text(cx, path)?;
    let shown = path.display().to_string();
    let is_policyfile = name.ends_with(".rb");
    let is_cheffile = name.starts_with("Cheffile");
    if !is_policyfile && !is_cheffile && !name.starts_with("Berksfile") {
        let protocol = cx.git_protocol();
        // A document as it is parsed takes many times the memory of its text.
        let manifest = on_a_thread(|| Manifest::parse_with(shown, &text, protocol))?;
        return Ok(ManifestFile::CookpackToml(Box::new(manifest)));
    }
    let file = SourceFile::new(shown, text);
    if name.ends_with(".lock") {
        let lock = BerksfileLock::parse(&file)?;
        return Ok(ManifestFile::BerksfileLock(Box::new(lock)));
    }
    let files = ProjectFiles::around(folder)?;
    let settings = Settings {
        env: cx.env().clone(),
        ..Settings::default()
    };
    if is_policyfile {
        let policyfile = Policyfile::parse(&file, &name, &files, &settings, cx.git_protocol())?;
        return Ok(ManifestFile::Policyfile(Box::new(policyfile)));
    }
    if is_cheffile {
        let cheffile = Cheffile::parse(&file, &name, &files, &settings, cx.git_protocol())?;
        return Ok(ManifestFile::Cheffile(Box::new(cheffile)));
    }
    let berksfile = Berksfile::parse(&file, &name, &files, &settings, cx.git_protocol())?;
    tell(cx, &berksfile.warnings);
    Ok(ManifestFile::Berksfile(Box::new(berksfile)))
}

impl ManifestFile {
    /// The manifest that it means. `folder` is the folder that it stands in.
    ///
    /// # Errors
    /// When something in it cannot be a name, an address or a reference.
    pub fn manifest(self, folder: &Path) -> Result<Manifest, Error> {
        match self {
            Self::Cheffile(cheffile) => Ok(cheffile.manifest(&bundle_name(folder))?),
            Self::CookpackToml(manifest) | Self::Metadata(manifest) => Ok(*manifest),
            Self::Policyfile(policyfile) => Ok(policyfile.manifest(&bundle_name(folder))?),
            Self::BerksfileLock(_) => Err(Error::NoProject {
                folder: folder.to_owned(),
            }),
            Self::Berksfile(berksfile) => Ok(berksfile.manifest(&bundle_name(folder))?),
        }
    }
}

/// What a bundle is called after: the folder, where its name can be one.
pub(super) fn bundle_name(folder: &Path) -> String {
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = real.file_name().and_then(|name| name.to_str());
    match name.map(str::parse::<CookbookName>) {
        Some(Ok(name)) if !name.as_str().starts_with('-') => name.to_string(),
        _ => "cookbooks".to_owned(),
    }
}

fn tell(cx: &Context<'_>, warnings: &[Diagnostic]) {
    for warning in warnings {
        cx.reporter().report(&Event::Warning(warning));
    }
}

/// A whole text, up to the limit.
pub(super) fn read_text(cx: &Context<'_>, path: &Path) -> Result<String, Error> {
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
