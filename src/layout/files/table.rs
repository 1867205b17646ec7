//! The files of a cookbook in memory, without an allocation for each: what is known of them in one list,
//! their paths in one text.

use std::fmt;

use crate::digest::Digest;
use crate::layout::PlannedFile;
use crate::layout::bytes::{Reader, Writer};
use crate::path::{ArchivePath, TreePath};

/// The files that are packed of a cookbook, in the order of their paths, which is that of the bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FileTable {
    records: Vec<Record>,
    /// The paths, one after the other.
    paths: String,
    /// The places of those that may be executed, in order: they are few.
    executable: Vec<usize>,
    /// Of those whose content is elsewhere their places, in order, and where it is: they are fewer.
    elsewhere: Vec<(usize, Box<[u8]>)>,
}

/// Bytes of a place and of a box, by and large with what an allocator adds.
const ELSEWHERE: usize = 48;

/// What is known of each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    digest: Digest,
    size: u64,
    /// Where its path ends: it begins where the one before it ends.
    end: usize,
}

impl FileTable {
    /// How many they are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = FileView<'_>> + DoubleEndedIterator {
        (0..self.len()).map(|place| self.at(place))
    }

    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<FileView<'_>> {
        Some(self.at(self.place(path).ok()?))
    }

    /// The file of so many before it.
    ///
    /// # Panics
    /// If there are not so many.
    pub(crate) fn at(&self, place: usize) -> FileView<'_> {
        FileView { files: self, place }
    }

    /// The place of the file at a path, or the one it would have.
    pub(crate) fn place(&self, path: &str) -> Result<usize, usize> {
        let (mut begin, mut end) = (0, self.len());
        while begin < end {
            let middle = begin + (end - begin) / 2;
            match self.at(middle).path().cmp(path) {
                std::cmp::Ordering::Less => begin = middle + 1,
                std::cmp::Ordering::Greater => end = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(begin)
    }

    /// Bytes of memory that they take.
    pub(super) fn memory(&self) -> usize {
        let elsewhere = self.elsewhere.iter();
        let elsewhere: usize = elsewhere.map(|(_, path)| ELSEWHERE + path.len()).sum();
        self.paths.len()
            + self.records.len() * size_of::<Record>()
            + self.executable.len() * size_of::<usize>()
            + elsewhere
    }

    /// Bytes of content of all of them.
    pub(super) fn content_bytes(&self) -> u64 {
        // Nobody has so many; but who says so of a file must not end the process.
        let sizes = self.records.iter().map(|record| record.size);
        sizes.fold(0, u64::saturating_add)
    }

    /// Writes them so that [`FileTable::read`] gives them again: as they are in memory, which is soon read.
    pub(in crate::layout) fn write(&self, writer: &mut Writer) {
        writer.text(&self.paths);
        writer.list(&self.records, |writer, record| {
            writer.digest(&record.digest);
            writer.fixed(record.size);
            writer.fixed(record.end as u64);
        });
        writer.list(&self.executable, |writer, place| {
            writer.number(*place as u64);
        });
        writer.list(&self.elsewhere, |writer, (place, path)| {
            writer.number(*place as u64);
            writer.bytes(path);
        });
    }

    /// What was written. None where it cannot be that. What paths there are is not looked at: see
    /// [`FileTable::is_sound`].
    pub(in crate::layout) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let paths = reader.string()?;
        let mut begin = 0;
        let records = reader.list(|reader| {
            let digest = reader.digest()?;
            let size = reader.fixed()?;
            let end = usize::try_from(reader.fixed()?).ok()?;
            let is_path = begin <= end && paths.is_char_boundary(end);
            begin = end;
            is_path.then_some(Record { digest, size, end })
        })?;
        let place = |reader: &mut Reader<'_>| usize::try_from(reader.number()?).ok();
        let mut files = Self {
            executable: reader.list(place)?,
            elsewhere: reader.list(|reader| Some((place(reader)?, reader.bytes()?.into())))?,
            paths,
            records,
        };
        files.shrink_to_fit();
        Some(files)
    }

    /// Whether they are what a plan may hold: each path one that an archive holds, all of them in order.
    pub(in crate::layout) fn is_sound(&self) -> bool {
        let paths = || self.iter().map(|file| file.path());
        paths().all(|path| ArchivePath::check(path).is_ok())
            && paths().is_sorted_by(|a, b| a < b)
            && self.executable.is_sorted_by(|a, b| a < b)
            && self.elsewhere.is_sorted_by(|a, b| a.0 < b.0)
    }

    /// Adds a file whose path is behind those of all others.
    fn push(&mut self, file: PlannedFile) {
        let place = self.len();
        self.paths.push_str(file.path.as_str());
        self.records.push(Record {
            digest: file.digest,
            size: file.size,
            end: self.paths.len(),
        });
        if file.executable {
            self.executable.push(place);
        }
        if let Some(elsewhere) = file.elsewhere {
            self.elsewhere.push((place, elsewhere));
        }
    }

    /// Gives back the memory that is there for more of them.
    fn shrink_to_fit(&mut self) {
        self.records.shrink_to_fit();
        self.paths.shrink_to_fit();
        self.executable.shrink_to_fit();
        self.elsewhere.shrink_to_fit();
    }
}

