//! Where what tarballs unpack to is kept as long as a run lasts: in memory, and beyond that in one
//! file without a name in the store, so that neither memory nor open files grow with the cookbooks.
#![expect(
    clippy::disallowed_types,
    reason = "rank 3: this module writes a temporary file"
)]

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::tarball::Contents;

/// Bytes that stay in memory.
const IN_MEMORY: usize = 2 << 20;

/// All that tarballs hold, one content after the other. A clone is the same.
#[derive(Clone)]
pub(super) struct Spool(Arc<Mutex<Parts>>);

struct Parts {
    memory: Vec<u8>,
    most: usize,
    folder: PathBuf,
    file: Option<File>,
    /// Bytes of the file that are given away.
    length: u64,
}

impl Spool {
    /// Begins with nothing. The folder is the store's: it need not be there as long as there is memory.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self::with_memory(folder, IN_MEMORY)
    }

    fn with_memory(folder: PathBuf, most: usize) -> Self {
        Self(Arc::new(Mutex::new(Parts {
            memory: Vec::new(),
            most,
            folder,
            file: None,
            length: 0,
        })))
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a content.
    pub(super) fn reader(&self, at: u64, size: u64) -> impl Read + use<> {
        Reader {
            spool: self.clone(),
            at,
            end: at.saturating_add(size),
        }
    }
}

impl Contents for Spool {
    fn reserve(&mut self, size: u64) -> io::Result<u64> {
        let mut parts = self.parts();
        let begin = parts.memory.len();
        let end = usize::try_from(size)
            .ok()
            .and_then(|size| begin.checked_add(size));
        if let Some(end) = end.filter(|end| *end <= parts.most) {
            parts.memory.resize(end, 0);
            return Ok(begin as u64);
        }
        if parts.file.is_none() {
            // It has no name, so that a kill leaves nothing.
            parts.file = Some(tempfile::tempfile_in(&parts.folder)?);
        }
        // What stands in the file is told by its place: behind all that may be in memory.
        let at = parts.most as u64 + parts.length;
        parts.length += size;
        Ok(at)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut parts = self.parts();
        let most = parts.most as u64;
        if at < most {
            let at = at as usize;
            parts.memory[at..at + bytes.len()].copy_from_slice(bytes);
            return Ok(());
        }
        let file = parts.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(at - most))?;
        file.write_all(bytes)
    }
}

struct Reader {
    spool: Spool,
    at: u64,
    end: u64,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let length = into.len().min(left);
        if length == 0 {
            return Ok(0);
        }
        let into = &mut into[..length];
        let mut parts = self.spool.parts();
        let most = parts.most as u64;
        let length = if self.at < most {
            let at = self.at as usize;
            into.copy_from_slice(&parts.memory[at..at + length]);
            length
        } else {
            let file = parts.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
            file.seek(SeekFrom::Start(self.at - most))?;
            file.read(into)?
        };
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test looks into a folder")]
    fn contents_are_in_memory_first_and_in_one_file_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::with_memory(folder.path().to_owned(), 10);
        let contents = [&b"12345678"[..], b"abc", b"", b"90", b"defghi"];
        let places: Vec<u64> = contents
            .iter()
            .map(|content| spool.reserve(content.len() as u64).expect("room"))
            .collect();
        assert_eq!(places, [0, 10, 8, 8, 13]);
        for (content, at) in contents.iter().zip(&places) {
            let (one, two) = content.split_at(content.len() / 2);
            spool.write(*at, one).expect("written");
            spool.write(*at + one.len() as u64, two).expect("written");
        }
        for (content, at) in contents.iter().zip(&places) {
            let mut read = Vec::new();
            let mut reader = spool.reader(*at, content.len() as u64);
            reader.read_to_end(&mut read).expect("read");
            assert_eq!(read, *content);
        }
        let left = folder.path().read_dir().expect("a folder").count();
        assert_eq!(left, 0, "the file has no name");
    }
}
