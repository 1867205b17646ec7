//! Credentials: where they come from, to whom they go, and where they must never be.

use crate::support::{Credentials, GitServer, HttpRequest, Run, Sandbox, basic, nowhere};

const SECRET: &str = "hunter2-is-quite-secret";

/// The variable with the token of a server: its host, and its port, which is not the usual one.
fn token(server: &GitServer) -> String {
    let host = server.authority().replace(['.', ':'], "_");
    format!("COOKPACK_GIT_TOKEN_{host}")
}

/// A server that lets in who knows the secret.
fn guarded(sandbox: &Sandbox, credentials: Credentials) -> GitServer {
    let server = GitServer::start(sandbox);
    server.cookbook("web");
    server.behave(|b| b.credentials = Some(credentials));
    server
}

/// Builds quietly, talkatively and for programs, each from nothing, and has the secret be nowhere
/// but where the test wrote it.
fn build_and_look(sandbox: &Sandbox, but: &[&str], variables: &[(&str, &str)]) {
    for args in ["build -v", "build --json", "build"] {
        sandbox.forget();
        let run = sandbox.run_with(args, variables).ok();
        assert!(sandbox.exists("bundle.tar.gz") && sandbox.exists("cookpack.lock"));
        nowhere(sandbox, SECRET, but, &[&run]);
    }
}

/// The same for builds that must fail.
fn fail_and_look(sandbox: &Sandbox, but: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut last = None;
    for args in ["build -v", "build --json", "build"] {
        sandbox.forget();
        let run = sandbox.run_with(args, variables).ends_with(5);
        nowhere(sandbox, SECRET, but, &[&run]);
        last = Some(run);
    }
    last.expect("a run")
}

fn manifest(sandbox: &Sandbox, url: &str) {
    sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
}

/// Who came, by name and password.
fn visitors(requests: &[HttpRequest]) -> Vec<(String, String)> {
    let headers = requests.iter().filter_map(|r| r.header("authorization"));
    headers
        .map(|header| basic(header).expect("Basic"))
        .collect()
}

#[test]
fn credentials_in_an_address_are_used_and_shown_nowhere() {
    let sandbox = Sandbox::new();
    let server = guarded(&sandbox, Credentials::new("ann", SECRET));
    let url = server.url_as(&format!("ann:{SECRET}"), "web.git");
    manifest(&sandbox, &url);
    build_and_look(&sandbox, &["project/cookpack.toml"], &[]);
    let lock = sandbox.text("cookpack.lock");
    assert!(lock.contains(&server.url("web.git")), "{lock}");
    // What is special in an address is written in percents.
    server.behave(|b| b.credentials = Some(Credentials::new("a@b", "p/q:r%s")));
    manifest(&sandbox, &server.url_as("a%40b:p%2Fq%3Ar%25s", "web.git"));
    sandbox.forget();
    sandbox.ok("build");
    // A locked address has none, and the manifest's are used for it.
    let lock = sandbox.text("cookpack.lock");
    sandbox.forget();
    sandbox.write("cookpack.lock", lock);
    sandbox.ok("build --locked");
}

#[test]
fn a_name_without_a_password_asks_for_one_elsewhere() {
    let sandbox = Sandbox::new();
    let server = guarded(&sandbox, Credentials::new("ann", SECRET));
    manifest(&sandbox, &server.url_as("ann", "web.git"));
    build_and_look(&sandbox, &[], &[(&token(&server), SECRET)]);
    let line = format!(
        "machine 127.0.0.1 login bob password no\nmachine 127.0.0.1 login ann password {SECRET}\n"
    );
    sandbox.write("../home/.netrc", line);
    build_and_look(&sandbox, &["home/.netrc"], &[]);
}

