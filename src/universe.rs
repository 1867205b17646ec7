//! The universe: the one document in which a Supermarket, an Artifactory, a Chef Server or a static
//! mirror tells every cookbook that it has, with each version and what that depends on.
//!
//! ```text
//! {"apt": {"7.4.0": {"location_type": "opscode",
//!                    "location_path": "https://supermarket.chef.io/api/v1",
//!                    "download_url": "https://supermarket.chef.io/api/v1/cookbooks/apt/versions/7.4.0/download",
//!                    "dependencies": {"yum": ">= 3.0"}}}}
//! ```
//!
//! The public one is megabytes, and a bundle asks for a hundredth of it. One pass finds where each
//! name's versions stand in the text; they are read when the name is asked for (chef/supermarket,
//! `src/supermarket/app/models/universe.rb` writes it; berkshelf/berkshelf,
//! `lib/berkshelf/api_client/connection.rb` reads it whole).
//!
//! Berkshelf fails as a whole where one version or constraint of anybody's cookbook is none. Here such
//! a version is left out, and that is told to who asks for its name.

use std::cmp::Reverse;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Diagnose, Diagnostic, Kind};
use crate::version::{Constraint, Version};

/// A universe that was looked through, and not yet read.
#[derive(Clone)]
pub struct Universe {
    text: Box<str>,
    /// Each name with the place of its versions in the text, sorted by name.
    names: Vec<(Box<str>, Range<usize>)>,
}

/// What a universe has of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The versions, the newest first.
    pub versions: Vec<ListedVersion>,
    /// What could not be read, and is therefore left out.
    pub warnings: Vec<UniverseWarning>,
}

/// One version of a cookbook in a universe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// The version.
    pub version: Version,
    /// The version as it is written there, by which the source knows it.
    pub written: String,
    /// How it is to be had.
    pub location_type: LocationType,
    /// Where, as `location_type` means it.
    pub location_path: Option<String>,
    /// An address of the tarball itself.
    pub download_url: Option<String>,
    /// The names of the cookbooks that it depends on, and the versions that will do; sorted by name.
    pub dependencies: Vec<(String, Constraint)>,
}

/// How a cookbook in a universe is to be had (berkshelf/berkshelf, `lib/berkshelf/downloader.rb`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LocationType {
    /// `opscode` or `supermarket`: a Supermarket's API stands at the location's path.
    Supermarket,
    /// `uri`: the location's path is the address of the tarball.
    Uri,
    /// `chef_server`: a Chef Server has it, file by file.
    ChefServer,
    /// `file_store`: a folder of the machine that wrote the universe.
    FileStore,
    /// Something else, such as `github` or `gitlab`.
    Other(String),
}

impl LocationType {
    fn of(word: &str) -> Self {
        match word {
            "opscode" | "supermarket" => Self::Supermarket,
            "uri" => Self::Uri,
            "chef_server" => Self::ChefServer,
            "file_store" => Self::FileStore,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The word in the document.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Supermarket => "supermarket",
            Self::Uri => "uri",
            Self::ChefServer => "chef_server",
            Self::FileStore => "file_store",
            Self::Other(word) => word,
        }
    }
}

/// Why a document is no universe.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UniverseError {
    /// There is nothing in it: some servers answer so when they mean to refuse.
    #[error("it is empty")]
    Blank,
    /// It is not UTF-8.
    #[error("it is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
    /// It is not JSON, or no object of objects.
    #[error("it is no universe at line {line}, column {column}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
}

impl Diagnose for UniverseError {
    fn kind(&self) -> Kind {
        Kind::Unavailable
    }
}

/// Something of one name that cannot be read. The version it is about is left out.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UniverseWarning {
    /// What stands under the name is no object of versions.
    #[error("the versions of `{name}` cannot be read: {reason}")]
    Versions {
        /// The cookbook.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A version is none.
    #[error("`{name}` is left out in the version `{}`, which is no version", found.escape_debug())]
    Version {
        /// The cookbook.
        name: String,
        /// What is written there.
        found: String,
    },
    /// What stands under a version is not what it should be.
    #[error("`{name}` is left out in the version {version}: {reason}")]
    Entry {
        /// The cookbook.
        name: String,
        /// The version as written.
        version: String,
        /// What is wrong.
        reason: String,
    },
    /// A dependency's constraint is none, so that it is not known what the version needs.
    #[error(
        "`{name}` is left out in the version {version}: it depends on `{}` by `{}`, which is no version constraint",
        dependency.escape_debug(),
        found.escape_debug()
    )]
    Constraint {
        /// The cookbook.
        name: String,
        /// The version as written.
        version: String,
        /// What it depends on.
        dependency: String,
        /// What is written there.
        found: String,
    },
    /// One version is written in two ways (`1.2` and `1.2.0`).
    #[error("`{name}` has the version {version} twice; the one written `{}` is left out", left_out.escape_debug())]
    Twice {
        /// The cookbook.
        name: String,
        /// The version.
        version: Version,
        /// The spelling that does not count.
        left_out: String,
    },
}

