//! Who asks at a server of http(s), and with what: the same for git's own protocol and for git LFS.

use std::sync::{Mutex, PoisonError};

use url::Url;

use super::config::{GitConfig, after_reset};
use super::credentials::Credentials;
use super::{GitAccess, GitError};
use crate::event::CancelToken;
use crate::http::{Client, HttpError, HttpOptions, Request, Response};
use crate::http::{same_origin, without_userinfo};
use crate::secret::Secret;

/// How often one request may be asked anew: with the next credentials, or where it was sent on to.
pub(super) const ROUNDS: usize = 16;

/// The HTTP clients of a run, so that repositories share connections: one for each set of proxies
/// and certificates.
#[derive(Default)]
pub(super) struct Clients(Mutex<Vec<(HttpOptions, Client)>>);

impl Clients {
    /// The client for an address, with the proxies and certificates that git would take for it.
    pub(super) fn client_for(
        &self,
        url: &Url,
        (access, config): (&GitAccess, &GitConfig),
        cancel: &CancelToken,
    ) -> Result<Client, HttpError> {
        self.client(options(url, access, config), cancel)
    }

    pub(super) fn client(
        &self,
        options: HttpOptions,
        cancel: &CancelToken,
    ) -> Result<Client, HttpError> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| *known == options) {
            return Ok(client.clone());
        }
        let client = Client::new(&options, cancel)?;
        clients.push((options, client.clone()));
        Ok(client)
    }
}

/// Who asks at an address: the headers that git's configuration adds, and one set of credentials
/// after the other.
pub(super) struct Visitor<'a> {
    access: &'a GitAccess,
    config: &'a GitConfig,
    cancel: &'a CancelToken,
    /// The address as it is written, with no credentials in it.
    home: Url,
    credentials: Credentials<'a>,
    /// Whether the server has asked who asks.
    is_challenged: bool,
}

impl<'a> Visitor<'a> {
    /// `url` may hold credentials itself.
    pub(super) fn new(
        url: &Url,
        access: &'a GitAccess,
        config: &'a GitConfig,
        cancel: &'a CancelToken,
    ) -> Self {
        Self {
            access,
            config,
            cancel,
            home: without_userinfo(url),
            credentials: Credentials::new(url, access, config, cancel),
            is_challenged: false,
        }
    }

    /// The address where it began.
    pub(super) fn home(&self) -> &Url {
        &self.home
    }

    /// Says in a request who asks: in `Authorization`, unless a header of its own says so already and
    /// was not refused.
    pub(super) fn introduce(&self, request: &mut Request) -> Result<(), GitError> {
        let known = std::mem::take(&mut request.secret_headers);
        let mut headers = headers(self.config, &self.home, &request.url)?;
        headers.retain(|(name, _)| known.iter().all(|(own, _)| !own.eq_ignore_ascii_case(name)));
        headers.extend(known);
        request.secret_headers = headers;
        if self.is_challenged || !has_authorization(request) {
            request.authorization = self.credentials.authorization();
        }
        Ok(())
    }

    /// The same until the server asks: nothing but the headers.
    pub(super) fn introduce_if_asked(&self, request: &mut Request) -> Result<(), GitError> {
        self.introduce(request)?;
        if !self.is_challenged {
            request.authorization = None;
        }
        Ok(())
    }

    /// The server took what was sent.
    pub(super) fn approve(&mut self) {
        self.credentials.approve();
    }

    /// The server wants to know who asks, or does not take what was sent. `had_header` names a header
    /// that was sent in the credentials' place; `is_unsent` is whether the credentials that stand
    /// ready were not sent for another reason. False if there is nothing more to say.
    pub(super) fn challenged(
        &mut self,
        response: &Response,
        had_header: Option<&str>,
        is_unsent: bool,
    ) -> Result<bool, GitError> {
        // git LFS has a name of its own for it, so that browsers ask nobody (git-lfs,
        // `docs/api/authentication.md`).
        let challenges = ["www-authenticate", "lfs-authenticate"].into_iter();
        let challenges = challenges.flat_map(|name| response.headers.get_all(name));
        let challenges = challenges.filter_map(|value| value.to_str().ok());
        let challenges: Vec<_> = challenges.map(str::to_owned).collect();
        self.is_challenged = true;
        if let Some(header) = had_header {
            self.credentials.note_refused(header);
        }
        // What stands ready for where it was sent on to was not sent yet; nor was it where a header
        // went in its place.
        if (is_unsent || had_header.is_some()) && self.credentials.are_there() {
            return Ok(true);
        }
        self.credentials.advance(&challenges)
    }

    /// Goes on at another host, whose credentials are others.
    pub(super) fn moved_to(&mut self, url: &Url) {
        self.credentials = Credentials::new(url, self.access, self.config, self.cancel);
    }

    /// What was tried so far, in words.
    pub(super) fn tried(&self) -> Vec<String> {
        self.credentials.tried()
    }
}

/// The headers that git's configuration adds. Attack: a redirect to another host must not collect
/// what was meant for the first; only what is set for the other's own address goes there.
fn headers(config: &GitConfig, home: &Url, url: &Url) -> Result<Vec<(String, Secret)>, GitError> {
    let is_home = same_origin(url, home);
    let values = config.http_values(url, "extraHeader");
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

/// Whether a header of a request says who asks.
pub(super) fn has_authorization(request: &Request) -> bool {
    let mut headers = request.secret_headers.iter();
    headers.any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}

/// The proxies and certificates of an address: git's environment, then git's configuration, then
/// what is the same for all programs.
pub(super) fn options(url: &Url, access: &GitAccess, config: &GitConfig) -> HttpOptions {
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
mod tests {
    use super::*;

    #[test]
    fn clients_are_shared_by_their_settings() {
        let clients = Clients::default();
        let cancel = CancelToken::default();
        let one = HttpOptions::default();
        let other = HttpOptions {
            no_proxy: Some("*".to_owned()),
            ..HttpOptions::default()
        };
        for options in [&one, &other, &one] {
            clients.client(options.clone(), &cancel).unwrap();
        }
        assert_eq!(clients.0.lock().unwrap().len(), 2);
    }
}
