//! The `git` program in the place of the library's own transports: the same results.

use crate::support::{GitServer, Sandbox, Sshd, have_ssh};

/// A `git` in the PATH that writes down what it is asked. Returns the PATH.
fn watched(sandbox: &Sandbox) -> String {
    let path = std::env::var("PATH").expect("PATH");
    let log = sandbox.root().join("git-log");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\nPATH='{path}'\nexport PATH\nexec git \"$@\"\n",
        log.display()
    );
    sandbox.write("../bin/git", script);
    sandbox.chmod("../bin/git", 0o755);
    format!("{}:{path}", sandbox.root().join("bin").display())
}

fn asked(sandbox: &Sandbox) -> String {
    match sandbox.exists("../git-log") {
        true => {
            let log = sandbox.text("../git-log");
            sandbox.remove("../git-log");
            log
        }
        false => String::new(),
    }
}

#[test]
fn both_ways_give_the_same_archive_and_the_same_lock() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    repo.executable("files/run", "#!/bin/sh\n");
    repo.write("files/dos", "a\r\n").commit("two");
    repo.git_args(&["tag", "-a", "-m", "x", "v2"]);
    let commit = repo.cookbook(".", "web", "3.0.0").commit("three");
    repo.git("update-ref refs/pull/1/head HEAD");
    let sshd = have_ssh().then(|| Sshd::start(&sandbox));
    let client = sshd.as_ref().map(Sshd::client).unwrap_or_default();
    let path = watched(&sandbox);
    let mut urls = vec![
        "../srv/web.git".to_owned(),
        format!("file://{}", repo.folder().display()),
        server.url("web.git"),
    ];
    if let Some(sshd) = &sshd {
        urls.push(sshd.url(repo.folder()));
        urls.push(format!("kitchen:{}", repo.folder().display()));
    }
    for url in &urls {
        for option in [
            String::new(),
            ", branch = \"main\"".to_owned(),
            ", tag = \"v2\"".to_owned(),
            format!(", commit = \"{commit}\""),
            format!(", commit = \"{}\"", &commit[..8]),
            ", ref = \"refs/pull/1/head\"".to_owned(),
        ] {
            let cookbooks = format!("web = {{ git = \"{url}\"{option} }}\n");
            let build = |head: &str, cli: &str| {
                sandbox.forget();
                let text = format!("[bundle]\nname = \"bundle\"\n{head}\n[cookbooks]\n{cookbooks}");
                sandbox.write("cookpack.toml", text);
                let variables = [
                    ("PATH", &*path),
                    ("GIT_SSH_COMMAND", &*client),
                    ("COOKPACK_GIT_CLI", cli),
                ];
                sandbox.run_with("build", &variables).ok();
                let lock = sandbox.text("cookpack.lock");
                (sandbox.read("bundle.tar.gz"), lock, asked(&sandbox))
            };
            let (bytes, lock, own) = build("", "");
            assert_eq!(own, "", "the library needs no git: {url} {option}");
            // What is on this machine is read without any program.
            let fetches = |log: &str| {
                url.contains("srv/web.git") && !url.contains(':')
                    || url.starts_with("file:")
                    || log.contains("fetch")
            };
            let (by_variable, variable_lock, log) = build("", "1");
            assert!(fetches(&log), "{url} {option}: {log}");
            assert!(by_variable == bytes, "{url} {option}");
            assert_eq!(variable_lock, lock, "{url} {option}");
            let (by_setting, setting_lock, log) = build("[git]\nexecutable = true\n", "");
            assert!(fetches(&log), "{url} {option}: {log}");
            assert!(by_setting == bytes, "{url} {option}");
            // How it is fetched is no part of what is wanted.
            assert_eq!(setting_lock, lock, "{url} {option}");
        }
    }
}

#[test]
fn errors_have_the_same_exit_codes() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    repo.git("tag both");
    repo.git("branch both");
    for (url, option, code) in [
        (server.url("absent.git"), "", 5),
        ("../srv/absent.git".to_owned(), "", 5),
        (server.url("web.git"), ", branch = \"absent\"", 1),
        (server.url("web.git"), ", tag = \"absent\"", 1),
        (server.url("web.git"), ", ref = \"both\"", 1),
        (server.url("web.git"), ", commit = \"deadbeef\"", 1),
        (server.url("web.git"), ", rel = \"absent\"", 1),
    ] {
        sandbox.manifest(&format!("web = {{ git = \"{url}\"{option} }}\n"));
        for cli in ["", "1"] {
            sandbox.forget();
            let run = sandbox.run_with("build", &[("COOKPACK_GIT_CLI", cli)]);
            run.fails(code).says([&*url]);
        }
    }
    // Without the program it says what is missing.
    sandbox.manifest(&format!(
        "web = {{ git = \"{}\" }}\n",
        server.url("web.git")
    ));
    let variables = [("COOKPACK_GIT_CLI", "1"), ("PATH", "/nowhere")];
    let run = sandbox.run_with("build", &variables);
    assert!(matches!(run.code, Some(1 | 5)), "{run}");
    run.says(["git", "COOKPACK_GIT_CLI"]);
    sandbox.run_with("build", &[("PATH", "/nowhere")]).ok();
}

#[test]
fn an_environment_of_git_does_not_lead_it_astray() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    server.cookbook("web");
    // As in a hook, where git sets these for what it runs.
    let other = sandbox.repo("other");
    other.cookbook(".", "other", "1.0.0").commit("x");
    let before = other.git("for-each-ref");
    let git_dir = other.folder().join(".git").display().to_string();
    for cli in ["", "1"] {
        sandbox.forget();
        let variables = [
            ("COOKPACK_GIT_CLI", cli),
            ("GIT_DIR", &*git_dir),
            ("GIT_INDEX_FILE", "/nowhere/index"),
            ("GIT_OBJECT_DIRECTORY", "/nowhere/objects"),
            ("GIT_WORK_TREE", "/nowhere"),
            ("GIT_CEILING_DIRECTORIES", "/"),
        ];
        for url in [server.url("web.git"), "../srv/web.git".to_owned()] {
            sandbox.pack_with(&format!("git = \"{url}\""), &variables);
        }
        assert_eq!(other.git("for-each-ref"), before);
    }
}