impl UniverseWarning {
    /// It, for a person.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::new(self.to_string())
    }
}

impl Universe {
    /// Looks through a document.
    ///
    /// # Errors
    /// When it is not UTF-8, not JSON, or no object. What stands under a name may be anything: that is
    /// told by [`Self::versions`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, UniverseError> {
        let text = String::from_utf8(bytes).map_err(|error| UniverseError::NotUtf8 {
            at: error.utf8_error().valid_up_to(),
        })?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.into(),
            None => text.into_boxed_str(),
        };
        if text.trim_ascii().is_empty() {
            return Err(UniverseError::Blank);
        }
        let entries: Entries<&RawValue> = read(&text)?;
        let start = text.as_ptr().addr();
        let mut names: Vec<_> = entries
            .0
            .into_iter()
            .map(|(name, value)| {
                let value = value.get();
                let at = value.as_ptr().addr() - start;
                (name.into_boxed_str(), at..at + value.len())
            })
            .collect();
        // Of one name twice the later counts, as in Ruby.
        names.reverse();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        names.dedup_by(|later, first| later.0 == first.0);
        Ok(Self { text, names })
    }

    /// All names, sorted. They may be anything: no cookbook's name is made of them here.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|(name, _)| &**name)
    }

    /// Whether it has a name.
    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    fn place(&self, name: &str) -> Option<&Range<usize>> {
        let found = self
            .names
            .binary_search_by(|(known, _)| (**known).cmp(name));
        found.ok().map(|at| &self.names[at].1)
    }

    /// What it has of a name; none where it does not have the name at all.
    pub fn versions(&self, name: &str) -> Option<Listed> {
        let text = &self.text[self.place(name)?.clone()];
        let mut listed = Listed::default();
        let entries: Entries<&RawValue> = match read(text) {
            Ok(entries) => entries,
            Err(error) => {
                listed.warnings.push(UniverseWarning::Versions {
                    name: name.to_owned(),
                    reason: reason(&error),
                });
                return Some(listed);
            }
        };
        for (written, entry) in entries.0 {
            match version(name, &written, entry) {
                Ok(version) => listed.versions.push(version),
                Err(warning) => listed.warnings.push(warning),
            }
        }
        let parts = |one: &ListedVersion| one.written.split('.').count();
        // Of two spellings the one with three parts counts: servers write that.
        listed
            .versions
            .sort_by_key(|one| Reverse((one.version, parts(one))));
        let warnings = &mut listed.warnings;
        listed.versions.dedup_by(|later, first| {
            let is_same = later.version == first.version;
            if is_same {
                warnings.push(UniverseWarning::Twice {
                    name: name.to_owned(),
                    version: first.version,
                    left_out: later.written.clone(),
                });
            }
            is_same
        });
        Some(listed)
    }
}

impl fmt::Debug for Universe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Universe")
            .field("names", &self.names.len())
            .field("bytes", &self.text.len())
            .finish()
    }
}

/// What stands under a version. What is unknown is passed over.
#[derive(serde::Deserialize)]
struct Entry {
    location_type: Option<String>,
    location_path: Option<String>,
    download_url: Option<String>,
    dependencies: Option<Entries<String>>,
}

fn version(name: &str, written: &str, entry: &RawValue) -> Result<ListedVersion, UniverseWarning> {
    let Ok(version) = written.parse::<Version>() else {
        return Err(UniverseWarning::Version {
            name: name.to_owned(),
            found: written.to_owned(),
        });
    };
    let entry: Entry = read(entry.get()).map_err(|error| UniverseWarning::Entry {
        name: name.to_owned(),
        version: written.to_owned(),
        reason: reason(&error),
    })?;
    let mut dependencies = Vec::new();
    for (dependency, constraint) in entry.dependencies.map(|all| all.0).unwrap_or_default() {
        let Ok(constraint) = constraint.parse() else {
            return Err(UniverseWarning::Constraint {
                name: name.to_owned(),
                version: written.to_owned(),
                dependency,
                found: constraint,
            });
        };
        dependencies.push((dependency, constraint));
    }
    dependencies.sort_by(|a, b| a.0.cmp(&b.0));
    let word = entry.location_type.as_deref();
    Ok(ListedVersion {
        version,
        written: written.to_owned(),
        // minimart's entries always say; a Supermarket's say `opscode`.
        location_type: word.map_or(LocationType::Supermarket, LocationType::of),
        location_path: entry.location_path,
        download_url: entry.download_url,
        dependencies,
    })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, UniverseError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        // Its own end says the line again.
        let own_end = reason.rfind(" at line ").unwrap_or(reason.len());
        UniverseError::Syntax {
            line,
            column,
            reason: reason[..own_end].to_owned(),
        }
    })
}

