//! What goes of a store, and what stays.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use super::{address, file_name, filled, lfs_object, mirror, pack, paths, used};
use crate::support::Run;

#[test]
fn what_was_not_used_for_long_goes() {
    let sandbox = filled(&["old", "new"]);
    let (old, new) = (mirror(&sandbox, "old"), mirror(&sandbox, "new"));
    let object = lfs_object(&sandbox, b"object");
    let kept = lfs_object(&sandbox, b"kept");
    for (path, days) in [(&old, 31), (&new, 29), (&object, 31), (&kept, 29)] {
        used(path, days);
    }
    let run = sandbox.ok("cache prune --dry-run");
    assert!(
        run.out()
            .starts_with(&format!("would remove {}", address(&sandbox, "old"))),
        "{run}"
    );
    assert!(
        run.out()
            .contains("would remove 1 object of Git LFS (6 B, last used 31 days ago)")
    );
    assert!(
        run.out()
            .contains("; kept 1 repository, 1 object of Git LFS, "),
        "{run}"
    );
    assert!(old.exists() && object.exists(), "{run}");
    assert_eq!(sandbox.ok("cache prune -q").out(), "");
    assert!(!old.exists() && !object.exists() && new.exists() && kept.exists());
    assert!(
        !old.with_extension("lock").exists(),
        "the lock goes with what it guarded"
    );
    let run = sandbox.ok("cache prune");
    assert!(
        run.out()
            .starts_with("nothing to remove; kept 1 repository, "),
        "{run}"
    );
    sandbox.ok("cache prune --older-than 29d");
    assert!(!new.exists() && !kept.exists());
    sandbox.ok("build");
}

#[test]
fn the_least_used_goes_first_until_the_rest_fits() {
    let names = ["a", "b", "c", "d"];
    let sandbox = filled(&names);
    let mirrors = names.map(|name| mirror(&sandbox, name));
    for (path, days) in mirrors.iter().zip([2, 90, 1, 50]) {
        used(path, days);
    }
    let json = sandbox.ok("cache list --json").json();
    let sizes: Vec<_> = json["entries"].as_array().expect("a list").iter().collect();
    let size = |i: usize| sizes[i]["size"].as_u64().expect("bytes");
    let there = || mirrors.iter().map(|path| path.exists()).collect::<Vec<_>>();
    // Exactly what is there is not too much, however old it is.
    sandbox.ok(&format!("cache prune --max-size {}", json["size"]));
    assert_eq!(there(), [true; 4]);
    let run = sandbox.ok(&format!(
        "cache prune --max-size {} --json",
        size(0) + size(2)
    ));
    assert_eq!(there(), [true, false, true, false]);
    let json = run.json();
    assert_eq!(json["size"], size(0) + size(2));
    assert_eq!(json["freed"], size(1) + size(3));
    assert_eq!(json["dry_run"], false);
    sandbox.ok("cache prune --max-size 1B --older-than 1000d");
    assert_eq!(there(), [false; 4]);
}

