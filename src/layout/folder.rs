//! One cookbook's part of a layout. There may be a million files, so that what is planned of a file is
//! kept once: a folder takes the plan's files over as they are, and an entry is a view of one of them.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::METADATA_JSON;
use super::held::Held;
use super::plan::PlannedFile;
use crate::digest::Digest;
use crate::manifest::LayoutKind;
use crate::name::CookbookName;
use crate::path::{ArchivePath, PathProblem, TreePath};
use crate::tree::{Tree, TreeError, lossy};

/// The folder of one cookbook in an archive, and what is in it.
#[derive(Clone)]
pub(crate) struct Folder {
    path: ArchivePath,
    tree: Arc<dyn Tree>,
    /// The cookbook's folder in the tree.
    base: TreePath,
    /// Its own files, by path.
    files: Vec<PlannedFile>,
    compiled: Option<Compiled>,
    /// The contents of its own files, if they are in memory.
    held: Option<Held>,
}

/// A metadata.json that the cookbook does not have itself.
#[derive(Clone)]
struct Compiled {
    /// How many files stand before it.
    place: usize,
    file: PlannedFile,
    text: Box<[u8]>,
}

impl Folder {
    /// The folder of a cookbook whose files, in order, are below `base` in `tree`.
    pub(crate) fn new(
        path: ArchivePath,
        (tree, base): (&Arc<dyn Tree>, &TreePath),
        files: Vec<PlannedFile>,
    ) -> Self {
        Self {
            path,
            tree: Arc::clone(tree),
            base: base.clone(),
            files,
            compiled: None,
            held: None,
        }
    }

    /// With the metadata that was compiled, unless the cookbook has a metadata.json of its own.
    pub(crate) fn with_compiled(mut self, metadata: &str) -> Self {
        let at = |file: &PlannedFile| file.path.as_str().cmp(METADATA_JSON);
        if let Err(place) = self.files.binary_search_by(at)
            && let Ok(path) = ArchivePath::new(METADATA_JSON)
        {
            let file = PlannedFile {
                path,
                elsewhere: None,
                executable: false,
                size: metadata.len() as u64,
                digest: Digest::of(metadata),
            };
            let text = metadata.as_bytes().into();
            self.compiled = Some(Compiled { place, file, text });
        }
        self
    }

    /// With its files' contents, as they were digested. None unless each file has one.
    pub(crate) fn with_held(mut self, held: Held) -> Option<Self> {
        (held.1.len() == self.files.len()).then(|| {
            self.held = Some(held);
            self
        })
    }

    /// Its path in the archive.
    pub(crate) fn path(&self) -> &str {
        self.path.as_str()
    }

    /// How many files it has.
    pub(crate) fn len(&self) -> usize {
        self.files.len() + usize::from(self.compiled.is_some())
    }

    /// Its entries, by path.
    pub(crate) fn entries(&self) -> Entries<'_> {
        Entries {
            folder: self,
            range: 0..self.len(),
        }
    }

    /// The entry at a path below it.
    pub(super) fn entry(&self, below: &str) -> Option<Entry<'_>> {
        let own = |file: &PlannedFile| file.path.as_str().cmp(below);
        if let Ok(place) = self.files.binary_search_by(own) {
            return Some(self.own(place));
        }
        let compiled = self.compiled.as_ref()?;
        (compiled.file.path.as_str() == below).then_some(Entry {
            folder: self,
            file: &compiled.file,
            own: None,
        })
    }

    /// The entry of so many before it.
    fn at(&self, place: usize) -> Entry<'_> {
        match &self.compiled {
            Some(compiled) if place == compiled.place => Entry {
                folder: self,
                file: &compiled.file,
                own: None,
            },
            Some(compiled) if place > compiled.place => self.own(place - 1),
            _ => self.own(place),
        }
    }

    fn own(&self, place: usize) -> Entry<'_> {
        Entry {
            folder: self,
            file: &self.files[place],
            own: Some(place),
        }
    }

    /// What its place among folders depends on: the first bytes of its files' paths.
    pub(super) fn order(&self) -> impl Iterator<Item = u8> + '_ {
        order(self.path())
    }
}

/// The bytes by which folders are in order.
pub(super) fn order(folder: &str) -> impl Iterator<Item = u8> + '_ {
    folder.bytes().chain([b'/'])
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries().iter()).finish()
    }
}

