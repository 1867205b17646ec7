//! What is known to be unchanged is not read, and nobody sees a difference but in time.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Mirror, Sandbox, finish, have, is_root, noise, settle, sha256};

/// The records of plans in the store.
fn plans(sandbox: &Sandbox) -> Vec<PathBuf> {
    kept(sandbox, "plans-1")
}

/// What the store keeps of a kind.
fn kept(sandbox: &Sandbox, kind: &str) -> Vec<PathBuf> {
    let folder = sandbox.store().join(kind);
    let folders = fs::read_dir(folder).into_iter().flatten();
    let folders = folders.map(|entry| entry.expect("an entry").path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path())
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

/// A project whose cookbooks come in every way, and have everything in them that a plan tells.
fn rich() -> Sandbox {
    let sandbox = Sandbox::new();
    let inner = sandbox.repo("../srv/inner.git");
    inner.write("shared.rb", "shared\n");
    let commit = inner.commit("inner");
    let repo = sandbox.repo("../srv/chef.git");
    repo.write("chefignore", "*.bak\nspec/*\n");
    repo.write("VERSION", "3.1.4\n");
    for name in ["web", "db"] {
        repo.cookbook(&format!("cookbooks/{name}"), name, "1.0.0");
        repo.write(&format!("cookbooks/{name}/spec/x_spec.rb"), "");
    }
    repo.write(
        "cookbooks/elsewhere/metadata.rb",
        "name 'elsewhere'\nversion IO.read(File.join(File.dirname(__FILE__), '../../VERSION')).strip\n",
    );
    repo.write("cookbooks/db/chefignore", "notes*\n");
    repo.write("cookbooks/db/notes.md", "notes\n");
    repo.executable("cookbooks/web/files/run", "#!/bin/sh\n");
    repo.symlink("run", "cookbooks/web/files/link");
    repo.write("cookbooks/web/old.bak", "old\n");
    repo.submodule("cookbooks/db/libraries/inner", "../inner.git", &commit);
    repo.commit("x");
    sandbox.cookbook("site/base", "base", "depends 'web'\nunknown_word 'x'\n");
    sandbox.write("site/base/Berksfile", "source 'x'\n");
    sandbox.write("site/base/.git/config", "");
    sandbox.write("site/base/old/.cookpack-vendor", "");
    sandbox.write("site/base/old/x", "");
    sandbox.symlink("recipes", "site/base/linked");
    sandbox.write("site/nameless/metadata.rb", "version '0.1.0'\n");
    sandbox.write(
        "site/json/metadata.json",
        "{\"name\": \"json\", \"version\": \"1.2\"}",
    );
    sandbox.write("site/declared/metadata.rb", "version `git describe`\n");
    sandbox.manifest(
        "git = { git = \"../srv/chef.git\", glob = \"cookbooks/*\" }\n\
         base = { path = \"site/base\" }\n\
         nameless = { path = \"site/nameless\" }\n\
         json = { path = \"site/json\" }\n\
         declared = { path = \"site/declared\", override = { version = \"7.0.0\" } }\n",
    );
    sandbox
}

#[test]
fn cold_warm_and_without_an_index_are_the_same() {
    let sandbox = rich();
    // An archive of its own lies in a cookbook.
    sandbox.ok("build -o site/base/own.tar.gz");
    sandbox.forget();
    settle();
    for command in [
        "files --json",
        "files",
        "build --json -o ../out.tar.gz",
        "lock --json --dry-run",
        "tree --json",
        "why web",
    ] {
        let shown = |args: &str| {
            let run = sandbox.ok(&format!("{command}{args}"));
            (run.stdout, run.stderr)
        };
        sandbox.forget();
        sandbox.ok("lock");
        fs::remove_dir_all(sandbox.store().join("plans-1")).expect("plans");
        let cold = shown("");
        assert!(!plans(&sandbox).is_empty(), "{command}");
        assert!(!cold.1.is_empty(), "there are warnings: {command}");
        let warm = shown("");
        assert!(warm == cold, "{command}\n{warm:?}\n{cold:?}");
        let all = shown(" --no-index");
        assert!(all == cold, "{command}\n{all:?}\n{cold:?}");
    }
    // Errors as well: what a metadata.rb depends on is not there.
    sandbox.write(
        "cookpack.toml",
        sandbox
            .text("cookpack.toml")
            .replace("glob = ", "glob = \"no*\" # "),
    );
    let cold = sandbox.run("lock --no-index");
    let warm = sandbox.run("lock");
    assert_eq!(cold.code, Some(1), "{cold}");
    assert_eq!((warm.code, &warm.stderr), (cold.code, &cold.stderr));
}

/// What is compressed need not be read either.
fn forget_segments(sandbox: &Sandbox) {
    fs::remove_dir_all(sandbox.store().join("segments-1")).expect("segments");
}

/// A mirror whose one large file cannot be read any more.
fn damaged() -> Sandbox {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("../srv/web.git");
    repo.cookbook(".", "web", "1.0.0");
    repo.write("files/large", noise(200_000, 5)).commit("x");
    sandbox.manifest("web = { git = \"../srv/web.git\" }\n");
    sandbox.ok("build");
    let files = Mirror::of(&sandbox, "web").object_files();
    let size = |file: &PathBuf| file.metadata().expect("a file").len();
    let largest = files.into_iter().max_by_key(size).expect("objects");
    let mut bytes = fs::read(&largest).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle - 1_000..middle + 1_000].fill(0);
    fs::remove_file(&largest).expect("a file");
    fs::write(&largest, bytes).expect("a file");
    sandbox
}

