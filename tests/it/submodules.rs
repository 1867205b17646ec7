//! Submodules: packed where a packed path lies in one, and nowhere else looked at.

use crate::support::{GitServer, Purpose, Repo, Sandbox, count};

/// A server with a repository `sub.git` of two files, and its commit.
fn served(sandbox: &Sandbox) -> (GitServer, Repo, String) {
    let server = GitServer::start(sandbox);
    let sub = server.repo("sub.git");
    sub.write("default.rb", "log 'from the submodule'\n");
    sub.executable("run", "#!/bin/sh\n");
    let commit = sub.commit("sub");
    // What is pinned is not what the branch has by now.
    sub.write("default.rb", "log 'too new'\n").commit("later");
    (server, sub, commit)
}

/// A repository `web.git` with a cookbook whose `files/sub` is a submodule.
fn with_submodule(server: &GitServer, url: &str, commit: &str) -> Repo {
    let repo = server.repo("web.git");
    repo.cookbook(".", "web", "1.0.0");
    repo.submodule("files/sub", url, commit).commit("web");
    repo
}

#[test]
fn what_lies_in_a_submodule_is_packed() {
    let sandbox = Sandbox::new();
    let (server, sub, commit) = served(&sandbox);
    let by_path = "../srv/web.git".to_owned();
    for (url, sub_url) in [
        (server.url("web.git"), "../sub.git".to_owned()),
        (server.url("web.git"), "./../sub.git".to_owned()),
        (server.url("web.git"), server.url("sub.git")),
        (by_path.clone(), "../sub.git".to_owned()),
        (by_path.clone(), sub.folder().display().to_string()),
        (by_path, server.url("sub.git")),
    ] {
        sandbox.forget();
        let web = with_submodule(&server, &sub_url, &commit);
        let archive = sandbox.pack(&format!("git = \"{url}\""));
        let shown = format!("{url} {sub_url}");
        let text = archive.text("web/files/sub/default.rb");
        assert_eq!(text, "log 'from the submodule'\n", "{shown}");
        assert_eq!(archive.member("web/files/sub/run").mode(), 0o755, "{shown}");
        let lock = sandbox.text("cookpack.lock");
        assert!(lock.contains(&commit), "{shown}: {lock}");
        // Locked and stored, it needs no network.
        server.requests();
        let bytes = sandbox.read("../packed.tar.gz");
        assert!(sandbox.build_bytes("--frozen") == bytes, "{shown}");
        assert_eq!(server.requests().len(), 0, "{shown}");
        // And from the lock into an empty store.
        std::fs::remove_dir_all(sandbox.store()).expect("the store");
        assert!(sandbox.build_bytes("--locked") == bytes, "{shown}");
        std::fs::remove_dir_all(web.folder()).expect("the repository");
    }
}

#[test]
fn submodules_of_submodules_are_packed_too() {
    let sandbox = Sandbox::new();
    let (server, _, commit) = served(&sandbox);
    let middle = server.repo("deep/middle.git");
    middle.write("middle", "x");
    let middle_commit = middle
        .submodule("inner", "../../sub.git", &commit)
        .commit("middle");
    let repo = server.repo("web.git");
    repo.cookbook(".", "web", "1.0.0");
    repo.submodule("files/middle", "../deep/middle.git", &middle_commit);
    repo.commit("web");
    let archive = sandbox.pack(&format!("git = \"{}\"", server.url("web.git")));
    assert!(archive.has("web/files/middle/middle"));
    let text = archive.text("web/files/middle/inner/default.rb");
    assert_eq!(text, "log 'from the submodule'\n");
    let lock = sandbox.text("cookpack.lock");
    assert!(
        lock.contains(&commit) && lock.contains(&middle_commit),
        "{lock}"
    );
    server.requests();
    sandbox.ok("build --frozen");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_whole_cookbook_may_be_a_submodule() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let sub = server.repo("base.git");
    let commit = sub.cookbook(".", "base", "1.0.0").commit("base");
    let nested = server.repo("nested.git");
    let nested_commit = nested
        .cookbook("cookbooks/nested", "nested", "1.0.0")
        .commit("x");
    let repo = server.repo("mono.git");
    repo.write("README", "x");
    repo.submodule("cookbooks/base", "../base.git", &commit);
    repo.submodule("vendor", "../nested.git", &nested_commit);
    repo.commit("mono");
    let url = server.url("mono.git");
    sandbox.manifest(&format!(
        "base = {{ git = \"{url}\", rel = \"cookbooks/base\" }}\n\
         nested = {{ git = \"{url}\", rel = \"vendor/cookbooks/nested\" }}\n"
    ));
    let archive = sandbox.build("");
    assert!(archive.has("base/metadata.json") && archive.has("nested/metadata.json"));
}

