//! Git LFS: pointers are never packed by mistake, and are followed where that is asked for.

use crate::support::{
    Credentials, GitServer, HttpRequest, Repo, Sandbox, Sshd, have_ssh, noise, nowhere, pointer,
    sha256,
};

const SECRET: &str = "hunter2-for-large-files";

fn large() -> Vec<u8> {
    noise(100_000, 3)
}

/// A repository `web.git` with a cookbook that has a pointer to the large file.
fn served(sandbox: &Sandbox) -> (GitServer, Repo) {
    let server = GitServer::start(sandbox);
    let repo = server.cookbook("web");
    repo.write("files/large.bin", pointer(&large()));
    repo.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    repo.commit("pointer");
    server.behave(|b| {
        b.lfs.objects.insert(sha256(large()), large());
    });
    (server, repo)
}

fn source(server: &GitServer) -> String {
    format!("git = \"{}\", lfs = true", server.url("web.git"))
}

#[test]
fn a_pointer_in_a_packed_path_is_an_error() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    for url in [server.url("web.git"), "../srv/web.git".to_owned()] {
        sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
        let run = sandbox.run("build").fails(1);
        run.says(["files/large.bin", "lfs = true"]);
    }
    let requests = server.requests();
    assert!(
        requests.iter().all(|r| !r.path.contains("lfs")),
        "{requests:?}"
    );
}

#[test]
fn what_is_not_packed_may_be_a_pointer() {
    let sandbox = Sandbox::new();
    let (server, repo) = served(&sandbox);
    repo.write("chefignore", "*.bin\n").commit("ignored");
    let url = server.url("web.git");
    let archive = sandbox.pack(&format!("git = \"{url}\""));
    assert!(!archive.has("web/files/large.bin"));
    repo.cookbook("cookbooks/base", "web", "1.0.0")
        .commit("beside");
    sandbox.forget();
    sandbox.pack(&format!(
        "git = \"{url}\", rel = \"cookbooks/base\", lfs = true"
    ));
    let requests = server.requests();
    assert!(
        requests.iter().all(|r| !r.path.contains("lfs")),
        "{requests:?}"
    );
}

#[test]
fn large_files_are_fetched_and_checked() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    let archive = sandbox.pack(&source(&server));
    assert!(archive.member("web/files/large.bin").data == large());
    // Once: what is locked and stored needs no network.
    let bytes = sandbox.read("../packed.tar.gz");
    server.requests();
    assert!(sandbox.build_bytes("--frozen") == bytes);
    assert_eq!(server.requests().len(), 0);
    std::fs::remove_dir_all(sandbox.store()).expect("the store");
    assert!(sandbox.build_bytes("--locked") == bytes);
    let batches = server.requests();
    let batches = batches.iter().filter(|r| r.path.ends_with("/batch"));
    assert_eq!(batches.count(), 1);
    // The same bytes as if they stood in git.
    let plain = server.repo("plain.git");
    plain.cookbook(".", "web", "1.0.0");
    plain.write("files/large.bin", large());
    plain.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    plain.commit("plain");
    sandbox.pack(&format!("git = \"{}\"", server.url("plain.git")));
    assert!(sandbox.read("../packed.tar.gz") == bytes);
}

#[test]
fn a_batch_asks_for_all_of_them_at_once() {
    let sandbox = Sandbox::new();
    let (server, repo) = served(&sandbox);
    for i in 0..12 {
        let content = noise(1000, i + 10);
        repo.write(&format!("files/{i}.bin"), pointer(&content));
        server.behave(|b| {
            b.lfs.objects.insert(sha256(&content), content.clone());
        });
    }
    // Two files with one content are one object.
    repo.write("files/twin.bin", pointer(&large()));
    repo.commit("more");
    let archive = sandbox.pack(&source(&server));
    for i in 0..12 {
        let found = &archive.member(&format!("web/files/{i}.bin")).data;
        assert!(*found == noise(1000, i + 10), "{i}");
    }
    assert!(archive.member("web/files/twin.bin").data == large());
    let requests = server.requests();
    let batches = requests.iter().filter(|r| r.path.ends_with("/batch"));
    assert_eq!(batches.count(), 1);
    let downloads = requests
        .iter()
        .filter(|r| r.path.starts_with("/large-files/"));
    assert_eq!(downloads.count(), 13);
}

