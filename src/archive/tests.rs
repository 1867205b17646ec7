//! Tests of what the writers have in common: that nothing shows in the bytes but layout and options.

mod trails;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::segment::{Loaded, NewSegment, SegmentStore, StoredBody, StoredSegment};
use super::*;
use crate::event::CancelToken;
use crate::layout::{CookbookPlan, Entries, PlannedCookbook, PlannedFile, SharedEntry};
use crate::limits::Limits;
use crate::lockfile::Pin;
use crate::manifest::Manifest;
use crate::path::{ArchivePath, TreePath};
use crate::tree::{EntryKind, Tree, TreeEntry};

/// Files in memory that counts what is opened.
#[derive(Default)]
pub(super) struct MemoryTree {
    files: BTreeMap<String, Vec<u8>>,
    /// What is read in place of some of them.
    instead: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(super) opened: AtomicUsize,
}

impl Tree for MemoryTree {
    fn label(&self) -> String {
        "memory".to_owned()
    }

    fn entries(&self, _: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        panic!("a folder is read")
    }

    fn kind(&self, _: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        panic!("a folder is read")
    }

    fn link_target(&self, _: &[u8]) -> Result<Vec<u8>, TreeError> {
        panic!("a link is followed")
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let path = std::str::from_utf8(path).expect("a path");
        if let Some(content) = self.instead.lock().unwrap().get(path) {
            return Ok(Box::new(io::Cursor::new(content.clone())));
        }
        Ok(Box::new(&self.files[path][..]))
    }
}

/// A cookbook and its files, by path.
pub(super) type Cookbook<'a> = (&'a str, Vec<(&'a str, Vec<u8>)>);

/// A layout of such cookbooks, and the tree that is opened for it.
pub(super) fn layout(cookbooks: &[Cookbook<'_>]) -> (Layout, Arc<MemoryTree>) {
    let mut tree = MemoryTree::default();
    for (name, files) in cookbooks {
        for (path, content) in files {
            tree.files.insert(format!("{name}/{path}"), content.clone());
        }
    }
    let tree = Arc::new(tree);
    let planned = cookbooks.iter().map(|(name, files)| {
        let one = |(path, content): &(&str, Vec<u8>)| PlannedFile {
            path: ArchivePath::new(path).expect("a path"),
            elsewhere: None,
            executable: path.ends_with(".sh"),
            size: content.len() as u64,
            digest: Digest::of(content),
        };
        (*name, files.iter().map(one).collect())
    });
    let planned: Vec<_> = planned.collect();
    (layout_of(&tree, planned), tree)
}

/// A layout of cookbooks whose files were planned.
pub(super) fn layout_of(
    tree: &Arc<MemoryTree>,
    cookbooks: Vec<(&str, Vec<PlannedFile>)>,
) -> Layout {
    let planned = cookbooks.into_iter().map(|(name, included)| {
        let plan = CookbookPlan {
            included: included.into_iter().collect(),
            base: TreePath::parse(name).expect("a folder"),
            ..CookbookPlan::default()
        };
        PlannedCookbook {
            packed: PackedCookbook {
                name: name.parse().expect("a name"),
                version: "1.0.0".parse().expect("a version"),
                pin: Pin::Path {
                    path: name.to_owned(),
                    dirty: false,
                }
                .into(),
                content: plan.content_digest().expect("a digest"),
            },
            tree: Arc::clone(tree) as Arc<dyn Tree>,
            plan,
            has_plain_name: false,
            compiled_metadata: format!("{{\"name\":\"{name}\"}}").into(),
        }
    });
    let manifest = Manifest::parse("cookpack.toml", "[bundle]\nname = \"test\"\n");
    let manifest = manifest.expect("a manifest");
    Layout::of(&manifest, manifest.bundle.layout, planned).expect("a layout")
}

/// All entries of a layout, in their order.
pub(in crate::archive) fn all_entries(layout: &Layout) -> Vec<SharedEntry<'_>> {
    let folders = layout.folders().iter();
    let entries = folders.map(|folder| folder.entries().expect("entries"));
    entries.flat_map(Entries::each).collect()
}

/// Text that compresses, the same for the same seed.
pub(super) fn text(seed: u32, bytes: usize) -> Vec<u8> {
    let words = [
        "package ",
        "service ",
        "do\n",
        "end\n",
        "node['a'] ",
        "\"#{x}\" ",
    ];
    let mut state = seed | 1;
    let mut text = Vec::new();
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        text.extend_from_slice(words[state as usize % words.len()].as_bytes());
        text.push((state >> 24) as u8);
    }
    text.truncate(bytes);
    text
}

