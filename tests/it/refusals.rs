//! What cannot be packed, each with an error of its own.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::support::{Run, Sandbox};

/// A project of one cookbook, ready for a file too many.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .manifest("web = { path = \"web\" }\n");
    sandbox
}

/// The message without what stands in backticks and without the hints: the sentence itself.
fn sentence(run: &Run) -> String {
    let first = run.stderr.lines().next().unwrap_or_default();
    first.split('`').step_by(2).collect::<Vec<_>>().join("`_`")
}

fn refused(sandbox: &Sandbox, says: &[&str]) -> String {
    let run = sandbox.run("build").fails(1).says(says);
    assert!(!sandbox.exists("bundle.tar.gz"));
    let sentence = sentence(&run);
    // `files` knows of it as well, and refuses in the same way.
    sandbox.run("files").ends_with(1).says(says);
    sentence
}

#[test]
fn each_refusal_has_its_own_sentence() {
    let mut sentences = Vec::new();
    let mut add = |what: &str, sentence: String| sentences.push((what.to_owned(), sentence));

    let sandbox = project();
    sandbox.cookbook("other", "web", "");
    sandbox.manifest("web = { path = \"web\" }\nother = { path = \"other\" }\n");
    let run = sandbox
        .run("build")
        .fails(1)
        .says(["web", "other", "cookpack.toml:"]);
    add("two of one name", sentence(&run));

    let sandbox = project();
    sandbox
        .write("web/files/README", "")
        .write("web/files/readme", "");
    add("case", refused(&sandbox, &["files/README", "files/readme"]));

    let sandbox = project();
    sandbox.write("web/files/foo../x", "");
    add("dots", refused(&sandbox, &["files/foo../x", "`..`"]));

    for (what, path, name) in [
        ("device", "web/files/aux.rb", "aux.rb"),
        ("character", "web/files/a:b", "a:b"),
        ("trailing", "web/files/a.", "a."),
    ] {
        let sandbox = project();
        sandbox.write(path, "");
        add(what, refused(&sandbox, &[name, "Windows"]));
    }

    let sandbox = project();
    let name = OsStr::from_bytes(b"web/files/caf\xe9.rb");
    sandbox.write(std::path::Path::new(name), "");
    add("not UTF-8", refused(&sandbox, &["files/caf", "UTF-8"]));

    let sandbox = project();
    sandbox.symlink("/etc/passwd", "web/files/out");
    add("link out", refused(&sandbox, &["files/out", "link"]));

    let sandbox = project();
    sandbox.shell("mkfifo web/files.fifo").ok();
    add("fifo", refused(&sandbox, &["files.fifo", "FIFO"]));

    let sandbox = project();
    let bundle = "[bundle]\nname = \"bundle\"\nrun_list = [\"web::absent\"]\n";
    sandbox.write(
        "cookpack.toml",
        format!("{bundle}[cookbooks]\nweb = {{ path = \"web\" }}\n"),
    );
    let run = sandbox
        .run("build")
        .fails(1)
        .says(["web::absent", "cookpack.toml:3"]);
    add("run list", sentence(&run));

    for (i, (what, sentence)) in sentences.iter().enumerate() {
        for (other, same) in &sentences[..i] {
            assert_ne!(sentence, same, "{what} and {other} say the same");
        }
    }
    assert_eq!(sentences.len(), 10);
}

#[test]
fn paths_that_differ_in_case_alone_are_refused_however_they_do() {
    for (one, other) in [
        ("files/x", "files/X"),
        ("files/É", "files/é"),
        ("files/dir/x", "files/DIR/x"),
        // The folders become one where case does not count, though no two paths do.
        ("files/dir/x", "files/DIR/y"),
        // A file and a folder of one name.
        ("files/x/y", "files/X"),
    ] {
        let sandbox = project();
        sandbox
            .write(format!("web/{one}"), "")
            .write(format!("web/{other}"), "");
        sandbox
            .run("build")
            .fails(1)
            .says([one, other].map(|p| p.rsplit_once('/').expect("/").0));
    }
    // A name's case is its own matter where nothing else is near.
    let sandbox = project();
    sandbox
        .write("web/files/X", "")
        .write("web/templates/x", "");
    sandbox.ok("build");
}