#[test]
fn what_is_not_packed_is_not_fetched() {
    let sandbox = Sandbox::new();
    let (server, _, commit) = served(&sandbox);
    let repo = server.repo("web.git");
    repo.cookbook("cookbooks/web", "web", "1.0.0");
    repo.submodule("elsewhere", "../sub.git", &commit);
    repo.submodule("cookbooks/web/test/fixtures", "../absent.git", &commit);
    repo.write("cookbooks/web/chefignore", "test/*\ntest\n");
    // Without an entry, too: nobody asks.
    repo.gitlink("nowhere", &commit).commit("web");
    let url = server.url("web.git");
    sandbox.pack(&format!("git = \"{url}\", rel = \"cookbooks/web\""));
    let requests = server.requests();
    assert!(!requests.is_empty());
    assert!(
        requests.iter().all(|r| r.path.starts_with("/web.git/")),
        "{requests:?}"
    );
    assert_eq!(count(&requests, Purpose::Objects), 1);
    assert!(!sandbox.text("cookpack.lock").contains(&commit));
}

#[test]
fn a_submodule_that_cannot_be_had_is_told_of() {
    let sandbox = Sandbox::new();
    let (server, _, commit) = served(&sandbox);
    let url = server.url("web.git");
    let refused = |codes: [i32; 2], says: &[&str]| {
        sandbox.forget();
        sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
        let run = sandbox.run("build").says(says.iter().copied());
        assert!(run.code.is_some_and(|c| codes.contains(&c)), "{run}");
        assert!(!sandbox.exists("cookpack.lock"));
    };
    // No entry in .gitmodules.
    let repo = server.repo("web.git");
    repo.cookbook(".", "web", "1.0.0");
    repo.gitlink("files/sub", &commit).commit("no entry");
    refused([1, 1], &["files/sub", ".gitmodules"]);
    // A commit that the remote does not have.
    let absent = "0123456789012345678901234567890123456789";
    repo.submodule("files/sub", "../sub.git", absent)
        .commit("absent");
    refused([1, 5], &["files/sub", "sub.git", &absent[..7]]);
    // A remote that is not there.
    repo.write(".gitmodules", "")
        .submodule("files/sub", "../absent.git", &commit);
    repo.commit("no remote");
    refused([5, 5], &["files/sub", "absent.git"]);
    // Addresses that a repository has no business to name.
    for bad in [
        "ext::sh -c touch% trapped",
        "--upload-pack=touch trapped",
        "ssh://-oProxyCommand=touch/x",
        "",
        "../../../../../../../../etc",
    ] {
        repo.write(".gitmodules", "")
            .submodule("files/sub", bad, &commit);
        repo.commit("bad");
        refused([1, 5], &["files/sub"]);
        assert!(!sandbox.exists("trapped"), "{bad}");
    }
    // A remote repository may not reach into this machine's files.
    let local = sandbox.repo("local");
    local.write("secret", "x");
    let commit = local.commit("x");
    for bad in [
        local.folder().display().to_string(),
        format!("file://{}", local.folder().display()),
    ] {
        repo.write(".gitmodules", "")
            .submodule("files/sub", &bad, &commit);
        repo.commit("local");
        refused([1, 5], &["files/sub"]);
    }
}

#[test]
fn a_submodule_within_itself_ends() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.repo("web.git");
    let first = repo.cookbook(".", "web", "1.0.0").commit("1");
    let mut commit = first;
    // Each commit has the one before as a submodule of the same repository.
    for i in 0..3 {
        repo.write(".gitmodules", "")
            .submodule("files/again", "../web.git", &commit);
        commit = repo.commit(&i.to_string());
    }
    let archive = sandbox.pack(&format!("git = \"{}\"", server.url("web.git")));
    let deepest = "web/files/again/files/again/files/again/metadata.rb";
    assert!(archive.has(deepest), "{:?}", archive.paths());
}

#[test]
fn another_commit_of_a_submodule_makes_another_lock() {
    let sandbox = Sandbox::new();
    let (server, sub, commit) = served(&sandbox);
    let web = with_submodule(&server, "../sub.git", &commit);
    let source = format!("git = \"{}\"", server.url("web.git"));
    sandbox.pack(&source);
    let before = sandbox.text("cookpack.lock");
    let newer = sub.git("rev-parse HEAD");
    web.gitlink("files/sub", &newer);
    // `add -A` would take the folder as it is; the index has what is wanted.
    web.git("commit -q -m newer");
    sandbox.ok("build");
    assert_eq!(sandbox.text("cookpack.lock"), before, "a lock holds");
    sandbox.ok("update");
    let after = sandbox.text("cookpack.lock");
    assert!(
        after.contains(&newer) && !after.contains(&commit),
        "{after}"
    );
    let archive = sandbox.build("--locked");
    assert_eq!(archive.text("web/files/sub/default.rb"), "log 'too new'\n");
}