/// Small ones, one of several blocks, one that is empty but for its metadata.
pub(super) fn cookbooks() -> Vec<Cookbook<'static>> {
    vec![
        (
            "apt",
            vec![
                ("recipes/default.rb", text(1, 900)),
                ("files/run.sh", text(2, 70_000)),
            ],
        ),
        (
            "big",
            vec![
                ("files/one", text(3, 700_000)),
                ("files/two", text(4, 5 * segment::BLOCK)),
            ],
        ),
        ("empty", vec![]),
        (
            "nginx",
            vec![
                ("recipes/default.rb", text(5, 1)),
                ("recipes/none.rb", vec![]),
            ],
        ),
        ("ntp", vec![("recipes/default.rb", text(6, 20_000))]),
        ("zsh", vec![("recipes/default.rb", text(7, 50_000))]),
    ]
}

/// The head and the body of a segment.
type Kept = (Vec<u8>, Vec<u8>);

/// A store in memory, that can be told to damage what it gives.
#[derive(Default)]
pub(super) struct MemoryStore {
    pub(super) kept: Mutex<HashMap<Digest, Kept>>,
    /// Trails, by name.
    pub(super) trails: Mutex<HashMap<Digest, Vec<u8>>>,
    found: AtomicUsize,
    begun: AtomicUsize,
    damages: AtomicBool,
    streams: AtomicBool,
}

struct MemoryBody(Option<Loaded>);

impl StoredBody for MemoryBody {
    fn in_memory(&self) -> u64 {
        self.0.as_ref().map_or(0, Loaded::len)
    }

    fn load(self: Box<Self>, _: Vec<u8>) -> Option<Loaded> {
        self.0
    }
}

struct MemorySegment<'a> {
    store: &'a MemoryStore,
    key: Digest,
    body: Vec<u8>,
}

impl SegmentStore for MemoryStore {
    fn find(&self, key: &Digest) -> Option<StoredSegment> {
        let (head, body) = self.kept.lock().unwrap().get(key)?.clone();
        self.found.fetch_add(1, Ordering::Relaxed);
        let loaded = match self.streams.load(Ordering::Relaxed) {
            true => Loaded::Stream(body.len() as u64, Box::new(io::Cursor::new(body))),
            false => Loaded::Bytes(body),
        };
        let is_whole = !self.damages.load(Ordering::Relaxed);
        let body = Box::new(MemoryBody(is_whole.then_some(loaded)));
        Some(StoredSegment { head, body })
    }

    fn begin(&self, key: &Digest) -> Option<Box<dyn NewSegment + '_>> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Some(Box::new(MemorySegment {
            store: self,
            key: *key,
            body: Vec::new(),
        }))
    }

    fn trail(&self, name: &Digest) -> Option<Vec<u8>> {
        self.trails.lock().unwrap().get(name).cloned()
    }

    fn keep_trail(&self, name: &Digest, bytes: &[u8]) {
        self.trails.lock().unwrap().insert(*name, bytes.to_vec());
    }
}

impl Write for MemorySegment<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewSegment for MemorySegment<'_> {
    fn keep(self: Box<Self>, head: &[u8]) {
        let mut kept = self.store.kept.lock().unwrap();
        kept.insert(self.key, (head.to_vec(), self.body));
    }
}

impl MemoryStore {
    /// How many segments were found and how many made since this was last asked.
    pub(super) fn counts(&self) -> (usize, usize) {
        (
            self.found.swap(0, Ordering::Relaxed),
            self.begun.swap(0, Ordering::Relaxed),
        )
    }
}

pub(super) fn options(jobs: usize) -> ArchiveOptions {
    ArchiveOptions {
        jobs: NonZeroUsize::new(jobs).expect("a number"),
        ..ArchiveOptions::default()
    }
}

fn written(layout: &Layout, jobs: usize, store: Option<&MemoryStore>) -> (Vec<u8>, Archive, u64) {
    written_as(Format::TarGz, layout, jobs, store)
}

/// The archive, its receipt, and the bytes of content that were told of.
pub(super) fn written_as(
    format: Format,
    layout: &Layout,
    jobs: usize,
    store: Option<&MemoryStore>,
) -> (Vec<u8>, Archive, u64) {
    let mut bytes = Vec::new();
    let mut told = 0;
    let writing = Writing {
        tools: Tools::default(),
        segments: store.map(|store| store as &dyn SegmentStore),
        progress: &mut |content| {
            told += content;
            Ok(())
        },
    };
    let options = options(jobs);
    let archive = write(layout, &mut bytes, format, &options, writing);
    (bytes, archive.expect("an archive"), told)
}

