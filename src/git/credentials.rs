//! Who asks, over http(s): the credentials of one address, one source after the other.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module reads the netrc file, and runs the user's credential helpers"
)]

mod helper;

use std::fs;

use url::{Host, Url};

use self::helper::{Answer, Question};
use super::config::{GitConfig, after_reset};
use super::{GitAccess, GitError, host_and_port};
use crate::event::CancelToken;
use crate::http::{basic, userinfo, without_userinfo};
use crate::manifest::redact;
use crate::netrc;
use crate::secret::Secret;

/// The credentials of one address. They are for its scheme, host and port alone: whoever goes on to
/// another begins with new ones.
pub(super) struct Credentials<'a> {
    access: &'a GitAccess,
    config: &'a GitConfig,
    cancel: &'a CancelToken,
    /// The address, with no password in it.
    url: Url,
    /// The user that the address names.
    user: Option<String>,
    /// The sources that are left, the next one last.
    left: Vec<Source>,
    current: Option<Found>,
    tried: Vec<String>,
}

/// Where credentials are looked for.
enum Source {
    /// These stand ready, and are sent before anybody asks.
    Ready(Login, String),
    Netrc,
    Helpers,
    /// The address's user with no password: some hosts take a token for a user.
    UserAlone,
}

/// What is in use.
struct Found {
    login: Login,
    /// In words.
    source: String,
    /// What the credential helpers are to be told about it.
    answer: Option<Answer>,
}

/// A user and a password, or a token in its place.
#[derive(Clone)]
struct Login {
    user: String,
    password: Secret,
}

impl<'a> Credentials<'a> {
    /// The credentials of an address, which may hold some itself.
    pub(super) fn new(
        url: &Url,
        access: &'a GitAccess,
        config: &'a GitConfig,
        cancel: &'a CancelToken,
    ) -> Self {
        let mut left = vec![Source::Helpers, Source::Netrc];
        let (user, password) = userinfo(url).unzip();
        let user = user.filter(|user| !user.is_empty());
        let password = password.flatten();
        if user.is_some() && password.is_none() {
            left.insert(0, Source::UserAlone);
        }
        if let Some(login) = token(url, user.as_deref(), access) {
            let source = format!("the token for `{}`", host_and_port(url));
            left.push(Source::Ready(login, source));
        }
        if let Some(password) = password {
            let user = user.clone().unwrap_or_default();
            let source = "what stands in the address".to_owned();
            left.push(Source::Ready(Login { user, password }, source));
        }
        let mut plain = url.clone();
        let _ = plain.set_password(None);
        let mut credentials = Self {
            access,
            config,
            cancel,
            url: plain,
            user,
            left,
            current: None,
            tried: Vec::new(),
        };
        credentials.current = credentials.ready();
        credentials
    }

    fn ready(&mut self) -> Option<Found> {
        match self.left.pop() {
            Some(Source::Ready(login, source)) => Some(Found {
                login,
                source,
                answer: None,
            }),
            other => {
                self.left.extend(other);
                None
            }
        }
    }

    /// The value of `Authorization` to send.
    pub(super) fn authorization(&self) -> Option<Secret> {
        let login = &self.current.as_ref()?.login;
        Some(basic(&login.user, &login.password))
    }

    /// Whether there is anything to send.
    pub(super) fn are_there(&self) -> bool {
        self.current.is_some()
    }

    /// Something else than these credentials was sent, and not taken.
    pub(super) fn note_refused(&mut self, source: &str) {
        self.tried.push(format!("{source} (refused)"));
    }

    /// What was tried so far, in words.
    pub(super) fn tried(&self) -> Vec<String> {
        self.tried.clone()
    }

    /// The server does not take what was sent, or asks for something: goes on to the next source that
    /// has something. False if there is none.
    pub(super) fn advance(&mut self, challenges: &[String]) -> Result<bool, GitError> {
        if let Some(found) = self.current.take() {
            if let Some(answer) = &found.answer {
                self.tell_helpers(answer, "erase");
            }
            self.tried.push(format!("{} (refused)", found.source));
        }
        while self.current.is_none() {
            self.current = self.ready();
            if self.current.is_some() {
                break;
            }
            match self.left.pop() {
                None => return Ok(false),
                Some(Source::Ready(..)) => {}
                Some(Source::Netrc) => self.look_into_netrc(),
                Some(Source::Helpers) => self.ask_helpers(challenges)?,
                Some(Source::UserAlone) => {
                    let login = Login {
                        user: self.user.clone().unwrap_or_default(),
                        password: Secret::new(""),
                    };
                    self.found("the user in the address, without a password", login, None);
                }
            }
        }
        Ok(true)
    }

