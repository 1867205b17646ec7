//! The same layout in every format: what others read out of it, and how a format is chosen.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Run, Sandbox, Tarball, finish, have, noise, sha256};

/// Path to content and mode.
type Files = BTreeMap<String, (Vec<u8>, u64)>;

/// Cookbooks with what a zip has rules for: names, modes, no content, and content that is streamed.
fn sample() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "").cookbook("db", "db", "");
    sandbox
        .write("web/files/run", "#!/bin/sh\n")
        .chmod("web/files/run", 0o755);
    sandbox.write("web/files/empty", "");
    sandbox.write("web/files/with blank", "x");
    sandbox.write("web/files/über/日本語.txt", "x");
    sandbox.write("web/files/of-1-MiB", vec![b'a'; 1 << 20]);
    sandbox.write("web/files/text", "some words and others\n".repeat(100_000));
    sandbox.write("web/files/noise", noise(1_500_000, 7));
    sandbox.write("web/files/other-noise", noise(300_000, 8));
    let deep = ["d"; 40].map(|part| part.repeat(9)).join("/");
    sandbox.write(format!("web/{deep}/x"), "deep");
    sandbox.manifest("web = { path = \"web\" }\ndb = { path = \"db\" }\n");
    sandbox
}

/// What a tar.gz of it holds.
fn wanted(sandbox: &Sandbox) -> Files {
    let archive = sandbox.build("");
    let files = archive.files().into_iter();
    files
        .map(|(path, (data, mode))| (path.to_owned(), (data.to_vec(), mode)))
        .collect()
}

/// All files below a folder.
fn below(folder: &Path) -> Files {
    fn walk(root: &Path, folder: &Path, found: &mut Files) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kind = path.symlink_metadata().expect("metadata");
            if kind.is_dir() {
                walk(root, &path, found);
                continue;
            }
            let name = path.strip_prefix(root).expect("below").to_str();
            let content = fs::read(&path).expect("a file");
            let mode = u64::from(kind.permissions().mode() & 0o777);
            found.insert(name.expect("UTF-8").to_owned(), (content, mode));
        }
    }
    let mut found = Files::new();
    walk(folder, folder, &mut found);
    found
}

fn assert_same(found: &Files, wanted: &Files, what: &str) {
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        wanted.keys().collect::<Vec<_>>(),
        "{what}"
    );
    for (path, file) in found {
        assert!(*file == wanted[path], "{what}: {path}");
    }
}

/// What a tool warns of is a fault of ours.
fn silent(run: Run) -> Run {
    let run = run.ok();
    assert_eq!(run.stderr, "", "{run}");
    run
}

#[test]
fn every_format_holds_the_same_files() {
    let sandbox = sample();
    let wanted = wanted(&sandbox);
    let receipt = |args: &str| sandbox.ok(&format!("build --json {args}")).json();
    let packed = receipt("");
    let tar = receipt("--format tar");
    let found = Tarball::parse(sandbox.read("bundle.tar"));
    let files: Files = found
        .files()
        .into_iter()
        .map(|(path, (data, mode))| (path.to_owned(), (data.to_vec(), mode)))
        .collect();
    assert_same(&files, &wanted, "tar");
    assert_eq!(tar["digests"]["container"], found.container_digest());
    assert_eq!(tar["digests"], {
        let mut digests = packed["digests"].clone();
        let archive = sha256(sandbox.read("bundle.tar"));
        digests["archive"] = format!("sha256:{archive}").into();
        digests
    });
    assert!(tar["compression"].is_null(), "{tar:#}");
    assert_eq!(packed["compression"]["level"], "default");

    sandbox
        .shell("umask 022; \"$cookpack\" build --format dir -o folder --json > receipt")
        .ok();
    let folder: serde_json::Value =
        serde_json::from_slice(&sandbox.read("receipt")).expect("a document");
    let mut files = below(&sandbox.path("folder"));
    assert!(files.remove(".cookpack-vendor").is_some());
    assert_same(&files, &wanted, "dir");
    sandbox
        .shell("umask 022; \"$cookpack\" build -o again/")
        .ok();
    let mut files = below(&sandbox.path("again"));
    assert!(files.remove(".cookpack-vendor").is_some());
    assert_same(&files, &wanted, "a name that ends in a slash");

    let zip = receipt("--format zip --level best");
    assert_eq!(zip["path"], "bundle.zip");
    assert_eq!(zip["compression"]["level"], "best");
    assert!(zip["digests"]["container"].is_null(), "{zip:#}");
    for (receipt, format) in [
        (&packed, "tar.gz"),
        (&tar, "tar"),
        (&folder, "dir"),
        (&zip, "zip"),
    ] {
        assert_eq!(receipt["format"], format);
        assert_eq!(receipt["digests"]["content"], packed["digests"]["content"]);
        assert_eq!(receipt["files"], wanted.len());
    }
    let text = sandbox.ok("build --format zip");
    for part in ["bundle.zip", "encoder", "level default", "blocks of"] {
        assert!(text.out().contains(part), "{text}");
    }
    assert!(!text.out().contains("container"), "{text}");
}

