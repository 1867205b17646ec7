//! A folder inside a git work tree: whether what was packed of it is in a commit, and its executable
//! bits where the file system has none.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::chown;

use crate::support::{Repo, Sandbox};

const MANIFEST: &str = "web = { path = \"cookbooks/web\" }\n";

/// A project that is one repository, with all committed.
fn project() -> (Sandbox, Repo) {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo(".");
    repo.cookbook("cookbooks/web", "web", "1.0.0")
        .write("cookbooks/web/files/a", "a\n")
        .write("cookbooks/web/files/b", "b\n")
        .symlink("a", "cookbooks/web/files/link")
        .write("cookbooks/web/chefignore", "notes/*\n")
        .write("cookbooks/web/notes/old", "old\n")
        .cookbook("cookbooks/other", "other", "1.0.0")
        .write(".gitignore", "*.secret\n");
    sandbox.manifest(MANIFEST);
    repo.commit("1");
    (sandbox, repo)
}

/// Whether the lockfile, made anew, says that the cookbook is in no commit.
fn is_dirty(sandbox: &Sandbox) -> bool {
    sandbox.ok("lock");
    let lock = sandbox.text("cookpack.lock");
    let is_dirty = lock.contains("path = \"cookbooks/web\"\ndirty = true\n");
    assert_eq!(lock.contains("dirty"), is_dirty, "{lock}");
    is_dirty
}

#[test]
fn the_lockfile_says_whether_a_folder_was_committed() {
    let (sandbox, repo) = project();
    assert!(!is_dirty(&sandbox));
    let clean = |what: &str| {
        repo.git("checkout -q -f .");
        repo.git("reset -q --hard");
        repo.git("clean -q -d -f -f -x -e cookpack.lock");
        assert!(!is_dirty(&sandbox), "after {what}");
    };
    type Change = fn(&Sandbox, &Repo);
    let changes: [(&str, bool, Change); 13] = [
        ("an edit", true, |s, _| {
            s.write("cookbooks/web/files/a", "c\n");
        }),
        ("an edit of the same length", true, |s, _| {
            s.write("cookbooks/web/recipes/default.rb", "log 'from web 1.0.1'\n");
        }),
        ("a staged edit", true, |s, repo| {
            s.write("cookbooks/web/files/a", "c\n");
            repo.git("add -A");
        }),
        ("a new file", true, |s, _| {
            s.write("cookbooks/web/files/new/deep/c", "c\n");
        }),
        ("a new file that git ignores", true, |s, _| {
            s.write("cookbooks/web/files/key.secret", "c\n");
        }),
        ("a file that is gone", true, |s, _| {
            s.remove("cookbooks/web/files/b");
        }),
        ("an executable bit", true, |s, _| {
            s.chmod("cookbooks/web/files/a", 0o755);
        }),
        ("a link that leads elsewhere", true, |s, _| {
            s.remove("cookbooks/web/files/link");
            s.symlink("b", "cookbooks/web/files/link");
        }),
        ("a repository within", true, |s, _| {
            let inner = s.repo("cookbooks/web/files/inner");
            inner.write("x", "x\n").commit("1");
        }),
        ("a file that chefignore names", false, |s, _| {
            s.write("cookbooks/web/notes/new", "new\n");
            s.write("cookbooks/web/notes/old", "older\n");
        }),
        ("a change of another cookbook", false, |s, _| {
            s.write("cookbooks/other/recipes/default.rb", "log 'other'\n");
            s.remove("cookbooks/other/metadata.rb");
        }),
        ("a touched file", false, |s, _| {
            s.age("cookbooks/web/files/a");
        }),
        (
            "a file beside, whose name begins the same",
            false,
            |s, _| {
                s.write("cookbooks/web2", "x\n");
            },
        ),
    ];
    for (what, wanted, change) in changes {
        change(&sandbox, &repo);
        assert_eq!(is_dirty(&sandbox), wanted, "{what}");
        clean(what);
    }
}

