//! The store survives damage, read-only folders and full disks, and tells what it holds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::{GitServer, Mirror, Sandbox, finish, have, is_root, noise};

/// A server, and a project whose one cookbook comes from it and has a large file.
fn built() -> (Sandbox, GitServer, Vec<u8>) {
    let sandbox = Sandbox::new();
    let server = GitServer::start(&sandbox);
    let repo = server.cookbook("web");
    repo.write("files/large", noise(200_000, 5)).commit("large");
    sandbox.manifest(&format!(
        "web = {{ git = \"{}\" }}\n",
        server.url("web.git")
    ));
    sandbox.ok("build");
    let bytes = sandbox.read("bundle.tar.gz");
    (sandbox, server, bytes)
}

fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).expect("a file");
    change(&mut bytes);
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).expect("chmod");
    fs::write(file, bytes).expect("a file");
}

/// The largest file that holds objects.
fn largest(mirror: &Mirror) -> std::path::PathBuf {
    let size = |file: &Path| file.metadata().expect("a file").len();
    let files = mirror.object_files().into_iter();
    files.max_by_key(|file| size(file)).expect("objects")
}

/// A way to damage a mirror, and what it is called.
type Damage = (&'static str, fn(&Mirror));

const DAMAGES: [Damage; 7] = [
    ("truncated", |m| {
        change(&largest(m), |b| b.truncate(b.len() / 2));
    }),
    ("flipped", |m| {
        change(&largest(m), |b| {
            let middle = b.len() / 2;
            b[middle] ^= 0x40;
        });
    }),
    ("emptied", |m| change(&largest(m), Vec::clear)),
    ("removed", |m| fs::remove_file(largest(m)).expect("a file")),
    ("without objects", |m| {
        fs::remove_dir_all(m.folder.join("objects")).expect("objects");
    }),
    ("without HEAD", |m| {
        fs::remove_file(m.folder.join("HEAD")).expect("HEAD");
    }),
    ("zeroed", |m| change(&largest(m), |b| b.fill(0))),
];

#[test]
fn damage_is_found_and_what_is_damaged_is_fetched_anew() {
    for (what, damage) in DAMAGES {
        let (sandbox, _server, bytes) = built();
        damage(&Mirror::of(&sandbox, "web"));
        // What is known is not read, and nothing is missed of it.
        let run = sandbox
            .ok("build --locked --no-index")
            .says(["warning", "damaged"]);
        assert!(sandbox.read("bundle.tar.gz") == bytes, "{what}: {run}");
        let run = sandbox.ok("build --frozen").never_says("damaged");
        assert!(sandbox.read("bundle.tar.gz") == bytes, "{what}: {run}");
    }
}

#[test]
fn damage_without_a_network_is_an_error_that_names_the_mirror() {
    for (what, damage) in DAMAGES {
        let (sandbox, mut server, bytes) = built();
        damage(&Mirror::of(&sandbox, "web"));
        server.stop();
        let run = sandbox.run("build --offline --no-index");
        // What is not there at all is missing, and not damaged.
        let missing = matches!(what, "removed" | "without objects");
        let expected = run.code == Some(4) || missing && run.code == Some(5);
        assert!(expected, "{what}: {run}");
        run.says([server.url("web.git")]);
        assert!(sandbox.read("bundle.tar.gz") == bytes, "{what}");
    }
}

#[test]
fn a_mirror_of_a_folder_is_made_anew_as_well() {
    for (what, damage) in DAMAGES {
        let sandbox = Sandbox::new();
        let repo = sandbox.repo("../srv/web.git");
        repo.cookbook(".", "web", "1.0.0");
        repo.write("files/large", noise(200_000, 5)).commit("x");
        sandbox.manifest("web = { git = \"../srv/web.git\" }\n");
        sandbox.ok("build");
        let bytes = sandbox.read("bundle.tar.gz");
        damage(&Mirror::of(&sandbox, "web"));
        let run = sandbox.ok("build --locked");
        assert!(sandbox.read("bundle.tar.gz") == bytes, "{what}: {run}");
    }
}

/// Runs the binary as somebody who may write nothing in the store.
fn as_nobody(sandbox: &Sandbox, args: &[&str]) -> Command {
    let binary = sandbox.root().join("cookpack");
    if !binary.exists() {
        fs::copy(env!("CARGO_BIN_EXE_cookpack"), &binary).expect("the binary");
    }
    let mut command = match is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            command.arg(&binary);
            command
        }
        false => Command::new(&binary),
    };
    command
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("PATH"))
        .env("HOME", sandbox.home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("COOKPACK_STORE", sandbox.store())
        .current_dir(sandbox.project());
    command
}

fn chmod_all(folder: &Path, mode: &str) {
    let mut command = Command::new("chmod");
    finish(command.arg("-R").arg(mode).arg(folder)).ok();
}

