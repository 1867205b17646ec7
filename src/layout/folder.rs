//! One cookbook's part of a layout. There may be a million files, so that what is planned of a file is
//! kept once: a folder takes the plan's files over as they are, and an entry is a view of one of them. The
//! list of these may be set aside, so that whoever goes through the entries of a folder has it read first.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::METADATA_JSON;
use super::compiled::CompiledMetadata;
use super::files::{FileTable, FileView, PlannedFiles};
use super::held::Held;
use crate::digest::Digest;
use crate::manifest::LayoutKind;
use crate::name::CookbookName;
use crate::path::{ArchivePath, PathProblem, TreePath};
use crate::tree::{Tree, TreeError, lossy};

/// The folder of one cookbook in an archive, and what is in it.
#[derive(Clone)]
pub struct Folder {
    path: ArchivePath,
    tree: Arc<dyn Tree>,
    /// The cookbook's folder in the tree.
    base: TreePath,
    /// Its own files, by path.
    files: PlannedFiles,
    compiled: Option<Compiled>,
    /// The contents of its own files, if they are in memory.
    held: Option<Held>,
}

/// A metadata.json that the cookbook does not have itself.
#[derive(Clone)]
struct Compiled {
    /// How many files stand before it.
    place: usize,
    metadata: CompiledMetadata,
}

impl Folder {
    /// The folder of a cookbook whose files, in order, are below `base` in `tree`.
    pub(crate) fn new(
        path: ArchivePath,
        (tree, base): (&Arc<dyn Tree>, &TreePath),
        files: PlannedFiles,
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
    pub(crate) fn with_compiled(mut self, metadata: CompiledMetadata) -> Result<Self, TreeError> {
        if let Err(place) = self.files.read()?.place(METADATA_JSON) {
            self.compiled = Some(Compiled { place, metadata });
        }
        Ok(self)
    }

    /// With its files' contents, as they were digested. None unless each file has one.
    pub(crate) fn with_held(mut self, held: Held) -> Option<Self> {
        (held.1.len() == self.files.len()).then(|| {
            self.held = Some(held);
            self
        })
    }

    /// Its path in the archive.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// How many files it has.
    pub fn file_count(&self) -> usize {
        self.files.len() + usize::from(self.compiled.is_some())
    }

    /// Bytes of content of all its files.
    pub fn content_bytes(&self) -> u64 {
        let compiled = self.compiled.as_ref();
        let compiled = compiled.map_or(0, |compiled| compiled.metadata.size());
        self.files.content_bytes().saturating_add(compiled)
    }

    /// Its entries, by path.
    ///
    /// # Errors
    /// [`TreeError::SetAside`], where the run that made the layout set the list of the files aside in its
    /// store, and it cannot be read.
    pub fn entries(&self) -> Result<Entries<'_>, TreeError> {
        Ok(Entries {
            folder: self,
            files: self.files.read()?,
            range: 0..self.file_count(),
        })
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
        match self.entries() {
            Ok(entries) => f.debug_list().entries(entries.iter()).finish(),
            Err(_) => write!(f, "{}, unread", self.path),
        }
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

/// Entries of one folder that follow one another, and what is known of them.
#[derive(Clone)]
pub struct Entries<'l> {
    folder: &'l Folder,
    /// The cookbook's own files.
    files: Arc<FileTable>,
    range: Range<usize>,
}

impl<'l> Entries<'l> {
    /// How many they are.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Entry<'_>> + ExactSizeIterator {
        let (folder, files) = (self.folder, &*self.files);
        self.range.clone().map(|place| entry(folder, files, place))
    }

