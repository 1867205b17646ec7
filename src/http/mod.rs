//! The one HTTP client: for git over http(s), and for Supermarkets and their like.

#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module reads certificates"
)]

mod body;
mod client;
mod connect;
mod error;
mod failure;
#[cfg(test)]
pub(crate) mod loopback;
mod proxy;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

pub(crate) use client::{Client, Response};
pub use error::HttpError;

use crate::secret::Secret;

/// The proxies, the certificates and the patience of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// A file of certificates (PEM) that are trusted besides.
    pub extra_ca_file: Option<PathBuf>,
    /// A file with the certificate (PEM) that is shown to a server that asks for one.
    pub client_certificate: Option<PathBuf>,
    /// A file with that certificate's key (PEM, not encrypted); the certificate's own file, if this
    /// is none.
    pub client_key: Option<PathBuf>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long an answer may take to begin.
    pub head_timeout: Duration,
    /// How long nothing at all may come or go once a connection stands. There is no limit on the
    /// whole of an answer.
    pub idle_timeout: Duration,
    /// How long to wait before a request is tried again; one try more than there are waits.
    pub retry_waits: Vec<Duration>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            https_proxy: None,
            http_proxy: None,
            no_proxy: None,
            ca_file: None,
            extra_ca_file: None,
            client_certificate: None,
            client_key: None,
            connect_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            retry_waits: vec![Duration::from_millis(200), Duration::from_millis(800)],
        }
    }
}

/// How often a request is sent on elsewhere, unless it says otherwise.
const REDIRECTS: usize = 10;

/// One request.
#[derive(Clone)]
pub(crate) struct Request {
    /// None to get something, or else what is posted.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The value of `Authorization`: for this URL's origin alone.
    pub(crate) authorization: Option<Secret>,
    /// Headers that are for this URL's origin alone.
    pub(crate) secret_headers: Vec<(String, Secret)>,
    /// How many redirects are followed.
    pub(crate) redirects: usize,
    /// Whether the server may well get it twice, so that it is sent again when it fails.
    pub(crate) repeatable: bool,
    /// Whether what is posted goes along to wherever a redirect leads. Otherwise one that would have
    /// a browser get a page (301, 302, 303) is an error.
    pub(crate) posted_anew: bool,
}

impl Request {
    /// A request for what is at a URL.
    pub(crate) fn get(url: Url) -> Self {
        Self {
            body: None,
            url,
            headers: Vec::new(),
            authorization: None,
            secret_headers: Vec::new(),
            redirects: REDIRECTS,
            repeatable: true,
            posted_anew: false,
        }
    }

    /// A request that posts this. It is not repeated, unless it is made so.
    pub(crate) fn post(url: Url, body: Vec<u8>) -> Self {
        Self {
            body: Some(body),
            repeatable: false,
            ..Self::get(url)
        }
    }

    /// With a header more.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The value of `Authorization` for a user and a password (RFC 7617).
pub(crate) fn basic(user: &str, password: &Secret) -> Secret {
    let pair = format!("{user}:{}", password.expose());
    Secret::new(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

/// The user and the password in a URL, decoded.
pub(crate) fn userinfo(url: &Url) -> Option<(String, Option<Secret>)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let password = url
        .password()
        .map(|password| Secret::new(decoded(password)));
    Some((decoded(url.username()), password))
}

/// A URL without the user and the password in it.
pub(crate) fn without_userinfo(url: &Url) -> Url {
    let mut url = url.clone();
    // Only a URL without a host cannot be changed, and it has no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Whether two URLs have scheme, host and port in common, which is what credentials belong to.
pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

#[cfg(test)]
mod tests;
