//! A folder of cookbooks as a source (berkshelf/berkshelf, `lib/berkshelf/chef_repo_universe.rb`;
//! chef/chef-cli, `lib/chef-cli/policyfile/chef_repo_cookbook_source.rb`).
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module lists a folder"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Offer, UpstreamError};
use crate::error::{Diagnostic, Kind};
use crate::version::{Constraint, Version};

/// Reads the metadata of a cookbook in a folder. It is given by whoever opens the sources.
pub(crate) trait ReadCookbook: Send + Sync {
    /// The cookbook in a folder; none if there is no metadata. What is wrong is told with its place.
    fn read(&self, folder: &Path) -> Result<Option<LocalCookbook>, (Diagnostic, Kind)>;
}

/// What the metadata of a cookbook in a folder says.
#[derive(Clone, Debug)]
pub(crate) struct LocalCookbook {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) dependencies: Vec<(String, Constraint)>,
}

/// The cookbooks of a folder by name, the newest version first.
pub(super) struct FolderCookbooks(BTreeMap<String, Vec<Offer>>);

impl FolderCookbooks {
    /// Reads the cookbooks of a folder's `cookbooks`, or of the folder itself where it has none.
    pub(super) fn read(
        folder: &Path,
        shown: &str,
        reader: &dyn ReadCookbook,
    ) -> Result<Self, UpstreamError> {
        let inner = folder.join("cookbooks");
        let folder = match inner.is_dir() {
            true => &inner,
            false => folder,
        };
        let failed = |source| UpstreamError::Read {
            path: folder.to_owned(),
            source,
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !is_hidden && entry.path().is_dir() {
                paths.push(entry.path());
            }
        }
        paths.sort();
        let mut cookbooks: BTreeMap<String, Vec<Offer>> = BTreeMap::new();
        for path in paths {
            let read = reader.read(&path);
            let found = read.map_err(|(reason, kind)| UpstreamError::Cookbook {
                reason: Box::new(reason),
                kind,
            })?;
            let Some(mut found) = found else {
                continue;
            };
            found.dependencies.sort_by(|a, b| a.0.cmp(&b.0));
            let versions = cookbooks.entry(found.name.clone()).or_default();
            let same = versions.iter().find(|known| known.version == found.version);
            if let Some(first) = same.and_then(|known| known.path.clone()) {
                return Err(UpstreamError::Twice {
                    source_name: shown.to_owned(),
                    name: found.name,
                    version: found.version,
                    first,
                    second: path,
                });
            }
            versions.push(Offer {
                version: found.version,
                dependencies: found.dependencies,
                path: Some(path),
            });
        }
        for versions in cookbooks.values_mut() {
            versions.sort_by_key(|offer| std::cmp::Reverse(offer.version));
        }
        Ok(Self(cookbooks))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn versions(&self, name: &str) -> Option<&[Offer]> {
        self.0.get(name).map(Vec::as_slice)
    }
}