#[test]
fn cookbooks_whose_names_differ_in_case_alone_are_refused() {
    let sandbox = project();
    sandbox.cookbook("other", "Web", "");
    sandbox.manifest("web = { path = \"web\" }\nWeb = { path = \"other\" }\n");
    sandbox.run("build").fails(1).says(["Web", "web"]);
}

#[test]
fn every_special_file_is_refused_and_none_is_waited_for() {
    let sandbox = project();
    sandbox.shell("mkfifo web/recipes/pipe.rb").ok();
    let run = sandbox.shell("timeout 20 \"$cookpack\" build");
    run.fails(1).says(["recipes/pipe.rb"]);
    sandbox.remove("web/recipes/pipe.rb");
    let listener = std::os::unix::net::UnixListener::bind(sandbox.path("web/recipes/socket"));
    let _listener = listener.expect("a socket");
    sandbox.run("build").fails(1).says(["recipes/socket"]);
    sandbox.remove("web/recipes/socket");
    // Even where text is wanted.
    for file in ["chefignore", "metadata.json"] {
        sandbox.shell(&format!("mkfifo web/{file}")).ok();
        let run = sandbox.shell("timeout 20 \"$cookpack\" build");
        run.fails(1).says([file]);
        sandbox.remove(format!("web/{file}"));
    }
    // Left out, it may be what it likes.
    sandbox
        .shell("mkfifo web/recipes/pipe.rb; echo 'recipes/pipe.rb' > web/chefignore")
        .ok();
    sandbox.ok("build");
}

#[test]
fn in_a_git_tree_the_same_is_refused() {
    for (path, says) in [
        (&b"files/caf\xe9"[..], "UTF-8"),
        (b"files/foo../x", "`..`"),
        (b"files/nul.txt", "Windows"),
        (b"files/a\\b", "Windows"),
        (b"files/METADATA", "METADATA"),
    ] {
        let sandbox = project();
        let repo = sandbox.repo("web");
        repo.write("files/metadata", "");
        let target = sandbox.path("web").join(OsStr::from_bytes(path));
        std::fs::create_dir_all(target.parent().expect("a parent")).expect("folders");
        std::fs::write(target, "x").expect("a file");
        repo.commit("x");
        sandbox.manifest("web = { git = \"web\" }\n");
        sandbox.run("build").fails(1).says([says]);
    }
}

#[test]
fn a_submodule_is_not_left_out() {
    let sandbox = project();
    let other = sandbox.repo("other");
    other.write("x", "x").commit("x");
    let repo = sandbox.repo("web");
    repo.git("-c protocol.file.allow=always submodule --quiet add ../other files/sub");
    repo.commit("x");
    sandbox.manifest("web = { git = \"web\" }\n");
    let run = sandbox.ok("files");
    assert!(run.lines().contains(&"web/files/sub/x"), "{run}");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let sandbox = project();
    sandbox
        .write("web/files/aux", "")
        .write("web/files/a:b", "")
        .symlink("/etc", "web/files/out");
    sandbox
        .run("build")
        .fails(1)
        .says(["files/aux", "files/a:b", "files/out"]);
}

#[test]
fn a_cookbook_without_metadata_is_an_error_that_names_the_folder() {
    let sandbox = Sandbox::new();
    sandbox
        .write("web/recipes/default.rb", "")
        .manifest("web = { path = \"web\" }\n");
    sandbox.run("build").fails(1).says(["metadata.rb", "web"]);
    sandbox.manifest("web = { path = \"absent\" }\n");
    sandbox
        .run("build")
        .fails(1)
        .says(["absent", "cookpack.toml:5"]);
    // A path to a file is no folder.
    sandbox.manifest("web = { path = \"web/recipes/default.rb\" }\n");
    sandbox.run("build").fails(1).says(["cookpack.toml:5"]);
}
