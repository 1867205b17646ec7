//! The sources that give cookbooks by name and version: Supermarkets, Artifactories, static mirrors,
//! Chef Servers and folders of cookbooks, several of them in order.
//!
//! What a source has is told by its universe ([`crate::universe`]), which is asked for once a run and
//! kept in the store with what the server knows it by. A name belongs to the first source that has it,
//! among those that may give it ([`upstreams_for`]); one that prefers it comes first. That
//! a source cannot be asked is an error and never passed over: otherwise whoever keeps a source from
//! answering decides where a name comes from.
//!
//! A tarball is kept in the store under its SHA-256, which is taken as it comes. Nothing is unpacked
//! into folders ([`crate::tarball`]).

mod access;
mod chef_server;
mod credentials;
mod download;
mod error;
mod folder;
mod net;
mod pool;
mod remote;
mod signature;
mod spool;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

pub use access::UpstreamAccess;
pub use error::{ChangedDigests, UpstreamError};
pub(crate) use folder::{LocalCookbook, ReadCookbook};

use self::folder::FolderCookbooks;
use self::net::Net;
use self::pool::Told;
pub(crate) use self::pool::in_parallel;
use self::remote::{Remote, RemoteKind};
use self::spool::Spool;
use crate::digest::Digest;
use crate::event::{CancelToken, Reporter};
use crate::limits::Limits;
use crate::manifest::{Upstream, UpstreamKind, redact, upstreams_for};
use crate::name::CookbookName;
use crate::store::Store;
use crate::tree::Tree;
use crate::universe::{Listed, ListedVersion, Universe, UniverseWarning};
use crate::version::{Constraint, Version};

/// What is opened with the sources.
pub(crate) struct Surroundings<'a> {
    /// The manifest's folder, from which folders of cookbooks are named.
    pub(crate) project: &'a Path,
    pub(crate) access: &'a UpstreamAccess,
    pub(crate) store: &'a Store,
    /// Whether nothing may be asked for: what the store has must do.
    pub(crate) offline: bool,
    pub(crate) limits: &'a Limits,
    pub(crate) cancel: &'a CancelToken,
    /// How the metadata of a folder is read.
    pub(crate) reader: Arc<dyn ReadCookbook>,
}

/// The sources of a manifest, in order. Several threads may ask at once.
pub(crate) struct Upstreams {
    sources: Vec<Source>,
    net: Net,
    store: Store,
    offline: bool,
    limits: Limits,
    cancel: CancelToken,
    contents: Spool,
    reader: Arc<dyn ReadCookbook>,
}

struct Source {
    upstream: Upstream,
    /// How a person knows it.
    shown: String,
    place: Place,
    /// What it has, once it was asked.
    has: Mutex<Option<Has>>,
}

enum Place {
    Remote(Remote),
    Folder(PathBuf),
}

/// What a source has.
#[derive(Clone)]
enum Has {
    Universe(Arc<Universe>),
    Folder(Arc<FolderCookbooks>),
}

/// What the sources offer of a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offers {
    /// The source that owns the name, for a person; none if no source has it.
    pub(crate) source: Option<String>,
    /// Its versions, the newest first.
    pub(crate) versions: Vec<Offer>,
    /// Other sources that have the name too, and do not count for it.
    pub(crate) also_in: Vec<String>,
    /// What is left out because it cannot be read.
    pub(crate) warnings: Vec<UniverseWarning>,
}

/// One version that a source offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) version: Version,
    /// The names of the cookbooks that it depends on, and the versions that will do; sorted.
    pub(crate) dependencies: Vec<(String, Constraint)>,
    /// The folder of this machine in which it stands; none where it is to be fetched.
    pub(crate) path: Option<PathBuf>,
}

/// A cookbook that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) version: Version,
    /// The digest that was locked, if there is one.
    pub(crate) digest: Option<Digest>,
    /// Where it came from when it was locked. With a digest it is asked for there, and no universe is
    /// needed.
    pub(crate) url: Option<String>,
}

