//! Dependencies: met by the manifest, checked along the whole graph, and explained when they fail.

use crate::support::Sandbox;

#[test]
fn dependencies_are_met_by_entries_of_the_manifest() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("a", "a", "depends 'b', '~> 1.0'\n");
    sandbox.cookbook("b", "b", "depends 'c'\ndepends 'd', '>= 0.5'\n");
    sandbox.cookbook("c", "c", "").cookbook("d", "d", "");
    sandbox.manifest(
        "a = { path = \"a\" }\nb = { path = \"b\" }\nc = { path = \"c\" }\nd = { path = \"d\" }\n",
    );
    let archive = sandbox.build("");
    for name in ["a", "b", "c", "d"] {
        assert!(archive.has(&format!("{name}/metadata.json")));
    }
}

#[test]
fn what_is_missing_is_told_with_who_asks_and_what_to_write() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("a", "a", "depends 'missing', '~> 2.1'\n");
    sandbox.cookbook("b", "b", "depends 'missing'\ndepends 'gone'\n");
    sandbox.manifest("a = { path = \"a\" }\nb = { path = \"b\" }\n");
    let run = sandbox.run("build").fails(1);
    // Both askers with their lines, the line itself, and all that is missing.
    let run = run.says([
        "missing",
        "gone",
        "metadata.rb:3",
        "metadata.rb:4",
        "~> 2.1",
    ]);
    run.says(["depends 'missing', '~> 2.1'", "[cookbooks]", "missing = {"]);
    assert!(!sandbox.exists("cookpack.lock"), "nothing is decided");
}

#[test]
fn a_near_name_is_suggested() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("a", "a", "depends 'nodejs'\n")
        .cookbook("n", "node-js", "");
    sandbox.manifest("a = { path = \"a\" }\nnode-js = { path = \"n\" }\n");
    sandbox.run("build").fails(1).says(["nodejs", "node-js"]);
}

#[test]
fn what_does_not_fit_is_told_with_what_was_found() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("repos/lib");
    repo.cookbook(".", "lib", "2.4.0").commit("x");
    sandbox.cookbook("a", "a", "depends 'lib', '~> 1.0'\n");
    sandbox.cookbook("b", "b", "depends 'lib', '>= 2.0'\n");
    sandbox.manifest("a = { path = \"a\" }\nb = { path = \"b\" }\nlib = { git = \"repos/lib\" }\n");
    let run = sandbox.run("build").fails(1);
    let run = run.says(["lib", "2.4.0", "~> 1.0", "metadata.rb:3", "a"]);
    assert!(
        !run.stderr.contains(">= 2.0"),
        "who is content is no culprit: {run}"
    );
}

#[test]
fn the_manifests_own_constraint_counts_too() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("a", "a", "");
    sandbox.manifest("a = { path = \"a\", version = \"~> 1.0\" }\n");
    sandbox.ok("build");
    sandbox.manifest("a = { path = \"a\", version = \">= 1.1\" }\n");
    sandbox
        .run("build")
        .fails(1)
        .says(["1.0.0", ">= 1.1", "cookpack.toml:5"]);
}

#[test]
fn a_constraint_alone_wants_a_source() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("a", "a", "");
    sandbox.manifest("a = { path = \"a\" }\nb = \"~> 1.0\"\n");
    sandbox
        .run("build")
        .fails(1)
        .says(["cookpack.toml:6", "b", "git", "path"]);
}

#[test]
fn cycles_are_legal() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("a", "a", "depends 'b'\n")
        .cookbook("b", "b", "depends 'c'\n");
    sandbox.cookbook("c", "c", "depends 'a', '= 1.0.0'\n");
    sandbox.manifest("a = { path = \"a\" }\nb = { path = \"b\" }\nc = { path = \"c\" }\n");
    assert!(sandbox.build("").has("c/metadata.json"));
    // Showing them ends as well.
    let tree = sandbox.ok("tree");
    for name in ["a", "b", "c"] {
        assert!(tree.out().contains(name), "{tree}");
    }
    sandbox.ok("build --locked");
}

#[test]
fn a_cookbook_that_depends_on_itself_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("a", "a", "depends 'a'\n")
        .manifest("a = { path = \"a\" }\n");
    sandbox
        .run("build")
        .fails(1)
        .says(["metadata.rb:3", "itself"]);
}

#[test]
fn what_the_machine_has_needs_no_entry() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("a", "a", "depends 'opsworks', '~> 9'\n");
    sandbox.write(
        "cookpack.toml",
        "[bundle]\nname = \"bundle\"\nprovided = [\"opsworks\"]\n\
         [cookbooks]\na = { path = \"a\" }\n",
    );
    let archive = sandbox.build("");
    assert!(archive.paths().iter().all(|p| p.starts_with("a/")));
}

#[test]
fn a_key_that_is_not_the_cookbooks_name_is_told_with_both() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("a", "apache2", "")
        .manifest("apache = { path = \"a\" }\n");
    sandbox
        .run("build")
        .fails(1)
        .says(["apache`", "apache2", "cookpack.toml:5"]);
}

#[test]
fn the_tree_shows_who_brings_what() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("a", "a", "depends 'b'\n")
        .cookbook("b", "b", "")
        .cookbook("c", "c", "");
    sandbox.manifest("a = { path = \"a\" }\nb = { path = \"b\" }\nc = { path = \"c\" }\n");
    let tree = sandbox.ok("tree");
    let lines = tree.lines();
    let of = |name: &str| {
        lines
            .iter()
            .position(|l| l.contains(&format!("{name} 1.0.0")))
    };
    assert!(
        of("a").is_some() && of("b").is_some() && of("c").is_some(),
        "{tree}"
    );
    let json = sandbox.ok("tree --json").json();
    assert!(json.to_string().contains("1.0.0"), "{json:#}");
}

#[test]
fn a_cookbook_without_a_name_has_the_manifests_name_wherever_it_lies() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("old-name");
    repo.write("metadata.rb", "version '1.0.0'\n").commit("1");
    sandbox.manifest("web = { git = \"old-name\" }\n");
    let run = sandbox.run("build -o git.tar.gz").ok();
    run.says(["warning", "metadata.rb", "name 'web'"]);
    sandbox.manifest("web = { path = \"old-name\" }\n");
    sandbox.ok("build -o path.tar.gz");
    assert!(sandbox.read("git.tar.gz") == sandbox.read("path.tar.gz"));
}
