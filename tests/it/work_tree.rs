//! A path source inside of a git work tree: what git knows of it.

use crate::support::{Repo, Sandbox, is_root};

/// A project that is a repository, with a cookbook in a folder of it.
fn project() -> (Sandbox, Repo) {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo(".");
    repo.cookbook("cookbooks/web", "web", "1.0.0");
    repo.write("README.md", "x");
    sandbox.manifest("web = { path = \"cookbooks/web\" }\n");
    repo.write(".gitignore", "*.tar.gz\nignored\n");
    repo.git("add -A");
    repo.git("commit -q -m one");
    (sandbox, repo)
}

/// Whether the lock says that the tree was dirty.
fn locked_as_dirty(sandbox: &Sandbox) -> bool {
    sandbox.forget_lock();
    sandbox.ok("lock");
    let lock = sandbox.text("cookpack.lock");
    assert!(!lock.contains("dirty = false"), "{lock}");
    lock.contains("dirty = true")
}

#[test]
fn the_lock_tells_whether_the_tree_was_dirty() {
    let (sandbox, repo) = project();
    assert!(!locked_as_dirty(&sandbox), "clean");
    // Elsewhere in the work tree is not here.
    repo.write("README.md", "y").write("other", "z");
    assert!(!locked_as_dirty(&sandbox), "clean where it is packed");
    // Changed, untracked, staged, removed, another mode.
    repo.write("cookbooks/web/recipes/default.rb", "log 'changed'\n");
    assert!(locked_as_dirty(&sandbox), "changed");
    repo.git("add -A");
    assert!(locked_as_dirty(&sandbox), "staged");
    repo.git("commit -q -m two");
    assert!(!locked_as_dirty(&sandbox), "committed");
    repo.write("cookbooks/web/files/new", "x");
    assert!(locked_as_dirty(&sandbox), "untracked");
    sandbox.remove("cookbooks/web/files/new");
    assert!(!locked_as_dirty(&sandbox), "clean again");
    sandbox.chmod("cookbooks/web/metadata.rb", 0o755);
    assert!(locked_as_dirty(&sandbox), "another mode");
    sandbox.chmod("cookbooks/web/metadata.rb", 0o644);
    assert!(!locked_as_dirty(&sandbox), "the mode as it was");
    // What is not packed does not count.
    repo.write("cookbooks/web/chefignore", "notes\n");
    repo.git("add -A");
    repo.git("commit -q -m three");
    repo.write("cookbooks/web/notes", "x");
    assert!(!locked_as_dirty(&sandbox), "chefignored");
    // A file that git ignores and that is packed does.
    repo.write("cookbooks/web/files/ignored", "x");
    assert!(locked_as_dirty(&sandbox), "ignored by git, and packed");
}

#[test]
fn a_removed_file_makes_a_tree_dirty() {
    let (sandbox, repo) = project();
    repo.write("cookbooks/web/files/one", "x");
    repo.git("add -A");
    repo.git("commit -q -m two");
    assert!(!locked_as_dirty(&sandbox));
    sandbox.remove("cookbooks/web/files/one");
    assert!(locked_as_dirty(&sandbox));
}

#[test]
fn the_flag_alone_never_makes_a_lock_out_of_date() {
    let (sandbox, repo) = project();
    repo.write("cookbooks/web/recipes/default.rb", "log 'changed'\n");
    sandbox.ok("lock");
    assert!(sandbox.text("cookpack.lock").contains("dirty = true"));
    repo.git("add -A");
    repo.git("commit -q -m two");
    let before = sandbox.text("cookpack.lock");
    sandbox.ok("build --locked");
    assert_eq!(sandbox.text("cookpack.lock"), before);
    // The other way round: the content is the locked one, and git has another.
    sandbox.forget_lock();
    sandbox.ok("lock");
    repo.git("reset -q --soft HEAD~1");
    sandbox.ok("build --locked");
    // Changed content is out of date as ever.
    repo.write("cookbooks/web/recipes/default.rb", "log 'again'\n");
    sandbox.run("build --locked").fails(3);
}

#[test]
fn a_folder_outside_of_any_repository_has_no_flag() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    sandbox.manifest("web = { path = \"web\" }\n");
    assert!(!locked_as_dirty(&sandbox));
    // A repository without a commit has nothing to compare with: all of it is new.
    let repo = sandbox.repo(".");
    assert!(locked_as_dirty(&sandbox));
    repo.git("add web");
    repo.git("commit -q -m x");
    assert!(!locked_as_dirty(&sandbox));
}

#[test]
fn the_executable_bit_comes_from_the_index_where_files_have_none() {
    let (sandbox, repo) = project();
    repo.executable("cookbooks/web/files/run", "#!/bin/sh\n");
    repo.write("cookbooks/web/files/plain", "x");
    repo.git("add -A");
    repo.git("commit -q -m bits");
    let bits = |sandbox: &Sandbox| {
        let archive = sandbox.build("");
        ["run", "plain"].map(|f| archive.member(&format!("web/files/{f}")).mode())
    };
    assert_eq!(bits(&sandbox), [0o755, 0o644]);
    let wanted = sandbox.build_bytes("");
    // As on a file system that has no bits, once with all set and once with none.
    repo.git("config core.fileMode false");
    for mode in [0o644, 0o755] {
        sandbox.chmod("cookbooks/web/files/run", mode);
        sandbox.chmod("cookbooks/web/files/plain", mode);
        assert_eq!(bits(&sandbox), [0o755, 0o644], "{mode:o}");
        assert!(sandbox.build_bytes("") == wanted);
        assert!(
            !locked_as_dirty(&sandbox),
            "the bits are not meant: {mode:o}"
        );
    }
    // A file that the index does not know has what the file system says.
    repo.write("cookbooks/web/files/new", "x");
    sandbox.chmod("cookbooks/web/files/new", 0o755);
    sandbox.forget_lock();
    let archive = sandbox.build("");
    assert_eq!(archive.member("web/files/new").mode(), 0o755);
    // Where the bits count, the file system says.
    repo.git("config core.fileMode true");
    sandbox.chmod("cookbooks/web/files/run", 0o644);
    sandbox.forget_lock();
    let archive = sandbox.build("");
    assert_eq!(archive.member("web/files/run").mode(), 0o644);
}

#[test]
fn a_work_tree_of_a_worktree_or_a_submodule_counts_as_well() {
    let (sandbox, repo) = project();
    let beside = sandbox.root().join("beside");
    repo.git_args(&["worktree", "add", "-q", beside.to_str().expect("UTF-8")]);
    sandbox.manifest("web = { path = \"../beside/cookbooks/web\" }\n");
    assert!(!locked_as_dirty(&sandbox));
    sandbox.write("../beside/cookbooks/web/files/new", "x");
    assert!(locked_as_dirty(&sandbox));
}

#[test]
fn a_damaged_or_foreign_repository_around_a_folder_does_not_stop_a_build() {
    let (sandbox, _repo) = project();
    let archive = sandbox.build("");
    assert!(archive.has("web/metadata.json"));
    sandbox.write(".git/index", "rubbish");
    sandbox.forget_lock();
    sandbox.ok("build");
    sandbox.write(".git/HEAD", "rubbish");
    sandbox.forget_lock();
    sandbox.ok("build");
    if is_root() {
        // A folder of somebody else's: git itself would not read its configuration.
        let (sandbox, repo) = project();
        let mut command = std::process::Command::new("chown");
        command.args(["-R", "65534:65534"]).arg(repo.folder());
        crate::support::finish(&mut command).ok();
        sandbox.ok("build");
    }
}
