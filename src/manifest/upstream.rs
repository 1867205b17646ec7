//! The places that give cookbooks by name and version: a Supermarket, a folder of cookbooks, ...

use std::fmt;
use std::str::FromStr;

use super::git::redact;
use crate::name::CookbookName;
use crate::text::Location;

/// A place that gives cookbooks by name, in the order in which a manifest lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// What it is.
    pub kind: UpstreamKind,
    /// The cookbooks for which it is asked before the others, as a Policyfile.rb says.
    pub preferred_for: Vec<String>,
    /// The names that belong to it: it is asked for these alone, and they are asked for only where they
    /// belong. Empty: it is asked for all that belong to no other place.
    pub only: Vec<NamePattern>,
    /// The names that it is never asked for.
    pub except: Vec<NamePattern>,
    /// Where it is written.
    pub at: Location,
}

impl Upstream {
    /// A place that is asked for any name.
    pub(super) fn new(kind: UpstreamKind, at: Location) -> Self {
        Self {
            kind,
            preferred_for: Vec::new(),
            only: Vec::new(),
            except: Vec::new(),
            at,
        }
    }

    /// This place in a digest of requirements. What is not set leaves no trace, so that older digests
    /// stay.
    pub(super) fn digested(&self) -> String {
        let mut text = format!("upstream {} {:?}", self.kind, self.preferred_for);
        for (what, patterns) in [(" only", &self.only), (" except", &self.except)] {
            let mut sorted: Vec<_> = patterns.iter().map(NamePattern::as_str).collect();
            sorted.sort_unstable();
            if !sorted.is_empty() {
                text.push_str(&format!("{what} {}", sorted.join(" ")));
            }
        }
        text.push('\n');
        text
    }

    /// Whether the name belongs to this place.
    fn owns(&self, name: &CookbookName) -> bool {
        self.only.iter().any(|pattern| pattern.matches(name)) && !self.excepts(name)
    }

    fn excepts(&self, name: &CookbookName) -> bool {
        self.except.iter().any(|pattern| pattern.matches(name))
    }

    fn is_preferred_for(&self, name: &CookbookName) -> bool {
        self.preferred_for.iter().any(|own| own == name.as_str())
    }
}

/// The places to ask for a cookbook, in the order in which they are to be asked. A name that belongs to
/// some of them (`only`) is asked for there alone, so that a stranger's cookbook of the same name at
/// another place never counts.
pub fn upstreams_for<'a>(upstreams: &'a [Upstream], name: &CookbookName) -> Vec<&'a Upstream> {
    let is_owned = upstreams.iter().any(|upstream| upstream.owns(name));
    let mut asked: Vec<_> = upstreams
        .iter()
        .filter(|upstream| match is_owned {
            true => upstream.owns(name),
            false => upstream.only.is_empty() && !upstream.excepts(name),
        })
        .collect();
    asked.sort_by_key(|upstream| !upstream.is_preferred_for(name));
    asked
}

/// A cookbook's name, or a pattern for names in which each `*` stands for any number of characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamePattern(Box<str>);

/// A text that is neither a cookbook's name nor a pattern for one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no name and no pattern for names: {problem}",
    found.escape_debug()
)]
pub struct InvalidNamePattern {
    /// The text.
    pub found: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl NamePattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a name and nothing else.
    pub fn is_name(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether it names this cookbook.
    pub fn matches(&self, name: &CookbookName) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.as_str().strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // The first place that fits leaves the most to those that follow.
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

    fn from_str(s: &str) -> Result<Self, InvalidNamePattern> {
        let invalid = |problem| InvalidNamePattern {
            found: s.to_owned(),
            problem,
        };
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'*');
        match s {
            "" => Err(invalid("it is empty")),
            _ if !s.bytes().all(allowed) => Err(invalid(
                "write letters, digits, `_`, `-`, `.`, and `*` for any number of them",
            )),
            // No cookbook is called so.
            _ if s.ends_with('.') => Err(invalid("no name ends in a dot")),
            _ => Ok(Self(s.into())),
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
    /// A static universe, by its address: what minimart or `cookpack mirror` writes.
    Universe(String),
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
            Self::Universe(_) => "universe",
        }
    }