    /// The first one.
    pub fn first(&self) -> Option<Entry<'_>> {
        self.iter().next()
    }

    /// The one at a path below the folder.
    pub fn find(&self, below: &str) -> Option<Entry<'_>> {
        let compiled = self.folder.compiled.as_ref();
        let place = match (self.files.place(below), compiled) {
            (Ok(own), Some(compiled)) => own + usize::from(own >= compiled.place),
            (Ok(own), None) => own,
            (Err(_), Some(compiled)) if below == METADATA_JSON => compiled.place,
            _ => return None,
        };
        let is_here = self.range.contains(&place);
        is_here.then(|| entry(self.folder, &self.files, place))
    }

    /// Each of them by itself, in order.
    pub(crate) fn each(self) -> impl DoubleEndedIterator<Item = SharedEntry<'l>> {
        let (folder, files) = (self.folder, self.files);
        self.range.map(move |place| SharedEntry {
            folder,
            files: Arc::clone(&files),
            place,
        })
    }

    /// The first one by itself.
    pub(crate) fn first_shared(&self) -> Option<SharedEntry<'l>> {
        self.clone().each().next()
    }

    /// Takes so many off the front.
    pub(crate) fn take_first(&mut self, count: usize) -> Self {
        let middle = (self.range.start + count).min(self.range.end);
        let first = self.range.start..middle;
        self.range.start = middle;
        Self {
            folder: self.folder,
            files: Arc::clone(&self.files),
            range: first,
        }
    }
}

impl fmt::Debug for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// An entry together with the list that it is a view of.
#[derive(Clone)]
pub(crate) struct SharedEntry<'l> {
    folder: &'l Folder,
    files: Arc<FileTable>,
    place: usize,
}

impl SharedEntry<'_> {
    /// The entry.
    pub(crate) fn entry(&self) -> Entry<'_> {
        entry(self.folder, &self.files, self.place)
    }
}

/// The entry of a folder that has so many before it.
fn entry<'e>(folder: &'e Folder, files: &'e FileTable, place: usize) -> Entry<'e> {
    let own = match &folder.compiled {
        Some(compiled) if place == compiled.place => {
            return Entry {
                folder,
                content: Content::Compiled(compiled),
            };
        }
        Some(compiled) if place > compiled.place => place - 1,
        _ => place,
    };
    Entry {
        folder,
        content: Content::Own(own, files.at(own)),
    }
}

/// One file of a layout.
#[derive(Clone, Copy)]
pub struct Entry<'l> {
    folder: &'l Folder,
    content: Content<'l>,
}