#[test]
fn unzip_agrees() {
    if !have("unzip") {
        return;
    }
    let sandbox = sample();
    let wanted = wanted(&sandbox);
    sandbox.ok("build --format zip");
    let test = silent(sandbox.shell("export LC_ALL=C.UTF-8; unzip -tq bundle.zip"));
    assert!(test.out().starts_with("No errors detected"), "{test}");
    let unpack = "export LC_ALL=C.UTF-8; umask 022; unzip -q bundle.zip -d out";
    silent(sandbox.shell(unpack));
    assert_same(&below(&sandbox.path("out")), &wanted, "unzip");
}

#[test]
fn bsdtar_reads_a_zip_from_a_pipe() {
    if !have("bsdtar") {
        return;
    }
    let sandbox = sample();
    let wanted = wanted(&sandbox);
    sandbox.ok("build --format zip");
    let listed = silent(sandbox.shell("export LC_ALL=C.UTF-8; bsdtar -tf bundle.zip"));
    assert_eq!(listed.lines(), wanted.keys().collect::<Vec<_>>());
    // From a file it reads the directory; from a pipe it has no more than what stands before it.
    silent(sandbox.shell(
        "export LC_ALL=C.UTF-8; umask 022; mkdir seen piped\n\
         bsdtar -xf bundle.zip -C seen\n\
         \"$cookpack\" build -q --format zip -o - | bsdtar -xf - -C piped",
    ));
    assert_same(&below(&sandbox.path("seen")), &wanted, "bsdtar");
    let without_modes = |files: Files| -> BTreeMap<String, Vec<u8>> {
        files
            .into_iter()
            .map(|(path, (data, _))| (path, data))
            .collect()
    };
    let piped = without_modes(below(&sandbox.path("piped")));
    assert!(piped == without_modes(wanted), "{:?}", piped.keys());
}

/// Prints what Python's reader knows of each entry.
const PYTHON: &str = "python3 - <<'EOF'\n\
import hashlib, zipfile\n\
with zipfile.ZipFile('bundle.zip') as archive:\n\
\x20   assert archive.testzip() is None\n\
\x20   assert archive.comment == b''\n\
\x20   for one in archive.infolist():\n\
\x20       assert one.create_system == 3 and one.extra == b'' and one.comment == b'', one\n\
\x20       assert bool(one.flag_bits & 0x800) != one.filename.isascii(), one\n\
\x20       assert bool(one.flag_bits & 8) == (one.file_size > 1 << 20), one\n\
\x20       assert one.compress_type == (8 if one.file_size else 0), one\n\
\x20       content = hashlib.sha256(archive.read(one)).hexdigest()\n\
\x20       print(content, oct(one.external_attr >> 16), *one.date_time, one.filename)\n\
EOF";

#[test]
fn pythons_zipfile_agrees() {
    if !have("python3") {
        return;
    }
    let sandbox = sample();
    let wanted = wanted(&sandbox);
    for (epoch, date) in [
        ("", "1980 1 1 0 0 0"),
        ("1700000001", "2023 11 14 22 13 20"),
        ("4354819199", "2107 12 31 23 59 58"),
    ] {
        let mut command = sandbox.command(["build", "--format", "zip"]);
        finish(command.env("SOURCE_DATE_EPOCH", epoch)).ok();
        let listed = silent(sandbox.shell(&format!("export PYTHONUTF8=1\n{PYTHON}")));
        let lines = wanted.iter().map(|(path, (data, mode))| {
            format!("{} {:#o} {date} {path}", sha256(data), mode | 0o100_000)
        });
        // Python writes `0o100644`, and so does Rust.
        assert_eq!(listed.lines(), lines.collect::<Vec<_>>());
    }
}

#[test]
fn neither_threads_nor_the_store_show_in_a_zip() {
    let sandbox = sample();
    sandbox.ok("build --format zip --jobs 1");
    let wanted = sandbox.read("bundle.zip");
    for args in ["--jobs 2", "--jobs 7"] {
        sandbox.ok(&format!("build --format zip {args}"));
        assert!(sandbox.read("bundle.zip") == wanted, "warm, {args}");
        sandbox.forget();
        sandbox.ok(&format!("build --format zip {args}"));
        assert!(sandbox.read("bundle.zip") == wanted, "cold, {args}");
    }
}

