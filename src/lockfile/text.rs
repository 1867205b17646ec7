//! A lockfile's text: printed, and read back.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::{FORMAT, LockedCookbook, LockedSubmodule, Lockfile, LockfileError, Pin};
use crate::document::{DocumentError, Table, invalid, quote, read_document, read_part};
use crate::manifest::{CommitId, CommitPrefix, GitRef, check_ref_name, redact};
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::text::{Location, SourceFile};

impl Lockfile {
    /// Reads a lockfile's text. `path` is shown in messages.
    pub fn parse(path: impl AsRef<str>, text: &str) -> Result<Self, LockfileError> {
        let file = SourceFile::new(path.as_ref(), text);
        if let Some(start) = merge_mark(file.text()) {
            return Err(LockfileError::MergeConflict {
                at: file.at(start..start + 7),
            });
        }
        // A document as it is parsed takes many times the memory of its text, so cookbooks are read one by one.
        // What is wrong with a part is told of the whole, where it has its place.
        let by_parts = read_by_parts(&file);
        by_parts.map_or_else(|| read_whole(&file), Ok)
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

/// The line that each cookbook begins with.
const COOKBOOK: &str = "[[cookbook]]";

/// Reads the cookbooks one by one. None if anything is wrong with one of them, or might be with the whole.
fn read_by_parts(file: &SourceFile) -> Option<Lockfile> {
    let text = file.text();
    let line = format!("\n{COOKBOOK}\n");
    let begins = text.match_indices(&line).map(|(at, _)| at + 1);
    let ends = begins.clone().chain([text.len()]);
    let head = &text[..ends.clone().next()?];
    let mut lockfile = read_part(file, 0, head, |root| {
        root.only(&["requirements", "version"])?;
        let format = root.value("version").map(|format| format.number());
        let is_known = matches!(format, Some(Ok((FORMAT, _))));
        Ok(is_known.then_some(Lockfile {
            requirements: require(&root, "requirements", str::parse)?,
            cookbooks: BTreeMap::new(),
        }))
    })
    .ok()??;
    for (begin, end) in begins.zip(ends.skip(1)) {
        let read = |root: Table<'_, '_>| {
            root.only(&["cookbook"])?;
            read_cookbooks(&root, &mut lockfile.cookbooks)
        };
        read_part(file, begin, &text[begin..end], read).ok()?;
    }
    // A map that was filled in order has nodes that are half empty, and one that is made of a whole has none.
    lockfile.cookbooks = lockfile.cookbooks.into_iter().collect();
    Some(lockfile)
}

/// Reads all of a lockfile at once.
fn read_whole(file: &SourceFile) -> Result<Lockfile, LockfileError> {
    check_format(file)?;
    Ok(read_document(file, |root| {
        root.only(&["cookbook", "requirements", "version"])?;
        let mut lockfile = Lockfile {
            requirements: require(&root, "requirements", str::parse)?,
            cookbooks: BTreeMap::new(),
        };
        read_cookbooks(&root, &mut lockfile.cookbooks)?;
        Ok(lockfile)
    })?)
}

fn read_cookbooks(
    root: &Table<'_, '_>,
    cookbooks: &mut BTreeMap<CookbookName, LockedCookbook>,
) -> Result<(), DocumentError> {
    let Some(list) = root.value("cookbook") else {
        return Ok(());
    };
    for value in list.list()? {
        let table = value.table(COOKBOOK.to_owned())?;
        table.only(&COOKBOOK_KEYS)?;
        let (name, at) = require_at(&table, "name", str::parse::<CookbookName>)?;
        let cookbook = read_cookbook(&table)?;
        if cookbooks.insert(name.clone(), cookbook).is_some() {
            return Err(invalid(&format!("cookbook `{name}` is locked twice"), at));
        }
    }
    Ok(())
}

impl LockedCookbook {
    fn print(&self, name: &CookbookName, text: &mut String) {
        let mut pairs = vec![
            ("name", quote(name.as_str())),
            ("version", quote(&self.version.to_string())),
        ];
        match &*self.pin {
            Pin::Path { path, dirty } => {
                pairs.push(("path", quote(path)));
                if *dirty {
                    pairs.push(("dirty", "true".to_owned()));
                }
            }
            Pin::Upstream {
                upstream,
                url,
                sha256,
            } => {
                pairs.push(("source", quote(upstream)));
                pairs.push(("url", quote(url)));
                if let Some(digest) = sha256 {
                    pairs.push(("sha256", quote(&digest.to_string())));
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
        let _ = writeln!(text, "\n{COOKBOOK}");
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
const COOKBOOK_KEYS: [&str; 18] = [
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
    "sha256",
    "source",
    "submodules",
    "tag",
    "url",
    "version",
];

fn read_cookbook(table: &Table<'_, '_>) -> Result<LockedCookbook, DocumentError> {
    let version = require(table, "version", str::parse)?;
    let git = table.string("git")?;
    let path = table.string("path")?;
    let source = table.string("source")?;
    let content = require(table, "content", str::parse)?;
    let dependencies = table
        .strings("dependencies")?
        .into_iter()
        .map(|(text, at)| {
            text.parse()
                .map_err(|e| invalid(&e as &dyn fmt::Display, at))
        })
        .collect::<Result<_, _>>()?;
    let pin = match (git, path, source) {
        (Some((url, _)), None, None) => read_git_pin(table, url)?,
        (None, Some((path, _)), None) => {
            refuse_keys(table, "a folder", &[&OF_GIT[..], &OF_UPSTREAM].concat())?;
            Pin::Path {
                path,
                dirty: table.boolean("dirty")?.unwrap_or(false),
            }
        }
        (None, None, Some(source)) => read_upstream_pin(table, source)?,
        _ => {
            return Err(invalid(
                &"a cookbook is locked to one of `git`, `path` and `source`",
                table.at(),
            ));
        }
    };
    Ok(LockedCookbook {
        version,
        pin: Arc::new(pin),
        content,
        dependencies,
    })
}

/// The keys beside `git`.
const OF_GIT: [&str; 8] = [
    "asked",
    "branch",
    "commit",
    "lfs",
    "ref",
    "rel",
    "submodules",
    "tag",
];

/// The keys beside `source`.
const OF_UPSTREAM: [&str; 2] = ["sha256", "url"];

fn read_git_pin(table: &Table<'_, '_>, url: String) -> Result<Pin, DocumentError> {
    refuse_keys(table, "a commit", &[&["dirty"][..], &OF_UPSTREAM].concat())?;
    let branch = table.parsed("branch", check_ref_name)?;
    let tag = table.parsed("tag", check_ref_name)?;
    let asked = table.parsed("asked", str::parse::<CommitPrefix>)?;
    let any = table.parsed("ref", check_ref_name)?;
    let rel = table.parsed("rel", TreePath::parse)?;
    let reference = match (branch, tag, asked, any) {
        (None, None, None, None) => GitRef::Default,
        (Some((branch, _)), None, None, None) => GitRef::Branch(branch),
        (None, Some((tag, _)), None, None) => GitRef::Tag(tag),
        (None, None, Some((prefix, _)), None) => GitRef::Commit(prefix),
        (None, None, None, Some((name, _))) => GitRef::Any(name),
        _ => {
            return Err(invalid(
                &"a cookbook is locked to more than one reference",
                table.at(),
            ));
        }
    };
    Ok(Pin::Git {
        url,
        reference,
        rel: rel.map_or_else(TreePath::root, |(rel, _)| rel),
        commit: require(table, "commit", str::parse::<CommitId>)?,
        lfs: table.boolean("lfs")?.unwrap_or(false),
        submodules: read_submodules(table)?,
    })
}

fn read_upstream_pin(
    table: &Table<'_, '_>,
    (upstream, at): (String, Location),
) -> Result<Pin, DocumentError> {
    refuse_keys(table, "a source", &[&["dirty"][..], &OF_GIT].concat())?;
    let (url, url_at) = table.required("url")?;
    for (address, at) in [(&upstream, at), (&url, url_at)] {
        if address.is_empty() {
            return Err(invalid(&"an address is empty", at));
        }
        // Whoever reads a lockfile may see it.
        if redact(address) != *address {
            return Err(invalid(&"an address in a lockfile has no credentials", at));
        }
    }
    let sha256 = table.parsed("sha256", str::parse)?;
    Ok(Pin::Upstream {
        upstream,
        url,
        sha256: sha256.map(|(digest, _)| digest),
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
mod tests;
