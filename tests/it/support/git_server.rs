//! `git http-backend` behind a web server that does as a test tells it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::http_server::{HttpRequest, HttpResponse, HttpServer};
use super::lfs_server::{self, LfsServer};
use super::packets::{self, Packet};
use super::sandbox::path_variable;
use super::{Repo, Sandbox};

/// How a server behaves. All that is left alone is as it should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// Whom it lets in.
    pub(crate) credentials: Option<Credentials>,
    /// Paths that begin with the first are sent to the second, with this status.
    pub(crate) redirect: Option<(String, String, u16)>,
    /// How many of the next packs break off in their middle.
    pub(crate) cut_packs: u32,
    /// How many of the next downloads of large files break off in their middle.
    pub(crate) cut_downloads: u32,
    /// What the next requests are answered with: a status, and seconds of `Retry-After`.
    pub(crate) failures: Vec<(u16, Option<u32>)>,
    /// Whether everything is answered by a page for people.
    pub(crate) login_page: bool,
    /// Whether the request for another protocol than version 0 is not heard.
    pub(crate) only_v0: bool,
    pub(crate) shallow: Shallow,
    /// How long the server thinks before it sends a pack.
    pub(crate) thinks: Duration,
    /// How long a pack takes.
    pub(crate) lasts: Duration,
    pub(crate) lfs: LfsServer,
}

/// Whether a server gives commits without their history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shallow {
    #[default]
    Given,
    /// It says that it does not.
    NotOffered,
    /// It says that it does, and does not.
    Refused,
}

/// A user and a password.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// Anyone if it is none.
    pub(crate) user: Option<String>,
    pub(crate) password: String,
}

impl Credentials {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self {
            user: Some(user.to_owned()),
            password: password.to_owned(),
        }
    }

    /// Whoever knows the password is let in.
    pub(crate) fn password(password: &str) -> Self {
        Self {
            user: None,
            password: password.to_owned(),
        }
    }

    fn admit(&self, request: &HttpRequest) -> bool {
        let given = request.header("authorization").and_then(basic);
        given.is_some_and(|(user, password)| {
            password == self.password && self.user.as_ref().is_none_or(|known| *known == user)
        })
    }
}

/// The user and the password of an `Authorization` header.
pub(crate) fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(from_base64(value.trim())?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for c in text.trim_end_matches('=').bytes() {
        let value = BASE64.iter().position(|known| *known == c)?;
        bits = (bits << 6 | value as u32) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

/// What `from_base64` reads, padded.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for i in 0..3 {
            bits = bits << 8 | u32::from(group.get(i).copied().unwrap_or(0));
        }
        for i in 0..4 {
            let value = (bits >> (18 - 6 * i)) as usize & 63;
            text.push(match i <= group.len() {
                true => BASE64[value] as char,
                false => '=',
            });
        }
    }
    text
}

/// Repositories over http, in a folder beside the project.
pub(crate) struct GitServer {
    root: PathBuf,
    scheme: &'static str,
    host: &'static str,
    http: HttpServer,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    behaviour: Mutex<Behaviour>,
    requests: Mutex<Vec<HttpRequest>>,
    /// Packs that are thought of now, and the most there were at once.
    thoughts: Mutex<(usize, usize)>,
}

