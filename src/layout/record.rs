//! The plan of a cookbook and its metadata as bytes, for the store: what was found out of a content
//! once need not be found out again.
//!
//! A record has a key, the digest of all that its plan depends on, and ends with a digest of its own
//! bytes: one that is damaged, cut off, or of another key is none. Paths are checked as if they came
//! from a source, since whoever writes into the store could give a record any digest.

mod metadata;

pub(crate) use self::metadata::RecordedMetadata;
use super::Omission;
use super::bytes::{Reader, Writer};
use super::files::FileTable;
use super::plan::{CookbookPlan, OmittedFile, Refusal, RefusedFile};
use crate::digest::{ContentDigest, Digest, Hasher};
use crate::limits::Limits;
use crate::path::TreePath;

/// What a record begins with. It is raised with the form of a record, and whenever the same content
/// gives another plan or other metadata than before.
const FORM: &[u8] = b"cookpack-plan 2\n";

/// Bytes of a SHA-256.
const DIGEST: usize = 32;

/// What was found out of a cookbook's content.
#[derive(Clone, Debug)]
pub(crate) struct PlanRecord {
    pub(crate) plan: CookbookPlan,
    /// The digest of what is included.
    pub(crate) content: ContentDigest,
    /// Its metadata, if that comes from its own files alone.
    pub(crate) metadata: Option<RecordedMetadata>,
}

/// All that a plan and the metadata beside it depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanInputs<'a> {
    /// The identity of the cookbook's folder.
    pub(crate) identity: Digest,
    /// The folder in its tree: a metadata.rb sees the names of folders above it.
    pub(crate) base: &'a TreePath,
    /// The name of the tree's root as a metadata.rb that stands there sees it.
    pub(crate) root_name: Option<&'a str>,
    /// The path of the chefignore that applies, and its identity.
    pub(crate) chefignore: Option<(&'a [u8], Digest)>,
    /// Whether the manifest says what the metadata.rb would.
    pub(crate) is_declared: bool,
    pub(crate) limits: &'a Limits,
}

impl PlanInputs<'_> {
    /// The key of the record.
    pub(crate) fn key(&self) -> Digest {
        let mut writer = Writer::default();
        writer.bytes(FORM);
        // Another version may read the same metadata.rb in another way.
        writer.text(env!("CARGO_PKG_VERSION"));
        writer.digest(&self.identity);
        writer.text(self.base.as_str());
        writer.option(self.root_name, Writer::text);
        writer.option(self.chefignore, |writer, (path, identity)| {
            writer.bytes(path);
            writer.digest(&identity);
        });
        writer.flag(self.is_declared);
        let Limits {
            file_bytes,
            files,
            depth,
            text_bytes,
            patterns,
            ..
        } = *self.limits;
        for limit in [
            file_bytes,
            files as u64,
            depth as u64,
            text_bytes,
            patterns as u64,
        ] {
            writer.number(limit);
        }
        Digest::of(writer.0)
    }
}

impl PlanRecord {
    /// The record's bytes. None where it cannot be read again as it is: what is refused for good is
    /// looked at each time, until somebody has mended it. A submodule that is not there is no such
    /// thing: another tree has it.
    pub(crate) fn write(&self, key: &Digest) -> Option<Vec<u8>> {
        let Self {
            plan,
            content,
            metadata,
        } = self;
        let mut writer = Writer::default();
        writer.0.extend_from_slice(FORM);
        writer.digest(key);
        writer.text(&content.to_string());
        let mut is_whole = true;
        plan.included.read().ok()?.write(&mut writer);
        writer.list(&plan.omitted, |writer, file| {
            writer.text(&file.path);
            write_omission(writer, &file.reason);
        });
        writer.list(&plan.refused, |writer, file| {
            writer.text(&file.path);
            match &file.reason {
                Refusal::Submodule { path } => writer.text(path),
                _ => is_whole = false,
            }
        });
        writer.flag(metadata.is_some());
        if let Some(metadata) = metadata {
            metadata.write(&mut writer)?;
        }
        let check = Digest::of(&writer.0);
        writer.digest(&check);
        is_whole.then_some(writer.0)
    }

    /// The record of a key, whose cookbook is in folder `base` of its tree.
    pub(crate) fn read(bytes: &[u8], key: &Digest, base: &TreePath) -> Option<Self> {
        let mut reader = Reader(body(bytes, key)?);
        let content = reader.text()?.parse().ok()?;
        let included = FileTable::read(&mut reader).filter(FileTable::is_sound)?;
        let omitted = reader.list(|reader| {
            Some(OmittedFile {
                path: reader.string()?,
                reason: read_omission(reader)?,
            })
        })?;
        let refused = reader.list(|reader| {
            Some(RefusedFile {
                path: reader.string()?,
                reason: Refusal::Submodule {
                    path: reader.string()?,
                },
            })
        })?;
        let metadata = reader.option(RecordedMetadata::read)?;
        let plan = CookbookPlan {
            base: base.clone(),
            included: included.into(),
            omitted,
            refused,
        };
        reader.0.is_empty().then_some(Self {
            plan,
            content,
            metadata,
        })
    }
}

/// Whether the bytes are a record of the key, as it was written.
pub(crate) fn is_whole_record(bytes: &[u8], key: &Digest) -> bool {
    body(bytes, key).is_some()
}

/// What stands between a record's head and its check.
fn body<'b>(bytes: &'b [u8], key: &Digest) -> Option<&'b [u8]> {
    let (record, check) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST)?)?;
    let body = record.strip_prefix(FORM)?.strip_prefix(key.as_bytes())?;
    let mut hasher = Hasher::default();
    hasher.update(record);
    (hasher.finish().as_bytes() == check).then_some(body)
}

fn write_omission(writer: &mut Writer, reason: &Omission) {
    match reason {
        Omission::VersionControl => writer.number(0),
        Omission::ToolFile => writer.number(1),
        Omission::OwnArchive => writer.number(2),
        Omission::OwnVendorFolder => writer.number(3),
        Omission::OwnTemporaryFile => writer.number(4),
        Omission::Chefignore { file, line, glob } => {
            writer.number(5);
            writer.text(file);
            writer.number(*line as u64);
            writer.text(glob);
        }
    }
}

fn read_omission(reader: &mut Reader<'_>) -> Option<Omission> {
    Some(match reader.number()? {
        0 => Omission::VersionControl,
        1 => Omission::ToolFile,
        2 => Omission::OwnArchive,
        3 => Omission::OwnVendorFolder,
        4 => Omission::OwnTemporaryFile,
        5 => Omission::Chefignore {
            file: reader.string()?,
            line: usize::try_from(reader.number()?).ok()?,
            glob: reader.string()?,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
