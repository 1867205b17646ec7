//! Digests: of a file's bytes, and of content that has names and modes.

use std::fmt;
use std::str::FromStr;

use sha2::digest::common::hazmat::SerializableState as _;
use sha2::{Digest as _, Sha256};

/// A SHA-256. Displays as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}", found.escape_debug())]
pub struct InvalidDigest {
    /// The text.
    pub found: String,
    /// The form wanted.
    pub expected: &'static str,
}

impl Digest {
    /// The digest of a whole text.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes.as_ref()).into())
    }

    /// The digest that has these bytes.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hex digits.
    fn hex(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for ([high, low], byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *high = DIGITS[usize::from(byte >> 4)];
            *low = DIGITS[usize::from(byte & 0xf)];
        }
        text
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(s: &str) -> Result<Self, InvalidDigest> {
        let invalid = || InvalidDigest {
            found: s.to_owned(),
            expected: "a SHA-256 of 64 lower-case hex digits",
        };
        let mut bytes = [0; 32];
        if s.len() != 64 {
            return Err(invalid());
        }
        for (byte, pair) in bytes.iter_mut().zip(s.as_bytes().chunks(2)) {
            *byte = (hex(pair[0]).ok_or_else(invalid)? << 4) | hex(pair[1]).ok_or_else(invalid)?;
        }
        Ok(Self(bytes))
    }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Takes a digest of bytes that pass by.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }

    /// What is known of the bytes taken, from which another one can go on.
    pub(crate) fn state(&self) -> [u8; Self::STATE] {
        self.0.serialize().into()
    }

    /// The one that has this state, if it is one.
    pub(crate) fn from_state(state: &[u8; Self::STATE]) -> Option<Self> {
        Sha256::deserialize(&(*state).into()).ok().map(Self)
    }

    /// Bytes of a state. Its form is that of the crate `sha2`; a test pins it.
    pub(crate) const STATE: usize = 104;
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

/// The identity of content, apart from how it is packed. Displays as `c1:` and 64 hex digits.
///
/// It is the SHA-256 over one line a file, `<sha256 of the content>  <mode>  <path>` and a newline,
/// sorted by the paths' bytes, the mode being `644` or `755`. This form never changes. Over a
/// folder of files without the executable bit a shell gives the same:
///
/// ```text
/// find . -type f | sed 's|^\./||' | LC_ALL=C sort | while read -r f; do
///   printf '%s  644  %s\n' "$(sha256sum < "$f" | cut -c1-64)" "$f"; done | sha256sum
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest(Digest);

impl ContentDigest {
    /// What the text form begins with.
    const SCHEME: &'static str = "c1:";

    /// Digests files given as (path, executable, digest of the content), in any order.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, bool, Digest)>) -> Self {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        let mut hasher = ContentHasher::default();
        for (path, executable, digest) in files {
            hasher.file(path, executable, digest);
        }
        hasher.finish()
    }
}

/// Takes a [`ContentDigest`] of files that come in the order of their paths' bytes.
#[derive(Clone, Debug, Default)]
pub struct ContentHasher {
    hasher: Hasher,
    /// One file's: it is digested as a whole.
    line: Vec<u8>,
}

impl ContentHasher {
    /// Takes the next file, whose path's bytes must be greater than those of the one before.
    pub fn file(&mut self, path: &str, executable: bool, content: Digest) {
        self.entry(&[path], executable, content);
    }

    /// The same of a path in parts that follow one another.
    pub(crate) fn entry(&mut self, path: &[&str], executable: bool, content: Digest) {
        let mode = if executable { b"  755  " } else { b"  644  " };
        self.line.clear();
        self.line.extend_from_slice(&content.hex());
        self.line.extend_from_slice(mode);
        for part in path {
            self.line.extend_from_slice(part.as_bytes());
        }
        self.line.push(b'\n');
        self.hasher.update(&self.line);
    }

    /// The same, and for another one as well.
    pub(crate) fn entry_of_both(
        &mut self,
        other: &mut Self,
        path: &[&str],
        executable: bool,
        content: Digest,
    ) {
        self.entry(path, executable, content);
        other.hasher.update(&self.line);
    }

