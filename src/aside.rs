//! Files that appear whole or not at all: written under a temporary name in the folder where they
//! belong, then renamed. A failure or a kill leaves the old file as it was.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module writes files"
)]

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Write};
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

    /// Puts the whole file in its place.
    pub(crate) fn persist(self) -> Result<(), AsideError> {
        let Self { mut file, target } = self;
        let persisted = file
            .flush()
            .and_then(|()| file.as_file().sync_all())
            .and_then(|()| file.persist(&target).map_err(|error| error.error));
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