#[test]
fn other_content_than_the_pointers_is_refused() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
    let mut flipped = large();
    flipped[5000] ^= 1;
    let mut longer = large();
    longer.push(0);
    for wrong in [flipped, longer, large()[..99_999].to_vec(), Vec::new()] {
        server.behave(|b| {
            b.lfs.objects.insert(sha256(large()), wrong.clone());
        });
        sandbox.forget();
        let run = sandbox.run("build").fails(4);
        run.says(["files/large.bin", &*sha256(large())]);
        assert!(!sandbox.exists("cookpack.lock") && !sandbox.exists("bundle.tar.gz"));
    }
    // What was refused is in nobody's way.
    server.behave(|b| {
        b.lfs.objects.insert(sha256(large()), large());
    });
    sandbox.ok("build");
}

#[test]
fn a_large_file_that_is_nowhere_is_told_of_by_name() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    server.behave(|b| b.lfs.objects.clear());
    sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
    let run = sandbox.run("build").says(["files/large.bin"]);
    assert!(matches!(run.code, Some(1 | 5)), "{run}");
    // A repository on this machine has its objects beside it.
    sandbox.manifest("web = { git = \"../srv/web.git\", lfs = true }\n");
    let run = sandbox.run("build").says(["files/large.bin"]);
    assert!(matches!(run.code, Some(1 | 5)), "{run}");
    let id = sha256(large());
    let object = format!(
        "../srv/web.git/.git/lfs/objects/{}/{}/{id}",
        &id[..2],
        &id[2..4]
    );
    sandbox.write(object, large());
    let archive = sandbox.pack("git = \"../srv/web.git\", lfs = true");
    assert!(archive.member("web/files/large.bin").data == large());
}

#[test]
fn credentials_go_to_the_server_that_they_are_for() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    let elsewhere = GitServer::start(&sandbox);
    server.behave(|b| b.credentials = Some(Credentials::new("ann", SECRET)));
    // The batch and the download of one server.
    let url = server.url_as(&format!("ann:{SECRET}"), "web.git");
    let manifest = format!("web = {{ git = \"{url}\", lfs = true }}\n");
    sandbox.manifest(&manifest);
    let run = sandbox.ok("build -v");
    nowhere(&sandbox, SECRET, &["project/cookpack.toml"], &[&run]);
    // Downloads elsewhere have what the batch says, and nothing else.
    for token in [None, Some("RemoteAuth for-this-download")] {
        server.behave(|b| {
            b.lfs.downloads_at = Some(elsewhere.url("").trim_end_matches('/').to_owned());
        });
        for one in [&server, &elsewhere] {
            one.behave(|b| {
                b.lfs.token = token.map(str::to_owned);
                b.lfs.objects.insert(sha256(large()), large());
            });
        }
        sandbox.forget();
        let run = sandbox.ok("build -v");
        nowhere(&sandbox, SECRET, &["project/cookpack.toml"], &[&run]);
        nowhere(&sandbox, "for-this-download", &[], &[&run]);
        let requests = elsewhere.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        assert_eq!(requests[0].header("authorization"), token);
    }
    // Without them, it is as with any repository.
    sandbox.forget();
    sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
    sandbox.run("build").fails(5).says([server.url("web.git")]);
}

#[test]
fn a_file_that_only_looks_like_a_pointer_is_a_file() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    let id = sha256("x");
    let version = "version https://git-lfs.github.com/spec/v1\n";
    let files = [
        (
            "spec.md",
            format!(
                "{version}oid sha256:{id}\nsize 1\n{}",
                "and more text\n".repeat(100)
            ),
        ),
        ("begins", version.to_owned()),
        (
            "quotes",
            format!("A pointer is:\n{version}oid sha256:{id}\nsize 1\n"),
        ),
        ("short", format!("{version}oid sha256:1234\nsize 1\n")),
        ("size", format!("{version}oid sha256:{id}\nsize many\n")),
        ("empty", String::new()),
    ];
    for (name, content) in &files {
        repo.write(&format!("files/{name}"), content);
    }
    repo.commit("files");
    for lfs in ["", ", lfs = true"] {
        let archive = sandbox.pack(&format!("git = \"{}\"{lfs}", server.url("web.git")));
        for (name, content) in &files {
            assert_eq!(
                archive.text(&format!("web/files/{name}")),
                content,
                "{name}"
            );
        }
    }
    let requests = server.requests();
    assert!(
        requests.iter().all(|r| !r.path.contains("lfs")),
        "{requests:?}"
    );
}

