//! Where the large files of a repository are (git-lfs, `docs/api/server-discovery.md`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use crate::git::GitError;
use crate::git::committed::{RootFile, settings};
use crate::git::remotes::Remotes;
use crate::http::same_origin;
use crate::manifest::{GitUrl, GitUrlForm, redact};
use crate::secret::Secret;

/// What a commit says of its large files.
pub(in crate::git) const LFS_CONFIG: &str = ".lfsconfig";

/// A place where large files are looked for.
#[derive(Debug)]
pub(super) enum Place {
    /// A repository on this machine, which keeps them beside its objects.
    Folder(PathBuf),
    /// A server of git LFS; credentials may be in its address.
    Server(Url),
    /// A host that is asked through ssh. Of a repository, `is_repository`, its server's address can be
    /// guessed.
    Ssh { url: GitUrl, is_repository: bool },
    /// The commit names one to which nothing is sent, and why.
    Refused(String),
}

/// A server of git LFS.
#[derive(Debug)]
pub(super) struct Server {
    /// Its address; credentials may be in it.
    pub(super) url: Url,
    /// What the host gave for it through ssh.
    pub(super) headers: Vec<(String, Secret)>,
}

/// The places of a repository's large files, the first one first. What the user set counts most; then
/// what the commit says, which is held to be no more than a hint from a stranger.
pub(super) fn places(
    remotes: &Remotes<'_>,
    url: &GitUrl,
    lfs_config: &RootFile,
) -> Result<Vec<Place>, GitError> {
    let config = remotes.config()?;
    if let Some(set) = config.lfs_url(url) {
        let set = set.expose();
        let wrong = |reason: String| GitError::Configuration {
            origin: "lfs.url".to_owned(),
            reason,
        };
        let address: GitUrl = set.parse().map_err(|error| wrong(format!("{error}")))?;
        let place = of_address(remotes, &config.rewritten(&address)?, url, false)?;
        return Ok(vec![place]);
    }
    let rewritten = match url.form() {
        GitUrlForm::Path | GitUrlForm::File => url.clone(),
        _ => config.rewritten(url)?,
    };
    let mut places = Vec::new();
    if matches!(rewritten.form(), GitUrlForm::Path | GitUrlForm::File) {
        places.push(of_address(remotes, &rewritten, url, true)?);
    }
    match named(lfs_config, url) {
        Some(Ok(address)) => {
            let address = config.rewritten(&address)?;
            places.push(of_address(remotes, &address, url, false)?);
        }
        Some(Err(reason)) => places.push(Place::Refused(reason)),
        None if places.is_empty() => places.push(of_address(remotes, &rewritten, url, true)?),
        None => {}
    }
    Ok(places)
}

/// The address that a commit names. Attack: whoever wrote the repository chooses it. It must be one of
/// http(s), so that no program is run and no folder is read for it; and it must not be `http` where the
/// repository itself is reached safely, since the credentials for that host would go there in clear.
fn named(lfs_config: &RootFile, repository: &GitUrl) -> Option<Result<GitUrl, String>> {
    let text = match lfs_config {
        RootFile::Absent => return None,
        RootFile::Unreadable => return Some(Err(format!("`{LFS_CONFIG}` cannot be read"))),
        RootFile::Text(text) => text,
    };
    let is_address = |section: &str| section.trim().eq_ignore_ascii_case("lfs");
    let found = settings(text).into_iter();
    let mut found = found.filter(|found| is_address(&found.section) && found.key == "url");
    let value = found.next_back()?.value;
    let refused = |why: &str| {
        let shown = redact(&value).escape_debug().to_string();
        Err(format!("`{LFS_CONFIG}` names `{shown}`, {why}"))
    };
    let is_plain = |text: &str| text.starts_with("http://");
    Some(match value.parse::<GitUrl>() {
        Ok(address) if address.form() != GitUrlForm::Http => {
            refused("and a repository may name no address but one of http or https")
        }
        Ok(_) if is_plain(&value) && !is_plain(repository.with_credentials()) => {
            refused("which is not encrypted")
        }
        Ok(address) => Ok(address),
        Err(_) => refused("which is no address"),
    })
}

/// The place at an address that was already rewritten. `asked` is the repository's own.
fn of_address(
    remotes: &Remotes<'_>,
    address: &GitUrl,
    asked: &GitUrl,
    is_repository: bool,
) -> Result<Place, GitError> {
    Ok(match address.form() {
        GitUrlForm::Path | GitUrlForm::File => Place::Folder(remotes.folder_at(address, asked)?),
        GitUrlForm::Ssh => Place::Ssh {
            url: address.clone(),
            is_repository,
        },
        GitUrlForm::Http => {
            let url = Url::parse(address.with_credentials()).ok();
            let url = url.and_then(|url| server_url(url, is_repository));
            Place::Server(url.ok_or_else(|| wrong(asked, "it has no host".to_owned()))?)
        }
    })
}

