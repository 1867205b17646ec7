//! Where ssh is to go, read as git reads it (git, `connect.c`, `parse_connect_url`).

use crate::manifest::GitUrl;

/// What is read as a command by a shell that is given it unquoted: a `ProxyCommand` or `Match exec` of
/// an ssh configuration gets the user and the host so (CVE-2023-51385).
const SHELL_CHARACTERS: &str = "'`\"$;&<>|(){}";

/// Why an address of ssh is not taken.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSshAddress {
    /// A part would be read as an option by `ssh` or by the program it runs (CVE-2017-1000117).
    #[error("its {part} begins with a dash")]
    Dash {
        /// `user`, `host` or `path`.
        part: &'static str,
    },
    /// A part has a character that a terminal obeys, or that ends a line or a text.
    #[error("its {part} has a control character")]
    Control {
        /// `user`, `host` or `path`.
        part: &'static str,
    },
    /// The user or the host has a character that a shell obeys.
    #[error("its {part} has `{}`, which no {part} has", found.escape_debug())]
    Character {
        /// `user` or `host`.
        part: &'static str,
        /// The character.
        found: char,
    },
    /// There is a password in it.
    #[error("it has a password, which ssh does not take")]
    Password,
    /// There is no user before its `@`, no host, or no path in it.
    #[error("it has no {part}")]
    Missing {
        /// `user`, `host` or `path`.
        part: &'static str,
    },
    /// The port is no number from 1 to 65535.
    #[error("its port is no number from 1 to 65535")]
    Port,
    /// A `%` is not followed by two hex digits, or they do not give UTF-8.
    #[error("it has a `%` that stands for no character")]
    Percent,
}

/// The program of a host that knows of large files.
pub(super) const LFS_AUTHENTICATE: &str = "git-lfs-authenticate";

/// An address of ssh whose parts can be passed to a program: none can be taken for an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::git) struct SshAddress {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
}

impl SshAddress {
    /// Reads `ssh://[user@]host[:port]/path`, `[user@]host:path` or `[[user@]host:port]:path`.
    pub(in crate::git) fn of(url: &GitUrl) -> Result<Self, InvalidSshAddress> {
        match url.with_credentials().split_once("://") {
            Some((_, rest)) => Self::of_url(rest),
            None => Self::of_scp_like(url.with_credentials()),
        }
    }