#[test]
fn neither_threads_nor_a_store_show_in_a_byte() {
    for format in [Format::TarGz, Format::Zip] {
        check_threads_and_stores(format);
    }
}

fn check_threads_and_stores(format: Format) {
    let (layout, tree) = layout(&cookbooks());
    let written = |layout: &Layout, jobs: usize, store: Option<&MemoryStore>| {
        written_as(format, layout, jobs, store)
    };
    let (wanted, receipt, told) = written(&layout, 1, None);
    assert_eq!(told, layout.content_bytes());
    let store = MemoryStore::default();
    for jobs in [1, 2, 7] {
        let cold = MemoryStore::default();
        for store in [None, Some(&cold), Some(&store), Some(&store)] {
            let (bytes, archive, told) = written(&layout, jobs, store);
            assert!(bytes == wanted, "{jobs} threads");
            assert_eq!(archive, receipt);
            assert_eq!(told, layout.content_bytes());
        }
    }
    store.counts();
    tree.opened.store(0, Ordering::Relaxed);
    for streams in [false, true] {
        store.streams.store(streams, Ordering::Relaxed);
        assert!(written(&layout, 2, Some(&store)).0 == wanted);
        assert_eq!(store.counts(), (6, 0));
    }
    assert_eq!(tree.opened.load(Ordering::Relaxed), 0, "nothing is read");
}

#[test]
fn the_tar_in_a_tar_gz_is_the_tar() {
    let (layout, _) = layout(&cookbooks());
    let (packed, receipt, _) = written(&layout, 2, None);
    let mut unpacked = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(&packed[..]);
    decoder.read_to_end(&mut unpacked).expect("one member");
    assert!(decoder.into_inner().is_empty());
    let mut tar = Vec::new();
    let plain = layout
        .write_to(&mut tar, Format::Tar, &options(1))
        .expect("a tar");
    assert!(tar == unpacked);
    assert_eq!(plain.digests.container, receipt.digests.container);
    assert_eq!(plain.digests.content, receipt.digests.content);
    assert_eq!(plain.digests.archive, Digest::of(&tar));
    assert_eq!(receipt.digests.archive, Digest::of(&packed));
}

#[test]
fn a_change_makes_its_segment_and_the_next_one_anew() {
    let mut cookbooks = cookbooks();
    let store = MemoryStore::default();
    written(&layout(&cookbooks).0, 2, Some(&store));
    assert_eq!(store.counts(), (0, 6));
    // The fourth is so short that what the sixth may refer to reaches back to it.
    cookbooks[3].1[0].1 = b"x".to_vec();
    let (changed, tree) = layout(&cookbooks);
    let (wanted, receipt, _) = written(&changed, 1, None);
    tree.opened.store(0, Ordering::Relaxed);
    let (bytes, archive, _) = written(&changed, 2, Some(&store));
    assert!(bytes == wanted);
    assert_eq!(archive, receipt);
    assert_eq!(store.counts(), (3, 3));
    // Those of the three, and of what the first of them may refer to.
    assert!(tree.opened.load(Ordering::Relaxed) <= 6);
    // The last one is long enough: what is before it does not reach behind it.
    let mut two = cookbooks.clone();
    two[0].1[0].1 = b"y".to_vec();
    written(&layout(&two).0, 2, Some(&store));
    assert_eq!(store.counts().1, 2);
}

#[test]
fn a_damaged_segment_is_made_anew() {
    for format in [Format::TarGz, Format::Zip] {
        check_damaged_segments(format);
    }
}

fn check_damaged_segments(format: Format) {
    let (layout, _) = layout(&cookbooks());
    let written = |layout: &Layout, jobs: usize, store: Option<&MemoryStore>| {
        written_as(format, layout, jobs, store)
    };
    let (wanted, receipt, _) = written(&layout, 1, None);
    for jobs in [1, 2] {
        let store = MemoryStore::default();
        written(&layout, jobs, Some(&store));
        store.counts();
        // Bodies that cannot be read.
        store.damages.store(true, Ordering::Relaxed);
        let (bytes, archive, told) = written(&layout, jobs, Some(&store));
        assert!(bytes == wanted);
        assert_eq!((archive, told), (receipt.clone(), layout.content_bytes()));
        assert_eq!(store.counts(), (6, 6));
        // Heads that mean nothing.
        store.damages.store(false, Ordering::Relaxed);
        store
            .kept
            .lock()
            .unwrap()
            .values_mut()
            .for_each(|(head, _)| head.truncate(3));
        assert!(written(&layout, jobs, Some(&store)).0 == wanted);
        assert_eq!(store.counts(), (6, 6));
        assert!(written(&layout, jobs, Some(&store)).0 == wanted);
        assert_eq!(store.counts(), (6, 0));
    }
}

