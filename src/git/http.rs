//! git over http(s): the "smart" protocol (git, `Documentation/gitprotocol-http`).

use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use url::Url;

use super::config::{GitConfig, after_reset};
use super::credentials::Credentials;
use super::transport::Transport;
use super::{GitAccess, GitError, host_and_port};
use crate::event::{CancelToken, Cancelled};
use crate::http::{Client, HttpError, HttpOptions, Request, Response};
use crate::http::{same_origin, without_userinfo};
use crate::manifest::{GitUrl, redact};
use crate::secret::Secret;

/// Some hosts know by this beginning that a repository is asked for, where its address does not end
/// in `.git` (libgit2, `settings.c`).
const USER_AGENT: &str = concat!("git/2.0 (cookpack/", env!("CARGO_PKG_VERSION"), ")");

/// A request from this size on is compressed, as git does (git, `remote-curl.c`).
const COMPRESSED_FROM: usize = 1 << 10;

/// How often one request may be asked anew: with the next credentials, or where it was sent on to.
const ROUNDS: usize = 16;

/// The HTTP clients of a run, so that repositories share connections: one for each set of proxies
/// and certificates.
#[derive(Default)]
pub(super) struct Clients(Mutex<Vec<(HttpOptions, Client)>>);

impl Clients {
    fn client(&self, options: HttpOptions, cancel: &CancelToken) -> Result<Client, HttpError> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| *known == options) {
            return Ok(client.clone());
        }
        let client = Client::new(&options, cancel)?;
        clients.push((options, client.clone()));
        Ok(client)
    }
}

/// A repository behind an http(s) address.
pub(super) struct GitHttp<'a> {
    access: &'a GitAccess,
    config: &'a GitConfig,
    cancel: &'a CancelToken,
    client: Client,
    /// The address for messages.
    shown: String,
    /// The address as it is written, with no credentials in it.
    address: Url,
    /// Where the repository is, after redirects, without a `/` at its end.
    base: String,
    credentials: Credentials<'a>,
    /// Whether the server has asked who asks.
    is_challenged: bool,
    follow: Follow,
}

/// git's `http.followRedirects`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    Never,
    Initial,
    Always,
}

impl<'a> GitHttp<'a> {
    /// The repository at an address that was already rewritten as git's configuration says. Nothing
    /// is sent yet.
    pub(super) fn new(
        url: &GitUrl,
        access: &'a GitAccess,
        config: &'a GitConfig,
        clients: &Clients,
        cancel: &'a CancelToken,
    ) -> Result<Self, GitError> {
        let shown = url.redacted();
        let parsed = Url::parse(url.with_credentials()).ok();
        let full = parsed.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(mut full) = full else {
            return Err(GitError::Http(HttpError::Request {
                url: shown,
                reason: "it is not an address of http or https".to_owned(),
            }));
        };
        full.set_fragment(None);
        let address = without_userinfo(&full);
        let client = clients.client(options(&full, access, config), cancel)?;
        let follow = config.http_text(&full, "followRedirects");
        let follow = match follow.as_ref().map_or("initial", |value| value.expose()) {
            "initial" => Follow::Initial,
            _ => match config.http_flag(&full, "followRedirects") {
                Some(false) => Follow::Never,
                Some(true) => Follow::Always,
                None => Follow::Initial,
            },
        };
        Ok(Self {
            access,
            config,
            cancel,
            client,
            shown,
            base: address.as_str().trim_end_matches('/').to_owned(),
            credentials: Credentials::new(&full, access, config, cancel),
            address,
            is_challenged: false,
            follow,
        })
    }

    /// What follows the base in the address of the first request. A base with a query is taken as
    /// text, as git takes it.
    fn first_tail(&self) -> String {
        let joint = if self.base.contains('?') { '&' } else { '?' };
        format!("/info/refs{joint}service=git-upload-pack")
    }

    fn address_of(&self, tail: &str) -> Result<Url, GitError> {
        Url::parse(&format!("{}{tail}", self.base)).map_err(|_| self.unspoken("its address breaks"))
    }

