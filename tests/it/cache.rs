//! `cookpack cache`: what the store keeps is listed and checked; in `prune`, removed when it may go.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::{Sandbox, finish, have, noise, sha256};

mod prune;
mod upstreams;

const DAY: u64 = 24 * 60 * 60;

/// A store with the mirrors of `names`, each of a repository whose objects are in one pack.
fn filled(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut cookbooks = String::new();
    for name in names {
        let repo = sandbox.repo(&format!("repos/{name}"));
        repo.cookbook(".", name, "1.0.0");
        repo.write("files/data", noise(20_000, 5));
        repo.commit("x");
        repo.git("gc -q");
        cookbooks += &format!("{name} = {{ git = \"repos/{name}\" }}\n");
    }
    sandbox.manifest(&cookbooks);
    sandbox.ok("build");
    // What was worked out of them is of kinds that others look at.
    for kind in ["plans-1", "segments-1", "trails-1"] {
        fs::remove_dir_all(sandbox.store().join(kind)).expect("a kind");
    }
    sandbox
}

/// The only mirror whose name begins so.
fn mirror(sandbox: &Sandbox, name: &str) -> PathBuf {
    let found: Vec<_> = paths(&sandbox.store().join("git-1"))
        .into_iter()
        .filter(|path| path.is_dir() && file_name(path).starts_with(&format!("{name}-")))
        .collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found[0].clone()
}

/// The address by which the store knows the repository of [`filled`].
fn address(sandbox: &Sandbox, name: &str) -> String {
    let repos = fs::canonicalize(sandbox.path("repos")).expect("a folder");
    repos.join(name).display().to_string()
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .expect("a name")
}

/// The only file in a folder that ends so.
fn with_ending(folder: &Path, ending: &str) -> PathBuf {
    let found: Vec<_> = paths(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    assert_eq!(found.len(), 1, "{ending}: {found:?}");
    found[0].clone()
}

/// Has a mirror or an object be used so many days ago.
fn used(path: &Path, days: u64) {
    let file = match path.is_dir() {
        true => path.join("cookpack-used"),
        false => path.to_owned(),
    };
    let file = File::options()
        .append(true)
        .create(true)
        .open(file)
        .expect("a file");
    let then = SystemTime::now() - Duration::from_secs(days * DAY);
    file.set_modified(then).expect("a time");
}

/// An object of LFS as it should be in the store.
fn lfs_object(sandbox: &Sandbox, content: &[u8]) -> PathBuf {
    let digest = sha256(content);
    let folder = sandbox.store().join("lfs-1").join(&digest[..2]);
    fs::create_dir_all(&folder).expect("folders");
    fs::write(folder.join(&digest), content).expect("an object");
    folder.join(&digest)
}

/// Changes one byte of a file.
fn flip(path: &Path, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(path).expect("a file");
    let at = at(bytes.len());
    bytes[at] ^= 0x40;
    rewrite(path, &bytes);
}

/// git's own files are read-only.
fn rewrite(path: &Path, bytes: &[u8]) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("chmod");
    fs::write(path, bytes).expect("a file");
}

#[test]
fn the_folder_is_printed_wherever_it_was_named() {
    let sandbox = Sandbox::new();
    let store = format!("{}\n", sandbox.store().display());
    assert_eq!(sandbox.ok("cache dir").out(), store);
    assert_eq!(sandbox.ok("cache dir -q").out(), store);
    let here = sandbox.ok("cache dir --store kept");
    assert_eq!(here.out(), format!("{}\n", sandbox.path("kept").display()));
    let json = sandbox.ok("cache dir --json").json();
    assert_eq!(json["path"], sandbox.store().to_str().expect("UTF-8"));
    assert!(!sandbox.store().exists(), "asking makes nothing");
}

#[test]
fn a_store_that_is_not_there_keeps_nothing() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.ok("cache list").out(), "");
    sandbox.ok("cache list").says(["nothing in "]);
    let json = sandbox.ok("cache list --json").json();
    assert_eq!(json["entries"], serde_json::json!([]));
    assert_eq!(json["size"], 0);
    assert_eq!(
        sandbox.ok("cache verify").out(),
        "nothing is damaged: nothing\n"
    );
    let pruned = sandbox.ok("cache prune --all");
    assert_eq!(pruned.out(), "nothing to remove; kept nothing\n");
    assert!(!sandbox.store().exists(), "asking makes nothing");
}