#[test]
fn a_commit_that_is_known_is_not_read() {
    let sandbox = damaged();
    sandbox.ok("lock --frozen");
    sandbox.ok("files --frozen");
    sandbox.run("lock --frozen --no-index").fails(4);
    let before = sandbox.read("bundle.tar.gz");
    assert!(sandbox.build_bytes("--frozen") == before);
    // What is needed of it is read, and found out.
    forget_segments(&sandbox);
    sandbox.run("build --frozen").fails(4);
    assert!(sandbox.read("bundle.tar.gz") == before);
    let run = sandbox.ok("build").says(["damaged"]);
    assert!(sandbox.read("bundle.tar.gz") == before, "{run}");
    sandbox.ok("lock --frozen --no-index").never_says("damaged");
}

#[test]
fn a_folder_that_is_vendored_is_read_anew_where_it_must_be() {
    let sandbox = damaged();
    forget_segments(&sandbox);
    sandbox.ok("vendor out").says(["damaged"]);
    assert_eq!(sandbox.read("out/web/files/large"), noise(200_000, 5));
}

/// A file that its own user cannot read has to be known.
#[test]
fn a_folder_that_is_known_is_not_read() {
    if !is_root() || !have("setpriv") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    sandbox.manifest("web = { path = \"web\" }\n");
    sandbox.chmod("web/recipes/default.rb", 0o600);
    let binary = sandbox.root().join("cookpack");
    fs::copy(env!("CARGO_BIN_EXE_cookpack"), &binary).expect("the binary");
    finish(Command::new("chmod").arg("a+rx").arg(sandbox.root())).ok();
    settle();
    sandbox.ok("lock");
    finish(
        Command::new("chmod")
            .args(["-R", "a+rwX"])
            .arg(sandbox.store()),
    )
    .ok();
    let as_nobody = |args: &str| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&binary)
            .args(args.split_whitespace())
            .env_clear()
            .env("HOME", sandbox.home())
            .env("COOKPACK_STORE", sandbox.store())
            .current_dir(sandbox.project());
        finish(&mut command)
    };
    as_nobody("lock --frozen").ok();
    as_nobody("lock --frozen --no-index").fails(70);
    sandbox.write("web/recipes/default.rb", "log 'edited'\n");
    as_nobody("lock --frozen").fails(70);
}

#[test]
fn damaged_records_are_told_and_made_anew() {
    let sandbox = rich();
    settle();
    let bytes = sandbox.build_bytes("");
    let kept = plans(&sandbox);
    assert!(kept.len() >= 6, "{kept:?}");
    let run = sandbox.ok("cache list");
    let shown = format!("{} cookbooks' plans", kept.len());
    assert!(run.out().contains(&shown), "{run}");
    let damages: [fn(&mut Vec<u8>); 3] = [
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        },
        |bytes| bytes.truncate(40),
        Vec::clear,
    ];
    for damage in damages {
        sandbox.ok("cache verify");
        for path in &kept {
            let mut record = fs::read(path).expect("a record");
            damage(&mut record);
            fs::write(path, record).expect("a record");
        }
        sandbox.run("cache verify").ends_with(4);
        assert!(sandbox.build_bytes("--locked") == bytes);
        sandbox.ok("cache verify");
        assert_eq!(plans(&sandbox), kept);
    }
    sandbox.ok("cache prune --all");
    assert!(plans(&sandbox).is_empty());
    assert!(sandbox.build_bytes("") == bytes);
}

