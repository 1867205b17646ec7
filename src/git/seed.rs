//! Fills a mirror from a repository on this machine by copying its object files, as `git clone`
//! does for a path: libgit2 would compress every object anew. The download that follows finds
//! nothing missing.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module copies files"
)]

use std::fs;
use std::io;
use std::path::Path;

use crate::layout::TEMPORARY_PREFIX;

/// Copies the object files of the repository whose git folder is `remote` into the bare repository at
/// `mirror`, those that it lacks. What is copied is never trusted: an object's id is checked whenever
/// it is read. A repository that borrows objects from another is left to the download. Returns how many
/// bytes were copied.
pub(super) fn seed(mirror: &Path, remote: &Path) -> io::Result<u64> {
    let objects = remote.join("objects");
    if objects.join("info/alternates").exists() {
        return Ok(0);
    }
    let mut copied = 0;
    let into = mirror.join("objects");
    for folder in fs::read_dir(&objects)? {
        let folder = folder?;
        let name = folder.file_name();
        let is_loose = name.len() == 2 && name.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit);
        if name != "pack" && !is_loose {
            continue;
        }
        let into = into.join(&name);
        fs::create_dir_all(&into)?;
        // A pack is found by its index, which must therefore come last.
        for wanted in [Kind::Content, Kind::Index] {
            copied += copy_all(&folder.path(), &into, is_loose, wanted)?;
        }
    }
    Ok(copied)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Content,
    Index,
}

fn copy_all(from: &Path, into: &Path, is_loose: bool, wanted: Kind) -> io::Result<u64> {
    let mut copied = 0;
    for file in fs::read_dir(from)? {
        let file = file?;
        let name = file.file_name();
        let kind = match Path::new(&name)
            .extension()
            .and_then(|ending| ending.to_str())
        {
            Some("pack") if !is_loose => Kind::Content,
            Some("idx") if !is_loose => Kind::Index,
            None if is_loose && name.len() == 38 => Kind::Content,
            // What is being written, and what only speeds git up.
            _ => continue,
        };
        let target = into.join(&name);
        if kind == wanted && file.file_type()?.is_file() && !target.exists() {
            // Aside and renamed: what stands under an object's name must be whole after a kill.
            let aside = into.join(format!("{TEMPORARY_PREFIX}{}", name.to_string_lossy()));
            copied += fs::copy(file.path(), &aside)?;
            fs::rename(&aside, target)?;
        }
    }
    Ok(copied)
}
