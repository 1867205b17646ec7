//! Any text is evaluated as a metadata.rb, and what comes out of it is compiled and read: without a panic,
//! without an end that never comes, and within the evaluator's own limits.
#![no_main]

use std::io::Read;

use cookpack::metadata::Metadata;
use cookpack::path::TreePath;
use cookpack::ruby::{Settings, TreeFiles};
use cookpack::text::SourceFile;
use cookpack::tree::{EntryKind, Tree, TreeEntry, TreeError};
use libfuzzer_sys::fuzz_target;

/// A source with a README, a VERSION and a link that leads out.
struct Source;

const FILES: [(&str, &str); 3] = [
    ("README.md", "# A cookbook\n"),
    ("VERSION", "1.2.3\n"),
    ("recipes/default.rb", "package 'x'\n"),
];

impl Source {
    fn not_found(path: &[u8]) -> TreeError {
        TreeError::NotFound {
            path: String::from_utf8_lossy(path).into_owned(),
            tree: "memory".to_owned(),
        }
    }
}

impl Tree for Source {
    fn label(&self) -> String {
        "memory".to_owned()
    }

    fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |name: &str, kind| TreeEntry {
            name: name.as_bytes().to_vec(),
            kind,
        };
        let file = EntryKind::File { executable: false };
        match dir {
            b"" => Ok(vec![
                entry("README.md", file),
                entry("VERSION", file),
                entry("out", EntryKind::Symlink),
                entry("recipes", EntryKind::Directory),
            ]),
            b"recipes" => Ok(vec![entry("default.rb", file)]),
            _ => Err(Self::not_found(dir)),
        }
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        Ok(match path {
            b"" | b"recipes" => Some(EntryKind::Directory),
            b"out" => Some(EntryKind::Symlink),
            _ => FILES
                .iter()
                .find(|(name, _)| name.as_bytes() == path)
                .map(|_| EntryKind::File { executable: false }),
        })
    }

    fn link_target(&self, _path: &[u8]) -> Result<Vec<u8>, TreeError> {
        Ok(b"../../etc/passwd".to_vec())
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        FILES
            .iter()
            .find(|(name, _)| name.as_bytes() == path)
            .map(|(_, text)| Box::new(text.as_bytes()) as Box<dyn Read>)
            .ok_or_else(|| Self::not_found(path))
    }
}

fuzz_target!(|text: &str| {
    let file = SourceFile::new("metadata.rb", text);
    let files = TreeFiles {
        tree: &Source,
        base: TreePath::root(),
    };
    if let Ok(metadata) = Metadata::from_ruby(&file, &files, &Settings::default()) {
        let compiled = SourceFile::new("metadata.json", metadata.to_json());
        // Not every text that Chef writes can it read again: RubyGems prints the version `1-` `-a` as
        // `1.pre..pre.a`, which is none.
        let _ = Metadata::from_json(&compiled);
    }
});
