//! `cookpack.lock`: what was decided is kept, obeyed and checked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Repo, Sandbox, Tarball, finish};

/// A project with two git cookbooks and one in a folder.
fn project() -> (Sandbox, Repo, Repo) {
    let sandbox = Sandbox::new();
    let web = sandbox.repo("repos/web");
    web.cookbook_with(".", "web", "1.0.0", "depends 'db'\ndepends 'base'\n")
        .commit("1");
    web.git("tag v1");
    let db = sandbox.repo("repos/db");
    db.cookbook("cookbooks/db", "db", "1.0.0").commit("1");
    sandbox.cookbook("base", "base", "");
    sandbox.manifest(
        "web = { git = \"repos/web\", branch = \"main\" }\n\
         db = { git = \"repos/db\", rel = \"cookbooks/db\" }\n\
         base = { path = \"base\" }\n",
    );
    (sandbox, web, db)
}

fn lock(sandbox: &Sandbox) -> toml::Table {
    sandbox.text("cookpack.lock").parse().expect("TOML")
}

/// One field of one cookbook of the lock.
fn field(sandbox: &Sandbox, name: &str, key: &str) -> Option<String> {
    let lock = lock(sandbox);
    let mut blocks = lock["cookbook"].as_array().expect("blocks").iter();
    let block = blocks
        .find(|b| b["name"].as_str() == Some(name))
        .expect("the cookbook");
    Some(block.get(key)?.as_str().expect("a text").to_owned())
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn it_is_written_when_absent_and_says_what_was_decided() {
    let (sandbox, web, db) = project();
    sandbox.ok("lock");
    assert!(!sandbox.exists("bundle.tar.gz"), "lock builds nothing");
    let lock = lock(&sandbox);
    assert_eq!(lock["version"].as_integer(), Some(1));
    let requirements = lock["requirements"].as_str().expect("a digest");
    assert!(requirements.len() == 64 && requirements.bytes().all(|b| b.is_ascii_hexdigit()));
    let blocks = lock["cookbook"].as_array().expect("blocks");
    let names: Vec<_> = blocks
        .iter()
        .map(|b| b["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["base", "db", "web"], "sorted");
    let of = |name: &str, key: &str| field(&sandbox, name, key);
    assert_eq!(of("web", "version").as_deref(), Some("1.0.0"));
    assert_eq!(of("web", "git").as_deref(), Some("repos/web"));
    assert_eq!(of("web", "branch").as_deref(), Some("main"));
    assert_eq!(of("web", "commit"), Some(web.git("rev-parse HEAD")));
    assert_eq!(of("db", "commit"), Some(db.git("rev-parse HEAD")));
    assert_eq!(of("db", "rel").as_deref(), Some("cookbooks/db"));
    assert_eq!(of("base", "path").as_deref(), Some("base"));
    assert_eq!(of("base", "commit"), None);
    for name in names {
        let content = of(name, "content").expect("a digest");
        assert_eq!(content.len(), 67, "{content}");
        assert!(content.starts_with("c1:"), "{content}");
    }
    let dependencies = blocks[2]["dependencies"].as_array().expect("a list");
    let dependencies: Vec<_> = dependencies.iter().map(|d| format!("{d:?}")).collect();
    assert!(
        dependencies[0].contains("base") && dependencies[1].contains("db"),
        "{dependencies:?}"
    );
}

#[test]
fn it_stays_byte_for_byte_and_is_not_even_touched_when_nothing_changed() {
    let (sandbox, ..) = project();
    sandbox.ok("build");
    let old = sandbox.text("cookpack.lock");
    let time = sandbox.age("cookpack.lock");
    for command in [
        "build",
        "lock",
        "update",
        "vendor out",
        "tree",
        "files",
        "build --locked",
    ] {
        sandbox.ok(command);
        assert_eq!(sandbox.text("cookpack.lock"), old, "after {command}");
        assert_eq!(
            sandbox.modified("cookpack.lock"),
            time,
            "{command} wrote the lock again"
        );
    }
    // Another machine comes to the same.
    sandbox.remove("cookpack.lock");
    sandbox.ok("lock --store ../other");
    assert_eq!(sandbox.text("cookpack.lock"), old);
    // What does not bear on the decision does not make it stale.
    let manifest = sandbox.text("cookpack.toml");
    sandbox.write(
        "cookpack.toml",
        format!("# A comment.\n\n{manifest}\n\n# More.\n"),
    );
    sandbox.ok("build --locked");
}

#[test]
fn it_is_obeyed_when_a_branch_has_gone_on() {
    let (sandbox, web, _) = project();
    let wanted = sandbox.build_bytes("");
    let old = sandbox.text("cookpack.lock");
    web.cookbook_with(".", "web", "2.0.0", "depends 'db'\ndepends 'base'\n")
        .commit("2");
    assert!(sandbox.build_bytes("") == wanted);
    assert!(sandbox.build_bytes("--locked") == wanted);
    // A machine that has never seen the repository, too.
    assert!(sandbox.build_bytes("--store ../other") == wanted);
    assert_eq!(sandbox.text("cookpack.lock"), old);
    sandbox.ok("lock");
    assert_eq!(
        sandbox.text("cookpack.lock"),
        old,
        "`lock` keeps what holds"
    );
}

#[test]
fn a_stale_lock_is_written_anew_and_keeps_what_still_holds() {
    let (sandbox, web, db) = project();
    sandbox.ok("build");
    let old = field(&sandbox, "web", "commit");
    web.cookbook_with(".", "web", "2.0.0", "depends 'db'\ndepends 'base'\n")
        .commit("2");
    db.cookbook("cookbooks/db", "db", "1.5.0").commit("2");
    sandbox.cookbook("more", "more", "");
    let manifest = sandbox.text("cookpack.toml");
    sandbox.write(
        "cookpack.toml",
        format!("{manifest}more = {{ path = \"more\" }}\n"),
    );
    for command in [
        "build --locked",
        "lock --locked",
        "build --frozen",
        "tree --locked",
        "files --locked",
    ] {
        let before = sandbox.text("cookpack.lock");
        sandbox
            .run(command)
            .fails(3)
            .says(["cookpack.lock", "more"]);
        assert_eq!(sandbox.text("cookpack.lock"), before);
        assert!(
            !sandbox.exists("bundle.tar.gz")
                || command != "build --locked"
                || before == sandbox.text("cookpack.lock")
        );
    }
    sandbox.ok("build");
    assert!(lock(&sandbox)["cookbook"].as_array().expect("blocks").len() == 4);
    assert_eq!(
        field(&sandbox, "web", "commit"),
        old,
        "nobody asked for a newer one"
    );
    assert_eq!(field(&sandbox, "db", "version").as_deref(), Some("1.0.0"));
    // What is no longer asked for goes.
    sandbox.write("cookpack.toml", manifest);
    sandbox.run("build --locked").fails(3);
    sandbox.ok("build");
    assert!(!sandbox.text("cookpack.lock").contains("more"));
    // Another branch for one cookbook moves that one alone.
    let manifest = sandbox
        .text("cookpack.toml")
        .replace("branch = \"main\"", "tag = \"v1\"");
    sandbox.write("cookpack.toml", manifest);
    sandbox.run("build --locked").fails(3).says(["web"]);
    sandbox.ok("build");
    assert_eq!(field(&sandbox, "web", "tag").as_deref(), Some("v1"));
    assert_eq!(field(&sandbox, "db", "version").as_deref(), Some("1.0.0"));
}

#[test]
fn without_a_lock_locked_fails_and_writes_nothing() {
    let (sandbox, ..) = project();
    for command in [
        "build --locked",
        "build --frozen",
        "lock --locked",
        "vendor out --locked",
    ] {
        sandbox.run(command).fails(3).says(["cookpack.lock"]);
        for path in ["cookpack.lock", "bundle.tar.gz", "out"] {
            assert!(!sandbox.exists(path), "{command} wrote {path}");
        }
    }
}

#[test]
fn an_edited_path_cookbook_makes_it_stale() {
    let (sandbox, ..) = project();
    sandbox.ok("build");
    let old = field(&sandbox, "base", "content");
    sandbox.write("base/recipes/default.rb", "log 'edited'\n");
    sandbox.run("build --locked").fails(3).says(["base"]);
    assert_eq!(field(&sandbox, "base", "content"), old);
    assert!(
        sandbox
            .build("")
            .text("base/recipes/default.rb")
            .contains("edited")
    );
    assert_ne!(field(&sandbox, "base", "content"), old);
    sandbox.ok("build --locked");
    // The executable bit is content, times are not, and what is left out is not either.
    let held = field(&sandbox, "base", "content");
    sandbox.age("base/recipes/default.rb");
    sandbox
        .write("base/.git/index", "x")
        .write("base/Berksfile.lock", "x");
    sandbox.ok("build --locked");
    sandbox.chmod("base/recipes/default.rb", 0o755);
    sandbox.run("build --locked").fails(3);
    sandbox.ok("build");
    assert_ne!(field(&sandbox, "base", "content"), held);
    // Its version and its dependencies too.
    sandbox.cookbook("base", "base", "depends 'nowhere'\n");
    sandbox.run("build").fails(1).says(["nowhere"]);
}

#[test]
fn frozen_needs_no_repository_once_the_store_has_the_commits() {
    let (sandbox, ..) = project();
    let wanted = sandbox.build_bytes("");
    sandbox.remove("repos");
    for switch in [
        "--frozen",
        "--offline",
        "--offline --locked",
        "--locked",
        "",
    ] {
        assert!(sandbox.build_bytes(switch) == wanted, "{switch}");
    }
}

#[test]
fn frozen_and_offline_fetch_nothing() {
    let (sandbox, ..) = project();
    sandbox.ok("lock");
    for switch in ["--frozen", "--offline", "--offline --locked"] {
        let run = sandbox
            .run(&format!("build {switch} --store ../cold"))
            .fails(5);
        run.says(["repos/", "--"]);
        assert!(!sandbox.exists("bundle.tar.gz"));
    }
    sandbox.ok("build --store ../cold");
    sandbox.ok("build --store ../cold --frozen");
}

#[test]
fn a_missing_repository_is_an_unavailable_source_even_with_a_lock() {
    let (sandbox, ..) = project();
    sandbox.ok("lock");
    sandbox.remove("repos/db");
    sandbox
        .run("build --store ../cold")
        .fails(5)
        .says(["repos/db"]);
    sandbox.run("update").fails(5).says(["repos/db"]);
}

#[test]
fn update_moves_one_or_all() {
    let (sandbox, web, db) = project();
    sandbox.ok("build");
    web.cookbook_with(".", "web", "1.1.0", "depends 'db'\ndepends 'base'\n")
        .commit("2");
    db.cookbook("cookbooks/db", "db", "1.1.0").commit("2");
    let run = sandbox.ok("update db");
    let said = format!("{}{}", run.out(), run.stderr);
    assert!(
        said.contains("db") && said.contains("1.1.0"),
        "it says what moved: {run}"
    );
    assert_eq!(field(&sandbox, "db", "version").as_deref(), Some("1.1.0"));
    assert_eq!(field(&sandbox, "web", "version").as_deref(), Some("1.0.0"));
    sandbox.ok("update");
    assert_eq!(field(&sandbox, "web", "version").as_deref(), Some("1.1.0"));
    assert!(!sandbox.exists("bundle.tar.gz") || sandbox.ok("build --locked").code == Some(0));
    let before = sandbox.text("cookpack.lock");
    sandbox.run("update wbe").fails(1).says(["wbe", "web"]);
    sandbox.run("update db wbe").fails(1).says(["wbe"]);
    assert_eq!(sandbox.text("cookpack.lock"), before);
    // What is to be written cannot be locked.
    web.cookbook_with(".", "web", "1.2.0", "depends 'db'\n")
        .commit("3");
    sandbox.run("update --locked").fails(3);
    assert_eq!(sandbox.text("cookpack.lock"), before);
    let json = sandbox.ok("update --json").json();
    assert!(json.to_string().contains("1.2.0"), "{json:#}");
}

#[test]
fn an_update_that_breaks_the_graph_changes_nothing() {
    let (sandbox, _, db) = project();
    let manifest = sandbox
        .text("cookpack.toml")
        .replace("rel =", "version = \"~> 1.0\", rel =");
    sandbox.write("cookpack.toml", manifest);
    sandbox.ok("build");
    let before = sandbox.text("cookpack.lock");
    db.cookbook("cookbooks/db", "db", "2.0.0").commit("2");
    sandbox
        .run("update")
        .fails(1)
        .says(["db", "2.0.0", "~> 1.0"]);
    assert_eq!(sandbox.text("cookpack.lock"), before);
    sandbox.ok("build --locked");
}

#[test]
fn a_moved_tag_is_an_error_that_says_which() {
    let (sandbox, web, _) = project();
    sandbox.manifest("web = { git = \"repos/web\", tag = \"v1\" }\ndb = { git = \"repos/db\", rel = \"cookbooks/db\" }\nbase = { path = \"base\" }\n");
    let wanted = sandbox.build_bytes("");
    let old = field(&sandbox, "web", "commit").expect("a pin");
    let lock = sandbox.text("cookpack.lock");
    web.cookbook_with(".", "web", "1.0.0", "depends 'db'\n");
    let new = web.commit("other content under the same version");
    web.git("tag -f v1");
    // Who has the commit goes on with it.
    assert!(sandbox.build_bytes("--frozen") == wanted);
    // Who must fetch is told.
    let run = sandbox.run("build --store ../cold").fails(4);
    run.says(["web", "v1", &old[..7], &new[..7], "cookpack update"]);
    assert_eq!(sandbox.text("cookpack.lock"), lock);
    sandbox.ok("update web");
    assert_eq!(field(&sandbox, "web", "commit"), Some(new));
}

#[test]
fn a_rewritten_branch_is_an_error_that_says_which() {
    let (sandbox, web, _) = project();
    sandbox.ok("lock");
    let old = field(&sandbox, "web", "commit").expect("a pin");
    web.git("tag -d v1");
    web.git("checkout -q --orphan other");
    web.cookbook_with(".", "web", "1.0.1", "")
        .commit("a new history");
    web.git("branch -M other main");
    web.git("reflog expire --expire=now --all");
    web.git("gc -q --prune=now");
    let run = sandbox.run("build --store ../cold").fails(4);
    run.says(["web", "main", &old[..7], "cookpack update"]);
    sandbox.ok("update web");
    sandbox.ok("build --store ../cold");
}

#[test]
fn a_pinned_commit_that_no_branch_leads_to_any_more_is_no_silence() {
    // The commit is still in the repository, but the branch was rewritten and does not hold it.
    let (sandbox, web, _) = project();
    web.cookbook_with(".", "web", "1.1.0", "depends 'db'\n")
        .commit("2");
    sandbox.ok("lock");
    web.git("reset -q --hard HEAD~1");
    sandbox
        .run("build --store ../cold")
        .fails(4)
        .says(["web", "main"]);
}

/// Overwrites what the store has of objects of a kind, in packs and outside of them.
fn damage(sandbox: &Sandbox, kind: &str) -> usize {
    let mut damaged = 0;
    let git = |args: &[&str], path: &Path| {
        let mut command = Command::new("git");
        command.args(args).arg(path);
        finish(command.env("GIT_CONFIG_NOSYSTEM", "1")).ok()
    };
    let mut flip = |file: &Path, ranges: &[std::ops::Range<usize>]| {
        let mut bytes = fs::read(file).expect("an object");
        for byte in ranges.iter().flat_map(Clone::clone) {
            bytes[byte] ^= 0x55;
        }
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).expect("chmod");
        fs::write(file, bytes).expect("damage");
        damaged += ranges.len();
    };
    for file in files(&sandbox.store()) {
        if file.extension().is_some_and(|e| e == "pack") {
            // Lines of: id, kind, size, size in the pack, offset.
            let listed = git(&["verify-pack", "-v"], &file.with_extension("idx"));
            let ranges = listed.lines().into_iter().filter_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let [_, found, _, packed, at, ..] = words[..] else {
                    return None;
                };
                let (packed, at): (usize, usize) = (packed.parse().ok()?, at.parse().ok()?);
                // Past the object's own header, into what is compressed.
                (found == kind).then_some(at + 4..at + packed)
            });
            flip(&file, &ranges.collect::<Vec<_>>());
        } else if let Some((mirror, object)) = loose(&file) {
            let mirror = format!("--git-dir={}", mirror.display());
            let found = git(&[&mirror, "cat-file", "-t"], Path::new(&object));
            if found.out().trim() == kind {
                let length = fs::read(&file).expect("an object").len();
                flip(&file, std::slice::from_ref(&(4..length)));
            }
        }
    }
    damaged
}

