//! Throughput of the archive writer, in bytes of content a second: `cargo bench`.
//!
//! The corpus is generated from a seed and held in memory, and the archive goes to a sink, so that
//! neither a disk nor a source is measured.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{self, Read};
use std::sync::Arc;

use cookpack::archive::{ArchiveOptions, Format};
use cookpack::event::CancelToken;
use cookpack::layout::{Layout, PackedCookbook, PlannedCookbook, plan_cookbook};
use cookpack::limits::Limits;
use cookpack::lockfile::Pin;
use cookpack::manifest::Manifest;
use cookpack::path::TreePath;
use cookpack::tree::{EntryKind, Tree, TreeEntry, TreeError};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A source in memory: paths and contents.
#[derive(Default)]
struct MemoryTree(BTreeMap<String, Vec<u8>>);

impl MemoryTree {
    fn not_found(path: &[u8]) -> TreeError {
        TreeError::NotFound {
            path: String::from_utf8_lossy(path).into_owned(),
            tree: "memory".to_owned(),
        }
    }

    /// The paths below a folder, relative to it.
    fn below<'a>(&'a self, dir: &'a str) -> impl Iterator<Item = &'a str> {
        let start = match dir {
            "" => String::new(),
            dir => format!("{dir}/"),
        };
        self.0
            .range(start.clone()..)
            .map_while(move |(path, _)| path.strip_prefix(&start))
    }
}

impl Tree for MemoryTree {
    fn label(&self) -> String {
        "memory".to_owned()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let dir = std::str::from_utf8(dir).map_err(|_| Self::not_found(dir))?;
        let mut entries: Vec<TreeEntry> = self
            .below(dir)
            .map(|path| match path.split_once('/') {
                Some((folder, _)) => (folder, EntryKind::Directory),
                None => (path, EntryKind::File { executable: false }),
            })
            .map(|(name, kind)| TreeEntry {
                name: name.as_bytes().to_vec(),
                kind,
            })
            .collect();
        entries.dedup();
        Ok(entries)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        let path = std::str::from_utf8(path).map_err(|_| Self::not_found(path))?;
        let file = self
            .0
            .get(path)
            .map(|_| EntryKind::File { executable: false });
        let folder = || self.below(path).next().map(|_| EntryKind::Directory);
        Ok(file.or_else(folder))
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        Err(Self::not_found(path))
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        let text = std::str::from_utf8(path).map_err(|_| Self::not_found(path))?;
        match self.0.get(text) {
            Some(content) => Ok(Box::new(&content[..])),
            None => Err(Self::not_found(path)),
        }
    }
}

/// Marsaglia's xorshift: the same corpus everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Words as recipes have them, so that the text compresses like one.
const WORDS: [&str; 24] = [
    "package",
    "service",
    "template",
    "directory",
    "node",
    "default",
    "action",
    "owner",
    "root",
    "group",
    "mode",
    "'0644'",
    "notifies",
    ":restart",
    "delayed",
    "do",
    "end",
    "if",
    "platform?",
    "attributes",
    "install",
    "enable",
    "start",
    "source",
];

fn text(random: &mut Random, bytes: u64) -> Vec<u8> {
    let mut text = Vec::new();
    while (text.len() as u64) < bytes {
        let word = WORDS[random.below(WORDS.len() as u64) as usize];
        text.extend_from_slice(word.as_bytes());
        match random.below(9) {
            0 => text.extend_from_slice(b"\n  "),
            1 => text.extend_from_slice(format!(" '{:x}' ", random.below(1 << 24)).as_bytes()),
            _ => text.push(b' '),
        }
    }
    text
}

fn noise(random: &mut Random, bytes: u64) -> Vec<u8> {
    (0..bytes).map(|_| random.below(256) as u8).collect()
}

/// One tree with `cookbooks` cookbooks of `files` files each.
fn layout(
    seed: u64,
    cookbooks: usize,
    files: usize,
    mut content: impl FnMut(&mut Random) -> Vec<u8>,
) -> Layout {
    let mut random = Random(seed);
    let mut tree = MemoryTree::default();
    let folders = [
        "recipes",
        "attributes",
        "templates/default",
        "files",
        "resources",
    ];
    for cookbook in 0..cookbooks {
        for file in 0..files {
            let folder = folders[file % folders.len()];
            let path = format!("c{cookbook:04}/{folder}/f{file:04}.rb");
            tree.0.insert(path, content(&mut random));
        }
    }
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let planned = (0..cookbooks).map(|index| {
        let name = format!("c{index:04}");
        let base = TreePath::parse(&name).expect("a folder");
        let plan = plan_cookbook(&*tree, &base, &Limits::default(), &CancelToken::default());
        let plan = plan.expect("a plan");
        PlannedCookbook {
            packed: PackedCookbook {
                name: name.parse().expect("a name"),
                version: "1.0.0".parse().expect("a version"),
                pin: Pin::Path {
                    path: name.clone(),
                    dirty: false,
                },
                content: plan.content_digest(),
            },
            tree: Arc::clone(&tree),
            plan,
            metadata_rb: None,
            compiled_metadata: format!("{{\n  \"name\": \"{name}\"\n}}\n"),
        }
    });
    let manifest = Manifest::parse("cookpack.toml", "[bundle]\nname = \"bench\"\n");
    let manifest = manifest.expect("a manifest");
    Layout::of(&manifest, manifest.bundle.layout, planned.collect()).expect("a layout")
}

fn archive_throughput(criterion: &mut Criterion) {
    let kib = 1 << 10;
    let corpora = [
        (
            "cookbooks: 60 of 90 files",
            layout(1, 60, 90, |random| {
                let bytes = 200 + random.below(11 * kib);
                text(random, bytes)
            }),
        ),
        (
            "tiny: 10,000 files of 1 KiB",
            layout(2, 100, 100, |random| text(random, kib)),
        ),
        (
            "noise: 4 files of 8 MiB",
            layout(3, 1, 4, |random| noise(random, 8 * kib * kib)),
        ),
    ];
    let mut group = criterion.benchmark_group("tar.gz");
    group.sample_size(10);
    for (name, layout) in &corpora {
        group.throughput(Throughput::Bytes(layout.content_bytes()));
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                let archive =
                    layout.write_to(&mut io::sink(), Format::TarGz, &ArchiveOptions::default());
                black_box(archive.expect("an archive"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, archive_throughput);
criterion_main!(benches);
