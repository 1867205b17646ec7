//! How git and curl would reach a remote from here.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::git::GitAccess;
use crate::http::HttpOptions;
use crate::secret::Secret;

/// The beginning of the variables that hold tokens.
const TOKEN: &str = "COOKPACK_GIT_TOKEN_";

/// All that this process's environment says of git. What is wrong with it is told where a remote is
/// reached, and nowhere else.
pub(in crate::cli) fn git_access() -> GitAccess {
    access(&Variables(env::vars_os().collect()))
}

/// An environment.
pub(super) struct Variables(pub(super) Vec<(OsString, OsString)>);

impl Variables {
    fn raw(&self, name: &str) -> Option<&OsString> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    /// A variable that is set to something.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.raw(name)?.to_str()?;
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.raw(name).filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value))
    }

    /// As git reads a variable that is true or false.
    fn flag(&self, name: &str) -> bool {
        let value = self.text(name).map(str::to_ascii_lowercase);
        value.is_some_and(|value| match value.as_str() {
            "true" | "yes" | "on" => true,
            number => number.parse::<i64>().is_ok_and(|number| number != 0),
        })
    }

    /// The first of some variables that is set, be it to nothing, which is a way to say no.
    fn secret(&self, names: &[&str]) -> Option<Secret> {
        let value = names.iter().find_map(|name| self.raw(name)?.to_str())?;
        Some(Secret::new(value))
    }

    fn home(&self) -> Option<PathBuf> {
        let windows = || cfg!(windows).then(|| self.path("USERPROFILE")).flatten();
        self.path("HOME").or_else(windows)
    }

    /// The file of credentials by host, as curl finds it.
    pub(super) fn netrc(&self) -> Option<PathBuf> {
        let usual = || {
            let name = if cfg!(windows) { "_netrc" } else { ".netrc" };
            Some(self.home()?.join(name))
        };
        self.path("NETRC").or_else(usual)
    }
}

fn access(variables: &Variables) -> GitAccess {
    let mut config_values = values(variables);
    if variables.raw("GIT_SSL_NO_VERIFY").is_some() {
        config_values.push(("http.sslVerify".to_owned(), "false".to_owned()));
    }
    GitAccess {
        config_files: files(variables),
        config_values,
        netrc: variables.netrc(),
        tokens: tokens(variables),
        http: http(variables),
        ssl_authority: variables.path("GIT_SSL_CAINFO"),
        ssl_certificate: variables.path("GIT_SSL_CERT"),
        ssl_key: variables.path("GIT_SSL_KEY"),
        ssh_command: variables.text("GIT_SSH_COMMAND").map(str::to_owned),
        ssh_program: variables.raw("GIT_SSH").filter(|v| !v.is_empty()).cloned(),
        ssh_variant: variables.text("GIT_SSH_VARIANT").map(str::to_owned),
        executable: variables.flag("COOKPACK_GIT_CLI"),
        environment: inherited(variables),
    }
}

/// git's configuration files (git, `Documentation/git-config`, "FILES").
fn files(variables: &Variables) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if !variables.flag("GIT_CONFIG_NOSYSTEM") {
        match variables.raw("GIT_CONFIG_SYSTEM") {
            Some(file) => files.push(PathBuf::from(file)),
            None if cfg!(windows) => {
                let programs = variables.path("PROGRAMFILES");
                files.extend(programs.map(|folder| folder.join("Git/etc/gitconfig")));
            }
            None => files.push(PathBuf::from("/etc/gitconfig")),
        }
    }
    if let Some(file) = variables.raw("GIT_CONFIG_GLOBAL") {
        files.push(PathBuf::from(file));
        return files;
    }
    let home = variables.home();
    let under_home = || Some(home.as_ref()?.join(".config"));
    let config = variables.path("XDG_CONFIG_HOME").or_else(under_home);
    files.extend(config.map(|folder| folder.join("git/config")));
    files.extend(home.map(|folder| folder.join(".gitconfig")));
    files
}

