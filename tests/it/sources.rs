//! Where cookbooks come from: git repositories and folders.

use std::fs;

use crate::support::{Sandbox, finish};

/// What version of `web` a source gives.
fn version(sandbox: &Sandbox, source: &str) -> String {
    if sandbox.exists("cookpack.lock") {
        sandbox.remove("cookpack.lock");
    }
    sandbox.manifest(&format!("web = {{ {source} }}\n"));
    let archive = sandbox.build("");
    let metadata = archive.text("web/metadata.rb");
    metadata.split('\'').nth(3).expect("a version").to_owned()
}

#[test]
fn a_git_source_is_read_at_what_was_asked_for() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("web");
    let first = repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.git("tag light");
    repo.git_args(&["tag", "-a", "-m", "x", "heavy"]);
    repo.cookbook(".", "web", "2.0.0").commit("2");
    repo.git("checkout -q -b feature/x");
    repo.cookbook(".", "web", "3.0.0").commit("3");
    repo.git("tag feature/x light");
    repo.git("checkout -q main");
    for (source, wanted) in [
        ("git = \"web\"".to_owned(), "2.0.0"),
        ("git = \"web\", branch = \"main\"".to_owned(), "2.0.0"),
        ("git = \"web\", branch = \"feature/x\"".to_owned(), "3.0.0"),
        ("git = \"web\", tag = \"light\"".to_owned(), "1.0.0"),
        ("git = \"web\", tag = \"heavy\"".to_owned(), "1.0.0"),
        ("git = \"web\", tag = \"feature/x\"".to_owned(), "1.0.0"),
        (format!("git = \"web\", commit = \"{first}\""), "1.0.0"),
        (
            format!("git = \"web\", commit = \"{}\"", &first[..8]),
            "1.0.0",
        ),
    ] {
        assert_eq!(version(&sandbox, &source), wanted, "{source}");
        let lock = sandbox.text("cookpack.lock");
        let pin = lock
            .lines()
            .find_map(|l| l.strip_prefix("commit = \""))
            .expect("a pin");
        assert_eq!(pin.len(), 41, "a whole commit is pinned: {lock}");
    }
    // The remote's own default branch, whatever its name.
    repo.git("symbolic-ref HEAD refs/heads/feature/x");
    assert_eq!(
        version(&sandbox, "git = \"web\""),
        "2.0.0".replace('2', "3")
    );
}

#[test]
fn what_is_not_in_a_repository_is_told_by_name() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("repos/web");
    repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.git("tag v1.0.0");
    for (option, says) in [
        ("branch = \"v1.0.0\"", "v1.0.0"),
        ("tag = \"main\"", "main"),
        ("tag = \"v1.0.1\"", "v1.0.1"),
        (
            "commit = \"0123456789012345678901234567890123456789\"",
            "0123456789",
        ),
        ("commit = \"deadbeef\"", "deadbeef"),
        ("rel = \"cookbooks/web\"", "cookbooks/web"),
        ("rel = \"metadata.rb\"", "metadata.rb"),
    ] {
        sandbox.manifest(&format!("web = {{ git = \"repos/web\", {option} }}\n"));
        let run = sandbox.run("build").says([says, "repos/web"]);
        assert!(matches!(run.code, Some(1 | 5)), "{option}: {run}");
        assert!(!sandbox.exists("cookpack.lock"));
    }
    // What is near is named.
    sandbox.manifest("web = { git = \"repos/web\", tag = \"1.0.0\" }\n");
    sandbox.run("build").says(["v1.0.0"]);
}

#[test]
fn a_short_commit_that_means_two_is_an_error() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("web");
    repo.cookbook(".", "web", "1.0.0");
    let mut by_first = std::collections::BTreeMap::new();
    let twice = (0..).find_map(|i: u32| {
        let commit = repo.commit(&i.to_string());
        by_first
            .insert(commit[..4].to_owned(), commit.clone())
            .map(|_| commit)
    });
    let twice = twice.expect("two commits that begin alike");
    sandbox.manifest(&format!(
        "web = {{ git = \"web\", commit = \"{}\" }}\n",
        &twice[..4]
    ));
    let run = sandbox.run("build");
    let run = run.says([&twice[..4]]);
    assert_eq!(run.code, Some(1), "{run}");
}

#[test]
fn a_repository_is_fetched_once_for_all_its_cookbooks() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("mono");
    let names: Vec<String> = (0..12).map(|i| format!("cb{i}")).collect();
    let mut manifest = String::new();
    for name in &names {
        repo.cookbook(&format!("cookbooks/{name}"), name, "1.0.0");
        manifest += &format!("{name} = {{ git = \"mono\", rel = \"cookbooks/{name}\" }}\n");
    }
    repo.write("big", vec![b'x'; 1000]);
    repo.commit("x");
    sandbox.manifest(&manifest);
    sandbox.ok("build");
    let count = |name: &str| {
        let found = finish(
            std::process::Command::new("find")
                .arg(sandbox.store())
                .args(["-name", name]),
        );
        found.ok().lines().len()
    };
    assert_eq!(count("HEAD"), 1, "one mirror");
    assert_eq!(count("metadata.rb"), 0, "no checkout");
    let archive = sandbox.build("");
    assert_eq!(
        archive
            .paths()
            .iter()
            .filter(|p| p.ends_with("/metadata.json"))
            .count(),
        12
    );
}

