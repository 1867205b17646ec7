//! A cookbook as the Ruby files declare it: a Berksfile, a Policyfile.rb, a Cheffile.

use super::git::redact;
use super::hosts::Host;
use super::{
    CommitPrefix, GitProtocol, GitRef, GitUrl, ManifestError, Requirement, Source, check_any_ref,
    check_ref_name,
};
use crate::metadata::Json;
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::ruby::{Eval, Interpreter, Value};
use crate::text::Location;
use crate::version::Constraint;

/// What a declared cookbook without a constraint has.
pub(super) const ANY: &str = ">= 0.0.0";

/// One cookbook as a file declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Its name as written.
    pub name: String,
    /// The versions that fit, in the form in which Berkshelf and chef-cli keep it: `= 1.2.0` for
    /// `1.2`.
    pub constraint: String,
    /// Its groups: `default` where none is given.
    pub groups: Vec<String>,
    /// Whether it is the cookbook beside the file, taken in by `metadata`.
    pub is_metadata: bool,
    /// Where it comes from; without one, the file's sources are asked.
    pub origin: Option<Origin>,
    /// Its options as written, where the file is a Policyfile.rb.
    pub options: Vec<(String, Json)>,
    /// Where it is declared.
    pub at: Location,
}

/// Where a declared cookbook comes from.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A git repository.
    Git(GitOrigin),
    /// A folder, relative to the file's own, without detours.
    Path(String),
    /// Something else, by its option: `artifactory`, `chef_server`, ...
    Other(String),
}

/// A git repository and what is wanted of it, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitOrigin {
    /// Its address.
    pub url: String,
    /// A branch.
    pub branch: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// Whatever `git rev-parse` knows.
    pub reference: Option<String>,
    /// A commit, which wins over the others.
    pub revision: Option<String>,
    /// The cookbook's folder within the repository.
    pub rel: Option<String>,
}

impl Declaration {
    /// The cookbook's name, checked.
    pub(super) fn cookbook_name(&self) -> Result<CookbookName, ManifestError> {
        self.name
            .parse()
            .map_err(|error| ManifestError::invalid(&error, &self.at))
    }

    /// What it asks of a resolution.
    pub(super) fn requirement(&self) -> Result<Requirement, ManifestError> {
        // `~` is Semverse's other name for `~>`.
        let constraint = match self.constraint.strip_prefix("~ ") {
            Some(version) => format!("~> {version}"),
            None => self.constraint.clone(),
        };
        let constraint: Constraint = constraint
            .parse()
            .map_err(|error| ManifestError::invalid(&error, &self.at))?;
        let source = match &self.origin {
            Some(Origin::Git(git)) => Some(git.source(&self.at)?),
            Some(Origin::Path(path)) => Some(Source::Path(path.clone())),
            Some(Origin::Other(_)) | None => None,
        };
        Ok(Requirement {
            constraint,
            source,
            groups: self.groups.as_slice().into(),
            overrides: None,
            at: self.at.clone(),
        })
    }
}

impl GitOrigin {
    /// Its address without credentials.
    pub fn redacted_url(&self) -> String {
        redact(&self.url)
    }

    fn source(&self, at: &Location) -> Result<Source, ManifestError> {
        let url: GitUrl = self
            .url
            .parse()
            .map_err(|error| ManifestError::invalid(&error, at))?;
        let rel = match &self.rel {
            Some(rel) => {
                TreePath::parse(rel).map_err(|error| ManifestError::invalid(&error, at))?
            }
            None => TreePath::root(),
        };
        Ok(Source::Git {
            url,
            reference: self.git_ref(at)?,
            rel,
            lfs: false,
        })
    }

    /// The one that Berkshelf takes of several.
    pub(super) fn git_ref(&self, at: &Location) -> Result<GitRef, ManifestError> {
        let name = |name: &String| {
            check_ref_name(name).map_err(|error| ManifestError::invalid(&error, at))
        };
        let commit = |text: &String| text.parse::<CommitPrefix>();
        if let Some(revision) = &self.revision {
            return match commit(revision) {
                Ok(prefix) => Ok(GitRef::Commit(prefix)),
                Err(error) => Err(ManifestError::invalid(&error, at)),
            };
        }
        if let Some(reference) = &self.reference {
            return match commit(reference) {
                Ok(prefix) if prefix.full().is_some() => Ok(GitRef::Commit(prefix)),
                _ => match check_any_ref(reference) {
                    Ok(name) => Ok(GitRef::Any(name)),
                    Err(error) => Err(ManifestError::invalid(&error, at)),
                },
            };
        }
        match (&self.branch, &self.tag) {
            (Some(branch), _) => name(branch).map(GitRef::Branch),
            (None, Some(tag)) => name(tag).map(GitRef::Tag),
            (None, None) => Ok(GitRef::Default),
        }
    }
}

