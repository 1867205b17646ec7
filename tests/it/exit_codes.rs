//! The table of exit codes, each produced, and each in the README.

use crate::support::{Sandbox, project_file};

/// A project on which every command works.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("repos/web");
    repo.cookbook(".", "web", "1.0.0").commit("x");
    sandbox.manifest("web = { git = \"repos/web\" }\n");
    sandbox
}

#[test]
fn each_kind_of_failure_has_its_code() {
    let sandbox = project();
    sandbox.run("build").ends_with(0);

    // 1: what the person wrote is wrong.
    let sandbox = project();
    sandbox.write("cookpack.toml", "[bundel]\n");
    sandbox.run("build").fails(1);
    let sandbox = project();
    sandbox.write("cookpack.lock", "?");
    sandbox.run("build").fails(1);

    // 2: the command line is wrong.
    let sandbox = project();
    for usage in [
        "",
        "bulid",
        "build --no-such-switch",
        "build too many",
        "build --layout nested",
        "build -o",
        "vendor",
        "build -q -v",
        "build -o - --json",
    ] {
        let run = sandbox.run(usage);
        // The last two may be given a meaning instead.
        let lenient = usage.contains("-q -v") || usage.contains("--json");
        assert!(
            run.code == Some(2) || lenient && run.code == Some(0),
            "{run}"
        );
    }
    sandbox.run("bulid").says(["build"]);

    // 3: the lock would have to change.
    let sandbox = project();
    sandbox.run("build --locked").fails(3);
    sandbox.run("build --frozen").fails(3);

    // 4: content is not what was locked.
    let sandbox = project();
    sandbox.ok("lock");
    let lock = sandbox.text("cookpack.lock");
    let at = lock.find("c1:").expect("a digest") + 3;
    let digit = if &lock[at..=at] == "0" { "1" } else { "0" };
    sandbox.write(
        "cookpack.lock",
        format!("{}{digit}{}", &lock[..at], &lock[at + 1..]),
    );
    sandbox.run("build").fails(4);

    // 5: a source is not there.
    let sandbox = project();
    sandbox.remove("repos");
    sandbox.run("build").fails(5);
    let sandbox = project();
    sandbox.ok("lock");
    sandbox.run("build --offline --store ../cold").fails(5);
}

#[test]
fn the_readme_has_the_same_table() {
    let readme = project_file("README.md");
    let codes: Vec<u8> = readme
        .lines()
        .skip_while(|line| !line.contains("Exit code"))
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok())
        .collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 70, 130]);
}