/// The repository and the id of an object that has a file of its own.
fn loose(file: &Path) -> Option<(&Path, String)> {
    let folder = file.parent()?;
    let (first, rest) = (folder.file_name()?.to_str()?, file.file_name()?.to_str()?);
    let objects = folder.parent()?;
    let is_one = first.len() == 2 && rest.len() == 38 && objects.ends_with("objects");
    is_one.then_some((objects.parent()?, format!("{first}{rest}")))
}

#[test]
fn a_damaged_store_is_an_error_that_says_which_or_is_mended() {
    for kind in ["blob", "tree", "commit"] {
        let (sandbox, ..) = project();
        sandbox.ok("build");
        let old = sandbox.read("bundle.tar.gz");
        let damaged = damage(&sandbox, kind);
        assert!(damaged >= 2, "{kind}: {:?}", files(&sandbox.store()));
        for command in ["build --frozen", "build --locked", "build"] {
            // What is known of it is not read, and its damage is then neither seen nor in the way.
            let run = sandbox.run(&format!("{command} --no-index"));
            assert!(sandbox.read("bundle.tar.gz") == old, "{kind}: {run}");
            // Where it may fetch, it may also mend.
            if run.code == Some(0) && command != "build --frozen" {
                continue;
            }
            let run = run.fails(4).says(["store"]);
            let named = ["repos/web", "repos/db"].map(|name| run.stderr.contains(name));
            assert!(named.contains(&true), "{kind}: {run}");
        }
    }
}

