//! A corpus as trees and layouts: what stands before the writer, without a disk.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use cookpack::event::CancelToken;
use cookpack::layout::{CookbookPlan, Layout, PackedCookbook, PlannedCookbook, plan_cookbook};
use cookpack::limits::Limits;
use cookpack::lockfile::Pin;
use cookpack::manifest::Manifest;
use cookpack::path::TreePath;
use cookpack::tree::{EntryKind, Tree, TreeEntry, TreeError};

use crate::corpus::{Content, Cookbook};

/// A cookbook as a source has it.
pub(crate) struct CorpusTree {
    name: String,
    files: BTreeMap<String, (bool, Content)>,
}

impl CorpusTree {
    fn not_found(&self, path: &[u8]) -> TreeError {
        TreeError::NotFound {
            path: String::from_utf8_lossy(path).into_owned(),
            tree: self.label(),
        }
    }

    fn file(&self, path: &[u8]) -> Option<&(bool, Content)> {
        self.files.get(std::str::from_utf8(path).ok()?)
    }

    /// What stands below a folder, with paths relative to it.
    fn below(&self, dir: &[u8]) -> impl Iterator<Item = (&str, bool)> {
        let mut start = String::from_utf8_lossy(dir).into_owned();
        if !start.is_empty() {
            start.push('/');
        }
        let files = self.files.range(start.clone()..);
        files.map_while(move |(path, (executable, _))| {
            Some((path.strip_prefix(&start)?, *executable))
        })
    }
}

impl Tree for CorpusTree {
    fn label(&self) -> String {
        self.name.clone()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |(path, executable): (&str, bool)| {
            let (name, kind) = match path.split_once('/') {
                Some((folder, _)) => (folder, EntryKind::Directory),
                None => (path, EntryKind::File { executable }),
            };
            TreeEntry {
                name: name.as_bytes().to_vec(),
                kind,
            }
        };
        let mut entries: Vec<TreeEntry> = self.below(dir).map(entry).collect();
        entries.dedup();
        Ok(entries)
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        let file = self.file(path).map(|(executable, _)| EntryKind::File {
            executable: *executable,
        });
        let folder = || self.below(path).next().map(|_| EntryKind::Directory);
        Ok(file.or_else(folder))
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        Err(self.not_found(path))
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        let (_, content) = self.file(path).ok_or_else(|| self.not_found(path))?;
        Ok(content.open())
    }
}

/// A corpus whose files have not been looked at.
pub(crate) struct Corpus {
    pub(crate) trees: Vec<Arc<CorpusTree>>,
}

impl Corpus {
    pub(crate) fn new(cookbooks: impl Iterator<Item = Cookbook>) -> Self {
        let tree = |cookbook: Cookbook| {
            let files = cookbook.files.into_iter();
            Arc::new(CorpusTree {
                name: cookbook.name,
                files: files
                    .map(|file| (file.path, (file.executable, file.content)))
                    .collect(),
            })
        };
        Self {
            trees: cookbooks.map(tree).collect(),
        }
    }

    /// Plans every cookbook.
    pub(crate) fn planned(&self) -> Vec<PlannedCookbook> {
        self.trees.iter().map(planned).collect()
    }
}

/// Reads and digests every file of a cookbook.
pub(crate) fn plan(tree: &CorpusTree) -> CookbookPlan {
    let mut limits = Limits::default();
    limits.file_bytes = u64::MAX;
    plan_cookbook(tree, &TreePath::root(), &limits, &CancelToken::default()).expect("a plan")
}

fn planned(tree: &Arc<CorpusTree>) -> PlannedCookbook {
    let plan = plan(tree);
    let name = &tree.name;
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
        tree: Arc::clone(tree) as Arc<dyn Tree>,
        plan,
        has_plain_name: false,
        compiled_metadata: format!("{{\n  \"name\": \"{name}\"\n}}\n").into(),
    }
}

/// The same cookbook with other content in one of its files.
pub(crate) fn changed(tree: &CorpusTree, number: u64) -> PlannedCookbook {
    let mut files: BTreeMap<String, (bool, Content)> = BTreeMap::new();
    for (path, (executable, content)) in &tree.files {
        let mut bytes = Vec::new();
        content.open().read_to_end(&mut bytes).expect("content");
        files.insert(path.clone(), (*executable, Content::Bytes(bytes)));
    }
    let line = format!("# change {number}\n").into_bytes();
    files.insert(
        "recipes/changed.rb".to_owned(),
        (false, Content::Bytes(line)),
    );
    planned(&Arc::new(CorpusTree {
        name: tree.name.clone(),
        files,
    }))
}

pub(crate) fn layout(planned: Vec<PlannedCookbook>) -> Layout {
    let manifest = Manifest::parse("cookpack.toml", "[bundle]\nname = \"bench\"\n");
    let manifest = manifest.expect("a manifest");
    Layout::of(&manifest, manifest.bundle.layout, planned).expect("a layout")
}
