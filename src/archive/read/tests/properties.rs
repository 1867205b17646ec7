//! What a layout holds is what is read out of its archive.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::zip_builder::zip_of;
use super::*;
use crate::archive::ArchiveOptions;
use crate::archive::tests::all_entries;
use crate::layout::{CookbookPlan, Layout, PackedCookbook, PlannedCookbook, PlannedFile};
use crate::lockfile::Pin;
use crate::manifest::Manifest;
use crate::path::TreePath;
use crate::tree::{EntryKind, Tree, TreeEntry, TreeError};

/// Contents by path.
#[derive(Default)]
struct MemoryTree(BTreeMap<Vec<u8>, Vec<u8>>);

impl Tree for MemoryTree {
    fn label(&self) -> String {
        "memory".to_owned()
    }

    fn entries(&self, _: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        panic!("a folder is read")
    }

    fn kind(&self, _: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        panic!("a kind is asked for")
    }

    fn link_target(&self, _: &[u8]) -> Result<Vec<u8>, TreeError> {
        panic!("a link is followed")
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        Ok(Box::new(&self.0[path][..]))
    }
}

/// A cookbook's files by their paths in it, each with its mode and content.
type Cookbook = BTreeMap<String, (bool, Vec<u8>)>;

fn layout(kind: &str, cookbooks: &BTreeMap<String, Cookbook>) -> Layout {
    let mut tree = MemoryTree::default();
    for (name, files) in cookbooks {
        for (path, (_, content)) in files {
            let path = format!("{name}/{path}").into_bytes();
            tree.0.insert(path, content.clone());
        }
    }
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let planned = cookbooks.iter().map(|(name, files)| {
        let included = files
            .iter()
            .map(|(path, (executable, content))| PlannedFile {
                path: ArchivePath::new(path).expect("a path"),
                elsewhere: None,
                executable: *executable,
                size: content.len() as u64,
                digest: Digest::of(content),
            });
        let plan = CookbookPlan {
            included: included.collect(),
            base: TreePath::parse(name).expect("a folder"),
            ..CookbookPlan::default()
        };
        PlannedCookbook {
            packed: PackedCookbook {
                name: name.parse().expect("a name"),
                version: "1.0.0".parse().expect("a version"),
                pin: Pin::Path {
                    path: name.clone(),
                    dirty: false,
                }
                .into(),
                content: plan.content_digest().expect("a digest"),
            },
            tree: Arc::clone(&tree),
            plan,
            has_plain_name: false,
            compiled_metadata: format!("{{\"name\":\"{name}\"}}\n").into(),
        }
    });
    let text = format!("[bundle]\nname = \"x\"\nlayout = \"{kind}\"\n");
    let manifest = Manifest::parse("cookpack.toml", &text).expect("a manifest");
    Layout::of(&manifest, manifest.bundle.layout, planned).expect("a layout")
}

/// Paths of one folder and a file, in which no two differ by case and no file is a folder.
fn cookbook() -> impl Strategy<Value = Cookbook> {
    let path =
        ("[a-zé_-]{1,60}", "[a-z0-9_漢-]{1,180}", 0..3_usize).prop_map(|(folder, name, depth)| {
            format!("{}f{name}", format!("d{folder}/").repeat(depth))
        });
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..700),
        (0..3000_usize).prop_map(|length| vec![b'x'; length]),
    ];
    prop::collection::btree_map(path, (any::<bool>(), content), 0..6)
}

fn cookbooks() -> impl Strategy<Value = BTreeMap<String, Cookbook>> {
    prop::collection::btree_map("[a-z][a-z0-9_-]{0,8}", cookbook(), 0..4)
}

fn files_of(layout: &Layout) -> Vec<File> {
    let file = |entry: crate::layout::Entry<'_>| {
        let mut content = Vec::new();
        let mut reader = entry.open().expect("a content");
        reader.read_to_end(&mut content).expect("a content");
        File {
            path: entry.path().to_string(),
            executable: entry.executable(),
            content,
        }
    };
    let entries = all_entries(layout);
    entries.iter().map(|one| file(one.entry())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_what_is_read(
        cookbooks in cookbooks(),
        kind in prop_oneof![Just("flat"), Just("cookbooks")],
        mtime in 0..crate::archive::LATEST_MTIME,
    ) {
        let layout = layout(kind, &cookbooks);
        let wanted = files_of(&layout);
        for format in Format::ALL {
            // A zip knows times from 1980 to 2107 only, and even seconds.
            let time = match format {
                Format::Zip => MTIME + mtime % (4_000_000_000 - MTIME),
                _ => mtime,
            };
            let options = ArchiveOptions { mtime: time, ..ArchiveOptions::default() };
            let read_time = if format == Format::Zip { time & !1 } else { time };
            let mut bytes = Vec::new();
            let archive = layout.write_to(&mut bytes, format, &options).expect("an archive");
            let (receipt, files) = read(&bytes).expect("what we write ourselves");
            prop_assert_eq!(&files, &wanted);
            prop_assert_eq!(receipt.content, layout.content_digest().expect("a digest"));
            prop_assert_eq!(receipt.archive, archive.digests.archive);
            prop_assert_eq!(receipt.container, archive.digests.container);
            prop_assert_eq!(receipt.size, archive.size);
            prop_assert_eq!(receipt.files, archive.files as u64);
            prop_assert_eq!(receipt.mtime, wanted.first().map(|_| read_time));
        }
        let (receipt, files) = read(&zip_of(&wanted)).expect("a zip archive");
        prop_assert_eq!(&files, &wanted);
        prop_assert_eq!(receipt.content, layout.content_digest().expect("a digest"));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        for format in [Format::TarGz, Format::Tar, Format::Zip] {
            let cancel = CancelToken::default();
            let _ = read_archive(&mut &bytes[..], Some(format), &Limits::default(), &mut (), &cancel);
        }
    }

    /// A tar that is accepted can be written in no other way: what was read gives its bytes.
    #[test]
    fn a_tar_that_is_accepted_has_these_bytes_only(
        offset in 0..10_000_usize,
        byte: u8,
    ) {
        let mut tar = tar_of(&sample());
        let offset = offset % tar.len();
        tar[offset] = byte;
        if let Ok((_, files)) = read(&tar) {
            prop_assert_eq!(tar_of(&files), tar);
        }
    }
}