#[test]
fn a_store_whose_object_is_another_sound_one_is_an_error() {
    // Each object is sound in itself here, so only the content digest can tell.
    let (sandbox, ..) = project();
    sandbox.ok("build");
    let digest = field(&sandbox, "db", "content").expect("a digest");
    let other = format!("c1:{}", "0".repeat(64));
    let lock = sandbox.text("cookpack.lock").replace(&digest, &other);
    sandbox.write("cookpack.lock", lock);
    for command in [
        "build",
        "build --locked",
        "build --frozen",
        "vendor out",
        "build --store ../cold",
    ] {
        let run = sandbox.run(command).fails(4);
        run.says(["db", &digest, &other]);
        assert!(!sandbox.exists("out"));
    }
    sandbox.ok("update db");
    assert_eq!(field(&sandbox, "db", "content"), Some(digest));
}

#[test]
fn a_lock_of_a_newer_cookpack_is_refused_and_kept() {
    let (sandbox, ..) = project();
    sandbox.ok("lock");
    let newer = sandbox
        .text("cookpack.lock")
        .replace("version = 1\n", "version = 2\n");
    assert!(newer.contains("version = 2\n"));
    sandbox.write("cookpack.lock", &newer);
    for command in ["build", "lock", "update", "build --locked"] {
        sandbox
            .run(command)
            .fails(1)
            .says(["cookpack.lock:", "version", "2", "newer"]);
        assert_eq!(sandbox.text("cookpack.lock"), newer);
    }
    // Newer in its keys as well.
    sandbox.write("cookpack.lock", "version = 2\nfuture = { a = 1 }\n");
    sandbox.run("build").fails(1).says(["newer"]);
}

