//! How sources are reached: all that is taken from the surroundings, as values.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::http::HttpOptions;
use crate::secret::Secret;

/// How Supermarkets and their like are reached, and with which credentials. The library reads none of
/// it from the environment or the home folder; the binary passes it in.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct UpstreamAccess {
    /// The proxies, the certificates and the patience.
    pub http: HttpOptions,
    /// Tokens (`Authorization: Bearer`) by host in lower case, `example.com` or `example.com:8443`;
    /// `USER:PASSWORD` where the host wants a user. They go over https alone, or to this machine.
    pub tokens: BTreeMap<String, Secret>,
    /// The key (`X-Jfrog-Art-Api`) of every Artifactory that the manifest names: `ARTIFACTORY_API_KEY`,
    /// as Berkshelf takes it. A host's own credentials come first.
    pub artifactory_api_key: Option<Secret>,
    /// The token (`Authorization: Bearer`) of every Artifactory that the manifest names, which comes
    /// before the key: `ARTIFACTORY_IDENTITY_TOKEN`, as chef-cli takes it.
    pub artifactory_identity_token: Option<Secret>,
    /// A file of credentials by host (TOML), which nobody else may read. One that is not there holds
    /// none.
    pub credentials_file: Option<PathBuf>,
    /// A file of credentials by host, as curl reads it. It is asked for a source's own host, and only
    /// once that refuses.
    pub netrc: Option<PathBuf>,
    /// The time, for requests that a Chef Server wants signed with it.
    pub clock: Option<fn() -> SystemTime>,
}

impl UpstreamAccess {
    /// The same for sources that somebody else's manifest names: no key that is for every host.
    #[must_use]
    pub fn for_adopted_sources(&self) -> Self {
        Self {
            artifactory_api_key: None,
            artifactory_identity_token: None,
            ..self.clone()
        }
    }
}

impl fmt::Debug for UpstreamAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens: Vec<_> = self.tokens.keys().collect();
        f.debug_struct("UpstreamAccess")
            .field("http", &self.http)
            .field("tokens", &tokens)
            .field("credentials_file", &self.credentials_file)
            .field("netrc", &self.netrc)
            .finish_non_exhaustive()
    }
}