/// The settings of `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_0`, `GIT_CONFIG_VALUE_0` and so on. What is
/// missing or no number stands there by its own name, which is no setting's: whoever reads the
/// configuration refuses it, as git does.
fn values(variables: &Variables) -> Vec<(String, String)> {
    let Some(count) = variables.text("GIT_CONFIG_COUNT") else {
        return Vec::new();
    };
    let wrong = |what: String| (what, String::new());
    let Ok(number) = count.parse::<usize>() else {
        return vec![wrong(format!("GIT_CONFIG_COUNT={count}"))];
    };
    let one = |name: String| {
        let value = variables.raw(&name).and_then(|value| value.to_str());
        value.map(str::to_owned).ok_or(name)
    };
    let mut values = Vec::new();
    for n in 0..number {
        let key = one(format!("GIT_CONFIG_KEY_{n}"));
        let pair = key.and_then(|key| Ok((key, one(format!("GIT_CONFIG_VALUE_{n}"))?)));
        match pair {
            Ok(pair) => values.push(pair),
            Err(missing) => {
                values.push(wrong(missing));
                break;
            }
        }
    }
    values
}

/// The proxies as curl finds them, and what the system's own TLS looks at.
pub(super) fn http(variables: &Variables) -> HttpOptions {
    let direct = variables
        .text("no_proxy")
        .or_else(|| variables.text("NO_PROXY"));
    HttpOptions {
        https_proxy: variables.secret(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
        // Attack: in a CGI program HTTP_PROXY is a header of whoever asks (CVE-2016-5385).
        http_proxy: variables.secret(&["http_proxy", "all_proxy", "ALL_PROXY"]),
        no_proxy: direct.map(str::to_owned),
        ca_file: variables.path("SSL_CERT_FILE"),
        extra_ca_file: variables.path("COOKPACK_EXTRA_CA_FILE"),
        // As uv calls it; it may hold the key as well.
        client_certificate: variables.path("SSL_CLIENT_CERT"),
        client_key: variables.path("SSL_CLIENT_KEY"),
        ..HttpOptions::default()
    }
}

/// The tokens of hosts. GitHub's own variable is for GitHub alone.
fn tokens(variables: &Variables) -> BTreeMap<String, Secret> {
    let mut tokens = tokens_by_host(variables, TOKEN);
    if let Some(token) = variables.text("GITHUB_TOKEN") {
        let own = || Secret::new(token.trim());
        tokens.entry("github.com".to_owned()).or_insert_with(own);
    }
    tokens
}

/// The tokens in the variables that begin so, by the hosts that follow.
pub(super) fn tokens_by_host(variables: &Variables, prefix: &str) -> BTreeMap<String, Secret> {
    let mut tokens = BTreeMap::new();
    for (name, value) in &variables.0 {
        let host = name.to_str().and_then(|name| name.strip_prefix(prefix));
        let token = value
            .to_str()
            .map(str::trim)
            .filter(|token| !token.is_empty());
        if let Some((host, token)) = host.and_then(host_of).zip(token) {
            tokens.insert(host, Secret::new(token));
        }
    }
    tokens
}

/// The host of a variable's name, as `token_variable` of `git` writes it: `GIT_EXAMPLE_COM`,
/// `MY__HOST_EXAMPLE`, `LOCALHOST_8443`.
fn host_of(name: &str) -> Option<String> {
    let host = name.to_ascii_lowercase();
    let host = host.replace("__", "-").replace('_', ".");
    if host.is_empty() {
        return None;
    }
    let port = host
        .rsplit_once('.')
        .filter(|(_, port)| host.parse::<Ipv4Addr>().is_err() && port.parse::<u16>().is_ok());
    Some(match port {
        Some((host, port)) => format!("{host}:{port}"),
        None => host,
    })
}

/// What other programs inherit. A token for one host need reach no `ssh` and no helper of another.
fn inherited(variables: &Variables) -> Vec<(OsString, OsString)> {
    let is_ours = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with(TOKEN) || name.starts_with(super::upstream::TOKEN)
    };
    let all = variables.0.iter();
    all.filter(|(name, _)| !is_ours(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::token_variable;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let pairs = pairs.iter();
        Variables(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    fn of(pairs: &[(&str, &str)]) -> GitAccess {
        access(&variables(pairs))
    }

    fn shown(files: &[PathBuf]) -> Vec<&str> {
        files.iter().filter_map(|file| file.to_str()).collect()
    }

    #[cfg(unix)]
    #[test]
    fn configuration_files_are_where_git_has_them() {
        let home = ("HOME", "/home/me");
        let usual = of(&[home]);
        assert_eq!(
            shown(&usual.config_files),
            [
                "/etc/gitconfig",
                "/home/me/.config/git/config",
                "/home/me/.gitconfig"
            ]
        );
        assert_eq!(usual.netrc, Some("/home/me/.netrc".into()));
        let moved = of(&[
            home,
            ("XDG_CONFIG_HOME", "/x"),
            ("GIT_CONFIG_SYSTEM", "/s"),
            ("NETRC", "/n"),
        ]);
        assert_eq!(
            shown(&moved.config_files),
            ["/s", "/x/git/config", "/home/me/.gitconfig"]
        );
        assert_eq!(moved.netrc, Some("/n".into()));
        let few = of(&[
            home,
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/g"),
        ]);
        assert_eq!(shown(&few.config_files), ["/g"]);
        assert!(
            of(&[("GIT_CONFIG_NOSYSTEM", "true")])
                .config_files
                .is_empty()
        );
    }

    #[test]
    fn values_of_the_environment_are_counted() {
        let access = of(&[
            ("GIT_CONFIG_COUNT", "2"),
            ("GIT_CONFIG_KEY_0", "http.proxy"),
            ("GIT_CONFIG_VALUE_0", ""),
            ("GIT_CONFIG_KEY_1", "core.sshCommand"),
            ("GIT_CONFIG_VALUE_1", "ssh -v"),
            ("GIT_CONFIG_KEY_2", "not.counted"),
            ("GIT_SSL_NO_VERIFY", ""),
        ]);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let wanted = [
            pair("http.proxy", ""),
            pair("core.sshCommand", "ssh -v"),
            pair("http.sslVerify", "false"),
        ];
        assert_eq!(access.config_values, wanted);
        for (wrong, named) in [
            ([("GIT_CONFIG_COUNT", "x"), ("X", "")], "GIT_CONFIG_COUNT=x"),
            ([("GIT_CONFIG_COUNT", "9"), ("X", "")], "GIT_CONFIG_KEY_0"),
            (
                [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "a.b")],
                "GIT_CONFIG_VALUE_0",
            ),
        ] {
            assert_eq!(of(&wrong).config_values, [pair(named, "")]);
        }
    }

    #[test]
    fn proxies_are_found_as_curl_finds_them() {
        let proxies = |pairs: &[(&str, &str)]| {
            let http = of(pairs).http;
            let text = |proxy: Option<Secret>| proxy.map(|proxy| proxy.expose().to_owned());
            (text(http.https_proxy), text(http.http_proxy))
        };
        let all = ("ALL_PROXY", "all");
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(proxies(&[all]), (some("all"), some("all")));
        let own = [("HTTPS_PROXY", "s"), ("http_proxy", "h"), all];
        assert_eq!(proxies(&own), (some("s"), some("h")));
        // Nothing is a way to say that there is none.
        assert_eq!(
            proxies(&[("https_proxy", ""), all]),
            (some(""), some("all"))
        );
        let direct = of(&[("NO_PROXY", "a"), ("no_proxy", "b")]).http.no_proxy;
        assert_eq!(direct.as_deref(), Some("b"));
    }

    #[test]
    fn attack_a_header_of_a_cgi_program_names_no_proxy() {
        assert_eq!(
            of(&[("HTTP_PROXY", "http://evil.example")]).http.http_proxy,
            None
        );
    }

    #[test]
    fn tokens_are_for_the_host_that_their_variable_names() {
        let access = of(&[
            ("COOKPACK_GIT_TOKEN_GIT_EXAMPLE_COM", " a\n"),
            ("COOKPACK_GIT_TOKEN_GIT__EXAMPLE_COM", "b"),
            ("COOKPACK_GIT_TOKEN_127_0_0_1", "c"),
            ("COOKPACK_GIT_TOKEN_127_0_0_1_8080", "d"),
            ("COOKPACK_GIT_TOKEN_LOCALHOST_8443", "me:e"),
            ("COOKPACK_GIT_TOKEN_EMPTY", " "),
            ("COOKPACK_GIT_TOKEN_", "x"),
            ("GITHUB_TOKEN", "g"),
        ]);
        let found: Vec<_> = access
            .tokens
            .iter()
            .map(|(h, t)| (h.as_str(), t.expose()))
            .collect();
        let wanted = [
            ("127.0.0.1", "c"),
            ("127.0.0.1:8080", "d"),
            ("git-example.com", "b"),
            ("git.example.com", "a"),
            ("github.com", "g"),
            ("localhost:8443", "me:e"),
        ];
        assert_eq!(found, wanted);
        let own = of(&[
            ("GITHUB_TOKEN", "g"),
            ("COOKPACK_GIT_TOKEN_GITHUB_COM", "own"),
        ]);
        assert_eq!(own.tokens["github.com"].expose(), "own");
    }

    #[test]
    fn a_variables_name_leads_back_to_its_host() {
        for host in [
            "github.com",
            "git-1.my-host.example",
            "127.0.0.1:80",
            "localhost",
            "a.b:8443",
        ] {
            let name = token_variable(host).unwrap();
            let name = name.strip_prefix(TOKEN).unwrap();
            assert_eq!(host_of(name).as_deref(), Some(host));
        }
    }

    #[test]
    fn leak_tokens_are_not_handed_on_to_other_programs() {
        let access = of(&[
            ("COOKPACK_GIT_TOKEN_A_B", "s3cret"),
            ("COOKPACK_SUPERMARKET_TOKEN_A_B", "s3cret"),
            ("PATH", "/bin"),
            ("GITHUB_TOKEN", "g"),
        ]);
        let names: Vec<_> = access
            .environment
            .iter()
            .filter_map(|(name, _)| name.to_str())
            .collect();
        // Helpers of GitHub's own live on the latter.
        assert_eq!(names, ["PATH", "GITHUB_TOKEN"]);
    }

    #[test]
    fn the_rest_is_taken_as_git_takes_it() {
        let access = of(&[
            ("SSL_CERT_FILE", "/all.pem"),
            ("GIT_SSL_CAINFO", "/git.pem"),
            ("GIT_SSL_CERT", "/cert.pem"),
            ("GIT_SSL_KEY", "/key.pem"),
            ("GIT_SSH_COMMAND", "ssh -v"),
            ("GIT_SSH", "/bin/plink"),
            ("GIT_SSH_VARIANT", "plink"),
            ("COOKPACK_GIT_CLI", "true"),
        ]);
        assert_eq!(access.http.ca_file, Some("/all.pem".into()));
        assert_eq!(access.ssl_authority, Some("/git.pem".into()));
        assert_eq!(access.ssl_certificate, Some("/cert.pem".into()));
        assert_eq!(access.ssl_key, Some("/key.pem".into()));
        assert_eq!(access.ssh_command.as_deref(), Some("ssh -v"));
        assert_eq!(access.ssh_program, Some("/bin/plink".into()));
        assert_eq!(access.ssh_variant.as_deref(), Some("plink"));
        assert!(access.executable);
        assert!(!of(&[("COOKPACK_GIT_CLI", "0")]).executable);
        assert!(!of(&[]).executable);
    }
}
