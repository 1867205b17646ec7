//! The peers that other tests fetch from are what they seem: git's own clients say so.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{
    Authority, Credentials, GitServer, Purpose, Run, Sandbox, Shallow, Sshd, count, finish, have,
    have_ssh, lines, pointer, sha256,
};

/// Runs git as a user with nothing configured.
fn git(sandbox: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new("git");
    command
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("PATH"))
        .env("HOME", sandbox.home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .envs(variables.iter().copied())
        .current_dir(sandbox.project());
    finish(&mut command)
}

fn commits(sandbox: &Sandbox, folder: &str) -> usize {
    let run = git(sandbox, &["-C", folder, "rev-list", "--all"], &[]).ok();
    run.lines().len()
}

/// A server with a repository of two commits.
fn served(sandbox: &Sandbox) -> GitServer {
    let server = GitServer::start(sandbox);
    let repo = server.cookbook("web");
    repo.cookbook(".", "web", "2.0.0").commit("two");
    server
}

#[test]
fn git_clones_over_http_in_both_versions_of_the_protocol() {
    let sandbox = Sandbox::new();
    let server = served(&sandbox);
    let url = server.url("web.git");
    git(&sandbox, &["clone", "-q", &url, "two"], &[]).ok();
    assert_eq!(commits(&sandbox, "two"), 2);
    let requests = server.requests();
    assert_eq!(count(&requests, Purpose::Greeting), 1);
    assert_eq!(count(&requests, Purpose::Refs), 1);
    assert!(count(&requests, Purpose::Objects) >= 1);
    assert!(lines(&requests[1]).contains(&"ref-prefix refs/heads/".to_owned()));
    assert_eq!(requests[0].header("git-protocol"), Some("version=2"));
    git(
        &sandbox,
        &["clone", "-q", "--depth", "1", &url, "shallow"],
        &[],
    )
    .ok();
    assert_eq!(commits(&sandbox, "shallow"), 1);
    server.behave(|b| b.only_v0 = true);
    server.requests();
    git(
        &sandbox,
        &["clone", "-q", "--depth", "1", &url, "zero"],
        &[],
    )
    .ok();
    assert_eq!(count(&server.requests(), Purpose::Refs), 0, "no version 2");
    assert_eq!(commits(&sandbox, "zero"), 1);
}

#[test]
fn a_server_refuses_what_is_shallow_in_both_ways() {
    let sandbox = Sandbox::new();
    let server = served(&sandbox);
    let url = server.url("web.git");
    for (refusal, says) in [
        (Shallow::NotOffered, "shallow"),
        (Shallow::Refused, "unexpected line"),
    ] {
        for only_v0 in [false, true] {
            server.behave(|b| {
                b.shallow = refusal;
                b.only_v0 = only_v0;
            });
            let run = git(&sandbox, &["clone", "-q", "--depth", "1", &url, "x"], &[]);
            assert_ne!(run.code, Some(0), "{run}");
            run.says([says]);
            git(&sandbox, &["clone", "-q", &url, "whole"], &[]).ok();
            assert_eq!(commits(&sandbox, "whole"), 2);
            sandbox.remove("whole");
        }
    }
}

#[test]
fn a_server_lets_nobody_in_but_whom_it_knows() {
    let sandbox = Sandbox::new();
    let server = served(&sandbox);
    server.behave(|b| b.credentials = Some(Credentials::new("ann", "s3cret:x")));
    let run = git(&sandbox, &["clone", "-q", &server.url("web.git"), "x"], &[]);
    assert_ne!(run.code, Some(0), "{run}");
    let url = server.url_as("ann:wrong", "web.git");
    let run = git(&sandbox, &["clone", "-q", &url, "x"], &[]);
    assert_ne!(run.code, Some(0), "{run}");
    let url = server.url_as("ann:s3cret%3Ax", "web.git");
    git(&sandbox, &["clone", "-q", &url, "x"], &[]).ok();
    server.behave(|b| b.credentials = Some(Credentials::password("s3cret:x")));
    let url = server.url_as("anyone:s3cret%3Ax", "web.git");
    git(&sandbox, &["clone", "-q", &url, "y"], &[]).ok();
}

#[test]
fn a_server_misbehaves_when_it_is_told_to() {
    let sandbox = Sandbox::new();
    let server = served(&sandbox);
    let url = server.url("web.git");
    let clone = |to: &str| git(&sandbox, &["clone", "-q", &url, to], &[]);
    server.behave(|b| b.cut_packs = 1);
    let run = clone("cut");
    assert_ne!(run.code, Some(0), "{run}");
    clone("after").ok();
    server.behave(|b| b.failures = vec![(503, Some(1))]);
    let run = clone("busy").says(["503"]);
    assert_ne!(run.code, Some(0), "{run}");
    clone("free").ok();
    server.behave(|b| b.login_page = true);
    let run = clone("page").says(["not valid"]);
    assert_ne!(run.code, Some(0), "{run}");
    server.behave(|b| b.login_page = false);
    let other = served(&Sandbox::new());
    other.requests();
    let to = server.url("");
    other.behave(|b| b.redirect = Some(("/moved/".to_owned(), to, 302)));
    let moved = other.url("moved/web.git");
    git(&sandbox, &["clone", "-q", &moved, "moved"], &[]).ok();
    assert_eq!(other.requests().len(), 1, "then only the other was asked");
    server.behave(|b| b.lasts = Duration::from_millis(500));
    let started = Instant::now();
    clone("slow").ok();
    assert!(started.elapsed() >= Duration::from_millis(450));
}