#[test]
fn a_read_only_store_with_everything_in_it_builds() {
    if is_root() && !have("setpriv") {
        return;
    }
    let (sandbox, mut server, bytes) = built();
    let repo = sandbox.repo("../srv/base.git");
    repo.cookbook(".", "base", "1.0.0").commit("x");
    let manifest = format!(
        "web = {{ git = \"{}\" }}\nbase = {{ git = \"../srv/base.git\" }}\n",
        server.url("web.git")
    );
    sandbox.manifest(&manifest);
    sandbox.ok("build");
    let both = sandbox.read("bundle.tar.gz");
    assert!(both != bytes);
    server.stop();
    chmod_all(sandbox.root(), "a+rX");
    chmod_all(&sandbox.store(), "a-w");
    let build = ["build", "--locked", "-o", "-"];
    let run = finish(&mut as_nobody(&sandbox, &build)).ok();
    assert!(run.stdout == both, "{}", run.stderr);
    run.never_says("warning");
    // What is not in it cannot be had, and the message names the store.
    let second = GitServer::start(&sandbox);
    second.cookbook("other");
    chmod_all(sandbox.root(), "a+rX");
    let url = second.url("other.git");
    sandbox.manifest(&format!("other = {{ git = \"{url}\" }}\n"));
    let run = finish(&mut as_nobody(&sandbox, &["build", "-o", "-"]));
    assert!(matches!(run.code, Some(5 | 70)), "{run}");
    run.says([sandbox.store().to_str().expect("UTF-8")]);
    chmod_all(&sandbox.store(), "u+w");
}

#[test]
fn a_full_disk_is_told_of_and_harms_nothing() {
    let (sandbox, server, bytes) = built();
    for (url, limit) in [
        (server.url("web.git"), 100),
        (server.url("web.git"), 1),
        (server.url("web.git"), 0),
        ("../srv/web.git".to_owned(), 100),
        ("../srv/web.git".to_owned(), 1),
    ] {
        sandbox.forget();
        sandbox.manifest(&format!("web = {{ git = \"{url}\" }}\n"));
        // No file may be longer than so many KiB: as on a disk that is full, writing fails.
        let script = format!("trap '' XFSZ\nulimit -f {limit}\nexec \"$cookpack\" lock\n");
        let run = sandbox.shell(&script);
        assert!(matches!(run.code, Some(5 | 70)), "{url} {limit}: {run}");
        assert!(!run.stderr.contains("panicked"), "{run}");
        let store = sandbox.store();
        let names = [store.to_str().expect("UTF-8"), &*url];
        assert!(names.iter().any(|name| run.stderr.contains(name)), "{run}");
        assert!(!sandbox.exists("cookpack.lock"));
        let run = sandbox.ok("build").never_says("damaged");
        assert!(
            sandbox.read("bundle.tar.gz") == bytes,
            "{url} {limit}: {run}"
        );
    }
}

#[test]
fn the_stores_folder_is_marked_and_named() {
    let (sandbox, _server, _) = built();
    let tag = fs::read_to_string(sandbox.store().join("CACHEDIR.TAG")).expect("a tag");
    assert!(
        tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"),
        "{tag}"
    );
    let run = sandbox.ok("cache dir");
    assert_eq!(
        run.out().trim_end(),
        sandbox.store().to_str().expect("UTF-8")
    );
    let elsewhere = sandbox.root().join("elsewhere");
    let run = sandbox.ok(&format!("cache dir --store {}", elsewhere.display()));
    assert_eq!(run.out().trim_end(), elsewhere.to_str().expect("UTF-8"));
    assert!(!elsewhere.exists(), "asking makes nothing");
}

#[test]
fn what_the_store_holds_is_listed() {
    let (sandbox, server, _) = built();
    let secret = server.url_as("ann:hunter2", "web.git");
    sandbox.manifest(&format!(
        "web = {{ git = \"{secret}\" }}\nbase = {{ git = \"../srv/base.git\" }}\n"
    ));
    sandbox
        .repo("../srv/base.git")
        .cookbook(".", "base", "1.0.0")
        .commit("x");
    sandbox.ok("build");
    let run = sandbox.ok("cache list");
    for url in [server.url("web.git"), "srv/base.git".to_owned()] {
        let lines = run.lines();
        assert!(lines.iter().any(|line| line.contains(&url)), "{url}: {run}");
    }
    assert!(!run.out().contains("hunter2"), "{run}");
    let json = sandbox.ok("cache list --json").json().to_string();
    assert!(json.contains(&server.url("web.git")), "{json}");
    assert!(
        json.contains("srv/base.git") && !json.contains("hunter2"),
        "{json}"
    );
    // An empty store is no error.
    sandbox.forget();
    sandbox.ok("cache list");
    sandbox.ok("cache list --json").json();
    sandbox.ok("cache verify");
    sandbox.ok("cache prune");
    assert!(!sandbox.store().exists(), "asking makes nothing");
}

#[test]
fn the_store_is_verified_on_request() {
    let (sandbox, server, _) = built();
    sandbox.ok("cache verify");
    for (what, damage) in DAMAGES {
        let mirror = Mirror::of(&sandbox, "web");
        // Nothing tells that an object that is not there was ever there: that is for the build.
        if what == "removed" || what == "without objects" {
            continue;
        }
        damage(&mirror);
        let run = sandbox.run("cache verify").ends_with(4);
        let named = [mirror.name(), server.url("web.git")];
        let told = format!("{}{}", run.out(), run.stderr);
        assert!(
            named.iter().any(|name| told.contains(name)),
            "{what}: {run}"
        );
        sandbox.forget();
        sandbox.ok("build");
        sandbox.ok("cache verify");
    }
}
