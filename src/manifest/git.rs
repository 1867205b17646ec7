//! Where a git repository is, and which of its commits is wanted.

use std::fmt;
use std::str::FromStr;

use super::hosts::rewritten;

/// A git repository's address as a person writes it; `git://` at a host that has ceased to serve it is
/// read as `https://`. [`fmt::Display`] and [`fmt::Debug`] leave
/// credentials out; [`GitUrl::with_credentials`] is for the transport alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GitUrl {
    raw: Box<str>,
    form: GitUrlForm,
}

/// The forms of address that git knows.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GitUrlForm {
    /// A folder: absolute, or relative to the manifest.
    Path,
    /// `file://`.
    File,
    /// `http://` or `https://`.
    Http,
    /// `ssh://`, or `user@host:path` as scp writes it.
    Ssh,
}

/// A text that is no address of a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the address of a git repository: {expected}", found.escape_debug())]
pub struct InvalidGitUrl {
    /// The text, without credentials.
    pub found: String,
    /// What is wrong with it.
    pub expected: &'static str,
}

impl GitUrl {
    /// Which form of address it is.
    pub fn form(&self) -> GitUrlForm {
        self.form
    }

    /// The address as written, with any credentials in it: never for a message, a log or a file.
    pub fn with_credentials(&self) -> &str {
        &self.raw
    }

    /// The address without credentials.
    pub fn redacted(&self) -> String {
        redact(&self.raw)
    }
}

impl FromStr for GitUrl {
    type Err = InvalidGitUrl;

    fn from_str(s: &str) -> Result<Self, InvalidGitUrl> {
        let invalid = |expected| InvalidGitUrl {
            found: redact(s),
            expected,
        };
        if s.is_empty() || s.contains(|c: char| c.is_control()) {
            return Err(invalid("it is empty or has control characters"));
        }
        // An address that begins with a dash would be read as an option by a program it is given to.
        if s.starts_with('-') {
            return Err(invalid(
                "it begins with a dash; write `./` before a folder's name",
            ));
        }
        // `ext::` and `fd::` make git run a command or read a descriptor of ours.
        let before_slash = s.split('/').next().unwrap_or_default();
        if before_slash.contains("::") {
            return Err(invalid("remote helpers (`name::address`) are not allowed"));
        }
        let form = match s.split_once("://") {
            Some((scheme, rest)) => match scheme {
                _ if rest.is_empty() => return Err(invalid("nothing follows the scheme")),
                "file" => GitUrlForm::File,
                "http" | "https" => GitUrlForm::Http,
                "ssh" | "git+ssh" | "ssh+git" => GitUrlForm::Ssh,
                "git" => {
                    let Some(address) = rewritten(rest) else {
                        return Err(invalid(
                            "the git:// protocol is neither encrypted nor served any more; write https://",
                        ));
                    };
                    return Ok(Self {
                        raw: address.into(),
                        form: GitUrlForm::Http,
                    });
                }
                "git+https" | "git+http" => {
                    return Err(invalid("git knows no such scheme; write https://"));
                }
                // git would look for a program `git-remote-HTTPS`.
                _ if scheme.bytes().any(|b| b.is_ascii_uppercase()) => {
                    return Err(invalid("git knows schemes in lower case only"));
                }
                _ => {
                    return Err(invalid("its scheme is none of file, https, http and ssh"));
                }
            },
            None if is_scp_like(before_slash) => GitUrlForm::Ssh,
            None => GitUrlForm::Path,
        };
        Ok(Self {
            raw: s.into(),
            form,
        })
    }
}

/// `host:path` without a slash before the colon, and not a drive letter of Windows.
fn is_scp_like(before_slash: &str) -> bool {
    before_slash
        .split_once(':')
        .is_some_and(|(host, _)| host.len() > 1)
}

/// Takes `user:password@` out of a URL, and a query's value, which is where tokens hide.
pub(crate) fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    // An ssh user without a password is part of the address, not a secret.
    let keep =
        user.filter(|user| scheme.to_ascii_lowercase().contains("ssh") && !user.contains(':'));
    let user = keep.map_or_else(String::new, |user| format!("{user}@"));
    let path = match path.split_once('?') {
        Some((path, _)) => format!("{path}?…"),
        None => path.to_owned(),
    };
    format!("{scheme}://{user}{host}{path}")
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Debug for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitUrl({self})")
    }
}

