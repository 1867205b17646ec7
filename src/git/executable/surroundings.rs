//! What the `git` program is run with: the user's own environment and configuration, credentials where
//! no other user of the machine can see them, and nothing that asks a person or runs a hook.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::git::ssh::SshProgram;
use crate::git::{GitAccess, host_and_port};
use crate::manifest::{GitUrl, GitUrlForm};
use crate::secret::Secret;

/// Variables that make git work on another repository than the one it is told, or that give settings
/// (git, `environment.c`, `local_repo_env`). `GitAccess` has the settings among its values.
const OF_ANOTHER_REPOSITORY: [&str; 22] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_PROTOCOL",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
    // A window that asks for a password.
    "SSH_ASKPASS",
];

/// Settings that win over the user's.
const SETTINGS: [(&str, &str); 11] = [
    // These two run a command or read a descriptor of ours; the user's `insteadOf` could lead there.
    ("protocol.ext.allow", "never"),
    ("protocol.fd.allow", "never"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.logAllRefUpdates", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    // What comes stays the one pack that it is, however small.
    ("fetch.unpackLimit", "1"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
];

/// A credential helper of git that answers from two variables. The shell's own `printf` writes, so that
/// no list of processes ever shows the password.
fn helper(number: usize) -> String {
    format!(
        "!f() {{ if test \"$1\" = get; then printf 'username=%s\\npassword=%s\\n' \"${}\" \"${}\"; fi; }}; f",
        user_variable(number),
        password_variable(number)
    )
}

fn user_variable(number: usize) -> String {
    format!("COOKPACK_CREDENTIAL_{number}_USER")
}

fn password_variable(number: usize) -> String {
    format!("COOKPACK_CREDENTIAL_{number}_PASSWORD")
}

/// The user that a token is given with where neither it nor the address names one: most hosts that take
/// tokens do not look.
fn token_user(host: &str) -> &'static str {
    match host {
        "bitbucket.org" => "x-token-auth",
        _ => "x-access-token",
    }
}

/// An address that can stand on a command line, and what was taken out of it.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// The address without credentials.
    pub(super) text: String,
    /// `https://host:port`, of an address of http.
    base: Option<String>,
    /// That host, with its port where it is not the usual one.
    pub(super) host: Option<String>,
    user: Option<Secret>,
    password: Option<Secret>,
}