fn batches(requests: &[HttpRequest]) -> Vec<&str> {
    let paths = requests.iter().map(|request| &*request.path);
    paths.filter(|path| path.ends_with("/batch")).collect()
}

fn downloads(requests: &[HttpRequest]) -> usize {
    let paths = requests.iter().map(|request| &*request.path);
    paths
        .filter(|path| path.starts_with("/large-files/"))
        .count()
}

/// What the store has of large files, under whatever names.
fn stored(sandbox: &Sandbox) -> Vec<String> {
    let run = sandbox.shell("find \"$COOKPACK_STORE\"/lfs-1 -type f 2>/dev/null || true");
    run.lines().into_iter().map(str::to_owned).collect()
}

#[test]
fn attack_a_redirect_of_a_download_carries_no_credentials() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    let elsewhere = GitServer::start(&sandbox);
    elsewhere.behave(|b| {
        b.lfs.objects.insert(sha256(large()), large());
    });
    server.behave(|b| {
        b.credentials = Some(Credentials::new("ann", SECRET));
        b.lfs.token = Some("RemoteAuth for-this-download".to_owned());
        let to = elsewhere.url("large-files/");
        b.redirect = Some(("/large-files/".to_owned(), to, 302));
    });
    let config = format!("[http]\n\textraHeader = X-Token: {SECRET}\n");
    sandbox.write("../home/.gitconfig", config);
    let url = server.url_as(&format!("ann:{SECRET}"), "web.git");
    sandbox.manifest(&format!("web = {{ git = \"{url}\", lfs = true }}\n"));
    let run = sandbox.ok("build -v");
    let but = ["project/cookpack.toml", "home/.gitconfig"];
    nowhere(&sandbox, SECRET, &but, &[&run]);
    nowhere(&sandbox, "for-this-download", &[], &[&run]);
    let asked = server.requests();
    let download = asked.iter().find(|r| r.path.starts_with("/large-files/"));
    let download = download.expect("a download");
    assert!(download.header("authorization").is_some());
    let requests = elsewhere.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    for name in ["authorization", "x-token", "cookie"] {
        assert_eq!(requests[0].header(name), None, "{requests:?}");
    }
}

#[test]
fn attack_the_users_headers_do_not_go_where_a_batch_says() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    let elsewhere = GitServer::start(&sandbox);
    elsewhere.behave(|b| {
        b.lfs.objects.insert(sha256(large()), large());
    });
    server.behave(|b| {
        b.lfs.downloads_at = Some(elsewhere.url("").trim_end_matches('/').to_owned());
    });
    let config = format!("[http]\n\textraHeader = X-Token: {SECRET}\n");
    sandbox.write("../home/.gitconfig", config);
    let run = {
        sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
        sandbox.ok("build -v")
    };
    nowhere(&sandbox, SECRET, &["home/.gitconfig"], &[&run]);
    let requests = server.requests();
    let batch = requests.iter().find(|r| r.path.ends_with("/batch"));
    assert_eq!(batch.expect("a batch").header("x-token"), Some(SECRET));
    let requests = elsewhere.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("x-token"), None);
}

#[test]
fn attack_a_batch_leads_to_no_file_of_this_machine() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    // The very content that is wanted lies there.
    let file = format!("../large-files/{}", sha256(large()));
    sandbox.write(&file, large());
    sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
    let root = sandbox.root().display().to_string();
    for base in [
        format!("file://{root}"),
        format!("ssh://127.0.0.1{root}"),
        format!("ext::cat {root}"),
        root.clone(),
    ] {
        server.behave(|b| b.lfs.downloads_at = Some(base.clone()));
        sandbox.forget();
        let run = sandbox.run("build").fails(5);
        run.says([&*server.url("web.git")]);
        assert_eq!(stored(&sandbox), [""; 0], "{base}");
    }
}

