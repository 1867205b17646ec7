//! The wire format, byte by byte.

use crate::support::{Member, Sandbox, Tarball, finish, hex, sha256};

/// 1980-01-01, the first moment that every consumer can hold.
const MTIME: u64 = 315_532_800;

/// Checks each field of a header that is not the path, the size or the checksum.
fn check_fixed_fields(member: &Member, mode: &[u8], mtime: u64) {
    let path = &member.path;
    assert_eq!(member.field(100..108), mode, "mode of {path}");
    assert_eq!(member.field(108..116), b"0000000\0", "uid of {path}");
    assert_eq!(member.field(116..124), b"0000000\0", "gid of {path}");
    let size = format!("{:011o}\0", member.data.len());
    assert_eq!(member.field(124..136), size.as_bytes(), "size of {path}");
    let mtime = format!("{mtime:011o}\0");
    assert_eq!(member.field(136..148), mtime.as_bytes(), "mtime of {path}");
    assert_eq!(member.field(156..157), b"0", "type of {path}");
    assert_eq!(member.field(157..257), [0; 100], "link name of {path}");
    assert_eq!(member.field(257..265), b"ustar\x0000", "magic of {path}");
    assert_eq!(member.field(265..297), [0; 32], "user name of {path}");
    assert_eq!(member.field(297..329), [0; 32], "group name of {path}");
    for device in [329..337, 337..345] {
        let field = member.field(device);
        let zero = field == [0; 8] || field == b"0000000\0";
        assert!(zero, "a file has no device: {path}");
    }
    assert_eq!(member.field(500..512), [0; 12], "the rest of {path}");
}

fn sample() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.cookbook("web", "web", "").cookbook("db", "db", "");
    sandbox.write("web/files/run.sh", "#!/bin/sh\n");
    sandbox.chmod("web/files/run.sh", 0o755);
    sandbox.write("web/files/private", "x");
    sandbox.chmod("web/files/private", 0o600);
    sandbox.write("web/files/mine", "#!/bin/sh\n");
    sandbox.chmod("web/files/mine", 0o700);
    sandbox.write("web/files/empty", "");
    for size in [1, 511, 512, 513, 1024, 70_000] {
        sandbox.write(format!("web/files/of-{size}"), vec![b'a'; size]);
    }
    sandbox.manifest("web = { path = \"web\" }\ndb = { path = \"db\" }\n");
    sandbox
}

#[test]
fn every_byte_of_a_header_is_ours() {
    let archive = sample().build("");
    assert!(archive.members.len() >= 14, "{:?}", archive.paths());
    for member in &archive.members {
        let mode: &[u8] = match &*member.path {
            "web/files/run.sh" | "web/files/mine" => b"0000755\0",
            _ => b"0000644\0",
        };
        check_fixed_fields(member, mode, MTIME);
        assert!(member.long.is_none(), "{} is short", member.path);
        let mut name = member.path.clone().into_bytes();
        name.resize(100, 0);
        assert_eq!(member.field(0..100), name);
        assert_eq!(member.field(345..500), [0; 155]);
    }
    assert_eq!(archive.container.len() % 512, 0);
    assert_eq!(archive.trailer, 1024, "two blocks of zeros end a tar");
}

#[test]
fn one_gzip_member_that_tells_nothing() {
    let bytes = sample().build_bytes("");
    assert_eq!(bytes[..4], [0x1f, 0x8b, 8, 0], "deflate, no flags");
    assert_eq!(bytes[4..8], [0; 4], "no time");
    assert_eq!(bytes[9], 255, "no operating system");
    // That nothing follows the member is checked by reading it.
    let archive = Tarball::read(&bytes);
    assert!(bytes.len() < archive.container.len() / 4, "compressed");
}

#[test]
fn paths_are_sorted_by_their_bytes_and_folders_are_not_listed() {
    let sandbox = Sandbox::new();
    sandbox.cookbook("a", "a", "").cookbook("a-b", "a-b", "");
    for path in [
        "files/A",
        "files/b.d/x",
        "files/b-d",
        "files/é",
        "files/z",
        "files/B/y",
    ] {
        sandbox.write(format!("a/{path}"), path);
    }
    sandbox.manifest("a = { path = \"a\" }\na-b = { path = \"a-b\" }\n");
    let archive = sandbox.build("");
    let mut sorted = archive.paths();
    sorted.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    assert_eq!(archive.paths(), sorted);
    sorted.dedup();
    assert_eq!(sorted.len(), archive.members.len(), "each path once");
    // `-` sorts before `/`: by bytes, not folder by folder.
    let position = |path: &str| archive.paths().iter().position(|p| *p == path);
    assert!(position("a-b/metadata.rb") < position("a/metadata.rb"));
}

/// A path of exactly `length` bytes below `a/files/`, cut into components of at most `component`.
fn path_of(length: usize, component: usize) -> String {
    let mut path = "a/files".to_owned();
    while path.len() < length {
        let left = length - path.len() - 1;
        let take = match left {
            _ if left <= component => left,
            // A component needs its slash and at least one byte after it.
            _ if left == component + 1 => component - 1,
            _ => component,
        };
        path.push('/');
        path.push_str(&"x".repeat(take));
    }
    assert_eq!(path.len(), length);
    path
}

