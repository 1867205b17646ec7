//! Cookbooks from their sources into the store, and from there to whoever wants them.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads the store and mirrors"
)]

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use url::Url;

use super::net::success;
use super::pool::Told;
use super::remote::{Remote, RemoteKind};
use super::tree::TarballTree;
use super::{ChangedDigests, Fetched, Has, Place, UpstreamError, Upstreams, Wanted};
use crate::digest::{Digest, Hasher};
use crate::manifest::redact;
use crate::store::{CacheKind, Spool, Spooled, StoreError};
use crate::tarball::{self, TarballError};
use crate::universe::{ListedVersion, LocationType};

/// How often more of a download is told.
const STEP: u64 = 1 << 20;

/// What a Supermarket says of one version (chef/supermarket,
/// `src/supermarket/app/views/api/v1/cookbook_versions/show.json.jbuilder`).
#[derive(Deserialize)]
struct VersionAnswer {
    file: Option<String>,
}

/// A cookbook at one source.
struct At<'a> {
    remote: &'a Remote,
    /// How a person knows the source.
    shown: &'a str,
    wanted: &'a Wanted,
}

impl Upstreams {
    pub(super) fn fetch_one(
        &self,
        wanted: &Wanted,
        tell: &dyn Fn(Told),
    ) -> Result<Fetched, UpstreamError> {
        self.cancel.check()?;
        if let Some(digest) = wanted.digest
            && let Some(fetched) = self.kept(wanted, digest)?
        {
            return Ok(fetched);
        }
        if self.offline {
            return Err(UpstreamError::Offline {
                what: format!("{} {}", wanted.name, wanted.version),
            });
        }
        if let Some(fetched) = self.ask_locked_url(wanted, tell)? {
            return Ok(fetched);
        }
        let not_found = || UpstreamError::NotFound {
            name: wanted.name.clone(),
            version: wanted.version,
        };
        let (source, has) = self.owner(&wanted.name, tell)?.ok_or_else(not_found)?;
        let (Place::Remote(remote), Has::Universe(universe)) = (&source.place, has) else {
            // What a folder offers is read there.
            return Err(UpstreamError::Unsupported {
                source_name: source.shown.clone(),
                name: wanted.name.clone(),
                version: wanted.version,
                location_type: "chef_repo".to_owned(),
            });
        };
        let listed = universe.versions(&wanted.name).unwrap_or_default();
        let mut versions = listed.versions.into_iter();
        let listed = versions.find(|one| one.version == wanted.version);
        let at = At {
            remote,
            shown: &source.shown,
            wanted,
        };
        self.ask_source(&at, &listed.ok_or_else(not_found)?, tell)
    }

    /// A tarball that the store has. One that is damaged is removed.
    fn kept(&self, wanted: &Wanted, digest: Digest) -> Result<Option<Fetched>, UpstreamError> {
        let path = self.store.object(CacheKind::Cookbook, &digest);
        let size = match digest_of(&path) {
            Ok((found, size)) if found == digest => size,
            Ok(_) => {
                self.store.discard_object(&path)?;
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::at(&path)(error).into()),
        };
        let url = wanted
            .url
            .as_deref()
            .map_or_else(|| format!("{} {}", wanted.name, wanted.version), redact);
        let tree = self.read_tarball(&path, (digest, size), wanted, &url)?;
        self.store.mark_used(&path);
        Ok(Some(Fetched {
            tree: Arc::new(tree),
            digest,
            url: None,
        }))
    }

    /// What was locked with its address is asked for there: the digest answers for it. None where that
    /// is not how it can be had, or it is not there any more.
    fn ask_locked_url(
        &self,
        wanted: &Wanted,
        tell: &dyn Fn(Told),
    ) -> Result<Option<Fetched>, UpstreamError> {
        let (Some(_), Some(url)) = (wanted.digest, &wanted.url) else {
            return Ok(None);
        };
        // One that has lost a part of itself when it was made fit to be seen is none.
        let Ok(url) = Url::parse(url) else {
            return Ok(None);
        };
        let is_whole = url.query().is_none() && matches!(url.scheme(), "http" | "https");
        let Some((remote, shown)) = self.remote_of(&url).filter(|_| is_whole) else {
            return Ok(None);
        };
        if remote.kind == RemoteKind::ChefServer {
            return Ok(None);
        }
        let at = At {
            remote,
            shown,
            wanted,
        };
        match self.download(&at, &url, tell)? {
            Some(spooled) => self.keep(&at, spooled, &url).map(Some),
            None => Ok(None),
        }
    }

