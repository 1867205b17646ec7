//! Where a run puts what shall not stay in memory: a file without a name, so that a kill leaves nothing.
#![expect(
    clippy::disallowed_types,
    reason = "rank 3: this module writes a temporary file"
)]

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Store;
use crate::layout::SpillFile;

/// A file that is made when something is put into it.
struct Unnamed {
    folder: PathBuf,
    open: Mutex<Option<Open>>,
}

struct Open {
    file: File,
    /// Bytes that were put into it.
    length: u64,
}

impl Store {
    /// A file for one run.
    pub(crate) fn spill_file(&self) -> impl SpillFile + use<> {
        Unnamed {
            folder: self.folder.clone(),
            open: Mutex::new(None),
        }
    }
}

impl Unnamed {
    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpillFile for Unnamed {
    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut open = self.open();
        if open.is_none() {
            let file = tempfile::tempfile_in(&self.folder)?;
            *open = Some(Open { file, length: 0 });
        }
        let Open { file, length } = open.as_mut().ok_or(io::ErrorKind::NotFound)?;
        // What a failure left behind the end is written over.
        file.seek(SeekFrom::Start(*length))?;
        file.write_all(bytes)?;
        let at = *length;
        *length += bytes.len() as u64;
        Ok(at)
    }

    fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut open = self.open();
        let Open { file, .. } = open.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_is_put_there_is_read_again_by_any_thread() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Store::new(folder.path()).spill_file();
        let text = |number: u32| format!("list {number} ").repeat(number as usize);
        thread::scope(|scope| {
            for thread in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for number in (thread..60).step_by(4) {
                        let at = file.append(text(number).as_bytes()).expect("a place");
                        let read = file.read(at, text(number).len()).expect("bytes");
                        assert_eq!(read, text(number).as_bytes());
                    }
                });
            }
        });
        // It has no name.
        let left = folder.path().read_dir().expect("a folder").count();
        assert_eq!(left, 0);
    }

    #[test]
    fn nothing_is_made_before_something_is_put_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing");
        let file = Store::new(&missing).spill_file();
        assert!(file.read(0, 1).is_err());
        assert!(file.append(b"x").is_err(), "there is no folder");
        std::fs::create_dir(&missing).expect("a folder");
        assert_eq!(file.append(b"xy").expect("a place"), 0);
        assert_eq!(file.append(b"z").expect("a place"), 2);
        assert_eq!(file.read(1, 2).expect("bytes"), b"yz");
        assert!(file.read(1, 3).is_err(), "there are not so many");
    }
}