/// Where an entry's content is from.
#[derive(Clone, Copy)]
enum Content<'l> {
    /// A file of the cookbook, and its place among them.
    Own(usize, FileView<'l>),
    /// cookpack made it.
    Compiled(&'l Compiled),
}

impl<'l> Entry<'l> {
    /// Its path in the archive.
    pub fn path(&self) -> EntryPath<'l> {
        let below = match self.content {
            Content::Own(_, file) => file.path(),
            Content::Compiled(_) => METADATA_JSON,
        };
        EntryPath::new(self.folder.path(), below)
    }

    /// Whether its mode is 755 rather than 644.
    pub fn executable(&self) -> bool {
        matches!(self.content, Content::Own(_, file) if file.executable())
    }

    /// Bytes of content.
    pub fn size(&self) -> u64 {
        match self.content {
            Content::Own(_, file) => file.size(),
            Content::Compiled(compiled) => compiled.metadata.size(),
        }
    }

    /// The digest of the content.
    pub fn digest(&self) -> Digest {
        match self.content {
            Content::Own(_, file) => file.digest(),
            Content::Compiled(compiled) => compiled.metadata.digest(),
        }
    }

    /// Whether cookpack made the content, so that no source holds it.
    pub fn is_compiled(&self) -> bool {
        matches!(self.content, Content::Compiled(_))
    }

    /// Opens the content for reading.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + 'l>, TreeError> {
        match (self.held(), self.content) {
            (Some(bytes), _) => Ok(Box::new(bytes)),
            (None, Content::Own(..)) => self.folder.tree.open(&self.source()),
            (None, Content::Compiled(compiled)) => compiled.metadata.open(),
        }
    }

    /// The content, if it is in memory as it was digested.
    pub(crate) fn held(&self) -> Option<&'l [u8]> {
        match self.content {
            Content::Own(place, _) => {
                let (bytes, places) = self.folder.held.as_ref()?;
                Some(&bytes[places[place].clone()])
            }
            Content::Compiled(compiled) => compiled.metadata.held(),
        }
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
        match self.content {
            Content::Own(_, file) => file.source(&self.folder.base),
            Content::Compiled(_) => self.folder.base.join(METADATA_JSON.as_bytes()),
        }
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
    use crate::layout::PlannedFile;
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
            let folder = folder(files)
                .with_compiled("{}".to_owned().into())
                .expect("a folder");
            assert_eq!(folder.file_count(), files.len() + 1);
            let own: usize = files.iter().map(|path| path.len()).sum();
            assert_eq!(folder.content_bytes(), own as u64 + 2);
            let entries = folder.entries().expect("entries");
            for (at, entry) in entries.iter().enumerate() {
                assert_eq!(entry.is_compiled(), at == place, "{files:?}");
                let found = entries.find(entry.path().below()).expect("an entry");
                assert_eq!(format!("{found:?}"), format!("{entry:?}"));
            }
            let compiled = entries.iter().nth(place).expect("an entry");
            assert_eq!(compiled.held(), Some(&b"{}"[..]));
            assert_eq!(compiled.digest(), Digest::of("{}"));
            let found = paths(&entries);
            assert!(found.is_sorted(), "{found:?}");
            assert!(found.contains(&"cookbooks/web/metadata.json".to_owned()));
        }
        let own = folder(&["metadata.json"]).with_compiled("{}".to_owned().into());
        let own = own.expect("a folder");
        assert_eq!(own.file_count(), 1);
        let entries = own.entries().expect("entries");
        assert!(
            !entries
                .find("metadata.json")
                .expect("an entry")
                .is_compiled()
        );
        assert!(entries.find("metadata.rb").is_none());
    }

    #[test]
    fn contents_are_those_of_the_own_files() {
        let held = (Arc::new(b"onetwo"[..].into()), vec![0..3, 3..6]);
        let folder = folder(&["a", "z"]).with_held(held).expect("a folder");
        let folder = folder
            .with_compiled("{}".to_owned().into())
            .expect("a folder");
        let entries = folder.entries().expect("entries");
        let contents: Vec<_> = entries.iter().map(|entry| entry.held()).collect();
        let wanted: [&[u8]; 3] = [b"one", b"{}", b"two"];
        assert_eq!(contents, wanted.map(Some));
    }

    #[test]
    fn contents_of_other_files_are_not_taken() {
        let held = (Arc::new([][..].into()), once(0..0).collect());
        assert!(folder(&["a", "z"]).with_held(held).is_none());
    }

    #[test]
    fn entries_are_taken_off_the_front() {
        let folder = folder(&["a", "b", "c"]);
        let mut rest = folder.entries().expect("entries");
        assert_eq!(
            paths(&rest.take_first(2)),
            ["cookbooks/web/a", "cookbooks/web/b"]
        );
        assert_eq!(rest.first().map(|entry| entry.path().below()), Some("c"));
        assert!(rest.find("b").is_none() && rest.find("c").is_some());
        let by_itself = rest.first_shared().expect("an entry");
        assert_eq!(by_itself.entry().path().below(), "c");
        assert_eq!((rest.take_first(9).len(), rest.len()), (1, 0));
        assert!(rest.first().is_none() && rest.is_empty());
        let all = folder.entries().expect("entries").each().rev();
        let all: Vec<_> = all
            .map(|one| one.entry().path().below().to_owned())
            .collect();
        assert_eq!(all, ["c", "b", "a"]);
    }

    #[test]
    fn a_path_has_the_bytes_of_its_text() {
        let folder = folder(&["recipes/ä.rb"]);
        let entries = folder.entries().expect("entries");
        let path = entries.first().expect("an entry").path();
        assert_eq!(path.to_string(), "cookbooks/web/recipes/ä.rb");
        assert_eq!(path.bytes(), path.to_string().len());
        assert_eq!(path.parts().concat(), path.to_string());
        assert!(!path.is_ascii());
    }
}