/// Of two with one path the later one counts.
impl FromIterator<PlannedFile> for FileTable {
    fn from_iter<I: IntoIterator<Item = PlannedFile>>(files: I) -> Self {
        let mut given: Vec<_> = files.into_iter().collect();
        // The last one of each path comes first, and stays.
        given.reverse();
        given.sort_by(|a, b| a.path.cmp(&b.path));
        given.dedup_by(|earlier, last| earlier.path == last.path);
        let mut files = Self::default();
        given.into_iter().for_each(|file| files.push(file));
        files.shrink_to_fit();
        files
    }
}

impl fmt::Debug for FileTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One of the files that are packed of a cookbook.
#[derive(Clone, Copy)]
pub struct FileView<'f> {
    files: &'f FileTable,
    place: usize,
}

impl<'f> FileView<'f> {
    /// Its path within the cookbook.
    pub fn path(&self) -> &'f str {
        let begin = match self.place.checked_sub(1) {
            Some(before) => self.files.records[before].end,
            None => 0,
        };
        &self.files.paths[begin..self.record().end]
    }

    /// Where its content is, where a link was followed: another path within the cookbook.
    pub fn elsewhere(&self) -> Option<&'f [u8]> {
        let elsewhere = &self.files.elsewhere;
        let found = elsewhere.binary_search_by_key(&self.place, |(place, _)| *place);
        found.ok().map(|at| &*elsewhere[at].1)
    }

    /// Where its content is in the tree of the cookbook whose folder is `base`.
    pub fn source(&self, base: &TreePath) -> Vec<u8> {
        base.join(self.elsewhere().unwrap_or(self.path().as_bytes()))
    }

    /// Whether it may be executed.
    pub fn executable(&self) -> bool {
        self.files.executable.binary_search(&self.place).is_ok()
    }

    /// Bytes of content.
    pub fn size(&self) -> u64 {
        self.record().size
    }

    /// The digest of the content.
    pub fn digest(&self) -> Digest {
        self.record().digest
    }

    fn record(&self) -> &'f Record {
        &self.files.records[self.place]
    }
}

