//! The one HTTP client: for git over http(s) now, for Supermarkets later.

use crate::secret::Secret;
use std::path::PathBuf;

/// The proxies and certificates of a client.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HttpOptions {
    /// The proxy for https, as `https_proxy` and `all_proxy` name it; credentials may be in it.
    pub https_proxy: Option<Secret>,
    /// The proxy for http, as `http_proxy` names it.
    pub http_proxy: Option<Secret>,
    /// The hosts that are reached without a proxy, as `no_proxy` names them.
    pub no_proxy: Option<String>,
    /// A file of certificates (PEM) that are trusted in place of the system's.
    pub ca_file: Option<PathBuf>,
}
