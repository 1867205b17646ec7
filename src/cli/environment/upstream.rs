//! How Supermarkets and their like would be reached from here.

use std::env;
use std::path::PathBuf;
use std::time::SystemTime;

use etcetera::BaseStrategy;

use super::git::{Variables, http, tokens_by_host};
use crate::secret::Secret;
use crate::upstream::UpstreamAccess;

/// The beginning of the variables that hold tokens; what follows names a host as in those of git.
pub(super) const TOKEN: &str = "COOKPACK_SUPERMARKET_TOKEN_";

/// All that this process's environment says of sources.
pub(in crate::cli) fn upstream_access() -> UpstreamAccess {
    let config = etcetera::choose_base_strategy().ok();
    let config = config.map(|platform| platform.config_dir().join("cookpack"));
    access(&Variables(env::vars_os().collect()), config)
}

fn access(variables: &Variables, config: Option<PathBuf>) -> UpstreamAccess {
    let secret = |name: &str| {
        let text = variables.text(name).map(str::trim);
        text.filter(|text| !text.is_empty()).map(Secret::new)
    };
    let given = variables.path("COOKPACK_CREDENTIALS");
    UpstreamAccess {
        http: http(variables),
        tokens: tokens_by_host(variables, TOKEN),
        artifactory_api_key: secret("ARTIFACTORY_API_KEY"),
        artifactory_identity_token: secret("ARTIFACTORY_IDENTITY_TOKEN"),
        credentials_file: given.or_else(|| Some(config?.join("credentials.toml"))),
        netrc: variables.netrc(),
        clock: Some(SystemTime::now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> UpstreamAccess {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        access(&Variables(pairs.collect()), Some("/config/cookpack".into()))
    }

    #[test]
    fn what_the_environment_says_is_taken() {
        let access = of(&[
            ("COOKPACK_SUPERMARKET_TOKEN_SUPERMARKET_EXAMPLE_COM", " a\n"),
            ("COOKPACK_SUPERMARKET_TOKEN_MY__HOST_8443", "me:b"),
            ("COOKPACK_SUPERMARKET_TOKEN_EMPTY", " "),
            ("ARTIFACTORY_API_KEY", "key"),
            ("ARTIFACTORY_IDENTITY_TOKEN", " "),
            ("COOKPACK_CREDENTIALS", "/c.toml"),
            ("NETRC", "/n"),
            ("SSL_CERT_FILE", "/all.pem"),
            ("https_proxy", "http://proxy:3128"),
        ]);
        let tokens = access.tokens.iter();
        let tokens: Vec<_> = tokens.map(|(h, t)| (h.as_str(), t.expose())).collect();
        assert_eq!(
            tokens,
            [("my-host:8443", "me:b"), ("supermarket.example.com", "a")]
        );
        assert_eq!(access.artifactory_api_key, Some(Secret::new("key")));
        assert_eq!(access.artifactory_identity_token, None);
        assert_eq!(access.credentials_file, Some("/c.toml".into()));
        assert_eq!(access.netrc, Some("/n".into()));
        assert_eq!(access.http.ca_file, Some("/all.pem".into()));
        assert!(access.http.https_proxy.is_some() && access.clock.is_some());
    }

    #[test]
    fn the_file_of_credentials_has_a_usual_place() {
        let wanted = Some("/config/cookpack/credentials.toml".into());
        assert_eq!(of(&[]).credentials_file, wanted);
        assert_eq!(of(&[("COOKPACK_CREDENTIALS", "")]).credentials_file, wanted);
    }
}
