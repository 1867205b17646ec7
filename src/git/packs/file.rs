//! A file that any number of threads read, each where it wants.

use std::fs::File;
use std::io;
use std::path::Path;
#[cfg(not(unix))]
use std::sync::{Mutex, PoisonError};

/// The file.
pub(super) struct SharedFile {
    #[cfg(unix)]
    file: File,
    /// Elsewhere a read moves the place of the next one.
    #[cfg(not(unix))]
    file: Mutex<File>,
}

impl SharedFile {
    /// Opens a file. Gives its length as well.
    pub(super) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        #[cfg(not(unix))]
        let file = Mutex::new(file);
        Ok((Self { file }, length))
    }

    /// Fills `bytes` from a place on, up to the end of the file. Gives how many there were.
    pub(super) fn fill(&self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.read(at + filled as u64, &mut bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    #[cfg(unix)]
    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, bytes, at)
    }

    #[cfg(not(unix))]
    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read(bytes)
    }
}
