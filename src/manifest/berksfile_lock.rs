//! Reads a Berksfile.lock as Berkshelf does (berkshelf/berkshelf, `lib/berkshelf/lockfile.rb`), so
//! that a team can go on from what it has locked.

use std::collections::BTreeMap;

use super::declared::{ANY, Declaration, GitOrigin, Origin};
use super::{CommitId, DEFAULT_GROUP, GitRef, GitUrl, ManifestError, ManifestProblem, Source};
use crate::name::CookbookName;
use crate::text::{Location, SourceFile};
use crate::version::Version;

/// A Berksfile.lock as written.
#[derive(Clone, Debug, PartialEq)]
pub struct BerksfileLock {
    /// The cookbooks that the Berksfile named when it was written.
    pub dependencies: Vec<Declaration>,
    /// Every cookbook, with its version and what it depends on.
    pub graph: BTreeMap<String, LockedVersion>,
}

/// What a Berksfile.lock holds of one cookbook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedVersion {
    /// Its version.
    pub version: String,
    /// What it depends on, with constraints.
    pub dependencies: BTreeMap<String, String>,
}

/// The sections of a Berksfile.lock.
#[derive(Clone, Copy)]
enum Section {
    Dependencies,
    Graph,
}

impl BerksfileLock {
    /// Reads a Berksfile.lock.
    ///
    /// # Errors
    /// When a line is none of a Berksfile.lock's.
    pub fn parse(file: &SourceFile) -> Result<Self, ManifestError> {
        match file.text().trim_start().starts_with('{') {
            true => read_json(file),
            false => read_lines(file),
        }
    }

    /// The versions that are locked, of whatever can be a cookbook.
    pub fn versions(&self) -> BTreeMap<CookbookName, Version> {
        let locked = self.graph.iter();
        locked
            .filter_map(|(name, locked)| Some((name.parse().ok()?, locked.version.parse().ok()?)))
            .collect()
    }

    /// The commit that is locked for a cookbook, if what was asked for then is what a manifest asks
    /// for now.
    pub fn commit(&self, name: &CookbookName, source: &Source) -> Option<CommitId> {
        let locked = self.dependencies.iter().find(|d| d.name == name.as_str())?;
        let (
            Some(Origin::Git(git)),
            Source::Git {
                url,
                reference,
                rel,
                ..
            },
        ) = (&locked.origin, source)
        else {
            return None;
        };
        let is_same = match reference {
            GitRef::Default => git.branch.is_none() && git.tag.is_none() && git.reference.is_none(),
            GitRef::Branch(branch) => git.branch.as_ref() == Some(branch),
            GitRef::Tag(tag) => git.tag.as_ref() == Some(tag),
            // Berkshelf writes the first seven characters.
            GitRef::Any(name) => starts(name, git.reference.as_deref()),
            GitRef::Commit(prefix) => {
                starts(prefix.as_str(), git.reference.as_deref())
                    || starts(prefix.as_str(), git.revision.as_deref())
            }
        };
        let same_folder = git.rel.as_deref().unwrap_or_default().trim_matches('/') == rel.as_str();
        // As an address, not as a text: `git://` may be read as `https://`.
        let same_url = git.url.parse::<GitUrl>().is_ok_and(|locked| locked == *url);
        match same_url && is_same && same_folder {
            true => git.revision.as_deref()?.parse().ok(),
            false => None,
        }
    }
}

fn starts(name: &str, locked: Option<&str>) -> bool {
    locked.is_some_and(|locked| name.get(..7).unwrap_or(name) == locked.get(..7).unwrap_or(locked))
}

fn problem(message: impl Into<String>, at: Location) -> ManifestError {
    ManifestError::Invalid(vec![ManifestProblem {
        message: message.into(),
        hint: Some(
            "Berkshelf writes this file: restore it, or delete it to resolve anew".to_owned(),
        ),
        at,
    }])
}

fn read_lines(file: &SourceFile) -> Result<BerksfileLock, ManifestError> {
    let mut lock = BerksfileLock {
        dependencies: Vec::new(),
        graph: BTreeMap::new(),
    };
    let mut section = None;
    let mut last = None;
    let mut start = 0;
    for line in file.text().split_inclusive('\n') {
        let text = line.trim_end_matches(['\n', '\r']);
        let at = file.at(start..start + text.len());
        start += line.len();
        if ["<<<<<<<", "=======", ">>>>>>>"]
            .iter()
            .any(|mark| text.starts_with(mark))
        {
            return Err(problem(
                "the lockfile has the marks of an unresolved merge",
                at,
            ));
        }
        match (text, section) {
            ("", _) => {}
            ("DEPENDENCIES", _) => section = Some(Section::Dependencies),
            ("GRAPH", _) => section = Some(Section::Graph),
            (_, None) => return Err(problem("this stands before `DEPENDENCIES`", at)),
            (_, Some(Section::Dependencies)) => dependency_line(&mut lock, text, at)?,
            (_, Some(Section::Graph)) => graph_line(&mut lock, &mut last, text, at)?,
        }
    }
    Ok(lock)
}

/// What stands behind exactly so many spaces.
fn indented(text: &str, spaces: usize) -> Option<&str> {
    let rest = text.trim_start_matches(' ');
    (!rest.is_empty() && text.len() - rest.len() == spaces).then_some(rest)
}

