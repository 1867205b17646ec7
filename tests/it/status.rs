//! Whether what is packed of a folder is in the commit that is checked out: as git itself says it, whatever
//! git's index holds, and without looking at what was looked at before.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::{Repo, Sandbox, finish, pointer, settle};

const MANIFEST: &str = "web = { path = \"cookbooks/web\" }\n";

/// A project that is one repository, with all committed.
fn project() -> (Sandbox, Repo) {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo(".");
    repo.cookbook("cookbooks/web", "web", "1.0.0")
        .write("cookbooks/web/files/a", "a\n")
        .write(".gitignore", "*.secret\ncookpack.lock\n");
    sandbox.manifest(MANIFEST);
    repo.git("add -A");
    repo.git("commit -q -m 1");
    (sandbox, repo)
}

/// Whether the lockfile says that a cookbook is in no commit: with what is known, and with all read anew.
fn is_dirty(sandbox: &Sandbox) -> bool {
    let said = ["lock --no-index", "lock"].map(|command| {
        sandbox.ok(command);
        let lock = sandbox.text("cookpack.lock");
        lock.contains("dirty = true\n")
    });
    assert_eq!(said[0], said[1], "what is known, and what is read");
    said[0]
}

/// What git itself says when it knows nothing but the commit and the work tree.
fn git_says(sandbox: &Sandbox, folder: &str) -> String {
    let index = sandbox.path("../index-of-its-own");
    let _ = fs::remove_file(&index);
    let git = |args: &str| {
        let mut command = Command::new("git");
        command
            .args(args.split(' '))
            .env("GIT_INDEX_FILE", &index)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .current_dir(sandbox.project());
        finish(&mut command).ok().out().to_owned()
    };
    git("read-tree HEAD");
    git(&format!("status --porcelain --ignored -uall -- {folder}"))
}

#[test]
fn whatever_happens_to_a_folder_it_is_as_git_says() {
    let (sandbox, repo) = project();
    sandbox.symlink("a", "cookbooks/web/files/link");
    let path = |name: &str| format!("cookbooks/web/{name}");
    let mut seed: u32 = 20_261_129;
    let mut dirty = 0;
    const STEPS: usize = 90;
    for step in 0..STEPS {
        let mut random = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed as usize % below
        };
        let name = [
            "files/f",
            "files/g",
            "files/g-h",
            "files/k.secret",
            "README.md",
        ][random(5)];
        let file = path(name);
        let what = random(18);
        let clear = || {
            if sandbox.exists(&file) {
                sandbox.remove(&file);
            }
        };
        match what {
            0..=4 => {
                clear();
                sandbox.write(&file, ["a\n", "b\n", "aa\n", ""][random(4)]);
            }
            5 | 6 => clear(),
            7 => {
                clear();
                sandbox.write(format!("{file}/x"), "x\n");
            }
            8 if sandbox.path(&file).is_file() => {
                sandbox.chmod(&file, [0o644, 0o755][random(2)]);
            }
            9 => {
                sandbox.remove(path("files/link"));
                sandbox.symlink(["a", "../metadata.rb"][random(2)], path("files/link"));
            }
            10 => drop(repo.git("add -A -f")),
            11 => drop(repo.git("reset -q")),
            12 | 13 => drop(repo.commit("step")),
            14 => drop(repo.git_args(&[
                "rm",
                "-r",
                "-q",
                "-f",
                "--cached",
                "--ignore-unmatch",
                &file,
            ])),
            15 => {
                repo.git("add -A -f");
                repo.git(
                    [
                        "update-index --split-index",
                        "update-index --no-split-index",
                    ][random(2)],
                );
                repo.git(
                    [
                        "update-index --index-version 4",
                        "update-index --index-version 2",
                    ][random(2)],
                );
            }
            16 => drop(repo.git("repack -a -d -q")),
            17 => {
                let known = repo.git("ls-files cookbooks");
                let known: Vec<_> = known.lines().collect();
                let flag = [
                    "--assume-unchanged",
                    "--no-assume-unchanged",
                    "--skip-worktree",
                ][random(3)];
                if let Some(one) = known.get(random(known.len().max(1))) {
                    repo.git_args(&["update-index", flag, one]);
                }
            }
            _ => {}
        }
        let said = git_says(&sandbox, "cookbooks/web");
        let found = is_dirty(&sandbox);
        assert_eq!(
            found,
            !said.is_empty(),
            "step {step}, {what} of {file}: {said}"
        );
        dirty += usize::from(found);
    }
    assert!((10..STEPS - 10).contains(&dirty), "{dirty} of {STEPS}");
}