#[test]
fn processes_at_once_keep_whole_records() {
    let sandbox = rich();
    let bytes = sandbox.build_bytes("");
    fs::remove_dir_all(sandbox.store().join("plans-1")).expect("plans");
    settle();
    let runs: Vec<_> = (0..4)
        .map(|number| {
            let out = format!("../out-{number}.tar.gz");
            let mut command = sandbox.command(["build", "--locked", "-q", "-o", &out]);
            (out, command.spawn().expect("a start"))
        })
        .collect();
    for (out, mut run) in runs {
        assert!(run.wait().expect("an end").success());
        assert!(sandbox.read(&out) == bytes);
    }
    sandbox.ok("cache verify");
    let left: Vec<_> = plans(&sandbox)
        .into_iter()
        .filter(|path| path.to_string_lossy().contains(".cookpack-tmp-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The same folder of the same id in two commits, of which something above the folder says more.
#[test]
fn what_stands_above_a_known_folder_counts() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("../srv/chef.git");
    repo.cookbook("cookbooks/web", "web", "1.0.0");
    repo.write("cookbooks/web/notes.md", "notes\n");
    repo.write(
        "cookbooks/web/metadata.rb",
        "name 'web'\nversion IO.read(File.join(File.dirname(__FILE__), '../../VERSION')).strip\n",
    );
    repo.write("VERSION", "1.0.0\n").commit("one");
    sandbox.manifest("web = { git = \"../srv/chef.git\", rel = \"cookbooks/web\" }\n");
    let run = sandbox.ok("files");
    assert!(run.lines().contains(&"web/notes.md"), "{run}");
    assert!(sandbox.build("").has("web/notes.md"));
    repo.write("chefignore", "notes*\n");
    repo.write("VERSION", "2.0.0\n").commit("two");
    sandbox.ok("update");
    let lock = sandbox.text("cookpack.lock");
    assert!(lock.contains("version = \"2.0.0\""), "{lock}");
    let run = sandbox.ok("files").says(["web/notes.md (chefignore:1"]);
    assert!(!run.lines().contains(&"web/notes.md"), "{run}");
    assert!(!sandbox.build("").has("web/notes.md"));
}

/// What is not what is locked is told as that, however it is known.
#[test]
fn known_content_is_compared_with_the_lock() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("../srv/web.git");
    repo.cookbook(".", "web", "1.0.0").commit("x");
    sandbox.manifest("web = { git = \"../srv/web.git\" }\n");
    sandbox.ok("build");
    let lock = sandbox.text("cookpack.lock");
    let at = lock.find("c1:").expect("a digest") + 3;
    let mut wrong = lock.clone();
    wrong.replace_range(at..at + 8, "00000000");
    sandbox.write("cookpack.lock", &wrong);
    let warm = sandbox.run("build --locked").fails(4);
    let cold = sandbox.run("build --locked --no-index").fails(4);
    assert_eq!(warm.stderr, cold.stderr);
    sandbox.write("cookpack.lock", &lock);
    sandbox.ok("build --locked");
}

/// A build whose receipt must be that of the bytes.
fn build_with_true_receipt(sandbox: &Sandbox, args: &str) -> Vec<u8> {
    let _ = fs::remove_file(sandbox.path("bundle.tar.gz"));
    let receipt = sandbox.ok(&format!("build --json {args}")).json();
    let bytes = sandbox.read("bundle.tar.gz");
    let digest = format!("sha256:{}", sha256(&bytes));
    assert_eq!(receipt["digests"]["archive"], digest, "{args}");
    assert_eq!(receipt["size"], bytes.len(), "{args}");
    bytes
}

#[test]
fn what_is_known_of_an_archives_beginning_shows_in_no_receipt() {
    let sandbox = rich();
    let bytes = build_with_true_receipt(&sandbox, "-j2");
    let trails = kept(&sandbox, "trails-1");
    assert_eq!(trails.len(), 1, "{trails:?}");
    let trail = fs::read(&trails[0]).expect("a trail");
    sandbox.ok("cache list").says(["1 archive's trail"]);
    for args in ["-j1", "-j2"] {
        assert!(build_with_true_receipt(&sandbox, args) == bytes);
    }
    // One that is damaged is told of, and made anew.
    let damages: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes[200] ^= 1,
        |bytes| bytes.truncate(300),
        Vec::clear,
    ];
    for damage in damages {
        let mut damaged = trail.clone();
        damage(&mut damaged);
        fs::write(&trails[0], &damaged).expect("a trail");
        sandbox.run("cache verify").ends_with(4);
        assert!(build_with_true_receipt(&sandbox, "-j2") == bytes);
        sandbox.ok("cache verify");
        assert!(fs::read(&trails[0]).expect("a trail") == trail);
    }
    // A segment that is damaged is made anew, whatever is known of it.
    for path in kept(&sandbox, "segments-1") {
        let mut segment = fs::read(&path).expect("a segment");
        segment[0] ^= 1;
        fs::write(&path, segment).expect("a segment");
        assert!(build_with_true_receipt(&sandbox, "-j2") == bytes);
    }
    // A cookbook that changes, and then is what it was.
    let text = sandbox.text("site/base/recipes/default.rb");
    sandbox.write("site/base/recipes/default.rb", "log 'changed'\n");
    let changed = build_with_true_receipt(&sandbox, "-j2");
    assert!(changed != bytes);
    assert!(build_with_true_receipt(&sandbox, "-j1") == changed);
    sandbox.write("site/base/recipes/default.rb", text);
    assert!(build_with_true_receipt(&sandbox, "-j2") == bytes);
}
