//! The cookbook beside a file, which the word `metadata` takes in.

use super::super::ManifestError;
use crate::metadata::{Metadata, MetadataError};
use crate::ruby::{Eval, FileKind, Files, FilesError, Interpreter, RubyError, Settings};
use crate::text::SourceFile;

/// The files of one source, as a file in another of its folders sees them.
struct Rebased<'a> {
    files: &'a dyn Files,
    base: String,
}

impl Files for Rebased<'_> {
    fn base(&self) -> &str {
        &self.base
    }

    fn kind(&self, path: &str) -> Result<Option<FileKind>, FilesError> {
        self.files.kind(path)
    }

    fn is_link(&self, path: &str) -> Result<bool, FilesError> {
        self.files.is_link(path)
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FilesError> {
        self.files.read(path, limit)
    }

    fn list(&self, path: &str) -> Result<Vec<String>, FilesError> {
        self.files.list(path)
    }
}

/// The name of the cookbook in a folder, which is relative to the evaluated file's. As in Chef,
/// metadata.json wins; a cookbook without a name has its folder's. The inner error is one that the
/// file could have rescued.
pub(in super::super) fn own_cookbook(
    cx: &mut Interpreter<'_>,
    files: &dyn Files,
    settings: &Settings,
    file: &SourceFile,
    folder: &str,
) -> Eval<Result<String, ManifestError>> {
    let at = cx.location(cx.here());
    let failed = |source| RubyError::Files {
        at: at.clone(),
        source,
    };
    let Some(base) = joined(files.base(), folder) else {
        return Err(failed(FilesError::Outside {
            path: folder.to_owned(),
        })
        .into());
    };
    let shown = |name: &str| {
        let folder = match (file.name().rsplit_once('/'), folder) {
            (Some((own, _)), ".") => own.to_owned(),
            (Some((own, _)), folder) => format!("{own}/{folder}"),
            (None, folder) => folder.to_owned(),
        };
        match &*folder {
            "." => name.to_owned(),
            folder => format!("{folder}/{name}"),
        }
    };
    for name in ["metadata.json", "metadata.rb"] {
        let path = match base.is_empty() {
            true => name.to_owned(),
            false => format!("{base}/{name}"),
        };
        if files.kind(&path).map_err(failed)? != Some(FileKind::File) {
            continue;
        }
        let bytes = files.read(&path, settings.limits.file_bytes);
        let bytes = bytes.map_err(failed)?;
        cx.charge(bytes.len() as u64)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return cx.unsupported(format!("a {name} that is not UTF-8"));
        };
        let text = SourceFile::new(shown(name), text);
        let rebased = Rebased {
            files,
            base: base.clone(),
        };
        let metadata = match name {
            "metadata.json" => Metadata::from_json(&text),
            _ => Metadata::from_ruby(&text, &rebased, settings),
        };
        return match metadata {
            Ok(metadata) => {
                let folder = base.rsplit('/').next().unwrap_or_default();
                Ok(Ok(metadata.name.unwrap_or_else(|| folder.to_owned())))
            }
            Err(MetadataError::Ruby(error)) if error.is_limitation() => Err((*error).into()),
            Err(error) => Ok(Err(error.into())),
        };
    }
    let message = "there is neither a metadata.json nor a metadata.rb here";
    Ok(Err(ManifestError::invalid(&message, &at)))
}

/// A folder below another one, without detours; none if it climbs above the root.
fn joined(base: &str, folder: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    if folder.starts_with('/') {
        return None;
    }
    for part in folder.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