#[test]
fn what_is_kept_is_listed_with_size_and_age() {
    let sandbox = filled(&["web", "apt"]);
    lfs_object(&sandbox, b"one");
    let second = lfs_object(&sandbox, b"another");
    let (apt, web) = (mirror(&sandbox, "apt"), mirror(&sandbox, "web"));
    // What is not ours is neither listed nor removed.
    fs::create_dir(sandbox.store().join("git-1/mine")).expect("a folder");
    fs::write(sandbox.store().join("lfs-1/notes"), "x").expect("a file");
    fs::write(apt.join("cookpack-address"), "https://example.com/z.git\n").expect("an address");
    fs::write(web.join("cookpack-address"), "https://example.com/a.git\n").expect("an address");
    for (path, days) in [(&apt, 3), (&web, 40), (&second, 0)] {
        used(path, days);
    }
    let run = sandbox.ok("cache list");
    let lines = run.lines();
    assert_eq!(lines.len(), 3, "{run}");
    for (line, parts) in lines.iter().zip([
        [
            "KiB  40 days ago  https://example.com/a.git  (",
            file_name(&web),
        ],
        [
            "KiB  3 days ago   https://example.com/z.git  (",
            file_name(&apt),
        ],
        ["B  just now     2 objects of Git LFS  (", "lfs-1)"],
    ]) {
        assert!(
            parts.iter().all(|part| line.contains(part)),
            "{parts:?}: {run}"
        );
    }
    run.says(["2 repositories, 2 objects of Git LFS, "]);
    assert_eq!(sandbox.ok("cache list -q").stderr, "");

    let json = sandbox.ok("cache list --json").json();
    let entries = json["entries"].as_array().expect("a list");
    let [first, second, third] = &entries[..] else {
        panic!("{json}")
    };
    assert_eq!(first["kind"], "git");
    assert_eq!(first["address"], "https://example.com/a.git");
    assert_eq!(first["name"], file_name(&web));
    assert_eq!(first["path"], web.to_str().expect("UTF-8"));
    assert_eq!(first["count"], 1);
    let age = first["age"].as_u64().expect("seconds");
    assert!((40 * DAY..41 * DAY).contains(&age), "{age}");
    let used = first["used"].as_u64().expect("seconds");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("a time").as_secs();
    assert!((0..60).contains(&(now - used - 40 * DAY)), "{used}");
    assert_eq!(second["address"], "https://example.com/z.git");
    assert_eq!(
        (&third["kind"], &third["count"]),
        (&"lfs".into(), &2.into())
    );
    assert_eq!(
        (&third["size"], &third["address"]),
        (&10.into(), &serde_json::Value::Null)
    );
    let sum: u64 = entries
        .iter()
        .map(|e| e["size"].as_u64().expect("bytes"))
        .sum();
    assert_eq!(json["size"], sum);
    let bytes: u64 = fs::read_dir(web.join("objects/pack"))
        .expect("packs")
        .map(|file| file.expect("a file").metadata().expect("metadata").len())
        .sum();
    assert!(
        first["size"].as_u64() > Some(bytes) && bytes > 20_000,
        "{json}"
    );
}

#[test]
fn a_mirror_without_an_address_is_told_by_its_name() {
    let sandbox = filled(&["web"]);
    let web = mirror(&sandbox, "web");
    for address in ["", "no end", "\u{1b}[2J\n", "two\nlines\n"] {
        fs::write(web.join("cookpack-address"), address).expect("an address");
        let run = sandbox.ok("cache list");
        assert!(
            run.out().trim_end().ends_with(file_name(&web)),
            "{address:?}: {run}"
        );
    }
}

/// Each way to damage a mirror of one pack, with what is said of it.
type Damage = (&'static str, fn(&Path), &'static str);

const DAMAGES: [Damage; 9] = [
    (
        "a byte of a pack",
        |m| flip(&pack(m), |n| n / 2),
        "does not fit its content",
    ),
    (
        "the end of a pack",
        |m| flip(&pack(m), |n| n - 1),
        "does not fit its content",
    ),
    (
        "a pack cut off",
        |m| cut(&pack(m), 1000),
        "does not fit its content",
    ),
    (
        "an empty pack",
        |m| rewrite(&pack(m), b""),
        "does not fit its content",
    ),
    (
        "an index's id",
        |m| flip(&index(m), |_| 8 + 1024 + 3),
        "does not fit its content",
    ),
    (
        "an index cut off",
        |m| cut(&index(m), 500),
        "does not fit its content",
    ),
    (
        "a pack that is gone",
        |m| fs::remove_file(pack(m)).expect("a pack"),
        "is missing",
    ),
    (
        "no HEAD",
        |m| fs::remove_file(m.join("HEAD")).expect("HEAD"),
        "it is no git repository",
    ),
    ("a loose object", loose, "is not the object of that name"),
];

fn pack(mirror: &Path) -> PathBuf {
    with_ending(&mirror.join("objects/pack"), "pack")
}

