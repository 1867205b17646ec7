//! Tests of a lockfile's text.

use super::*;
use crate::digest::{ContentDigest, Digest};
use crate::manifest::{Manifest, Source};
use crate::version::Version;
use proptest::prelude::*;

fn sample() -> Lockfile {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let git = |reference, rel| Pin::Git {
        url: "https://example.com/chef.git".to_owned(),
        reference,
        rel: TreePath::parse(rel).unwrap(),
        commit: commit.parse().unwrap(),
        lfs: false,
        submodules: Vec::new(),
    };
    let cookbook = |pin: Pin, dependencies: &[&str]| LockedCookbook {
        version: Version::new(1, 2, 3),
        pin: pin.into(),
        content: ContentDigest::of([]),
        dependencies: dependencies.iter().map(|d| d.parse().unwrap()).collect(),
    };
    let path = |path: &str| Pin::Path {
        path: path.to_owned(),
        dirty: false,
    };
    let cookbooks = [
        ("apt", cookbook(git(GitRef::Default, "."), &[])),
        (
            "base",
            cookbook(path("cook\"books\\\u{1}"), &["apt", "web"]),
        ),
        (
            "web",
            cookbook(git(GitRef::Tag("v1".to_owned()), "cookbooks/web"), &["apt"]),
        ),
        (
            "yum",
            cookbook(git(GitRef::Commit("01234".parse().unwrap()), "."), &[]),
        ),
        (
            "zap",
            cookbook(git(GitRef::Branch("main".to_owned()), "."), &[]),
        ),
    ];
    Lockfile {
        requirements: Digest::of("requirements"),
        cookbooks: cookbooks
            .into_iter()
            .map(|(name, c)| (name.parse().unwrap(), c))
            .collect(),
    }
}

#[test]
fn what_is_printed_is_read_back() {
    let text = sample().print();
    assert_eq!(Lockfile::parse("cookpack.lock", &text).unwrap(), sample());
    assert!(
        text.contains("\n[[cookbook]]\nname = \"web\"\nversion = \"1.2.3\"\ngit = "),
        "{text}"
    );
}

/// The sample with a git cookbook that says all that one can.
fn with_submodules() -> Lockfile {
    let mut lockfile = sample();
    let web = lockfile.cookbooks.get_mut("web").unwrap();
    let Pin::Git {
        lfs,
        submodules,
        commit,
        ..
    } = Arc::make_mut(&mut web.pin)
    else {
        panic!("a folder")
    };
    *lfs = true;
    for path in ["a \"quoted\" one", "libs/x", "libs/x/deep"] {
        submodules.push(LockedSubmodule {
            path: TreePath::parse(path).unwrap(),
            url: "https://example.com/x.git".to_owned(),
            commit: commit.clone(),
        });
    }
    lockfile
}

#[test]
fn submodules_and_flags_are_printed_only_where_there_are_any() {
    let plain = sample().print();
    for key in ["lfs", "submodules", "dirty"] {
        assert!(!plain.contains(key), "{key}");
    }
    let lockfile = with_submodules();
    let text = lockfile.print();
    assert_eq!(Lockfile::parse("cookpack.lock", &text).unwrap(), lockfile);
    let line = "    { path = \"libs/x\", git = \"https://example.com/x.git\", commit = \"0123456789abcdef0123456789abcdef01234567\" },\n";
    assert!(
        text.contains("lfs = true\n") && text.contains(line),
        "{text}"
    );
    // Whoever filled the list: it is printed in order.
    let mut shuffled = lockfile;
    let web = shuffled.cookbooks.get_mut("web").unwrap();
    if let Pin::Git { submodules, .. } = Arc::make_mut(&mut web.pin) {
        submodules.reverse();
    }
    assert_eq!(shuffled.print(), text);
}

#[test]
fn submodules_are_read_strictly() {
    let text = with_submodules().print();
    for (from, to, message) in [
        (
            "path = \"libs/x/deep\"",
            "path = \"libs/x\"",
            "locked twice",
        ),
        (
            "path = \"libs/x\"",
            "path = \"../x\"",
            "not a folder inside",
        ),
        ("path = \"libs/x\"", "path = \".\"", "the repository itself"),
        (
            "path = \"libs/x\"",
            "paht = \"libs/x\"",
            "unknown key `paht`",
        ),
        (
            "path = \"libs/x\", git",
            "path = \"libs/x\", branch",
            "unknown key `branch`",
        ),
        ("lfs = true", "lfs = 1", "must be `true` or `false`"),
        ("lfs = true", "dirty = true", "`dirty` means nothing"),
        (
            "path = \"cook",
            "lfs = true\npath = \"cook",
            "`lfs` means nothing",
        ),
    ] {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from}");
        let error = Lockfile::parse("cookpack.lock", &wrong).expect_err(to);
        assert!(error.to_string().contains(message), "{to}: {error}");
    }
}

