//! What becomes of every file.

use std::path::Path;

use super::lock::{LockMode, prepare};
use super::{Context, Error, load_folder};
use crate::layout::{CookbookPlan, METADATA_JSON, OmittedFile, RefusedFile};
use crate::manifest::Manifest;
use crate::tree::TreeError;

/// What becomes of every file of a cookbook or of a bundle. Each list is in the order of the paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The paths of what is packed.
    pub included: Vec<String>,
    /// The paths of what is packed and made by cookpack.
    pub compiled: Vec<String>,
    /// What is left out.
    pub omitted: Vec<OmittedFile>,
    /// What can be neither packed nor passed over.
    pub refused: Vec<RefusedFile>,
}

impl Listing {
    fn add(&mut self, folder: &str, plan: &CookbookPlan) -> Result<(), TreeError> {
        let path = |path: &str| format!("{folder}{path}");
        let included = plan.included.read()?;
        self.included
            .extend(included.iter().map(|file| path(file.path())));
        if included.get(METADATA_JSON).is_none() {
            self.compiled.push(path(METADATA_JSON));
        }
        self.omitted
            .extend(plan.omitted.iter().map(|file| OmittedFile {
                path: path(&file.path),
                reason: file.reason.clone(),
            }));
        self.refused
            .extend(plan.refused.iter().map(|file| RefusedFile {
                path: path(&file.path),
                reason: file.reason.clone(),
            }));
        Ok(())
    }
}

/// Lists the files of the cookbook in a folder, by their paths within it.
///
/// # Errors
/// When the folder is no cookbook or cannot be read. A refused file is no error.
pub fn list_folder(cx: &Context<'_>, folder: &Path) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    listing.add("", &load_folder(cx, folder)?.plan)?;
    Ok(listing)
}

/// Lists the files of a manifest's cookbooks, by their paths in the archive.
///
/// # Errors
/// As [`super::lock`]. A refused file is no error.
pub fn list_files(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
) -> Result<Listing, Error> {
    let (_, cookbooks) = prepare(cx, manifest, mode)?.into_parts();
    let prefix = match manifest.bundle.layout.prefix() {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let mut listing = Listing::default();
    for cookbook in cookbooks {
        let folder = format!("{prefix}{}/", cookbook.packed.name);
        listing.add(&folder, &cookbook.plan)?;
    }
    Ok(listing)
}