impl Address {
    /// Takes an address apart.
    ///
    /// # Errors
    /// What is wrong with it, if some of it can neither be taken out nor be shown.
    pub(super) fn of(url: &GitUrl) -> Result<Self, &'static str> {
        let plain = |text: String| Self {
            text,
            base: None,
            host: None,
            user: None,
            password: None,
        };
        let whole = url.with_credentials();
        // git would look for `h:a` at a host, and for any other in a folder that is not meant.
        if url.form() == GitUrlForm::Path && !Path::new(whole).is_absolute() {
            return Err("its folder does not begin at the root");
        }
        if url.form() != GitUrlForm::Http {
            return Ok(plain(whole.to_owned()));
        }
        let parsed = url::Url::parse(whole).map_err(|_| "it is no URL")?;
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err("it has a query, which every user of this machine could read");
        }
        let decoded = |text: &str| {
            let text = percent_encoding::percent_decode_str(text).decode_utf8();
            let text = text.map_err(|_| "its credentials are no text")?;
            // A line more would tell git something else (CVE-2020-5260).
            if text.contains(char::is_control) {
                return Err("its credentials have a control character");
            }
            Ok(Secret::new(text))
        };
        let user = Some(parsed.username()).filter(|user| !user.is_empty());
        let user = user.map(decoded).transpose()?;
        let password = parsed.password().map(decoded).transpose()?;
        let (scheme, rest) = whole.split_once("://").ok_or("it is no URL")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        // A user name hidden behind another form of slash would be left in it.
        let text = format!("{scheme}://{host}{path}");
        let again = url::Url::parse(&text).map_err(|_| "it is no URL")?;
        if again.host() != parsed.host()
            || !again.username().is_empty()
            || again.password().is_some()
        {
            return Err("its host cannot be told from its credentials");
        }
        Ok(Self {
            text,
            host: Some(host_and_port(&parsed)),
            base: Some(parsed.origin().ascii_serialization()),
            user,
            password,
        })
    }

    /// The texts that must never be shown.
    pub(super) fn secrets<'a>(&'a self, access: &'a GitAccess) -> Vec<&'a str> {
        let own = self.user.iter().chain(&self.password).map(Secret::expose);
        let tokens = access.tokens.values().flat_map(|token| {
            let whole = token.expose();
            [whole, user_and_token(whole).1]
        });
        own.chain(tokens).filter(|text| text.len() > 3).collect()
    }

    /// The whole environment of the program.
    pub(super) fn environment(
        &self,
        access: &GitAccess,
        ssh: &SshProgram,
    ) -> Vec<(OsString, OsString)> {
        let mut all = kept(access);
        let mut set = |name: &str, value: &str| all.push((name.into(), value.into()));
        set("LC_ALL", "C");
        set("GIT_TERMINAL_PROMPT", "0");
        set("GCM_INTERACTIVE", "never");
        set("GIT_TRACE_REDACT", "1");
        if let Some(command) = ssh.quiet_shell_command() {
            set("GIT_SSH_COMMAND", &command);
        }
        let mut settings = access.config_values.clone();
        let own = SETTINGS.map(|(key, value)| (key.to_owned(), value.to_owned()));
        settings.extend(own);
        let mut logins = Vec::new();
        for (host, token) in &access.tokens {
            let (named, token) = user_and_token(token.expose());
            let is_own = self.host.as_ref() == Some(host);
            let own = self.user.as_ref().filter(|_| is_own);
            let user = named
                .or(own.map(Secret::expose))
                .unwrap_or(token_user(host));
            logins.push((format!("https://{host}"), user, token));
            if is_this_machine(host) {
                logins.push((format!("http://{host}"), user, token));
            }
        }
        if let (Some(base), Some(user)) = (&self.base, &self.user) {
            match &self.password {
                Some(password) => logins.push((base.clone(), user.expose(), password.expose())),
                None => settings.push((
                    format!("credential.{base}.username"),
                    user.expose().to_owned(),
                )),
            }
        }
        for (number, (base, user, password)) in logins.into_iter().enumerate() {
            if [base.as_str(), user, password]
                .iter()
                .any(|text| text.contains(char::is_control))
            {
                continue;
            }
            set(&user_variable(number), user);
            set(&password_variable(number), password);
            // The empty one forgets the helpers that were named before it.
            let key = format!("credential.{base}.helper");
            settings.extend([(key.clone(), String::new()), (key, helper(number))]);
        }
        set("GIT_CONFIG_COUNT", &settings.len().to_string());
        for (number, (key, value)) in settings.iter().enumerate() {
            set(&format!("GIT_CONFIG_KEY_{number}"), key);
            set(&format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        all
    }
}

/// What is left of the environment that the caller gave.
fn kept(access: &GitAccess) -> Vec<(OsString, OsString)> {
    let is_kept = |name: &OsStr| {
        let name = name.to_string_lossy();
        !OF_ANOTHER_REPOSITORY.contains(&&*name)
            && !name.starts_with("GIT_CONFIG_KEY_")
            && !name.starts_with("GIT_CONFIG_VALUE_")
    };
    let kept = access.environment.iter().filter(|(name, _)| is_kept(name));
    let kept = kept.map(|(name, value)| match name.to_str() {
        // It wins over `protocol.ext.allow`.
        Some("GIT_ALLOW_PROTOCOL") => {
            let value = value.to_string_lossy();
            let allowed = value
                .split(':')
                .filter(|name| !["ext", "fd"].contains(name));
            let allowed: Vec<_> = allowed.collect();
            (name.clone(), allowed.join(":").into())
        }
        _ => (name.clone(), value.clone()),
    });
    kept.collect()
}

fn user_and_token(token: &str) -> (Option<&str>, &str) {
    match token.split_once(':') {
        Some((user, token)) => (Some(user), token),
        None => (None, token),
    }
}

/// Where nobody else can read a token that is sent over http.
fn is_this_machine(host: &str) -> bool {
    let url = url::Url::parse(&format!("http://{host}"));
    match url.as_ref().ok().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn address(url: &str) -> Address {
        Address::of(&url.parse().unwrap()).unwrap()
    }

    fn environment(url: &str, access: &GitAccess) -> BTreeMap<String, String> {
        let ssh = SshProgram::of(access, None, None);
        let all = address(url).environment(access, &ssh);
        let text = |text: OsString| text.into_string().unwrap();
        all.into_iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    fn setting<'a>(environment: &'a BTreeMap<String, String>, key: &str) -> Vec<&'a str> {
        let count: usize = environment["GIT_CONFIG_COUNT"].parse().unwrap();
        let numbers = (0..count).filter(|n| environment[&format!("GIT_CONFIG_KEY_{n}")] == key);
        numbers
            .map(|n| environment[&format!("GIT_CONFIG_VALUE_{n}")].as_str())
            .collect()
    }

    #[test]
    fn credentials_are_taken_out_of_an_address() {
        for (url, text) in [
            (
                "https://me:s3%20cret@Example.com:8443/a%20b.git",
                "https://Example.com:8443/a%20b.git",
            ),
            ("https://s3cret@h/a@b", "https://h/a@b"),
            ("http://h", "http://h"),
            ("https://a@b@h/c", "https://h/c"),
            ("/srv/a?b", "/srv/a?b"),
        ] {
            assert_eq!(address(url).text, text);
        }
        let taken = address("https://me:s3%20cret%zz@h/a");
        assert_eq!(taken.user.unwrap().expose(), "me");
        assert_eq!(taken.password.unwrap().expose(), "s3 cret%zz");
    }

    #[test]
    fn secrets_that_cannot_be_taken_out_are_refused() {
        for url in [
            "https://h/a?token=s3cret",
            "https://h/a#s3cret",
            "https://me:a%0Ahost=other@h/a",
            "https://me%00:a@h/a",
            "https://me:s3cret\\@h/a",
        ] {
            assert!(Address::of(&url.parse().unwrap()).is_err(), "{url}");
        }
    }

    #[test]
    fn a_user_without_a_password_is_left_to_the_helpers_of_the_user() {
        let environment = environment("https://me@h/a", &GitAccess::default());
        assert_eq!(
            setting(&environment, "credential.https://h.username"),
            ["me"]
        );
        assert!(setting(&environment, "credential.https://h.helper").is_empty());
    }

    #[test]
    fn what_names_another_repository_or_asks_a_person_is_left_out() {
        let mut access = GitAccess::default();
        for (name, value) in [
            ("GIT_DIR", "/other"),
            ("GIT_OBJECT_DIRECTORY", "/other"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "core.gitProxy"),
            ("GIT_CONFIG_VALUE_0", "id"),
            ("GIT_CONFIG_PARAMETERS", "'core.gitProxy=id'"),
            ("SSH_ASKPASS", "/usr/bin/ask"),
            ("GIT_TERMINAL_PROMPT", "1"),
            ("GIT_ALLOW_PROTOCOL", "https:ext:fd:file"),
            ("HOME", "/h"),
        ] {
            access.environment.push((name.into(), value.into()));
        }
        access.config_values = vec![("http.version".into(), "HTTP/1.1".into())];
        let environment = environment("https://h/a", &access);
        for name in [
            "GIT_DIR",
            "GIT_OBJECT_DIRECTORY",
            "GIT_CONFIG_PARAMETERS",
            "SSH_ASKPASS",
        ] {
            assert!(!environment.contains_key(name), "{name}");
        }
        assert_eq!(environment["GIT_TERMINAL_PROMPT"], "0");
        assert_eq!(environment["GIT_ALLOW_PROTOCOL"], "https:file");
        assert_eq!(environment["HOME"], "/h");
        assert_eq!(environment["GIT_CONFIG_KEY_0"], "http.version");
        assert_eq!(setting(&environment, "protocol.ext.allow"), ["never"]);
        assert!(setting(&environment, "core.gitProxy").is_empty());
    }

    #[test]
    fn ssh_is_told_not_to_ask_where_that_can_be_said() {
        let command = |access: &GitAccess, core| {
            let ssh = SshProgram::of(access, core, None);
            let all = address("host:a").environment(access, &ssh);
            let found = all.into_iter().rfind(|(name, _)| name == "GIT_SSH_COMMAND");
            found.map(|(_, value)| value.into_string().unwrap())
        };
        let mut access = GitAccess::default();
        let quiet = |command: &str| Some(format!("{command} -o BatchMode=yes"));
        assert_eq!(command(&access, None), quiet("'ssh'"));
        assert_eq!(command(&access, Some("ssh -i k")), quiet("ssh -i k"));
        access.ssh_program = Some("/opt/my ssh/ssh".into());
        assert_eq!(command(&access, None), quiet("'/opt/my ssh/ssh'"));
        access.ssh_program = Some("/opt/own".into());
        assert_eq!(command(&access, None), None);
    }
}
