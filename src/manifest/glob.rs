//! A pattern that names the folders of cookbooks: `glob = "cookbooks/*"`.

use std::fmt;
use std::sync::Arc;

use super::{GitRef, GitUrl, Requirement, Source};
use crate::chefignore::fnmatch;
use crate::path::{TreePath, join_bytes};
use crate::text::Location;
use crate::tree::{EntryKind, Tree, TreeError};
use crate::version::Constraint;

/// A pattern for folders of a tree. Each component is matched by itself, as Ruby's `File.fnmatch`
/// without flags matches a name: `*` and `?` never cross a `/`, nor do they match a dot at the front.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob(Box<str>);

/// A text that is no pattern for folders.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no pattern for folders: {problem}", found.escape_debug())]
pub struct InvalidGlob {
    /// The text.
    pub found: String,
    /// What is wrong with it.
    pub problem: &'static str,
    /// What to write instead.
    pub hint: &'static str,
}

impl Glob {
    /// Reads a pattern as a person writes it. `./x/*/` is read as `x/*`.
    ///
    /// # Errors
    /// When it leads out of its source, crosses folders, has no wildcard, or has one that other tools
    /// read in another way.
    pub fn parse(text: &str) -> Result<Self, InvalidGlob> {
        let invalid = |problem, hint| InvalidGlob {
            found: text.to_owned(),
            problem,
            hint,
        };
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        if text.starts_with('/') || parts.contains(&"..") {
            return Err(invalid(
                "it leads out of the source",
                "write a relative pattern without `..`, such as `cookbooks/*`",
            ));
        }
        if text.contains(|c: char| c == '\\' || c.is_control()) {
            return Err(invalid(
                "it has a backslash or a control character",
                "write `/` between folders, and `[*]` for a star that is meant as one",
            ));
        }
        if text.contains("**") {
            return Err(invalid(
                "`**` would look through every folder",
                "write each level: `*/cookbooks/*`",
            ));
        }
        if text.contains(['{', '}']) {
            return Err(invalid(
                "it has braces, which mean nothing here",
                "write an entry for each of the patterns",
            ));
        }
        if !parts.iter().all(|part| has_closed_sets(part)) {
            return Err(invalid(
                "a `[` in it is not closed, or empty",
                "write a set of characters as in `[a-z]`",
            ));
        }
        if !text.contains(WILDCARDS) {
            return Err(invalid(
                "it has no `*`, `?` or `[..]`",
                "write `cookbooks/*` for the cookbooks in `cookbooks`; a single folder is named by `rel`, or in `path`",
            ));
        }
        Ok(Self(parts.join("/").into()))
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names the folder at a path, which is relative and has `/` between its components.
    pub fn matches(&self, path: &str) -> bool {
        let mut names = path.split('/');
        self.components()
            .all(|part| names.next().is_some_and(|name| fnmatch(part, name)))
            && names.next().is_none()
    }

    /// The cookbooks' folders that the pattern names below the folder `base` of a tree: those that hold a
    /// metadata.rb or a metadata.json. They are relative to `base` and sorted. Only folders that the
    /// pattern can match are looked into. Links are not followed, and a folder whose name no [`TreePath`]
    /// can hold is passed over.
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn expand(&self, tree: &dyn Tree, base: &TreePath) -> Result<Vec<TreePath>, TreeError> {
        let mut folders = vec![Vec::new()];
        for component in self.components() {
            let mut inner = Vec::new();
            for folder in folders {
                if !component.contains(WILDCARDS) {
                    let path = join_bytes(&folder, component.as_bytes());
                    if tree.kind(&base.join(&path))? == Some(EntryKind::Directory) {
                        inner.push(path);
                    }
                    continue;
                }
                for entry in tree.entries(&base.join(&folder))? {
                    let is_named = |name| fnmatch(component, name);
                    if entry.kind == EntryKind::Directory
                        && std::str::from_utf8(&entry.name).is_ok_and(is_named)
                    {
                        inner.push(join_bytes(&folder, &entry.name));
                    }
                }
            }
            folders = inner;
        }
        let mut found = Vec::new();
        for folder in folders {
            let path = std::str::from_utf8(&folder).ok();
            let Some(path) = path.and_then(|path| TreePath::parse(path).ok()) else {
                continue;
            };
            if is_cookbook(tree, &base.join(&folder))? {
                found.push(path);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

const WILDCARDS: [char; 3] = ['*', '?', '['];

/// Whether each `[` of a component begins a set with something in it.
fn has_closed_sets(component: &str) -> bool {
    let mut rest = component;
    while let Some((_, set)) = rest.split_once('[') {
        let set = set.strip_prefix(['!', '^']).unwrap_or(set);
        match set.split_once(']') {
            Some((inner, after)) if !inner.is_empty() => rest = after,
            _ => return false,
        }
    }
    true
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_cookbook(tree: &dyn Tree, folder: &[u8]) -> Result<bool, TreeError> {
    for name in ["metadata.json", "metadata.rb"] {
        let path = join_bytes(folder, name.as_bytes());
        // Whether a link leads to a file is told when the cookbook is read.
        if let Some(EntryKind::File { .. } | EntryKind::Symlink) = tree.kind(&path)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// All cookbooks in the folders that a pattern names, each under its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobRequirement {
    /// What the manifest calls the entry. It names no cookbook.
    pub label: String,
    /// Where the folders are.
    pub source: GlobSource,
    /// The pattern.
    pub glob: Glob,
    /// The groups of each of the cookbooks, at least one.
    pub groups: Arc<[String]>,
    /// Where the entry is written.
    pub at: Location,
}

/// Where the folders are that a pattern names.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GlobSource {
    /// In a git repository.
    Git {
        /// Its address.
        url: GitUrl,
        /// The commit wanted.
        reference: GitRef,
        /// Whether files that git LFS keeps are fetched.
        lfs: bool,
    },
    /// In a folder, absolute or relative to the manifest's.
    Path(String),
}

impl GlobSource {
    /// The source of the cookbook in one of the folders found.
    pub fn at(&self, folder: &TreePath) -> Source {
        match self {
            Self::Git {
                url,
                reference,
                lfs,
            } => Source::Git {
                url: url.clone(),
                reference: reference.clone(),
                rel: folder.clone(),
                lfs: *lfs,
            },
            Self::Path(outer) => Source::Path(match outer.trim_end_matches('/') {
                "" if outer.starts_with('/') => format!("/{folder}"),
                "" | "." => folder.to_string(),
                outer => format!("{outer}/{folder}"),
            }),
        }
    }
}

impl GlobRequirement {
    /// What is asked of the cookbook in one of the folders found.
    pub fn requirement(&self, folder: &TreePath) -> Requirement {
        Requirement {
            constraint: Constraint::any(),
            source: Some(self.source.at(folder)),
            groups: Arc::clone(&self.groups),
            overrides: None,
            at: self.at.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;
    use std::sync::Mutex;

    use super::*;
    use crate::tree::TreeEntry;

    #[test]
    fn a_pattern_matches_folders_component_by_component() {
        for (pattern, path, wanted) in [
            ("*", "a", true),
            ("*", "a/b", false),
            ("*", ".a", false),
            (".*", ".a", true),
            ("cookbooks/*", "cookbooks/web", true),
            ("cookbooks/*", "cookbooks", false),
            ("cookbooks/*", "cookbooks/web/x", false),
            ("cookbooks/*", "cookbooks/.git", false),
            ("./cookbooks//*/", "cookbooks/web", true),
            ("*/cookbooks/a?b", "x/cookbooks/a-b", true),
            ("*/cookbooks/a?b", "x/cookbooks/a/b", false),
            ("[a-c]*", "base", true),
            ("[!a-c]*", "base", false),
            ("[*]x", "*x", true),
            ("[*]x", "yx", false),
            ("a.b*", "axb", false),
            ("web*", "Web", false),
        ] {
            let glob = Glob::parse(pattern).unwrap();
            assert_eq!(glob.matches(path), wanted, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_what_to_write() {
        for (pattern, hint) in [
            ("/cookbooks/*", "without `..`"),
            ("../*", "without `..`"),
            ("a/../*", "without `..`"),
            ("a\\*", "`/` between folders"),
            ("a\n*", "`/` between folders"),
            ("**", "each level"),
            ("cookbooks/**/x", "each level"),
            ("x**", "each level"),
            ("{a,b}*", "an entry for each"),
            ("[a", "[a-z]"),
            ("[]*", "[a-z]"),
            ("[!]*", "[a-z]"),
            ("[a/b]", "[a-z]"),
            ("cookbooks", "`cookbooks/*`"),
            ("", "`cookbooks/*`"),
            (".", "`cookbooks/*`"),
        ] {
            let error = Glob::parse(pattern).expect_err(pattern);
            assert!(error.hint.contains(hint), "{pattern}: {error:?}");
        }
    }

    /// A tree that remembers which folders were listed.
    struct Listed {
        kinds: BTreeMap<Vec<u8>, EntryKind>,
        listed: Mutex<Vec<String>>,
    }

    impl Tree for Listed {
        fn label(&self) -> String {
            "a tree".to_owned()
        }

        fn entries(&self, dir: &[u8]) -> Result<Vec<TreeEntry>, TreeError> {
            let shown = String::from_utf8_lossy(dir).into_owned();
            self.listed.lock().unwrap().push(shown);
            let inner = self.kinds.iter().rev().filter_map(|(path, kind)| {
                let name = match dir {
                    b"" => path,
                    dir => path.strip_prefix(dir)?.strip_prefix(b"/")?,
                };
                (!name.contains(&b'/')).then(|| TreeEntry {
                    name: name.to_vec(),
                    kind: *kind,
                })
            });
            Ok(inner.collect())
        }

        fn kind(&self, path: &[u8]) -> Result<Option<EntryKind>, TreeError> {
            Ok(self.kinds.get(path).copied())
        }

        fn link_target(&self, _: &[u8]) -> Result<Vec<u8>, TreeError> {
            panic!("a link is followed")
        }

        fn open(&self, _: &[u8]) -> Result<Box<dyn Read + '_>, TreeError> {
            panic!("a file is read")
        }
    }

    fn tree(paths: &[&[u8]]) -> Listed {
        let mut kinds = BTreeMap::new();
        for path in paths {
            for at in (0..path.len()).filter(|at| path[*at] == b'/') {
                kinds.insert(path[..at].to_vec(), EntryKind::Directory);
            }
            let kind = match path.ends_with(b"@") {
                true => EntryKind::Symlink,
                false => EntryKind::File { executable: false },
            };
            kinds.insert(path.to_vec(), kind);
        }
        Listed {
            kinds,
            listed: Mutex::default(),
        }
    }

    #[test]
    fn folders_that_hold_metadata_are_found_and_no_others_are_looked_into() {
        let tree = tree(&[
            b"README.md",
            b"site/x/metadata.rb",
            b"cookbooks/web/metadata.rb",
            b"cookbooks/web/inner/metadata.rb",
            b"cookbooks/base/metadata.json",
            b"cookbooks/.hidden/metadata.rb",
            b"cookbooks/notes/README.md",
            b"cookbooks/linked@",
            b"cookbooks/file",
            b"cookbooks/odd\xff/metadata.rb",
            b"cookbooks/odd\\name/metadata.rb",
        ]);
        let find = |base: &str, glob: &str| -> Vec<String> {
            let base = TreePath::parse(base).unwrap();
            let found = Glob::parse(glob).unwrap().expand(&tree, &base).unwrap();
            found.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            find(".", "cookbooks/*"),
            ["cookbooks/base", "cookbooks/web"]
        );
        assert_eq!(*tree.listed.lock().unwrap(), ["cookbooks"]);
        assert_eq!(find("cookbooks", "*"), ["base", "web"]);
        assert_eq!(find(".", "c*/w?b"), ["cookbooks/web"]);
        assert_eq!(find(".", "*/*/inner"), ["cookbooks/web/inner"]);
        assert!(find(".", "absent/*").is_empty());
        assert!(find(".", "cookbooks/file/*").is_empty());
    }

    #[test]
    fn each_folder_found_has_a_source_of_its_own() {
        let folder = TreePath::parse("cookbooks/web").unwrap();
        for (outer, wanted) in [
            (".", "cookbooks/web"),
            ("..", "../cookbooks/web"),
            ("vendor/", "vendor/cookbooks/web"),
            ("/", "/cookbooks/web"),
            ("/srv", "/srv/cookbooks/web"),
        ] {
            let source = GlobSource::Path(outer.to_owned()).at(&folder);
            assert_eq!(source, Source::Path(wanted.to_owned()), "{outer}");
        }
        let source = GlobSource::Git {
            url: "../chef.git".parse().unwrap(),
            reference: GitRef::Default,
            lfs: true,
        };
        assert_eq!(
            source.at(&folder),
            Source::Git {
                url: "../chef.git".parse().unwrap(),
                reference: GitRef::Default,
                rel: folder.clone(),
                lfs: true
            }
        );
    }
}
