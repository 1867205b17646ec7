//! What was decided: `cookpack.lock`. Versioned, sorted, and the same bytes for the same decision.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::digest::{ContentDigest, Digest};
use crate::document::{DocumentError, Table, invalid, quote, read_document};
use crate::error::{Diagnose, Diagnostic};
use crate::manifest::{CommitId, CommitPrefix, GitRef, Source, check_ref_name};
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::text::{Location, SourceFile};
use crate::version::Version;

/// The version of the format that this crate writes, and the newest it reads.
const FORMAT: u64 = 1;

/// The decisions of one resolution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockfile {
    /// [`crate::manifest::Manifest::requirements_digest`] of the manifest it was made for.
    pub requirements: Digest,
    /// Every cookbook of the bundle.
    pub cookbooks: BTreeMap<CookbookName, LockedCookbook>,
}

/// One cookbook as it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedCookbook {
    /// Its version.
    pub version: Version,
    /// Where its content is.
    pub pin: Pin,
    /// The digest of its content: what is packed of its source, before a metadata.json is compiled.
    pub content: ContentDigest,
    /// The cookbooks of the bundle that it depends on.
    pub dependencies: Vec<CookbookName>,
}

/// Where exactly a cookbook's content is.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// A commit of a git repository.
    Git {
        /// The repository's address, without credentials.
        url: String,
        /// What was asked for.
        reference: GitRef,
        /// The cookbook's folder within it.
        rel: TreePath,
        /// What that was.
        commit: CommitId,
        /// Whether files that git LFS keeps are fetched.
        lfs: bool,
        /// The repositories within it that give a part of the content, sorted by their paths.
        submodules: Vec<LockedSubmodule>,
    },
    /// A folder.
    Path {
        /// As the manifest has it.
        path: String,
        /// Whether what was packed of it stood in no commit of the git work tree that holds it. A
        /// note for who reads the lockfile: [`Pin::pins_the_same`] does not look at it.
        dirty: bool,
    },
}

/// A submodule of a git repository, at the commit that the repository names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedSubmodule {
    /// Its folder, from the root of the outermost repository.
    pub path: TreePath,
    /// Its repository's address, without credentials.
    pub url: String,
    /// Its commit.
    pub commit: CommitId,
}

impl Pin {
    /// Whether this is a pin of what the manifest asks for.
    pub fn pins(&self, source: &Source) -> bool {
        match (self, source) {
            (
                Pin::Git {
                    url,
                    reference,
                    rel,
                    lfs,
                    ..
                },
                Source::Git {
                    url: asked_url,
                    reference: asked_reference,
                    rel: asked_rel,
                    lfs: asked_lfs,
                },
            ) => {
                *url == asked_url.redacted()
                    && (reference, rel, lfs) == (asked_reference, asked_rel, asked_lfs)
            }
            (Pin::Path { path, .. }, Source::Path(asked)) => path == asked,
            _ => false,
        }
    }

    /// Whether the other is a pin of the same content. That a folder's content was or was not
    /// committed meanwhile changes nothing of it.
    pub fn pins_the_same(&self, other: &Pin) -> bool {
        match (self, other) {
            (Pin::Path { path, .. }, Pin::Path { path: other, .. }) => path == other,
            _ => self == other,
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pin::Git {
                url, rel, commit, ..
            } => {
                write!(f, "{url}#{}", commit.short())?;
                match rel.is_root() {
                    true => Ok(()),
                    false => write!(f, ":{rel}"),
                }
            }
            Pin::Path { path, .. } => f.write_str(path),
        }
    }
}

/// Why a lockfile cannot be read.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockfileError {
    /// The document is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A newer cookpack wrote it.
    #[error("{at}: the lockfile has format {found}, and this cookpack knows {FORMAT}")]
    Newer {
        /// The format's version.
        found: u64,
        /// Where it says so.
        at: Location,
    },
    /// Two branches of its history were merged and nobody decided between them.
    #[error("{at}: the lockfile has the marks of an unresolved merge")]
    MergeConflict {
        /// The first mark.
        at: Location,
    },
}

