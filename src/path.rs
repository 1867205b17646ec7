//! Paths inside archives and inside source trees: always relative, always `/`.

use std::fmt;
use std::ops::RangeInclusive;

/// A path that every consumer of an archive can hold: relative, UTF-8, `/` between components, and
/// no component that a reader drops or that Windows cannot store. Orders by its bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchivePath(Box<str>);

/// Why a path cannot stand in an archive.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// The path is empty, absolute, or has an empty, `.` or `..` component.
    #[error("it is not a plain relative path")]
    NotRelative,
    /// A component ends in `..`: the pure-Ruby reader of Chef 12 to 14 skips such a file silently
    /// (chef/mixlib-archive, `lib/mixlib/archive/tar.rb`).
    #[error("`{component}` ends in `..`, and Chef's own reader of archives skips such a path")]
    EndsInDots {
        /// The component.
        component: String,
    },
    /// The bytes are not UTF-8.
    #[error("its name is not UTF-8")]
    NotUtf8,
    /// A character that no Windows file name can have.
    #[error("`{component}` has the character `{}`, which no file name on Windows can have", character.escape_debug())]
    WindowsCharacter {
        /// The component.
        component: String,
        /// The character.
        character: char,
    },
    /// A name of a device on Windows, whatever its ending.
    #[error("`{component}` is the name of a device on Windows")]
    WindowsDevice {
        /// The component.
        component: String,
    },
    /// A trailing dot or blank, which Windows cuts off.
    #[error("`{component}` ends in a dot or a blank, which Windows cuts off")]
    WindowsTrailing {
        /// The component.
        component: String,
    },
}

/// Characters that Windows forbids, beside the control characters.
const WINDOWS_FORBIDDEN: [u8; 8] = *b"<>:\"|?*\\";

/// Whether a byte is one of these or of a control character.
const FORBIDDEN: [bool; 256] = {
    let mut forbidden = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        forbidden[byte] = true;
        byte += 1;
    }
    let mut index = 0;
    while index < WINDOWS_FORBIDDEN.len() {
        forbidden[WINDOWS_FORBIDDEN[index] as usize] = true;
        index += 1;
    }
    forbidden
};

/// Device names of Windows; COM and LPT take a digit, superscripts included.
const WINDOWS_DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Bytes of such names: the longest is `conout$`.
const WINDOWS_STEMS: RangeInclusive<usize> = 3..=7;

impl ArchivePath {
    /// Checks raw bytes, as a tree gives them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PathProblem> {
        Self::new(std::str::from_utf8(bytes).map_err(|_| PathProblem::NotUtf8)?)
    }

    /// Checks a text.
    pub fn new(text: &str) -> Result<Self, PathProblem> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }

    /// Whether a text is such a path.
    pub(crate) fn check(text: &str) -> Result<(), PathProblem> {
        match text.is_empty() {
            true => Err(PathProblem::NotRelative),
            // A million paths may be checked of which each is as plain as can be.
            false if text.as_bytes().split(|b| *b == b'/').all(is_plain) => Ok(()),
            false => text.split('/').try_for_each(check_component),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This path below a folder.
    pub(crate) fn below(&self, folder: &ArchivePath) -> ArchivePath {
        let mut path = String::with_capacity(folder.0.len() + 1 + self.0.len());
        path.push_str(&folder.0);
        path.push('/');
        path.push_str(&self.0);
        ArchivePath(path.into())
    }

    /// The folders above the path, the nearest first.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            rest = rest.rsplit_once('/')?.0;
            Some(rest)
        })
    }

    /// The form in which two paths are equal that a file system blind to case cannot tell apart.
    pub fn case_folded(&self) -> String {
        fold_case(&self.0)
    }
}

/// See [`ArchivePath::case_folded`]: upper case first, so that `ß`, `ſ` and Kelvin's sign meet their
/// twins.
pub fn fold_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.to_uppercase().to_lowercase()
}

/// Whether a component is for certain one that [`check_component`] has nothing against.
fn is_plain(component: &[u8]) -> bool {
    let [first, .., last] = component else {
        return false;
    };
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let stem = component.iter().position(|b| *b == b'.');
    let stem = stem.unwrap_or(component.len());
    let may_be_device = begins_as_windows_device(*first) && WINDOWS_STEMS.contains(&stem);
    *last != b'.' && !may_be_device && component.iter().all(is_word)
}

fn check_component(component: &str) -> Result<(), PathProblem> {
    if matches!(component, "" | "." | "..") {
        return Err(PathProblem::NotRelative);
    }
    let owned = || component.to_owned();
    if component.ends_with("..") {
        return Err(PathProblem::EndsInDots { component: owned() });
    }
    // All of them are ASCII, and no part of another character.
    let is_forbidden = |b: u8| FORBIDDEN[usize::from(b)];
    if let Some(character) = component.bytes().find(|b| is_forbidden(*b)).map(char::from) {
        return Err(PathProblem::WindowsCharacter {
            component: owned(),
            character,
        });
    }
    if component.ends_with(['.', ' ']) {
        return Err(PathProblem::WindowsTrailing { component: owned() });
    }
    if is_windows_device(component) {
        return Err(PathProblem::WindowsDevice { component: owned() });
    }
    Ok(())
}

/// Whether the name of a device on Windows may begin so.
fn begins_as_windows_device(first: u8) -> bool {
    matches!(first | 0x20, b'c' | b'p' | b'a' | b'n' | b'l')
}

