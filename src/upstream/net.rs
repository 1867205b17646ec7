//! Requests to sources, each with the credentials of its own host and no other's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use url::Url;

use super::credentials::{Credentials, Login, is_private};
use super::remote::{Remote, RemoteKind};
use super::signature::Signer;
use super::{UpstreamAccess, UpstreamError};
use crate::event::{CancelToken, Cancelled};
use crate::http::{Client, HttpError, Request, Response, same_origin, userinfo};
use crate::limits::Limits;
use crate::manifest::redact;
use crate::secret::Secret;

/// Asks sources.
pub(super) struct Net {
    access: UpstreamAccess,
    credentials: Credentials,
    limits: Limits,
    cancel: CancelToken,
    /// Made with the first request: certificates are not read where nothing is asked.
    client: OnceLock<Client>,
    /// The origins that want what the netrc file has.
    refusing: Mutex<BTreeSet<String>>,
    /// Who signs, by origin.
    signers: Mutex<BTreeMap<String, Arc<Signer>>>,
}

/// What is sent beside the credentials.
pub(super) type Headers = [(&'static str, String)];

impl Net {
    pub(super) fn new(
        access: &UpstreamAccess,
        limits: &Limits,
        cancel: &CancelToken,
    ) -> Result<Self, UpstreamError> {
        Ok(Self {
            credentials: Credentials::load(access)?,
            access: access.clone(),
            limits: *limits,
            cancel: cancel.clone(),
            client: OnceLock::new(),
            refusing: Mutex::default(),
            signers: Mutex::default(),
        })
    }

    /// Gets what is at a URL that a source names, be it at another host. A status that is not one of
    /// success is left to the caller.
    pub(super) fn get(
        &self,
        from: Option<&Remote>,
        shown: &str,
        url: &Url,
        headers: &Headers,
    ) -> Result<Response, UpstreamError> {
        let own = from.filter(|remote| same_origin(&remote.base, url));
        if let Some(remote) = own.filter(|remote| remote.kind == RemoteKind::ChefServer) {
            let request = self.signed(remote, shown, url)?;
            return self.send(request, headers, shown);
        }
        let request = Request::get(url.clone());
        let in_address = own.and_then(|remote| userinfo(&remote.base));
        let login = match in_address {
            Some((user, password)) => {
                let password = password.unwrap_or_else(|| Secret::new(""));
                Some(Login::Basic(user, password))
            }
            None => self.credentials.login(url),
        };
        let login = login.or_else(|| self.general(own?, url));
        let origin = url.origin().ascii_serialization();
        let refuses = |refusing: &Mutex<BTreeSet<String>>| {
            let refusing = refusing.lock().unwrap_or_else(PoisonError::into_inner);
            refusing.contains(&origin)
        };
        let from_netrc = || {
            own?;
            self.credentials.netrc_login(url)
        };
        let has_own = login.is_some();
        let login = match login {
            None if refuses(&self.refusing) => from_netrc(),
            login => login,
        };
        let is_plain = login.is_none();
        let first = match &login {
            Some(login) => login.apply(request.clone()),
            None => request.clone(),
        };
        let response = self.send(first, headers, shown)?;
        if response.status != 401 || has_own || !is_plain {
            return Ok(response);
        }
        match from_netrc() {
            None => Ok(response),
            Some(login) => {
                let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
                refusing.insert(origin);
                drop(refusing);
                self.send(login.apply(request), headers, shown)
            }
        }
    }

    /// Gets what is at a URL that is signed itself: nothing else is sent there.
    pub(super) fn get_plain(&self, shown: &str, url: &Url) -> Result<Response, UpstreamError> {
        self.send(Request::get(url.clone()), &[], shown)
    }

    /// What is for an Artifactory whatever its host is.
    fn general(&self, own: &Remote, url: &Url) -> Option<Login> {
        if own.kind != RemoteKind::Artifactory || !is_private(url) {
            return None;
        }
        let key = || {
            let key = self.access.artifactory_api_key.clone()?;
            Some(Login::Header("X-Jfrog-Art-Api".to_owned(), key))
        };
        let token = self.access.artifactory_identity_token.clone();
        token.map(Login::Bearer).or_else(key)
    }

    fn signed(&self, remote: &Remote, shown: &str, url: &Url) -> Result<Request, UpstreamError> {
        let origin = url.origin().ascii_serialization();
        let refused = |reason: String| UpstreamError::Signature {
            source_name: shown.to_owned(),
            reason,
            host: match (url.host_str().unwrap_or_default(), url.port()) {
                (host, Some(port)) => format!("{host}:{port}"),
                (host, None) => host.to_owned(),
            },
        };
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        let signer = match signers.get(&origin) {
            Some(signer) => Arc::clone(signer),
            None => {
                let client = self.credentials.client(&remote.base);
                let client =
                    client.ok_or_else(|| refused("nobody is named who signs".to_owned()))?;
                let clock = self.access.clock;
                let clock = clock.ok_or_else(|| refused("the time is not known".to_owned()))?;
                let made = Signer::new(&client.name, &client.key, clock);
                let made = made.map_err(|reason| {
                    refused(format!("the key in `{}`: {reason}", client.key.display()))
                })?;
                let signer = Arc::new(made);
                signers.insert(origin, Arc::clone(&signer));
                signer
            }
        };
        drop(signers);
        signer.sign(url.clone()).map_err(refused)
    }

    fn client(&self) -> Result<&Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = Client::new(&self.access.http, &self.cancel)?;
        Ok(self.client.get_or_init(|| made))
    }

    fn send(
        &self,
        mut request: Request,
        headers: &Headers,
        shown: &str,
    ) -> Result<Response, UpstreamError> {
        request.headers.extend_from_slice(headers);
        let sent = self.client().and_then(|client| client.send(request));
        sent.map_err(|error| http_error(shown, error))
    }

    /// Does something again, from its request on, as long as its answer breaks off.
    pub(super) fn persist<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, UpstreamError>,
    ) -> Result<T, UpstreamError> {
        let waits = self.access.http.retry_waits.clone();
        let mut waits = waits.into_iter();
        loop {
            self.cancel.check()?;
            match attempt() {
                Err(UpstreamError::Broken { url, source }) => {
                    let (Some(wait), Some(client)) = (waits.next(), self.client.get()) else {
                        return Err(UpstreamError::Broken { url, source });
                    };
                    client.sleep(wait)?;
                }
                other => return other,
            }
        }
    }

    /// Reads an answer piece by piece, up to a limit.
    pub(super) fn read(
        &self,
        response: &mut Response,
        limit: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), UpstreamError>,
    ) -> Result<u64, UpstreamError> {
        let url = || redact(response.url.as_str());
        let (mut total, mut buffer) = (0, vec![0; 64 << 10]);
        loop {
            self.cancel.check()?;
            let length = match response.body.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    let inner = source.get_ref();
                    if inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<Cancelled>) {
                        return Err(Cancelled.into());
                    }
                    return Err(UpstreamError::Broken { url: url(), source });
                }
            };
            total += length as u64;
            if total > limit {
                return Err(UpstreamError::TooLarge { url: url(), limit });
            }
            take(&buffer[..length])?;
        }
    }

    /// Reads a whole answer that is a text to be parsed.
    pub(super) fn text(&self, response: &mut Response) -> Result<Vec<u8>, UpstreamError> {
        let mut text = Vec::new();
        self.read(response, self.limits.text_bytes, &mut |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(text)
    }
}

pub(super) fn http_error(shown: &str, error: HttpError) -> UpstreamError {
    match error {
        HttpError::Cancelled(cancelled) => cancelled.into(),
        source => UpstreamError::Http {
            source_name: shown.to_owned(),
            source,
        },
    }
}

/// An answer of success; any other is the source's failure.
pub(super) fn success(shown: &str, response: Response) -> Result<Response, UpstreamError> {
    response.success().map_err(|error| http_error(shown, error))
}