#[test]
fn a_server_that_was_stopped_answers_nobody() {
    let sandbox = Sandbox::new();
    let mut server = served(&sandbox);
    server.stop();
    let run = git(&sandbox, &["clone", "-q", &server.url("web.git"), "x"], &[]);
    assert_ne!(run.code, Some(0), "{run}");
    assert!(server.requests().is_empty());
}

#[test]
fn git_clones_over_tls_where_it_trusts_the_authority() {
    if !have("openssl") {
        return;
    }
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.root().join("ca"));
    let server = GitServer::start_tls(&sandbox, authority.server());
    server.cookbook("web");
    let url = server.url("web.git");
    assert!(url.starts_with("https://localhost:"));
    let run = git(&sandbox, &["clone", "-q", &url, "x"], &[]);
    assert_ne!(run.code, Some(0), "{run}");
    let certificate = authority.certificate();
    let trusted = [("GIT_SSL_CAINFO", certificate.to_str().expect("UTF-8"))];
    git(&sandbox, &["clone", "-q", &url, "x"], &trusted).ok();
}

#[test]
fn large_files_are_given_by_batch() {
    let sandbox = Sandbox::new();
    let server = served(&sandbox);
    let content = b"large".to_vec();
    let id = sha256(&content);
    assert!(pointer(&content).contains(&id));
    server.behave(|b| {
        b.lfs.objects.insert(id.clone(), content.clone());
        b.lfs.token = Some("RemoteAuth t0ken".to_owned());
    });
    if !have("python3") {
        return;
    }
    let script = format!(
        "import json, urllib.request as u\n\
         kind = 'application/vnd.git-lfs+json'\n\
         body = dict(operation='download', transfers=['basic'], objects=[\n\
         \x20 dict(oid='{id}', size=5), dict(oid='0'*64, size=1)])\n\
         r = u.Request('{}', json.dumps(body).encode(), {{'Accept': kind, 'Content-Type': kind}})\n\
         found, absent = json.load(u.urlopen(r))['objects']\n\
         assert absent['error']['code'] == 404, absent\n\
         d = found['actions']['download']\n\
         print(u.urlopen(u.Request(d['href'], headers=d['header'])).read().decode())\n\
         try:\n\
         \x20 u.urlopen(d['href'])\n\
         except u.HTTPError as e:\n\
         \x20 print(e.code)\n",
        server.url("web.git/info/lfs/objects/batch")
    );
    let run = finish(Command::new("python3").arg("-c").arg(script)).ok();
    assert_eq!(run.lines(), ["large", "403"], "{run}");
}

#[test]
fn git_clones_over_ssh() {
    if !have_ssh() {
        return;
    }
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("../srv/it's a \"web\"!");
    repo.cookbook(".", "web", "1.0.0").commit("one");
    let sshd = Sshd::start(&sandbox);
    let clone = |from: &str, to: &str, client: &str| {
        let variables = [("GIT_SSH_COMMAND", client)];
        git(&sandbox, &["clone", "-q", from, to], &variables)
    };
    let folder = sandbox.root().join("srv/it's a \"web\"!");
    clone(&sshd.url(&folder), "x", &sshd.client()).ok();
    let sessions = sshd.sessions();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert!(
        sessions[0].starts_with("version=2|git-upload-pack '"),
        "{sessions:?}"
    );
    let scp = format!("kitchen:{}", folder.display());
    clone(&scp, "y", &sshd.client()).ok();
    assert_eq!(commits(&sandbox, "y"), 1);
    for (name, known_hosts, key, says) in [
        (
            "unknown",
            "nobody",
            "user_key",
            "Host key verification failed",
        ),
        (
            "changed",
            "changed_hosts",
            "user_key",
            "IDENTIFICATION HAS CHANGED",
        ),
        ("stranger", "known_hosts", "other_key", "Permission denied"),
    ] {
        sshd.trust("changed_hosts", "other_key");
        sshd.write_client(name, known_hosts, key);
        let client = format!("{} -o BatchMode=yes", sshd.client_of(name));
        let run = clone(&sshd.url(&folder), name, &client).says([says]);
        assert_ne!(run.code, Some(0), "{run}");
        assert!(!sandbox.exists(name));
    }
}