    fn of_url(rest: &str) -> Result<Self, InvalidSshAddress> {
        // git decodes before it looks for the parts, so that `%2F` ends a host. Here it does not:
        // each part is decoded by itself, and then checked as what it has become.
        let slash = rest.find('/');
        let slash = slash.ok_or(InvalidSshAddress::Missing { part: "path" })?;
        let (authority, path) = rest.split_at(slash);
        let (user, host) = user_and_host(authority);
        if user.is_some_and(|user| user.contains(':')) {
            return Err(InvalidSshAddress::Password);
        }
        let (host, port) = match host.strip_prefix('[') {
            Some(bracketed) => {
                let end = bracketed.split_once(']');
                let (host, after) = end.ok_or(InvalidSshAddress::Missing { part: "host" })?;
                let port = match after.strip_prefix(':') {
                    None if !after.is_empty() => return Err(InvalidSshAddress::Port),
                    port => port,
                };
                (host, port)
            }
            None => match host.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (host, None),
            },
        };
        let user = user.map(percent_decoded).transpose()?;
        // `ssh://user%3Apassword@host` would be a user with a colon, which is no user either.
        if user.as_ref().is_some_and(|user| user.contains(':')) {
            return Err(InvalidSshAddress::Password);
        }
        let host = percent_decoded(host)?;
        Self::checked(user, host, port, percent_decoded(path)?)
    }

    fn of_scp_like(address: &str) -> Result<Self, InvalidSshAddress> {
        let missing = |part| InvalidSshAddress::Missing { part };
        // A bracket keeps the colons of an IPv6 address, or a port, apart from the one before the path.
        let bracket = match address.find(['[', ':', '/']) {
            Some(at) if address.as_bytes()[at] == b'[' => Some(at),
            _ => None,
        };
        let Some(bracket) = bracket else {
            let (authority, path) = address.split_once(':').ok_or(missing("path"))?;
            let (user, host) = user_and_host(authority);
            let user = user.map(str::to_owned);
            return Self::checked(user, host.to_owned(), None, path.to_owned());
        };
        let (before, rest) = (&address[..bracket], &address[bracket + 1..]);
        let (inside, path) = rest.split_once("]:").ok_or(missing("path"))?;
        let (inner, host) = user_and_host(inside);
        let user = match before {
            "" => inner,
            before if inner.is_none() => Some(before.strip_suffix('@').ok_or(missing("host"))?),
            _ => return Err(missing("host")),
        };
        let (host, port) = match host.split_once(':') {
            Some((name, port)) if !port.contains(':') => (name, Some(port)),
            _ => (host, None),
        };
        let user = user.map(str::to_owned);
        Self::checked(user, host.to_owned(), port, path.to_owned())
    }

    fn checked(
        user: Option<String>,
        host: String,
        port: Option<&str>,
        path: String,
    ) -> Result<Self, InvalidSshAddress> {
        // `/~user/a` is the folder of a user at the host, which the program there looks up.
        let path = match path.strip_prefix('/') {
            Some(home) if home.starts_with('~') => home.to_owned(),
            _ => path,
        };
        if let Some(user) = &user {
            check("user", user)?;
            check_word("user", user, |c| c == ':')?;
        }
        check("host", &host)?;
        check_word("host", &host, |c| "@/\\?#*![]=,".contains(c))?;
        check("path", &path)?;
        if path == "/" {
            return Err(InvalidSshAddress::Missing { part: "path" });
        }
        let port = match port {
            // `host:/path` in a URL is the usual port (RFC 3986, section 3.2.3).
            None | Some("") => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                let port = digits.parse().ok().filter(|port| *port != 0);
                Some(port.ok_or(InvalidSshAddress::Port)?)
            }
            Some(_) => return Err(InvalidSshAddress::Port),
        };
        Ok(Self {
            user,
            host,
            port,
            path,
        })
    }

    /// The host as `known_hosts` names it: with its port where that is not the usual one.
    pub(super) fn known_host(&self) -> String {
        match self.port {
            None | Some(22) => self.host.clone(),
            Some(port) => format!("[{}]:{port}", self.host),
        }
    }

    /// The port, where it is not left to ssh and its configuration.
    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    /// `[user@]host`, as ssh takes it.
    pub(super) fn destination(&self) -> String {
        match &self.user {
            Some(user) => format!("{user}@{}", self.host),
            None => self.host.clone(),
        }
    }

    /// The command that the host runs: its shell takes it apart.
    pub(super) fn command(&self) -> String {
        format!("git-upload-pack {}", quoted(&self.path))
    }

    /// The command by which the host says where git LFS keeps the repository's large files (git-lfs,
    /// `docs/api/server-discovery.md`).
    pub(super) fn lfs_command(&self) -> String {
        format!("{LFS_AUTHENTICATE} {} download", quoted(&self.path))
    }

    /// The host by itself.
    pub(in crate::git) fn host(&self) -> &str {
        &self.host
    }

    /// The path, as the host's programs take it.
    pub(in crate::git) fn path(&self) -> &str {
        &self.path
    }
}

/// `user@host`: what ssh takes for the host stands behind the last `@`.
fn user_and_host(authority: &str) -> (Option<&str>, &str) {
    match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    }
}

