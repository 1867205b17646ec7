//! A layout as a folder: swapped in whole, and careful with what is not ours.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::Sandbox;

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "").cookbook("db", "db", "");
    sandbox
        .write("web/files/run", "#!/bin/sh\n")
        .chmod("web/files/run", 0o755);
    sandbox.symlink("run", "web/files/start");
    sandbox.manifest("web = { path = \"web\" }\ndb = { path = \"db\" }\n");
    sandbox
}

/// Path to content and mode of all files below a folder.
fn below(folder: &Path) -> BTreeMap<String, (Vec<u8>, u64)> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, (Vec<u8>, u64)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kind = path.symlink_metadata().expect("metadata");
            assert!(!kind.is_symlink(), "{}", path.display());
            if kind.is_dir() {
                walk(root, &path, found);
                continue;
            }
            let name = path
                .strip_prefix(root)
                .expect("below")
                .to_str()
                .expect("UTF-8");
            let mode = u64::from(kind.permissions().mode() & 0o777);
            found.insert(name.to_owned(), (fs::read(&path).expect("a file"), mode));
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

#[test]
fn it_holds_what_the_archive_holds_in_either_layout() {
    let sandbox = project();
    for layout in ["flat", "cookbooks"] {
        sandbox
            .shell(&format!(
                "umask 022; \"$cookpack\" vendor out-{layout} --layout {layout}"
            ))
            .ok();
        sandbox.ok(&format!("build --layout {layout} -o {layout}.tar.gz"));
        let archive = crate::support::Tarball::read(&sandbox.read(format!("{layout}.tar.gz")));
        let mut found = below(&sandbox.path(format!("out-{layout}")));
        assert!(found.remove(".cookpack-vendor").is_some());
        let wanted: BTreeMap<_, _> = archive
            .files()
            .into_iter()
            .map(|(path, (data, mode))| (path.to_owned(), (data.to_vec(), mode)))
            .collect();
        assert!(found == wanted, "{:?}", found.keys());
    }
}

#[test]
fn it_goes_into_an_absent_or_an_empty_folder_or_one_of_its_own() {
    let sandbox = project();
    fs::create_dir_all(sandbox.path("deep/down")).expect("folders");
    sandbox.ok("vendor deep/down/out");
    fs::create_dir(sandbox.path("empty")).expect("a folder");
    sandbox.ok("vendor empty");
    sandbox.ok("vendor empty");
    assert!(sandbox.exists("empty/web/metadata.json"));
    // Nothing remains beside it.
    let names = fs::read_dir(sandbox.path("deep/down"))
        .expect("a folder")
        .count();
    assert_eq!(names, 1);
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let sandbox = project();
    sandbox.write("theirs/precious", "x");
    sandbox.run("vendor theirs").fails(1).says(["theirs"]);
    assert_eq!(below(&sandbox.path("theirs")).len(), 1);
    sandbox.write("file", "x");
    sandbox.run("vendor file").fails(1).says(["file"]);
    assert_eq!(sandbox.text("file"), "x");
    // The project itself least of all.
    sandbox.run("vendor .").fails(1);
    assert!(sandbox.exists("cookpack.toml"));
}

#[test]
fn what_went_away_is_removed_and_what_is_not_ours_stays() {
    let sandbox = project();
    sandbox.write("web/files/deep/er/gone", "x");
    sandbox.ok("vendor out");
    sandbox
        .write("out/notes.txt", "mine")
        .write("out/web/mine.rb", "mine")
        .write("out/own/x", "mine");
    sandbox.write("out/web/files/deep/kept", "mine");
    sandbox.remove("web/files/deep");
    sandbox.manifest("web = { path = \"web\" }\n");
    sandbox.ok("vendor out");
    for kept in ["notes.txt", "web/mine.rb", "own/x", "web/files/deep/kept"] {
        assert_eq!(sandbox.text(format!("out/{kept}")), "mine");
    }
    for gone in ["db", "web/files/deep/er"] {
        assert!(!sandbox.exists(format!("out/{gone}")), "{gone}");
    }
    assert!(sandbox.exists("out/web/files/run"));
}

