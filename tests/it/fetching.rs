//! As little as possible is fetched, once, and what was fetched needs no network.

use std::time::Duration;

use crate::support::{
    GitServer, Mirror, Purpose, Repo, Sandbox, Shallow, Sshd, count, have_ssh, lines, noise,
};

/// A repository with a history of which each commit has a file of its own. Returns its commits.
fn long_history(server: &GitServer) -> Vec<String> {
    let repo = server.repo("web.git");
    let commits = (1..=20_u32).map(|i| {
        repo.cookbook(".", "web", &format!("{i}.0.0"));
        repo.write("files/changing", i.to_string().repeat(100));
        repo.commit(&i.to_string())
    });
    commits.collect()
}

#[test]
fn only_the_wanted_commit_comes() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let commits = long_history(&server);
    let repo_url = server.url("web.git");
    for only_v0 in [false, true] {
        server.behave(|b| b.only_v0 = only_v0);
        sandbox.forget();
        assert_eq!(sandbox.version(&format!("git = \"{repo_url}\"")), "20.0.0");
        let mirror = Mirror::of(&sandbox, "web");
        assert_eq!(mirror.objects("commit"), [commits[19].clone()]);
        assert_eq!(mirror.objects("blob").len(), 3, "the files of one commit");
        // An older one comes in addition to it.
        let source = format!("git = \"{repo_url}\", commit = \"{}\"", commits[4]);
        if !only_v0 {
            assert_eq!(sandbox.version(&source), "5.0.0");
            let mut wanted = vec![commits[4].clone(), commits[19].clone()];
            wanted.sort();
            assert_eq!(Mirror::of(&sandbox, "web").objects("commit"), wanted);
        }
    }
}

#[test]
fn only_the_wanted_commit_comes_through_ssh() {
    if !have_ssh() {
        return;
    }
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let commits = long_history(&server);
    let sshd = Sshd::start(&sandbox);
    let url = sshd.url(&sandbox.root().join("srv/web.git"));
    let source = format!("git = \"{url}\"");
    sandbox.pack_with(&source, &[("GIT_SSH_COMMAND", &sshd.client())]);
    let mirror = Mirror::of(&sandbox, "web");
    assert_eq!(mirror.objects("commit"), [commits[19].clone()]);
    assert_eq!(
        sshd.sessions().len(),
        1,
        "one connection: {:?}",
        sshd.sessions()
    );
}

#[test]
fn a_server_without_shallow_fetches_gives_its_whole_history() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let commits = long_history(&server);
    let source = format!(
        "git = \"{}\", commit = \"{}\"",
        server.url("web.git"),
        commits[7]
    );
    sandbox.pack(&source);
    let wanted = sandbox.read("../packed.tar.gz");
    for shallow in [Shallow::NotOffered, Shallow::Refused] {
        for only_v0 in [false, true] {
            server.behave(|b| {
                b.shallow = shallow;
                b.only_v0 = only_v0;
            });
            sandbox.forget();
            sandbox.pack(&source);
            assert!(
                sandbox.read("../packed.tar.gz") == wanted,
                "{shallow:?} {only_v0}"
            );
            assert!(Mirror::of(&sandbox, "web").objects("commit").len() >= 8);
            // What came whole answers later without the network.
            sandbox.ok("build --locked --offline");
        }
    }
}

#[test]
fn one_fetch_brings_all_cookbooks_of_a_repository_at_all_its_references() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.repo("mono.git");
    for i in 0..5 {
        repo.cookbook(&format!("cookbooks/cb{i}"), &format!("cb{i}"), "1.0.0");
    }
    repo.commit("1");
    repo.git("tag old");
    for i in 0..5 {
        repo.cookbook(&format!("cookbooks/cb{i}"), &format!("cb{i}"), "2.0.0");
    }
    repo.commit("2");
    let url = server.url("mono.git");
    let manifest: String = (0..5)
        .map(|i| {
            let tag = if i % 2 == 0 { ", tag = \"old\"" } else { "" };
            format!("cb{i} = {{ git = \"{url}\", rel = \"cookbooks/cb{i}\"{tag} }}\n")
        })
        .collect();
    sandbox.manifest(&manifest);
    let archive = sandbox.build("");
    assert!(archive.text("cb0/metadata.rb").contains("1.0.0"));
    assert!(archive.text("cb1/metadata.rb").contains("2.0.0"));
    let requests = server.requests();
    let counts = [Purpose::Greeting, Purpose::Refs, Purpose::Objects].map(|p| count(&requests, p));
    assert_eq!(counts, [1, 1, 1], "{requests:#?}");
    assert_eq!(Mirror::all(&sandbox).len(), 1);
    // From a lock, into an empty store: one fetch again.
    std::fs::remove_dir_all(sandbox.store()).expect("the store");
    sandbox.ok("build --locked");
    assert_eq!(count(&server.requests(), Purpose::Objects), 1);
}

#[test]
fn what_is_locked_and_stored_needs_no_network() {
    let sandbox = Sandbox::new();
    let mut server = GitServer::start(&sandbox);
    let commits = long_history(&server);
    let url = server.url("web.git");
    for source in [
        format!("git = \"{url}\", branch = \"main\""),
        format!("git = \"{url}\""),
    ] {
        sandbox.pack(&source);
    }
    sandbox.ok("build");
    let wanted = sandbox.read("bundle.tar.gz");
    server.requests();
    for args in [
        "build",
        "build --locked",
        "build --offline",
        "build --frozen",
        "vendor v",
        "tree",
    ] {
        sandbox.ok(args);
        assert_eq!(server.requests().len(), 0, "{args}");
    }
    server.stop();
    sandbox.ok("build");
    assert!(sandbox.read("bundle.tar.gz") == wanted);
    // A whole commit's id that is stored needs no lock either.
    sandbox.pack(&format!("git = \"{url}\", commit = \"{}\"", commits[19]));
}