fn check(part: &'static str, text: &str) -> Result<(), InvalidSshAddress> {
    if text.is_empty() {
        return Err(InvalidSshAddress::Missing { part });
    }
    if text.starts_with('-') {
        return Err(InvalidSshAddress::Dash { part });
    }
    if text.contains(char::is_control) {
        return Err(InvalidSshAddress::Control { part });
    }
    Ok(())
}

/// Besides what a shell obeys, a backslash may not be the last character: it would take the meaning
/// from whatever follows. A user of Windows has one in the middle.
fn check_word(
    part: &'static str,
    text: &str,
    also: impl Fn(char) -> bool,
) -> Result<(), InvalidSshAddress> {
    let bad = |c: char| c.is_whitespace() || SHELL_CHARACTERS.contains(c) || also(c);
    match text.chars().find(|c| bad(*c)) {
        Some(found) => Err(InvalidSshAddress::Character { part, found }),
        None if text.ends_with('\\') => Err(InvalidSshAddress::Character { part, found: '\\' }),
        None => Ok(()),
    }
}

fn percent_decoded(text: &str) -> Result<String, InvalidSshAddress> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit(), digit());
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(InvalidSshAddress::Percent);
                };
                u8::try_from(high * 16 + low).map_err(|_| InvalidSshAddress::Percent)?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| InvalidSshAddress::Percent)
}