/// A constraint in Semverse's form (berkshelf/semverse, `lib/semverse/constraint.rb`); none if it
/// is no constraint. Only `~>` keeps parts that are not given.
pub(super) fn semverse(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(ANY.to_owned());
    }
    let operators = ["!=", ">=", "<=", "~>", "=", ">", "<", "~"];
    let (operator, rest) = operators
        .iter()
        .find_map(|op| Some((*op, text.strip_prefix(op)?.trim_start())))
        .unwrap_or(("=", text));
    let (rest, build) = match rest.split_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (rest, None),
    };
    let (numbers, pre_release) = match rest.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (rest, None),
    };
    let is_label = |text: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
        !text.is_empty() && text.bytes().all(allowed)
    };
    if !pre_release.is_none_or(is_label) || !build.is_none_or(is_label) {
        return None;
    }
    let mut parts = Vec::new();
    for part in numbers.split('.') {
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        // A number is printed as a number: `01` is `1`.
        parts.push(digits.then(|| part.parse::<u64>().ok()).flatten()?);
    }
    if parts.len() > 3 {
        return None;
    }
    if !operator.starts_with('~') {
        parts.resize(3, 0);
    }
    let numbers: Vec<_> = parts.iter().map(u64::to_string).collect();
    let mut normal = format!("{operator} {}", numbers.join("."));
    if let Some(pre_release) = pre_release {
        normal.push('-');
        normal.push_str(pre_release);
    }
    if let Some(build) = build {
        normal.push('+');
        normal.push_str(build);
    }
    Some(normal)
}

/// The constraint of a call, in its kept form. Raises what Semverse does.
pub(super) fn constraint(cx: &mut Interpreter<'_>, value: Option<Value>) -> Eval<String> {
    let Some(value) = value.filter(|value| !value.is_nil()) else {
        return Ok(ANY.to_owned());
    };
    let text = cx.display(value)?;
    match semverse(&text) {
        Some(normal) => Ok(normal),
        None => cx.raise(
            "Semverse::InvalidConstraintFormat",
            format!("`{}` is not a version constraint", text.escape_debug()),
        ),
    }
}

/// A text, none for `nil`.
pub(super) fn optional_text(cx: &mut Interpreter<'_>, value: Value) -> Eval<Option<String>> {
    if value.is_nil() {
        return Ok(None);
    }
    let text = cx.display(value)?;
    cx.placeless(text).map(Some)
}

/// A folder that a file names, relative to the file's own, without detours.
pub(super) fn folder(cx: &mut Interpreter<'_>, value: Value) -> Eval<String> {
    let text = cx.text_of(value)?;
    if text.starts_with('~') {
        return cx.unsupported("a path that begins with `~`, the home folder");
    }
    match cx.path_from_base(&text) {
        Some(path) => Ok(path),
        None => cx.unsupported("a path that climbs above every folder"),
    }
}

/// A repository's address: as written, or a folder's path from the file's own folder.
pub(super) fn address(cx: &mut Interpreter<'_>, value: Value) -> Eval<String> {
    let text = cx.display(value)?;
    let is_placed = text.starts_with('/');
    match cx.path_from_base(&text).filter(|_| is_placed) {
        Some(path) => cx.placeless(path),
        None => cx.placeless(text),
    }
}

/// Where a cookbook comes from by its options, the first of which that names a place counts, as in
/// Berkshelf's `Location.init` and chef-cli's omnifetch. `protocol` is that of the hosts' short forms.
pub(super) fn origin(
    cx: &mut Interpreter<'_>,
    options: &[(String, Value)],
    others: &[&str],
    protocol: GitProtocol,
) -> Eval<Option<Origin>> {
    let is_place = |name: &str| {
        matches!(name, "git" | "path") || Host::of_key(name).is_some() || others.contains(&name)
    };
    let Some((name, value)) = options.iter().find(|(name, _)| is_place(name)) else {
        return Ok(None);
    };
    if name == "path" {
        return folder(cx, *value).map(|path| Some(Origin::Path(path)));
    }
    if others.contains(&name.as_str()) {
        return Ok(Some(Origin::Other(name.clone())));
    }
    if value.is_nil() {
        return cx.raise("ArgumentError", format!("`{name}` is nil"));
    }
    let url = match Host::of_key(name) {
        Some(host) => {
            let text = cx.display(*value)?;
            host.address(&cx.placeless(text)?, protocol)
        }
        None => address(cx, *value)?,
    };
    let mut part = |name: &str| match options.iter().rfind(|(known, _)| known == name) {
        Some((_, value)) => optional_text(cx, *value),
        None => Ok(None),
    };
    Ok(Some(Origin::Git(GitOrigin {
        url,
        branch: part("branch")?,
        tag: part("tag")?,
        reference: part("ref")?,
        revision: part("revision")?,
        rel: part("rel")?,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_kept_as_semverse_keeps_them() {
        for (text, normal) in [
            ("", ">= 0.0.0"),
            ("1.2", "= 1.2.0"),
            ("= 1", "= 1.0.0"),
            ("~> 1", "~> 1"),
            ("~>1.2", "~> 1.2"),
            ("~> 1.2.3", "~> 1.2.3"),
            (">=   2", ">= 2.0.0"),
            ("< 3.0", "< 3.0.0"),
            ("!= 1.0.0", "!= 1.0.0"),
            ("1.2.3-rc.1+b", "= 1.2.3-rc.1+b"),
        ] {
            assert_eq!(semverse(text).as_deref(), Some(normal), "{text:?}");
        }
        for bad in [
            "latest", " 1.0", "1.0 ", "1.2.3.4", ">> 1", "1..2", "1.x", "=",
        ] {
            assert_eq!(semverse(bad), None, "{bad:?}");
        }
    }
}