#[test]
fn a_time_that_a_zip_cannot_hold_is_an_error() {
    let sandbox = sample();
    sandbox.ok("build --format zip");
    let old = sandbox.read("bundle.zip");
    for epoch in ["0", "315532799", "4354819200"] {
        let mut command = sandbox.command(["build", "--format", "zip"]);
        let run = finish(command.env("SOURCE_DATE_EPOCH", epoch));
        run.fails(1)
            .says([epoch, "1980", "2107", "SOURCE_DATE_EPOCH"]);
    }
    assert!(sandbox.read("bundle.zip") == old, "it is left as it was");
}

#[test]
fn a_name_and_a_format_that_differ_are_an_error() {
    let sandbox = sample();
    let lines = [
        (
            "build -o x.zip --format tar.gz",
            ["`x.zip`", "`zip`", "`tar.gz`"],
        ),
        (
            "build -o x.tgz --format tar",
            ["`x.tgz`", "`tar.gz`", "`tar`"],
        ),
        ("build -o x.tar --format dir", ["`x.tar`", "`tar`", "`dir`"]),
        ("build -o x/ --format zip", ["`x/`", "`dir`", "`zip`"]),
        ("build -o x.rar", ["`x.rar`", "--format", ".zip"]),
        ("build -o x", ["`x`", "--format", ".tar.gz"]),
        ("build --format dir", ["folder", "-o DIR", ""]),
        ("build --format dir -o -", ["folder", "-o DIR", ""]),
        ("build --format tar --level best", ["--level", "`tar`", ""]),
    ];
    for (line, says) in lines {
        sandbox.run(line).fails(2).says(says);
    }
    for left in ["x", "x.zip", "x.tgz", "x.tar", "x.rar", "cookpack.lock"] {
        assert!(!sandbox.exists(left), "{left}");
    }
    // The argument names what the name does not.
    sandbox.ok("build -o x --format zip");
    assert!(sandbox.read("x").starts_with(b"PK\x03\x04"));
    sandbox.ok("build -o X.TGZ");
    assert!(sandbox.read("X.TGZ").starts_with(&[0x1f, 0x8b]));
    let zip = sandbox.ok("build -o - --format zip").stdout;
    assert!(zip == sandbox.read("x"));
}

#[test]
fn an_archive_makes_way_for_another_and_nothing_else_does() {
    let sandbox = sample();
    for format in ["tar.gz", "tar", "zip", "tar.gz"] {
        sandbox.ok(&format!("build -o x --format {format}"));
    }
    for (name, content) in [("a.zip", "PKZIP"), ("a.tar", "ustar"), ("a.tgz", "#")] {
        sandbox.write(name, content);
        let run = sandbox.run(&format!("build -o {name}"));
        run.fails(1).says([name, "no archive"]);
        assert_eq!(sandbox.text(name), content);
    }
    sandbox.write("own/file", "x");
    let run = sandbox.run("build -o own/");
    run.fails(1).says(["own", "not empty"]);
    assert_eq!(sandbox.text("own/file"), "x");
}

#[test]
fn a_format_that_the_target_does_not_read_is_warned_of() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "");
    let cookbooks = "[cookbooks]\nweb = { path = \"web\" }\n";
    for (target, format, says) in [
        ("opsworks", "tar.gz", None),
        ("opsworks", "zip", None),
        ("opsworks", "tar", Some("`opsworks`")),
        ("ssm", "zip", None),
        ("ssm", "tar", Some("`ssm`")),
        ("chef-solo", "tar", None),
        ("chef-solo", "zip", Some("libarchive")),
    ] {
        let bundle = format!("[bundle]\nname = \"bundle\"\ntarget = \"{target}\"\n");
        sandbox.write("cookpack.toml", format!("{bundle}{cookbooks}"));
        let run = sandbox.ok(&format!("build --format {format}"));
        let warned = run.stderr.contains("tar.gz, which every target reads");
        assert_eq!(warned, says.is_some(), "{target} {format}: {run}");
        assert!(run.stderr.contains(says.unwrap_or_default()), "{run}");
    }
    // As file(1) sees it, this one is a JAR.
    sandbox.cookbook("META-INF", "META-INF", "");
    sandbox.write(
        "cookpack.toml",
        format!("{cookbooks}META-INF = {{ path = \"META-INF\" }}\n[bundle]\nname = \"bundle\"\n"),
    );
    let run = sandbox.ok("build --format zip");
    assert!(run.stderr.contains("a JAR"), "{run}");
    let run = sandbox.ok("build --format zip --layout cookbooks");
    assert!(!run.stderr.contains("a JAR"), "{run}");
}