fn is_windows_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or(component);
    let stem = stem.trim_end_matches(' ');
    if !WINDOWS_STEMS.contains(&stem.len()) {
        return false;
    }
    if !stem
        .as_bytes()
        .first()
        .copied()
        .is_some_and(begins_as_windows_device)
    {
        return false;
    }
    let stem = stem.to_ascii_lowercase();
    if WINDOWS_DEVICES.contains(&&*stem) {
        return true;
    }
    let port = stem
        .strip_prefix("com")
        .or_else(|| stem.strip_prefix("lpt"));
    port.is_some_and(|digit| {
        matches!(
            digit,
            "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
        )
    })
}

impl fmt::Display for ArchivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ArchivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// A folder inside a source's tree: relative, `/` between components, never upwards. Empty is the
/// tree's root. `./x/` is read as `x`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Box<str>);

/// A text that is no folder inside a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a folder inside the source: write a relative path with `/` and without `..`", found.escape_debug())]
pub struct InvalidTreePath {
    /// The text.
    pub found: String,
}

impl TreePath {
    /// The tree's own root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a path as a person writes it.
    pub fn parse(text: &str) -> Result<Self, InvalidTreePath> {
        let invalid = || InvalidTreePath {
            found: text.to_owned(),
        };
        if text.starts_with('/') || text.contains(['\\', '\0', '\n']) {
            return Err(invalid());
        }
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        if parts.contains(&"..") {
            return Err(invalid());
        }
        Ok(Self(parts.join("/").into()))
    }

    /// The path as text; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the tree's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of a path below this folder.
    pub fn join(&self, below: &[u8]) -> Vec<u8> {
        join_bytes(self.0.as_bytes(), below)
    }

    /// This folder and those above it, the nearest first, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let mut next = Some(&*self.0);
        std::iter::from_fn(move || {
            let here = next?;
            next = match here.rsplit_once('/') {
                Some((parent, _)) => Some(parent),
                None if here.is_empty() => None,
                None => Some(""),
            };
            Some(here)
        })
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

/// Two paths with one `/` between them; either may be empty.
pub(crate) fn join_bytes(folder: &[u8], below: &[u8]) -> Vec<u8> {
    let mut path = folder.to_vec();
    if !path.is_empty() && !below.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(below);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass() {
        for good in [
            "a",
            "a/b.rb",
            ".kitchen.yml",
            "a/.b",
            "é/ü",
            "a b/c",
            "...x",
            "com10",
            "console",
            "a~b",
            "templates/default/x.erb",
        ] {
            assert_eq!(ArchivePath::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn each_bad_path_has_its_own_problem() {
        let problem = |bytes: &[u8]| ArchivePath::from_bytes(bytes).unwrap_err();
        for bad in ["", "/a", "a//b", "a/", "./a", "a/../b", ".."] {
            assert_eq!(problem(bad.as_bytes()), PathProblem::NotRelative, "{bad:?}");
        }
        assert!(
            matches!(problem(b"a/foo../b"), PathProblem::EndsInDots { component } if component == "foo..")
        );
        assert_eq!(problem(b"a/\xff"), PathProblem::NotUtf8);
        for bad in ["a:b", "a\\b", "a?b", "a*b", "a|b", "a<b", "a\"b", "a\nb"] {
            assert!(
                matches!(
                    problem(bad.as_bytes()),
                    PathProblem::WindowsCharacter { .. }
                ),
                "{bad:?}"
            );
        }
        for bad in ["NUL", "aux.rb", "x/Com1", "lpt9.tar.gz", "con .txt", "com²"] {
            assert!(
                matches!(problem(bad.as_bytes()), PathProblem::WindowsDevice { .. }),
                "{bad:?}"
            );
        }
        for bad in ["a.", "a /b"] {
            assert!(
                matches!(problem(bad.as_bytes()), PathProblem::WindowsTrailing { .. }),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn what_is_plain_for_certain_is_nothing_bad() {
        let parts = [
            "con", "COM1", "lpt", "nul", "aux", "prn", "a", "b", "9", ".", "..", "-", "_", " ",
            "$", ":", "é", "recipes", "out",
        ];
        let mut state = 1_u32;
        let mut next = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % below
        };
        let mut plain = 0;
        for _ in 0..100_000 {
            let component: String = (0..=next(4)).map(|_| parts[next(parts.len())]).collect();
            if is_plain(component.as_bytes()) {
                plain += 1;
                assert_eq!(check_component(&component), Ok(()), "{component:?}");
            }
        }
        assert!(plain > 10_000, "{plain}");
        for plain in [
            "README.md",
            "attributes",
            "cookbook0001",
            "x-b_c.erb",
            ".kitchen.yml",
        ] {
            assert!(is_plain(plain.as_bytes()), "{plain}");
        }
        for other in [
            "con",
            "nul.tar.gz.and.more",
            "com1.rb",
            "a.",
            "é.rb",
            "",
            "a b",
        ] {
            assert!(!is_plain(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert_eq!(fold_case("README"), fold_case("readme"));
        assert_eq!(fold_case("É"), fold_case("é"));
        assert_eq!(fold_case("ſ"), fold_case("s"));
        assert_ne!(fold_case("a"), fold_case("b"));
    }

    #[test]
    fn tree_paths_are_normalised_and_never_lead_up() {
        assert_eq!(
            TreePath::parse("./cookbooks//web/").unwrap().as_str(),
            "cookbooks/web"
        );
        assert!(TreePath::parse(".").unwrap().is_root());
        for bad in ["/a", "../a", "a/../../b", "a\\b"] {
            assert!(TreePath::parse(bad).is_err(), "{bad:?}");
        }
        let deep = TreePath::parse("a/b").unwrap();
        assert_eq!(deep.ancestors().collect::<Vec<_>>(), ["a/b", "a", ""]);
        assert_eq!(TreePath::root().ancestors().collect::<Vec<_>>(), [""]);
    }
}
