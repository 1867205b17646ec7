//! What the project says of itself is so: README, CI script, justfile, changelog, demo.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Sandbox, Tarball, finish, have, project, project_file};

/// The lines of the README that begin with a word, as a reader types them.
fn commands(word: &str) -> Vec<String> {
    let readme = project_file("README.md");
    let found = readme
        .lines()
        .filter(|l| l.starts_with(&format!("{word} ")));
    found.map(str::to_owned).collect()
}

/// The fenced blocks of the README in one language.
fn blocks(language: &str) -> Vec<String> {
    let readme = project_file("README.md");
    let fence = format!("```{language}\n");
    let starts = readme.split(&fence).skip(1);
    starts
        .map(|rest| rest.split("```").next().expect("a block").to_owned())
        .collect()
}

#[test]
fn ci_runs_what_the_readme_says() {
    let ci = project_file(".ci/run");
    for word in ["cargo run", "cargo test"] {
        assert_eq!(commands(word).len(), 1, "{word}");
        assert!(ci.contains(&format!("readme_command '{word}'")), "{word}");
    }
    assert_eq!(commands("cargo test"), ["cargo test --locked"]);
    for step in [
        "cargo fmt --check",
        "clippy --locked --all-targets -- -D warnings",
        "--all-features -- -D warnings",
        "--no-default-features -- -D warnings",
        "RUSTDOCFLAGS=\"-D warnings\"",
        "cargo build --locked --benches --examples",
        "check bans licenses sources",
        "git status --porcelain",
    ] {
        assert!(ci.contains(step), "{step}");
    }
    let mode = project()
        .join(".ci/run")
        .metadata()
        .expect("metadata")
        .permissions()
        .mode();
    assert_ne!(mode & 0o111, 0, "executable");
}

#[test]
fn just_check_is_what_ci_runs() {
    let justfile = project_file("justfile");
    let recipe = |name: &str| {
        let mut lines = justfile
            .lines()
            .skip_while(|l| !l.starts_with(name) || !l.ends_with(':'));
        lines.nth(1).map(str::trim).unwrap_or_default().to_owned()
    };
    assert_eq!(recipe("check"), "bash .ci/run");
    assert!(recipe("test").starts_with(&commands("cargo test")[0]));
    for name in ["bench", "fmt"] {
        assert!(recipe(name).starts_with("cargo "), "{name}");
    }
}

#[test]
fn one_rust_version_is_told_everywhere() {
    let manifest: toml::Table = project_file("Cargo.toml").parse().expect("TOML");
    let rust = manifest["package"]["rust-version"]
        .as_str()
        .expect("a version");
    let wanted = format!("Rust {rust}");
    for file in ["README.md", "CHANGELOG.md"] {
        assert!(project_file(file).contains(&wanted), "{wanted} in {file}");
    }
    let changelog = project_file("CHANGELOG.md");
    for section in [
        "## [Unreleased]",
        "### Added",
        "### Archive bytes",
        "### MSRV",
    ] {
        assert!(changelog.contains(section), "{section}");
    }
}

/// A copy of the demo, so that a failing test leaves the project as it is.
fn demo() -> Sandbox {
    let sandbox = Sandbox::new();
    let demo = project().join("testdata/demo");
    finish(
        std::process::Command::new("cp")
            .arg("-R")
            .arg(demo)
            .arg(sandbox.path("demo")),
    )
    .ok();
    sandbox
}

#[test]
fn the_demo_builds_with_its_lock_and_is_what_the_readme_shows() {
    let sandbox = demo();
    let command = &commands("cargo run")[0];
    let arguments = command
        .split(" -- ")
        .nth(1)
        .expect("the binary's own arguments");
    let arguments = arguments.replace("testdata/", "");
    sandbox.ok(&format!("{arguments} --locked"));
    let archive = Tarball::read(&sandbox.read("nodejs-demo.tar.gz"));
    let shown = blocks("text")
        .into_iter()
        .find(|b| b.contains("nodejs_demo/recipes"));
    let shown = shown.expect("a listing in the README");
    assert_eq!(shown.lines().collect::<Vec<_>>(), archive.paths());
    let check = archive.member("nodejs/files/check-node");
    assert_eq!(check.mode(), 0o755);
    // A symbolic link of the repository is the file it leads to.
    assert_eq!(
        archive.text("nodejs/README.md"),
        archive.text("nodejs/docs/README.md")
    );
    assert!(
        archive
            .text("application_javascript/metadata.json")
            .contains("\"1.0.3\"")
    );
}

/// The three tiers of a promise: what moved tells what broke.
#[test]
fn the_demos_digests_are_those_of_the_first_release() {
    let sandbox = demo();
    let receipt = sandbox
        .ok("build --manifest-path demo/cookpack.toml --locked --json")
        .json();
    let wanted = project_file("testdata/demo/digests.json");
    let wanted: serde_json::Value = serde_json::from_str(&wanted).expect("JSON");
    assert_eq!(
        receipt["digests"]["content"], wanted["content"],
        "never changes"
    );
    assert_eq!(
        receipt["digests"]["container"], wanted["container"],
        "not within a major version"
    );
    assert_eq!(
        receipt["digests"]["archive"], wanted["archive"],
        "only with a line in CHANGELOG.md under `Archive bytes`"
    );
}

#[test]
fn the_readmes_recipe_computes_the_content_digest() {
    if !have("sha256sum") {
        return;
    }
    let sandbox = demo();
    let receipt = sandbox
        .ok("build --manifest-path demo/cookpack.toml --json")
        .json();
    let content = receipt["digests"]["content"].as_str().expect("a digest");
    let recipe = blocks("sh").into_iter().find(|b| b.contains("sha256sum"));
    let recipe = recipe.expect("a recipe in the README");
    let run = sandbox.shell(&recipe).ok();
    let found = run.out().split_whitespace().next().expect("a digest");
    assert_eq!(format!("c1:{found}"), content);
}

#[test]
fn the_readmes_manifest_is_one() {
    let example = blocks("toml").into_iter().find(|b| b.contains("[bundle]"));
    let example = example.expect("a manifest in the README");
    let sandbox = Sandbox::new();
    sandbox.write("cookpack.toml", &example);
    let manifest: toml::Table = example.parse().expect("TOML");
    for (name, source) in manifest["cookbooks"].as_table().expect("cookbooks") {
        let at = |key: &str| source.get(key).and_then(|v| v.as_str());
        let Some(git) = at("git") else {
            let path = at("path").expect("a source");
            let inner = at("glob").map_or(String::new(), |glob| {
                format!("/{}", glob.replace('*', name))
            });
            sandbox.cookbook(&format!("{path}{inner}"), name, "");
            continue;
        };
        let folder = git.trim_end_matches(".git");
        let repo = sandbox.repo(git);
        repo.cookbook(at("rel").unwrap_or("."), name, "2.3.4")
            .commit(folder);
        for tag in ["tag", "branch"].map(at).into_iter().flatten() {
            if tag != "main" {
                repo.git(&format!("branch {tag}"));
                repo.git(&format!("tag {tag}"));
            }
        }
    }
    sandbox.ok("build");
}
