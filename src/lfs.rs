//! What stands in a repository in place of a file that git LFS keeps elsewhere.

use crate::digest::Digest;

/// Bytes of the longest text that is taken for a pointer (git-lfs, `docs/spec.md`).
pub const LONGEST_POINTER: usize = 1024;

/// A pointer to a file that git LFS keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// The SHA-256 of the file's content.
    pub oid: Digest,
    /// Bytes of the file.
    pub size: u64,
}

impl Pointer {
    /// Reads a whole file's content as a pointer; none if it is an ordinary file. The form is that of
    /// git-lfs's specification (git-lfs, `docs/spec.md`): lines of a key, a blank and a value, `version`
    /// first, the others in the order of their keys.
    pub fn parse(content: &[u8]) -> Option<Self> {
        if content.len() >= LONGEST_POINTER {
            return None;
        }
        let text = std::str::from_utf8(content).ok()?;
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let version = lines.next()?.strip_prefix("version ")?;
        if !VERSIONS.contains(&version) {
            return None;
        }
        let (mut oid, mut size, mut last) = (None, None, "");
        for line in lines {
            let (key, value) = line.split_once(' ')?;
            let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
            if key <= last || !key.chars().all(is_key) {
                return None;
            }
            last = key;
            match key {
                "oid" => oid = Some(value.strip_prefix("sha256:")?.parse().ok()?),
                "size" if value.bytes().all(|b| b.is_ascii_digit()) => {
                    size = Some(value.parse().ok()?);
                }
                "size" => return None,
                _ => {}
            }
        }
        Some(Self {
            oid: oid?,
            size: size?,
        })
    }
}

/// The first line's value: today's, and that of the time before the first release.
const VERSIONS: [&str; 2] = [
    "https://git-lfs.github.com/spec/v1",
    "https://hawser.github.com/spec/v1",
];

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    #[test]
    fn a_pointer_is_told_from_a_file_that_begins_like_one() {
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n");
        let found = Pointer::parse(pointer.as_bytes()).unwrap();
        assert_eq!((found.oid.to_string().as_str(), found.size), (OID, 12345));
        let extended = pointer.replace("oid ", "ext-0-foo sha256:1234\noid ");
        assert_eq!(Pointer::parse(extended.as_bytes()), Some(found));
        let old = pointer.replace("git-lfs", "hawser");
        assert_eq!(Pointer::parse(old.as_bytes()), Some(found));
        for other in [
            String::new(),
            "version 1\n".to_owned(),
            format!("{pointer}\nAnd this is a text about it.\n"),
            pointer.replace("size 12345", "size many"),
            pointer.replace("size 12345", "size +1"),
            pointer.replace("sha256:4d", "sha256:"),
            pointer.replace("sha256", "md5"),
            pointer.replace(&format!("oid sha256:{OID}\n"), ""),
            format!("size 12345\n{pointer}"),
            format!("{pointer}zzz {}\n", "x".repeat(LONGEST_POINTER)),
        ] {
            assert_eq!(Pointer::parse(other.as_bytes()), None, "{other}");
        }
    }
}