fn index(mirror: &Path) -> PathBuf {
    with_ending(&mirror.join("objects/pack"), "idx")
}

fn cut(path: &Path, length: usize) {
    let bytes = fs::read(path).expect("a file");
    rewrite(path, &bytes[..length]);
}

/// An object under another one's name: it can be inflated, and has a wrong id.
fn loose(mirror: &Path) {
    let run = finish(
        Command::new("git")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("PATH"))
            .arg("-C")
            .arg(mirror)
            .args(["hash-object", "-w", "HEAD"]),
    );
    let id = run.ok().out().trim().to_owned();
    let folder = mirror.join("objects").join(&id[..2]);
    fs::rename(folder.join(&id[2..]), folder.join("0".repeat(38))).expect("a rename");
}

#[test]
fn each_damage_is_found_told_and_mended_by_prune_and_build() {
    let sandbox = filled(&["web", "apt"]);
    let wanted = sandbox.read("bundle.tar.gz");
    let whole = sandbox.ok("cache verify");
    assert!(
        whole
            .out()
            .starts_with("nothing is damaged: 2 repositories, "),
        "{whole}"
    );
    assert_eq!(sandbox.ok("cache verify -q").out(), "");
    for (what, damage, said) in DAMAGES {
        let web = mirror(&sandbox, "web");
        damage(&web);
        let run = sandbox.run("cache verify").fails(4);
        let folder = web.to_str().expect("UTF-8");
        let run = run.says([said, folder, "cookpack cache prune --damaged"]);
        assert_eq!(run.stderr.matches("error").count(), 1, "{what}: {run}");
        sandbox.run("cache verify -q").fails(4).says([said]);
        let json = sandbox.run("cache verify --json").ends_with(4).json();
        assert_eq!(json["damaged"], 1, "{what}");
        let entries = json["entries"].as_array().expect("a list");
        for entry in entries {
            let damages = entry["damages"].as_array().expect("a list");
            let is_web = entry["name"] == file_name(&web);
            assert_eq!(!damages.is_empty(), is_web, "{what}: {json}");
        }
        // What is named is checked, and nothing else.
        sandbox.ok("cache verify apt");
        sandbox.run("cache verify apt web").fails(4);
        sandbox
            .run(&format!("cache verify {}", file_name(&web)))
            .fails(4);

        let pruned = sandbox.ok("cache prune --damaged --dry-run");
        assert!(
            pruned
                .out()
                .starts_with(&format!("would remove {}", address(&sandbox, "web"))),
            "{what}: {pruned}"
        );
        assert!(web.exists());
        let pruned = sandbox.ok("cache prune --damaged");
        let named = format!("removed {}", address(&sandbox, "web"));
        assert!(pruned.out().starts_with(&named), "{what}: {pruned}");
        assert!(!web.exists() && mirror(&sandbox, "apt").exists(), "{what}");
        assert!(sandbox.build_bytes("") == wanted, "{what}");
        sandbox.ok("cache verify");
    }
}

/// The copy in the pack is whole, and git would read that one: the damage shows all the same.
#[test]
fn a_damaged_object_does_not_hide_behind_its_double() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("web");
    repo.cookbook(".", "web", "1.0.0").commit("x");
    sandbox.manifest("web = { git = \"web\" }\n");
    sandbox.ok("build");
    let web = mirror(&sandbox, "web");
    // A mirror has packs alone, unless somebody else puts something there.
    let loose = repo.git("rev-parse HEAD:metadata.rb");
    let inner = |id: &str| format!("objects/{}/{}", &id[..2], &id[2..]);
    let from = sandbox.path(format!("web/.git/{}", inner(&loose)));
    let loose = web.join(inner(&loose));
    assert!(!loose.exists());
    fs::create_dir_all(loose.parent().expect("a folder")).expect("a folder");
    fs::copy(from, &loose).expect("a copy");
    fs::set_permissions(&loose, fs::Permissions::from_mode(0o644)).expect("chmod");
    sandbox.ok("cache verify");
    flip(&loose, |length| length - 6);
    sandbox
        .run("cache verify")
        .fails(4)
        .says(["is not the object of that name"]);
}

#[test]
fn what_a_killed_fetch_left_half_done_is_no_damage() {
    let sandbox = filled(&["web"]);
    let web = mirror(&sandbox, "web");
    fs::write(web.join("cookpack-incomplete"), "").expect("a marker");
    fs::write(web.join("objects/pack/pack_git2_x1"), "half").expect("a file");
    fs::remove_file(pack(&web)).expect("a pack");
    fs::write(web.join("objects/pack/.cookpack-tmp-pack-1.pack"), "half").expect("a file");
    sandbox.ok("cache verify");
}

