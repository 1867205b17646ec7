//! git over http(s): the "smart" protocol (git, `Documentation/gitprotocol-http`).

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use url::Url;

use super::config::GitConfig;
use super::transport::Transport;
use super::visitor::{Clients, ROUNDS, Visitor, has_authorization};
use super::{GitAccess, GitError, host_and_port};
use crate::event::{CancelToken, Cancelled};
use crate::http::{Client, HttpError, Request, Response, same_origin};
use crate::manifest::{GitUrl, redact};

/// Some hosts know by this beginning that a repository is asked for, where its address does not end
/// in `.git` (libgit2, `settings.c`).
const USER_AGENT: &str = concat!("git/2.0 (cookpack/", env!("CARGO_PKG_VERSION"), ")");

/// A request from this size on is compressed, as git does (git, `remote-curl.c`).
const COMPRESSED_FROM: usize = 1 << 10;

/// A repository behind an http(s) address.
pub(super) struct GitHttp<'a> {
    config: &'a GitConfig,
    cancel: &'a CancelToken,
    client: Client,
    /// The address for messages.
    shown: String,
    /// Where the repository is, after redirects, without a `/` at its end.
    base: String,
    visitor: Visitor<'a>,
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
        let client = clients.client_for(&full, (access, config), cancel)?;
        let follow = config.http_text(&full, "followRedirects");
        let follow = match follow.as_ref().map_or("initial", |value| value.expose()) {
            "initial" => Follow::Initial,
            _ => match config.http_flag(&full, "followRedirects") {
                Some(false) => Follow::Never,
                Some(true) => Follow::Always,
                None => Follow::Initial,
            },
        };
        let visitor = Visitor::new(&full, access, config, cancel);
        Ok(Self {
            config,
            cancel,
            client,
            shown,
            base: visitor.home().as_str().trim_end_matches('/').to_owned(),
            visitor,
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
        self.visitor.introduce(&mut request)?;
        Ok(request)
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
                    self.visitor.approve();
                    return Ok(response);
                }
                401 => {
                    let header = had_header.then_some("`http.extraHeader`");
                    if !self.visitor.challenged(&response, header, moved)? {
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
            tried: self.visitor.tried(),
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
        self.visitor.moved_to(&url);
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
                if self.config.http_flag(self.visitor.home(), "sslVerify") == Some(false) =>
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

fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests;