/// The sample with two cookbooks that places give by name.
fn with_upstreams() -> Lockfile {
    let mut lockfile = sample();
    let pins = [
        (
            "https://supermarket.example",
            "https://supermarket.example/api/v1/cookbooks/web/versions/1_2_3/download",
            Some(Digest::of("web")),
        ),
        ("../chef \"repo\"", "../chef \"repo\"/yum", None),
    ];
    for (name, (upstream, url, sha256)) in ["web", "yum"].into_iter().zip(pins) {
        let pin = Pin::Upstream {
            upstream: upstream.to_owned(),
            url: url.to_owned(),
            sha256,
        };
        lockfile.cookbooks.get_mut(name).unwrap().pin = pin.into();
    }
    lockfile
}

#[test]
fn what_is_given_by_name_is_printed_with_its_place_and_read_back() {
    let lockfile = with_upstreams();
    let text = lockfile.print();
    assert_eq!(Lockfile::parse("cookpack.lock", &text).unwrap(), lockfile);
    let entry = format!(
        "\n[[cookbook]]\nname = \"web\"\nversion = \"1.2.3\"\nsource = \"https://supermarket.example\"\n\
         url = \"https://supermarket.example/api/v1/cookbooks/web/versions/1_2_3/download\"\nsha256 = \"{}\"\ncontent = ",
        Digest::of("web")
    );
    assert!(text.contains(&entry), "{text}");
    assert_eq!(text.matches("sha256 = ").count(), 1, "{text}");
    let web = &lockfile.cookbooks["web"];
    assert_eq!(web.pin.to_string(), "https://supermarket.example");
}