#[test]
fn everything_goes_that_is_ours() {
    let sandbox = filled(&["a", "b"]);
    lfs_object(&sandbox, b"object");
    fs::create_dir(sandbox.store().join("git-1/mine")).expect("a folder");
    fs::write(sandbox.store().join("git-1/mine/file"), "x").expect("a file");
    fs::write(sandbox.store().join("lfs-1/notes"), "x").expect("a file");
    sandbox.ok("cache prune --all --dry-run");
    assert_eq!(sandbox.ok("cache list").lines().len(), 3);
    let run = sandbox.ok("cache prune --all");
    assert_eq!(run.lines().len(), 4, "{run}");
    assert!(run.out().ends_with("; kept nothing\n"), "{run}");
    let left = |folder: &str| {
        let left = paths(&sandbox.store().join(folder));
        left.iter()
            .map(|path| file_name(path).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(left("git-1"), ["mine"]);
    assert!(left("lfs-1").contains(&"notes".to_owned()));
    assert!(sandbox.store().join("CACHEDIR.TAG").exists());
    sandbox.ok("build");
}

#[test]
fn what_killed_runs_left_goes_and_nothing_else() {
    let sandbox = filled(&["web", "busy"]);
    let (web, busy) = (mirror(&sandbox, "web"), mirror(&sandbox, "busy"));
    let store = sandbox.store();
    let (object, whole) = (lfs_object(&sandbox, b"object"), pack(&web));
    let made = |path: PathBuf| {
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, "12345").expect("a file");
        path
    };
    let gone = [
        made(store.join(".cookpack-tmp-file")),
        made(store.join("git-1/gone-0123456789abcdef.lock")),
        made(store.join("git-1/.cookpack-tmp-aside-0123456789abcdef/HEAD")),
        made(web.join("objects/pack/pack_git2_1234")),
        made(web.join("objects/pack/.cookpack-tmp-pack-1.pack")),
        made(web.join("objects/ab/.cookpack-tmp-cd")),
        made(web.join("shallow.lock")),
        made(object.with_file_name(".cookpack-tmp-x")),
    ];
    let held = made(store.join(".cookpack-tmp-held"));
    let held_lock = File::open(&held).expect("a file");
    held_lock.lock().expect("a lock");
    let busy_lock = File::open(busy.with_extension("lock")).expect("the lock's file");
    busy_lock.lock().expect("a lock");
    // A mirror is being made, under the lock that it will have.
    let making = made(store.join("git-1/making-0123456789abcdef.lock"));
    let making_lock = File::open(&making).expect("a file");
    making_lock.lock().expect("a lock");
    let made_aside = store.join("git-1/.cookpack-tmp-making-0123456789abcdef");
    let kept = [
        held,
        making,
        made(made_aside.join("HEAD")),
        made(busy.join("objects/pack/pack_git2_1234")),
        // It may belong to somebody whose lock is not known, until it is a day old.
        made(store.join("git-1/.cookpack-tmp-young/HEAD")),
        whole,
        object,
    ];
    let run = sandbox.ok("cache prune --dry-run --json").json();
    assert_eq!(run["leftovers"].as_array().map(Vec::len), Some(8), "{run}");
    assert_eq!(run["freed"], 8 * 5);
    assert!(gone.iter().all(|path| path.exists()));
    assert_eq!(sandbox.ok("cache list").lines().len(), 3);
    let run = sandbox.ok("cache prune");
    for path in &gone {
        assert!(!path.exists(), "{}: {run}", path.display());
    }
    for path in &kept {
        assert!(path.exists(), "{}: {run}", path.display());
    }
    assert!(
        run.out()
            .contains("removed git-1/gone-0123456789abcdef.lock (5 B, left behind)")
    );
    let names: Vec<_> = paths(&store.join("git-1"));
    let locks = names
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "lock"));
    assert_eq!(locks.count(), 3, "{names:?}");
    sandbox.ok("cache prune --all");
    assert!(made_aside.join("HEAD").exists() && busy.join("HEAD").exists());
    drop((held_lock, busy_lock, making_lock));
    sandbox.ok("cache verify");
    sandbox.ok("cache prune --all");
    assert!(!made_aside.exists() && !busy.exists());
}

#[test]
fn what_another_process_works_on_stays() {
    let sandbox = filled(&["web", "busy"]);
    let busy = mirror(&sandbox, "busy");
    let lock = File::open(busy.with_extension("lock")).expect("the lock's file");
    lock.lock().expect("a lock");
    for dry_run in [" --dry-run", ""] {
        let run = sandbox.ok(&format!("cache prune --all{dry_run}"));
        let skipped = format!(
            "skipped {}: another process uses it",
            address(&sandbox, "busy")
        );
        let run = run.says([&skipped]);
        assert!(run.out().contains("kept 1 repository, "), "{run}");
        assert!(busy.join("HEAD").exists());
    }
    let json = sandbox.ok("cache prune --max-size 0 --json").json();
    assert_eq!(json["in_use"][0]["name"], file_name(&busy));
    assert_eq!(json["kept"][0]["name"], file_name(&busy));

    // A check waits for it, and says so.
    let mut command = sandbox.command(["cache", "verify"]);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("a start");
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().expect("a child").is_none(), "it waits");
    drop(lock);
    let run = Run::new(
        "cache verify".to_owned(),
        child.wait_with_output().expect("an end"),
    );
    run.ok()
        .says(["waiting for another cookpack to be done with"]);
    sandbox.ok("cache prune --all");
    assert!(!busy.exists());
}

/// A link in the store leads elsewhere, where nothing may be removed.
#[test]
fn no_link_is_followed_out_of_the_store() {
    let sandbox = filled(&["web"]);
    sandbox.write("precious/file", "x");
    let store = sandbox.store();
    let precious = sandbox.path("precious");
    for link in [
        "git-1/linked-0123456789abcdef",
        "git-1/.cookpack-tmp-linked-0123456789abcdef",
        "git-1/.cookpack-tmp-linked",
        "lfs-1/ab",
    ] {
        let link = store.join(link);
        fs::create_dir_all(link.parent().expect("a parent")).expect("folders");
        std::os::unix::fs::symlink(&precious, link).expect("a link");
    }
    sandbox.ok("cache prune --all");
    assert_eq!(sandbox.text("precious/file"), "x");
}