/// The path of a cookbook's folder in an archive.
pub(crate) fn folder_of(kind: LayoutKind, name: &CookbookName) -> Result<ArchivePath, PathProblem> {
    let folder = ArchivePath::new(name.as_str())?;
    Ok(match kind.prefix() {
        "" => folder,
        prefix => folder.below(&ArchivePath::new(prefix)?),
    })
}

/// Entries of one folder that follow one another.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'l> {
    folder: &'l Folder,
    range: Range<usize>,
}

impl<'l> Entries<'l> {
    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    /// Each of them, in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Entry<'l>> + use<'l> {
        let folder = self.folder;
        self.range.clone().map(|place| folder.at(place))
    }

    /// The first one.
    pub(crate) fn first(&self) -> Option<Entry<'l>> {
        self.iter().next()
    }

    /// Takes so many off the front.
    pub(crate) fn take_first(&mut self, count: usize) -> Self {
        let middle = (self.range.start + count).min(self.range.end);
        let first = self.range.start..middle;
        self.range.start = middle;
        Self {
            folder: self.folder,
            range: first,
        }
    }
}

/// One file of a layout.
#[derive(Clone, Copy)]
pub struct Entry<'l> {
    folder: &'l Folder,
    file: &'l PlannedFile,
    /// Its place among the cookbook's own files; none if cookpack made it.
    own: Option<usize>,
}

impl<'l> Entry<'l> {
    /// Its path in the archive.
    pub fn path(&self) -> EntryPath<'l> {
        EntryPath::new(self.folder.path(), self.file.path.as_str())
    }

    /// Whether its mode is 755 rather than 644.
    pub fn executable(&self) -> bool {
        self.file.executable
    }

    /// Bytes of content.
    pub fn size(&self) -> u64 {
        self.file.size
    }

    /// The digest of the content.
    pub fn digest(&self) -> Digest {
        self.file.digest
    }

    /// Whether cookpack made the content, so that no source holds it.
    pub fn is_compiled(&self) -> bool {
        self.own.is_none()
    }

    /// Opens the content for reading.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + 'l>, TreeError> {
        match self.held() {
            Some(bytes) => Ok(Box::new(bytes)),
            None => self.folder.tree.open(&self.source()),
        }
    }

    /// The content, if it is in memory as it was digested.
    pub(crate) fn held(&self) -> Option<&'l [u8]> {
        let Some(own) = self.own else {
            let compiled = self.folder.compiled.as_ref();
            return compiled.map(|compiled| &*compiled.text);
        };
        let (bytes, places) = self.folder.held.as_ref()?;
        Some(&bytes[places[own].clone()])
    }

    /// The error of a read that failed.
    pub(crate) fn read_error(&self, error: io::Error) -> TreeError {
        TreeError::Read {
            path: lossy(&self.source()),
            tree: self.folder.tree.label(),
            source: error,
        }
    }

    /// Its path in the tree.
    fn source(&self) -> Vec<u8> {
        self.file.source(&self.folder.base)
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.executable() { "755" } else { "644" };
        let (digest, size, path) = (self.digest(), self.size(), self.path());
        write!(f, "{digest} {mode} {size} {path}")
    }
}

/// The path of an entry in the archive: that of its cookbook's folder, and its own below it. It is an
/// [`ArchivePath`]; as text it is what `to_string` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryPath<'l> {
    folder: &'l str,
    below: &'l str,
}

impl<'l> EntryPath<'l> {
    pub(crate) fn new(folder: &'l str, below: &'l str) -> Self {
        Self { folder, below }
    }

    /// The path of the cookbook's folder in the archive.
    pub fn folder(&self) -> &'l str {
        self.folder
    }

    /// The path below that folder.
    pub fn below(&self) -> &'l str {
        self.below
    }

    /// Its bytes; there is at least one.
    pub(crate) fn bytes(&self) -> usize {
        self.folder.len() + 1 + self.below.len()
    }

    /// Whether each of its characters is one of ASCII's.
    pub(crate) fn is_ascii(&self) -> bool {
        self.folder.is_ascii() && self.below.is_ascii()
    }

    /// Its parts, which make the path one after the other.
    pub(crate) fn parts(&self) -> [&'l str; 3] {
        [self.folder, "/", self.below]
    }
}

impl fmt::Display for EntryPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts()
            .into_iter()
            .try_for_each(|part| f.write_str(part))
    }
}