impl Diagnose for LockfileError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Document(error) => error
                .diagnostics()
                .into_iter()
                .map(|d| d.hint("the lockfile is written by cookpack: restore it, or delete it to resolve anew"))
                .collect(),
            Self::Newer { found, at } => vec![
                Diagnostic::new(format!("the lockfile has format {found}, and this cookpack knows {FORMAT}"))
                    .label(at.label(""))
                    .hint("a newer cookpack wrote it: install that one"),
            ],
            Self::MergeConflict { at } => vec![
                Diagnostic::new("the lockfile has the marks of an unresolved merge")
                    .label(at.label(""))
                    .hint("take either side (`git checkout --theirs cookpack.lock`) and run `cookpack lock`"),
            ],
        }
    }
}

impl Lockfile {
    /// Reads a lockfile's text. `path` is shown in messages.
    pub fn parse(path: impl AsRef<str>, text: &str) -> Result<Self, LockfileError> {
        let file = SourceFile::new(path.as_ref(), text);
        if let Some(start) = merge_mark(text) {
            return Err(LockfileError::MergeConflict {
                at: file.at(start..start + 7),
            });
        }
        check_format(&file)?;
        Ok(read_document(&file, |root| {
            root.only(&["cookbook", "requirements", "version"])?;
            let requirements = require(&root, "requirements", str::parse)?;
            let mut cookbooks = BTreeMap::new();
            if let Some(list) = root.value("cookbook") {
                for value in list.list()? {
                    let table = value.table("[[cookbook]]".to_owned())?;
                    table.only(&COOKBOOK_KEYS)?;
                    let (name, at) = require_at(&table, "name", str::parse::<CookbookName>)?;
                    let cookbook = read_cookbook(&table)?;
                    if cookbooks.insert(name.clone(), cookbook).is_some() {
                        return Err(invalid(&format!("cookbook `{name}` is locked twice"), at));
                    }
                }
            }
            Ok(Self {
                requirements,
                cookbooks,
            })
        })?)
    }

    /// The lockfile's text. The same decisions always give the same bytes.
    pub fn print(&self) -> String {
        let mut text = format!(
            "# Written by cookpack. Commit it; `cookpack update` changes it.\nversion = {FORMAT}\nrequirements = \"{}\"\n",
            self.requirements
        );
        for (name, cookbook) in &self.cookbooks {
            cookbook.print(name, &mut text);
        }
        text
    }
}

impl LockedCookbook {
    /// Whether the other is the same decision: all but whether a folder's content was committed.
    pub fn is_same(&self, other: &LockedCookbook) -> bool {
        let rest =
            |locked: &LockedCookbook| (locked.version, locked.content, locked.dependencies.clone());
        self.pin.pins_the_same(&other.pin) && rest(self) == rest(other)
    }