#[test]
fn it_is_a_note_and_never_makes_a_lockfile_stale() {
    let (sandbox, repo) = project();
    sandbox.write("cookbooks/web/files/a", "c\n");
    assert!(is_dirty(&sandbox));
    repo.commit("2");
    // Not a byte changes where nothing may.
    let before = sandbox.age("cookpack.lock");
    for args in [
        "lock --locked",
        "build --locked",
        "build --frozen",
        "vendor out --locked",
        "update --locked",
    ] {
        sandbox.ok(args);
        assert_eq!(sandbox.modified("cookpack.lock"), before, "{args}");
    }
    let run = sandbox.ok("lock");
    assert!(!run.out().contains("edited"), "{run}");
    assert!(!sandbox.text("cookpack.lock").contains("dirty"));
    // git's index has no say in it.
    repo.git("rm -q --cached cookbooks/web/files/a");
    assert!(!is_dirty(&sandbox));
    // And back: the same content, no longer in the commit.
    repo.git("reset -q --soft HEAD~1");
    sandbox.ok("build --locked");
    assert!(!sandbox.text("cookpack.lock").contains("dirty"));
    let receipt = sandbox.ok("build --json").json();
    assert_eq!(receipt["cookbooks"][0]["source"]["dirty"], true);
    assert!(sandbox.text("cookpack.lock").contains("dirty = true\n"));
}

#[test]
fn a_folder_is_looked_up_in_the_work_tree_that_holds_it_if_one_does() {
    // None.
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("cookbooks/web", "web", "")
        .manifest(MANIFEST);
    assert!(!is_dirty(&sandbox));
    // One without a commit.
    let repo = sandbox.repo(".");
    assert!(is_dirty(&sandbox));
    repo.git("add -A");
    assert!(is_dirty(&sandbox));
    repo.commit("1");
    assert!(!is_dirty(&sandbox));
    // A project below the root of the work tree.
    let below = "bundle/cookpack.toml";
    sandbox.write(
        below,
        format!("[bundle]\nname = \"b\"\n[cookbooks]\n{MANIFEST}"),
    );
    sandbox.cookbook("bundle/cookbooks/web", "web", "");
    repo.commit("2");
    let lock = |edit: &str| {
        sandbox.write("bundle/cookbooks/web/README.md", edit);
        sandbox.ok(&format!("lock --manifest-path {below}"));
        sandbox.text("bundle/cookpack.lock").contains("dirty")
    };
    assert!(lock("one"));
    repo.commit("3");
    assert!(!lock("one"));
    assert!(lock("two"));
    // A damaged repository is none: what is packed does not hang on it.
    sandbox.write(".git/HEAD", "nonsense");
    sandbox.write("cookbooks/web/README.md", "two\n");
    assert!(!is_dirty(&sandbox));
}