#[test]
fn what_is_given_by_name_is_read_strictly() {
    let text = with_upstreams().print();
    let digest = Digest::of("web").to_string();
    for (from, to, message) in [
        ("url = ", "# url = ", "has no `url`"),
        (
            "source = \"https",
            "git = \"https",
            "`sha256` means nothing",
        ),
        ("source = \"../", "path = \"../", "`url` means nothing"),
        ("source = \"../", "git = \"../", "`url` means nothing"),
        (
            "source = \"https",
            "path = \"x\"\nsource = \"https",
            "one of `git`, `path` and `source`",
        ),
        (
            "source = \"https://supermarket.example\"",
            "source = \"\"",
            "an address is empty",
        ),
        (
            "source = \"https://",
            "source = \"https://me:s3cret@",
            "no credentials",
        ),
        (
            "url = \"https://",
            "url = \"https://s3cret@",
            "no credentials",
        ),
        ("/download", "/download?token=s3cret", "no credentials"),
        ("url = ", "rel = \"x\"\nurl = ", "`rel` means nothing"),
        ("url = ", "commit = \"x\"\nurl = ", "`commit` means nothing"),
        ("url = ", "dirty = true\nurl = ", "`dirty` means nothing"),
        (&digest, &digest[1..], "SHA-256"),
        (&digest, &digest.to_uppercase(), "SHA-256"),
        ("commit = ", "# commit = ", "has no `commit`"),
        (
            "path = \"cook",
            "# path = \"cook",
            "one of `git`, `path` and `source`",
        ),
        (
            "path = \"cook",
            "commit = \"x\"\npath = \"cook",
            "`commit` means nothing",
        ),
    ] {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from}");
        let error = Lockfile::parse("cookpack.lock", &wrong).expect_err(to);
        assert!(error.to_string().contains(message), "{to}: {error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[test]
fn what_is_given_by_name_answers_while_its_place_is_asked_and_its_version_fits() {
    let lockfile = with_upstreams();
    let (name, web) = lockfile.cookbooks.get_key_value("web").unwrap();
    let upstreams = |sources: &str| {
        let text = format!("[bundle]\nname = \"x\"\n{sources}");
        Manifest::parse("cookpack.toml", &text).unwrap().upstreams
    };
    let here = "[[sources]]\nsupermarket = \"https://Supermarket.example/\"\n";
    let other = "[[sources]]\nsupermarket = \"https://other.example\"\n";
    for (sources, constraint, answers) in [
        (here.to_owned(), "~> 1.2", true),
        (here.to_owned(), "~> 1.3", false),
        (format!("{other}{here}"), ">= 0.0.0", true),
        (other.to_owned(), ">= 0.0.0", false),
        (String::new(), ">= 0.0.0", false),
        (format!("{here}except = [\"w*\"]\n"), ">= 0.0.0", false),
        (format!("{here}only = [\"w*\"]\n"), ">= 0.0.0", true),
        (
            format!("{here}{other}only = [\"web\"]\n"),
            ">= 0.0.0",
            false,
        ),
    ] {
        let constraint = constraint.parse().unwrap();
        assert_eq!(
            web.answers(name, &constraint, &upstreams(&sources)),
            answers,
            "{sources}"
        );
    }
    // What is pinned to a folder is no answer to a name.
    let base = &lockfile.cookbooks["base"];
    assert!(!base.answers(name, &">= 0.0.0".parse().unwrap(), &upstreams(here)));
    // And the other way round.
    assert!(!web.pin.pins(&Source::Path("web".to_owned())));
    let mut moved = web.clone();
    assert!(moved.is_same(web));
    if let Pin::Upstream { sha256, .. } = Arc::make_mut(&mut moved.pin) {
        *sha256 = None;
    }
    assert!(!moved.is_same(web));
}

#[test]
fn a_pin_holds_for_what_it_was_made_of_alone() {
    let lockfile = with_submodules();
    let source = |lfs| Source::Git {
        url: "https://me:s3cret@example.com/chef.git".parse().unwrap(),
        reference: GitRef::Tag("v1".to_owned()),
        rel: TreePath::parse("cookbooks/web").unwrap(),
        lfs,
    };
    let pin = &lockfile.cookbooks["web"].pin;
    assert!(pin.pins(&source(true)));
    assert!(!pin.pins(&source(false)));
    let folder = |dirty| Pin::Path {
        path: "web".to_owned(),
        dirty,
    };
    assert!(folder(true).pins_the_same(&folder(false)));
    assert!(!folder(true).pins_the_same(pin));
    assert_ne!(folder(true), folder(false));
}

proptest! {
    #[test]
    fn any_path_survives(path in "\\PC{1,40}|[ -~\\t\r\\x00-\\x1f]{1,20}") {
        let mut lockfile = sample();
        let pin = Pin::Path { path, dirty: true };
        lockfile.cookbooks.get_mut("base").unwrap().pin = pin.into();
        prop_assert_eq!(Lockfile::parse("l", &lockfile.print()).unwrap(), lockfile);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = Lockfile::parse("l", &text);
    }
}

#[test]
fn a_newer_format_is_refused_even_with_unknown_keys() {
    let text = sample()
        .print()
        .replace("version = 1\n", "version = 2\nnovelty = true\n");
    let error = Lockfile::parse("cookpack.lock", &text).unwrap_err();
    assert!(
        matches!(error, LockfileError::Newer { found: 2, .. }),
        "{error}"
    );
}

#[test]
fn damaged_lockfiles_are_refused_where_they_are_damaged() {
    let text = sample().print();
    let table = [
        (text.replace("version = 1\n", ""), "no `version`"),
        (text.replace("c1:", "c9:"), "not a content digest"),
        (
            text.replace("commit = \"0", "commit = \""),
            "not a commit's id",
        ),
        (
            text.replace("name = \"zap\"", "name = \"yum\""),
            "locked twice",
        ),
        (text.replace("rel = ", "tree = "), "unknown key `tree`"),
        (format!("<<<<<<< HEAD\n{text}"), "unresolved merge"),
        (text[..text.len() - 5].to_owned(), ""),
    ];
    for (text, message) in table {
        let error = Lockfile::parse("cookpack.lock", &text).expect_err(message);
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// What is read at once.
fn whole(text: &str) -> Result<Lockfile, LockfileError> {
    read_whole(&SourceFile::new("cookpack.lock", text))
}

/// What is read part by part, if that works.
fn by_parts(text: &str) -> Option<Lockfile> {
    read_by_parts(&SourceFile::new("cookpack.lock", text))
}

#[test]
fn part_by_part_the_same_is_read_as_at_once() {
    let none = Lockfile {
        requirements: Digest::of("none"),
        cookbooks: BTreeMap::new(),
    };
    for lockfile in [none, sample(), with_submodules(), with_upstreams()] {
        let text = lockfile.print();
        assert_eq!(by_parts(&text), Some(lockfile.clone()));
        assert_eq!(whole(&text), Ok(lockfile));
    }
    // However a person has written it.
    let text = sample().print();
    for edited in [
        text.replace("[[cookbook]]", "  [[ cookbook ]] # one"),
        text.replacen("\n[[cookbook]]", "\n  [[cookbook]]", 2),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
    ] {
        assert_eq!(
            Lockfile::parse("cookpack.lock", &edited),
            Ok(sample()),
            "{edited}"
        );
    }
}

#[test]
fn what_is_no_beginning_of_a_cookbook_is_not_taken_for_one() {
    let text = sample().print();
    let quoted = text.replace("\"cookbooks/web\"", "\"\"\"\n[[cookbook]]\n\"\"\"");
    assert_ne!(quoted, text);
    let head = text.replacen("version = 1\n", "version = 1\ncookbook = []\n", 1);
    assert_ne!(head, text);
    for text in [quoted, head] {
        assert_eq!(by_parts(&text), None, "{text}");
        let error = whole(&text).expect_err("nothing that is locked");
        assert_eq!(
            Lockfile::parse("cookpack.lock", &text),
            Err(error),
            "{text}"
        );
    }
}

#[test]
fn an_error_has_its_place_in_the_whole() {
    let text = sample().print();
    let twice = text.replace("name = \"zap\"", "name = \"yum\"");
    let line = twice.lines().count()
        - twice
            .lines()
            .rev()
            .position(|l| l == "name = \"yum\"")
            .expect("it");
    let error = Lockfile::parse("cookpack.lock", &twice).expect_err("twice");
    assert_eq!(
        error.to_string(),
        format!("cookpack.lock:{line}: cookbook `yum` is locked twice")
    );
}