#[test]
fn a_token_of_the_environment_is_the_password_of_its_host() {
    let sandbox = Sandbox::new();
    let server = guarded(&sandbox, Credentials::password(SECRET));
    manifest(&sandbox, &server.url("web.git"));
    build_and_look(&sandbox, &[], &[(&token(&server), SECRET)]);
    for (user, password) in visitors(&server.requests()) {
        assert!(!user.is_empty());
        assert_eq!(password, SECRET);
    }
    // Where the host wants a certain name.
    server.behave(|b| b.credentials = Some(Credentials::new("oauth2", SECRET)));
    let named = format!("oauth2:{SECRET}");
    build_and_look(&sandbox, &[], &[(&token(&server), &named)]);
    // Another host's token, and GitHub's, are not for this host.
    server.requests();
    let others = [
        ("COOKPACK_GIT_TOKEN_EXAMPLE_COM", SECRET),
        ("COOKPACK_GIT_TOKEN_127_0_0_2", SECRET),
        // What listens at the usual port is another server.
        ("COOKPACK_GIT_TOKEN_127_0_0_1", SECRET),
        ("COOKPACK_GIT_TOKEN_127_0_0_1_1", SECRET),
        ("COOKPACK_GIT_TOKEN_", SECRET),
        ("GITHUB_TOKEN", SECRET),
    ];
    fail_and_look(&sandbox, &[], &others);
    assert_eq!(visitors(&server.requests()), []);
    // Not even where the address says GitHub and another host is meant.
    let rule = format!(
        "[url \"{}\"]\n\tinsteadOf = https://github.com/\n",
        server.url("")
    );
    sandbox.write("../home/.gitconfig", rule);
    manifest(&sandbox, "https://github.com/web.git");
    fail_and_look(&sandbox, &[], &others);
    assert_eq!(visitors(&server.requests()), []);
}

#[test]
fn a_netrc_is_read_as_curl_reads_it() {
    let sandbox = Sandbox::new();
    let server = guarded(&sandbox, Credentials::new("ann", SECRET));
    manifest(&sandbox, &server.url("web.git"));
    for text in [
        format!("machine 127.0.0.1 login ann password {SECRET}\n"),
        format!(
            "machine example.com\nlogin x\npassword y\n\nmachine 127.0.0.1\n  login ann\n  password {SECRET}\n"
        ),
        format!("# a comment\ndefault login ann password {SECRET}\n"),
        format!("machine 127.0.0.1 login ann account x password \"{SECRET}\"\n"),
    ] {
        sandbox.write("../home/.netrc", text);
        build_and_look(&sandbox, &["home/.netrc"], &[]);
    }
    sandbox.write(
        "../home/.netrc",
        format!("machine 127.0.0.2 login ann password {SECRET}\n"),
    );
    fail_and_look(&sandbox, &["home/.netrc"], &[]);
}

/// A helper that answers with the secret and writes down what it is asked.
fn helper(sandbox: &Sandbox, password: &str) -> String {
    let script = format!(
        "#!/bin/sh\nasked=$(cat)\nprintf '%s %s;' \"$1\" \"$(echo \"$asked\" | grep -v ^password= | tr '\\n' ' ')\" >> '{}'\n\
         [ \"$1\" = get ] || exit 0\necho username=ann\necho password={password}\n",
        sandbox.root().join("asked").display()
    );
    sandbox.write("../helper", script);
    sandbox.chmod("../helper", 0o755);
    sandbox.root().join("helper").display().to_string()
}

#[test]
fn credential_helpers_are_asked_and_told_how_it_went() {
    let sandbox = Sandbox::new();
    let server = guarded(&sandbox, Credentials::new("ann", SECRET));
    manifest(&sandbox, &server.url("web.git"));
    let program = helper(&sandbox, SECRET);
    for setting in [
        format!("[credential]\n\thelper = {program}\n"),
        format!("[credential]\n\thelper = !sh {program}\n"),
        format!(
            "[credential \"{}\"]\n\thelper = {program}\n",
            server.url("")
        ),
        // An empty one forgets those before it.
        format!(
            "[credential]\n\thelper = \"!echo username=bob; echo password=no; :\"\n\thelper =\n\thelper = {program}\n"
        ),
    ] {
        sandbox.write("../home/.gitconfig", setting);
        sandbox.write("../asked", "");
        build_and_look(&sandbox, &["helper"], &[]);
        let asked = sandbox.text("../asked");
        let authority = server.authority();
        assert!(
            asked.contains("get ") && asked.contains("store "),
            "{asked}"
        );
        assert!(!asked.contains("erase "), "{asked}");
        assert!(asked.contains(&format!("host={authority}")), "{asked}");
        assert!(asked.contains("protocol=http "), "{asked}");
    }
    // What the server refuses is told to the helper.
    sandbox.write("../asked", "");
    server.behave(|b| b.credentials = Some(Credentials::new("ann", "another")));
    fail_and_look(&sandbox, &["helper"], &[]);
    let asked = sandbox.text("../asked");
    assert!(
        asked.contains("erase ") && !asked.contains("store "),
        "{asked}"
    );
    // A helper of another address is not asked.
    let other = format!("[credential \"http://127.0.0.2/\"]\n\thelper = {program}\n");
    sandbox.write("../home/.gitconfig", other);
    sandbox.write("../asked", "");
    fail_and_look(&sandbox, &["helper"], &[]);
    assert_eq!(sandbox.text("../asked"), "");
}

