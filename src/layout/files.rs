//! The files that are packed of a cookbook, as plans and layouts hold them: in memory or, where a run has
//! more of them than there is memory for, set aside.

mod table;

use std::fmt;
use std::io;
use std::sync::Arc;

pub use self::table::{FileTable, FileView};
use super::bytes::{Reader, Writer};
use super::plan::PlannedFile;
use super::spill::{Spill, Spilled};
use crate::tree::TreeError;

/// The files that are packed of a cookbook. They are collected from [`PlannedFile`]s in any order; of two
/// with one path the later one counts. A clone is the same.
#[derive(Clone)]
pub struct PlannedFiles {
    count: usize,
    content_bytes: u64,
    kept: Kept,
}

#[derive(Clone)]
enum Kept {
    Here(Arc<FileTable>),
    Aside(Spilled),
}

impl PlannedFiles {
    /// How many they are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of content of all of them.
    pub fn content_bytes(&self) -> u64 {
        self.content_bytes
    }

    /// All of them, in memory.
    ///
    /// # Errors
    /// [`TreeError::SetAside`], where a run has set them aside in its store, and they cannot be read.
    pub fn read(&self) -> Result<Arc<FileTable>, TreeError> {
        let bytes = match &self.kept {
            Kept::Here(files) => return Ok(Arc::clone(files)),
            Kept::Aside(spilled) => spilled.read()?,
        };
        let files = FileTable::read(&mut Reader(&bytes));
        let files = files.filter(|files| files.len() == self.count);
        let changed = || TreeError::SetAside(io::ErrorKind::InvalidData.into());
        files.map(Arc::new).ok_or_else(changed)
    }

    /// Has them set aside, if there is no memory for them. They stay where they are, if that fails.
    pub(crate) fn spill(&mut self, spill: &Spill) {
        let Kept::Here(files) = &self.kept else {
            return;
        };
        if spill.take_memory(files.memory()) {
            return;
        }
        let mut writer = Writer::default();
        files.write(&mut writer);
        if let Some(spilled) = spill.put(&writer.0) {
            self.kept = Kept::Aside(spilled);
        }
    }
}

impl From<FileTable> for PlannedFiles {
    fn from(files: FileTable) -> Self {
        Self {
            count: files.len(),
            content_bytes: files.content_bytes(),
            kept: Kept::Here(Arc::new(files)),
        }
    }
}

impl Default for PlannedFiles {
    fn default() -> Self {
        FileTable::default().into()
    }
}

impl FromIterator<PlannedFile> for PlannedFiles {
    fn from_iter<I: IntoIterator<Item = PlannedFile>>(files: I) -> Self {
        FileTable::from_iter(files).into()
    }
}

impl fmt::Debug for PlannedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kept {
            Kept::Here(files) => files.fmt(f),
            Kept::Aside(_) => write!(f, "{} files, set aside", self.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::layout::spill::tests::Memory;
    use crate::path::ArchivePath;

    fn files(names: &[&str]) -> PlannedFiles {
        let file = |name: &&str| PlannedFile {
            path: ArchivePath::new(name).expect("a path"),
            elsewhere: name.starts_with('l').then(|| b"there".as_slice().into()),
            executable: name.ends_with(".sh"),
            size: name.len() as u64,
            digest: Digest::of(name),
        };
        names.iter().map(file).collect()
    }

    fn is_aside(files: &PlannedFiles) -> bool {
        matches!(files.kept, Kept::Aside(_))
    }

    #[test]
    fn lists_that_there_is_no_memory_for_are_set_aside_and_read_again() {
        let lists = [
            files(&["a", "link", "run.sh"]),
            files(&["b"]),
            files(&[]),
            files(&["c", "d"]),
        ];
        let tables: Vec<_> = lists
            .iter()
            .map(|list| list.read().expect("files"))
            .collect();
        let memory = Arc::new(Memory::default());
        // There is room for the second and the empty one.
        let room = tables[1].memory() + 7;
        let spill = Spill::new(Memory::shared(&memory), room);
        let mut kept = lists.clone();
        kept.iter_mut().for_each(|list| list.spill(&spill));
        assert_eq!(kept.each_ref().map(is_aside), [true, false, false, true]);
        for ((kept, list), table) in kept.iter().zip(&lists).zip(&tables) {
            assert_eq!(kept.read().expect("files"), *table);
            assert_eq!(
                (kept.len(), kept.is_empty()),
                (table.len(), table.is_empty())
            );
            assert_eq!(kept.content_bytes(), list.content_bytes());
        }
        // Once is enough.
        let length = memory.bytes.lock().expect("bytes").len();
        kept[0].spill(&spill);
        assert_eq!(memory.bytes.lock().expect("bytes").len(), length);
    }

    #[test]
    fn what_cannot_be_set_aside_stays_in_memory() {
        let full = Memory {
            is_full: true,
            ..Memory::default()
        };
        let mut list = files(&["a"]);
        list.spill(&Spill::new(Arc::new(full), 0));
        assert!(!is_aside(&list));
        assert_eq!(list.read().expect("files").len(), 1);
    }

    #[test]
    fn what_is_not_what_was_set_aside_is_an_error() {
        let memory = Arc::new(Memory::default());
        let spill = Spill::new(Memory::shared(&memory), 0);
        let mut list = files(&["a", "b"]);
        list.spill(&spill);
        let whole = memory.bytes.lock().expect("bytes").clone();
        *memory.bytes.lock().expect("bytes") = files_bytes(&["a", "c", "d"])[..whole.len()].into();
        let read = list.read();
        assert!(matches!(read, Err(TreeError::SetAside(_))), "{read:?}");
        memory.bytes.lock().expect("bytes").truncate(3);
        let read = list.read();
        assert!(matches!(read, Err(TreeError::SetAside(_))), "{read:?}");
        *memory.bytes.lock().expect("bytes") = whole;
        assert!(list.read().is_ok());
    }

    fn files_bytes(names: &[&str]) -> Vec<u8> {
        let mut writer = Writer::default();
        files(names).read().expect("files").write(&mut writer);
        writer.0
    }
}
