//! Each source of credentials, in its turn.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::error::Diagnose;

/// A folder with helpers, and what is known of credentials.
struct Bench {
    folder: TempDir,
    access: GitAccess,
    cancel: CancelToken,
}

impl Bench {
    fn new() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let access = GitAccess {
            environment: vec![("PATH".into(), path), ("SEEN".into(), "1".into())],
            ..GitAccess::default()
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            access,
            cancel: CancelToken::default(),
        }
    }

    fn config(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.access
            .config_values
            .push((key.to_owned(), value.into()));
        self
    }

    fn netrc(&mut self, text: &str) -> &mut Self {
        let path = self.folder.path().join("netrc");
        fs::write(&path, text).unwrap();
        self.access.netrc = Some(path);
        self
    }

    fn token(&mut self, host: &str, token: &str) -> &mut Self {
        let token = Secret::new(token);
        self.access.tokens.insert(host.to_owned(), token);
        self
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A helper that writes down what it is asked, and answers a `get` with this shell.
    fn helper(&mut self, name: &str, script: &str) -> &mut Self {
        let path = self.folder.path().join(name);
        let log = self.log();
        let log = log.display();
        let text = format!(
            "#!/bin/sh\necho \"{name} $1\" >> {log}\ncat >> {log}\n[ \"$1\" = get ] || exit 0\n{script}\n"
        );
        write_program(&path, &text);
        let path = path.display().to_string();
        self.config("credential.helper", path)
    }

    fn logged(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn with<T>(&self, url: &str, then: impl FnOnce(&mut Credentials<'_>) -> T) -> T {
        let config = GitConfig::open(&self.access).unwrap();
        let url = Url::parse(url).unwrap();
        let mut credentials = Credentials::new(&url, &self.access, &config, &self.cancel);
        then(&mut credentials)
    }

    /// All that would be sent, one after the other, if nothing were taken.
    fn all(&self, url: &str) -> Vec<String> {
        self.with(url, |credentials| {
            let mut all = Vec::new();
            all.extend(credentials.sent());
            while credentials.advance(&[]).unwrap() {
                all.extend(credentials.sent());
            }
            all
        })
    }
}

impl Credentials<'_> {
    fn sent(&self) -> Option<String> {
        let login = &self.current.as_ref()?.login;
        Some(format!("{}:{}", login.user, login.password.expose()))
    }
}

/// Written by another process: a file that this one had open for writing, some child of another
/// test's may have open still, and then it cannot be run.
fn write_program(path: &Path, text: &str) {
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path);
    let mut child = shell.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_sources_are_asked_one_after_the_other() {
    let mut bench = Bench::new();
    bench
        .token("example.com", "tok")
        .netrc("machine example.com login n password 1")
        .helper("first", "echo username=h; echo password=2");
    let all = bench.all("https://u:p%40@example.com/a");
    // Who names a user asks for that user's password alone.
    assert_eq!(all, ["u:p@", "u:tok", "h:2"]);
    let all = bench.all("https://example.com/a");
    assert_eq!(all, ["x-access-token:tok", "n:1", "h:2"]);
    let all = bench.all("https://n@example.com/a");
    assert_eq!(all, ["n:tok", "n:1", "h:2", "n:"]);
    assert!(
        bench
            .all("https://other.example/a")
            .contains(&"h:2".to_owned())
    );
}

#[test]
fn nothing_is_looked_for_before_the_server_asks() {
    let mut bench = Bench::new();
    bench
        .netrc("default login n password 1")
        .helper("first", "echo username=h; echo password=2");
    bench.with("https://me@example.com/", |credentials| {
        assert!(credentials.authorization().is_none());
        assert!(!credentials.are_there());
    });
    assert_eq!(bench.logged(), "");
}

#[test]
fn a_token_is_for_one_host_and_one_port() {
    let mut bench = Bench::new();
    bench
        .token("example.com", "a")
        .token("example.com:8443", "b")
        .token("bitbucket.org", "c")
        .token("gitlab.example", "me:d");
    for (url, sent) in [
        ("https://example.com/", Some("x-access-token:a")),
        ("https://EXAMPLE.com:443/", Some("x-access-token:a")),
        ("https://example.com:8443/", Some("x-access-token:b")),
        ("https://example.com:9/", None),
        ("https://git.example.com/", None),
        ("https://example.com.evil/", None),
        ("https://bitbucket.org/", Some("x-token-auth:c")),
        ("https://gitlab.example/", Some("me:d")),
    ] {
        bench.with(url, |credentials| {
            assert_eq!(credentials.sent().as_deref(), sent, "{url}");
        });
    }
}

#[test]
fn leak_a_token_is_not_sent_where_everybody_can_read_it() {
    let mut bench = Bench::new();
    bench
        .token("example.com", "a")
        .token("127.0.0.1:8080", "b")
        .token("localhost", "c");
    assert!(bench.all("http://example.com/").is_empty());
    assert_eq!(bench.all("http://127.0.0.1:8080/"), ["x-access-token:b"]);
    assert_eq!(bench.all("http://localhost/"), ["x-access-token:c"]);
}

#[test]
fn a_helper_is_asked_for_the_host_and_told_how_it_went() {
    let mut bench = Bench::new();
    bench.helper(
        "keeper",
        "echo username=h; echo password=s3cret; echo oauth_refresh_token=r",
    );
    bench.with("https://example.com:8443/a/b.git", |credentials| {
        let challenge = ["Basic realm=\"x\"".to_owned(), "evil\nhost=y".to_owned()];
        assert!(credentials.advance(&challenge).unwrap());
        assert_eq!(credentials.sent().unwrap(), "h:s3cret");
        credentials.approve();
        credentials.approve();
    });
    let asked = "protocol=https\nhost=example.com:8443\n";
    let told = format!("{asked}username=h\npassword=s3cret\noauth_refresh_token=r\n");
    assert_eq!(
        bench.logged(),
        format!("keeper get\n{asked}wwwauth[]=Basic realm=\"x\"\nkeeper store\n{told}")
    );
    fs::remove_file(bench.log()).unwrap();
    bench.with("https://example.com:8443/a/b.git", |credentials| {
        assert!(credentials.advance(&[]).unwrap());
        assert!(!credentials.advance(&[]).unwrap());
        let tried = credentials.tried().join(", ");
        assert_eq!(tried, "a credential helper (refused)");
    });
    assert_eq!(
        bench.logged(),
        format!("keeper get\n{asked}keeper erase\n{told}")
    );
}

#[test]
fn helpers_hear_the_path_and_the_user_where_git_says_so() {
    let mut bench = Bench::new();
    bench
        .config("credential.https://example.com.useHttpPath", "true")
        .config("credential.https://example.com.username", "named")
        .helper("keeper", "echo password=1");
    assert_eq!(bench.all("https://example.com/a%20b/c.git/"), ["named:1"]);
    let asked = "protocol=https\nhost=example.com\npath=a b/c.git\nusername=named\n";
    assert!(
        bench
            .logged()
            .starts_with(&format!("keeper get\n{asked}keeper erase\n{asked}"))
    );
}

#[test]
fn the_next_helper_is_asked_where_one_knows_nothing_or_only_the_user() {
    let mut bench = Bench::new();
    bench
        .config("credential.helper", "cookpack-that-does-not-exist")
        .helper("nothing", "exit 1")
        .helper("user", "echo username=u")
        .helper("password", "echo password=p")
        .helper("never", "echo password=no");
    assert_eq!(bench.all("https://example.com/"), ["u:p"]);
    assert!(!bench.logged().contains("never get"));
    let mut bench = Bench::new();
    bench
        .helper("quits", "echo quit=1")
        .helper("never", "echo username=u; echo password=no");
    assert!(bench.all("https://example.com/").is_empty());
    assert!(!bench.logged().contains("never"));
}

#[test]
fn helpers_are_commands_paths_and_names_and_an_empty_one_resets() {
    let mut bench = Bench::new();
    let path = bench.folder.path().join("git-credential-named");
    write_program(
        &path,
        "#!/bin/sh\n[ $1 = --flag ] && echo username=u && echo password=named",
    );
    let mut search = bench.folder.path().as_os_str().to_owned();
    search.push(":");
    search.push(&bench.access.environment[0].1);
    bench.access.environment[0].1 = search;
    bench
        .config("credential.helper", "!false")
        .config("credential.helper", "");
    bench.config("credential.helper", "named --flag");
    assert_eq!(bench.all("https://example.com/"), ["u:named"]);
    bench.config("credential.helper", "");
    bench.config(
        "credential.helper",
        "!f() { echo username=$1; echo password=$SEEN; }; f",
    );
    assert_eq!(bench.all("https://example.com/"), ["get:1"]);
}

#[test]
fn a_helper_sees_the_given_environment_and_cannot_prompt() {
    let mut bench = Bench::new();
    bench.helper("env", "echo username=u; echo \"password=$SEEN,$CARGO,$GIT_TERMINAL_PROMPT,$GCM_INTERACTIVE,$GIT_ASKPASS,$SSH_ASKPASS\"");
    assert_eq!(
        bench.all("https://example.com/"),
        ["u:1,,0,never,false,false"]
    );
}

#[test]
fn attack_what_a_helper_says_of_another_host_is_not_believed() {
    let mut bench = Bench::new();
    bench.helper(
        "evil",
        "printf 'protocol=http\\nhost=evil.example\\nurl=https://evil.example/\\nusername=u\\npassword=p\\n\\npassword=late\\n'",
    );
    bench.with("https://example.com/", |credentials| {
        assert!(credentials.advance(&[]).unwrap());
        assert_eq!(credentials.sent().unwrap(), "u:p");
        credentials.approve();
    });
    assert!(!bench.logged().contains("evil.example"));
}

#[test]
fn attack_line_breaks_and_nul_in_what_a_helper_says_are_refused() {
    for said in [
        "password=a\\rb",
        "password=a\\000b",
        "username=a\\rb\\npassword=p",
        "no pair",
    ] {
        let mut bench = Bench::new();
        bench.helper("evil", &format!("printf 'username=u\\n{said}\\n'"));
        assert!(bench.all("https://example.com/").is_empty(), "{said}");
    }
    let mut bench = Bench::new();
    bench.helper("endless", "yes username=u");
    assert!(bench.all("https://example.com/").is_empty());
}

#[test]
fn attack_a_line_break_in_the_address_asks_for_no_other_host() {
    let mut bench = Bench::new();
    bench.helper("keeper", "echo username=u; echo password=p");
    for url in [
        "https://example.com/a%0ahost=evil.example",
        "https://example.com/a%0dhost=evil.example",
        "https://example.com/a%00",
        "https://me%0ahost=evil.example@example.com/a",
    ] {
        bench.with(url, |credentials| {
            let error = credentials.advance(&[]).unwrap_err();
            assert!(matches!(error, GitError::Credentials { .. }), "{error}");
        });
    }
    assert_eq!(bench.logged(), "");
}

#[test]
fn leak_a_helpers_command_is_not_shown() {
    let mut bench = Bench::new();
    bench.config("credential.helper", "!echo password=s3cret; :");
    bench.config("credential.helper", "cookpack-missing --token=s3cret");
    bench.with("https://example.com/", |credentials| {
        assert!(!credentials.advance(&[]).unwrap());
        let tried = credentials.tried().join(", ");
        assert!(tried.contains("`cookpack-missing`"), "{tried}");
        assert!(!tried.contains("s3cret"), "{tried}");
    });
}

#[test]
fn a_helper_that_hangs_ends_when_it_is_cancelled() {
    let mut bench = Bench::new();
    let still = bench.folder.path().join("still");
    bench.helper(
        "hangs",
        &format!("(sleep 2; touch {}) & sleep 100", still.display()),
    );
    let cancel = bench.cancel.clone();
    let soon = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        cancel.cancel();
    });
    bench.with("https://example.com/", |credentials| {
        let error = credentials.advance(&[]).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Cancelled);
    });
    soon.join().unwrap();
    // What it started has ended too.
    thread::sleep(Duration::from_millis(2200));
    assert!(!still.exists());
}

#[test]
fn each_host_has_a_variable_of_its_own() {
    let names: BTreeMap<_, _> = [
        ("github.com", "GITHUB_COM"),
        ("git.example.com", "GIT_EXAMPLE_COM"),
        ("git-example.com", "GIT__EXAMPLE_COM"),
        ("localhost:8080", "LOCALHOST_8080"),
    ]
    .into();
    for (host, name) in names {
        let wanted = format!("COOKPACK_GIT_TOKEN_{name}");
        assert_eq!(token_variable(host), Some(wanted));
    }
    assert_eq!(token_variable("[::1]"), None);
    assert_eq!(token_variable("a_b.example"), None);
}