#[test]
fn a_missing_repository_is_an_unavailable_source() {
    let sandbox = Sandbox::new();
    sandbox.manifest("web = { git = \"repos/absent\" }\n");
    sandbox
        .run("build")
        .fails(5)
        .says(["repos/absent", "cookpack.toml:5"]);
    // A folder that is no repository.
    sandbox
        .cookbook("plain", "web", "")
        .manifest("web = { git = \"plain\" }\n");
    let run = sandbox.run("build").says(["plain"]);
    assert!(matches!(run.code, Some(1 | 5)), "{run}");
    // Never a repository that happens to lie above.
    sandbox.repo(".").commit("x");
    let run = sandbox.run("build");
    assert!(matches!(run.code, Some(1 | 5)), "{run}");
}

#[test]
fn an_empty_repository_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.repo("web");
    sandbox.manifest("web = { git = \"web\" }\n");
    let run = sandbox.run("build").says(["web"]);
    assert!(matches!(run.code, Some(1 | 5)), "{run}");
}

#[test]
fn sources_that_are_not_there_yet_say_so_and_show_no_credentials() {
    let sandbox = Sandbox::new();
    for url in [
        "https://me:hunter2@git.example.invalid/x.git",
        "http://me:hunter2@git.example.invalid/x.git",
        "ssh://git@git.example.invalid/x.git",
        "git@git.example.invalid:ops/x.git",
        "git://git.example.invalid/x.git",
        "ftp://me:hunter2@git.example.invalid/x.git",
    ] {
        sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
        let run = sandbox.run("build").says(["git.example.invalid"]);
        assert!(matches!(run.code, Some(1 | 5)), "{url}: {run}");
        let above_the_snippet = run.stderr.lines().next().unwrap_or_default();
        assert!(!above_the_snippet.contains("hunter2"), "{run}");
    }
}

#[test]
fn a_path_source_is_relative_to_the_manifest() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    fs::create_dir_all(sandbox.path("conf/deep")).expect("folders");
    sandbox.write(
        "conf/cookpack.toml",
        "[bundle]\nname = \"x\"\n[cookbooks]\nweb = { path = \"../web\" }\n",
    );
    let mut command = sandbox.command(["build", "--manifest-path", "../cookpack.toml"]);
    finish(command.current_dir(sandbox.path("conf/deep"))).ok();
    assert!(
        sandbox.exists("conf/deep/x.tar.gz"),
        "the archive stands in the current folder"
    );
    assert!(
        sandbox.exists("conf/cookpack.lock"),
        "the lock stands beside the manifest"
    );
    assert!(!sandbox.exists("conf/deep/cookpack.lock"));
}

#[test]
fn an_absolute_path_works_and_stays_as_it_was_written() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    let path = sandbox.path("web");
    sandbox.manifest(&format!("web = {{ path = \"{}\" }}\n", path.display()));
    assert!(sandbox.build("").has("web/metadata.json"));
}

#[test]
fn uncommitted_changes_are_no_part_of_a_git_source() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("web");
    repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.cookbook(".", "web", "9.9.9").write("untracked", "x");
    assert_eq!(version(&sandbox, "git = \"web\""), "1.0.0");
    assert_eq!(version(&sandbox, "path = \"web\""), "9.9.9");
}

#[test]
fn nothing_of_a_cookbook_is_run() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("web");
    let trap = sandbox.root().join("trapped");
    repo.cookbook(".", "web", "1.0.0");
    repo.write(".gitattributes", "* filter=trap\n");
    repo.commit("x");
    let script = format!("#!/bin/sh\ntouch '{}'\ncat\n", trap.display());
    repo.executable(".git/hooks/post-checkout", &script);
    repo.executable(".git/hooks/pre-upload", &script);
    repo.git_args(&[
        "config",
        "filter.trap.smudge",
        &format!("touch '{}'; cat", trap.display()),
    ]);
    repo.git_args(&[
        "config",
        "uploadpack.packObjectsHook",
        &format!("touch '{}'", trap.display()),
    ]);
    sandbox.manifest("web = { git = \"web\" }\n");
    sandbox.ok("build");
    assert!(!trap.exists());
}

#[test]
fn what_a_store_holds_of_an_earlier_time_is_never_in_the_way() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("web");
    repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.git("branch release");
    repo.git("tag tree HEAD^{tree}");
    repo.git("tag blob HEAD:metadata.rb");
    sandbox.manifest("web = { git = \"web\" }\n");
    sandbox.ok("build");
    // A branch makes way for one whose name has it as a folder, a tag for one of a tree.
    repo.git("branch -D release -q");
    repo.git("branch release/1.0");
    repo.cookbook(".", "web", "2.0.0").commit("2");
    sandbox.ok("update");
    assert!(sandbox.text("cookpack.lock").contains("2.0.0"));
    sandbox.manifest("web = { git = \"web\", branch = \"release/1.0\" }\n");
    sandbox.ok("build");
    assert!(sandbox.text("cookpack.lock").contains("1.0.0"));
    // History rewritten under the same name.
    repo.git("branch -D release/1.0 -q");
    repo.git("checkout -q --orphan release/1.0");
    repo.cookbook(".", "web", "3.0.0").commit("3");
    sandbox.ok("update");
    assert!(sandbox.text("cookpack.lock").contains("3.0.0"));
}

#[test]
fn a_tag_of_something_else_than_a_commit_is_a_wrong_tag() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("web");
    repo.cookbook(".", "web", "1.0.0").commit("1");
    repo.git("tag tree HEAD^{tree}");
    repo.git_args(&["tag", "-a", "-m", "x", "one"]);
    repo.git_args(&["tag", "-a", "-m", "x", "two", "one"]);
    sandbox.manifest("web = { git = \"web\", tag = \"tree\" }\n");
    sandbox.run("build").fails(1).says(["tree", "web"]);
    assert_eq!(version(&sandbox, "git = \"web\", tag = \"two\""), "1.0.0");
}