impl fmt::Debug for FileView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileView")
            .field("path", &self.path())
            .field("elsewhere", &self.elsewhere().map(String::from_utf8_lossy))
            .field("executable", &self.executable())
            .field("size", &self.size())
            .field("digest", &self.digest())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, executable: bool, elsewhere: Option<&str>) -> PlannedFile {
        PlannedFile {
            path: ArchivePath::new(path).expect("a path"),
            elsewhere: elsewhere.map(|path| path.as_bytes().into()),
            executable,
            size: path.len() as u64,
            digest: Digest::of(path),
        }
    }

    fn files() -> FileTable {
        let files = [
            file("recipes/é.rb", false, None),
            file("files/run", true, Some("bin/run")),
            file("README.md", false, Some("docs/README.md")),
            file("files/a", false, None),
            file("z", true, None),
        ];
        files.into_iter().collect()
    }

    #[test]
    fn files_are_as_they_were_given_in_the_order_of_their_paths() {
        let files = files();
        let wanted = [
            ("README.md", false, Some("docs/README.md")),
            ("files/a", false, None),
            ("files/run", true, Some("bin/run")),
            ("recipes/é.rb", false, None),
            ("z", true, None),
        ];
        assert_eq!((files.len(), files.is_empty()), (wanted.len(), false));
        let base = TreePath::parse("web").expect("a folder");
        for (found, (path, executable, elsewhere)) in files.iter().zip(wanted) {
            assert_eq!(found.path(), path);
            assert_eq!(found.executable(), executable, "{path}");
            assert_eq!(found.elsewhere(), elsewhere.map(str::as_bytes), "{path}");
            assert_eq!(found.size(), path.len() as u64);
            assert_eq!(found.digest(), Digest::of(path));
            let source = format!("web/{}", elsewhere.unwrap_or(path));
            assert_eq!(found.source(&base), source.as_bytes());
            let got = files.get(path).expect("a file");
            assert_eq!(format!("{got:?}"), format!("{found:?}"));
        }
        let reversed: Vec<_> = files.iter().rev().map(|file| file.path()).collect();
        assert!(reversed.is_sorted_by(|a, b| a > b), "{reversed:?}");
        assert!(FileTable::default().is_empty());
    }

    #[test]
    fn files_are_read_as_they_were_written() {
        let mut writer = Writer::default();
        files().write(&mut writer);
        let mut reader = Reader(&writer.0);
        assert_eq!(FileTable::read(&mut reader), Some(files()));
        assert!(reader.0.is_empty());
        for cut in 0..writer.0.len() {
            assert_eq!(FileTable::read(&mut Reader(&writer.0[..cut])), None);
        }
    }

    #[test]
    fn what_is_read_may_be_unsound_but_is_always_a_table() {
        let paths_of = |files: &FileTable| {
            let paths = files.iter().map(|file| file.path().to_owned());
            paths.collect::<Vec<_>>()
        };
        let record = |path: &str, end| Record {
            digest: Digest::of(path),
            size: 1,
            end,
        };
        let table = |paths: &str, ends: &[usize]| FileTable {
            paths: paths.to_owned(),
            records: ends.iter().map(|end| record(paths, *end)).collect(),
            ..FileTable::default()
        };
        let again = |files: &FileTable| {
            let mut writer = Writer::default();
            files.write(&mut writer);
            FileTable::read(&mut Reader(&writer.0))
        };
        for (paths, ends, is_sound) in [
            ("ab", [1, 2], true),
            ("ba", [1, 2], false),
            ("aa", [1, 2], false),
            ("../ab", [4, 5], false),
            ("ab", [0, 2], false),
        ] {
            let read = again(&table(paths, &ends)).expect("a table");
            assert_eq!(read.is_sound(), is_sound, "{paths} {ends:?}");
            assert_eq!(paths_of(&read).concat(), paths);
        }
        for (paths, ends) in [("ab", [2, 1]), ("ab", [1, 3]), ("aé", [2, 3])] {
            assert_eq!(again(&table(paths, &ends)), None, "{paths} {ends:?}");
        }
        let mut unordered = table("ab", &[1, 2]);
        unordered.executable = vec![1, 0];
        assert!(!again(&unordered).expect("a table").is_sound());
        let mut unordered = table("ab", &[1, 2]);
        unordered.elsewhere = vec![(1, (*b"x").into()), (1, (*b"y").into())];
        assert!(!again(&unordered).expect("a table").is_sound());
    }

    #[test]
    fn what_they_take_and_hold_is_known() {
        let files = files();
        let record = size_of::<Record>();
        assert!(files.memory() > 5 * record && files.memory() < 8 * record + 100);
        let bytes: u64 = files.iter().map(|file| file.size()).sum();
        assert_eq!(files.content_bytes(), bytes);
        let mut two = [file("a", false, None), file("b", false, None)];
        two[0].size = u64::MAX;
        assert_eq!(FileTable::from_iter(two).content_bytes(), u64::MAX);
    }

    #[test]
    fn a_path_that_is_not_there_has_a_place() {
        let files = files();
        for (path, place) in [("A", 0), ("files", 1), ("files/b", 2), ("zz", 5)] {
            assert!(files.get(path).is_none());
            assert_eq!(files.place(path), Err(place), "{path}");
        }
        assert_eq!(FileTable::default().place("a"), Err(0));
    }

    #[test]
    fn the_later_one_of_two_with_one_path_counts() {
        let twice = [
            file("a", true, Some("x")),
            file("b", false, None),
            file("a", false, None),
        ];
        let files: FileTable = twice.into_iter().collect();
        assert_eq!(files.len(), 2);
        let first = files.get("a").expect("a file");
        assert_eq!((first.executable(), first.elsewhere()), (false, None));
    }

    #[test]
    fn what_differs_in_anything_is_not_the_same() {
        let base = || vec![file("a", false, None), file("b", false, None)];
        let collected = |files: Vec<PlannedFile>| files.into_iter().collect::<FileTable>();
        let changes: [fn(&mut PlannedFile); 4] = [
            |file| file.executable = true,
            |file| file.size += 1,
            |file| file.digest = Digest::of("other"),
            |file| file.elsewhere = Some((*b"c").into()),
        ];
        assert_eq!(collected(base()), collected(base()));
        for change in changes {
            let mut other = base();
            change(&mut other[1]);
            assert_ne!(collected(base()), collected(other));
        }
        // The same text, but other paths.
        let ab = vec![file("ab", false, None), file("b", false, None)];
        let mut a = vec![file("a", false, None), file("bb", false, None)];
        a[0].digest = Digest::of("ab");
        a[0].size = 2;
        a[1].digest = Digest::of("b");
        a[1].size = 1;
        assert_ne!(collected(ab), collected(a));
    }
}