    /// Its address, without credentials, or its folder.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Supermarket(url)
            | Self::DeliverySupermarket(url)
            | Self::Artifactory(url)
            | Self::Universe(url) => Some(redact(url)),
            Self::ChefRepo(path) => Some(path.clone()),
            Self::ChefServer(url) => url.as_deref().map(redact),
        }
    }

    /// By what it is known in a lockfile, and told from the others: its place without credentials, in
    /// one spelling (scheme and host in lower case, no slash at the end).
    pub fn address(&self) -> String {
        let Some(place) = self.place() else {
            return self.word().to_owned();
        };
        let place = match place.split_once("://") {
            Some((scheme, rest)) => {
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
                format!("{scheme}://{host}{path}")
            }
            None => place,
        };
        match place.trim_end_matches('/') {
            "" => place,
            trimmed => trimmed.to_owned(),
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
    use crate::text::SourceFile;

    fn pattern(text: &str) -> NamePattern {
        text.parse().unwrap()
    }

    fn name(text: &str) -> CookbookName {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_stands_for_any_number_of_characters() {
        for (text, yes, no) in [
            ("apt", "apt", "apt2"),
            ("apt", "apt", "xapt"),
            ("acme_*", "acme_web", "acme-web"),
            ("acme_*", "acme_", "xacme_web"),
            ("*_web", "acme_web", "acme_web2"),
            ("*", "anything", "-"),
            ("a*b*c", "a-b-b-c", "a-c-b"),
            ("a*b*c", "abc", "acb"),
            ("ab*ba", "abba", "aba"),
            ("a**b", "a.b", "b.a"),
            ("a*aa", "aaa", "aa"),
        ] {
            assert!(pattern(text).matches(&name(yes)), "{text} {yes}");
            let is_other = text == "*" || !pattern(text).matches(&name(no));
            assert!(is_other, "{text} {no}");
        }
        assert!(pattern("apt").is_name() && !pattern("ap*").is_name());
    }

    #[test]
    fn what_no_cookbook_can_be_called_is_no_pattern() {
        for bad in ["", "a/b", "a b", "a?", "[ab]", "acme.", "é*", "a\n"] {
            assert!(bad.parse::<NamePattern>().is_err(), "{bad:?}");
        }
    }

    fn upstream(url: &str, only: &[&str], except: &[&str]) -> Upstream {
        let at = SourceFile::new("cookpack.toml", "").at(0..0);
        let patterns = |texts: &[&str]| texts.iter().map(|text| pattern(text)).collect();
        Upstream {
            only: patterns(only),
            except: patterns(except),
            ..Upstream::new(UpstreamKind::Supermarket(url.to_owned()), at)
        }
    }

    #[test]
    fn a_name_that_belongs_to_a_place_is_asked_for_there_alone() {
        let mut upstreams = vec![
            upstream("https://public", &[], &["secret*"]),
            upstream("https://own", &["acme_*", "apt"], &["acme_old"]),
            upstream("https://other", &[], &[]),
            upstream("https://own-too", &["acme_web"], &[]),
        ];
        let asked = |upstreams: &[Upstream], text: &str| -> Vec<String> {
            let asked = upstreams_for(upstreams, &name(text));
            asked.iter().map(|found| found.kind.address()).collect()
        };
        let (public, own, other) = ("https://public", "https://own", "https://other");
        assert_eq!(asked(&upstreams, "yum"), [public, other]);
        assert_eq!(asked(&upstreams, "secret_x"), [other]);
        assert_eq!(asked(&upstreams, "apt"), [own]);
        assert_eq!(asked(&upstreams, "acme_web"), [own, "https://own-too"]);
        assert_eq!(asked(&upstreams, "acme_old"), [public, other]);
        // As a Policyfile.rb has it.
        upstreams[2].preferred_for = vec!["yum".to_owned()];
        assert_eq!(asked(&upstreams, "yum"), [other, public]);
        assert_eq!(asked(&upstreams, "ark"), [public, other]);
    }

    #[test]
    fn one_place_has_one_address() {
        let address = |url: &str| UpstreamKind::Universe(url.to_owned()).address();
        assert_eq!(
            address("HTTPS://me:s3cret@Example.COM/Chef//"),
            "https://example.com/Chef"
        );
        assert_eq!(address("https://example.com"), "https://example.com");
        assert_eq!(address("file:///srv/Mirror/"), "file:///srv/Mirror");
        let folder = |path: &str| UpstreamKind::ChefRepo(path.to_owned()).address();
        assert_eq!(folder("../Chef/"), "../Chef");
        assert_eq!(folder("/"), "/");
        assert_eq!(UpstreamKind::ChefServer(None).address(), "chef_server");
    }
}
