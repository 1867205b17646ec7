//! Fills a mirror from a repository on this machine: its packs are copied, and its loose objects are
//! put into one pack more. libgit2's own way would compress every object anew; and it never ends where
//! a loose object was cut short, so that a mirror has none.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module copies files"
)]

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use git2::{Oid, Repository};
use sha1::{Digest as _, Sha1};
use tempfile::SpooledTempFile;

use crate::layout::TEMPORARY_PREFIX;

/// Copies the objects of the repository whose git folder is `remote` into the mirror, those that it
/// lacks. A repository that borrows objects from another is left to libgit2. Returns how many bytes
/// were copied.
pub(super) fn seed(mirror: &Repository, remote: &Path) -> io::Result<u64> {
    let objects = remote.join("objects");
    if objects.join("info/alternates").exists() {
        return Ok(0);
    }
    let packs = mirror.path().join("objects/pack");
    fs::create_dir_all(&packs)?;
    let mut copied = 0;
    // A pack is found by its index, which must therefore come last.
    for ending in ["pack", "idx"] {
        copied += copy_all(&objects.join("pack"), &packs, ending)?;
    }
    Ok(copied + pack_loose(mirror, &objects)?)
}

/// Copies the files of a folder that have this ending.
fn copy_all(from: &Path, into: &Path, ending: &str) -> io::Result<u64> {
    let mut copied = 0;
    let files = match fs::read_dir(from) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    for file in files {
        let file = file?;
        let name = file.file_name();
        let target = into.join(&name);
        let is_wanted = Path::new(&name).extension().is_some_and(|e| e == ending);
        let found = file.metadata()?;
        // One of another length was cut short.
        let is_there = fs::metadata(&target).is_ok_and(|there| there.len() == found.len());
        if is_wanted && found.is_file() && !is_there {
            // Aside and renamed: what stands under an object's name must be whole after a kill.
            let aside = into.join(format!("{TEMPORARY_PREFIX}{}", name.to_string_lossy()));
            copied += fs::copy(file.path(), &aside)?;
            fs::rename(&aside, target)?;
        }
    }
    Ok(copied)
}

/// Puts the loose objects that the mirror lacks into a pack of their own, which libgit2 indexes and
/// thereby checks (git, `Documentation/gitformat-pack`). One that cannot be read is as good as absent.
fn pack_loose(mirror: &Repository, objects: &Path) -> io::Result<u64> {
    let database = mirror.odb().map_err(io::Error::other)?;
    let mut entries = SpooledTempFile::new_in(SPOOLED, mirror.path());
    let mut count: u32 = 0;
    for (id, path) in loose_objects(objects)? {
        if database.exists(id) {
            continue;
        }
        if let Some(entry) = read_loose(&path, id)? {
            write_entry(&mut entries, &entry)?;
            count += 1;
        }
    }
    if count == 0 {
        return Ok(0);
    }
    let mut writer = database.packwriter().map_err(io::Error::other)?;
    let mut hasher = Sha1::new();
    let mut copied = 0;
    let mut add = |bytes: &[u8]| {
        hasher.update(bytes);
        copied += bytes.len() as u64;
        let written = writer.write_all(bytes);
        written.map_err(|_| io::Error::other(git2::Error::last_error(-1)))
    };
    add(b"PACK\0\0\0\x02")?;
    add(&count.to_be_bytes())?;
    entries.rewind()?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = entries.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        add(&buffer[..length])?;
    }
    let trailer = hasher.finalize();
    let written = writer.write_all(&trailer);
    written.map_err(|_| io::Error::other(git2::Error::last_error(-1)))?;
    writer.commit().map_err(io::Error::other)?;
    Ok(copied)
}

/// Bytes of a pack that are kept in memory while it is put together.
const SPOOLED: usize = 8 << 20;

/// The loose objects in a repository's folder of objects, in order.
fn loose_objects(objects: &Path) -> io::Result<Vec<(Oid, PathBuf)>> {
    let mut found = Vec::new();
    for folder in fs::read_dir(objects)? {
        let folder = folder?;
        let outer = folder.file_name();
        let outer = outer.to_string_lossy();
        if outer.len() != 2 || !outer.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        for file in fs::read_dir(folder.path())? {
            let file = file?;
            let name = format!("{outer}{}", file.file_name().to_string_lossy());
            if name.len() == 40
                && let Ok(id) = Oid::from_str(&name)
                && file.file_type()?.is_file()
            {
                found.push((id, file.path()));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// An object as it stands in a pack: the number of its kind, and its content.
struct Entry {
    kind: u8,
    content: Vec<u8>,
}

/// Reads a loose object (git, `Documentation/gitrepository-layout`). None if it is damaged.
fn read_loose(path: &Path, id: Oid) -> io::Result<Option<Entry>> {
    let mut object = Vec::new();
    let read = ZlibDecoder::new(File::open(path)?).read_to_end(&mut object);
    match read {
        Ok(_) => {}
        // The file was moved into a pack in the meantime: the caller looks again.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
        Err(_) => return Ok(None),
    }
    if Sha1::digest(&object)[..] != *id.as_bytes() {
        return Ok(None);
    }
    let Some(end) = object.iter().position(|byte| *byte == 0) else {
        return Ok(None);
    };
    let kind = match object[..end].split(|byte| *byte == b' ').next() {
        Some(b"commit") => 1,
        Some(b"tree") => 2,
        Some(b"blob") => 3,
        Some(b"tag") => 4,
        _ => return Ok(None),
    };
    let content = object.split_off(end + 1);
    Ok(Some(Entry { kind, content }))
}

/// The kind and the length in the first bytes, seven bits each after the first four; then the content.
fn write_entry(into: &mut SpooledTempFile, entry: &Entry) -> io::Result<()> {
    let mut length = entry.content.len();
    let mut byte = (entry.kind << 4) | (length & 0xf) as u8;
    length >>= 4;
    while length > 0 {
        into.write_all(&[byte | 0x80])?;
        byte = (length & 0x7f) as u8;
        length >>= 7;
    }
    into.write_all(&[byte])?;
    // They were small enough to be left loose; time counts for more here.
    let mut encoder = ZlibEncoder::new(into, Compression::fast());
    encoder.write_all(&entry.content)?;
    encoder.finish()?;
    Ok(())
}
