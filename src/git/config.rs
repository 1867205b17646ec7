//! git's configuration: of the files and values that are given, and of no others.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads configuration files"
)]

mod urlmatch;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use git2::{Config, ConfigLevel};
use url::Url;

use self::urlmatch::{Match, match_credential, match_url};
use super::{GitAccess, GitError};
use crate::manifest::{GitUrl, redact};
use crate::secret::Secret;

/// All settings, in the order in which git reads them.
#[derive(Clone, Default)]
pub(super) struct GitConfig {
    entries: Vec<Entry>,
    home: Option<PathBuf>,
}

/// One setting. A value may be an address with a token in it, or a header.
#[derive(Clone)]
struct Entry {
    /// In lower case.
    section: String,
    subsection: Option<String>,
    /// In lower case.
    name: String,
    /// None where the setting stands without `=`, which is a way to write true.
    value: Option<Secret>,
}

/// A setting of one URL.
pub(super) struct UrlValue {
    pub(super) value: Secret,
    /// Whether the setting names the URL, or is one for all URLs.
    pub(super) is_scoped: bool,
}

impl GitConfig {
    /// Reads the files, and adds the values. A file that is not there is left out.
    ///
    /// # Errors
    /// [`GitError::Configuration`] if a file cannot be read, or is not written as git wants it.
    pub(super) fn open(access: &GitAccess) -> Result<Self, GitError> {
        let home = access
            .environment
            .iter()
            .rfind(|(name, _)| name == "HOME")
            .map(|(_, value)| PathBuf::from(value));
        let mut config = Self {
            entries: Vec::new(),
            home,
        };
        for file in &access.config_files {
            config.read(file)?;
        }
        for (key, value) in &access.config_values {
            let entry = entry(key, Some(value.as_str())).ok_or_else(|| {
                let reason = format!("`{}` is not the name of a setting", redact(key));
                GitError::Configuration {
                    origin: "environment".to_owned(),
                    reason,
                }
            })?;
            config.entries.push(entry);
        }
        Ok(config)
    }