#[test]
fn attack_what_does_not_end_where_its_pointer_says_is_not_read_on() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
    let mut longer = large();
    longer.resize(48 << 20, 7);
    server.behave(|b| {
        b.lfs.objects.insert(sha256(large()), longer);
    });
    let run = sandbox.run("build").fails(4);
    run.says(["files/large.bin", "longer than the 100000 bytes"]);
    assert_eq!(downloads(&server.requests()), 1);
    assert_eq!(stored(&sandbox), [""; 0]);
}

#[test]
fn cookbooks_share_their_large_files() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    let other = server.cookbook("app");
    other.write("files/copy.bin", pointer(&large()));
    other.cookbook("cookbooks/base", "base", "1.0.0");
    other.write("cookbooks/base/files/large.bin", pointer(&large()));
    other.commit("pointers");
    let (web, app) = (server.url("web.git"), server.url("app.git"));
    sandbox.manifest(&format!(
        "web = {{ git = \"{web}\", lfs = true }}\n\
         app = {{ git = \"{app}\", lfs = true }}\n\
         base = {{ git = \"{app}\", rel = \"cookbooks/base\", lfs = true }}\n"
    ));
    sandbox.ok("build --jobs 4");
    let requests = server.requests();
    assert_eq!(downloads(&requests), 1, "{requests:?}");
    assert_eq!(batches(&requests).len(), 1, "{requests:?}");
    assert_eq!(stored(&sandbox).len(), 1);
}

#[test]
fn a_download_that_breaks_off_is_tried_again() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    server.behave(|b| b.cut_downloads = 2);
    let archive = sandbox.pack(&source(&server));
    assert!(archive.member("web/files/large.bin").data == large());
    assert_eq!(downloads(&server.requests()), 3);
    // Not for ever.
    sandbox.forget();
    server.behave(|b| b.cut_downloads = 100);
    sandbox.run("build").fails(5).says([&*server.url("")]);
    assert_eq!(downloads(&server.requests()), 3);
    assert_eq!(stored(&sandbox), [""; 0]);
}

#[test]
fn offline_names_the_file_that_is_missing() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
    sandbox.ok("build");
    std::fs::remove_dir_all(sandbox.store().join("lfs-1")).expect("large files");
    server.requests();
    // What is known of it, and is kept compressed, is not read.
    sandbox.ok("build --frozen");
    let run = sandbox.run("build --frozen --no-index").fails(5);
    run.says(["files/large.bin", &*server.url("web.git")]);
    assert_eq!(server.requests().len(), 0);
    // With the network only what is missing is fetched.
    sandbox.ok("build --locked --no-index");
    let requests = server.requests();
    assert_eq!((batches(&requests).len(), requests.len()), (1, 2));
}

#[test]
fn a_pointer_of_a_submodule_is_asked_of_its_own_repository() {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let sub = server.repo("sub.git");
    let commit = sub.write("large.bin", pointer(&large())).commit("sub");
    let web = server.repo("web.git");
    web.cookbook(".", "web", "1.0.0");
    web.submodule("files/sub", "../sub.git", &commit);
    web.write("files/own.bin", pointer(b"own")).commit("web");
    server.behave(|b| {
        b.lfs.objects.insert(sha256(large()), large());
        b.lfs.objects.insert(sha256("own"), b"own".to_vec());
    });
    let archive = sandbox.pack(&source(&server));
    assert!(archive.member("web/files/sub/large.bin").data == large());
    assert_eq!(archive.text("web/files/own.bin"), "own");
    let requests = server.requests();
    let mut asked = batches(&requests);
    asked.sort_unstable();
    let wanted = ["sub", "web"].map(|name| format!("/{name}.git/info/lfs/objects/batch"));
    assert_eq!(asked, wanted);
}

