//! Who asks: the credentials of hosts, each for its own host alone.
//!
//! ```toml
//! [hosts."supermarket.example.com"]
//! token = "…"                      # Authorization: Bearer …
//! [hosts."supermarket.example.com:8443"]
//! user = "me"                      # Authorization: Basic …
//! password = "…"
//! [hosts."artifactory.example.com"]
//! header = "X-Jfrog-Art-Api"       # a header of its own
//! key = "…"
//! [hosts."chef.example.com"]
//! client_name = "me"               # signs what it sends to a Chef Server
//! client_key = "/home/me/me.pem"
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads the files of credentials"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::{UpstreamAccess, UpstreamError};
use crate::http::{Request, basic};
use crate::netrc;
use crate::secret::Secret;

/// Longer files are not read.
const FILE_BYTES: u64 = 1 << 20;

/// The credentials of all hosts that have some.
pub(super) struct Credentials {
    hosts: BTreeMap<String, Entry>,
    netrc: Option<PathBuf>,
}

/// What one host has.
#[derive(Clone, Default)]
struct Entry {
    login: Option<Login>,
    client: Option<Client>,
}

/// What a request carries.
#[derive(Clone)]
pub(super) enum Login {
    Bearer(Secret),
    Basic(String, Secret),
    Header(String, Secret),
}

/// Who signs.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) name: String,
    /// A file (PEM).
    pub(super) key: PathBuf,
}

impl Login {
    /// A request that carries it.
    pub(super) fn apply(&self, mut request: Request) -> Request {
        match self {
            Self::Bearer(token) => {
                let value = format!("Bearer {}", token.expose());
                request.authorization = Some(Secret::new(value));
            }
            Self::Basic(user, password) => request.authorization = Some(basic(user, password)),
            Self::Header(name, value) => {
                request.secret_headers.push((name.clone(), value.clone()));
            }
        }
        request
    }
}

impl Credentials {
    /// Reads the file. Of two sources for one host the environment's wins.
    pub(super) fn load(access: &UpstreamAccess) -> Result<Self, UpstreamError> {
        let mut hosts = match &access.credentials_file {
            Some(path) => read_file(path)?,
            None => BTreeMap::new(),
        };
        for (host, token) in &access.tokens {
            let login = match token.expose().split_once(':') {
                Some((user, password)) => Login::Basic(user.to_owned(), Secret::new(password)),
                None => Login::Bearer(token.clone()),
            };
            hosts.entry(host.clone()).or_default().login = Some(login);
        }
        Ok(Self {
            hosts,
            netrc: access.netrc.clone(),
        })
    }

    fn entry(&self, url: &Url) -> Option<&Entry> {
        if !is_private(url) {
            return None;
        }
        let host = url.host_str()?;
        let with_port = format!("{host}:{}", url.port_or_known_default()?);
        let entry = self.hosts.get(&with_port);
        // What is for a host is for what it serves at the usual port.
        match url.port() {
            Some(_) => entry,
            None => entry.or_else(|| self.hosts.get(host)),
        }
    }

    /// What is sent to a URL before anybody asks for it.
    pub(super) fn login(&self, url: &Url) -> Option<Login> {
        self.entry(url)?.login.clone()
    }

    /// Who signs what is sent to a URL.
    pub(super) fn client(&self, url: &Url) -> Option<Client> {
        self.entry(url)?.client.clone()
    }

    /// What the netrc file has for a URL.
    pub(super) fn netrc_login(&self, url: &Url) -> Option<Login> {
        if !is_private(url) {
            return None;
        }
        let text = fs::read(self.netrc.as_ref()?).ok()?;
        let host = url.host_str()?;
        let (user, password) = netrc::find(&String::from_utf8_lossy(&text), host, None)?;
        Some(Login::Basic(user, password))
    }
}