    fn read(&mut self, path: &Path) -> Result<(), GitError> {
        let wrong = |reason: String| GitError::Configuration {
            origin: path.display().to_string(),
            reason,
        };
        match File::open(path) {
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(());
            }
            // libgit2 leaves out what it may not read, and a proxy or a helper would be missing.
            Err(error) => return Err(wrong(error.to_string())),
        }
        let failed = |error: git2::Error| wrong(error.message().to_owned());
        let mut config = Config::new().map_err(failed)?;
        config
            .add_file(path, ConfigLevel::Global, false)
            .map_err(failed)?;
        let all = config.entries(None).map_err(failed)?;
        all.for_each(|found| {
            let name = String::from_utf8_lossy(found.name_bytes());
            let value = found
                .has_value()
                .then(|| String::from_utf8_lossy(found.value_bytes()));
            self.entries.extend(entry(&name, value.as_deref()));
        })
        .map_err(failed)
    }

    /// The value of a setting such as `core.sshCommand`; the last one counts.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let wanted = entry(key, None)?;
        let last = self.entries.iter().rfind(|found| {
            found.section == wanted.section
                && found.subsection == wanted.subsection
                && found.name == wanted.name
        });
        let value = last?.value.as_ref()?;
        Some(value.expose().to_owned())
    }

    /// The server of git LFS that is set for a repository: by `lfs.url` for all, or by the `lfsurl` of
    /// the remote that has its address, or of `origin` (git-lfs, `docs/api/server-discovery.md`).
    pub(super) fn lfs_url(&self, url: &GitUrl) -> Option<Secret> {
        let is_said = |value: &String| !value.is_empty();
        let named = |key: String| self.text(&key).filter(is_said);
        let has_address = |name: &str| {
            let address = self.text(&format!("remote.{name}.url"));
            address.is_some_and(|address| redact(&address) == url.redacted())
        };
        let of_remote = || {
            let remotes = self.entries.iter().rev();
            let mut remotes = remotes.filter(|e| e.section == "remote" && e.name == "lfsurl");
            let named = remotes.find_map(|entry| {
                let name = entry.subsection.as_deref()?;
                has_address(name).then(|| entry.value.clone()).flatten()
            });
            named.map(|value| value.expose().to_owned()).filter(is_said)
        };
        let of_origin = || named("remote.origin.lfsurl".to_owned());
        let found = named("lfs.url".to_owned());
        found
            .or_else(of_remote)
            .or_else(of_origin)
            .map(Secret::from)
    }

    /// An address as `url.<base>.insteadOf` rewrites it, once: of several that fit, the longest (git,
    /// `Documentation/config/url`).
    ///
    /// # Errors
    /// [`GitError::Configuration`] if that is no address that a manifest could name.
    pub(super) fn rewritten(&self, url: &GitUrl) -> Result<GitUrl, GitError> {
        let text = url.with_credentials();
        let rules = || {
            let named = |entry: &&Entry| entry.section == "url" && entry.name == "insteadof";
            self.entries.iter().filter(named).filter_map(|entry| {
                let prefix = entry.value.as_ref()?.expose();
                Some((entry.subsection.as_deref()?, prefix))
            })
        };
        let fits = rules().filter(|(_, prefix)| text.starts_with(prefix));
        let Some(longest) = fits.clone().map(|(_, prefix)| prefix.len()).max() else {
            return Ok(url.clone());
        };
        // Where two bases claim one prefix, git takes the one that it has seen first.
        let mut candidates = fits.filter(|(_, prefix)| prefix.len() == longest);
        let claimed: Vec<_> = candidates.by_ref().map(|(base, _)| base).collect();
        let mut bases = rules().map(|(base, _)| base);
        let Some(base) = bases.find(|base| claimed.contains(base)) else {
            return Ok(url.clone());
        };
        let rewritten = format!("{base}{}", &text[longest..]);
        rewritten
            .parse::<GitUrl>()
            .map_err(|error| GitError::Configuration {
                origin: format!("url.{}.insteadOf", redact(base)),
                reason: error.to_string(),
            })
    }

    /// All values of `http.<name>` and `http.<url>.<name>` that git would take for this URL, in its
    /// order: one that fits worse than those before it is passed over (git, `urlmatch.c`).
    pub(super) fn http_values(&self, url: &Url, name: &str) -> Vec<UrlValue> {
        self.url_values("http", name, |pattern| match_url(url, pattern))
    }

    /// The value of `http.<name>` for this URL.
    pub(super) fn http_text(&self, url: &Url, name: &str) -> Option<Secret> {
        self.http_values(url, name).pop().map(|found| found.value)
    }

    /// The file that `http.<name>` names for this URL.
    pub(super) fn http_path(&self, url: &Url, name: &str) -> Option<PathBuf> {
        let value = self.http_text(url, name)?;
        let value = value.expose();
        if value.is_empty() {
            return None;
        }
        match (value.strip_prefix("~/"), &self.home) {
            (Some(below), Some(home)) => Some(home.join(below)),
            _ => Some(PathBuf::from(value)),
        }
    }

    /// Whether `http.<name>` is true or false for this URL; none if it is neither.
    pub(super) fn http_flag(&self, url: &Url, name: &str) -> Option<bool> {
        Config::parse_bool(self.http_text(url, name)?.expose()).ok()
    }

    /// All values of `credential.<name>` and `credential.<url>.<name>` for this URL, as with
    /// [`Self::http_values`]. The URL of such a setting may be a host alone.
    pub(super) fn credential_values(&self, url: &Url, name: &str) -> Vec<Secret> {
        let found = self.url_values("credential", name, |pattern| match_credential(url, pattern));
        found.into_iter().map(|found| found.value).collect()
    }

    /// Whether `credential.<name>` is true for this URL.
    pub(super) fn credential_flag(&self, url: &Url, name: &str) -> bool {
        let last = self.credential_values(url, name).pop();
        last.is_some_and(|value| Config::parse_bool(value.expose()).unwrap_or(false))
    }

    fn url_values(
        &self,
        section: &str,
        name: &str,
        fits: impl Fn(&str) -> Option<Match>,
    ) -> Vec<UrlValue> {
        let name = name.to_ascii_lowercase();
        let mut best = Match::default();
        let mut values = Vec::new();
        for entry in &self.entries {
            if entry.section != section || entry.name != name {
                continue;
            }
            let found = match &entry.subsection {
                None => Match::default(),
                Some(pattern) => match fits(pattern) {
                    Some(found) => found,
                    None => continue,
                },
            };
            if found < best {
                continue;
            }
            best = found;
            let value = entry.value.clone();
            values.push(UrlValue {
                value: value.unwrap_or_else(|| Secret::new("true")),
                is_scoped: entry.subsection.is_some(),
            });
        }
        values
    }
}

/// Of the values of a setting that may stand more than once, those after the last empty one.
pub(super) fn after_reset<T>(mut values: Vec<T>, text: impl Fn(&T) -> &str) -> Vec<T> {
    let reset = values.iter().rposition(|value| text(value).is_empty());
    values.split_off(reset.map_or(0, |at| at + 1))
}

/// A setting by its full name, `section.name` or `section.any.thing.name`.
fn entry(key: &str, value: Option<&str>) -> Option<Entry> {
    let (section, rest) = key.split_once('.')?;
    let (subsection, name) = match rest.rsplit_once('.') {
        Some((subsection, name)) => (Some(subsection.to_owned()), name),
        None => (None, rest),
    };
    if section.is_empty() || name.is_empty() {
        return None;
    }
    Some(Entry {
        section: section.to_ascii_lowercase(),
        subsection,
        name: name.to_ascii_lowercase(),
        value: value.map(Secret::new),
    })
}

#[cfg(test)]
mod tests;