#[test]
fn a_broken_lock_is_shown_with_its_line() {
    let (sandbox, ..) = project();
    sandbox.ok("lock");
    let good = sandbox.text("cookpack.lock");
    let commit = field(&sandbox, "web", "commit").expect("a pin");
    for (bad, says) in [
        ("version = 1\n<<<<<<< HEAD\n".to_owned(), "cookpack.lock:2"),
        (String::new(), "version"),
        ("version = \"1\"\n".to_owned(), "cookpack.lock:1"),
        (good.replace(&commit, "xyz"), "xyz"),
        (good.replace("c1:", "c9:"), "c9:"),
        (good.replace("name = \"web\"", "name = \"w b\""), "w b"),
        (good.replace("name = \"web\"", "name = \"db\""), "db"),
        (
            good.replace("rel = \"cookbooks/db\"", "rel = \"../db\""),
            "../db",
        ),
    ] {
        assert_ne!(bad, good);
        sandbox.write("cookpack.lock", &bad);
        sandbox.run("build").fails(1).says(["cookpack.lock", says]);
        assert_eq!(sandbox.text("cookpack.lock"), bad, "what is broken is kept");
    }
}

#[test]
fn a_lock_that_contradicts_the_manifest_is_not_obeyed() {
    // The requirements' digest is right, but the blocks were edited.
    let (sandbox, ..) = project();
    sandbox.ok("lock");
    let other = sandbox.repo("repos/evil");
    other.cookbook_with(".", "web", "1.0.0", "depends 'db'\ndepends 'base'\n");
    other.write("recipes/default.rb", "evil").commit("evil");
    let edited = sandbox
        .text("cookpack.lock")
        .replace("git = \"repos/web\"", "git = \"repos/evil\"");
    assert!(edited.contains("repos/evil"));
    sandbox.write("cookpack.lock", edited);
    let run = sandbox.run("build -o x.tar.gz");
    if run.code == Some(0) {
        let archive = Tarball::read(&sandbox.read("x.tar.gz"));
        assert!(!archive.text("web/recipes/default.rb").contains("evil"));
    } else {
        assert!(matches!(run.code, Some(1 | 3 | 4)), "{run}");
    }
    sandbox.run("build --locked").never_says("panicked");
}

