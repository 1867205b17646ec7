use std::fmt::Write as _;

use super::*;
use crate::tree::EntryKind;

#[path = "../../tests/it/support/tar_builder.rs"]
pub(crate) mod tar_builder;

use tar_builder::{Entry, TarBuilder, gzip};

/// Contents in memory.
#[derive(Default)]
struct Memory(Vec<u8>);

impl Contents for Memory {
    fn reserve(&mut self, size: u64) -> io::Result<u64> {
        let at = self.0.len() as u64;
        self.0.resize(self.0.len() + size as usize, 0);
        Ok(at)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.0[at as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

fn read_with(bytes: &[u8], limits: &Limits) -> Result<(Index, Vec<u8>), TarballError> {
    let mut memory = Memory::default();
    let cancel = CancelToken::default();
    let index = read(bytes, bytes.len() as u64, limits, &mut memory, &cancel)?;
    Ok((index, memory.0))
}

fn refused(bytes: &[u8]) -> TarballError {
    read_with(bytes, &Limits::default()).expect_err("a tarball that is refused")
}

/// A tarball as lines of its paths.
fn listed(bytes: &[u8]) -> String {
    let (index, contents) = read_with(bytes, &Limits::default()).expect("a tarball");
    let mut text = String::new();
    for (path, node) in index.paths() {
        let path = String::from_utf8_lossy(path);
        let shown = match node {
            Node::Directory => "/".to_owned(),
            Node::Symlink(target) => format!(" -> {}", String::from_utf8_lossy(target)),
            Node::File {
                executable,
                at,
                size,
            } => {
                let content = &contents[*at as usize..][..*size as usize];
                let mark = if *executable { "*" } else { "" };
                format!("{mark} {}", String::from_utf8_lossy(content))
            }
        };
        writeln!(text, "{path}{shown}").expect("a text");
    }
    text
}

fn new() -> TarBuilder {
    TarBuilder::default()
}

/// Something that is in order, before or behind what is not.
fn honest() -> TarBuilder {
    new().file("web/metadata.rb", "name 'web'")
}

#[test]
fn a_tarball_is_gzip_or_plain_tar() {
    let tar = honest().program("web/bin/run", "#!").folder("web/files/");
    let wanted = "web/\nweb/bin/\nweb/bin/run* #!\nweb/files/\nweb/metadata.rb name 'web'\n";
    assert_eq!(listed(&tar.clone().tar()), wanted);
    let whole = tar.tar();
    assert_eq!(listed(&gzip(&whole)), wanted);
    // Members of gzip may end anywhere; all of them count.
    let (one, two) = whole.split_at(700);
    assert_eq!(listed(&[gzip(one), gzip(two)].concat()), wanted);
}

#[test]
fn each_way_of_writing_a_path_is_read() {
    let long = format!("web/{}", "n".repeat(150));
    let target = "t".repeat(120);
    let mut split = [0; 512];
    split[..8].copy_from_slice(b"name.txt");
    split[100..107].copy_from_slice(b"0000644");
    split[124..135].copy_from_slice(b"00000000000");
    split[156] = b'0';
    split[257..263].copy_from_slice(b"ustar\0");
    split[345..351].copy_from_slice(b"web/up");
    let mut gnu = split;
    gnu[257..265].copy_from_slice(b"ustar  \0");
    let tar = new()
        .folder("./")
        .file("./web//a", "1")
        .block(split)
        .block(gnu)
        .record(b'L', format!("{long}\0"))
        .file("cut", "2")
        .record(b'K', format!("{target}\0"))
        .symlink("web/l", "cut")
        .pax(b'g', &[("comment", "0123456789")])
        .pax(b'x', &[("path", "web/é"), ("mtime", "1.5"), ("size", "1")])
        .entry(&Entry {
            path: "cut",
            content: b"3",
            size: Some(0),
            ..Entry::default()
        })
        .of_type(b'0', "web/old/", "");
    let wanted = format!(
        "name.txt \nweb/\nweb/a 1\nweb/l -> {target}\n{long} 2\nweb/old/\nweb/up/\nweb/up/name.txt \nweb/é 3\n"
    );
    assert_eq!(listed(&tar.tar()), wanted);
}

#[test]
fn a_hard_link_is_the_file_before_it() {
    let tar = new()
        .program("web/a", "content")
        .hard_link("web/b", "web/a")
        .hard_link("web/c", "./web/b");
    assert_eq!(
        listed(&tar.gzip()),
        "web/\nweb/a* content\nweb/b* content\nweb/c* content\n"
    );
}

#[test]
fn a_folder_lists_what_is_in_it() {
    let tar = honest()
        .file("web/a/b/c", "")
        .file("web-x", "")
        .symlink("web/l", "a/b");
    let (index, _) = read_with(&tar.tar(), &Limits::default()).expect("a tarball");
    let names = |folder: &[u8]| {
        let entries = index.entries(folder);
        let names = entries.map(|(name, _)| String::from_utf8_lossy(name).into_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(b""), ["web", "web-x"]);
    assert_eq!(names(b"web"), ["a", "l", "metadata.rb"]);
    assert_eq!(names(b"web/a/b"), ["c"]);
    assert!(names(b"nothing").is_empty());
    let kind = |path: &[u8]| index.node(path).map(Node::kind);
    assert_eq!(kind(b""), Some(EntryKind::Directory));
    assert_eq!(kind(b"web/l"), Some(EntryKind::Symlink));
    assert_eq!(kind(b"web/l/c"), None);
}

#[test]
fn the_cookbook_is_the_root_or_the_folder_of_its_name_or_the_first() {
    let cookbook = |tar: TarBuilder| {
        let (index, _) = read_with(&tar.gzip(), &Limits::default()).expect("a tarball");
        let found = index.cookbook("web");
        found.map(|path| String::from_utf8(path).expect("UTF-8"))
    };
    let several = new()
        .file(".hidden/metadata.json", "{}")
        .file("zsh/metadata.json", "{}")
        .file("apt/metadata.rb", "");
    assert_eq!(cookbook(several.clone()).expect("one"), "apt");
    let with_own = several.file("web/metadata.json", "{}");
    assert_eq!(cookbook(with_own.clone()).expect("one"), "web");
    assert_eq!(cookbook(with_own.file("metadata.rb", "")).expect("one"), "");
    for none in [
        new().file("a/b/metadata.rb", ""),
        new().folder("web/metadata.rb"),
        new().file(".web/metadata.rb", ""),
        new(),
    ] {
        assert!(matches!(cookbook(none), Err(TarballError::NoCookbook)));
    }
}

#[test]
fn what_is_no_tarball_is_named() {
    for (bytes, wanted) in [
        (&b""[..], "nothing"),
        (b"PK\x03\x04zip", "a zip archive"),
        (b"\n<!DOCTYPE html>", "a web page"),
        (b"{\"error\": 1}", "JSON"),
        (b"BZh91AY", "something that bzip2 compressed"),
        (&[7; 600], "something else"),
    ] {
        assert!(
            matches!(refused(bytes), TarballError::NotATarball { found } if found == wanted),
            "{wanted}"
        );
    }
    // Nothing but an end is a tar within gzip; without, it has no mark of one.
    assert_eq!(listed(&new().gzip()), "");
}

#[test]
fn attack_a_path_that_is_absolute() {
    for path in ["/etc/passwd", "//x", "\\x", "C:/x", "c:x"] {
        let error = refused(&honest().file(path, "x").gzip());
        assert!(matches!(error, TarballError::AbsolutePath { .. }), "{path}");
    }
    let by_pax = honest().pax(b'x', &[("path", "/x")]).file("web/x", "");
    assert!(matches!(
        refused(&by_pax.tar()),
        TarballError::AbsolutePath { .. }
    ));
    let by_gnu = honest().record(b'L', "/x\0").file("web/x", "");
    assert!(matches!(
        refused(&by_gnu.tar()),
        TarballError::AbsolutePath { .. }
    ));
}

#[test]
fn attack_a_path_that_leads_upwards() {
    for path in ["../x", "web/../../x", "web/..", "a\\..\\x", "web/x/.."] {
        let error = refused(&honest().file(path, "x").gzip());
        assert!(matches!(error, TarballError::ParentPath { .. }), "{path}");
    }
    let folder = refused(&honest().folder("web/../..").tar());
    assert!(matches!(folder, TarballError::ParentPath { .. }));
    // Two dots within a name are a name.
    assert!(listed(&new().file("a..b", "").tar()).starts_with("a..b"));
}

#[test]
fn attack_a_path_with_a_nul() {
    let tar = honest().pax(b'x', &[("path", "web/a\0.rb")]).file("x", "");
    assert!(matches!(
        refused(&tar.tar()),
        TarballError::NulInPath { .. }
    ));
}

#[test]
fn attack_an_entry_without_a_name() {
    for tar in [
        honest().file("", "x"),
        honest().file("./", "x"),
        honest().symlink(".", "web"),
        honest().hard_link("./", "web/metadata.rb"),
    ] {
        let error = refused(&tar.tar());
        assert!(
            matches!(
                error,
                TarballError::NoName | TarballError::UnexpectedContent { .. }
            ),
            "{error}"
        );
    }
}

#[test]
fn attack_a_link_that_leads_out() {
    for target in [
        "/etc/passwd",
        "../../x",
        "a/../../../x",
        "C:\\x",
        "..\\..\\x",
    ] {
        let error = refused(&honest().symlink("web/l", target).gzip());
        assert!(matches!(error, TarballError::LinkOut { .. }), "{target}");
    }
    let top = refused(&honest().symlink("l", "..").gzip());
    assert!(matches!(top, TarballError::LinkOut { .. }));
    let by_pax = honest()
        .pax(b'x', &[("linkpath", "/x")])
        .symlink("l", "web");
    assert!(matches!(
        refused(&by_pax.tar()),
        TarballError::LinkOut { .. }
    ));
    for inside in ["metadata.rb", "../web/x", "a/../b", "."] {
        assert!(listed(&honest().symlink("web/l", inside).tar()).contains(inside));
    }
}

#[test]
fn attack_a_link_to_nothing() {
    assert!(matches!(
        refused(&honest().symlink("web/l", "").gzip()),
        TarballError::NoTarget { .. }
    ));
    let nul = honest()
        .pax(b'x', &[("linkpath", "a\0b")])
        .symlink("web/l", "a");
    assert!(matches!(refused(&nul.tar()), TarballError::NoTarget { .. }));
}

#[test]
fn attack_a_file_through_a_link() {
    // Older tools wrote outside of the folder in which they unpacked this.
    let tar = honest()
        .symlink("web/out", "recipes")
        .file("web/out/x.rb", "evil");
    assert!(matches!(
        refused(&tar.gzip()),
        TarballError::ThroughLink { path, link } if path == "web/out/x.rb" && link == "web/out"
    ));
    let deep = honest().symlink("l", "web").folder("l/a/b");
    assert!(matches!(
        refused(&deep.tar()),
        TarballError::ThroughLink { .. }
    ));
}

#[test]
fn attack_a_link_in_the_place_of_a_folder() {
    let tar = honest()
        .file("web/files/a", "")
        .symlink("web/files", "recipes");
    assert!(
        matches!(refused(&tar.gzip()), TarballError::LinkOverFolder { path } if path == "web/files")
    );
}

#[test]
fn attack_a_hard_link_that_leads_out() {
    for target in ["/etc/passwd", "../x", "web/../../x"] {
        let error = refused(&honest().hard_link("web/l", target).gzip());
        assert!(
            matches!(error, TarballError::HardLinkOut { .. }),
            "{target}"
        );
    }
}

#[test]
fn attack_a_hard_link_to_no_file() {
    let link = new()
        .symlink("web/s", "metadata.rb")
        .hard_link("web/l", "web/s");
    for tar in [
        honest().hard_link("web/l", "web/later"),
        honest().hard_link("web/l", "web"),
        honest().hard_link("web/l", "web/l"),
        link,
    ] {
        let error = refused(&tar.gzip());
        assert!(
            matches!(error, TarballError::HardLinkToNothing { .. }),
            "{error}"
        );
    }
}

#[test]
fn attack_a_device() {
    for letter in [b'3', b'4'] {
        let error = refused(&honest().of_type(letter, "web/sda", "").gzip());
        assert!(matches!(error, TarballError::Device { path } if path == "web/sda"));
    }
}

#[test]
fn attack_a_named_pipe() {
    let error = refused(&honest().of_type(b'6', "web/pipe", "").gzip());
    assert!(matches!(error, TarballError::Fifo { path } if path == "web/pipe"));
}

#[test]
fn attack_a_type_that_nobody_knows() {
    for letter in [b'D', b'M', b'V', b'N', b'Z', 0xff] {
        let error = refused(&honest().of_type(letter, "web/x", "").gzip());
        assert!(
            matches!(error, TarballError::UnknownType { .. }),
            "{letter}"
        );
    }
}

#[test]
fn attack_a_file_with_holes() {
    let old = honest().of_type(b'S', "web/x", "");
    let new = honest()
        .pax(b'x', &[("GNU.sparse.major", "1")])
        .file("web/x", "");
    for tar in [old, new] {
        assert!(matches!(refused(&tar.gzip()), TarballError::Sparse { .. }));
    }
}

#[test]
fn attack_a_path_that_is_there_twice() {
    for tar in [
        honest().file("web/metadata.rb", "other"),
        honest().file("./web//metadata.rb", "other"),
        honest().file("web", "a file in the folder's place"),
        honest().folder("web/metadata.rb"),
        honest().symlink("web/metadata.rb", "x"),
        new().symlink("a", "b").symlink("a", "c"),
        honest().hard_link("web/metadata.rb", "web/metadata.rb"),
    ] {
        let error = refused(&tar.gzip());
        assert!(matches!(error, TarballError::Duplicate { .. }), "{error}");
    }
    // A folder may be named as often as one likes.
    listed(&new().folder("web").file("web/a", "").folder("web/").tar());
}

#[test]
fn attack_a_twin_by_case() {
    for (tar, twin) in [
        (honest().file("web/METADATA.rb", ""), "web/metadata.rb"),
        (honest().file("Web/x", ""), "web"),
        (new().file("É", "").file("é", ""), "É"),
        (new().symlink("ſ", "x").file("s/a", ""), "ſ"),
    ] {
        assert!(
            matches!(refused(&tar.gzip()), TarballError::CaseTwin { other, .. } if other == twin),
            "{twin}"
        );
    }
}

#[test]
fn attack_a_file_below_a_file() {
    let tar = honest().file("web/metadata.rb/x", "");
    assert!(
        matches!(refused(&tar.gzip()), TarballError::BelowFile { file, .. } if file == "web/metadata.rb")
    );
}

#[test]
fn attack_a_folder_with_a_content() {
    for letter in [b'1', b'2', b'3', b'5', b'6'] {
        let tar = honest().entry(&Entry {
            path: "web/x",
            letter,
            target: "web/metadata.rb",
            content: b"hidden",
            ..Entry::default()
        });
        let error = refused(&tar.tar());
        assert!(
            matches!(error, TarballError::UnexpectedContent { .. }),
            "{letter}"
        );
    }
}

#[test]
fn attack_something_behind_the_end() {
    let more = honest().file("web/later", "").tar();
    for tail in [&more[..], b"x", &[&[0; 5000][..], &[1]].concat()] {
        let tar = [honest().tar(), tail.to_vec()].concat();
        for bytes in [tar.clone(), gzip(&tar)] {
            assert!(matches!(refused(&bytes), TarballError::AfterEnd { .. }));
        }
    }
    // As a member of its own, or as no member at all.
    let member = [honest().gzip(), gzip(&more)].concat();
    assert!(matches!(refused(&member), TarballError::AfterEnd { .. }));
    let garbage = [honest().gzip(), b"garbage".to_vec()].concat();
    let error = refused(&garbage);
    assert!(
        matches!(
            error,
            TarballError::Damaged { .. } | TarballError::Truncated
        ),
        "{error:?}"
    );
    // Zeros are what fills a tape.
    listed(&[honest().tar(), vec![0; 10_000]].concat());
}

#[test]
fn attack_records_that_readers_do_not_agree_on() {
    for tar in [
        honest()
            .record(b'L', "a\0")
            .record(b'L', "b\0")
            .file("x", ""),
        honest()
            .pax(b'x', &[("path", "a")])
            .pax(b'x', &[("path", "b")])
            .file("x", ""),
        honest()
            .pax(b'x', &[("path", "a")])
            .record(b'L', "b\0")
            .file("x", ""),
        honest()
            .record(b'K', "a\0")
            .pax(b'x', &[("linkpath", "b")])
            .symlink("x", "c"),
        honest().record(b'x', "9 path=\n").file("x", ""),
        honest().pax(b'x', &[("path", "a")]),
    ] {
        let error = refused(&tar.tar());
        assert!(matches!(error, TarballError::Record { .. }), "{error}");
    }
    let global = honest().pax(b'g', &[("path", "web/x")]).file("web/y", "");
    assert!(matches!(refused(&global.tar()), TarballError::GlobalRecord));
}

#[test]
fn attack_a_header_that_lies() {
    let mut flipped = honest().tar();
    flipped[3] ^= 1;
    assert!(matches!(
        refused(&flipped),
        TarballError::Checksum { at: 0 }
    ));
    let mut negative = [0; 512];
    negative[0] = b'x';
    negative[124..136].fill(0xff);
    negative[156] = b'0';
    let tar = honest().block(negative).tar();
    assert!(matches!(
        refused(&tar),
        TarballError::Header {
            at: 1024,
            field: "size"
        }
    ));
    // More is said to come than comes, and more than fits into a number.
    for size in [1025, 1 << 32, (8 << 30) - 1] {
        let tar = honest().entry(&Entry {
            path: "web/x",
            size: Some(size),
            content: b"short",
            ..Entry::default()
        });
        let error = refused(&tar.tar());
        assert!(
            matches!(
                error,
                TarballError::Truncated
                    | TarballError::FileTooLarge { .. }
                    | TarballError::TooDense { .. }
                    | TarballError::Checksum { .. }
                    | TarballError::AfterEnd { .. }
            ),
            "{size}: {error}"
        );
    }
}

#[test]
fn a_tarball_that_is_cut_anywhere_is_refused() {
    let tar = honest().file("web/a", [b'x'; 700]).tar();
    for length in (0..=tar.len() - 1024).filter(|length| length % 512 < 2) {
        let error = refused(&tar[..length]);
        assert!(
            matches!(
                error,
                TarballError::Truncated | TarballError::NotATarball { .. }
            ),
            "{length}: {error}"
        );
    }
    let packed = gzip(&tar);
    for length in 2..packed.len() {
        let error = refused(&packed[..length]);
        assert!(
            matches!(
                error,
                TarballError::Truncated | TarballError::Damaged { .. }
            ),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_gzip_with_any_byte_flipped_is_refused_or_the_same() {
    let packed = honest().file("web/a", "content").gzip();
    let whole = listed(&packed);
    for at in 10..packed.len() {
        let mut flipped = packed.clone();
        flipped[at] ^= 0x10;
        // A few bits mean nothing: those that fill the last byte of what is compressed.
        if read_with(&flipped, &Limits::default()).is_ok() {
            assert_eq!(listed(&flipped), whole, "byte {at}");
        }
    }
}

/// Reads with a limit one below, at and one above what a tarball needs.
#[track_caller]
fn limited(bytes: &[u8], needed: u64, set: fn(&mut Limits, u64), is_it: fn(&TarballError) -> bool) {
    for limit in [needed - 1, needed, needed + 1] {
        let mut limits = Limits::default();
        set(&mut limits, limit);
        match read_with(bytes, &limits) {
            Ok(_) => assert!(limit >= needed, "{limit} of {needed} will do"),
            Err(error) => assert!(
                limit < needed && is_it(&error),
                "{limit} of {needed}: {error}"
            ),
        }
    }
}

#[test]
fn limit_bytes_of_a_file() {
    let tar = honest().file("web/a", [1; 2000]).gzip();
    limited(
        &tar,
        2000,
        |limits, to| limits.file_bytes = to,
        |error| matches!(error, TarballError::FileTooLarge { size: 2000, .. }),
    );
}

#[test]
fn limit_files_and_folders() {
    let tar = honest().folder("web").file("web/a/b", "").gzip();
    // web, web/metadata.rb, web/a, web/a/b
    limited(
        &tar,
        4,
        |limits, to| limits.files = to as usize,
        |error| matches!(error, TarballError::TooMany { .. }),
    );
}

#[test]
fn limit_depth_of_folders() {
    let tar = honest().file("a/b/c/d", "").gzip();
    limited(
        &tar,
        4,
        |limits, to| limits.depth = to as usize,
        |error| matches!(error, TarballError::TooDeep { .. }),
    );
}

#[test]
fn limit_bytes_of_a_path_and_of_a_target() {
    let path = "p/".repeat(30) + "x";
    let tar = honest().file(&path, "").gzip();
    limited(
        &tar,
        61,
        |limits, to| limits.path_bytes = to as usize,
        |error| matches!(error, TarballError::PathTooLong { .. }),
    );
    let tar = honest().symlink("l", &path).gzip();
    limited(
        &tar,
        61,
        |limits, to| limits.path_bytes = to as usize,
        |error| matches!(error, TarballError::PathTooLong { .. }),
    );
}

#[test]
fn limit_bytes_of_a_name() {
    let tar = honest()
        .file(&format!("web/{}/x", "n".repeat(50)), "")
        .gzip();
    limited(
        &tar,
        50,
        |limits, to| limits.name_bytes = to as usize,
        |error| matches!(error, TarballError::NameTooLong { .. }),
    );
}

#[test]
fn limit_bytes_of_a_record() {
    let tar = honest().pax(b'x', &[("comment", &"c".repeat(400))]);
    let tar = tar.file("web/a", "").gzip();
    limited(
        &tar,
        413,
        |limits, to| limits.record_bytes = to,
        |error| matches!(error, TarballError::RecordTooLarge { size: 413, .. }),
    );
}

#[test]
fn limit_bytes_of_the_tarball_itself() {
    let tar = honest().gzip();
    limited(
        &tar,
        tar.len() as u64,
        |limits, to| limits.packed_bytes = to,
        |error| matches!(error, TarballError::TooLargePacked { .. }),
    );
}

#[test]
fn limit_bytes_unpacked() {
    let tar = honest().file("web/a", [7; 3000]).tar();
    let length = tar.len() as u64;
    for bytes in [gzip(&tar), tar] {
        limited(
            &bytes,
            length,
            |limits, to| limits.unpacked_bytes = to,
            |error| matches!(error, TarballError::TooLarge { .. }),
        );
    }
}

#[test]
fn limit_how_much_more_it_unpacks_to() {
    let content = vec![0; stream::FREE as usize];
    let tar = honest().file("web/zeros", content).tar();
    let packed = gzip(&tar);
    let ratio = (tar.len() as u64).div_ceil(packed.len() as u64);
    assert!(ratio > 200, "{ratio}");
    assert!(matches!(
        refused(&packed),
        TarballError::TooDense { limit: 200 }
    ));
    limited(
        &packed,
        ratio,
        |limits, to| limits.unpacked_ratio = to,
        |error| matches!(error, TarballError::TooDense { .. }),
    );
    // What is free is free: exactly so much, and a byte more is a block more.
    let free = stream::FREE as usize - 5 * 512;
    listed(&honest().file("web/zeros", vec![0; free]).gzip());
    let error = refused(&honest().file("web/zeros", vec![0; free + 1]).gzip());
    assert!(matches!(error, TarballError::TooDense { .. }));
}

#[test]
fn attack_zeros_without_end_behind_the_end() {
    let tar = [honest().tar(), vec![0; stream::FREE as usize]].concat();
    assert!(matches!(
        refused(&gzip(&tar)),
        TarballError::TooDense { .. }
    ));
}

#[test]
fn a_reader_stops_when_it_is_told_to() {
    let cancel = CancelToken::default();
    cancel.cancel();
    let bytes = honest().gzip();
    let limits = Limits::default();
    let error = read(&*bytes, 100, &limits, &mut Memory::default(), &cancel).expect_err("stopped");
    assert!(matches!(error, TarballError::Cancelled(_)));
}