#[test]
fn without_credentials_the_message_says_how_to_give_them() {
    let sandbox = Sandbox::new();
    let server = guarded(&sandbox, Credentials::new("ann", SECRET));
    manifest(&sandbox, &server.url("web.git"));
    sandbox
        .run("build")
        .fails(5)
        .says([&*server.url("web.git"), &token(&server), "credential"]);
    // Wrong ones are refused by name, and none of it is shown.
    server.behave(|b| b.credentials = Some(Credentials::new("ann", "another")));
    let run = fail_and_look(&sandbox, &[], &[(&token(&server), SECRET)]);
    run.says([server.url("web.git")]);
    manifest(
        &sandbox,
        &server.url_as(&format!("ann:{SECRET}"), "web.git"),
    );
    // Not even where the manifest's own line is shown.
    fail_and_look(&sandbox, &["project/cookpack.toml"], &[]);
}

#[test]
fn a_redirect_to_elsewhere_carries_no_credentials() {
    let sandbox = Sandbox::new();
    let (from, to) = (GitServer::start(&sandbox), GitServer::start(&sandbox));
    to.cookbook("web");
    from.behave(|b| b.redirect = Some(("/old/".to_owned(), to.url(""), 302)));
    let header = format!("[http]\n\textraHeader = X-Token: {SECRET}\n");
    let aimed = format!(
        "[http \"{}\"]\n\textraHeader = Authorization: Basic {}\n",
        from.url(""),
        // ann:hunter2-is-quite-secret
        "YW5uOmh1bnRlcjItaXMtcXVpdGUtc2VjcmV0"
    );
    for (url, config, variables) in [
        (
            from.url_as(&format!("ann:{SECRET}"), "old/web.git"),
            "",
            &[][..],
        ),
        (from.url("old/web.git"), &*aimed, &[]),
        (from.url("old/web.git"), &*header, &[]),
    ] {
        sandbox.write("../home/.gitconfig", config);
        manifest(&sandbox, &url);
        let but = ["project/cookpack.toml", "home/.gitconfig"];
        build_and_look(&sandbox, &but, variables);
        let requests = to.requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert_eq!(request.header("authorization"), None, "{request:?}");
            assert_eq!(request.header("x-token"), None, "{request:?}");
        }
    }
    // Neither do they follow when the other server asks for some.
    sandbox.write("../home/.gitconfig", "");
    to.behave(|b| b.credentials = Some(Credentials::new("ann", SECRET)));
    manifest(
        &sandbox,
        &from.url_as(&format!("ann:{SECRET}"), "old/web.git"),
    );
    fail_and_look(&sandbox, &["project/cookpack.toml"], &[]);
    assert_eq!(visitors(&to.requests()), []);
}

#[test]
fn extra_headers_are_sent_where_they_are_meant() {
    let sandbox = Sandbox::new();
    let server = guarded(&sandbox, Credentials::new("ann", SECRET));
    manifest(&sandbox, &server.url("web.git"));
    let value = "Authorization: Basic YW5uOmh1bnRlcjItaXMtcXVpdGUtc2VjcmV0";
    let config = |url: &str| {
        let config = format!("[http \"{url}\"]\n\textraHeader = {value}\n");
        sandbox.write("../home/.gitconfig", config);
    };
    config(&server.url(""));
    build_and_look(&sandbox, &["home/.gitconfig"], &[]);
    let requests = server.requests();
    assert!(requests.iter().all(|r| r.header("authorization").is_some()));
    config("http://127.0.0.1:1/");
    fail_and_look(&sandbox, &["home/.gitconfig"], &[]);
    assert_eq!(visitors(&server.requests()), []);
}

#[test]
fn nobody_is_ever_asked_at_a_prompt() {
    let sandbox = Sandbox::new();
    let server = guarded(&sandbox, Credentials::new("ann", SECRET));
    manifest(&sandbox, &server.url("web.git"));
    let script = format!(
        "#!/bin/sh\necho asked >> '{}'\necho x\n",
        sandbox.root().join("asked").display()
    );
    sandbox.write("../askpass", script);
    sandbox.chmod("../askpass", 0o755);
    let askpass = sandbox.root().join("askpass").display().to_string();
    for cli in ["0", "1"] {
        let variables = [
            ("COOKPACK_GIT_CLI", cli),
            ("GIT_ASKPASS", ""),
            ("SSH_ASKPASS", &*askpass),
        ];
        sandbox.run_with("build", &variables).fails(5);
        assert!(!sandbox.exists("../asked"), "COOKPACK_GIT_CLI={cli}");
    }
}