/// Whether nobody else can read what is sent to a URL.
pub(super) fn is_private(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn read_file(path: &Path) -> Result<BTreeMap<String, Entry>, UpstreamError> {
    let failed = |source| UpstreamError::CredentialsFile {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        opened => opened.map_err(failed)?,
    };
    // Of the file that is open, not of whatever has its name by now.
    check_mode(path, &file.metadata().map_err(failed)?)?;
    let mut text = String::new();
    let read = file.take(FILE_BYTES).read_to_string(&mut text);
    read.map_err(failed)?;
    parse(&text).map_err(|reason| UpstreamError::Credentials {
        path: path.to_owned(),
        reason,
    })
}

#[cfg(unix)]
fn check_mode(path: &Path, found: &fs::Metadata) -> Result<(), UpstreamError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = found.permissions().mode() & 0o7777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(UpstreamError::CredentialsReadable {
            path: path.to_owned(),
            mode,
        }),
    }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _found: &fs::Metadata) -> Result<(), UpstreamError> {
    Ok(())
}

/// Reads the file's text. What is wrong is told by line and key: never by what stands there.
fn parse(text: &str) -> Result<BTreeMap<String, Entry>, String> {
    let document: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = 1 + text[..at.min(text.len())].matches('\n').count();
        format!("it is no TOML at line {line}")
    })?;
    let mut hosts = BTreeMap::new();
    for (key, value) in &document {
        let ("hosts", toml::Value::Table(table)) = (key.as_str(), value) else {
            return Err(format!(
                "`{}` is not known: write `[hosts.\"example.com\"]`",
                key.escape_debug()
            ));
        };
        for (host, value) in table {
            let entry = entry(value)
                .map_err(|reason| format!("the entry of `{}` {reason}", host.escape_debug()))?;
            hosts.insert(host.to_ascii_lowercase(), entry);
        }
    }
    Ok(hosts)
}