/// The folders that are known to be as their commit has them, by the store.
fn known(sandbox: &Sandbox) -> (PathBuf, usize) {
    let kept = sandbox.store().join("status-1");
    let folders = fs::read_dir(kept).expect("a folder").flatten();
    let folders = folders.filter(|folder| folder.path().is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).expect("a folder").flatten());
    let files: Vec<_> = files.map(|file| file.path()).collect();
    let file = files.first().expect("one for the project");
    let bytes = fs::read(file).expect("a record");
    let keys = bytes.len() - b"cookpack-status 1\n".len() - 32;
    assert!(keys.is_multiple_of(32));
    (file.clone(), keys / 32)
}

#[test]
fn what_was_found_clean_is_known_until_the_folder_or_the_commit_is_another() {
    let (sandbox, repo) = project();
    repo.cookbook("cookbooks/other", "other", "1.0.0");
    sandbox.manifest(&format!(
        "{MANIFEST}other = {{ path = \"cookbooks/other\" }}\n"
    ));
    repo.commit("2");
    // What is as young is looked at each time.
    assert!(!is_dirty(&sandbox));
    assert!(!sandbox.store().join("status-1").exists());
    settle();
    assert!(!is_dirty(&sandbox));
    let (record, count) = known(&sandbox);
    assert_eq!(count, 2);
    sandbox.ok("cache list").says(["1 work tree's status"]);
    // Nothing is written where nothing changed, whatever happened to the index.
    let before = {
        let long_ago = SystemTime::now() - Duration::from_secs(3_600);
        let file = fs::File::options()
            .append(true)
            .open(&record)
            .expect("open");
        file.set_modified(long_ago).expect("a time");
        fs::read(&record).expect("a record")
    };
    repo.git("rm -q -r --cached cookbooks/web");
    sandbox.write("cookbooks/README.md", "beside\n");
    let written = fs::metadata(&record).and_then(|found| found.modified());
    assert!(!is_dirty(&sandbox));
    let now = fs::metadata(&record).and_then(|found| found.modified());
    assert_eq!(written.expect("a time"), now.expect("a time"));
    repo.git("reset -q --hard");
    // Another folder.
    sandbox.write("cookbooks/web/files/a", "b\n");
    assert!(is_dirty(&sandbox));
    assert_eq!(known(&sandbox).1, 1);
    // Another commit, first with a folder that is too young, then with one that is not.
    repo.commit("3");
    assert!(!is_dirty(&sandbox));
    assert_eq!(known(&sandbox).1, 1);
    settle();
    assert!(!is_dirty(&sandbox));
    assert_eq!(known(&sandbox).1, 2);
    repo.git("reset -q --soft HEAD~1");
    assert!(is_dirty(&sandbox));
    repo.git("reset -q --soft HEAD@{1}");
    assert!(!is_dirty(&sandbox));
    assert_eq!(known(&sandbox).1, 2);
    // Another project has its own.
    sandbox.write("../two/cookpack.toml", sandbox.text("cookpack.toml"));
    sandbox.symlink("../project/cookbooks", "../two/cookbooks");
    sandbox.ok("lock --manifest-path ../two/cookpack.toml");
    assert_eq!(known(&sandbox).1, 2);
    sandbox.ok("cache list").says(["2 work trees' statuses"]);
    fs::remove_dir_all(sandbox.store().join("status-1")).expect("statuses");
    assert!(!is_dirty(&sandbox));
    assert_eq!(known(&sandbox).1, 2);
    sandbox.ok("cache list").says(["1 work tree's status"]);
    sandbox.ok("cache verify");
    // One that is damaged is none.
    for damaged in [&before[..40], b"", &[0; 200]] {
        fs::write(&record, damaged).expect("a record");
        let run = sandbox.run("cache verify").fails(4);
        run.says(["the store's copy of 1 work tree's status is damaged"]);
        assert!(!is_dirty(&sandbox));
        assert_eq!(known(&sandbox).1, 2);
    }
    // A store that cannot be written is no reason to fail.
    fs::remove_file(&record).expect("a record");
    let folder = record.parent().expect("a folder");
    fs::remove_dir(folder).expect("a folder");
    fs::write(folder, "").expect("a file");
    assert!(!is_dirty(&sandbox));
}