    /// Asks for a version in each way that its source may give it.
    fn ask_source(
        &self,
        at: &At<'_>,
        listed: &ListedVersion,
        tell: &dyn Fn(Told),
    ) -> Result<Fetched, UpstreamError> {
        let (name, version) = (&at.wanted.name, at.wanted.version);
        let refused = |location: &str, reason| UpstreamError::Location {
            source_name: at.shown.into(),
            name: name.as_str().into(),
            version,
            location: redact(location).into(),
            reason,
        };
        if at.remote.kind == RemoteKind::ChefServer {
            let url = at.remote.below(&format!("cookbooks/{name}/{version}"));
            let spooled = self.collect_files(at.remote, at.shown, at.wanted, &url, tell)?;
            return self.keep(at, spooled, &url);
        }
        let path = listed.location_path.as_deref();
        let mut direct = None;
        let mut api = None;
        match &listed.location_type {
            LocationType::Supermarket => {
                // One request, as chef-cli has it (chef/chef-cli,
                // `lib/chef-cli/policyfile/artifactory_cookbook_source.rb`); Berkshelf asks for the
                // version first, which is done where there is nothing else.
                if let Some(url) = listed.download_url.as_deref() {
                    direct = Some(at.remote.behind(url).map_err(|why| refused(url, why))?);
                }
                if let Some(path) = path {
                    api = Some(at.remote.behind(path).map_err(|why| refused(path, why))?);
                }
            }
            LocationType::Uri => {
                let path = path.or(listed.download_url.as_deref()).unwrap_or_default();
                if path.is_empty() {
                    return Err(refused("", "it does not say where"));
                }
                direct = Some(at.remote.beside(path).map_err(|why| refused(path, why))?);
            }
            other => {
                return Err(UpstreamError::Unsupported {
                    source_name: at.shown.to_owned(),
                    name: name.clone(),
                    version,
                    location_type: other.as_str().to_owned(),
                });
            }
        }
        if direct.is_none() && api.is_none() {
            return Err(refused("", "it does not say where"));
        }
        if let Some(url) = direct
            && let Some(spooled) = self.download(at, &url, tell)?
        {
            return self.keep(at, spooled, &url);
        }
        if let Some(api) = api
            && let Some(file) = self.file_of(at, api, &listed.written)?
        {
            let url = at.remote.behind(&file).map_err(|why| refused(&file, why))?;
            if let Some(spooled) = self.download(at, &url, tell)? {
                return self.keep(at, spooled, &url);
            }
        }
        Err(UpstreamError::Gone {
            source_name: at.shown.to_owned(),
            name: name.clone(),
            version,
        })
    }

    /// Where the tarball of a version is, as the API says (berkshelf/berkshelf,
    /// `lib/berkshelf/community_rest.rb`). None if it does not know the version.
    fn file_of(
        &self,
        at: &At<'_>,
        mut url: Url,
        written: &str,
    ) -> Result<Option<String>, UpstreamError> {
        let own = url.path().trim_end_matches('/');
        let version = written.replace('.', "_");
        let path = format!("{own}/cookbooks/{}/versions/{version}", at.wanted.name);
        url.set_path(&path);
        let text = self.net.persist(|| {
            let response = self.net.get(Some(at.remote), at.shown, &url, &[])?;
            if matches!(response.status, 404 | 410) {
                return Ok(Vec::new());
            }
            self.net.text(&mut success(at.shown, response)?)
        })?;
        // An Artifactory answers with success and nothing for what it does not know.
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let answer: VersionAnswer =
            serde_json::from_slice(&text).map_err(|error| UpstreamError::Answer {
                url: redact(url.as_str()),
                wanted: "a Supermarket",
                reason: error.to_string(),
            })?;
        Ok(answer.file)
    }