impl Shared {
    fn think(&self, time: Duration) {
        let change = |by: isize| {
            let mut thoughts = self.thoughts.lock().unwrap_or_else(PoisonError::into_inner);
            thoughts.0 = thoughts.0.saturating_add_signed(by);
            thoughts.1 = thoughts.1.max(thoughts.0);
        };
        change(1);
        std::thread::sleep(time);
        change(-1);
    }

    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn requests(&self) -> MutexGuard<'_, Vec<HttpRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GitServer {
    /// Serves the repositories in the folder `srv` beside the project.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        Self::serving(sandbox.root().join("srv"), None)
    }

    /// The same over TLS, as `localhost`.
    pub(crate) fn start_tls(sandbox: &Sandbox, tls: Arc<rustls::ServerConfig>) -> Self {
        Self::serving(sandbox.root().join("srv"), Some(tls))
    }

    fn serving(root: PathBuf, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let shared = Arc::new(Shared::default());
        let (scheme, host) = match tls.is_some() {
            true => ("https", "localhost"),
            false => ("http", "127.0.0.1"),
        };
        let (in_server, folder) = (Arc::clone(&shared), root.clone());
        let http = HttpServer::start(
            tls,
            Arc::new(move |request: &HttpRequest| answer(&in_server, &folder, request)),
        );
        Self {
            root,
            scheme,
            host,
            http,
            shared,
        }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.http.port())
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}/{path}", self.scheme, self.authority())
    }

    /// The address of a path with something before the host.
    pub(crate) fn url_as(&self, userinfo: &str, path: &str) -> String {
        format!("{}://{userinfo}@{}/{path}", self.scheme, self.authority())
    }

    /// Makes a repository that is served under this path.
    pub(crate) fn repo(&self, path: &str) -> Repo {
        Repo::init(&self.root.join(path))
    }

    /// Makes a repository `NAME.git` with one commit of a cookbook of version 1.0.0 at its root.
    pub(crate) fn cookbook(&self, name: &str) -> Repo {
        let repo = self.repo(&format!("{name}.git"));
        repo.cookbook(".", name, "1.0.0").commit("one");
        repo
    }

    /// Changes how the server behaves from now on.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) -> &Self {
        change(&mut self.shared.behaviour());
        self
    }

    /// What was asked since the last time this was called.
    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut *self.shared.requests())
    }

    /// How many packs were asked for at once, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        let thoughts = self.shared.thoughts.lock();
        thoughts.unwrap_or_else(PoisonError::into_inner).1
    }

    /// Closes the port.
    pub(crate) fn stop(&mut self) {
        self.http.stop();
    }
}

/// What a request to a repository is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Greeting,
    Refs,
    Objects,
    Other,
}

/// What a request is for, told by its address and the protocol's lines.
pub(crate) fn purpose(request: &HttpRequest) -> Purpose {
    match request.path.rsplit('/').next() {
        Some("refs") => Purpose::Greeting,
        Some("git-upload-pack") => {
            let lines = packets::lines(&request.content());
            match lines.first().map(|line| line.trim_end()) {
                Some("command=ls-refs") => Purpose::Refs,
                _ => Purpose::Objects,
            }
        }
        _ => Purpose::Other,
    }
}

/// How many of the requests are for this.
pub(crate) fn count(requests: &[HttpRequest], wanted: Purpose) -> usize {
    requests.iter().filter(|r| purpose(r) == wanted).count()
}

fn answer(shared: &Shared, root: &Path, request: &HttpRequest) -> HttpResponse {
    shared.requests().push(request.clone());
    if request.method == "CONNECT" {
        return HttpResponse::new(200, "");
    }
    let behaviour = {
        let mut behaviour = shared.behaviour();
        if !behaviour.failures.is_empty() {
            let (status, after) = behaviour.failures.remove(0);
            let response = HttpResponse::new(status, "not now\n");
            return match after {
                Some(seconds) => response.with("Retry-After", seconds.to_string()),
                None => response,
            };
        }
        behaviour.clone()
    };
    if let Some((from, to, status)) = &behaviour.redirect
        && let Some(rest) = request.path.strip_prefix(&**from)
    {
        let mark = if request.query.is_empty() { "" } else { "?" };
        let to = format!("{to}{rest}{mark}{}", request.query);
        return HttpResponse::new(*status, "").with("Location", to);
    }
    if behaviour.login_page {
        return HttpResponse::new(200, "<html><body>Please sign in</body></html>\n")
            .with("Content-Type", "text/html; charset=utf-8");
    }
    if !behaviour.lfs.guarded
        && let Some(response) = download(shared, &behaviour, request)
    {
        return response;
    }
    if let Some(credentials) = &behaviour.credentials
        && !credentials.admit(request)
    {
        return HttpResponse::new(401, "who are you?\n")
            .with("WWW-Authenticate", "Basic realm=\"repositories\"");
    }
    if let Some(response) = download(shared, &behaviour, request) {
        return response;
    }
    if let Some(response) = lfs_server::batch(&behaviour.lfs, request) {
        return response;
    }
    let is_pack = purpose(request) == Purpose::Objects;
    if is_pack && behaviour.shallow != Shallow::Given && asks_for_shallow(request) {
        let mut body = Vec::new();
        packets::write(&mut body, b"ERR upload-pack: unexpected line: 'deepen 1'");
        return HttpResponse::new(200, body)
            .with("Content-Type", "application/x-git-upload-pack-result");
    }
    if is_pack {
        shared.think(behaviour.thinks);
    }
    let mut response = backend(root, request, behaviour.only_v0);
    if purpose(request) == Purpose::Greeting && behaviour.shallow == Shallow::NotOffered {
        response.body = packets::without_shallow(&response.body);
    }
    if is_pack && response.status == 200 && packets::has_pack(&response.body) {
        response.lasts = behaviour.lasts;
        let mut behaviour = shared.behaviour();
        if behaviour.cut_packs > 0 {
            behaviour.cut_packs -= 1;
            response.cut = Some(response.body.len() / 2);
        }
    }
    response
}

