//! Sends requests: through proxies, again where that may help, and on where a server says so.

use std::io::Read;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, header};
use ureq::unversioned::resolver::DefaultResolver;
use url::Url;

use super::failure::{described, passes};
use super::{HttpError, HttpOptions, Request};
use super::{basic, body, connect, proxy, same_origin, tls, userinfo, without_userinfo};
use crate::event::{CancelToken, Cancelled};
use crate::manifest::redact;
use crate::secret::Secret;

/// Who this client says it is.
const USER_AGENT: &str = concat!("cookpack/", env!("CARGO_PKG_VERSION"));

/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Sends requests, and keeps connections for the next ones. A clone shares them.
#[derive(Clone)]
pub(crate) struct Client(Arc<Parts>);

struct Parts {
    direct: Agent,
    https_proxy: Option<Proxied>,
    http_proxy: Option<Proxied>,
    no_proxy: String,
    retry_waits: Vec<Duration>,
    cancel: CancelToken,
}

struct Proxied {
    agent: Agent,
    /// The proxy's address without credentials.
    shown: String,
}

/// An answer. Its status may be one of failure.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Where the answer comes from, after redirects.
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// The content, decoded. It has no limit; a read fails when nothing comes for too long.
    pub(crate) body: Box<dyn Read + Send>,
}

impl Response {
    /// The value of a header; none if it is no text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The answer, if its status is one of success.
    pub(crate) fn success(self) -> Result<Self, HttpError> {
        match self.status {
            200..300 => Ok(self),
            status => Err(HttpError::Status {
                url: redact(self.url.as_str()),
                status,
            }),
        }
    }
}

impl Client {
    /// A client that stops when it is told to.
    ///
    /// # Errors
    /// If a file of certificates cannot be used, or what is to be a proxy's address is none.
    pub(crate) fn new(options: &HttpOptions, cancel: &CancelToken) -> Result<Self, HttpError> {
        let tls = tls::settings(options)?;
        let agent = |proxy| {
            let config = Agent::config_builder()
                .tls_config(tls.clone())
                // Never what the environment says: this is a library.
                .proxy(proxy)
                .http_status_as_error(false)
                // Redirects are followed here, where credentials are told apart.
                .max_redirects(0)
                .max_redirects_will_error(false)
                .user_agent(USER_AGENT)
                .timeout_resolve(Some(options.connect_timeout))
                .timeout_connect(Some(options.connect_timeout))
                .timeout_recv_response(Some(options.head_timeout))
                .timeout_per_read(Some(options.idle_timeout))
                .timeout_per_write(Some(options.idle_timeout))
                .build();
            let names = connect::Names(DefaultResolver::default());
            Agent::with_parts(config, connect::connector(cancel), names)
        };
        let proxied = |address: &Option<Secret>| -> Result<Option<Proxied>, HttpError> {
            let Some((proxy, shown)) = address.as_ref().map_or(Ok(None), proxy::parse)? else {
                return Ok(None);
            };
            let agent = agent(Some(proxy));
            Ok(Some(Proxied { agent, shown }))
        };
        Ok(Self(Arc::new(Parts {
            https_proxy: proxied(&options.https_proxy)?,
            http_proxy: proxied(&options.http_proxy)?,
            direct: agent(None),
            no_proxy: options.no_proxy.clone().unwrap_or_default(),
            retry_waits: options.retry_waits.clone(),
            cancel: cancel.clone(),
        })))
    }

    /// Sends a request, follows its redirects, and gives the answer to the last.
    ///
    /// Credentials, which are the URL's user and password among others, stay with the origin of the
    /// request's URL.
    pub(crate) fn send(&self, mut request: Request) -> Result<Response, HttpError> {
        if request.authorization.is_none()
            && let Some((user, password)) = userinfo(&request.url)
        {
            let password = password.unwrap_or_else(|| Secret::new(""));
            request.authorization = Some(basic(&user, &password));
        }
        request.url = without_userinfo(&request.url);
        let first = request.url.clone();
        let mut followed = 0;
        loop {
            let response = self.persist(&request)?;
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            if followed == request.redirects {
                return Err(HttpError::TooManyRedirects {
                    url: redact(first.as_str()),
                    limit: request.redirects,
                });
            }
            followed += 1;
            let to = target(&request, &response)?;
            // A redirect must not carry credentials to a host that they are not for; nor do they
            // come back when it leads back here.
            if !same_origin(&request.url, &to) {
                request.authorization = None;
                request.secret_headers.clear();
            }
            request.url = to;
        }
    }

    /// Sends a request, and again where the failure may pass.
    fn persist(&self, request: &Request) -> Result<Response, HttpError> {
        let none = [].as_slice();
        let mut waits = match request.repeatable {
            true => self.0.retry_waits.iter(),
            false => none.iter(),
        };
        loop {
            self.0.cancel.check()?;
            let (wait, outcome) = match self.exchange(request) {
                Ok(response) => match response.status {
                    429 | 500 | 502 | 503 | 504 => (retry_after(&response), Ok(response)),
                    _ => return Ok(response),
                },
                Err(Failure { error, passes }) => match passes {
                    true => (None, Err(error)),
                    false => return Err(error),
                },
            };
            let Some(next) = waits.next() else {
                return outcome;
            };
            let wait = wait.unwrap_or(*next);
            if wait > LONGEST_WAIT {
                return outcome;
            }
            drop(outcome);
            self.sleep(wait)?;
        }
    }