#[test]
fn an_object_of_lfs_is_checked_by_its_digest() {
    let sandbox = Sandbox::new();
    let (good, bad) = (lfs_object(&sandbox, b"good"), lfs_object(&sandbox, b"bad"));
    let whole = sandbox.ok("cache verify");
    assert_eq!(
        whole.out(),
        "nothing is damaged: 2 objects of Git LFS, 7 B\n"
    );
    fs::write(&bad, "changed").expect("an object");
    let run = sandbox.run("cache verify lfs").fails(4);
    run.says([file_name(&bad), &sha256("changed"), "2 objects of Git LFS"])
        .never_says(file_name(&good));
    let json = sandbox.ok("cache prune --damaged --json").json();
    assert_eq!(json["removed"][0]["count"], 1);
    assert_eq!(json["kept"][0]["count"], 1);
    assert!(good.exists() && !bad.exists());
}

#[test]
fn a_name_that_is_not_kept_is_an_error() {
    let sandbox = filled(&["web"]);
    let run = sandbox.run("cache verify wbe").fails(1);
    run.says(["the store has no `wbe`", "cookpack cache list"]);
    let web = mirror(&sandbox, "web");
    fs::write(
        web.join("cookpack-address"),
        "https://example.com/web.git\n",
    )
    .expect("an address");
    sandbox.ok("cache verify https://example.com/web.git");
    let run = sandbox
        .run("cache verify https://example.com/wob.git")
        .fails(1);
    run.says(["did you mean `https://example.com/web.git`?"]);
}

#[test]
fn a_store_that_cannot_be_written_is_listed_and_checked() {
    let is_root = finish(Command::new("id").arg("-u")).ok().out().trim() == "0";
    if is_root && !have("setpriv") {
        return;
    }
    let sandbox = filled(&["web"]);
    fs::remove_file(mirror(&sandbox, "web").with_extension("lock")).expect("the lock's file");
    let binary = sandbox.root().join("cookpack");
    fs::copy(env!("CARGO_BIN_EXE_cookpack"), &binary).expect("a copy");
    finish(
        Command::new("chmod")
            .args(["-R", "a+rX,a-w"])
            .arg(sandbox.root()),
    )
    .ok();
    let run = |args: &str| {
        let mut command = match is_root {
            true => Command::new("setpriv"),
            false => Command::new("env"),
        };
        if is_root {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command.arg(&binary).args(args.split_whitespace());
        command
            .env_remove("HOME")
            .env("COOKPACK_STORE", sandbox.store())
            .current_dir("/");
        finish(&mut command)
    };
    assert_eq!(run("cache list").ok().lines().len(), 1);
    assert!(
        run("cache verify")
            .ok()
            .out()
            .starts_with("nothing is damaged: 1 repository, ")
    );
    run("cache prune --all")
        .fails(70)
        .says(["cannot use the store", "ermission denied"]);
    finish(
        Command::new("chmod")
            .args(["-R", "u+w"])
            .arg(sandbox.root()),
    )
    .ok();
    assert!(mirror(&sandbox, "web").join("HEAD").exists());
}

#[test]
fn amounts_that_make_no_sense_are_told() {
    let sandbox = Sandbox::new();
    for (args, said) in [
        ("--older-than soon", "`12h`, `30d` or `8w`"),
        ("--max-size big", "`500MB` or `2GiB`"),
        ("--all --max-size 1GiB", "cannot be used with"),
        ("--all --damaged", "cannot be used with"),
    ] {
        let run = sandbox.run(&format!("cache prune {args}"));
        run.fails(2).says([said]);
    }
}

/// Not on a terminal: one line at the end of a fetch that brought something.
#[test]
fn a_fetch_is_told_in_one_line() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo("first");
    repo.cookbook(".", "web", "1.0.0").commit("x");
    // A repository that borrows its objects has none to copy: they are fetched.
    repo.git("clone -q --bare --shared . ../web.git");
    sandbox.manifest("web = { git = \"web.git\" }\n");
    let run = sandbox.ok("build");
    let fetched: Vec<_> = run
        .stderr
        .lines()
        .filter(|l| l.starts_with("fetched "))
        .collect();
    let [line] = fetched[..] else { panic!("{run}") };
    assert!(
        line.starts_with("fetched web.git (5 objects, ") && line.ends_with(" B)"),
        "{run}"
    );
    sandbox.ok("build").never_says("fetched");
    sandbox.ok("update").never_says("fetched");
    fs::remove_dir_all(sandbox.store()).expect("the store");
    assert_eq!(sandbox.ok("build -q").stderr, "");
}