fn entry(value: &toml::Value) -> Result<Entry, String> {
    const KEYS: [&str; 7] = [
        "token",
        "user",
        "password",
        "header",
        "key",
        "client_name",
        "client_key",
    ];
    let toml::Value::Table(table) = value else {
        return Err("is no table".to_owned());
    };
    for (key, value) in table {
        if !KEYS.contains(&key.as_str()) {
            return Err(format!("has the unknown key `{}`", key.escape_debug()));
        }
        if !value.is_str() {
            return Err(format!("has no text under `{key}`"));
        }
    }
    let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let pair = |one: &str, other: &str| match (text(one), text(other)) {
        (Some(first), Some(second)) => Ok(Some((first.to_owned(), second.to_owned()))),
        (None, None) => Ok(None),
        _ => Err(format!("needs both `{one}` and `{other}`")),
    };
    let logins = [
        text("token").map(|token| Login::Bearer(Secret::new(token))),
        pair("user", "password")?.map(|(user, word)| Login::Basic(user, word.into())),
        pair("header", "key")?.map(|(name, key)| Login::Header(name, key.into())),
    ];
    let mut logins = logins.into_iter().flatten();
    let login = logins.next();
    if logins.next().is_some() {
        return Err("has more than one of `token`, `password` and `key`".to_owned());
    }
    let client = pair("client_name", "client_key")?.map(|(name, key)| Client {
        name,
        key: PathBuf::from(key),
    });
    Ok(Entry { login, client })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[hosts.\"A.example\"]\ntoken = \"t\"\n\
        [hosts.\"a.example:8443\"]\nuser = \"me\"\npassword = \"p\"\n\
        [hosts.\"b.example\"]\nheader = \"X-Key\"\nkey = \"k\"\n\
        client_name = \"c\"\nclient_key = \"/c.pem\"\n";

    fn credentials(file: &str) -> Credentials {
        Credentials {
            hosts: parse(file).expect("a file"),
            netrc: None,
        }
    }

    fn shown(credentials: &Credentials, url: &str) -> String {
        match credentials.login(&Url::parse(url).expect("a URL")) {
            None => "-".to_owned(),
            Some(Login::Bearer(token)) => format!("bearer {}", token.expose()),
            Some(Login::Basic(user, password)) => format!("basic {user} {}", password.expose()),
            Some(Login::Header(name, value)) => format!("{name} {}", value.expose()),
        }
    }

    #[test]
    fn credentials_are_for_their_own_host_and_port_alone() {
        let credentials = credentials(FILE);
        for (url, wanted) in [
            ("https://a.example/x", "bearer t"),
            ("https://a.example:443/x", "bearer t"),
            ("https://a.example:8443/", "basic me p"),
            ("https://b.example/", "X-Key k"),
            // Attack: whoever listens in between, or answers at another port or by a longer name.
            ("http://a.example/", "-"),
            ("https://a.example:444/", "-"),
            ("https://a.example.evil.example/", "-"),
            ("https://evil.example/a.example", "-"),
        ] {
            assert_eq!(shown(&credentials, url), wanted, "{url}");
        }
        let url = Url::parse("https://b.example/organizations/o").expect("a URL");
        assert_eq!(credentials.client(&url).expect("a client").name, "c");
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = private(&folder.path().join("credentials.toml"), FILE);
        let mut access = UpstreamAccess {
            credentials_file: Some(file),
            ..UpstreamAccess::default()
        };
        let tokens = [("a.example", "env"), ("127.0.0.1:80", "u:p")];
        access.tokens = tokens.map(|(h, t)| (h.to_owned(), Secret::new(t))).into();
        let credentials = Credentials::load(&access).expect("credentials");
        assert_eq!(shown(&credentials, "https://a.example/"), "bearer env");
        assert_eq!(shown(&credentials, "http://127.0.0.1/"), "basic u p");
        assert_eq!(shown(&credentials, "https://b.example/"), "X-Key k");
        access.credentials_file = Some(folder.path().join("absent"));
        assert!(Credentials::load(&access).is_ok());
    }

    fn private(path: &Path, text: &str) -> PathBuf {
        fs::write(path, text).expect("a file");
        mode(path, 0o600);
        path.to_owned()
    }

    #[cfg(unix)]
    fn mode(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    #[cfg(not(unix))]
    fn mode(_path: &Path, _mode: u32) {}

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = private(&folder.path().join("credentials.toml"), FILE);
        for bits in [0o640, 0o604, 0o610, 0o602, 0o777] {
            mode(&file, bits);
            let error = read_file(&file).err().expect("refused");
            assert!(
                matches!(error, UpstreamError::CredentialsReadable { mode, .. } if mode == bits),
                "{bits:o}"
            );
        }
        mode(&file, 0o400);
        assert!(read_file(&file).is_ok());
    }

    #[test]
    fn leak_what_is_wrong_with_the_file_shows_nothing_of_it() {
        for (text, wanted) in [
            ("a = [\n\"s3cret\" \"s3cret\"]", "it is no TOML at line 2"),
            ("hosts = \"s3cret\"", "`hosts` is not known"),
            ("[host.a]\ntoken = \"s3cret\"", "`host` is not known"),
            ("[hosts]\na = \"s3cret\"", "`a` is no table"),
            ("[hosts.a]\ntokn = \"s3cret\"", "unknown key `tokn`"),
            ("[hosts.a]\ntoken = [\"s3cret\"]", "no text under `token`"),
            (
                "[hosts.a]\npassword = \"s3cret\"",
                "both `user` and `password`",
            ),
            ("[hosts.a]\nkey = \"s3cret\"", "both `header` and `key`"),
            (
                "[hosts.a]\ntoken = \"s3cret\"\nheader = \"h\"\nkey = \"s3cret\"",
                "more than one of",
            ),
        ] {
            let reason = parse(text).err().expect("wrong");
            assert!(reason.contains(wanted), "{reason}");
            assert!(!reason.contains("s3cret"), "{reason}");
        }
    }
}