#[cfg(test)]
mod tests {
    use std::iter::once;

    use super::*;
    use crate::tree::{EntryKind, TreeEntry};

    /// A tree that nobody looks into.
    struct Unread;

    impl Tree for Unread {
        fn label(&self) -> String {
            "unread".to_owned()
        }

        fn entries(&self, _: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
            panic!("a folder is read")
        }

        fn kind(&self, _: &[u8]) -> Result<Option<EntryKind>, TreeError> {
            panic!("a path is looked up")
        }

        fn link_target(&self, _: &[u8]) -> Result<Vec<u8>, TreeError> {
            panic!("a link is followed")
        }

        fn open(&self, _: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
            panic!("a file is read")
        }
    }

    fn folder(files: &[&str]) -> Folder {
        let tree: Arc<dyn Tree> = Arc::new(Unread);
        let file = |path: &&str| PlannedFile {
            path: ArchivePath::new(path).expect("a path"),
            elsewhere: None,
            executable: false,
            size: path.len() as u64,
            digest: Digest::of(path),
        };
        let path = ArchivePath::new("cookbooks/web").expect("a path");
        let base = TreePath::default();
        Folder::new(path, (&tree, &base), files.iter().map(file).collect())
    }

    fn paths(entries: &Entries<'_>) -> Vec<String> {
        entries
            .iter()
            .map(|entry| entry.path().to_string())
            .collect()
    }

    #[test]
    fn compiled_metadata_stands_where_its_path_does() {
        let table = [
            (&["README.md", "recipes/a.rb"][..], 1),
            (&["recipes/a.rb"], 0),
            (&["README.md"], 1),
            (&[], 0),
        ];
        for (files, place) in table {
            let folder = folder(files).with_compiled("{}");
            assert_eq!(folder.len(), files.len() + 1);
            let entries: Vec<_> = folder.entries().iter().collect();
            for (at, entry) in entries.iter().enumerate() {
                assert_eq!(entry.is_compiled(), at == place, "{files:?}");
                let found = folder.entry(entry.path().below()).expect("an entry");
                assert_eq!(format!("{found:?}"), format!("{entry:?}"));
            }
            assert_eq!(entries[place].held(), Some(&b"{}"[..]));
            assert_eq!(entries[place].digest(), Digest::of("{}"));
            let found = paths(&folder.entries());
            assert!(found.is_sorted(), "{found:?}");
            assert!(found.contains(&"cookbooks/web/metadata.json".to_owned()));
        }
        let own = folder(&["metadata.json"]).with_compiled("{}");
        assert_eq!(own.len(), 1);
        assert!(!own.entry("metadata.json").expect("an entry").is_compiled());
        assert!(own.entry("metadata.rb").is_none());
    }

    #[test]
    fn contents_are_those_of_the_own_files() {
        let held = (Arc::new(b"onetwo".to_vec()), vec![0..3, 3..6]);
        let folder = folder(&["a", "z"]).with_held(held).expect("a folder");
        let folder = folder.with_compiled("{}");
        let contents: Vec<_> = folder.entries().iter().map(|entry| entry.held()).collect();
        let wanted: [&[u8]; 3] = [b"one", b"{}", b"two"];
        assert_eq!(contents, wanted.map(Some));
    }

    #[test]
    fn contents_of_other_files_are_not_taken() {
        let held = (Arc::new(Vec::new()), once(0..0).collect());
        assert!(folder(&["a", "z"]).with_held(held).is_none());
    }

    #[test]
    fn entries_are_taken_off_the_front() {
        let folder = folder(&["a", "b", "c"]);
        let mut rest = folder.entries();
        assert_eq!(
            paths(&rest.take_first(2)),
            ["cookbooks/web/a", "cookbooks/web/b"]
        );
        assert_eq!(rest.first().map(|entry| entry.path().below()), Some("c"));
        assert_eq!((rest.take_first(9).len(), rest.len()), (1, 0));
        assert!(rest.first().is_none());
    }

    #[test]
    fn a_path_has_the_bytes_of_its_text() {
        let folder = folder(&["recipes/ä.rb"]);
        let path = folder.entries().first().expect("an entry").path();
        assert_eq!(path.to_string(), "cookbooks/web/recipes/ä.rb");
        assert_eq!(path.bytes(), path.to_string().len());
        assert_eq!(path.parts().concat(), path.to_string());
        assert!(!path.is_ascii());
    }
}