    /// The digest of all files taken.
    pub fn finish(self) -> ContentDigest {
        ContentDigest(self.hasher.finish())
    }
}

impl FromStr for ContentDigest {
    type Err = InvalidDigest;

    fn from_str(s: &str) -> Result<Self, InvalidDigest> {
        s.strip_prefix(Self::SCHEME)
            .and_then(|hex| hex.parse().ok())
            .map(Self)
            .ok_or(InvalidDigest {
                found: s.to_owned(),
                expected: "a content digest: `c1:` and 64 lower-case hex digits",
            })
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::SCHEME, self.0)
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The identity of an uncompressed tar. Displays as `t1:` and 64 hex digits.
///
/// It is the SHA-256 over one line a segment, `<the segment's digest>  <folder>` and a newline, in the
/// tar's order. A segment is a run of entries in one folder, see [`ContainerHasher::folder_of`]. Its
/// digest is the SHA-256 over what each entry has before its content, which is a header and maybe the
/// record of a long name, followed by the 32 bytes of the SHA-256 of that content: [`SegmentHasher`].
/// So each byte of the tar counts but for the zeros that fill blocks up and end it, and whoever knows
/// the digests of the contents, or of segments that are not there, needs not read them. This form never
/// changes. Python gives the same for a tar that cookpack wrote:
///
/// ```text
/// import hashlib, itertools, sys, tarfile
/// def folder(entry):
///     parts = entry.name.split("/")
///     return "/".join(parts[: 2 if parts[0] == "cookbooks" else 1])
/// tar = open(sys.argv[1], "rb").read()
/// entries = tarfile.open(sys.argv[1], encoding="utf-8").getmembers()
/// lines = ""
/// for name, run in itertools.groupby(entries, folder):
///     segment = hashlib.sha256()
///     for entry in run:
///         content = tar[entry.offset_data : entry.offset_data + entry.size]
///         segment.update(tar[entry.offset : entry.offset_data])
///         segment.update(hashlib.sha256(content).digest())
///     lines += f"{segment.hexdigest()}  {name}\n"
/// print("t1:" + hashlib.sha256(lines.encode()).hexdigest())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerDigest(Digest);

impl ContainerDigest {
    /// What the text form begins with.
    const SCHEME: &'static str = "t1:";
}

impl FromStr for ContainerDigest {
    type Err = InvalidDigest;

    fn from_str(s: &str) -> Result<Self, InvalidDigest> {
        s.strip_prefix(Self::SCHEME)
            .and_then(|hex| hex.parse().ok())
            .map(Self)
            .ok_or(InvalidDigest {
                found: s.to_owned(),
                expected: "a container digest: `t1:` and 64 lower-case hex digits",
            })
    }
}

impl fmt::Display for ContainerDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::SCHEME, self.0)
    }
}

impl fmt::Debug for ContainerDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Takes the digest of one segment of a tar, see [`ContainerDigest`], of entries that come in the tar's
/// order.
#[derive(Clone, Debug, Default)]
pub struct SegmentHasher(Hasher);

impl SegmentHasher {
    /// Takes the next entry: all that stands before its content, and the digest of the content.
    pub fn entry(&mut self, header: &[u8], content: Digest) {
        self.0.update(header);
        self.0.update(content.as_bytes());
    }

    /// The digest of all entries taken.
    pub fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// Takes a [`ContainerDigest`] of segments that come in the tar's order.
#[derive(Clone, Debug, Default)]
pub struct ContainerHasher(Hasher);

impl ContainerHasher {
    /// The folder by which an entry's path belongs to a segment: its first component, or the first
    /// two where the first is `cookbooks`. The path alone decides, so that whoever reads an archive
    /// finds the same segments without knowing the arrangement of its folders.
    pub fn folder_of(path: &str) -> &str {
        let mut slashes = path.match_indices('/').map(|(at, _)| at);
        let end = match slashes.next() {
            Some(first) if &path[..first] == "cookbooks" => slashes.next(),
            first => first,
        };
        &path[..end.unwrap_or(path.len())]
    }