fn wrong(url: &GitUrl, reason: String) -> GitError {
    GitError::LargeFiles {
        url: url.redacted(),
        reason,
    }
}

/// The address of the server itself, or of that of the repository there.
fn server_url(mut url: Url, is_repository: bool) -> Option<Url> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let path = match is_repository {
        false => path.to_owned(),
        true if path.ends_with(".git") => format!("{path}/info/lfs"),
        true => format!("{path}.git/info/lfs"),
    };
    url.set_path(&path);
    Some(url)
}

/// What `git-lfs-authenticate` prints.
#[derive(Deserialize)]
struct Introduction {
    href: Option<String>,
    header: Option<BTreeMap<String, String>>,
}

/// Asks a host through ssh where the server is and what to say there. A host that does not know the
/// question has its server at the usual place.
pub(super) fn ask_host(
    remotes: &Remotes<'_>,
    asked: &GitUrl,
    (url, is_repository): (&GitUrl, bool),
) -> Result<Server, GitError> {
    let ssh = remotes.ssh(url)?;
    let address = ssh.address();
    let usual = || {
        let mut usual = Url::parse("https://host").ok()?;
        let host = address.host();
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        usual.set_host(Some(&host)).ok()?;
        usual.set_path(address.path());
        server_url(usual, is_repository)
    };
    let usual = || usual().ok_or_else(|| wrong(asked, "its host has no server".to_owned()));
    let Some(said) = ssh.large_files()? else {
        return Ok(Server {
            url: usual()?,
            headers: Vec::new(),
        });
    };
    let unclear = |reason: &str| wrong(asked, format!("`git-lfs-authenticate` says {reason}"));
    // What the JSON has is not told: a header of it gives access.
    let said: Introduction =
        serde_json::from_slice(&said).map_err(|_| unclear("what is not its JSON"))?;
    let headers = said.header.unwrap_or_default().into_iter();
    let headers = headers.map(|(name, value)| (name, Secret::new(value)));
    let url = match said.href.filter(|href| !href.is_empty()) {
        None => usual()?,
        Some(href) => {
            let url = Url::parse(&href).ok();
            let url = url.and_then(|url| server_url(url, false));
            url.ok_or_else(|| unclear("an address that is not one of http or https"))?
        }
    };
    Ok(Server {
        url,
        headers: headers.collect(),
    })
}

impl Server {
    /// What was given through ssh, if it is for this address.
    pub(super) fn headers_for(&self, url: &Url) -> Vec<(String, Secret)> {
        match same_origin(url, &self.url) {
            true => self.headers.clone(),
            false => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_stands_below_its_repository() {
        for (url, is_repository, wanted) in [
            ("https://h/a/b", true, "https://h/a/b.git/info/lfs"),
            ("https://h/a/b.git", true, "https://h/a/b.git/info/lfs"),
            ("https://h/a/b.git/", true, "https://h/a/b.git/info/lfs"),
            (
                "https://u:p@h:8/a%20b#x",
                true,
                "https://u:p@h:8/a%20b.git/info/lfs",
            ),
            ("https://h/lfs/", false, "https://h/lfs"),
        ] {
            let found = server_url(Url::parse(url).unwrap(), is_repository);
            assert_eq!(found.unwrap().as_str(), wanted, "{url}");
        }
    }

    #[test]
    fn attack_a_commit_names_only_servers_that_are_reached_as_safely() {
        let of = |value: &str, repository: &str| {
            let text = format!("[other]\n\turl = https://no/\n[LFS]\n\tURL = {value}\n");
            named(&RootFile::Text(text), &repository.parse().unwrap()).unwrap()
        };
        for value in [
            "ssh://h/a",
            "h:a",
            "file:///etc",
            "/etc/passwd",
            "ext::sh -c id",
            "http://h/lfs",
            "ftp://h/lfs",
        ] {
            of(value, "https://h/a.git").unwrap_err();
        }
        assert!(of("http://h/lfs", "/srv/a.git").is_err());
        assert!(of("http://h/lfs", "http://h/a.git").is_ok());
        let kept = of("\"https://h/lfs\" ; comment", "git@h:a.git").unwrap();
        assert_eq!(kept.with_credentials(), "https://h/lfs");
        let shown = of("ssh://u:hunter2@h/a", "https://h/a").unwrap_err();
        assert!(!shown.contains("hunter2"), "{shown}");
        let nothing = RootFile::Text("[lfs]\n\tfetchexclude = *\n".to_owned());
        assert!(named(&nothing, &"https://h/a".parse().unwrap()).is_none());
    }
}