    /// Downloads a tarball under a temporary name. None if it is not there.
    fn download(
        &self,
        at: &At<'_>,
        url: &Url,
        tell: &dyn Fn(Told),
    ) -> Result<Option<Spooled>, UpstreamError> {
        let limit = self.limits.packed_bytes;
        let address = redact(url.as_str());
        if url.scheme() == "file" {
            return self.copy(url, limit);
        }
        tell(Told::Started(address.clone()));
        let spooled = self.net.persist(|| {
            let response = self.net.get(Some(at.remote), at.shown, url, &[])?;
            if matches!(response.status, 404 | 410) {
                return Ok(None);
            }
            let mut response = success(at.shown, response)?;
            let mut spool = self.store.spool(CacheKind::Cookbook)?;
            let (mut bytes, mut told) = (0, 0);
            self.net.read(&mut response, limit, &mut |piece| {
                bytes += piece.len() as u64;
                if bytes - told >= STEP {
                    told = bytes;
                    tell(Told::Progress(address.clone(), bytes));
                }
                write(&mut spool, piece)
            })?;
            Ok(Some(spool.finish()?))
        })?;
        let size = spooled.as_ref().map_or(0, |spooled| spooled.size);
        tell(Told::Finished(address, size));
        // Nothing at all is how an Artifactory says that it does not know.
        Ok(spooled.filter(|spooled| spooled.size > 0))
    }

    /// Copies a tarball from a mirror.
    fn copy(&self, url: &Url, limit: u64) -> Result<Option<Spooled>, UpstreamError> {
        let Ok(path) = url.to_file_path() else {
            return Ok(None);
        };
        let failed = |source| UpstreamError::Read {
            path: path.clone(),
            source,
        };
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let mut spool = self.store.spool(CacheKind::Cookbook)?;
        let (mut total, mut buffer) = (0, vec![0; 64 << 10]);
        loop {
            self.cancel.check()?;
            let length = file.read(&mut buffer).map_err(failed)?;
            if length == 0 {
                return Ok(Some(spool.finish()?));
            }
            total += length as u64;
            if total > limit {
                return Err(UpstreamError::TooLarge {
                    url: redact(url.as_str()),
                    limit,
                });
            }
            write(&mut spool, &buffer[..length])?;
        }
    }

    /// Checks what came, and keeps it in the store. What is refused is not kept.
    fn keep(&self, at: &At<'_>, spooled: Spooled, url: &Url) -> Result<Fetched, UpstreamError> {
        let (wanted, address) = (at.wanted, redact(url.as_str()));
        let (digest, size) = (spooled.digest, spooled.size);
        if let Some(expected) = wanted.digest.filter(|expected| *expected != digest) {
            return Err(UpstreamError::Changed {
                url: address,
                name: wanted.name.clone(),
                version: wanted.version,
                digests: Box::new(ChangedDigests {
                    found: digest,
                    expected,
                }),
            });
        }
        let mut tree = self.read_tarball(spooled.path(), (digest, size), wanted, &address)?;
        tree.label = format!("{}#{}@{}", place(at.shown), wanted.name, wanted.version);
        self.store.keep_object(CacheKind::Cookbook, spooled)?;
        Ok(Fetched {
            tree: Arc::new(tree),
            digest,
            url: Some(address),
        })
    }

    /// Reads a tarball from its file.
    fn read_tarball(
        &self,
        path: &Path,
        (digest, size): (Digest, u64),
        wanted: &Wanted,
        url: &str,
    ) -> Result<TarballTree, UpstreamError> {
        let refused = |source| match source {
            TarballError::Cancelled(cancelled) => cancelled.into(),
            source => UpstreamError::Tarball {
                url: url.to_owned(),
                name: wanted.name.clone(),
                version: wanted.version,
                source: Box::new(source),
            },
        };
        let file = File::open(path).map_err(StoreError::at(path))?;
        let mut contents = self.contents.clone();
        let index = tarball::read(file, size, &self.limits, &mut contents, &self.cancel);
        let index = index.map_err(refused)?;
        Ok(TarballTree {
            label: format!("{}@{}", wanted.name, wanted.version),
            folder: index.cookbook(&wanted.name).map_err(refused)?,
            index,
            digest,
            contents,
        })
    }
}

/// A source's address without the word for what it is.
fn place(shown: &str) -> &str {
    shown.split_once(' ').map_or(shown, |(_, place)| place)
}

pub(super) fn write(spool: &mut Spool, piece: &[u8]) -> Result<(), UpstreamError> {
    let written = spool.write_all(piece);
    written.map_err(|error| StoreError::at(spool.path())(error).into())
}

/// The digest of a file, and its size.
fn digest_of(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let (mut hasher, mut size, mut buffer) = (Hasher::default(), 0, vec![0; 64 << 10]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hasher.finish(), size)),
            length => {
                hasher.update(&buffer[..length]);
                size += length as u64;
            }
        }
    }
}