    /// The first request, or one that posts this.
    fn request_of(&self, body: Option<&[u8]>) -> Result<Request, GitError> {
        let mut request = match body {
            None => {
                let request = Request::get(self.address_of(&self.first_tail())?);
                request.header("Pragma", "no-cache")
            }
            Some(body) => {
                let url = self.address_of("/git-upload-pack")?;
                let (body, is_compressed) = match body.len() > COMPRESSED_FROM {
                    true => (compressed(body), true),
                    false => (body.to_vec(), false),
                };
                let mut request = Request::post(url, body)
                    .header("Content-Type", "application/x-git-upload-pack-request")
                    .header("Accept", "application/x-git-upload-pack-result");
                if is_compressed {
                    request = request.header("Content-Encoding", "gzip");
                }
                // A request for objects changes nothing at the server.
                request.repeatable = true;
                request
            }
        };
        request = request
            .header("User-Agent", USER_AGENT)
            .header("Git-Protocol", "version=2");
        let follows = match self.follow {
            Follow::Never => false,
            Follow::Initial => body.is_none(),
            Follow::Always => true,
        };
        if !follows {
            request.redirects = 0;
        }
        request.secret_headers = self.headers(&request.url)?;
        if self.is_challenged || !has_authorization(&request) {
            request.authorization = self.credentials.authorization();
        }
        Ok(request)
    }

    /// The headers that git's configuration adds. Attack: a redirect to another host must not collect
    /// what was meant for the first; only what is set for the other's own address goes there.
    fn headers(&self, url: &Url) -> Result<Vec<(String, Secret)>, GitError> {
        let is_home = same_origin(url, &self.address);
        let values = self.config.http_values(url, "extraHeader");
        let values = after_reset(values, |found| found.value.expose());
        let mut headers = Vec::new();
        for found in values.iter().filter(|found| is_home || found.is_scoped) {
            let (name, value) = found.value.expose().split_once(':').ok_or_else(|| {
                let reason = "it is not written as `Name: value`".to_owned();
                GitError::Configuration {
                    origin: "http.extraHeader".to_owned(),
                    reason,
                }
            })?;
            headers.push((name.trim().to_owned(), Secret::new(value.trim())));
        }
        Ok(headers)
    }

    /// Sends a request until the server is content with who asks.
    fn send(&mut self, body: Option<&[u8]>) -> Result<Response, GitError> {
        for _ in 0..ROUNDS {
            let request = self.request_of(body)?;
            let had_header = has_authorization(&request) && request.authorization.is_none();
            let asked = request.url.clone();
            let sent = self.client.send(request);
            let response = sent.map_err(|error| self.refused(error))?;
            let moved = match response.status {
                200..300 | 401 if body.is_none() => self.follow_to(&asked, &response.url)?,
                _ => false,
            };
            match response.status {
                200..300 => {
                    self.credentials.approve();
                    return Ok(response);
                }
                401 => {
                    let challenges = response.headers.get_all("www-authenticate").iter();
                    let challenges = challenges.filter_map(|value| value.to_str().ok());
                    let challenges: Vec<_> = challenges.map(str::to_owned).collect();
                    self.is_challenged = true;
                    if had_header {
                        self.credentials.note_refused("`http.extraHeader`");
                    }
                    // What stands ready for where it was sent on to was not sent yet; nor was it
                    // where a configured header went in its place.
                    let is_unsent = (moved || had_header) && self.credentials.are_there();
                    if !is_unsent && !self.credentials.advance(&challenges)? {
                        break;
                    }
                }
                403 => {
                    return Err(GitError::Forbidden {
                        url: self.shown.clone(),
                        host: self.host(),
                    });
                }
                404 | 410 => {
                    return Err(GitError::RemoteNotFound {
                        url: self.shown.clone(),
                        host: self.host(),
                    });
                }
                status => {
                    return Err(GitError::Http(HttpError::Status {
                        url: redact(response.url.as_str()),
                        status,
                    }));
                }
            }
        }
        Err(GitError::Unauthorized {
            url: self.shown.clone(),
            host: self.host(),
            tried: self.credentials.tried(),
        })
    }