/// Which commit of a repository is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GitRef {
    /// What the remote itself calls its default branch.
    Default,
    /// The tip of a branch.
    Branch(String),
    /// A tag; an annotated one is followed to its commit.
    Tag(String),
    /// A commit by its id, or by the first digits of it.
    Commit(CommitPrefix),
    /// What `git rev-parse` makes of a name: a reference's full name (`refs/heads/main`,
    /// `refs/pull/1/head`), or else a tag or a branch, or else the first digits of a commit's id.
    Any(String),
}

impl GitRef {
    /// Its key and its value in a cookpack.toml; none for the default branch.
    pub fn key_and_value(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Default => None,
            Self::Branch(name) => Some(("branch", name)),
            Self::Tag(name) => Some(("tag", name)),
            Self::Commit(prefix) => Some(("commit", prefix.as_str())),
            Self::Any(name) => Some(("ref", name)),
        }
    }
}

impl fmt::Display for GitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default branch"),
            Self::Branch(name) => write!(f, "branch `{name}`"),
            Self::Tag(name) => write!(f, "tag `{name}`"),
            Self::Commit(prefix) => write!(f, "commit `{prefix}`"),
            Self::Any(name) => write!(f, "ref `{name}`"),
        }
    }
}

/// The id of a commit: 40 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(Box<str>);

/// The first digits of a commit's id, at least four, or all 40.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommitPrefix(Box<str>);

/// A text that is no commit's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}", found.escape_debug())]
pub struct InvalidCommit {
    /// The text.
    pub found: String,
    /// The form wanted.
    pub expected: &'static str,
}

impl CommitId {
    /// The 40 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits, as git shows a commit to a person.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl FromStr for CommitId {
    type Err = InvalidCommit;

    fn from_str(s: &str) -> Result<Self, InvalidCommit> {
        match hex_digits(s) {
            Some(hex) if hex.len() == 40 => Ok(Self(hex.into())),
            found => Err(InvalidCommit {
                found: s.to_owned(),
                expected: match found {
                    Some(hex) if hex.len() == SHA256_DIGITS => SHA1_ID,
                    _ => "a commit's id of 40 hex digits",
                },
            }),
        }
    }
}

impl CommitPrefix {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole id, if these are all its digits.
    pub fn full(&self) -> Option<CommitId> {
        self.0.parse().ok()
    }
}

impl FromStr for CommitPrefix {
    type Err = InvalidCommit;

    fn from_str(s: &str) -> Result<Self, InvalidCommit> {
        match hex_digits(s) {
            Some(hex) if (4..=40).contains(&hex.len()) => Ok(Self(hex.into())),
            found => Err(InvalidCommit {
                found: s.to_owned(),
                expected: match found {
                    Some(hex) if hex.len() == SHA256_DIGITS => SHA1_ID,
                    _ => "a commit: write 4 to 40 hex digits of its id",
                },
            }),
        }
    }
}

/// Digits of a commit's id in a repository of the SHA-256 object format.
const SHA256_DIGITS: usize = 64;

/// What is expected where such an id is found.
const SHA1_ID: &str =
    "a commit's id of 40 hex digits: repositories of git's SHA-256 format are not supported";

fn hex_digits(s: &str) -> Option<String> {
    s.bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| s.to_ascii_lowercase())
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CommitPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks what [`GitRef::Any`] takes.
pub(crate) fn check_any_ref(name: &str) -> Result<String, String> {
    match hex_digits(name) {
        Some(hex) if hex.len() == SHA256_DIGITS => Err(format!("`{hex}` is not {SHA1_ID}")),
        _ => check_ref_name(name),
    }
}