/// `name (version)` or `name`. What follows a dash in a version is its platform, which is dropped.
fn name_and_version(text: &str) -> (&str, Option<&str>) {
    let parts = text
        .strip_suffix(')')
        .and_then(|text| text.split_once(" ("));
    match parts {
        Some((name, version)) => (
            name,
            Some(version.split_once('-').map_or(version, |(v, _)| v)),
        ),
        None => (text, None),
    }
}

fn odd(at: Location) -> ManifestError {
    problem("this is no line of a Berksfile.lock", at)
}

fn dependency_line(
    lock: &mut BerksfileLock,
    text: &str,
    at: Location,
) -> Result<(), ManifestError> {
    if let Some(rest) = indented(text, 2) {
        let (name, version) = name_and_version(rest);
        lock.dependencies.push(Declaration {
            name: name.to_owned(),
            constraint: version.unwrap_or(ANY).to_owned(),
            groups: vec![DEFAULT_GROUP.to_owned()],
            is_metadata: false,
            origin: None,
            options: Vec::new(),
            at,
        });
        return Ok(());
    }
    let option = indented(text, 4).and_then(|rest| rest.rsplit_once(": "));
    let (Some((key, value)), Some(last)) = (option, lock.dependencies.last_mut()) else {
        return Err(odd(at));
    };
    set_option(last, key, value);
    Ok(())
}

fn set_option(declared: &mut Declaration, key: &str, value: &str) {
    let value = value.to_owned();
    match (key, &mut declared.origin) {
        ("git", origin @ None) => {
            *origin = Some(Origin::Git(GitOrigin {
                url: value,
                ..GitOrigin::default()
            }));
        }
        ("path", origin @ None) => *origin = Some(Origin::Path(value)),
        ("metadata", _) => declared.is_metadata = value == "true",
        ("branch", Some(Origin::Git(git))) => git.branch = Some(value),
        ("tag", Some(Origin::Git(git))) => git.tag = Some(value),
        ("ref", Some(Origin::Git(git))) => git.reference = Some(value),
        ("revision", Some(Origin::Git(git))) => git.revision = Some(value),
        ("rel", Some(Origin::Git(git))) => git.rel = Some(value),
        // Plug-ins write options of their own.
        (_, Some(_)) => {}
        (_, origin @ None) => *origin = Some(Origin::Other(key.to_owned())),
    }
}

fn graph_line(
    lock: &mut BerksfileLock,
    last: &mut Option<String>,
    text: &str,
    at: Location,
) -> Result<(), ManifestError> {
    if let Some(rest) = indented(text, 2) {
        let (name, version) = name_and_version(rest);
        let Some(version) = version else {
            return Err(odd(at));
        };
        let locked = lock.graph.entry(name.to_owned()).or_default();
        if locked.version.is_empty() {
            version.clone_into(&mut locked.version);
        }
        *last = Some(name.to_owned());
        return Ok(());
    }
    let locked = last.as_ref().and_then(|name| lock.graph.get_mut(name));
    let (Some(rest), Some(locked)) = (indented(text, 4), locked) else {
        return Err(odd(at));
    };
    let (name, constraint) = name_and_version(rest);
    let constraint = constraint.unwrap_or(ANY).to_owned();
    locked.dependencies.insert(name.to_owned(), constraint);
    Ok(())
}

/// Berkshelf 2's form: JSON with the cookbooks that were named alone.
fn read_json(file: &SourceFile) -> Result<BerksfileLock, ManifestError> {
    let whole = || file.at(0..0);
    let document: serde_json::Value = serde_json::from_str(file.text())
        .map_err(|error| problem(format!("this is not valid JSON: {error}"), whole()))?;
    // Berkshelf 1 wrote `sources`, which later ones pass over.
    let entries = document.get("dependencies").and_then(|d| d.as_object());
    let mut lock = BerksfileLock {
        dependencies: Vec::new(),
        graph: BTreeMap::new(),
    };
    for (name, options) in entries.into_iter().flatten() {
        let mut declared = Declaration {
            name: name.clone(),
            constraint: ANY.to_owned(),
            groups: vec![DEFAULT_GROUP.to_owned()],
            is_metadata: false,
            origin: None,
            options: Vec::new(),
            at: whole(),
        };
        let text = |key: &str| options.get(key).and_then(|value| value.as_str());
        for key in ["git", "path", "branch", "tag", "ref", "rel"] {
            if let Some(value) = text(key) {
                set_option(&mut declared, key, value);
            }
        }
        if let Some(version) = text("locked_version") {
            let locked = lock.graph.entry(name.clone()).or_default();
            version.clone_into(&mut locked.version);
        }
        lock.dependencies.push(declared);
    }
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::TreePath;

    #[test]
    fn what_was_locked_by_an_address_that_is_read_as_another_still_counts() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let text = format!(
            "DEPENDENCIES\n  web\n    git: git://github.com/example/web.git\n    revision: {id}\n\nGRAPH\n  web (1.0.0)\n"
        );
        let lock = BerksfileLock::parse(&SourceFile::new("Berksfile.lock", text)).unwrap();
        let commit = |url: &str| {
            let source = Source::Git {
                url: url.parse().unwrap(),
                reference: GitRef::Default,
                rel: TreePath::root(),
                lfs: false,
            };
            lock.commit(&"web".parse().unwrap(), &source)
        };
        let locked = Some(id.parse().unwrap());
        assert_eq!(commit("git://github.com/example/web.git"), locked);
        assert_eq!(commit("https://github.com/example/web.git"), locked);
        assert_eq!(commit("https://github.com/example/other.git"), None);
    }
}