/// A text as one word of a shell. `!` stands outside of the quotes too, for shells that expand it
/// within them (git, `quote.c`, `sq_quote_buf`).
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '!' => {
                quoted.push_str("'\\");
                quoted.push(c);
                quoted.push('\'');
            }
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<(String, Option<u16>, String), InvalidSshAddress> {
        let address = SshAddress::of(&url.parse().expect(url))?;
        Ok((address.destination(), address.port(), address.path))
    }

    fn parts(url: &str) -> (String, Option<u16>, String) {
        of(url).expect(url)
    }

    fn want(destination: &str, port: Option<u16>, path: &str) -> (String, Option<u16>, String) {
        (destination.to_owned(), port, path.to_owned())
    }

    #[test]
    fn urls_are_read_as_git_reads_them() {
        for (url, destination, port, path) in [
            ("ssh://h/a/b.git", "h", None, "/a/b.git"),
            ("ssh://git@h:2222/a", "git@h", Some(2222), "/a"),
            ("git+ssh://git@h/a", "git@h", None, "/a"),
            ("ssh://h:/a", "h", None, "/a"),
            ("ssh://h/~me/a", "h", None, "~me/a"),
            ("ssh://h/~/a", "h", None, "~/a"),
            ("ssh://h/%7Eme/a%20b", "h", None, "~me/a b"),
            ("ssh://me%40corp@h/a", "me@corp@h", None, "/a"),
            ("ssh://[::1]/a", "::1", None, "/a"),
            ("ssh://git@[fe80::1]:22/a", "git@fe80::1", Some(22), "/a"),
        ] {
            assert_eq!(parts(url), want(destination, port, path), "{url}");
        }
    }

    #[test]
    fn addresses_as_scp_writes_them_are_read_as_git_reads_them() {
        for (url, destination, port, path) in [
            (
                "git@example.com:a/b.git",
                "git@example.com",
                None,
                "a/b.git",
            ),
            ("host:/srv/a", "host", None, "/srv/a"),
            ("host:~me/a", "host", None, "~me/a"),
            ("host:/~me/a", "host", None, "~me/a"),
            ("host:a%20b", "host", None, "a%20b"),
            ("CORP\\me@host:a", "CORP\\me@host", None, "a"),
            ("[host:2222]:a", "host", Some(2222), "a"),
            ("[git@host:2222]:a", "git@host", Some(2222), "a"),
            ("git@[host:2222]:a", "git@host", Some(2222), "a"),
            ("[::1]:a", "::1", None, "a"),
            ("git@[::1]:/srv/a", "git@::1", None, "/srv/a"),
        ] {
            assert_eq!(parts(url), want(destination, port, path), "{url}");
        }
    }

    #[test]
    fn a_part_that_begins_with_a_dash_is_no_option() {
        for (url, part) in [
            ("ssh://-oProxyCommand=id/a", "host"),
            ("ssh://%2DoProxyCommand=id/a", "host"),
            ("ssh://[-oProxyCommand=id]/a", "host"),
            ("ssh://me@-h/a", "host"),
            ("ssh://-oProxyCommand=id@h/a", "user"),
            ("ssh://%2doProxyCommand=id@h/a", "user"),
            ("[-oProxyCommand=id]:a", "host"),
            ("[-oX:22]:a", "host"),
            ("me@-h:a", "host"),
            ("h:-a", "path"),
            ("h:--upload-pack=id", "path"),
        ] {
            assert_eq!(of(url), Err(InvalidSshAddress::Dash { part }), "{url}");
        }
        assert!("-oProxyCommand=id:a".parse::<GitUrl>().is_err());
    }

    #[test]
    fn control_characters_are_refused_also_when_they_are_encoded() {
        for (url, part) in [
            ("ssh://h/a%0Ab", "path"),
            ("ssh://h/a%00b", "path"),
            ("ssh://h/a%1b[2J", "path"),
            ("ssh://h%0a/a", "host"),
            ("ssh://u%0d@h/a", "user"),
        ] {
            assert_eq!(of(url), Err(InvalidSshAddress::Control { part }), "{url}");
        }
    }

    #[test]
    fn what_a_shell_obeys_is_in_no_user_and_no_host() {
        for (url, part, found) in [
            ("ssh://`id`/a", "host", '`'),
            ("ssh://$(id)/a", "host", '$'),
            ("ssh://h%3Bid/a", "host", ';'),
            ("ssh://a%20b/a", "host", ' '),
            ("ssh://h%2Fx/a", "host", '/'),
            ("ssh://u|id@h/a", "user", '|'),
            ("a&b@h:a", "user", '&'),
            ("u\\@h:a", "user", '\\'),
        ] {
            let want = InvalidSshAddress::Character { part, found };
            assert_eq!(of(url), Err(want), "{url}");
        }
    }

    #[test]
    fn passwords_ports_and_gaps_are_refused() {
        for (url, want) in [
            ("ssh://me:s3cret@h/a", InvalidSshAddress::Password),
            ("ssh://me%3As3cret@h/a", InvalidSshAddress::Password),
            ("ssh://h:0/a", InvalidSshAddress::Port),
            ("ssh://h:65536/a", InvalidSshAddress::Port),
            ("ssh://h:+22/a", InvalidSshAddress::Port),
            ("ssh://[::1]22/a", InvalidSshAddress::Port),
            ("ssh://h", InvalidSshAddress::Missing { part: "path" }),
            ("ssh://h/", InvalidSshAddress::Missing { part: "path" }),
            ("ssh:///a", InvalidSshAddress::Missing { part: "host" }),
            ("ssh://@h/a", InvalidSshAddress::Missing { part: "user" }),
            ("host:", InvalidSshAddress::Missing { part: "path" }),
            ("ssh://h/%4", InvalidSshAddress::Percent),
            ("ssh://h/%+1", InvalidSshAddress::Percent),
            ("ssh://h/%ff", InvalidSshAddress::Percent),
        ] {
            assert_eq!(of(url), Err(want), "{url}");
        }
        let error = of("ssh://me:s3cret@h/a").unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn a_path_is_one_word_to_the_shell_of_the_host() {
        let command = |url: &str| SshAddress::of(&url.parse().unwrap()).unwrap().command();
        assert_eq!(command("h:a'b!c"), "git-upload-pack 'a'\\''b'\\!'c'");
        assert_eq!(command("h:a; id"), "git-upload-pack 'a; id'");
        assert_eq!(command("h:$(id)`id`\\"), "git-upload-pack '$(id)`id`\\'");
    }
}