#[test]
fn a_submodule_in_a_cookbook_is_compared_with_its_own_commit() {
    let (sandbox, repo) = project();
    let inner = sandbox.repo("../inner");
    inner
        .write("x", "x\n")
        .executable("deep/run", "#!/bin/sh\n");
    inner.commit("1");
    repo.git("-c protocol.file.allow=always submodule add -q ../inner cookbooks/web/files/inner");
    assert!(is_dirty(&sandbox), "it is in no commit yet");
    repo.git("add -A");
    repo.git("commit -q -m 2");
    assert!(!is_dirty(&sandbox));
    let inner = Repo::init(&sandbox.path("cookbooks/web/files/inner"));
    let clean = || {
        inner.git("reset -q --hard");
        inner.git("clean -q -f -d -x");
        assert!(!is_dirty(&sandbox));
    };
    inner.write("x", "y\n");
    assert!(is_dirty(&sandbox));
    clean();
    inner.write("deep/new", "");
    assert!(is_dirty(&sandbox));
    clean();
    fs::remove_file(inner.folder().join("deep/run")).expect("a file");
    assert!(is_dirty(&sandbox));
    clean();
    // At another commit than the one that the cookbook asks for, until that asks for it as well.
    inner.write("x", "z\n");
    inner.commit("2");
    assert!(is_dirty(&sandbox));
    repo.git("commit -q -a -m 3");
    assert!(!is_dirty(&sandbox));
    // What is packed of a folder that is no repository any more is in no commit.
    fs::remove_file(inner.folder().join(".git")).expect("a file");
    assert!(is_dirty(&sandbox));
    // Nothing is packed of one that is not checked out.
    fs::remove_dir_all(inner.folder()).expect("a folder");
    fs::create_dir(inner.folder()).expect("a folder");
    assert!(!is_dirty(&sandbox));
}

#[test]
fn what_git_makes_of_a_file_when_it_checks_it_out_is_no_change() {
    let (sandbox, repo) = project();
    let content = "what Git LFS keeps\n".repeat(100);
    repo.write(".gitattributes", "*.rb text eol=crlf\n*.md ident\n")
        .write("cookbooks/web/README.md", "of $Id$\n")
        .write("cookbooks/web/files/large", pointer(content.as_bytes()));
    repo.git("add -A");
    repo.git("commit -q -m 2");
    for path in ["README.md", "recipes/default.rb", "metadata.rb"] {
        sandbox.remove(format!("cookbooks/web/{path}"));
    }
    repo.git("checkout -q .");
    assert!(sandbox.text("cookbooks/web/README.md").contains("$Id: "));
    let recipe = sandbox.text("cookbooks/web/recipes/default.rb");
    assert!(recipe.ends_with("\r\n"));
    assert!(!is_dirty(&sandbox));
    // git's index knows nothing of them.
    for path in ["README.md", "recipes/default.rb", "metadata.rb"] {
        sandbox.age(format!("cookbooks/web/{path}"));
    }
    assert!(!is_dirty(&sandbox));
    // What `git lfs` puts in a pointer's place.
    sandbox.write("cookbooks/web/files/large", &content);
    assert!(!is_dirty(&sandbox));
    let edits = [
        ("files/large", content.replace("keeps", "lost")),
        ("recipes/default.rb", recipe.replace("from", "to")),
        ("README.md", "for $Id: 1 $\n".to_owned()),
    ];
    for (path, edited) in edits {
        let path = format!("cookbooks/web/{path}");
        let before = sandbox.read(&path);
        sandbox.write(&path, edited);
        assert!(is_dirty(&sandbox), "{path}");
        sandbox.write(&path, before);
        assert!(!is_dirty(&sandbox), "{path}");
    }
}

#[test]
fn objects_that_another_repository_lends_are_found() {
    let (sandbox, repo) = project();
    repo.git("clone -q --shared . ../borrowed");
    let is_dirty = || {
        sandbox.ok("lock --manifest-path ../borrowed/cookpack.toml");
        sandbox.text("../borrowed/cookpack.lock").contains("dirty")
    };
    assert!(!is_dirty());
    sandbox.write("../borrowed/cookbooks/web/files/a", "b\n");
    assert!(is_dirty());
}

#[test]
fn executable_bits_come_from_an_index_in_every_form() {
    let (sandbox, repo) = project();
    repo.executable("cookbooks/web/files/run", "#!/bin/sh\n");
    repo.commit("2");
    repo.git("config core.fileMode false");
    sandbox.chmod("cookbooks/web/files/run", 0o644);
    let mode = || sandbox.build("").member("web/files/run").mode();
    for version in ["2", "4", "3"] {
        repo.git(&format!("update-index --index-version {version}"));
        assert_eq!(mode(), 0o755, "{version}");
        assert!(!is_dirty(&sandbox));
    }
    // One that is split is not read, and what the file system says counts.
    repo.git("update-index --split-index");
    assert_eq!(mode(), 0o644);
}
