//! A cookbook of a Chef Server, which gives it file by file (chef/chef-server, `src/oc_erchef`;
//! berkshelf/berkshelf, `lib/berkshelf/downloader.rb`). The files are put into a tarball of our own,
//! whose bytes depend on nothing but them, so that from there on it is as any other.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::download::write;
use super::net::success;
use super::pool::Told;
use super::remote::Remote;
use super::{UpstreamError, Upstreams, Wanted};
use crate::archive::tar::{END, file_header, padding};
use crate::event::CancelToken;
use crate::manifest::redact;
use crate::path::ArchivePath;
use crate::store::{CacheKind, Spooled};

/// What a server says of a version: a list of files for each part of a cookbook, or one of all.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    all_files: Vec<ManifestFile>,
    #[serde(default)]
    attributes: Vec<ManifestFile>,
    #[serde(default)]
    definitions: Vec<ManifestFile>,
    #[serde(default)]
    files: Vec<ManifestFile>,
    #[serde(default)]
    libraries: Vec<ManifestFile>,
    #[serde(default)]
    providers: Vec<ManifestFile>,
    #[serde(default)]
    recipes: Vec<ManifestFile>,
    #[serde(default)]
    resources: Vec<ManifestFile>,
    #[serde(default)]
    root_files: Vec<ManifestFile>,
    #[serde(default)]
    templates: Vec<ManifestFile>,
}

#[derive(Deserialize)]
struct ManifestFile {
    path: String,
    url: String,
}

impl Upstreams {
    /// Fetches all files of a version.
    pub(super) fn collect_files(
        &self,
        remote: &Remote,
        shown: &str,
        wanted: &Wanted,
        url: &Url,
        tell: &dyn Fn(Told),
    ) -> Result<Spooled, UpstreamError> {
        let address = redact(url.as_str());
        let wrong = |reason: String| UpstreamError::Answer {
            url: address.clone(),
            wanted: "a Chef Server",
            reason,
        };
        tell(Told::Started(address.clone()));
        let text = self.net.persist(|| {
            let response = self.net.get(Some(remote), shown, url, &[])?;
            if response.status == 404 {
                return Err(UpstreamError::Gone {
                    source_name: shown.to_owned(),
                    name: wanted.name.clone(),
                    version: wanted.version,
                });
            }
            self.net.text(&mut success(shown, response)?)
        })?;
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let mut files = BTreeMap::new();
        for file in manifest.into_files() {
            // Attack: a path that leads out, which no tarball of ours may hold either.
            let path = ArchivePath::new(&file.path)
                .map_err(|problem| wrong(format!("`{}`: {problem}", file.path.escape_debug())))?;
            let url = remote.behind(&file.url).map_err(|reason| {
                wrong(format!("the file `{path}` cannot be fetched: {reason}"))
            })?;
            if files.insert(path.clone(), url).is_some() {
                return Err(wrong(format!("the file `{path}` is in it twice")));
            }
        }
        let mut spool = self.store.spool(CacheKind::Cookbook)?;
        let mut total = 0;
        for (path, url) in &files {
            let content = self.file(shown, url, &self.cancel)?;
            total += content.len() as u64;
            if total > self.limits.packed_bytes {
                return Err(UpstreamError::TooLarge {
                    url: address.clone(),
                    limit: self.limits.packed_bytes,
                });
            }
            let inside = format!("{}/{path}", wanted.name);
            let size = content.len() as u64;
            write(&mut spool, &file_header(&inside, false, size, 0))?;
            write(&mut spool, &content)?;
            write(&mut spool, &vec![0; padding(size)])?;
            tell(Told::Progress(address.clone(), total));
        }
        write(&mut spool, &END)?;
        tell(Told::Finished(address, total));
        Ok(spool.finish()?)
    }

    /// One file, by an address that is signed itself.
    fn file(&self, shown: &str, url: &Url, cancel: &CancelToken) -> Result<Vec<u8>, UpstreamError> {
        self.net.persist(|| {
            cancel.check()?;
            let mut response = success(shown, self.net.get_plain(shown, url)?)?;
            let mut content = Vec::new();
            let limit = self.limits.file_bytes.min(self.limits.packed_bytes);
            self.net.read(&mut response, limit, &mut |piece| {
                content.extend_from_slice(piece);
                Ok(())
            })?;
            Ok(content)
        })
    }
}

impl Manifest {
    fn into_files(self) -> impl Iterator<Item = ManifestFile> {
        [
            self.all_files,
            self.attributes,
            self.definitions,
            self.files,
            self.libraries,
            self.providers,
            self.recipes,
            self.resources,
            self.root_files,
            self.templates,
        ]
        .into_iter()
        .flatten()
    }
}
