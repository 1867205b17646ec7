//! The places that give cookbooks by name and version: a Supermarket, a folder of cookbooks, ...

use std::fmt;
use std::str::FromStr;

use super::git::redact;
use crate::text::Location;

/// A place that gives cookbooks by name, in the order in which a manifest lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// What it is.
    pub kind: UpstreamKind,
    /// The cookbooks for which it is asked before the others.
    pub preferred_for: Vec<String>,
    /// The cookbooks that it may give; every one where nothing is said.
    pub names: NameScope,
    /// Where it is written.
    pub at: Location,
}

/// The names that a source owns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameScope {
    /// If there are any: these alone.
    pub only: Vec<NamePattern>,
    /// Never these.
    pub except: Vec<NamePattern>,
}

impl NameScope {
    /// Whether a name is in it.
    pub fn includes(&self, name: &str) -> bool {
        let matches = |pattern: &NamePattern| pattern.matches(name);
        (self.only.is_empty() || self.only.iter().any(matches)) && !self.except.iter().any(matches)
    }
}

/// The name of a cookbook, or several of them by `*`, which is any number of characters: `acme_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(Box<str>);

/// A text that no cookbook's name can fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` fits no cookbook's name: write letters, digits, `_`, `-`, `.`, and `*` for any of them", found.escape_debug())]
pub struct InvalidNamePattern {
    /// The text.
    pub found: String,
}

impl NamePattern {
    /// Whether it fits a name.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl FromStr for NamePattern {
    type Err = InvalidNamePattern;

    fn from_str(text: &str) -> Result<Self, InvalidNamePattern> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'*');
        match !text.is_empty() && text.bytes().all(fits) {
            true => Ok(Self(text.into())),
            false => Err(InvalidNamePattern {
                found: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<NamePattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_pattern_is_a_name_or_has_stars() {
        for (pattern, fits, not) in [
            ("apt", &["apt"][..], &["apt2", "xapt", "ap", ""][..]),
            ("acme_*", &["acme_", "acme_web"], &["acme", "xacme_web"]),
            ("*-db", &["my-db", "-db"], &["my-dbx", "db"]),
            (
                "a*b*c",
                &["abc", "a1b2c", "abbc", "abcbc"],
                &["ab", "acb", "abcd"],
            ),
            ("a*a", &["aa", "aba"], &["a"]),
            ("*", &["apt", ""], &[]),
            ("a**", &["a", "ab"], &["b"]),
        ] {
            let pattern: NamePattern = pattern.parse().unwrap();
            for name in fits {
                assert!(pattern.matches(name), "{pattern} {name}");
            }
            for name in not {
                assert!(!pattern.matches(name), "{pattern} {name}");
            }
        }
        for bad in ["", "a b", "a?", "[a]", "é", "a/b"] {
            assert!(bad.parse::<NamePattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scope_is_all_but_what_it_excludes() {
        let scope = |only: &[&str], except: &[&str]| NameScope {
            only: patterns(only),
            except: patterns(except),
        };
        assert!(scope(&[], &[]).includes("apt"));
        assert!(scope(&["a*"], &[]).includes("apt"));
        assert!(!scope(&["a*"], &[]).includes("yum"));
        assert!(!scope(&["a*"], &["apt"]).includes("apt"));
        assert!(scope(&[], &["apt"]).includes("yum"));
    }
}
