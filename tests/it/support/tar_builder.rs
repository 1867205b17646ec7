//! Writes tarballs as nobody should: each header is filled in by hand, so that the tests of the
//! strict reader can lie in any field. The crate's own tests include this file too.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// A tar that is being written.
#[derive(Clone, Default)]
pub(crate) struct TarBuilder {
    bytes: Vec<u8>,
}

/// One header.
pub(crate) struct Entry<'a> {
    pub(crate) path: &'a str,
    pub(crate) letter: u8,
    pub(crate) target: &'a str,
    pub(crate) mode: u32,
    /// What the header says; the content's length if it says nothing else.
    pub(crate) size: Option<u64>,
    pub(crate) content: &'a [u8],
}

impl Default for Entry<'_> {
    fn default() -> Self {
        Self {
            path: "",
            letter: b'0',
            target: "",
            mode: 0o644,
            size: None,
            content: b"",
        }
    }
}

impl TarBuilder {
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(&Entry {
            path,
            content: content.as_ref(),
            ..Entry::default()
        })
    }

    pub(crate) fn program(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(&Entry {
            path,
            mode: 0o755,
            content: content.as_ref(),
            ..Entry::default()
        })
    }

    pub(crate) fn folder(self, path: &str) -> Self {
        self.of_type(b'5', path, "")
    }

    pub(crate) fn symlink(self, path: &str, target: &str) -> Self {
        self.of_type(b'2', path, target)
    }

    pub(crate) fn hard_link(self, path: &str, target: &str) -> Self {
        self.of_type(b'1', path, target)
    }

    /// An entry without a content.
    pub(crate) fn of_type(self, letter: u8, path: &str, target: &str) -> Self {
        self.entry(&Entry {
            path,
            letter,
            target,
            ..Entry::default()
        })
    }

    /// A record of pax with lines of a key and a value.
    pub(crate) fn pax(self, letter: u8, lines: &[(&str, &str)]) -> Self {
        let mut content = Vec::new();
        for (key, value) in lines {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while length != rest + length.to_string().len() {
                length = rest + length.to_string().len();
            }
            content.extend(format!("{length} {key}={value}\n").bytes());
        }
        self.record(letter, content)
    }

    /// A record of any content: `x` and `g` of pax, `L` and `K` of GNU.
    pub(crate) fn record(self, letter: u8, content: impl AsRef<[u8]>) -> Self {
        self.entry(&Entry {
            path: "././@Record",
            letter,
            content: content.as_ref(),
            ..Entry::default()
        })
    }

    pub(crate) fn entry(self, entry: &Entry<'_>) -> Self {
        let mut block = [0; 512];
        block[..entry.path.len()].copy_from_slice(entry.path.as_bytes());
        block[157..157 + entry.target.len()].copy_from_slice(entry.target.as_bytes());
        let size = entry.size.unwrap_or(entry.content.len() as u64);
        let fields = [
            (100..108, u64::from(entry.mode)),
            (108..116, 0),
            (116..124, 0),
            (124..136, size),
            (136..148, 0),
        ];
        for (field, value) in fields {
            let digits = format!("{value:0width$o}\0", width = field.len() - 1);
            block[field].copy_from_slice(digits.as_bytes());
        }
        block[156] = entry.letter;
        block[257..265].copy_from_slice(b"ustar\x0000");
        self.block(block).content(entry.content)
    }

    /// A header as it is given, but for its checksum.
    pub(crate) fn block(self, mut block: [u8; 512]) -> Self {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.raw(block)
    }

    fn content(self, content: &[u8]) -> Self {
        let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
        self.raw(content).raw(padding)
    }

    /// Any bytes.
    pub(crate) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(bytes.as_ref());
        self
    }

    /// The tar with its end.
    pub(crate) fn tar(self) -> Vec<u8> {
        self.raw([0; 1024]).bytes
    }

    /// The tar with its end, compressed.
    pub(crate) fn gzip(self) -> Vec<u8> {
        gzip(&self.tar())
    }
}

/// One member of gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