#[test]
fn the_pins_content_is_that_of_the_layouts_folder_whatever_the_layout() {
    let (sandbox, ..) = project();
    sandbox.ok("build --layout flat");
    let flat = sandbox.text("cookpack.lock");
    sandbox.ok("build --layout cookbooks --locked");
    assert_eq!(sandbox.text("cookpack.lock"), flat);
}

#[test]
fn nothing_is_written_when_resolution_fails() {
    let (sandbox, ..) = project();
    sandbox.ok("build");
    let before = sandbox.text("cookpack.lock");
    let manifest = sandbox.text("cookpack.toml");
    sandbox.write(
        "cookpack.toml",
        format!("{manifest}x = {{ path = \"x\" }}\n"),
    );
    sandbox.cookbook("x", "x", "depends 'gone'\n");
    sandbox.run("build").fails(1).says(["gone"]);
    sandbox.run("lock").fails(1);
    assert_eq!(sandbox.text("cookpack.lock"), before);
}

#[test]
fn a_lockfile_that_is_to_stay_is_not_even_formatted() {
    let (sandbox, ..) = project();
    sandbox.ok("lock");
    let printed = sandbox.text("cookpack.lock");
    let edited = format!("# checked by hand\n{}", printed.replace(" = ", "="));
    for flag in ["--locked", "--frozen"] {
        sandbox.write("cookpack.lock", &edited);
        for command in ["build", "lock", "vendor out"] {
            sandbox.ok(&format!("{command} {flag}"));
            assert_eq!(sandbox.text("cookpack.lock"), edited, "{command} {flag}");
        }
    }
    sandbox.ok("build");
    assert_eq!(sandbox.text("cookpack.lock"), printed);
}