    /// Waits, unless it is told to stop.
    pub(crate) fn sleep(&self, mut wait: Duration) -> Result<(), Cancelled> {
        const SLICE: Duration = Duration::from_millis(50);
        while !wait.is_zero() {
            self.0.cancel.check()?;
            let slice = wait.min(SLICE);
            thread::sleep(slice);
            wait -= slice;
        }
        self.0.cancel.check()
    }

    /// The proxy through which a URL is reached.
    fn proxy(&self, url: &Url) -> Option<&Proxied> {
        let proxy = match url.scheme() {
            "https" => self.0.https_proxy.as_ref(),
            _ => self.0.http_proxy.as_ref(),
        };
        proxy.filter(|_| !proxy::is_direct(&self.0.no_proxy, url))
    }

    /// One request and its answer.
    fn exchange(&self, request: &Request) -> Result<Response, Failure> {
        let shown = redact(request.url.as_str());
        let proxy = self.proxy(&request.url);
        let agent = proxy.map_or(&self.0.direct, |proxy| &proxy.agent);
        let failed = |error| {
            let passes = passes(&error);
            let error = described(error, &shown, proxy.map(|proxy| proxy.shown.as_str()));
            Failure { error, passes }
        };
        let head = head(request, &shown)?;
        let answer = match &request.body {
            None => agent.run(head.body(()).map_err(|e| failed(e.into()))?),
            Some(body) => agent.run(head.body(&body[..]).map_err(|e| failed(e.into()))?),
        };
        let (parts, body) = answer.map_err(failed)?.into_parts();
        let encoding = parts.headers.get(header::CONTENT_ENCODING);
        let encoding = encoding.map(|value| value.to_str().unwrap_or("?"));
        Ok(Response {
            status: parts.status.as_u16(),
            url: request.url.clone(),
            body: body::reader(body, encoding, &shown)?,
            headers: parts.headers,
        })
    }
}

/// An error, and whether another try may go better.
struct Failure {
    error: HttpError,
    passes: bool,
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self {
            error,
            passes: false,
        }
    }
}

/// A request's first line and headers.
fn head(request: &Request, shown: &str) -> Result<ureq::http::request::Builder, HttpError> {
    let wrong = |reason: String| HttpError::Request {
        url: shown.to_owned(),
        reason,
    };
    if !matches!(request.url.scheme(), "http" | "https") {
        return Err(wrong("it is neither http nor https".to_owned()));
    }
    let method = match request.body {
        None => "GET",
        Some(_) => "POST",
    };
    let mut url = request.url.clone();
    url.set_fragment(None);
    let mut head = ureq::http::Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(header::ACCEPT_ENCODING, "gzip");
    for (name, value) in &request.headers {
        head = head.header(*name, value);
    }
    let authorization = request.authorization.as_ref();
    let secret = authorization.map(|value| ("Authorization", value));
    let others = request.secret_headers.iter();
    // A header that says twice who asks is refused by servers; the request's own word counts.
    let others = others
        .filter(|(name, _)| authorization.is_none() || !name.eq_ignore_ascii_case("authorization"))
        .map(|(name, value)| (name.as_str(), value));
    for (name, value) in secret.into_iter().chain(others) {
        // Attack: a line break in a value would begin another header, or another request.
        let known = HeaderName::try_from(name).ok();
        let value = HeaderValue::from_str(value.expose()).ok();
        let Some((name, mut value)) = known.zip(value) else {
            let name = name.escape_debug();
            return Err(wrong(format!(
                "`{name}` is not a header, or has no value of one"
            )));
        };
        value.set_sensitive(true);
        head = head.header(name, value);
    }
    Ok(head)
}

/// Where a redirect leads.
fn target(request: &Request, response: &Response) -> Result<Url, HttpError> {
    let url = redact(request.url.as_str());
    let refused = |reason: String| HttpError::Redirect {
        url: url.clone(),
        reason,
    };
    let Some(location) = response.header("location") else {
        return Err(refused("it does not say where it leads".to_owned()));
    };
    let to = request.url.join(location);
    let to = to.map_err(|_| refused("it leads to what is no address".to_owned()))?;
    match (request.url.scheme(), to.scheme()) {
        ("https", "http") => {
            let to = redact(to.as_str());
            return Err(HttpError::InsecureRedirect { url, to });
        }
        (_, "http" | "https") => {}
        (_, scheme) => return Err(refused(format!("it leads to a `{scheme}:` address"))),
    }
    if request.body.is_some() && response.status < 307 && !request.posted_anew {
        let to = redact(to.as_str());
        return Err(refused(format!(
            "it leads to `{to}`, and would lose what is sent (status {})",
            response.status
        )));
    }
    Ok(without_userinfo(&to))
}

/// The wait that a server asks for, in seconds; what is a date is not read, for want of a clock.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