/// A cookbook that was fetched.
pub(crate) struct Fetched {
    /// Its own folder, with nothing above it.
    pub(crate) tree: Arc<dyn Tree>,
    /// Of the tarball.
    pub(crate) digest: Digest,
    /// The address of the tarball as the source names it, without credentials and before redirects.
    /// None where the store had it.
    pub(crate) url: Option<String>,
}

impl Upstreams {
    /// Opens sources. Nothing is asked yet, but credentials are read.
    pub(crate) fn open(
        upstreams: &[Upstream],
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, UpstreamError> {
        let sources = upstreams.iter().map(|upstream| {
            Ok(Source {
                shown: upstream.kind.to_string(),
                place: place(&upstream.kind, surroundings.project)?,
                has: Mutex::new(None),
                upstream: upstream.clone(),
            })
        });
        let store = surroundings.store.clone();
        Ok(Self {
            sources: sources.collect::<Result<_, UpstreamError>>()?,
            net: Net::new(
                surroundings.access,
                surroundings.limits,
                surroundings.cancel,
            )?,
            offline: surroundings.offline,
            limits: *surroundings.limits,
            cancel: surroundings.cancel.clone(),
            contents: Spool::new(store.folder().to_owned()),
            reader: Arc::clone(&surroundings.reader),
            store,
        })
    }

    /// How a person knows the sources, in order.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.shown.as_str())
    }

    /// Asks all sources at once what they have, those aside that may only give certain names: they are
    /// asked when one of these is. What was asked before is not asked again.
    pub(crate) fn load(
        &self,
        jobs: NonZero<usize>,
        reporter: &dyn Reporter,
    ) -> Result<(), UpstreamError> {
        let wide = self.sources.iter();
        let wide: Vec<_> = wide
            .filter(|source| source.upstream.only.is_empty())
            .collect();
        let loaded = in_parallel(&wide, jobs, reporter, |source, tell| {
            self.has(source, tell).map(drop)
        });
        loaded.into_iter().collect()
    }

    /// What the sources offer of a name.
    pub(crate) fn offers(&self, name: &str) -> Result<Offers, UpstreamError> {
        let mut offers = Offers::default();
        for source in self.asked_for(name) {
            let has = self.has(source, &|_| ())?;
            if !has.has(name) {
                continue;
            }
            if offers.source.is_some() {
                offers.also_in.push(source.shown.clone());
                continue;
            }
            offers.source = Some(source.shown.clone());
            let (mut versions, warnings) = has.offers(name);
            if let UpstreamKind::DeliverySupermarket(_) = source.upstream.kind {
                // chef/chef-cli, `lib/chef-cli/policyfile/delivery_supermarket_source.rb`
                versions.truncate(1);
            }
            offers.versions = versions;
            offers.warnings = warnings;
        }
        Ok(offers)
    }

    /// All names that any source has and may give, sorted: for telling which one somebody meant.
    pub(crate) fn names(&self) -> Result<BTreeSet<String>, UpstreamError> {
        let mut names = BTreeSet::new();
        for source in &self.sources {
            let has = self.has(source, &|_| ())?;
            let own = has.names().into_iter();
            let may_give = |name: &String| {
                let asked = self.asked_for(name);
                asked.iter().any(|asked| asked.upstream == source.upstream)
            };
            names.extend(own.filter(may_give));
        }
        Ok(names)
    }

    /// Fetches one cookbook, or opens it if the store has it by the digest that was locked.
    #[cfg(test)]
    pub(crate) fn fetch(
        &self,
        wanted: &Wanted,
        reporter: &dyn Reporter,
    ) -> Result<Fetched, UpstreamError> {
        self.fetch_one(wanted, &|told: Told| told.report(reporter))
    }

    /// Fetches several at once. The results are in the order of what is wanted.
    pub(crate) fn fetch_all(
        &self,
        wanted: &[Wanted],
        jobs: NonZero<usize>,
        reporter: &dyn Reporter,
    ) -> Vec<Result<Fetched, UpstreamError>> {
        in_parallel(wanted, jobs, reporter, |one, tell| {
            self.fetch_one(one, tell)
        })
    }

