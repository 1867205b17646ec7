//! In whatever order cookbooks come, what can be compressed is.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests look into a store's folder"
)]

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use super::*;
use crate::digest::Digest;
use crate::layout::PlannedFile;
use crate::path::{ArchivePath, TreePath};
use crate::source::Folders;
use crate::tree::Tree;

fn context(store: &Path) -> Context<'static> {
    Context::new(store).with_archive(Format::TarGz, &ArchiveOptions::default())
}

/// A manifest of four cookbooks by path.
fn manifest(more: &str) -> Manifest {
    let cookbooks: String = ["a", "b", "c", "d"]
        .iter()
        .map(|name| format!("{name} = {{ path = \"{name}\" }}\n"))
        .collect();
    let text = format!("[bundle]\nname = \"x\"\n{more}\n[cookbooks]\n{cookbooks}");
    Manifest::parse("cookpack.toml", &text).expect("a manifest")
}

/// A cookbook with one file of so many bytes, in memory.
fn held(name: &str, bytes: usize) -> Held {
    let content: Vec<u8> = (0..bytes).map(|at| (at * at / 7) as u8).collect();
    let file = PlannedFile {
        path: ArchivePath::new("file").expect("a path"),
        elsewhere: None,
        executable: false,
        size: bytes as u64,
        digest: Digest::of(&content),
    };
    let folder = std::env::temp_dir();
    let (tree, _) = Folders::default().open(&folder, &folder).expect("a folder");
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let bytes: Arc<HeldMemory> = Arc::new(content[..].into());
    let places = std::iter::once(0..bytes.len()).collect();
    let path = ArchivePath::new(name).expect("a folder");
    let folder = Folder::new(
        path,
        (&tree, &TreePath::default()),
        [file].into_iter().collect(),
    );
    let folder = folder
        .with_compiled("{}".to_owned().into())
        .expect("a folder");
    Held {
        folder: folder
            .with_held((Arc::clone(&bytes), places))
            .expect("a folder"),
        bytes: Some(bytes),
    }
}

/// The names of the segments that are in a store.
fn segments(store: &Path) -> Vec<String> {
    let folders = fs::read_dir(store.join("segments-1")).into_iter().flatten();
    let folders = folders.map(|entry| entry.expect("an entry").path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name())
    });
    let mut names: Vec<_> = files.map(|name| name.to_string_lossy().into()).collect();
    names.sort();
    names
}

/// What is in the store once cookbooks of these sizes came in this order; `None` was not read.
fn kept(sizes: [Option<usize>; 4], order: [usize; 4]) -> Vec<String> {
    let store = tempfile::tempdir().expect("a folder");
    let ahead = Ahead::new(&context(store.path()), &manifest(""), 4).expect("an archive");
    let mut worker = ahead.worker().expect("a worker");
    for place in order {
        let held = sizes[place].map(|bytes| held(["a", "b", "c", "d"][place], bytes));
        worker.came(place, held).expect("compressed");
    }
    let state = ahead.state();
    assert!(state.waiting.is_empty() && state.waiting_bytes == 0);
    // What the one behind the last could refer to.
    assert_eq!(state.windows.keys().collect::<Vec<_>>(), [&4]);
    drop(state);
    segments(store.path())
}

/// All orders of four.
fn orders() -> Vec<[usize; 4]> {
    let mut orders = Vec::new();
    for code in 0..256_usize {
        let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
        if (0..4).all(|place| order.contains(&place)) {
            orders.push(order);
        }
    }
    orders
}

#[test]
fn the_order_in_which_cookbooks_come_does_not_matter() {
    // All of them decide on what the next one may refer to, and then but a part of it.
    for sizes in [[40_000; 4], [100; 4], [100, 40_000, 100, 31_000]] {
        let sizes = sizes.map(Some);
        let want = kept(sizes, [0, 1, 2, 3]);
        assert_eq!(want.len(), 4);
        let orders = orders();
        assert_eq!(orders.len(), 24);
        for order in orders {
            assert_eq!(kept(sizes, order), want, "{order:?}");
        }
    }
}

#[test]
fn what_stands_behind_the_unknown_waits_for_nothing() {
    // The second was not read. A large one behind it is known by itself to those behind it.
    for (third, count) in [(40_000, 2), (100, 1)] {
        let sizes = [Some(50_000), None, Some(third), Some(100)];
        let want = kept(sizes, [0, 1, 2, 3]);
        assert_eq!(want.len(), count);
        for order in orders() {
            assert_eq!(kept(sizes, order), want, "{order:?}");
        }
    }
}

#[test]
fn no_more_waits_than_there_is_room_for() {
    let store = tempfile::tempdir().expect("a folder");
    let ahead = Ahead::new(&context(store.path()), &manifest(""), 4).expect("an archive");
    // The first one is waited for by nobody.
    assert!(ahead.has_room(0, MOST_WAITING + 1));
    assert!(ahead.has_room(2, MOST_WAITING));
    assert!(!ahead.has_room(2, MOST_WAITING + 1));
    let mut worker = ahead.worker().expect("a worker");
    worker.came(2, Some(held("c", 1000))).expect("it waits");
    assert!(ahead.has_room(1, MOST_WAITING - 1000));
    assert!(!ahead.has_room(1, MOST_WAITING - 999));
}

#[test]
fn nothing_is_compressed_where_something_else_may_stand_between() {
    let store = tempfile::tempdir().expect("a folder");
    let cx = context(store.path());
    let is_some = |cx: &Context<'_>, more: &str, count| {
        let ahead = Ahead::new(cx, &manifest(more), count);
        ahead.is_some()
    };
    assert!(is_some(&cx, "", 2));
    assert!(!is_some(&cx, "", 1), "several threads for one cookbook");
    let two = cx.clone().with_jobs(NonZeroUsize::new(2).expect("two"));
    assert!(is_some(&two, "", 4) && !is_some(&two, "", 3));
    assert!(!is_some(&Context::new(store.path()), "", 4), "no archive");
    let sources = "[[sources]]\nsupermarket = \"https://supermarket.example\"\n";
    assert!(!is_some(&cx, sources, 4));
    assert!(!is_some(&cx, "transitive_sources = true\n", 4));
    let mut some = manifest("");
    some.bundle.groups = GroupChoice::Except(vec!["dev".to_owned()]);
    assert!(Ahead::new(&cx, &some, 4).is_none());
}

#[test]
fn a_time_that_no_archive_holds_is_left_to_the_writer() {
    let store = tempfile::tempdir().expect("a folder");
    let is_worked_on = |format, mtime| {
        let options = ArchiveOptions {
            mtime,
            ..ArchiveOptions::default()
        };
        let cx = Context::new(store.path()).with_archive(format, &options);
        let ahead = Ahead::new(&cx, &manifest(""), 4).expect("an archive");
        ahead.worker().is_some()
    };
    let latest = archive::LATEST_MTIME;
    assert!(is_worked_on(Format::TarGz, latest) && !is_worked_on(Format::TarGz, latest + 1));
    assert!(is_worked_on(Format::Zip, 315_532_800) && !is_worked_on(Format::Zip, 315_532_799));
    assert!(!is_worked_on(Format::Tar, 315_532_800));
}