#[test]
fn the_server_is_the_one_that_is_set() {
    let sandbox = Sandbox::new();
    let (server, repo) = served(&sandbox);
    let (committed, set) = (GitServer::start(&sandbox), GitServer::start(&sandbox));
    for one in [&committed, &set] {
        one.behave(|b| {
            b.lfs.objects.insert(sha256(large()), large());
        });
    }
    server.behave(|b| b.credentials = Some(Credentials::new("ann", SECRET)));
    let url = server.url_as(&format!("ann:{SECRET}"), "web.git");
    let source = format!("git = \"{url}\", lfs = true");
    let lfs_config = |url: &str| {
        repo.write(".lfsconfig", format!("[lfs]\n\turl = {url}\n"));
        repo.commit("server");
    };
    // By the commit: the repository's credentials are not for it.
    lfs_config(&committed.url("files/info/lfs"));
    let archive = sandbox.pack(&source);
    assert!(archive.member("web/files/large.bin").data == large());
    assert_eq!(batches(&server.requests()), [""; 0]);
    let requests = committed.requests();
    assert_eq!(batches(&requests), ["/files/info/lfs/objects/batch"]);
    assert!(
        requests.iter().all(|r| r.header("authorization").is_none()),
        "{requests:?}"
    );
    // By the user, which counts more.
    let config = format!("[lfs]\n\turl = {}\n", set.url("mine/info/lfs"));
    sandbox.write("../home/.gitconfig", config);
    sandbox.forget();
    sandbox.pack(&source);
    let requests = set.requests();
    assert_eq!(batches(&requests), ["/mine/info/lfs/objects/batch"]);
    assert_eq!(committed.requests().len(), 0);
    sandbox.remove("../home/.gitconfig");
    // A commit has no program run, and no folder read.
    let folder = sandbox.root().join("srv/web.git");
    for other in [
        folder.display().to_string(),
        format!("file://{}", folder.display()),
        "ssh://127.0.0.1/web.git".to_owned(),
    ] {
        lfs_config(&other);
        sandbox.forget();
        sandbox.manifest(&format!("web = {{ {source} }}\n"));
        sandbox.run("build").fails(5).says([".lfsconfig"]);
    }
}

#[test]
fn the_git_program_does_not_fetch_large_files() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    let archive = sandbox.pack_with(&source(&server), &[("COOKPACK_GIT_CLI", "1")]);
    assert!(archive.member("web/files/large.bin").data == large());
    let requests = server.requests();
    assert_eq!((batches(&requests).len(), downloads(&requests)), (1, 1));
}

#[test]
fn a_moved_repository_is_asked_where_it_is() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    for status in [301, 302, 307, 308] {
        let to = server.url("");
        server.behave(|b| b.redirect = Some(("/old/".to_owned(), to, status)));
        sandbox.forget();
        let url = server.url("old/web.git");
        let archive = sandbox.pack(&format!("git = \"{url}\", lfs = true"));
        assert!(archive.member("web/files/large.bin").data == large());
    }
}

