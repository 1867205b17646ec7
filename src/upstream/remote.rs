//! A source with an address: its universe, and where it says that its cookbooks are.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads a mirror in a folder"
)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use url::Url;

use super::net::{http_error, success};
use super::pool::Told;
use super::{UpstreamError, Upstreams};
use crate::event::Silent;
use crate::http::{HttpError, same_origin, without_userinfo};
use crate::manifest::redact;
use crate::store::{CacheKind, StoreError, Validators};
use crate::universe::Universe;

/// What answers at a source's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RemoteKind {
    /// A Supermarket, or something static that looks like one.
    Supermarket,
    Artifactory,
    ChefServer,
}

/// A source with an address.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    /// The address; a user and a password may be in it.
    pub(super) base: Url,
    pub(super) kind: RemoteKind,
}

impl Remote {
    pub(super) fn new(mut base: Url, kind: RemoteKind) -> Self {
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Self { base, kind }
    }

    /// An address below the source's own.
    pub(super) fn below(&self, path: &str) -> Url {
        let mut url = without_userinfo(&self.base);
        let own = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{own}/{path}"));
        url
    }

    /// The folder of a mirror.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        match self.base.scheme() {
            "file" => self.base.to_file_path().ok(),
            _ => None,
        }
    }

    /// An address in the universe, as Berkshelf reads it: one that is relative is put behind the
    /// source's own (berkshelf/berkshelf, `lib/berkshelf/downloader.rb`).
    pub(super) fn behind(&self, text: &str) -> Result<Url, &'static str> {
        match Url::parse(text) {
            Ok(url) => self.permitted(url),
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                let own = without_userinfo(&self.base);
                let own = own.as_str().trim_end_matches('/');
                let rest = text.trim_start_matches('/');
                let url = Url::parse(&format!("{own}/{rest}")).map_err(|_| NO_ADDRESS)?;
                self.permitted(url)
            }
            Err(_) => Err(NO_ADDRESS),
        }
    }

    /// An address in the universe that is relative to the universe itself, if it is relative.
    pub(super) fn beside(&self, text: &str) -> Result<Url, &'static str> {
        let url = self.below("universe").join(text).map_err(|_| NO_ADDRESS)?;
        self.permitted(url)
    }

    /// An address that a source may lead to.
    fn permitted(&self, mut url: Url) -> Result<Url, &'static str> {
        match (self.base.scheme(), url.scheme()) {
            ("https", "http") => {
                // Many a private Supermarket stands behind a proxy that speaks TLS for it, and does not
                // know: it is asked as it was asked for its universe. Elsewhere nobody answers for what
                // comes.
                if url.host_str() != self.base.host_str() {
                    return Err("it is not encrypted, and the source is");
                }
                let changed = url.set_scheme("https");
                if changed.is_err() || url.set_port(self.base.port()).is_err() {
                    return Err(NO_ADDRESS);
                }
                Ok(url)
            }
            (_, "http" | "https") => Ok(url),
            ("file", "file") => {
                // Attack: a mirror from elsewhere that names the files of this machine.
                let (own, file) = (self.folder(), url.to_file_path());
                match own.zip(file.ok()) {
                    Some((own, file)) if file.starts_with(&own) => Ok(url),
                    _ => Err("it lies outside of the mirror"),
                }
            }
            (_, "file") => Err("it is a file of this machine"),
            _ => Err("it is neither https nor http"),
        }
    }
}

const NO_ADDRESS: &str = "it is no address";

impl Upstreams {
    /// The universe of a source: from the store if the server says that it is still the same.
    pub(super) fn universe(
        &self,
        remote: &Remote,
        shown: &str,
        tell: &dyn Fn(Told),
    ) -> Result<Universe, UpstreamError> {
        let parse = |body| {
            Universe::parse(body).map_err(|source| UpstreamError::Universe {
                source_name: shown.to_owned(),
                source,
            })
        };
        if let Some(folder) = remote.folder() {
            return parse(self.mirrored(folder.join("universe"))?);
        }
        let url = remote.below("universe");
        let address = url.to_string();
        let host = url.host_str().unwrap_or_default();
        let folder = self.store.universe_folder(host, &address);
        let mut cached = self.store.universe(&folder)?;
        if self.offline {
            let offline = || UpstreamError::Offline {
                what: format!("the universe of {shown}"),
            };
            return parse(cached.ok_or_else(offline)?.body);
        }
        // Whatever the server says of a body that cannot be read, it is asked for anew.
        let known = cached.as_ref().map(|cached| &cached.validators);
        let headers: Vec<(&'static str, String)> = known
            .into_iter()
            .flat_map(|known| {
                let since = known.last_modified.clone().filter(|_| known.etag.is_none());
                [
                    known.etag.clone().map(|tag| ("If-None-Match", tag)),
                    since.map(|time| ("If-Modified-Since", time)),
                ]
            })
            .flatten()
            .collect();
        let response = self.net.get(Some(remote), shown, &url, &headers)?;
        if response.status == 304
            && let Some(cached) = cached.take()
            && let Ok(universe) = Universe::parse(cached.body)
        {
            return Ok(universe);
        }
        let mut again = (response.status != 304).then_some(response);
        tell(Told::Started(redact(&address)));
        let (body, spooled, validators) = self.net.persist(|| {
            let response = match again.take() {
                Some(response) => response,
                None => self.net.get(Some(remote), shown, &url, &[])?,
            };
            // A server that says "not modified" to who asked for nothing of the sort.
            if response.status == 304 {
                let error = HttpError::Status {
                    url: redact(&address),
                    status: 304,
                };
                return Err(http_error(shown, error));
            }
            let mut response = success(shown, response)?;
            let header = |name| response.header(name).map(str::to_owned);
            let validators = Validators {
                etag: header("etag"),
                last_modified: header("last-modified"),
            };
            let mut spool = self.store.spool(CacheKind::Universe)?;
            let mut body = Vec::new();
            let limit = self.limits.universe_bytes;
            self.net.read(&mut response, limit, &mut |piece| {
                body.extend_from_slice(piece);
                let written = spool.write_all(piece);
                written.map_err(|error| StoreError::at(spool.path())(error).into())
            })?;
            Ok((body, spool.finish()?, validators))
        })?;
        let size = body.len() as u64;
        // What is no universe is not kept in the place of one.
        let universe = parse(body)?;
        self.store.keep_universe(
            &folder,
            &address,
            spooled,
            validators,
            &Silent,
            &self.cancel,
        )?;
        tell(Told::Finished(redact(&address), size));
        Ok(universe)
    }

    /// A file of a mirror.
    fn mirrored(&self, path: PathBuf) -> Result<Vec<u8>, UpstreamError> {
        let limit = self.limits.universe_bytes;
        let mut body = Vec::new();
        let read = File::open(&path)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut body));
        match read {
            Ok(length) if length as u64 > limit => Err(UpstreamError::TooLarge {
                url: path.display().to_string(),
                limit,
            }),
            Ok(_) => Ok(body),
            Err(source) => Err(UpstreamError::Read { path, source }),
        }
    }

    /// The source that an address belongs to.
    pub(super) fn remote_of(&self, url: &Url) -> Option<(&Remote, &str)> {
        self.sources.iter().find_map(|source| match &source.place {
            super::Place::Remote(remote) if same_origin(&remote.base, url) => {
                Some((remote, source.shown.as_str()))
            }
            _ => None,
        })
    }
}
