//! Files that appear whole or not at all: written under a temporary name in the folder where they
//! belong, then renamed. A failure or a kill leaves the old file as it was.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module writes files"
)]

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Diagnose, Diagnostic, Kind};
use crate::layout::TEMPORARY_PREFIX;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct AsideError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Diagnose for AsideError {
    fn kind(&self) -> Kind {
        match self.source.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidInput => Kind::User,
            _ => Kind::Internal,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(crate::error::message_with_causes(self));
        vec![match self.source.kind() {
            io::ErrorKind::NotFound => shown.hint("make its folder first"),
            io::ErrorKind::StorageFull => shown.hint("the disk is full: nothing was replaced"),
            _ => shown,
        }]
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct AsideFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl AsideFile {
    /// Begins a file that is to stand at `target`. What a killed run left in the folder is removed.
    pub(crate) fn create(target: &Path) -> Result<Self, AsideError> {
        let failed = |source| AsideError {
            path: target.to_owned(),
            source,
        };
        let target = final_target(target).map_err(failed)?;
        let folder = folder_of(&target);
        remove_leftovers(folder);
        let file = create_locked(folder).map_err(failed)?;
        Ok(Self { file, target })
    }

    /// Puts the whole file in its place, once it is on the disk.
    pub(crate) fn persist(self) -> Result<(), AsideError> {
        self.rename(true)
    }

    fn rename(self, is_synced: bool) -> Result<(), AsideError> {
        let Self { mut file, target } = self;
        let flushed = file.flush().and_then(|()| match is_synced {
            true => file.as_file().sync_all(),
            false => Ok(()),
        });
        let persisted = flushed.and_then(|()| file.persist(&target).map_err(|error| error.error));
        match persisted {
            Ok(_) => Ok(()),
            Err(source) => Err(AsideError {
                path: target,
                source,
            }),
        }
    }
}

impl Write for AsideFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A large file that can be made again. As long as what is written is what stands at its place already,
/// nothing is written. Only one that replaces another is brought to the disk first: a power failure
/// must not take the old one away, while of a new one there is nothing to lose.
#[derive(Debug)]
pub(crate) struct ReplacedFile {
    target: PathBuf,
    /// What stands there, read up to where it is the same.
    old: Option<File>,
    same: u64,
    aside: Option<AsideFile>,
    buffer: Vec<u8>,
}

impl ReplacedFile {
    /// Begins a file that is to stand at `target`. What a killed run left in the folder is removed.
    pub(crate) fn create(target: &Path) -> Result<Self, AsideError> {
        let old = match final_target(target) {
            Ok(target) if target.is_file() => File::open(target).ok(),
            _ => None,
        };
        let aside = match &old {
            None => Some(AsideFile::create(target)?),
            Some(_) => {
                remove_leftovers(folder_of(target));
                None
            }
        };
        Ok(Self {
            target: target.to_owned(),
            old,
            same: 0,
            aside,
            buffer: Vec::new(),
        })
    }

    /// Puts the file in its place. Tells whether it is another one than before.
    pub(crate) fn persist(mut self) -> Result<bool, AsideError> {
        let path = self.target.clone();
        let failed = |source| AsideError { path, source };
        if self.aside.is_none() {
            // If the old one goes on, this is its beginning.
            let diverged = match self.continues_with(&[0]) {
                Ok(None) => return Ok(false),
                Ok(Some(_)) => self.diverge(),
                Err(error) => Err(error),
            };
            diverged.map_err(failed)?;
        }
        if let Some(aside) = self.aside {
            aside.rename(self.old.is_some())?;
        }
        Ok(true)
    }

    /// Whether the old file goes on with these bytes; `None` if it is at its end.
    fn continues_with(&mut self, bytes: &[u8]) -> io::Result<Option<bool>> {
        self.buffer.resize(bytes.len().max(self.buffer.len()), 0);
        let Some(old) = &mut self.old else {
            return Ok(None);
        };
        let mut filled = 0;
        while filled < bytes.len() {
            match old.read(&mut self.buffer[filled..bytes.len()]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok((filled > 0).then(|| self.buffer[..filled] == *bytes))
    }

    /// From here on it is another file.
    fn diverge(&mut self) -> io::Result<()> {
        let mut aside = AsideFile::create(&self.target).map_err(|error| error.source)?;
        if let Some(old) = &mut self.old {
            old.rewind()?;
            let copied = io::copy(&mut old.take(self.same), &mut aside)?;
            if copied != self.same {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.aside = Some(aside);
        Ok(())
    }
}

impl Write for ReplacedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.aside.is_none() {
            let now = &bytes[..bytes.len().min(64 << 10)];
            if self.continues_with(now)? == Some(true) {
                self.same += now.len() as u64;
                return Ok(now.len());
            }
            self.diverge()?;
        }
        match &mut self.aside {
            Some(aside) => aside.write(bytes),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.aside.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// Writes a small file; one that already holds these bytes is not touched.
pub(crate) fn write_if_changed(target: &Path, bytes: &[u8]) -> Result<bool, AsideError> {
    if fs::read(target).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let mut file = AsideFile::create(target)?;
    file.write_all(bytes).map_err(|source| AsideError {
        path: target.to_owned(),
        source,
    })?;
    file.persist()?;
    Ok(true)
}

/// A link is written through; what is neither a file nor absent is refused, since renaming over a
/// device would replace the device.
fn final_target(target: &Path) -> io::Result<PathBuf> {
    let target = match fs::symlink_metadata(target) {
        Ok(found) if found.is_symlink() => fs::canonicalize(target)?,
        _ => target.to_owned(),
    };
    match fs::symlink_metadata(&target) {
        Ok(found) if found.is_file() => Ok(target),
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file; write `-` for the standard output",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound && target.file_name().is_some() => {
            Ok(target)
        }
        Err(error) => Err(error),
    }
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A temporary file, locked as long as it is written, so that others can tell it from a leftover.
pub(crate) fn create_locked(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    // As any program creates a file: what others may read is decided by the umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    loop {
        let file = builder.tempfile_in(folder)?;
        // Another process may take it for a leftover before it is locked. It holds the lock as long as it
        // removes it, so that whoever has the lock and finds the file in its place keeps it. Where locks
        // are not to be had, leftovers are not to be told apart either: none is removed.
        let is_taken = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        if !is_taken && fs::symlink_metadata(file.path()).is_ok() {
            return Ok(file);
        }
    }
}

/// Removes temporary files whose writer is gone.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name
            .as_encoded_bytes()
            .starts_with(TEMPORARY_PREFIX.as_bytes());
        if !is_ours
            || !entry
                .metadata()
                .is_ok_and(|found: Metadata| found.is_file())
        {
            continue;
        }
        if let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
            drop(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes in pieces; tells whether the file became another one, and whether its inode did.
    fn replace(path: &Path, pieces: &[&[u8]]) -> bool {
        let mut file = ReplacedFile::create(path).expect("a file");
        pieces
            .iter()
            .for_each(|piece| file.write_all(piece).expect("written"));
        file.persist().expect("in its place")
    }

    #[test]
    fn a_file_is_replaced_only_by_another_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("archive");
        let large = vec![7_u8; 300_000];
        let (begin, end) = large.split_at(100_000);
        let table: [(&[&[u8]], bool); 9] = [
            (&[b"first"], true),
            (&[b"fi", b"rst"], false),
            (&[b"first", b" and more"], true),
            (&[b"first"], true),
            (&[], true),
            (&[], false),
            (&[begin, end], true),
            (&[end, begin], false),
            (&[begin, b"other", end], true),
        ];
        for (pieces, is_other) in table {
            let before = fs::metadata(&path).and_then(|found| found.modified()).ok();
            assert_eq!(replace(&path, pieces), is_other);
            assert!(fs::read(&path).expect("a file") == pieces.concat());
            let after = fs::metadata(&path).and_then(|found| found.modified()).ok();
            assert!(is_other || before == after);
            let names = fs::read_dir(folder.path()).expect("a folder");
            assert_eq!(names.count(), 1, "nothing aside");
        }
    }

    #[test]
    fn a_file_that_is_given_up_leaves_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("archive");
        fs::write(&path, "old").expect("a file");
        let mut file = ReplacedFile::create(&path).expect("a file");
        file.write_all(b"older").expect("written");
        drop(file);
        assert_eq!(fs::read(&path).expect("a file"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
