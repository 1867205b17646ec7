//! What sources gave: tarballs of cookbooks, and universes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Sandbox, sha256};

/// A tarball as it should be in the store.
fn tarball(sandbox: &Sandbox, content: &[u8]) -> PathBuf {
    let digest = sha256(content);
    let folder = sandbox.store().join("cookbooks-1").join(&digest[..2]);
    fs::create_dir_all(&folder).expect("folders");
    fs::write(folder.join(&digest), content).expect("an object");
    folder.join(&digest)
}

/// A universe as it should be in the store: its folder, and its body.
fn universe(sandbox: &Sandbox, body: &[u8]) -> (PathBuf, PathBuf) {
    let folder = sandbox
        .store()
        .join("universe-1/supermarketexamplecom-0123456789abcdef");
    let digest = sha256(body);
    fs::create_dir_all(&folder).expect("folders");
    let put = |name: &str, content: &[u8]| fs::write(folder.join(name), content).expect("a file");
    put(&digest, body);
    put(
        "cookpack-address",
        b"https://supermarket.example.com/universe\n",
    );
    let state =
        format!("{{\"digest\":\"{digest}\",\"etag\":\"\\\"1\\\"\",\"last_modified\":null}}\n");
    put("cookpack-universe", state.as_bytes());
    put("cookpack-used", b"");
    (folder.clone(), folder.join(digest))
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[test]
fn tarballs_and_universes_are_listed_checked_and_removed() {
    let sandbox = Sandbox::new();
    let (one, two) = (tarball(&sandbox, b"one"), tarball(&sandbox, b"two"));
    let (folder, body) = universe(&sandbox, b"{}");
    let list = sandbox.ok("cache list");
    assert_eq!(list.lines().len(), 2, "{list}");
    assert!(
        list.lines()[0].contains("2 cookbooks' tarballs  ("),
        "{list}"
    );
    assert!(
        list.lines()[1].contains("https://supermarket.example.com/universe  ("),
        "{list}"
    );
    list.says(["2 cookbooks' tarballs, 1 universe, "]);
    let json = sandbox.ok("cache list --json").json();
    assert_eq!(json["entries"][0]["kind"], "cookbook");
    assert_eq!(json["entries"][1]["kind"], "universe");
    sandbox.ok("cache verify");

    fs::write(&two, "2").expect("a file");
    fs::write(&body, "{ }").expect("a file");
    let run = sandbox.run("cache verify").ends_with(4);
    run.says([sha256(b"2").as_str(), sha256(b"{ }").as_str()]);
    sandbox.ok("cache prune --damaged");
    assert!(is_there(&one) && !is_there(&two) && !is_there(&folder));
    sandbox.ok("cache verify");
    universe(&sandbox, b"{}");
    sandbox.ok("cache prune --all");
    assert!(!is_there(&one) && !is_there(&folder));
}