    /// The sources that may give a name, in the order in which they are asked for it. Nobody is asked for
    /// what no cookbook can be called.
    fn asked_for(&self, name: &str) -> Vec<&Source> {
        let Ok(name) = name.parse::<CookbookName>() else {
            return Vec::new();
        };
        let upstreams: Vec<_> = self.sources.iter().map(|s| s.upstream.clone()).collect();
        let asked = upstreams_for(&upstreams, &name);
        let source = |asked: &&Upstream| {
            let sources = self.sources.iter();
            sources
                .into_iter()
                .find(|source| source.upstream == **asked)
        };
        asked.iter().filter_map(source).collect()
    }

    /// The source that owns a name, if one has it, and what it has.
    fn owner(
        &self,
        name: &str,
        tell: &dyn Fn(Told),
    ) -> Result<Option<(&Source, Has)>, UpstreamError> {
        for source in self.asked_for(name) {
            let has = self.has(source, tell)?;
            if has.has(name) {
                return Ok(Some((source, has)));
            }
        }
        Ok(None)
    }

    /// What a source has. It is asked once; a failure is not kept.
    fn has(&self, source: &Source, tell: &dyn Fn(Told)) -> Result<Has, UpstreamError> {
        let mut has = source.has.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(has) = &*has {
            return Ok(has.clone());
        }
        let found = match &source.place {
            Place::Folder(folder) => {
                let read = FolderCookbooks::read(folder, &source.shown, &*self.reader)?;
                Has::Folder(Arc::new(read))
            }
            Place::Remote(remote) => {
                Has::Universe(Arc::new(self.universe(remote, &source.shown, tell)?))
            }
        };
        *has = Some(found.clone());
        Ok(found)
    }
}

impl Has {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Universe(universe) => universe.has(name),
            Self::Folder(folder) => folder.versions(name).is_some(),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Universe(universe) => universe.names().map(str::to_owned).collect(),
            Self::Folder(folder) => folder.names().map(str::to_owned).collect(),
        }
    }

    fn offers(&self, name: &str) -> (Vec<Offer>, Vec<UniverseWarning>) {
        match self {
            Self::Folder(folder) => {
                let versions = folder.versions(name).unwrap_or_default();
                (versions.to_vec(), Vec::new())
            }
            Self::Universe(universe) => {
                let Listed { versions, warnings } = universe.versions(name).unwrap_or_default();
                let offer = |listed: ListedVersion| Offer {
                    version: listed.version,
                    dependencies: listed.dependencies,
                    path: None,
                };
                (versions.into_iter().map(offer).collect(), warnings)
            }
        }
    }
}

/// Where a source is.
fn place(kind: &UpstreamKind, project: &Path) -> Result<Place, UpstreamError> {
    let (address, kind) = match kind {
        UpstreamKind::ChefRepo(path) => return Ok(Place::Folder(project.join(path))),
        UpstreamKind::Supermarket(url) | UpstreamKind::DeliverySupermarket(url) => {
            (url.as_str(), RemoteKind::Supermarket)
        }
        UpstreamKind::Universe(url) => {
            let folder = url.strip_suffix("/universe").unwrap_or(url);
            (folder, RemoteKind::Supermarket)
        }
        UpstreamKind::Artifactory(url) => (url.as_str(), RemoteKind::Artifactory),
        UpstreamKind::ChefServer(Some(url)) => (url.as_str(), RemoteKind::ChefServer),
        UpstreamKind::ChefServer(None) => {
            return Err(UpstreamError::Address {
                address: "chef_server".to_owned(),
                reason: "knife's configuration is not read; write the organization's address",
            });
        }
    };
    let refused = |reason| UpstreamError::Address {
        address: redact(address),
        reason,
    };
    let url = Url::parse(address).map_err(|_| refused("it is no URL"))?;
    match url.scheme() {
        "http" | "https" => {}
        "file" if kind != RemoteKind::ChefServer && url.to_file_path().is_ok() => {}
        _ => {
            return Err(refused(
                "it is neither https, http nor a folder by `file://`",
            ));
        }
    }
    Ok(Place::Remote(Remote::new(url, kind)))
}