#[test]
fn without_a_network_it_says_which_commit_is_missing() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let commits = long_history(&server);
    let url = server.url("web.git");
    sandbox.pack(&format!("git = \"{url}\""));
    std::fs::remove_dir_all(sandbox.store()).expect("the store");
    server.requests();
    for args in ["build --offline", "build --frozen"] {
        let run = sandbox.run(args).fails(5);
        run.says([&*url, &commits[19][..7]]);
    }
    sandbox.forget();
    sandbox.manifest(&format!("web = {{ git = \"{url}\", branch = \"main\" }}\n"));
    sandbox
        .run("build --offline")
        .fails(5)
        .says([&*url, "main"]);
    assert_eq!(server.requests().len(), 0);
    assert_eq!(Mirror::all(&sandbox), []);
}

#[test]
fn several_repositories_are_fetched_at_once() {
    let build = |jobs: &str| {
        let sandbox = Sandbox::new();
        let server = GitServer::start(&sandbox);
        let mut manifest = String::new();
        for i in 0..6 {
            server.cookbook(&format!("cb{i}"));
            let url = server.url(&format!("cb{i}.git"));
            manifest += &format!("cb{i} = {{ git = \"{url}\" }}\n");
        }
        sandbox.manifest(&manifest);
        server.behave(|b| b.thinks = Duration::from_millis(1200));
        let bytes = sandbox.build_bytes(jobs);
        (bytes, server.most_at_once())
    };
    let (alone, most) = build("--jobs 1");
    assert_eq!(most, 1);
    let (several, most) = build("--jobs 3");
    assert!((2..=3).contains(&most), "{most} at once");
    assert!(alone == several);
    let (many, most) = build("--jobs 6");
    assert!((4..=6).contains(&most), "{most} at once");
    assert!(alone == many);
}

#[test]
fn only_the_references_that_matter_are_listed() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    long_history(&server);
    let repo = sandbox.root().join("srv/web.git");
    for name in ["refs/tags/x", "refs/pull/1/head"] {
        Repo::init(&repo).git(&format!("update-ref {name} HEAD"));
    }
    let url = server.url("web.git");
    for (option, wanted, unwanted) in [
        ("branch = \"main\"", "refs/heads/main", "refs/tags/x"),
        ("tag = \"x\"", "refs/tags/x", "refs/heads/main"),
        (
            "ref = \"refs/pull/1/head\"",
            "refs/pull/1/head",
            "refs/heads/main",
        ),
    ] {
        server.requests();
        sandbox.forget();
        sandbox.manifest(&format!("web = {{ git = \"{url}\", {option} }}\n"));
        sandbox.ok("build");
        let requests = server.requests();
        let asked: Vec<String> = requests.iter().flat_map(lines).collect();
        let prefixes: Vec<_> = asked
            .iter()
            .filter_map(|line| line.strip_prefix("ref-prefix "))
            .collect();
        assert!(
            prefixes.iter().any(|p| wanted.starts_with(p)),
            "{prefixes:?}"
        );
        assert!(
            !prefixes.iter().any(|p| unwanted.starts_with(p)),
            "{prefixes:?}"
        );
    }
}

#[test]
fn a_large_repository_is_whole() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    // Among them one above what a side band's packet can take, and one that deltas well.
    for i in 0..60 {
        repo.write(&format!("files/{i}"), noise(40_000 + i * 997, i as u64 + 1));
    }
    repo.write("files/long", "a line of text\n".repeat(200_000));
    repo.write("files/longer", "a line of text\n".repeat(200_001));
    repo.commit("files");
    for only_v0 in [false, true] {
        server.behave(|b| b.only_v0 = only_v0);
        sandbox.forget();
        let archive = sandbox.pack(&format!("git = \"{}\"", server.url("web.git")));
        for i in 0..60 {
            let found = &archive.member(&format!("web/files/{i}")).data;
            assert!(*found == noise(40_000 + i * 997, i as u64 + 1), "{i}");
        }
        let long = &archive.member("web/files/longer").data;
        assert!(*long == "a line of text\n".repeat(200_001).into_bytes());
    }
}

#[test]
fn progress_is_a_line_for_each_repository_on_a_pipe() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    server.cookbook("web");
    server.cookbook("base");
    sandbox.manifest(&format!(
        "web = {{ git = \"{}\" }}\nbase = {{ git = \"{}\" }}\n",
        server.url("web.git"),
        server.url("base.git")
    ));
    let run = sandbox.ok("build");
    for name in ["web.git", "base.git"] {
        let told = run.stderr.lines().filter(|l| l.contains(&server.url(name)));
        assert_eq!(told.count(), 1, "{name}: {run}");
    }
    assert!(
        !run.stderr.contains('\r') && !run.stderr.contains('\x1b'),
        "{run}"
    );
    sandbox.forget();
    let quiet = sandbox.ok("build --quiet");
    assert_eq!(quiet.stderr, "");
    let again = sandbox.ok("build").never_says("web.git");
    again.never_says("base.git");
}
