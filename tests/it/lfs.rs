//! Git LFS: pointers are never packed by mistake, and are followed where that is asked for.

use crate::support::{Credentials, GitServer, Repo, Sandbox, noise, nowhere, pointer, sha256};

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