/// What is wrong, where the line would be one of a part of the document.
fn reason(error: &UniverseError) -> String {
    match error {
        UniverseError::Syntax { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

/// The entries of an object, in the order of the document.
struct Entries<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Object(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn universe(text: &str) -> Universe {
        Universe::parse(text.as_bytes().to_vec()).expect("a universe")
    }

    fn written(listed: &Listed) -> Vec<&str> {
        let versions = listed.versions.iter();
        versions.map(|one| one.written.as_str()).collect()
    }

    #[test]
    fn a_name_is_read_when_it_is_asked_for() {
        let text = r#"{"yum": {"5.1.0": {"location_type": "uri", "location_path": "a.tgz", "dependencies": {}}},
            "apt": {"7.4.0": {"location_type": "opscode", "location_path": "/api/v1", "download_url": "u",
                "dependencies": {"yum": ">= 3.0", "ark": "~> 1.2.3"}, "platforms": {"x": [{}]}},
              "10.0.0": {}, "2.9": {"dependencies": null}}}"#;
        let universe = universe(text);
        assert_eq!(universe.names().collect::<Vec<_>>(), ["apt", "yum"]);
        assert!(universe.has("apt") && !universe.has("ap"));
        assert_eq!(universe.versions("zsh"), None);
        let apt = universe.versions("apt").expect("a name");
        assert_eq!(written(&apt), ["10.0.0", "7.4.0", "2.9"]);
        assert!(apt.warnings.is_empty());
        let one = &apt.versions[1];
        assert_eq!(one.location_type, LocationType::Supermarket);
        assert_eq!(one.location_path.as_deref(), Some("/api/v1"));
        assert_eq!(one.download_url.as_deref(), Some("u"));
        let shown: Vec<_> = one
            .dependencies
            .iter()
            .map(|(name, constraint)| format!("{name} {constraint}"))
            .collect();
        assert_eq!(shown, ["ark ~> 1.2.3", "yum >= 3.0"]);
        let yum = universe.versions("yum").expect("a name");
        assert_eq!(yum.versions[0].location_type, LocationType::Uri);
    }

    #[test]
    fn what_cannot_be_read_is_told_for_its_name_alone() {
        let universe = universe(
            r#"{"good": {"1.0.0": {}}, "list": [1], "odd": {
                "1.0.0": {"dependencies": {"apt": ">= 1.0", "x\n": "latest"}},
                "2.0.0-rc1": {}, "3.0.0": {"dependencies": {"apt": 1}}, "4.0.0": [],
                "5.0": {"location_path": "short"}, "5.0.0": {"location_path": "long"}, "6.0.0": {}}}"#,
        );
        let good = universe.versions("good").expect("a name");
        assert_eq!((good.versions.len(), good.warnings.len()), (1, 0));
        let list = universe.versions("list").expect("a name");
        assert!(list.versions.is_empty());
        assert!(
            matches!(&list.warnings[..], [UniverseWarning::Versions { name, .. }] if name == "list")
        );
        let odd = universe.versions("odd").expect("a name");
        assert_eq!(written(&odd), ["6.0.0", "5.0.0"]);
        assert_eq!(odd.versions[1].location_path.as_deref(), Some("long"));
        let said: Vec<_> = odd.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 5, "{said:#?}");
        assert_eq!(
            said[0],
            "`odd` is left out in the version 1.0.0: it depends on `x\\n` by `latest`, which is no version constraint"
        );
        assert_eq!(
            said[1],
            "`odd` is left out in the version `2.0.0-rc1`, which is no version"
        );
        assert!(said[2].starts_with("`odd` is left out in the version 3.0.0: invalid type"));
        assert!(said[3].starts_with("`odd` is left out in the version 4.0.0: "));
        assert_eq!(
            said[4],
            "`odd` has the version 5.0.0 twice; the one written `5.0` is left out"
        );
    }

    #[test]
    fn each_document_that_is_none_says_why() {
        let error = |bytes: &[u8]| Universe::parse(bytes.to_vec()).expect_err("no universe");
        for blank in ["", " \n\t", "\u{feff}"] {
            assert_eq!(error(blank.as_bytes()), UniverseError::Blank);
        }
        assert_eq!(error(b"{\"a\xff"), UniverseError::NotUtf8 { at: 3 });
        let shown = error(b"<html>\n").to_string();
        assert_eq!(
            shown,
            "it is no universe at line 1, column 1: expected value"
        );
        for bad in [
            "[]",
            "null",
            "{\"a\": {\"1.0.0\"",
            "{\"a\": {}} x",
            "{\"a\" {}}",
        ] {
            assert!(
                matches!(error(bad.as_bytes()), UniverseError::Syntax { .. }),
                "{bad}"
            );
        }
        // Nothing is built of what is nested, so that no depth overflows anything.
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
        let universe = universe(&deep);
        let listed = universe.versions("a").expect("a name");
        assert_eq!(listed.warnings.len(), 1);
    }

    #[test]
    fn names_may_be_escaped_and_the_later_of_two_counts() {
        let universe = universe(
            "\u{feff}{\"\\u0061pt\": {\"1.0.0\": {}}, \"b\": {}, \"apt\": {\"2.0.0\": {}}}\n",
        );
        assert_eq!(universe.names().collect::<Vec<_>>(), ["apt", "b"]);
        let apt = universe.versions("apt").expect("a name");
        assert_eq!(written(&apt), ["2.0.0"]);
    }
}
