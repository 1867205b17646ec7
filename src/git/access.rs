//! How remotes are reached: all that git takes from its surroundings, as values.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::manifest::redact;
use crate::secret::Secret;

/// How remote repositories are reached, and with which credentials. The library reads none of it from
/// the environment or the home folder; the binary passes in what git itself would find there.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct GitAccess {
    /// git's configuration files, the least specific first. One that is not there is left out.
    pub config_files: Vec<PathBuf>,
    /// Settings that win over those files, as `GIT_CONFIG_COUNT` and its like give them.
    pub config_values: Vec<(String, String)>,
    /// A file of credentials by host, as curl reads it.
    pub netrc: Option<PathBuf>,
    /// Tokens for https (and for http on this machine itself) by host in lower case, `example.com` or
    /// `example.com:8443`; `USER:TOKEN` where the host wants a certain user. They are sent before the
    /// host asks for them.
    pub tokens: BTreeMap<String, Secret>,
    /// The proxies and certificates of https, where git's configuration says nothing of them.
    pub http: crate::http::HttpOptions,
    /// A file of certificates (PEM) that are trusted, whatever git's configuration says:
    /// `GIT_SSL_CAINFO`.
    pub ssl_authority: Option<PathBuf>,
    /// A file with this client's own certificate, whatever git's configuration says: `GIT_SSL_CERT`.
    pub ssl_certificate: Option<PathBuf>,
    /// A file with that certificate's key: `GIT_SSL_KEY`.
    pub ssl_key: Option<PathBuf>,
    /// The shell command that is run in place of `ssh`: `GIT_SSH_COMMAND`.
    pub ssh_command: Option<String>,
    /// The program that is run in place of `ssh`: `GIT_SSH`.
    pub ssh_program: Option<OsString>,
    /// Which options that program knows: `GIT_SSH_VARIANT`.
    pub ssh_variant: Option<String>,
    /// Whether the `git` program fetches, in place of this library. What git LFS keeps is fetched by
    /// this library in any case.
    pub executable: bool,
    /// The whole environment of the programs that are run: `ssh`, credential helpers and, where it is
    /// to fetch, `git`.
    pub environment: Vec<(OsString, OsString)>,
}

impl fmt::Debug for GitAccess {
    /// Names alone: tokens stand in settings and in the environment as well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.config_values.iter().map(|(key, _)| redact(key));
        let settings: Vec<_> = settings.collect();
        let variables: Vec<_> = self.environment.iter().map(|(name, _)| name).collect();
        let tokens: Vec<_> = self.tokens.keys().collect();
        f.debug_struct("GitAccess")
            .field("config_files", &self.config_files)
            .field("config_values", &settings)
            .field("netrc", &self.netrc)
            .field("tokens", &tokens)
            .field("http", &self.http)
            .field("executable", &self.executable)
            .field("environment", &variables)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leak_nothing_secret_is_shown() {
        let mut access = GitAccess {
            config_values: vec![
                ("http.extraHeader".to_owned(), "A: s3cret".to_owned()),
                ("url.https://s3cret@a/.insteadOf".to_owned(), String::new()),
            ],
            environment: vec![("GITHUB_TOKEN".into(), "s3cret".into())],
            ..GitAccess::default()
        };
        let secret = Secret::new("s3cret");
        access
            .tokens
            .insert("example.com".to_owned(), secret.clone());
        access.http.https_proxy = Some(secret);
        let shown = format!("{access:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(
            shown.contains("GITHUB_TOKEN") && shown.contains("example.com"),
            "{shown}"
        );
    }
}
