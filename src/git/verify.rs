//! Checks a mirror as a whole: every pack and index by its checksum, every object by its id.
//!
//! What is not there is not missed: a mirror may hold no more than one commit, or what was copied from
//! a repository that has gaps itself. A build that needs something finds out, and fetches it.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module reads files"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::ZlibDecoder;
use git2::{Oid, Repository};
use sha1::{Digest as _, Sha1};

use super::mirror::INCOMPLETE;
use crate::event::CancelToken;
use crate::store::{Damage, StoreError};

/// Bytes of a SHA-1.
const SHA1: usize = 20;

/// All that is wrong with a mirror, of which the caller holds the lock; nothing, if somebody removed it
/// before. Nothing is written.
pub(crate) fn verify_mirror(
    folder: &Path,
    cancel: &CancelToken,
) -> Result<Vec<Damage>, StoreError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut check = Check {
        folder,
        cancel,
        damages: Vec::new(),
    };
    // The files first: libgit2 stops at an index that it cannot open, and reads one copy of an object
    // that is there twice.
    check.packs()?;
    check.loose_objects()?;
    check.objects()?;
    Ok(check.damages)
}

struct Check<'a> {
    folder: &'a Path,
    cancel: &'a CancelToken,
    damages: Vec<Damage>,
}

impl Check<'_> {
    fn packs(&mut self) -> Result<(), StoreError> {
        let is_incomplete = self.folder.join(INCOMPLETE).exists();
        for path in files(&self.folder.join("objects/pack"))? {
            let ending = path.extension().and_then(OsStr::to_str);
            // Others of these endings are being written, or were when somebody was killed.
            match ending.filter(|_| name(&path).starts_with("pack-")) {
                Some("pack") => {
                    self.sealed(&path)?;
                }
                Some("idx") => {
                    let is_whole = self.sealed(&path)?;
                    let pack = path.with_extension("pack");
                    let file = self.relative(&path);
                    if !pack.exists() {
                        // libgit2 writes an index before its pack; nobody reads it until then.
                        if !is_incomplete {
                            self.damages.push(Damage::PackMissing { file });
                        }
                    } else if is_whole && tail(&path, 2 * SHA1)? != tail(&pack, SHA1)? {
                        self.damages.push(Damage::OtherPack { file });
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a file ends with the SHA-1 of all that is before.
    fn sealed(&mut self, path: &Path) -> Result<bool, StoreError> {
        let mut file = File::open(path).map_err(StoreError::at(path))?;
        let length = file.metadata().map_err(StoreError::at(path))?.len();
        let mut hasher = Sha1::new();
        let mut content = (&mut file).take(length.saturating_sub(SHA1 as u64));
        self.read_all(&mut content, |bytes| hasher.update(bytes))
            .map_err(StoreError::at(path))?;
        self.cancel.check()?;
        let is_whole = tail(path, SHA1)?.is_some_and(|sum| sum[..] == hasher.finalize()[..]);
        if !is_whole {
            let file = self.relative(path);
            self.damages.push(Damage::Checksum { file });
        }
        Ok(is_whole)
    }

    fn loose_objects(&mut self) -> Result<(), StoreError> {
        for folder in folders(&self.folder.join("objects"))? {
            let first = name(&folder).to_owned();
            if first.len() != 2 {
                continue;
            }
            for path in files(&folder)? {
                let Ok(id) = Oid::from_str(&format!("{first}{}", name(&path))) else {
                    continue;
                };
                let file = File::open(&path).map_err(StoreError::at(&path))?;
                let mut content = ZlibDecoder::new(BufReader::new(file));
                let mut hasher = Sha1::new();
                let read = self.read_all(&mut content, |bytes| hasher.update(bytes));
                self.cancel.check()?;
                let is_whole = match read {
                    Ok(()) => hasher.finalize()[..] == *id.as_bytes(),
                    Err(error) if is_of_the_machine(&error) => {
                        return Err(StoreError::at(&path)(error));
                    }
                    Err(_) => false,
                };
                if !is_whole {
                    let file = self.relative(&path);
                    self.damages.push(Damage::LooseObject { file });
                }
            }
        }
        Ok(())
    }

    /// Has libgit2 read every object that an index or a file names. It compares the ids by itself:
    /// that is its default, which nothing here changes.
    fn objects(&mut self) -> Result<(), StoreError> {
        let reason = |error: &git2::Error| error.message().to_owned();
        let repository = Repository::open_bare(self.folder);
        let database = match repository.as_ref().map(Repository::odb) {
            Ok(Ok(database)) => database,
            Ok(Err(error)) => {
                let reason = reason(&error);
                self.damages.push(Damage::NotARepository { reason });
                return Ok(());
            }
            Err(error) => {
                let reason = reason(error);
                self.damages.push(Damage::NotARepository { reason });
                return Ok(());
            }
        };
        let mut ids = Vec::new();
        let listed = database.foreach(|id| {
            ids.push(*id);
            !self.cancel.is_cancelled()
        });
        self.cancel.check()?;
        if let Err(error) = listed {
            let reason = reason(&error);
            self.damages.push(Damage::Unlisted { reason });
        }
        let mut broken: Option<(usize, Oid, String)> = None;
        for id in ids {
            self.cancel.check()?;
            if let Err(error) = database.read(id) {
                let (count, ..) = broken.get_or_insert_with(|| (0, id, reason(&error)));
                *count += 1;
            }
        }
        if let Some((count, first, reason)) = broken {
            let first = first.to_string();
            self.damages.push(Damage::Objects {
                count,
                first,
                reason,
            });
        }
        Ok(())
    }

    /// Reads to the end, or until somebody asks to stop.
    fn read_all(&self, from: &mut dyn Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        while !self.cancel.is_cancelled() {
            match from.read(&mut buffer)? {
                0 => break,
                length => take(&buffer[..length]),
            }
        }
        Ok(())
    }

    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.folder).unwrap_or(path).to_owned()
    }
}

/// Whether reading failed, rather than what was read was wrong.
fn is_of_the_machine(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
}

/// The SHA-1 that begins so many bytes before a file's end, if it is that long.
fn tail(path: &Path, before_end: usize) -> Result<Option<[u8; SHA1]>, StoreError> {
    let mut file = File::open(path).map_err(StoreError::at(path))?;
    let length = file.metadata().map_err(StoreError::at(path))?.len();
    let Some(start) = length.checked_sub(before_end as u64) else {
        return Ok(None);
    };
    let mut bytes = [0; SHA1];
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(StoreError::at(path))?;
    Ok(Some(bytes))
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    listed(folder, fs::FileType::is_file)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    listed(folder, fs::FileType::is_dir)
}

fn listed(
    folder: &Path,
    wanted: impl Fn(&fs::FileType) -> bool,
) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A mirror without that folder is told of by libgit2, or has no pack.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::at(folder)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::at(folder))?;
        if entry.file_type().is_ok_and(|found| wanted(&found)) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