    /// Takes the next segment: its folder and its digest.
    pub fn line(&mut self, folder: &str, segment: Digest) {
        for part in [&*segment.to_string(), "  ", folder, "\n"] {
            self.0.update(part.as_bytes());
        }
    }

    /// The digest of all segments taken.
    pub fn finish(self) -> ContainerDigest {
        ContainerDigest(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_print_and_parse() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of("").to_string(), empty);
        assert_eq!(empty.parse(), Ok(Digest::of("")));
        assert!(empty.to_uppercase().parse::<Digest>().is_err());
        assert!(empty[1..].parse::<Digest>().is_err());
    }

    #[test]
    fn a_digest_goes_on_from_a_state() {
        let bytes: Vec<u8> = (0..1000_u32).map(|n| ((n * n) >> 3) as u8).collect();
        for cut in [0, 1, 63, 64, 65, 127, 128, 500, 1000] {
            let mut hasher = Hasher::default();
            hasher.update(&bytes[..cut]);
            let mut other = Hasher::from_state(&hasher.state()).expect("a state");
            other.update(&bytes[cut..]);
            assert_eq!(other.finish(), Digest::of(&bytes), "{cut}");
        }
        assert!(Hasher::from_state(&[0xff; Hasher::STATE]).is_none());
    }

    #[test]
    fn the_form_of_a_state_is_pinned() {
        // Whoever changes this raises `FORM` in `archive/trail.rs`: states are kept.
        let mut hasher = Hasher::default();
        hasher.update(&[7; 200]);
        let digest = Digest::of(hasher.state());
        let pinned = "6308cd634b44e54b7f72c255eb43c008de8300119787d8eac83297ac8bab05c6";
        assert_eq!(digest.to_string(), pinned);
    }

    #[test]
    fn a_content_digest_is_the_digest_of_its_sorted_lines() {
        let (a, b) = (Digest::of("a"), Digest::of("b"));
        let text = format!("{b}  755  bin/run\n{a}  644  recipes/default.rb\n");
        let digest = ContentDigest::of([("recipes/default.rb", false, a), ("bin/run", true, b)]);
        assert_eq!(digest.to_string(), format!("c1:{}", Digest::of(text)));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("c2:00".parse::<ContentDigest>().is_err());
    }

    #[test]
    fn a_container_digest_is_the_digest_of_its_lines_in_their_order() {
        let (a, b) = (Digest::of("a"), Digest::of("b"));
        let mut hasher = ContainerHasher::default();
        hasher.line("web", a);
        hasher.line("apt", b);
        let digest = hasher.finish();
        let wanted = Digest::of(format!("{a}  web\n{b}  apt\n"));
        assert_eq!(digest.to_string(), format!("t1:{wanted}"));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in [
            format!("c1:{wanted}"),
            wanted.to_string(),
            "t1:00".to_owned(),
        ] {
            assert!(bad.parse::<ContainerDigest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_segments_digest_is_that_of_headers_and_of_digests() {
        let (a, b) = (Digest::of("a"), Digest::of("b"));
        let mut hasher = SegmentHasher::default();
        hasher.entry(b"first header", a);
        hasher.entry(b"second", b);
        let parts = [b"first header", &a.as_bytes()[..], b"second", b.as_bytes()];
        assert_eq!(hasher.finish(), Digest::of(parts.concat()));
    }

    #[test]
    fn the_folder_of_a_path_is_its_cookbook() {
        for (path, folder) in [
            ("apt/recipes/default.rb", "apt"),
            ("cookbooks/apt/recipes/default.rb", "cookbooks/apt"),
            ("cookbooks/apt", "cookbooks/apt"),
            ("cookbooks", "cookbooks"),
            ("cookbooks2/apt/x", "cookbooks2"),
            ("apt", "apt"),
        ] {
            assert_eq!(ContainerHasher::folder_of(path), folder, "{path}");
        }
    }
}
