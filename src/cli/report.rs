//! What commands print: texts for people, documents for machines.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::Failure;
use crate::archive::Archive;
use crate::layout::PackedCookbook;
use crate::lockfile::{LockedCookbook, LockedSubmodule, Lockfile, Pin};
use crate::manifest::GitRef;
use crate::name::CookbookName;
use crate::ops::{Listing, LockChange, Mirrored, TreeLine, Vendored};

/// A stream for reports.
pub(super) struct Output(Box<dyn Write>);

impl Output {
    pub(super) fn new(stream: Box<dyn Write>) -> Self {
        Self(stream)
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        super::progress::clear_screen();
        self.0
            .write_all(text.as_bytes())
            .and_then(|()| self.0.flush())
            .map_err(Failure::Output)
    }

    pub(super) fn json(&mut self, document: &Value) -> Result<(), Failure> {
        self.text(&format!("{document:#}\n"))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The receipt of an archive as text.
pub(super) fn archive_text(path: &str, archive: &Archive) -> String {
    let digests = &archive.digests;
    let mut text = format!(
        "{path}  {} bytes, {} files\n  content    {}\n",
        archive.size, archive.files, digests.content
    );
    if let Some(container) = digests.container {
        text.push_str(&format!("  container  {container}\n"));
    }
    text.push_str(&format!("  archive    sha256:{}\n", digests.archive));
    if let Some(compression) = &archive.compression {
        let (encoder, level) = (compression.encoder, compression.level.as_str());
        let block = compression.block;
        text.push_str(&format!(
            "  encoder    {encoder}, level {level}, blocks of {block} bytes\n"
        ));
    }
    text.push_str(&cookbooks_text(&archive.cookbooks));
    text
}

/// The receipt of an archive as a document.
pub(super) fn archive_json(path: Option<&Path>, archive: &Archive) -> Value {
    let compression = archive.compression.map(|compression| {
        json!({
            "encoder": compression.encoder,
            "level": compression.level.as_str(),
            "block": compression.block,
        })
    });
    json!({
        "path": path.map(|path| path.to_string_lossy()),
        "format": archive.format.as_str(),
        "compression": compression,
        "size": archive.size,
        "files": archive.files,
        "digests": {
            "content": archive.digests.content.to_string(),
            "container": archive.digests.container.map(|digest| digest.to_string()),
            "archive": format!("sha256:{}", archive.digests.archive),
        },
        "cookbooks": cookbooks_json(&archive.cookbooks),
    })
}

/// The receipt of a folder as text.
pub(super) fn vendored_text(folder: &Path, vendored: &Vendored) -> String {
    let mut text = format!("{}  {} files", folder.display(), vendored.files);
    if vendored.kept > 0 {
        let _ = write!(text, ", {} of others kept", vendored.kept);
    }
    let _ = write!(text, "\n  content    {}\n", vendored.content);
    text.push_str(&cookbooks_text(&vendored.cookbooks));
    text
}

/// The receipt of a folder as a document.
pub(super) fn vendored_json(folder: &Path, vendored: &Vendored) -> Value {
    json!({
        "path": folder.to_string_lossy(),
        "format": "dir",
        "files": vendored.files,
        "kept": vendored.kept,
        "digests": { "content": vendored.content.to_string() },
        "cookbooks": cookbooks_json(&vendored.cookbooks),
    })
}

/// The receipt of a mirror.
pub(super) fn mirrored_text(folder: &Path, mirrored: &Mirrored) -> String {
    let count = mirrored.files.len();
    let cookbooks = if count == 1 { "cookbook" } else { "cookbooks" };
    format!(
        "{}  {count} {cookbooks}, {} bytes\n",
        folder.display(),
        mirrored.size
    )
}

/// The receipt of a mirror as a document.
pub(super) fn mirrored_json(folder: &Path, mirrored: &Mirrored) -> Value {
    json!({
        "path": folder.to_string_lossy(),
        "files": mirrored.files,
        "size": mirrored.size,
    })
}

fn cookbooks_text(cookbooks: &[PackedCookbook]) -> String {
    let width = cookbooks
        .iter()
        .map(|c| c.name.as_str().len())
        .max()
        .unwrap_or(0);
    let line = |cookbook: &PackedCookbook| {
        let PackedCookbook {
            name, version, pin, ..
        } = cookbook;
        format!(
            "  {:<width$}  {:<10} {pin}\n",
            name.as_str(),
            version.to_string()
        )
    };
    cookbooks.iter().map(line).collect()
}

fn cookbooks_json(cookbooks: &[PackedCookbook]) -> Value {
    cookbooks
        .iter()
        .map(|cookbook| {
            json!({
                "name": cookbook.name.as_str(),
                "version": cookbook.version.to_string(),
                "source": pin_json(&cookbook.pin),
                "content": cookbook.content.to_string(),
            })
        })
        .collect()
}

pub(super) fn pin_json(pin: &Pin) -> Value {
    match pin {
        Pin::Path { path, dirty } => {
            let mut source = json!({ "path": path });
            if *dirty {
                source["dirty"] = json!(true);
            }
            source
        }
        Pin::Upstream {
            upstream,
            url,
            sha256,
        } => {
            let mut source = json!({ "source": upstream, "url": url });
            if let Some(digest) = sha256 {
                source["sha256"] = json!(digest.to_string());
            }
            source
        }
        Pin::Git {
            url,
            reference,
            rel,
            commit,
            lfs,
            submodules,
        } => {
            let mut source = json!({ "git": url, "commit": commit.as_str() });
            match reference {
                GitRef::Branch(branch) => source["branch"] = json!(branch),
                GitRef::Tag(tag) => source["tag"] = json!(tag),
                GitRef::Any(name) => source["ref"] = json!(name),
                GitRef::Default | GitRef::Commit(_) => {}
            }
            if !rel.is_root() {
                source["rel"] = json!(rel.as_str());
            }
            if *lfs {
                source["lfs"] = json!(true);
            }
            if !submodules.is_empty() {
                let one = |submodule: &LockedSubmodule| {
                    json!({
                        "path": submodule.path.as_str(),
                        "git": submodule.url,
                        "commit": submodule.commit.as_str(),
                    })
                };
                source["submodules"] = submodules.iter().map(one).collect();
            }
            source
        }
    }
}

/// What a resolution changed, one line a cookbook; empty if nothing.
pub(super) fn changes_text(changes: &[LockChange<'_>]) -> String {
    let shown = |cookbook: &LockedCookbook| format!("{} ({})", cookbook.version, cookbook.pin);
    let line = |change: &LockChange<'_>| match change {
        LockChange::Added(name, now) => format!("  + {name} {}\n", shown(now)),
        LockChange::Moved(name, old, now) => {
            let (before, after) = (old.pin.to_string(), now.pin.to_string());
            let versions = (old.version, now.version);
            match (before == after, versions.0 == versions.1) {
                (true, false) => format!("  ~ {name} {} -> {} ({after})\n", versions.0, versions.1),
                (false, true) => format!("  ~ {name} {} ({before} -> {after})\n", versions.0),
                _ => format!("  ~ {name} {} -> {}\n", shown(old), shown(now)),
            }
        }
        LockChange::Edited(name, _, now) => format!("  ~ {name} {}: edited\n", shown(now)),
        LockChange::Removed(name, old) => format!("  - {name} {}\n", shown(old)),
    };
    changes.iter().map(line).collect()
}

/// What a resolution changed, as a document.
pub(super) fn changes_json(changes: &[LockChange<'_>]) -> Value {
    let shown = |cookbook: &LockedCookbook| json!({ "version": cookbook.version.to_string(), "source": pin_json(&cookbook.pin) });
    let change = |change: &LockChange<'_>| {
        let (word, name, before, after) = match change {
            LockChange::Added(name, now) => ("added", name, None, Some(now)),
            LockChange::Moved(name, old, now) => ("moved", name, Some(old), Some(now)),
            LockChange::Edited(name, old, now) => ("edited", name, Some(old), Some(now)),
            LockChange::Removed(name, old) => ("removed", name, Some(old), None),
        };
        json!({
            "name": name.as_str(),
            "change": word,
            "before": before.map(|cookbook| shown(cookbook)),
            "after": after.map(|cookbook| shown(cookbook)),
        })
    };
    changes.iter().map(change).collect()
}

/// A lockfile as a document.
pub(super) fn lockfile_json(path: &Path, changed: bool, lockfile: &Lockfile) -> Value {
    let cookbook = |(name, cookbook): (&CookbookName, &LockedCookbook)| {
        json!({
            "name": name.as_str(),
            "version": cookbook.version.to_string(),
            "source": pin_json(&cookbook.pin),
            "content": cookbook.content.to_string(),
            "dependencies": cookbook.dependencies.iter().map(CookbookName::as_str).collect::<Vec<_>>(),
        })
    };
    json!({
        "path": path.to_string_lossy(),
        "changed": changed,
        "cookbooks": lockfile.cookbooks.iter().map(cookbook).collect::<Vec<_>>(),
    })
}

/// A dependency tree as text.
pub(super) fn tree_text(lines: &[TreeLine], lockfile: &Lockfile) -> String {
    let mut text = String::new();
    for line in lines {
        if let Some((own, above)) = line.more.split_last() {
            for more in above {
                text.push_str(if *more { "│   " } else { "    " });
            }
            text.push_str(if *own { "├── " } else { "└── " });
        }
        text.push_str(line.name.as_str());
        if let Some(cookbook) = lockfile.cookbooks.get(&line.name) {
            let _ = write!(text, " {} ({})", cookbook.version, cookbook.pin);
        }
        text.push_str(if line.repeated { " (*)\n" } else { "\n" });
    }
    text
}

/// The fate of files as a document.
pub(super) fn listing_json(listing: &Listing) -> Value {
    let pairs = |path: &str, reason: String| json!({ "path": path, "reason": reason });
    json!({
        "included": listing.included,
        "compiled": listing.compiled,
        "omitted": listing.omitted.iter().map(|f| pairs(&f.path, f.reason.to_string())).collect::<Vec<_>>(),
        "refused": listing.refused.iter().map(|f| pairs(&f.path, f.reason.to_string())).collect::<Vec<_>>(),
    })
}

/// What is beside the included files, for the standard error: one line a file.
pub(super) fn listing_notes(listing: &Listing) -> String {
    let mut text = String::new();
    for path in &listing.compiled {
        let _ = writeln!(text, "compiled {path}");
    }
    for file in &listing.omitted {
        let _ = writeln!(
            text,
            "omitted {} ({})",
            file.path.escape_debug(),
            file.reason
        );
    }
    for file in &listing.refused {
        let _ = writeln!(
            text,
            "refused {} ({})",
            file.path.escape_debug(),
            file.reason
        );
    }
    text
}