#[test]
fn an_edited_file_of_ours_is_refused_by_name_and_stays() {
    let sandbox = project();
    sandbox.ok("vendor out");
    sandbox
        .write("out/web/recipes/default.rb", "edited")
        .write("out/db/metadata.rb", "edited");
    sandbox.write("web/recipes/default.rb", "newer");
    let run = sandbox.run("vendor out").fails(1);
    let run = run.says(["web/recipes/default.rb", "db/metadata.rb"]);
    assert!(!run.stderr.contains("files/run"), "{run}");
    assert_eq!(sandbox.text("out/web/recipes/default.rb"), "edited");
    assert!(!sandbox.text("out/web/metadata.rb").is_empty());
    // Also when it is on its way out.
    sandbox.manifest("web = { path = \"web\" }\n");
    sandbox.run("vendor out").fails(1).says(["db/metadata.rb"]);
    // Removed, nothing is lost.
    sandbox.remove("out/web/recipes/default.rb");
    sandbox.remove("out/db");
    sandbox.ok("vendor out");
    assert_eq!(sandbox.text("out/web/recipes/default.rb"), "newer");
}

#[test]
fn a_file_of_theirs_in_the_way_of_ours_is_refused() {
    let sandbox = project();
    sandbox.ok("vendor out");
    sandbox.write("out/web/files/new", "theirs");
    sandbox.write("web/files/new", "ours");
    sandbox.run("vendor out").fails(1).says(["web/files/new"]);
    assert_eq!(sandbox.text("out/web/files/new"), "theirs");
}

#[test]
fn a_failure_leaves_the_folder_as_it_was() {
    let sandbox = project();
    sandbox.ok("vendor out");
    let before = below(&sandbox.path("out"));
    sandbox.symlink("/etc/passwd", "web/files/bad");
    sandbox.run("vendor out").fails(1);
    sandbox.run("vendor new").fails(1);
    assert!(below(&sandbox.path("out")) == before);
    assert!(!sandbox.exists("new"));
}

#[test]
fn a_marker_that_was_tampered_with_removes_nothing_outside() {
    let sandbox = project();
    sandbox.ok("vendor out");
    sandbox.write("precious", "x");
    let marker = sandbox.text("out/.cookpack-vendor");
    let tampered = marker.replace("web/recipes/default.rb", "../precious");
    assert_ne!(tampered, marker);
    sandbox.write("out/.cookpack-vendor", tampered);
    let run = sandbox.run("vendor out");
    assert!(matches!(run.code, Some(0 | 1)), "{run}");
    assert_eq!(sandbox.text("precious"), "x");
}

#[test]
fn a_link_in_the_folder_leads_no_write_and_no_removal_out_of_it() {
    let sandbox = project();
    sandbox.ok("vendor out");
    sandbox.write("elsewhere/recipes/default.rb", "log 'from web'\n");
    sandbox.remove("out/web");
    sandbox.symlink("../elsewhere", "out/web");
    sandbox.write("web/recipes/default.rb", "newer");
    let run = sandbox.run("vendor out");
    assert!(matches!(run.code, Some(0 | 1)), "{run}");
    assert_eq!(
        sandbox.text("elsewhere/recipes/default.rb"),
        "log 'from web'\n"
    );
    assert!(!sandbox.exists("elsewhere/metadata.rb"));
}

#[test]
fn a_vendored_folder_inside_a_cookbook_is_not_packed_with_it() {
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    let wanted = sandbox.build_bytes("");
    fs::create_dir(sandbox.path("vendor")).expect("a folder");
    sandbox.ok("vendor vendor/cookbooks");
    let archive = sandbox.build("");
    assert!(sandbox.build_bytes("") == wanted, "{:?}", archive.paths());
    sandbox.ok("vendor vendor/cookbooks");
    assert!(!sandbox.exists("vendor/cookbooks/web/vendor"));
}

#[test]
fn a_second_run_with_nothing_new_touches_nothing_of_note() {
    let sandbox = project();
    sandbox.ok("vendor out");
    let before = below(&sandbox.path("out"));
    sandbox.ok("vendor out");
    assert!(below(&sandbox.path("out")) == before);
    let json = sandbox.ok("vendor out --json").json();
    assert!(json.is_object(), "{json:#}");
}
