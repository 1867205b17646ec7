//! Any bytes are read as an archive, in each format, and as what a gzip member holds; and an archive
//! that cookpack wrote is read after some of its bytes were changed. Nothing panics, nothing goes on for
//! ever. Of what is accepted, all that the receipt says is derived anew from what was read; reading it
//! in other pieces gives the same receipt; and neither a byte less nor a byte more is accepted.
#![no_main]

use std::io::{self, Read, Write};
use std::sync::{Arc, LazyLock};

use cookpack::archive::{
    ArchiveOptions, Format, ReadError, ReadFile, ReadReceipt, Visitor, read_archive,
};
use cookpack::digest::{ContentDigest, Digest};
use cookpack::event::CancelToken;
use cookpack::layout::{Layout, PackedCookbook, PlannedCookbook, plan_cookbook};
use cookpack::limits::Limits;
use cookpack::lockfile::Pin;
use cookpack::manifest::Manifest;
use cookpack::path::{ArchivePath, TreePath};
use cookpack::tree::{EntryKind, Tree, TreeEntry, TreeError};
use libfuzzer_sys::fuzz_target;

/// A cookbook with a long name in it, an empty file and a program.
struct Source;

const FILES: [(&str, &str, bool); 4] = [
    ("default.rb", "package 'x'\npackage 'x'\npackage 'x'\n", false),
    ("empty", "", false),
    ("run", "#!/bin/sh\n", true),
    (
        "é-a-name-that-is-far-too-long-for-the-field-of-one-hundred-bytes-that-a-header-has-and-for-any-prefix-since-no-folder-is-in-it",
        "x",
        false,
    ),
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

    fn entries(&self, _: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |(name, _, executable): (&str, &str, bool)| TreeEntry {
            name: name.as_bytes().to_vec(),
            kind: EntryKind::File { executable },
        };
        Ok(FILES.into_iter().map(entry).collect())
    }

    fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
        let file = FILES.into_iter().find(|(name, ..)| name.as_bytes() == path);
        Ok(match path {
            b"" => Some(EntryKind::Directory),
            _ => file.map(|(.., executable)| EntryKind::File { executable }),
        })
    }

    fn link_target(&self, path: &[u8]) -> Result<Vec<u8>, TreeError> {
        Err(Self::not_found(path))
    }

    fn open(&self, path: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
        FILES
            .iter()
            .find(|(name, ..)| name.as_bytes() == path)
            .map(|(_, text, _)| Box::new(text.as_bytes()) as Box<dyn Read>)
            .ok_or_else(|| Self::not_found(path))
    }
}

/// What cookpack writes of it, in each format.
static WRITTEN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let tree: Arc<dyn Tree> = Arc::new(Source);
    let (root, limits, cancel) = (TreePath::root(), Limits::default(), CancelToken::default());
    let planned = ["apt", "web"].map(|name| {
        let plan = plan_cookbook(&*tree, &root, &limits, &cancel).expect("a plan");
        PlannedCookbook {
            packed: PackedCookbook {
                name: name.parse().expect("a name"),
                version: "1.0.0".parse().expect("a version"),
                pin: Pin::Path {
                    path: name.to_owned(),
                    dirty: false,
                },
                content: plan.content_digest().expect("a digest"),
            },
            tree: Arc::clone(&tree),
            plan,
            metadata_rb: None,
            compiled_metadata: format!("{{\"name\":\"{name}\"}}\n").into(),
        }
    });
    let manifest = Manifest::parse("cookpack.toml", "[bundle]\nname = \"x\"\n").expect("a manifest");
    let layout = Layout::of(&manifest, manifest.bundle.layout, planned.into()).expect("a layout");
    Format::ALL
        .into_iter()
        .map(|format| {
            let mut bytes = Vec::new();
            let options = ArchiveOptions::default();
            layout
                .write_to(&mut bytes, format, &options)
                .expect("an archive");
            bytes
        })
        .collect()
});

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.archive_bytes = 1 << 20;
    limits.archive_files = 1000;
    limits
}

/// Takes everything.
#[derive(Default)]
struct Collect {
    contents: Vec<(String, Vec<u8>)>,
    files: Vec<(String, bool, Digest)>,
}

impl Visitor for Collect {
    fn content(&mut self, path: &ArchivePath, content: &mut dyn Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        self.contents.push((path.to_string(), bytes));
        Ok(())
    }

    fn file(&mut self, file: &ReadFile<'_>) -> io::Result<()> {
        let path = file.path.to_string();
        self.files.push((path, file.executable, file.digest));
        Ok(())
    }
}

/// Gives a few bytes at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(7);
        self.0.read(&mut into[..count])
    }
}

fn read(
    mut bytes: &[u8],
    format: Option<Format>,
    visitor: &mut dyn Visitor,
) -> Result<ReadReceipt, ReadError> {
    read_archive(&mut bytes, format, &limits(), visitor, &CancelToken::default())
}

fn check(bytes: &[u8], format: Option<Format>) {
    let mut taken = Collect::default();
    let receipt = match read(bytes, format, &mut taken) {
        Ok(receipt) => receipt,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(receipt.size, bytes.len() as u64);
    assert_eq!(receipt.archive, Digest::of(bytes));
    assert_eq!(receipt.files, taken.files.len() as u64);
    assert_eq!(taken.contents.len(), taken.files.len());
    let mut size = 0;
    for ((path, content), (name, _, digest)) in taken.contents.iter().zip(&taken.files) {
        assert_eq!(path, name);
        assert_eq!(Digest::of(content), *digest);
        size += content.len() as u64;
    }
    assert_eq!(receipt.content_bytes, size);
    assert!(taken.files.is_sorted_by(|a, b| a.0 < b.0));
    let files = taken.files.iter().map(|(path, x, digest)| (&**path, *x, *digest));
    assert_eq!(receipt.content, ContentDigest::of(files));
    assert_eq!(receipt.container.is_none(), receipt.format == Format::Zip);

    let cancel = CancelToken::default();
    let again = read_archive(&mut Slow(bytes), format, &limits(), &mut (), &cancel);
    assert_eq!(again.expect("the same archive"), receipt);
    assert!(read(&bytes[..bytes.len() - 1], format, &mut ()).is_err());
    assert!(read(&[bytes, b"\0"].concat(), format, &mut ()).is_err());
}

fuzz_target!(|data: &[u8]| {
    let Some((&kind, data)) = data.split_first() else {
        return;
    };
    match kind % 8 {
        0 => check(data, None),
        1 => check(data, Some(Format::TarGz)),
        2 => check(data, Some(Format::Tar)),
        3 => check(data, Some(Format::Zip)),
        // A gzip member whose checksums are right, whatever it holds.
        4 => {
            let options = flate2::GzBuilder::new().operating_system(255);
            let mut member = options.write(Vec::new(), flate2::Compression::new(5));
            member.write_all(data).expect("memory");
            check(&member.finish().expect("memory"), Some(Format::TarGz));
        }
        // An offset and a byte for each change, or for something that is taken away or put in.
        kind => {
            let mut bytes = WRITTEN[usize::from(kind - 5)].clone();
            for change in data.chunks_exact(4).take(16) {
                if bytes.is_empty() {
                    break;
                }
                let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
                match change[2] % 3 {
                    0 => bytes[at] ^= change[3],
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, change[3]),
                }
            }
            check(&bytes, None);
        }
    }
});