    /// The server took what was sent.
    pub(super) fn approve(&mut self) {
        let found = self.current.as_mut();
        if let Some(answer) = found.and_then(|found| found.answer.take()) {
            self.tell_helpers(&answer, "store");
        }
    }

    fn found(&mut self, source: &str, login: Login, answer: Option<Answer>) {
        self.current = Some(Found {
            login,
            source: source.to_owned(),
            answer,
        });
    }

    fn look_into_netrc(&mut self) {
        let Some(path) = &self.access.netrc else {
            return;
        };
        let Ok(text) = fs::read(path) else {
            return;
        };
        let host = self.url.host_str().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        match netrc::find(&text, host, self.user.as_deref()) {
            Some((user, password)) => {
                self.found("the netrc file", Login { user, password }, None);
            }
            None => self.tried.push("the netrc file (has none)".to_owned()),
        }
    }

    /// git's helpers for the address, as commands.
    fn helpers(&self) -> Vec<Secret> {
        after_reset(
            self.config.credential_values(&self.url, "helper"),
            Secret::expose,
        )
    }

    fn ask_helpers(&mut self, challenges: &[String]) -> Result<(), GitError> {
        let helpers = self.helpers();
        if helpers.is_empty() {
            return Ok(());
        }
        let mut question = self.question()?;
        for helper in &helpers {
            let shown = helper::shown(helper);
            let answer = helper::ask(helper, &question, challenges, self.access, self.cancel)?;
            let Some(answer) = answer else {
                self.tried.push(format!("{shown} (has none)"));
                continue;
            };
            if answer.quit {
                self.tried
                    .push(format!("{shown} (wants no other to be asked)"));
                break;
            }
            question.username = answer.username.clone().or(question.username);
            if let (Some(user), Some(password)) = (&question.username, &answer.password) {
                let login = Login {
                    user: user.clone(),
                    password: password.clone(),
                };
                self.found(&shown, login, Some(answer));
                break;
            }
            self.tried.push(format!("{shown} (has none)"));
        }
        Ok(())
    }

    /// What helpers are asked.
    fn question(&self) -> Result<Question, GitError> {
        let config = self.config;
        let named = || {
            let value = config.credential_values(&self.url, "username").pop();
            value.map(|user| user.expose().to_owned())
        };
        let with_path = config.credential_flag(&self.url, "useHttpPath");
        let user = self.user.clone().or_else(named);
        Question::new(&self.url, user, with_path).ok_or_else(|| GitError::Credentials {
            url: redact(without_userinfo(&self.url).as_str()),
            reason: "there is a line break in the address, which would change what is asked"
                .to_owned(),
        })
    }

    /// Whether credentials were good, as far as helpers want to know.
    fn tell_helpers(&self, answer: &Answer, action: &str) {
        let Ok(question) = self.question() else {
            return;
        };
        for helper in self.helpers() {
            helper::tell(&helper, action, &question, answer, self.access, self.cancel);
        }
    }
}

/// The token that is given for an address. It is sent before anybody asks for it, and therefore only
/// to where nobody else can read it.
fn token(url: &Url, user: Option<&str>, access: &GitAccess) -> Option<Login> {
    let is_here = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    if url.scheme() != "https" && !is_here {
        return None;
    }
    let host = url.host_str()?;
    let with_port = format!("{host}:{}", url.port_or_known_default()?);
    let tokens = &access.tokens;
    let own = match url.port() {
        // A token for a host is for what it serves at the usual port.
        Some(_) => tokens.get(&with_port),
        None => tokens.get(&with_port).or_else(|| tokens.get(host)),
    }?;
    let (named, token) = match own.expose().split_once(':') {
        Some((user, token)) => (Some(user), token),
        None => (None, own.expose()),
    };
    let usual = match host {
        "bitbucket.org" => "x-token-auth",
        _ => "x-access-token",
    };
    Some(Login {
        user: named.or(user).unwrap_or(usual).to_owned(),
        password: Secret::new(token),
    })
}

/// The name of the variable in which the binary looks for a host's token: a dot becomes `_`, and a
/// dash `__`, so that no two hosts share one. None for a host that no such name can tell.
pub(crate) fn token_variable(host: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
    if host.is_empty() || !host.chars().all(is_plain) {
        return None;
    }
    let name = host.replace('-', "__").replace(['.', ':'], "_");
    Some(format!("COOKPACK_GIT_TOKEN_{}", name.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests;