#[test]
fn a_host_of_ssh_says_where_its_large_files_are() {
    if !have_ssh() {
        return;
    }
    let sandbox = Sandbox::new();
    let (server, repo) = served(&sandbox);
    let sshd = Sshd::start(&sandbox);
    server.behave(|b| b.credentials = Some(Credentials::new("ann", SECRET)));
    let url = sshd.url(repo.folder());
    let source = format!("git = \"{url}\", lfs = true");
    let client = sshd.client();
    let variables = [("GIT_SSH_COMMAND", &*client)];
    // It knows nothing of it: then it is where it usually is, which is nowhere here.
    sandbox.manifest(&format!("web = {{ {source} }}\n"));
    let run = sandbox.run_with("build", &variables).fails(5);
    run.says(["https://127.0.0.1/"]);
    // ann:hunter2-for-large-files
    let basic = "Basic YW5uOmh1bnRlcjItZm9yLWxhcmdlLWZpbGVz";
    let answer = format!(
        "{{\"href\": \"{}\", \"header\": {{\"Authorization\": \"{basic}\"}}, \"expires_in\": 60}}",
        server.url("web.git/info/lfs")
    );
    let program = format!("#!/bin/sh\necho '{answer}'\n");
    sandbox.write("../host/git-lfs-authenticate", program);
    sandbox.chmod("../host/git-lfs-authenticate", 0o755);
    let path = sandbox.root().join("host").display().to_string();
    let session = sandbox.text("../ssh/session");
    let session = session.replacen('\n', &format!("\nPATH='{path}':$PATH\n"), 1);
    sandbox.write("../ssh/session", session);
    sandbox.forget();
    server.requests();
    let archive = sandbox.pack_with(&source, &variables);
    assert!(archive.member("web/files/large.bin").data == large());
    let requests = server.requests();
    let header = |end: &str| {
        let found = requests.iter().find(|r| r.path.contains(end));
        found.expect(end).header("authorization").map(str::to_owned)
    };
    assert_eq!(header("/batch").as_deref(), Some(basic));
    assert_eq!(header("/large-files/"), None);
    let folder = repo.folder().display();
    let wanted = format!("git-lfs-authenticate '{folder}' download");
    let sessions = sshd.sessions();
    assert!(
        sessions.iter().any(|s| s.ends_with(&wanted)),
        "{sessions:?}"
    );
}

#[test]
fn a_guarded_download_gets_the_credentials_of_its_own_host() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    server.behave(|b| {
        b.credentials = Some(Credentials::new("ann", SECRET));
        b.lfs.guarded = true;
    });
    let url = server.url_as(&format!("ann:{SECRET}"), "web.git");
    let source = format!("git = \"{url}\", lfs = true");
    let archive = sandbox.pack(&source);
    assert!(archive.member("web/files/large.bin").data == large());
    let requests = server.requests();
    let downloads = requests
        .iter()
        .filter(|r| r.path.starts_with("/large-files/"));
    let said: Vec<_> = downloads
        .map(|r| r.header("authorization").is_some())
        .collect();
    assert_eq!(said, [false, true], "only where it is asked for");
    // Another host asks in vain.
    let elsewhere = GitServer::start(&sandbox);
    elsewhere.behave(|b| {
        b.credentials = Some(Credentials::new("ann", SECRET));
        b.lfs.guarded = true;
    });
    server.behave(|b| {
        b.lfs.downloads_at = Some(elsewhere.url("").trim_end_matches('/').to_owned());
    });
    sandbox.forget();
    sandbox.manifest(&format!("web = {{ {source} }}\n"));
    let run = sandbox.run("build").fails(5).says([elsewhere.authority()]);
    nowhere(&sandbox, SECRET, &["project/cookpack.toml"], &[&run]);
    let requests = elsewhere.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].header("authorization"), None);
}

#[test]
fn what_the_store_has_does_not_make_a_pointer_right() {
    let sandbox = Sandbox::new();
    let (server, _) = served(&sandbox);
    let wrong = server.cookbook("wrong");
    let text = pointer(&large()).replace("size 100000", "size 100001");
    wrong.write("files/large.bin", text).commit("pointer");
    let url = server.url("wrong.git");
    let wrong = format!("wrong = {{ git = \"{url}\", lfs = true }}\n");
    sandbox.manifest(&wrong);
    let said = sandbox.run("build").fails(4).stderr;
    sandbox.forget();
    sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
    sandbox.ok("build");
    sandbox.forget_lock();
    sandbox.manifest(&wrong);
    assert_eq!(sandbox.run("build").fails(4).stderr, said);
    // What is there was not harmed by it, and is marked as used when it is used.
    sandbox.manifest(&format!("web = {{ {} }}\n", source(&server)));
    let file = stored(&sandbox).remove(0);
    let aged = sandbox.age(&file);
    server.requests();
    sandbox.ok("build --no-index");
    assert_eq!(downloads(&server.requests()), 0);
    assert!(sandbox.modified(&file) > aged);
    // One that lost its end is brought again.
    sandbox.chmod(&file, 0o644);
    sandbox.write(&file, &large()[..70_000]);
    sandbox.ok("build --no-index");
    assert_eq!(downloads(&server.requests()), 1);
}