/// Checks a branch's or a tag's name by git's own rules (git, `Documentation/git-check-ref-format`).
pub(crate) fn check_ref_name(name: &str) -> Result<String, String> {
    let forbidden = |c: char| c.is_control() || " ~^:?*[\\\x7f".contains(c);
    let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    let bad = name.starts_with('-')
        || name == "@"
        || name.contains("..")
        || name.contains("@{")
        || name.ends_with('.')
        || name.contains(forbidden)
        || name.split('/').any(bad_part);
    if bad {
        return Err(format!(
            "`{}` is not a name that git allows for a branch or a tag",
            name.escape_debug()
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(url: &str) -> GitUrlForm {
        url.parse::<GitUrl>().unwrap().form()
    }

    #[test]
    fn addresses_have_the_forms_that_git_knows() {
        assert_eq!(form("/srv/git/a.git"), GitUrlForm::Path);
        assert_eq!(form("../a"), GitUrlForm::Path);
        assert_eq!(form("C:/a"), GitUrlForm::Path);
        assert_eq!(form("./odd:name"), GitUrlForm::Path);
        assert_eq!(form("file:///srv/a"), GitUrlForm::File);
        assert_eq!(form("https://example.com/a"), GitUrlForm::Http);
        assert_eq!(form("ssh://git@example.com/a"), GitUrlForm::Ssh);
        assert_eq!(form("git@example.com:a/b.git"), GitUrlForm::Ssh);
    }

    #[test]
    fn addresses_that_run_or_leak_something_are_refused() {
        for bad in [
            "",
            "ext::sh -c id",
            "fd::3",
            "--upload-pack=x",
            "git://a/b",
            "git://github.com@evil.example/a",
            "git+https://github.com/a/b",
            "HTTPS://github.com/a/b",
            "Git://github.com/a/b",
            "ftp://a",
            "file://",
            "a\nb",
        ] {
            assert!(bad.parse::<GitUrl>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_of_a_protocol_that_is_gone_is_that_of_the_one_in_its_place() {
        let url: GitUrl = "git://github.com/example/web.git".parse().unwrap();
        assert_eq!(url.to_string(), "https://github.com/example/web.git");
        assert_eq!(url.with_credentials(), url.to_string());
        assert_eq!(url.form(), GitUrlForm::Http);
        assert_eq!(url, "https://github.com/example/web.git".parse().unwrap());
    }

    #[test]
    fn credentials_are_never_shown() {
        let shown = |url: &str| {
            let url: GitUrl = url.parse().unwrap();
            format!("{url} {url:?}")
        };
        assert_eq!(
            shown("https://me:s3cret@example.com/a.git"),
            "https://example.com/a.git GitUrl(https://example.com/a.git)"
        );
        assert!(!shown("https://s3cret@example.com").contains("s3cret"));
        assert!(!shown("https://example.com/a?token=s3cret").contains("s3cret"));
        assert!(!shown("ssh://me:s3cret@example.com/a").contains("s3cret"));
        assert!(shown("ssh://git@example.com/a").contains("git@example.com"));
        let error = "ftp://me:s3cret@example.com".parse::<GitUrl>().unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn commits_are_hex_and_long_enough() {
        let full = "0123456789ABCDEF0123456789abcdef01234567";
        assert_eq!(
            full.parse::<CommitId>().unwrap().as_str(),
            full.to_lowercase()
        );
        assert!(full.parse::<CommitPrefix>().unwrap().full().is_some());
        assert!("0123".parse::<CommitPrefix>().unwrap().full().is_none());
        for bad in ["", "012", "main", "0123g", &"0".repeat(41)] {
            assert!(bad.parse::<CommitPrefix>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_commit_of_a_sha_256_repository_is_told_from_a_typing_error() {
        let id = "0".repeat(64);
        for error in [
            id.parse::<CommitId>().unwrap_err().to_string(),
            id.parse::<CommitPrefix>().unwrap_err().to_string(),
            check_any_ref(&id).unwrap_err(),
        ] {
            assert!(error.contains("SHA-256"), "{error}");
        }
        for other in ["0".repeat(63), "0".repeat(65), "z".repeat(64)] {
            let error = other.parse::<CommitPrefix>().unwrap_err();
            assert!(!error.to_string().contains("SHA-256"), "{error}");
        }
    }

    #[test]
    fn ref_names_follow_git() {
        for good in [
            "main",
            "feature/x",
            "v1.0",
            "é",
            "refs/heads/x",
            "refs/tags/v1",
            "refs/pull/1/head",
        ] {
            assert!(check_ref_name(good).is_ok(), "{good}");
        }
        for bad in [
            "", "a..b", "-a", "a b", "a.lock", "/a", "a/", "a/.b", "a~1", "@", "a@{1}", "x.",
        ] {
            assert!(check_ref_name(bad).is_err(), "{bad}");
        }
    }
}
