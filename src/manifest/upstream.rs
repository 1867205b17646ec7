//! The places that give cookbooks by name and version: a Supermarket, a folder of cookbooks, ...

use std::fmt;

use super::git::redact;
use crate::text::Location;

/// A place that gives cookbooks by name, in the order in which a manifest lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// What it is.
    pub kind: UpstreamKind,
    /// The cookbooks for which it is asked before the others.
    pub preferred_for: Vec<String>,
    /// Where it is written.
    pub at: Location,
}

/// What a place that gives cookbooks is.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamKind {
    /// A Supermarket, by its address.
    Supermarket(String),
    /// A Supermarket of which only the newest versions count, by its address.
    DeliverySupermarket(String),
    /// A folder that holds cookbooks, or a repository with such a folder; relative to the manifest.
    ChefRepo(String),
    /// An Artifactory, by the address of its repository.
    Artifactory(String),
    /// A Chef Infra Server, by the address of the organization; without one, the one that knife is
    /// configured for.
    ChefServer(Option<String>),
}

/// The public Supermarket.
pub(super) const PUBLIC_SUPERMARKET: &str = "https://supermarket.chef.io";

impl UpstreamKind {
    /// Its name in Chef's files.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Supermarket(_) => "supermarket",
            Self::DeliverySupermarket(_) => "delivery_supermarket",
            Self::ChefRepo(_) => "chef_repo",
            Self::Artifactory(_) => "artifactory",
            Self::ChefServer(_) => "chef_server",
        }
    }

    /// Its address, without credentials, or its folder.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Supermarket(url) | Self::DeliverySupermarket(url) | Self::Artifactory(url) => {
                Some(redact(url))
            }
            Self::ChefRepo(path) => Some(path.clone()),
            Self::ChefServer(url) => url.as_deref().map(redact),
        }
    }
}

impl fmt::Display for UpstreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            Some(place) => write!(f, "{} {place}", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

/// Why a text cannot be the address of a source; Berkshelf and chef-cli refuse these too.
pub(super) fn address_problem(url: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Some("it must begin with `https://`, `http://` or `file://`");
    };
    match scheme.to_ascii_lowercase().as_str() {
        _ if rest.is_empty() => Some("nothing follows the scheme"),
        _ if url.contains(char::is_whitespace) => Some("it holds a space"),
        "http" | "https" | "file" => None,
        _ => Some("it must begin with `https://`, `http://` or `file://`"),
    }
}