#[test]
fn long_paths_are_split_and_beyond_that_have_a_long_link_and_never_pax() {
    let sandbox = Sandbox::new();
    sandbox
        .cookbook("a", "a", "")
        .manifest("a = { path = \"a\" }\n");
    let split: Vec<String> = [
        (99, 50),
        (100, 50),
        (101, 50),
        (150, 60),
        (200, 60),
        (250, 48),
        (255, 48),
    ]
    .map(|(length, component)| path_of(length, component))
    .into();
    let long = [
        // A last component of 101 bytes fits no split, and 300 bytes fit no ustar header.
        format!("a/files/{}", "y".repeat(101)),
        path_of(300, 60),
        path_of(900, 200),
        format!("a/files/{}/é{}", "z".repeat(200), "ü".repeat(60)),
        // 100 characters are 200 bytes: what counts are bytes.
        format!("a/files/{}", "ö".repeat(100)),
    ];
    for path in split.iter().chain(&long) {
        sandbox.write(path, format!("content of {path}"));
    }
    let archive = sandbox.build("");
    for path in &split {
        let member = archive.member(path);
        assert!(member.long.is_none(), "{path} fits");
        assert_eq!(path.len() > 100, member.field(345..500) != [0; 155]);
    }
    for path in &long {
        let member = archive.member(path);
        let header = member.long.unwrap_or_else(|| panic!("{path} does not fit"));
        assert_eq!(header[..14], *b"././@LongLink\0");
        let size = format!("{:011o}\0", path.len() + 1);
        assert_eq!(header[124..136], *size.as_bytes());
        // Readers that know no long link still see a path that is a piece of the real one.
        let name = member.field(0..100);
        let end = name.iter().position(|&b| b == 0).unwrap_or(100);
        assert!(path.as_bytes().starts_with(&name[..end]), "{path}");
    }
    for path in split.iter().chain(&long) {
        let member = archive.member(path);
        assert_eq!(member.data, format!("content of {path}").as_bytes());
        check_fixed_fields(member, b"0000644\0", MTIME);
    }
}

#[test]
fn source_date_epoch_stamps_the_entries_and_nothing_else() {
    let sandbox = sample();
    let file = sandbox.root().join("dated.tar.gz");
    let dated = |epoch: &str| {
        let mut command = sandbox.command(["build", "-o"]);
        finish(command.arg(&file).env("SOURCE_DATE_EPOCH", epoch))
    };
    dated("1700000000").ok();
    let bytes = std::fs::read(&file).expect("the archive");
    assert_eq!(bytes[4..8], [0; 4], "gzip's own time stays 0");
    let archive = Tarball::read(&bytes);
    let plain = sandbox.build("");
    assert_eq!(archive.files(), plain.files());
    for member in &archive.members {
        assert_eq!(member.mtime(), 1_700_000_000);
        check_fixed_fields(
            member,
            &format!("{:07o}\0", member.mode()).into_bytes(),
            1_700_000_000,
        );
    }
    dated("0").ok();
    let archive = Tarball::read(&std::fs::read(&file).expect("the archive"));
    assert!(archive.members.iter().all(|m| m.mtime() == 0));
    // The largest time that eleven octal digits hold, and one more.
    dated("8589934591").ok();
    for bad in ["8589934592", "-1", "soon", "1.5"] {
        dated(bad).fails(2).says(["SOURCE_DATE_EPOCH", bad]);
    }
    // Empty is as good as not set, as other tools read it.
    dated("").ok();
    let bytes = std::fs::read(&file).expect("the archive");
    assert_eq!(Tarball::read(&bytes).container, plain.container);
}

/// The content digest, written down a second time from its definition.
fn content_digest(archive: &Tarball) -> String {
    let lines: String = archive
        .members
        .iter()
        .map(|m| format!("{}  {:o}  {}\n", sha256(&m.data), m.mode(), m.path))
        .collect();
    format!("c1:{}", sha256(lines))
}

#[test]
fn the_receipt_tells_the_truth() {
    let sandbox = sample();
    let receipt = sandbox.ok("build --json").json();
    let bytes = sandbox.read("bundle.tar.gz");
    let archive = Tarball::read(&bytes);
    let is = |pointer: &str, wanted: &str| {
        let found = receipt.pointer(pointer).and_then(|v| v.as_str());
        let found = found.unwrap_or_else(|| panic!("no {pointer} in {receipt:#}"));
        assert!(
            found == wanted || found == format!("sha256:{wanted}"),
            "{pointer}: {found}"
        );
    };
    is("/digests/content", &content_digest(&archive));
    is("/digests/container", &archive.container_digest());
    is("/digests/archive", &sha256(&bytes));
    assert_eq!(receipt["size"], bytes.len());
    assert_eq!(receipt["files"], archive.members.len());
    let names: Vec<_> = receipt["cookbooks"]
        .as_array()
        .expect("cookbooks")
        .iter()
        .map(|c| (c["name"].as_str().expect("a name"), c["version"].as_str()))
        .collect();
    assert_eq!(names, [("db", Some("1.0.0")), ("web", Some("1.0.0"))]);

    let text = sandbox.ok("build");
    for wanted in [
        "bundle.tar.gz",
        &content_digest(&archive),
        &archive.container_digest(),
        &sha256(&bytes),
        &bytes.len().to_string(),
        "web",
        "db",
        "1.0.0",
    ] {
        assert!(text.out().contains(wanted), "no {wanted}: {text}");
    }
}

#[test]
fn the_archive_goes_to_stdout_and_the_receipt_to_stderr() {
    let sandbox = sample();
    let run = sandbox.ok("build -o -");
    assert_eq!(run.stdout, sandbox.build_bytes(""));
    let digest = sha256(&run.stdout);
    assert!(run.stderr.contains(&digest), "no {digest}: {run}");
    assert!(!sandbox.exists("bundle.tar.gz") && !sandbox.exists("-"));
    assert_eq!(hex(&run.stdout[..2]), "1f8b");
}