#[test]
fn of_many_cookbooks_in_several_work_trees_each_has_its_own_note() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.repo("one"), sandbox.repo("two"));
    one.cookbook("cookbooks/a", "a", "1.0.0")
        .cookbook("cookbooks/a-b", "a-b", "1.0.0")
        .cookbook("cookbooks/b", "b", "1.0.0");
    // A cookbook that is a whole repository.
    two.cookbook(".", "whole", "1.0.0");
    one.commit("1");
    two.commit("1");
    sandbox.cookbook("none", "none", "").manifest(
        "a = { path = \"one/cookbooks/a\" }\n\"a-b\" = { path = \"one/cookbooks/a-b\" }\n\
         b = { path = \"one/cookbooks/b\" }\nwhole = { path = \"two\" }\n\
         none = { path = \"none\" }\n",
    );
    let dirty = || -> Vec<String> {
        sandbox.ok("lock");
        let lock: toml::Table = sandbox.text("cookpack.lock").parse().expect("TOML");
        let cookbooks = lock["cookbook"].as_array().expect("cookbooks").iter();
        cookbooks
            .filter(|cookbook| cookbook.get("dirty").is_some())
            .map(|cookbook| cookbook["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert!(dirty().is_empty());
    one.write("cookbooks/a-b/README.md", "x\n");
    assert_eq!(dirty(), ["a-b"]);
    two.write("README.md", "x\n");
    one.write("cookbooks/b/README.md", "x\n");
    assert_eq!(dirty(), ["a-b", "b", "whole"]);
    two.commit("2");
    one.commit("2");
    assert!(dirty().is_empty());
}

#[test]
fn a_linked_work_tree_is_one_too() {
    let (sandbox, repo) = project();
    repo.git("worktree add -q ../linked");
    let lock = || {
        sandbox.ok("lock --manifest-path ../linked/cookpack.toml");
        sandbox.text("../linked/cookpack.lock").contains("dirty")
    };
    assert!(!lock());
    sandbox.write("../linked/cookbooks/web/files/a", "c\n");
    assert!(lock());
}

#[test]
fn a_work_tree_of_another_user_is_passed_over() {
    let (sandbox, _repo) = project();
    sandbox.write("cookbooks/web/files/a", "c\n");
    assert!(is_dirty(&sandbox));
    let given = |path: &str| chown(sandbox.path(path), Some(12_345), Some(12_345));
    if given(".git").and_then(|()| given(".")).is_err() {
        let line = b"SKIPPED: a_work_tree_of_another_user_is_passed_over needs root\n";
        std::io::stderr().write_all(line).expect("stderr");
        return;
    }
    assert!(!is_dirty(&sandbox));
    sandbox.ok("build");
}

/// The mode of a file in the archive that is built now.
fn mode(sandbox: &Sandbox, path: &str) -> u64 {
    sandbox.build("").member(path).mode()
}

#[test]
fn executable_bits_are_the_indexs_where_the_file_system_has_none() {
    let (sandbox, repo) = project();
    repo.executable("cookbooks/web/files/run", "#!/bin/sh\n")
        .executable("cookbooks/web/files/a", "a\n");
    repo.commit("2");
    let locked = {
        sandbox.ok("lock");
        sandbox.read("cookpack.lock")
    };
    // A file system that shows every file as one that may be executed, or none.
    repo.git("config core.fileMode false");
    for bits in [0o755, 0o644] {
        for path in ["run", "a", "b"] {
            sandbox.chmod(format!("cookbooks/web/files/{path}"), bits);
        }
        assert_eq!(mode(&sandbox, "web/files/run"), 0o755);
        assert_eq!(mode(&sandbox, "web/files/a"), 0o755);
        assert_eq!(mode(&sandbox, "web/files/link"), 0o755);
        assert_eq!(mode(&sandbox, "web/files/b"), 0o644);
        sandbox.ok("build --locked");
        assert!(!is_dirty(&sandbox));
        assert_eq!(sandbox.read("cookpack.lock"), locked);
    }
    // The index, and not the commit; what is in neither may not be executed.
    repo.git("update-index --chmod=+x cookbooks/web/files/b");
    repo.executable("cookbooks/web/files/new", "#!/bin/sh\n");
    assert_eq!(mode(&sandbox, "web/files/b"), 0o755);
    assert_eq!(mode(&sandbox, "web/files/new"), 0o644);
    // Where the repository says nothing of it, the file system does.
    repo.git("config --unset core.fileMode");
    assert_eq!(mode(&sandbox, "web/files/b"), 0o644);
    assert_eq!(mode(&sandbox, "web/files/new"), 0o755);
}

#[test]
fn nobodys_own_settings_decide_on_executable_bits() {
    let (sandbox, repo) = project();
    repo.executable("cookbooks/web/files/run", "#!/bin/sh\n");
    fs::write(
        sandbox.home().join(".gitconfig"),
        "[core]\nfileMode = false\n",
    )
    .expect("a configuration");
    repo.git("config --unset core.fileMode");
    assert_eq!(mode(&sandbox, "web/files/run"), 0o755);
}

#[test]
fn a_project_below_its_work_tree_has_the_indexs_bits_as_well() {
    let (sandbox, repo) = project();
    repo.executable("sub/cookbooks/web/files/run", "#!/bin/sh\n")
        .cookbook("sub/cookbooks/web", "web", "1.0.0")
        .write(
            "sub/cookpack.toml",
            format!("[bundle]\nname = \"b\"\n[cookbooks]\n{MANIFEST}"),
        );
    repo.commit("2");
    repo.git("config core.fileMode false");
    sandbox.chmod("sub/cookbooks/web/files/run", 0o644);
    let archive = sandbox.build("--manifest-path sub");
    assert_eq!(archive.member("web/files/run").mode(), 0o755);
}
