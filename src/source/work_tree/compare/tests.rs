use git2::ObjectType;

use super::*;
use crate::digest::Digest;
use crate::layout::PlannedFile;
use crate::path::ArchivePath;

fn packed(files: &[(&str, Option<&str>)]) -> PackedFiles {
    let file = |(path, elsewhere): &(&str, Option<&str>)| PlannedFile {
        path: ArchivePath::new(path).expect("a path"),
        elsewhere: elsewhere.map(|path| path.as_bytes().into()),
        executable: false,
        size: 1,
        digest: Digest::of(path),
    };
    let plan = CookbookPlan {
        included: files.iter().map(file).collect(),
        ..CookbookPlan::default()
    };
    PackedFiles::of(&plan).expect("files")
}

#[test]
fn a_path_is_packed_as_itself_or_through_a_link() {
    let packed = packed(&[
        ("a", None),
        ("linked/x", Some("real/x")),
        ("linked/y", Some("real/y")),
        ("real/x", None),
        ("z", Some("a")),
    ]);
    let from = |path: &str| {
        let place = packed.from(path.as_bytes());
        place.map(|place| packed.table.at(place).path().to_owned())
    };
    assert_eq!(from("a").as_deref(), Some("a"));
    assert_eq!(from("real/x").as_deref(), Some("real/x"));
    // It is there only through the link.
    assert_eq!(from("real/y").as_deref(), Some("linked/y"));
    // These are links, and no content.
    for path in ["z", "linked/x", "linked", "b", ""] {
        assert_eq!(from(path), None, "{path}");
    }
    assert!(packed.own(b"z").is_some() && packed.own(b"linked").is_none());
    assert_eq!(packed.from(b"\xff"), None);
}

#[test]
fn what_is_packed_below_a_path_is_counted() {
    let packed = packed(&[
        ("a", None),
        ("b-/c", None),
        ("b.d", None),
        ("b/c", None),
        ("b/d/e", None),
        ("b0", None),
        ("l", Some("real/x")),
    ]);
    for (path, count, is_any) in [
        ("b", 2, true),
        ("b/d", 1, true),
        ("b-", 1, true),
        ("a", 0, false),
        ("b/c", 0, false),
        ("real", 0, true),
        ("rea", 0, false),
        ("", 0, false),
    ] {
        assert_eq!(packed.below(path.as_bytes()), count, "{path}");
        assert_eq!(packed.is_packed_below(path.as_bytes()), is_any, "{path}");
    }
    assert_eq!(packed.below(b"\xff"), 0);
}

#[test]
fn files_have_the_ids_that_git_gives_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    let noise = |length: usize| {
        (0..length)
            .map(|at| (at * 31 % 251) as u8 | 1)
            .collect::<Vec<_>>()
    };
    for length in [0, 1, 2, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
        let content = noise(length);
        fs::write(&path, &content).expect("a file");
        let hashed = Hashed::of(&path, length as u64).expect("read");
        let id = Oid::hash_object(ObjectType::Blob, &content).expect("an id");
        assert_eq!(hashed.id, id, "{length}");
        assert_eq!(blob_id(&content), id);
    }
}

#[test]
fn what_git_may_have_made_is_seen_wherever_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    let seen = |content: &[u8]| {
        fs::write(&path, content).expect("a file");
        let hashed = Hashed::of(&path, content.len() as u64).expect("read");
        hashed.may_be_filtered
    };
    for at in [
        0,
        1,
        PIECE - 3,
        PIECE - 2,
        PIECE - 1,
        PIECE,
        2 * PIECE - 2,
        2 * PIECE - 1,
    ] {
        for (text, wanted) in [
            (b"\r\n", true),
            (b"$I", true),
            (b"\n\r", false),
            (b"I$", false),
        ] {
            let mut content = vec![b'x'; 2 * PIECE + 9];
            content[at..at + 2].copy_from_slice(text);
            assert_eq!(seen(&content), wanted, "{text:?} at {at}");
        }
    }
    assert!(!seen(b"") && !seen(b"\r") && seen(b"\r\n"));
}

/// Commits all that lies in a folder; gives the commit.
fn commit(repository: &Repository) -> Oid {
    let mut index = repository.index().expect("an index");
    index
        .add_all(["*"], git2::IndexAddOption::FORCE, None)
        .expect("added");
    index.write().expect("written");
    let tree = index.write_tree().expect("a tree");
    let tree = repository.find_tree(tree).expect("a tree");
    let who = git2::Signature::now("A. Author", "author@example.com").expect("a name");
    let parent = repository.head().and_then(|head| head.peel_to_commit());
    let parents: Vec<_> = parent.iter().collect();
    let made = repository.commit(Some("HEAD"), &who, &who, "x", &tree, &parents);
    made.expect("a commit")
}

#[cfg(unix)]
#[test]
fn what_was_changed_a_moment_ago_is_the_same_but_not_for_long() {
    use std::time::{Duration, SystemTime};

    let folder = tempfile::tempdir().expect("a folder");
    let root = fs::canonicalize(folder.path()).expect("a folder");
    let repository = Repository::init(&root).expect("a repository");
    fs::create_dir(root.join("web")).expect("a folder");
    fs::write(root.join("web/a"), "a").expect("a file");
    commit(&repository);
    let head = Head::of(&repository).expect("a head").expect("a commit");
    let filtered = Filtered::of(root.clone());
    let packed = packed(&[("a", None)]);
    let compared = |begun: SystemTime| {
        let mut checkout = Checkout::new(&filtered, &head, None);
        compare(&mut checkout, b"web", &packed, Settled::for_run(begun))
    };
    let now = SystemTime::now();
    let later = now + Duration::from_secs(60);
    assert_eq!(compared(now), Some(Compared::Same { is_settled: false }));
    assert_eq!(compared(later), Some(Compared::Same { is_settled: true }));
    fs::write(root.join("web/a"), "b").expect("a file");
    assert_eq!(compared(later), Some(Compared::Different));
}

#[test]
fn git_is_asked_of_the_commit_that_is_checked_out_and_of_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = fs::canonicalize(folder.path()).expect("a folder");
    let repository = Repository::init(&root).expect("a repository");
    fs::write(root.join("a"), "a").expect("a file");
    let first = commit(&repository);
    fs::write(root.join("a"), "b").expect("a file");
    let second = commit(&repository);
    let changed = |commit: Oid| {
        let head = Head::of_commit(&repository, commit).expect("a commit");
        Filtered::of(root.clone()).changed(&head, b"")
    };
    assert_eq!(changed(second), Some(BTreeSet::new()));
    assert_eq!(changed(first), None);
    fs::write(root.join("a"), "other").expect("a file");
    assert_eq!(changed(second), Some([b"a".to_vec()].into()));
}