#[test]
fn a_key_tells_apart_all_that_bytes_depend_on() {
    let (layout, _) = layout(&cookbooks());
    let runs: Vec<_> = segment::runs(&layout)
        .map(|run| run.expect("a run"))
        .collect();
    let before = Digest::of("before");
    let mut keys = std::collections::BTreeSet::new();
    let mut later = options(1);
    later.mtime += 1;
    let mut best = options(1);
    best.level = Level::Best;
    for run in &runs {
        for format in Format::ALL {
            for options in [&options(1), &later, &best] {
                for before in [before, Digest::of("other")] {
                    let content = Contents::Here.next(run);
                    keys.insert(segment::key(content, format, options, before));
                }
            }
        }
    }
    assert_eq!(keys.len(), runs.len() * 3 * 3 * 2);
    let content = Contents::Here.next(&runs[0]);
    let again = segment::key(content, Format::TarGz, &options(9), before);
    assert!(keys.contains(&again), "the number of threads is none of it");
}

#[test]
fn a_file_that_changes_meanwhile_is_an_error() {
    let (layout, tree) = layout(&cookbooks());
    for content in [text(9, 900), text(1, 899), text(1, 901)] {
        let path = "apt/recipes/default.rb";
        tree.instead
            .lock()
            .unwrap()
            .insert(path.to_owned(), content);
        for format in Format::ALL {
            let error = layout.write_to(&mut io::sink(), format, &options(2));
            let error = error.expect_err("a changed file");
            assert!(
                matches!(&error, WriteError::Changed { path: found } if found == path),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_format_is_that_of_a_names_ending() {
    for (name, format) in [
        ("x.tar.gz", Some(Format::TarGz)),
        ("a.b/x.y.TGZ", Some(Format::TarGz)),
        ("x.tar", Some(Format::Tar)),
        ("x.Zip", Some(Format::Zip)),
        ("x.gz", None),
        ("x.tar.zip/x", None),
        ("zip", None),
        (".zip", None),
        ("xzip", None),
        ("x.tar.bz2", None),
        ("x.zip.", None),
        ("/", None),
    ] {
        assert_eq!(Format::of_path(Path::new(name)), format, "{name}");
    }
}

#[test]
fn our_own_reader_reads_what_we_write() {
    let mut some = cookbooks();
    some[0].1.push(("files/größe.sh", text(8, 3)));
    let (layout, _) = layout(&some);
    let options = ArchiveOptions {
        mtime: 1_700_000_000,
        ..options(2)
    };
    for format in Format::ALL {
        let mut bytes = Vec::new();
        let written = layout.write_to(&mut bytes, format, &options);
        let written = written.expect("an archive");
        let (limits, cancel) = (Limits::default(), CancelToken::default());
        let read = read_archive(&mut &bytes[..], None, &limits, &mut (), &cancel);
        let read = read.expect("no deviation");
        assert_eq!((read.format, read.size), (format, written.size));
        assert_eq!(read.files, written.files as u64);
        assert_eq!(read.content_bytes, layout.content_bytes());
        assert_eq!(read.mtime, Some(options.mtime));
        let digests = written.digests;
        assert_eq!(read.content, digests.content);
        assert_eq!(read.container, digests.container);
        assert_eq!(read.archive, digests.archive);
    }
}

#[test]
fn archives_of_ours_are_known_and_those_of_others_are_not() {
    let mut some = cookbooks();
    // The first file of a zip tells: a small one, one that is streamed, one behind an empty one.
    let small = layout(&some).0;
    some[0].1[0] = ("a", text(1, 1_300_000));
    let streamed = layout(&some).0;
    some[0].1[0] = ("a", Vec::new());
    let empty = layout(&some).0;
    for layout in [small, streamed, empty] {
        for format in Format::ALL {
            let (bytes, ..) = written_as(format, &layout, 1, None);
            assert!(begins_as_own(&bytes), "{format}");
            assert!(is_own(&mut &bytes[..]), "{format}");
        }
        let (tar, ..) = written_as(Format::Tar, &layout, 1, None);
        let longer = [&tar[..], &[0; 8192]].concat();
        assert!(!is_own(&mut &longer[..]), "GNU tar ends so");
        assert!(!is_own(&mut &tar[..tar.len() - 512]));
    }
    for other in [&b""[..], b"PK\x03\x04", &[0; 2000], b"#!/bin/sh\n"] {
        assert!(!is_own(&mut &*other));
    }
}