fn download(shared: &Shared, behaviour: &Behaviour, request: &HttpRequest) -> Option<HttpResponse> {
    let mut response = lfs_server::download(&behaviour.lfs, request)?;
    let mut behaviour = shared.behaviour();
    if response.status == 200 && behaviour.cut_downloads > 0 {
        behaviour.cut_downloads -= 1;
        response.cut = Some(response.body.len() / 2);
    }
    Some(response)
}

fn asks_for_shallow(request: &HttpRequest) -> bool {
    let lines = packets::lines(&request.content());
    lines.iter().any(|line| line.starts_with("deepen"))
}

/// Runs `git http-backend` as RFC 3875 says.
fn backend(root: &Path, request: &HttpRequest, only_v0: bool) -> HttpResponse {
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", path_variable())
        .env("HOME", root)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("SERVER_PROTOCOL", "HTTP/1.1")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", percent_decoded(&request.path))
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for (name, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
    ] {
        if let Some(value) = request.header(name) {
            command.env(variable, value);
        }
    }
    if let Some(value) = request.header("git-protocol").filter(|_| !only_v0) {
        command.env("HTTP_GIT_PROTOCOL", value);
        command.env("GIT_PROTOCOL", value);
    }
    let user = request.header("authorization").and_then(basic);
    if let Some((user, _)) = user {
        command.env("REMOTE_USER", user);
    }
    let mut child = command.spawn().expect("git http-backend");
    let mut stdin = child.stdin.take().expect("stdin");
    let body = request.body.clone();
    // Both ways at once: the backend may answer before it has read everything.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&body);
    });
    let output = child.wait_with_output().expect("git http-backend");
    writer.join().expect("the writer");
    let mut response = from_cgi(&output.stdout);
    response.chunked = request.method == "POST";
    response
}

fn from_cgi(output: &[u8]) -> HttpResponse {
    let end = output.windows(4).position(|w| w == b"\r\n\r\n");
    let Some(end) = end else {
        return HttpResponse::new(500, "the backend said nothing\n");
    };
    let mut response = HttpResponse::new(200, &output[end + 4..]);
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(':').expect("a header");
        match name.eq_ignore_ascii_case("status") {
            true => {
                let status = value.trim().split(' ').next().expect("a status");
                response.status = status.parse().expect("a status");
            }
            false => response = response.with(name, value.trim()),
        }
    }
    response
}

fn percent_decoded(path: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt as _;
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, more @ ..] = rest {
        let digits = more.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        let decoded = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
        match decoded.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    std::ffi::OsString::from_vec(bytes)
}

/// The lines that a request of the protocol has.
pub(crate) fn lines(request: &HttpRequest) -> Vec<String> {
    packets::read(&request.content())
        .into_iter()
        .filter_map(|packet| match packet {
            Packet::Data(data) => Some(String::from_utf8_lossy(&data).trim_end().to_owned()),
            Packet::Mark(_) => None,
        })
        .collect()
}