    fn print(&self, name: &CookbookName, text: &mut String) {
        let mut pairs = vec![
            ("name", quote(name.as_str())),
            ("version", quote(&self.version.to_string())),
        ];
        match &self.pin {
            Pin::Path { path, dirty } => {
                pairs.push(("path", quote(path)));
                if *dirty {
                    pairs.push(("dirty", "true".to_owned()));
                }
            }
            Pin::Git {
                url,
                reference,
                rel,
                commit,
                lfs,
                submodules,
            } => {
                pairs.push(("git", quote(url)));
                match reference {
                    GitRef::Default => {}
                    GitRef::Branch(branch) => pairs.push(("branch", quote(branch))),
                    GitRef::Tag(tag) => pairs.push(("tag", quote(tag))),
                    GitRef::Commit(prefix) => pairs.push(("asked", quote(prefix.as_str()))),
                    GitRef::Any(name) => pairs.push(("ref", quote(name))),
                }
                if !rel.is_root() {
                    pairs.push(("rel", quote(rel.as_str())));
                }
                if *lfs {
                    pairs.push(("lfs", "true".to_owned()));
                }
                pairs.push(("commit", quote(commit.as_str())));
                if !submodules.is_empty() {
                    pairs.push(("submodules", print_submodules(submodules)));
                }
            }
        }
        pairs.push(("content", quote(&self.content.to_string())));
        if !self.dependencies.is_empty() {
            let names = self.dependencies.iter();
            pairs.push(("dependencies", print_list(names.map(|n| quote(n.as_str())))));
        }
        text.push_str("\n[[cookbook]]\n");
        for (key, value) in pairs {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
}

fn print_submodules(submodules: &[LockedSubmodule]) -> String {
    let mut sorted: Vec<_> = submodules.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    print_list(sorted.into_iter().map(|submodule| {
        format!(
            "{{ path = {}, git = {}, commit = {} }}",
            quote(submodule.path.as_str()),
            quote(&submodule.url),
            quote(submodule.commit.as_str())
        )
    }))
}

/// A list with one entry a line.
fn print_list(entries: impl Iterator<Item = String>) -> String {
    let mut text = "[\n".to_owned();
    for entry in entries {
        let _ = writeln!(text, "    {entry},");
    }
    text.push(']');
    text
}

/// The keys of one locked cookbook.
const COOKBOOK_KEYS: [&str; 15] = [
    "asked",
    "branch",
    "commit",
    "content",
    "dependencies",
    "dirty",
    "git",
    "lfs",
    "name",
    "path",
    "ref",
    "rel",
    "submodules",
    "tag",
    "version",
];

fn read_cookbook(table: &Table<'_, '_>) -> Result<LockedCookbook, DocumentError> {
    let version = require(table, "version", str::parse)?;
    let git = table.string("git")?;
    let path = table.string("path")?;
    let branch = table.parsed("branch", check_ref_name)?;
    let tag = table.parsed("tag", check_ref_name)?;
    let asked = table.parsed("asked", str::parse::<CommitPrefix>)?;
    let any = table.parsed("ref", check_ref_name)?;
    let rel = table.parsed("rel", TreePath::parse)?;
    let commit = table.parsed("commit", str::parse::<CommitId>)?;
    let content = require(table, "content", str::parse)?;
    let dependencies = table
        .strings("dependencies")?
        .into_iter()
        .map(|(text, at)| {
            text.parse()
                .map_err(|e| invalid(&e as &dyn fmt::Display, at))
        })
        .collect::<Result<_, _>>()?;
    let at = table.at();
    let reference = match (branch, tag, asked, any) {
        (None, None, None, None) => GitRef::Default,
        (Some((branch, _)), None, None, None) => GitRef::Branch(branch),
        (None, Some((tag, _)), None, None) => GitRef::Tag(tag),
        (None, None, Some((prefix, _)), None) => GitRef::Commit(prefix),
        (None, None, None, Some((name, _))) => GitRef::Any(name),
        _ => {
            return Err(invalid(
                &"a cookbook is locked to more than one reference",
                at,
            ));
        }
    };
    let pin = match (git, path, commit) {
        (Some((url, _)), None, Some((commit, _))) => {
            refuse_keys(table, "a commit", &["dirty"])?;
            Pin::Git {
                url,
                reference,
                rel: rel.map_or_else(TreePath::root, |(rel, _)| rel),
                commit,
                lfs: table.boolean("lfs")?.unwrap_or(false),
                submodules: read_submodules(table)?,
            }
        }
        (None, Some((path, _)), None) => {
            refuse_keys(
                table,
                "a folder",
                &["asked", "branch", "lfs", "ref", "rel", "submodules", "tag"],
            )?;
            Pin::Path {
                path,
                dirty: table.boolean("dirty")?.unwrap_or(false),
            }
        }
        _ => {
            return Err(invalid(
                &"a cookbook is locked neither to `git` and `commit` nor to a `path`",
                at,
            ));
        }
    };
    Ok(LockedCookbook {
        version,
        pin,
        content,
        dependencies,
    })
}

/// What this crate never writes beside a pin of that kind: somebody else did, and meant something.
fn refuse_keys(
    table: &Table<'_, '_>,
    what: &str,
    keys: &[&'static str],
) -> Result<(), DocumentError> {
    match keys.iter().find_map(|key| Some((key, table.key_at(key)?))) {
        Some((key, at)) => Err(invalid(
            &format!("`{key}` means nothing for a cookbook that is locked to {what}"),
            at,
        )),
        None => Ok(()),
    }
}

fn read_submodules(table: &Table<'_, '_>) -> Result<Vec<LockedSubmodule>, DocumentError> {
    let mut submodules = BTreeMap::new();
    let list = table.value("submodules").map(|value| value.list());
    for value in list.transpose()?.into_iter().flatten() {
        let table = value.table("a submodule".to_owned())?;
        table.only(&["commit", "git", "path"])?;
        let (path, at) = require_at(&table, "path", TreePath::parse)?;
        if path.is_root() {
            return Err(invalid(&"a submodule is not the repository itself", at));
        }
        let submodule = LockedSubmodule {
            path: path.clone(),
            url: table.required("git")?.0,
            commit: require(&table, "commit", str::parse)?,
        };
        if submodules.insert(path, submodule).is_some() {
            return Err(invalid(&"a submodule is locked twice", at));
        }
    }
    Ok(submodules.into_values().collect())
}

fn require<T, E: fmt::Display>(
    table: &Table<'_, '_>,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, DocumentError> {
    require_at(table, key, parse).map(|(value, _)| value)
}

fn require_at<T, E: fmt::Display>(
    table: &Table<'_, '_>,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<(T, Location), DocumentError> {
    let (text, at) = table.required(key)?;
    match parse(&text) {
        Ok(value) => Ok((value, at)),
        Err(error) => Err(invalid(&error, at)),
    }
}

/// The format is read before anything else: a newer file may hold keys that are unknown here.
fn check_format(file: &SourceFile) -> Result<(), LockfileError> {
    let format = read_document(file, |root| {
        root.value("version")
            .ok_or_else(|| DocumentError::MissingKey {
                key: "version",
                table: "the lockfile".to_owned(),
                at: file.at(0..0),
            })?
            .number()
    });
    match format? {
        (FORMAT, _) => Ok(()),
        (0, at) => Err(invalid(&"there is no lockfile format 0", at).into()),
        (found, at) => Err(LockfileError::Newer { found, at }),
    }
}

/// The first line that begins with one of git's marks of a conflict.
fn merge_mark(text: &str) -> Option<usize> {
    let marks = ["<<<<<<<", "=======", ">>>>>>>"];
    let mut start = 0;
    text.split_inclusive('\n').find_map(|line| {
        let here = start;
        start += line.len();
        marks
            .iter()
            .any(|mark| line.starts_with(mark))
            .then_some(here)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Lockfile {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let git = |reference, rel| Pin::Git {
            url: "https://example.com/chef.git".to_owned(),
            reference,
            rel: TreePath::parse(rel).unwrap(),
            commit: commit.parse().unwrap(),
            lfs: false,
            submodules: Vec::new(),
        };
        let cookbook = |pin, dependencies: &[&str]| LockedCookbook {
            version: Version::new(1, 2, 3),
            pin,
            content: ContentDigest::of([]),
            dependencies: dependencies.iter().map(|d| d.parse().unwrap()).collect(),
        };
        let path = |path: &str| Pin::Path {
            path: path.to_owned(),
            dirty: false,
        };
        let cookbooks = [
            ("apt", cookbook(git(GitRef::Default, "."), &[])),
            (
                "base",
                cookbook(path("cook\"books\\\u{1}"), &["apt", "web"]),
            ),
            (
                "web",
                cookbook(git(GitRef::Tag("v1".to_owned()), "cookbooks/web"), &["apt"]),
            ),
            (
                "yum",
                cookbook(git(GitRef::Commit("01234".parse().unwrap()), "."), &[]),
            ),
            (
                "zap",
                cookbook(git(GitRef::Branch("main".to_owned()), "."), &[]),
            ),
        ];
        Lockfile {
            requirements: Digest::of("requirements"),
            cookbooks: cookbooks
                .into_iter()
                .map(|(name, c)| (name.parse().unwrap(), c))
                .collect(),
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let text = sample().print();
        assert_eq!(Lockfile::parse("cookpack.lock", &text).unwrap(), sample());
        assert!(
            text.contains("\n[[cookbook]]\nname = \"web\"\nversion = \"1.2.3\"\ngit = "),
            "{text}"
        );
    }

    /// The sample with a git cookbook that says all that one can.
    fn with_submodules() -> Lockfile {
        let mut lockfile = sample();
        let web = lockfile.cookbooks.get_mut("web").unwrap();
        let Pin::Git {
            lfs,
            submodules,
            commit,
            ..
        } = &mut web.pin
        else {
            panic!("a folder")
        };
        *lfs = true;
        for path in ["a \"quoted\" one", "libs/x", "libs/x/deep"] {
            submodules.push(LockedSubmodule {
                path: TreePath::parse(path).unwrap(),
                url: "https://example.com/x.git".to_owned(),
                commit: commit.clone(),
            });
        }
        lockfile
    }

    #[test]
    fn submodules_and_flags_are_printed_only_where_there_are_any() {
        let plain = sample().print();
        for key in ["lfs", "submodules", "dirty"] {
            assert!(!plain.contains(key), "{key}");
        }
        let lockfile = with_submodules();
        let text = lockfile.print();
        assert_eq!(Lockfile::parse("cookpack.lock", &text).unwrap(), lockfile);
        let line = "    { path = \"libs/x\", git = \"https://example.com/x.git\", commit = \"0123456789abcdef0123456789abcdef01234567\" },\n";
        assert!(
            text.contains("lfs = true\n") && text.contains(line),
            "{text}"
        );
        // Whoever filled the list: it is printed in order.
        let mut shuffled = lockfile;
        if let Pin::Git { submodules, .. } = &mut shuffled.cookbooks.get_mut("web").unwrap().pin {
            submodules.reverse();
        }
        assert_eq!(shuffled.print(), text);
    }

    #[test]
    fn submodules_are_read_strictly() {
        let text = with_submodules().print();
        for (from, to, message) in [
            (
                "path = \"libs/x/deep\"",
                "path = \"libs/x\"",
                "locked twice",
            ),
            (
                "path = \"libs/x\"",
                "path = \"../x\"",
                "not a folder inside",
            ),
            ("path = \"libs/x\"", "path = \".\"", "the repository itself"),
            (
                "path = \"libs/x\"",
                "paht = \"libs/x\"",
                "unknown key `paht`",
            ),
            (
                "path = \"libs/x\", git",
                "path = \"libs/x\", branch",
                "unknown key `branch`",
            ),
            ("lfs = true", "lfs = 1", "must be `true` or `false`"),
            ("lfs = true", "dirty = true", "`dirty` means nothing"),
            (
                "path = \"cook",
                "lfs = true\npath = \"cook",
                "`lfs` means nothing",
            ),
        ] {
            let wrong = text.replacen(from, to, 1);
            assert_ne!(wrong, text, "{from}");
            let error = Lockfile::parse("cookpack.lock", &wrong).expect_err(to);
            assert!(error.to_string().contains(message), "{to}: {error}");
        }
    }

    #[test]
    fn a_pin_holds_for_what_it_was_made_of_alone() {
        let lockfile = with_submodules();
        let source = |lfs| Source::Git {
            url: "https://me:s3cret@example.com/chef.git".parse().unwrap(),
            reference: GitRef::Tag("v1".to_owned()),
            rel: TreePath::parse("cookbooks/web").unwrap(),
            lfs,
        };
        let pin = &lockfile.cookbooks["web"].pin;
        assert!(pin.pins(&source(true)));
        assert!(!pin.pins(&source(false)));
        let folder = |dirty| Pin::Path {
            path: "web".to_owned(),
            dirty,
        };
        assert!(folder(true).pins_the_same(&folder(false)));
        assert!(!folder(true).pins_the_same(pin));
        assert_ne!(folder(true), folder(false));
    }

    proptest! {
        #[test]
        fn any_path_survives(path in "\\PC{1,40}|[ -~\\t\r\\x00-\\x1f]{1,20}") {
            let mut lockfile = sample();
            lockfile.cookbooks.get_mut("base").unwrap().pin = Pin::Path { path, dirty: true };
            prop_assert_eq!(Lockfile::parse("l", &lockfile.print()).unwrap(), lockfile);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            let _ = Lockfile::parse("l", &text);
        }
    }

    #[test]
    fn a_newer_format_is_refused_even_with_unknown_keys() {
        let text = sample()
            .print()
            .replace("version = 1\n", "version = 2\nnovelty = true\n");
        let error = Lockfile::parse("cookpack.lock", &text).unwrap_err();
        assert!(
            matches!(error, LockfileError::Newer { found: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn damaged_lockfiles_are_refused_where_they_are_damaged() {
        let text = sample().print();
        let table = [
            (text.replace("version = 1\n", ""), "no `version`"),
            (text.replace("c1:", "c9:"), "not a content digest"),
            (
                text.replace("commit = \"0", "commit = \""),
                "not a commit's id",
            ),
            (
                text.replace("name = \"zap\"", "name = \"yum\""),
                "locked twice",
            ),
            (text.replace("rel = ", "tree = "), "unknown key `tree`"),
            (format!("<<<<<<< HEAD\n{text}"), "unresolved merge"),
            (text[..text.len() - 5].to_owned(), ""),
        ];
        for (text, message) in table {
            let error = Lockfile::parse("cookpack.lock", &text).expect_err(message);
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