    /// Takes the place to which the first request was sent on as the repository's own; whether that
    /// is another host, whose credentials are others.
    fn follow_to(&mut self, asked: &Url, last: &Url) -> Result<bool, GitError> {
        if asked == last {
            return Ok(false);
        }
        let tail = self.first_tail();
        let Some(base) = last.as_str().strip_suffix(tail.as_str()) else {
            let to = redact(last.as_str());
            return Err(self.unspoken(&format!(
                "it leads to `{to}`, which is not the address of a repository"
            )));
        };
        self.base = base.trim_end_matches('/').to_owned();
        if same_origin(asked, last) {
            return Ok(false);
        }
        let url = self.address_of("")?;
        self.credentials = Credentials::new(&url, self.access, self.config, self.cancel);
        Ok(true)
    }

    /// The host that is spoken with.
    fn host(&self) -> String {
        Url::parse(&self.base).map_or_else(|_| String::new(), |url| host_and_port(&url))
    }

    fn unspoken(&self, reason: &str) -> GitError {
        GitError::Protocol {
            url: self.shown.clone(),
            reason: reason.to_owned(),
        }
    }

    fn refused(&self, error: HttpError) -> GitError {
        match error {
            HttpError::TooManyRedirects { limit: 0, .. } => self.unspoken(
                "it sends on elsewhere, where git's `http.followRedirects` does not follow",
            ),
            // Certificates are always checked; who turned that off for git is told so.
            HttpError::Tls { reason, .. }
                if self.config.http_flag(&self.address, "sslVerify") == Some(false) =>
            {
                GitError::UncheckedCertificate {
                    url: self.shown.clone(),
                    reason,
                }
            }
            error => error.into(),
        }
    }

    /// An answer's kind of content must be the one that git gives.
    fn check_content(&self, response: &Response, wanted: &str) -> Result<(), GitError> {
        let found = response.header("content-type").unwrap_or_default();
        let kind = found.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(match kind {
            "text/html" => self.unspoken(
                "it answers with a page for people; is it the address of a repository?",
            ),
            "text/plain" | "application/octet-stream" => self.unspoken(
                "it has the files of a repository, but does not serve them by git's \"smart\" protocol",
            ),
            kind => self.unspoken(&format!(
                "it answers with `{}` in place of `{wanted}`",
                kind.escape_debug()
            )),
        })
    }
}

impl Transport for GitHttp<'_> {
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, GitError> {
        let response = self.send(None)?;
        self.check_content(&response, "application/x-git-upload-pack-advertisement")?;
        Ok(response.body)
    }

    fn request(&mut self, body: &[u8]) -> Result<Box<dyn Read + '_>, GitError> {
        let response = self.send(Some(body))?;
        self.check_content(&response, "application/x-git-upload-pack-result")?;
        Ok(response.body)
    }

    fn is_stateless(&self) -> bool {
        true
    }

    fn failure(&mut self, read: io::Error) -> GitError {
        let inner = read.get_ref();
        let is_told = inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<Cancelled>);
        if is_told || self.cancel.is_cancelled() {
            return GitError::Cancelled(Cancelled);
        }
        GitError::Connection {
            url: self.shown.clone(),
            reason: read.to_string(),
        }
    }
}

fn has_authorization(request: &Request) -> bool {
    let mut headers = request.secret_headers.iter();
    headers.any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}

fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// The proxies and certificates of an address: git's environment, then git's configuration, then
/// what is the same for all programs.
fn options(url: &Url, access: &GitAccess, config: &GitConfig) -> HttpOptions {
    let mut options = access.http.clone();
    if let Some(proxy) = config.http_text(url, "proxy") {
        // An empty one is none.
        options.https_proxy = Some(proxy.clone());
        options.http_proxy = Some(proxy);
    }
    let file = |own: &Option<_>, name| own.clone().or_else(|| config.http_path(url, name));
    let authority = file(&access.ssl_authority, "sslCAInfo");
    options.ca_file = authority.or(options.ca_file);
    let certificate = file(&access.ssl_certificate, "sslCert");
    if certificate.is_some() {
        options.client_certificate = certificate;
        options.client_key = file(&access.ssl_key, "sslKey");
    }
    options
}

#[cfg(test)]
mod tests;
