//! A reader of tar.gz that is strict on purpose, and shares no code with what wrote the archive: each
//! byte of each header is taken apart here.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::bufread::GzDecoder;

use super::sha256;

/// One entry.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) path: String,
    pub(crate) data: Vec<u8>,
    /// The header of the entry itself.
    pub(crate) header: [u8; 512],
    /// The header of the `@LongLink` record before it, if there is one.
    pub(crate) long: Option<[u8; 512]>,
    /// Where its first header stands in the container.
    begin: usize,
    /// Where its content does.
    content: usize,
}

impl Member {
    /// Bytes of a field, by its place in the header.
    pub(crate) fn field(&self, at: std::ops::Range<usize>) -> &[u8] {
        &self.header[at]
    }

    pub(crate) fn mode(&self) -> u64 {
        octal(self.field(100..108))
    }

    pub(crate) fn mtime(&self) -> u64 {
        octal(self.field(136..148))
    }
}

/// A whole archive.
pub(crate) struct Tarball {
    /// The uncompressed container.
    pub(crate) container: Vec<u8>,
    pub(crate) members: Vec<Member>,
    /// Bytes after the last entry.
    pub(crate) trailer: usize,
}

impl Tarball {
    /// Reads an archive that must be one gzip member.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let mut container = Vec::new();
        GzDecoder::new(&mut rest)
            .read_to_end(&mut container)
            .expect("a sound gzip member");
        assert!(rest.is_empty(), "{} bytes after the member", rest.len());
        Self::parse(container)
    }

    pub(crate) fn parse(container: Vec<u8>) -> Self {
        let mut members = Vec::new();
        let mut at = 0;
        let mut long: Option<(String, [u8; 512], usize)> = None;
        loop {
            let header = block(&container, at);
            if header == [0; 512] {
                break;
            }
            check_sum(&header);
            let begin = at;
            let size = usize::try_from(octal(&header[124..136])).expect("a size");
            let end = at + 512 + size;
            let data = container.get(at + 512..end).expect("the data").to_vec();
            let padding = (512 - size % 512) % 512;
            let filler = container.get(end..end + padding).expect("the padding");
            assert!(filler.iter().all(|&b| b == 0), "padding of zeros");
            at = end + padding;
            match header[156] {
                b'L' => {
                    assert!(long.is_none(), "two @LongLink records in a row");
                    let path = data.strip_suffix(b"\0").expect("a NUL at the end");
                    assert!(!path.contains(&0), "one NUL, at the end");
                    let path = String::from_utf8(path.to_vec()).expect("UTF-8");
                    long = Some((path, header, begin));
                }
                b'0' => {
                    let (path, long, begin) = match long.take() {
                        Some((path, header, begin)) => (path, Some(header), begin),
                        None => (ustar_path(&header), None, begin),
                    };
                    members.push(Member {
                        path,
                        data,
                        header,
                        long,
                        begin,
                        content: end - size,
                    });
                }
                other => panic!("an entry of type {:?}", char::from(other)),
            }
        }
        assert!(long.is_none(), "a @LongLink record without its entry");
        let trailer = &container[at..];
        assert!(trailer.iter().all(|&b| b == 0), "zeros at the end");
        let trailer = trailer.len();
        Self {
            container,
            members,
            trailer,
        }
    }

    pub(crate) fn paths(&self) -> Vec<&str> {
        self.members.iter().map(|m| &*m.path).collect()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.members.iter().any(|m| m.path == path)
    }

    pub(crate) fn member(&self, path: &str) -> &Member {
        let found = self.members.iter().find(|m| m.path == path);
        found.unwrap_or_else(|| panic!("no {path} among {:#?}", self.paths()))
    }

    /// The identity of the container, written down a second time from its definition.
    pub(crate) fn container_digest(&self) -> String {
        let folder = |member: &Member| {
            let parts: Vec<&str> = member.path.split('/').collect();
            let depth = if parts[0] == "cookbooks" { 2 } else { 1 };
            parts[..depth.min(parts.len())].join("/")
        };
        let mut segments: Vec<(String, Vec<u8>)> = Vec::new();
        for member in &self.members {
            let folder = folder(member);
            if segments.last().is_none_or(|(last, _)| *last != folder) {
                segments.push((folder, Vec::new()));
            }
            let (_, segment) = segments.last_mut().expect("a segment");
            segment.extend_from_slice(&self.container[member.begin..member.content]);
            segment.extend(unhex(&sha256(&member.data)));
        }
        let line = |(name, segment): &(String, Vec<u8>)| format!("{}  {name}\n", sha256(segment));
        let lines: String = segments.iter().map(line).collect();
        format!("t1:{}", sha256(lines))
    }

    /// The content of one entry, as text.
    pub(crate) fn text(&self, path: &str) -> &str {
        std::str::from_utf8(&self.member(path).data).expect("UTF-8")
    }

    /// Path to content and mode.
    pub(crate) fn files(&self) -> BTreeMap<&str, (&[u8], u64)> {
        self.members
            .iter()
            .map(|m| (&*m.path, (&*m.data, m.mode())))
            .collect()
    }
}

/// The bytes of a text of hex digits.
fn unhex(text: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("two hex digits");
    (0..text.len()).step_by(2).map(pair).collect()
}

fn block(container: &[u8], at: usize) -> [u8; 512] {
    let block = container.get(at..at + 512).expect("a block of 512 bytes");
    block.try_into().expect("512 bytes")
}

/// A number as ustar writes it: octal digits that fill the field, and a NUL.
pub(crate) fn octal(field: &[u8]) -> u64 {
    let digits = field.strip_suffix(b"\0").expect("a NUL ends the field");
    let digits = std::str::from_utf8(digits).expect("digits");
    u64::from_str_radix(digits, 8).unwrap_or_else(|e| panic!("{digits:?}: {e}"))
}

fn check_sum(header: &[u8; 512]) {
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(i, &b)| match (148..156).contains(&i) {
            true => u64::from(b' '),
            false => u64::from(b),
        })
        .sum();
    let written = format!("{sum:06o}\0 ");
    assert_eq!(&header[148..156], written.as_bytes(), "the checksum");
}

fn ustar_path(header: &[u8; 512]) -> String {
    let text = |field: &[u8]| {
        let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
        assert!(field[end..].iter().all(|&b| b == 0), "NULs to the end");
        String::from_utf8(field[..end].to_vec()).expect("UTF-8")
    };
    let (name, prefix) = (text(&header[0..100]), text(&header[345..500]));
    match prefix.is_empty() {
        true => name,
        false => format!("{prefix}/{name}"),
    }
}
