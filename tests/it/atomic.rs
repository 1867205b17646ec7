//! What stands when a build fails, is killed, or is not alone.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Repo, Run, Sandbox, Tarball, finish, noise};

/// A project whose archive takes a while to write.
fn slow_project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    for i in 0..6 {
        sandbox.write(format!("web/files/{i}"), noise(2 << 20, i + 1));
    }
    sandbox.manifest("web = { path = \"web\" }\n");
    sandbox
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_failed_build_leaves_the_old_archive_and_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .manifest("web = { path = \"web\" }\n");
    sandbox.ok("build");
    let old = sandbox.read("bundle.tar.gz");
    sandbox.age("bundle.tar.gz");
    let before = names(&sandbox.project());
    sandbox.symlink("/etc/hostname", "web/files/secret");
    sandbox.run("build").fails(1);
    assert!(sandbox.read("bundle.tar.gz") == old);
    assert_eq!(names(&sandbox.project()), before, "nothing was left behind");
    sandbox.remove("web/files/secret");
    sandbox.ok("build");
    assert!(sandbox.read("bundle.tar.gz") == old);
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_archive() {
    let sandbox = slow_project();
    sandbox.ok("build");
    let old = sandbox.read("bundle.tar.gz");
    let mut new = None;
    let started = Instant::now();
    finish(&mut sandbox.command(["build", "-o", "../timed.tar.gz"])).ok();
    let whole = started.elapsed();
    // From now on another archive would be written, so that old and new can be told apart.
    sandbox.write("web/files/more", noise(1 << 20, 99));
    let mut killed = 0;
    for round in 0..30 {
        let mut command = sandbox.command(["build"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a start");
        std::thread::sleep(whole * round / 25);
        child.kill().expect("a kill");
        killed += u32::from(child.wait().expect("an end").code().is_none());
        let found = sandbox.read("bundle.tar.gz");
        if found != old {
            // Whole, or not there.
            Tarball::read(&found);
            let new = new.get_or_insert_with(|| found.clone());
            assert!(found == *new, "neither the old nor the new archive");
        }
    }
    assert!(
        killed >= 5,
        "only {killed} of 30 builds were killed in time"
    );
    let clean = {
        let clean = slow_project();
        clean.write("web/files/more", noise(1 << 20, 99));
        clean.build_bytes("")
    };
    sandbox.ok("build");
    assert!(
        sandbox.read("bundle.tar.gz") == clean,
        "the build after the kills"
    );
}

#[test]
fn what_a_killed_build_left_in_a_cookbooks_folder_is_never_packed() {
    let sandbox = Sandbox::new();
    sandbox.cookbook(".", "web", "");
    for i in 0..4 {
        sandbox.write(format!("files/{i}"), noise(2 << 20, i + 1));
    }
    let wanted = sandbox.build_bytes("");
    for round in 1..=12 {
        let mut command = sandbox.command(["build"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a start");
        std::thread::sleep(Duration::from_millis(25 * round));
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }
    let left = names(&sandbox.project());
    assert!(
        sandbox.build_bytes("") == wanted,
        "packed what a kill left: {left:?}"
    );
}

#[test]
fn an_interrupt_ends_with_130_and_cleans_up() {
    let sandbox = slow_project();
    sandbox.ok("lock");
    let before = names(&sandbox.project());
    let mut wait = Duration::from_millis(80);
    for _ in 0..20 {
        let mut command = sandbox.command(["build"]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a start");
        std::thread::sleep(wait);
        finish(Command::new("kill").args(["-INT", &child.id().to_string()]));
        let output = child.wait_with_output().expect("an end");
        let run = Run::new("an interrupted build".to_owned(), output);
        match run.code {
            Some(130) => {
                assert!(run.stdout.is_empty(), "{run}");
                assert_eq!(names(&sandbox.project()), before, "nothing was left behind");
                return;
            }
            // It was done before the signal came.
            Some(0) => {
                sandbox.remove("bundle.tar.gz");
                wait /= 2;
            }
            // The signal came before the binary listened for it.
            None => wait = wait * 3 / 2,
            _ => panic!("{run}"),
        }
    }
    panic!("no build was interrupted in the middle");
}

#[test]
fn two_builds_at_once_share_a_cold_store() {
    for round in 0..3 {
        let sandbox = Sandbox::new();
        let mut cookbooks = String::new();
        for name in ["a", "b", "c"] {
            let repo = sandbox.repo(&format!("repos/{name}"));
            repo.cookbook(".", name, "1.0.0");
            repo.write("files/data", noise(300_000, 7));
            repo.commit("x");
            cookbooks += &format!("{name} = {{ git = \"repos/{name}\" }}\n");
        }
        sandbox.manifest(&cookbooks);
        let children: Vec<_> = (0..4)
            .map(|i| {
                let mut command =
                    sandbox.command(["build", "-o", &format!("../{round}-{i}.tar.gz")]);
                let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
                piped.spawn().expect("a start")
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().expect("an end");
            Run::new("one of four builds".to_owned(), output).ok();
        }
        let built = |i| fs::read(sandbox.root().join(format!("{round}-{i}.tar.gz"))).expect("one");
        assert!((1..4).all(|i| built(i) == built(0)));
        sandbox.ok("build --frozen");
        assert!(sandbox.read("bundle.tar.gz") == built(0));
    }
}

#[test]
fn a_store_survives_a_kill_while_it_is_filled() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("repos/web");
    repo.cookbook(".", "web", "1.0.0");
    for i in 0..40 {
        repo.write(&format!("files/{i}"), noise(100_000, i + 1));
    }
    repo.commit("x");
    sandbox.manifest("web = { git = \"repos/web\" }\n");
    let wanted = sandbox.build_bytes("");
    for round in 0..15 {
        if sandbox.store().exists() && round % 3 == 0 {
            fs::remove_dir_all(sandbox.store()).expect("the store");
        }
        let mut command = sandbox.command(["build", "-o", "../killed.tar.gz"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a start");
        std::thread::sleep(Duration::from_millis(10 * round));
        child.kill().expect("a kill");
        child.wait().expect("an end");
        assert!(sandbox.build_bytes("") == wanted, "after kill {round}");
    }
}

#[test]
fn what_is_written_has_the_mode_that_the_umask_gives() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .manifest("web = { path = \"web\" }\n");
    for (mask, mode) in [("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let script = format!("umask {mask}; \"$cookpack\" build; \"$cookpack\" vendor out");
        sandbox.shell(&script).ok();
        for file in ["bundle.tar.gz", "cookpack.lock", "out/web/metadata.rb"] {
            let found = sandbox
                .path(file)
                .metadata()
                .expect("a file")
                .permissions()
                .mode();
            assert_eq!(found & 0o777, mode, "{file} under umask {mask}: {found:o}");
        }
        let found = sandbox
            .path("out")
            .metadata()
            .expect("a folder")
            .permissions()
            .mode();
        assert_eq!(
            found & 0o777,
            0o777 & !u32::from_str_radix(mask, 8).expect("octal"),
            "{found:o}"
        );
        for path in ["bundle.tar.gz", "cookpack.lock", "out"] {
            sandbox.remove(path);
        }
    }
}

#[test]
fn a_device_or_a_fifo_is_never_replaced() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .manifest("web = { path = \"web\" }\n");
    // Written to, or refused: both will do, but it stays what it is.
    sandbox
        .shell(
            "mkfifo pipe\n\
             timeout 20 cat pipe > copy &\n\
             timeout 20 \"$cookpack\" build --format tar.gz -o pipe || true\n\
             test -p pipe\n\
             (: > pipe) & sleep 0.1; kill $! 2>/dev/null || true\n\
             wait %1 || true",
        )
        .ok();
    let kind = sandbox.path("pipe").symlink_metadata().expect("the pipe");
    assert!(kind.file_type().is_fifo());
}

#[test]
fn a_folder_in_the_way_of_the_archive_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .manifest("web = { path = \"web\" }\n");
    fs::create_dir(sandbox.path("bundle.tar.gz")).expect("a folder");
    let before = names(&sandbox.project());
    sandbox.run("build").fails(1).says(["bundle.tar.gz"]);
    sandbox
        .run("build -o nowhere/x.tar.gz")
        .fails(1)
        .says(["nowhere"]);
    let mut after = names(&sandbox.project());
    after.retain(|name| name != "cookpack.lock");
    assert_eq!(after, before);
}

#[test]
fn a_repository_that_grows_is_fetched_again() {
    let sandbox = Sandbox::new();
    let repo: Repo = sandbox.repo("repos/web");
    repo.cookbook(".", "web", "1.0.0").commit("1");
    sandbox.manifest("web = { git = \"repos/web\" }\n");
    sandbox.ok("build");
    repo.cookbook(".", "web", "2.0.0").commit("2");
    sandbox.ok("update");
    assert!(sandbox.text("cookpack.lock").contains("2.0.0"));
}

#[test]
fn memory_does_not_grow_with_the_archive() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("web", "web", "")
        .manifest("web = { path = \"web\" }\n");
    // Sparse: it takes no room on the disk.
    for name in ["one", "two"] {
        sandbox.write(format!("web/files/{name}"), "");
        let path = sandbox.path(format!("web/files/{name}"));
        let file = fs::OpenOptions::new().append(true).open(path);
        file.expect("a file").set_len(200 << 20).expect("a length");
    }
    let run = sandbox.shell("ulimit -v 262144; \"$cookpack\" build -o - | wc -c");
    let size: usize = run.ok().out().trim().parse().expect("a number");
    assert!(size > 100_000);
}

#[test]
fn an_archive_never_replaces_what_is_no_archive() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    sandbox.manifest("web = { path = \"web\" }\n");
    sandbox.ok("build");
    for input in ["cookpack.toml", "cookpack.lock", "web/metadata.rb"] {
        let old = sandbox.read(input);
        sandbox
            .run(&format!("build --format tar.gz -o {input}"))
            .fails(1)
            .says([input, "no archive"]);
        assert!(sandbox.read(input) == old, "{input}");
    }
    // An older archive, and an empty file such as mktemp makes, make way.
    sandbox.write("empty", "");
    sandbox.ok("build --format tar.gz -o empty");
    sandbox.ok("build --format tar.gz -o empty");
}
