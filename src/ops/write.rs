//! Puts archives and lockfiles in their places.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 4: this module looks at what it replaces"
)]

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::{Context, Error};
use crate::archive::{self, Archive, ArchiveOptions, Format, Writing};
use crate::aside::{AsideError, ReplacedFile, write_if_changed};
use crate::event::Event;
use crate::layout::Layout;
use crate::lockfile::Lockfile;

/// Writes a layout as an archive to a file. It is written aside and renamed: a failure or a kill
/// leaves what stood at `path` as it was. A file that holds the same bytes already is not touched.
///
/// # Errors
/// When a source or the disk fails, or something else than an archive stands at `path`.
pub fn write_archive(
    cx: &Context<'_>,
    layout: &Layout,
    path: &Path,
    format: Format,
    options: &ArchiveOptions,
) -> Result<Archive, Error> {
    if is_something_else(path) {
        return Err(Error::NotAnArchive {
            path: path.to_owned(),
        });
    }
    let mut file = ReplacedFile::create(path)?;
    let archive = stream_archive(cx, layout, &mut file, format, options)?;
    file.persist()?;
    Ok(archive)
}

/// Whether a file stands there that no archive would replace but by mistake: a manifest, a recipe.
fn is_something_else(path: &Path) -> bool {
    // A FIFO would be waited for; it is refused later, as whatever is no file.
    if !path.is_file() {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(512).read_to_end(&mut start));
    read.is_ok() && !start.is_empty() && Format::of_start(&start).is_none()
}

/// Writes a layout as an archive to any writer, with the context's progress and cancelling. Tells
/// [`Layout::warnings_as`] that format.
///
/// # Errors
/// When a source or the writer fails; what was written until then is no archive.
pub fn stream_archive(
    cx: &Context<'_>,
    layout: &Layout,
    out: &mut dyn Write,
    format: Format,
    options: &ArchiveOptions,
) -> Result<Archive, Error> {
    for warning in layout.warnings_as(format) {
        cx.reporter().report(&Event::Warning(&warning));
    }
    let total = layout.content_bytes();
    let mut written = 0;
    let mut progress = |bytes: u64| {
        written += bytes;
        cx.reporter().report(&Event::WriteProgress {
            bytes: written,
            total,
        });
        cx.cancel().check()
    };
    let store = cx.store();
    let segments = store.segments();
    let writing = Writing {
        segments: Some(&segments),
        tools: cx.tools().clone(),
        progress: &mut progress,
    };
    let archive = archive::write(layout, out, format, options, writing)?;
    // A store that cannot be written keeps nothing, and needs no trimming.
    drop(segments.trim());
    Ok(archive)
}

/// Writes a lockfile to its place, unless the same bytes are there. Tells whether it wrote.
///
/// # Errors
/// When the disk fails.
pub fn write_lockfile(path: &Path, lockfile: &Lockfile) -> Result<bool, AsideError> {
    write_if_changed(path, lockfile.print().as_bytes())
}
