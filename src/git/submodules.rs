//! The repositories that a commit holds as its submodules (git, `Documentation/gitmodules`).
//!
//! `.gitmodules` is written by whoever wrote the repository. It can name an address, and nothing else
//! of it counts; an address goes through the same checks as one of a manifest, and a repository that
//! comes from elsewhere cannot name a folder of this machine (CVE-2022-39253).

use super::GitError;
use super::committed::{RootFile, root_file, settings};
use super::mirror::Mirror;
use super::refs::{commit_id, oid};
use crate::manifest::{CommitId, GitUrl, GitUrlForm};

/// A submodule as a commit names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submodule {
    /// Its folder, from the repository's root.
    pub(crate) path: String,
    pub(crate) url: GitUrl,
    pub(crate) commit: CommitId,
}

const FILE: &str = ".gitmodules";

/// The submodule at `path` of a commit. `outer` is the repository's address.
pub(super) fn submodule(
    mirror: &Mirror,
    outer: &GitUrl,
    commit: &CommitId,
    path: &str,
) -> Result<Submodule, GitError> {
    let unknown = |reason: String| GitError::Submodule {
        url: mirror.url.clone(),
        path: path.to_owned(),
        reason,
    };
    let tree = mirror.repository.find_commit(oid(commit));
    let tree = tree.and_then(|commit| commit.tree());
    let tree = tree.map_err(|error| mirror.damaged(error))?;
    let inner = tree.get_path(std::path::Path::new(path)).ok();
    let inner = inner.and_then(|entry| commit_id(entry.id()));
    let inner = inner.ok_or_else(|| unknown("no commit stands there".to_owned()))?;
    let text = match root_file(mirror, &tree, FILE) {
        RootFile::Text(text) => text,
        RootFile::Unreadable => return Err(unknown(format!("`{FILE}` cannot be read"))),
        RootFile::Absent => return Err(unknown(format!("the repository has no `{FILE}`"))),
    };
    let found = parse(&text)
        .into_iter()
        .find(|found| found.path.trim_end_matches('/') == path)
        .ok_or_else(|| unknown(format!("`{FILE}` does not name it")))?;
    let address = absolute(outer.with_credentials(), &found.url)
        .ok_or_else(|| unknown(format!("its address leads above `{}`", outer.redacted())))?;
    let url: GitUrl = address
        .parse()
        .map_err(|error| unknown(format!("{error}")))?;
    let is_local = |url: &GitUrl| matches!(url.form(), GitUrlForm::Path | GitUrlForm::File);
    if is_local(&url) && !is_local(outer) {
        return Err(unknown(format!(
            "a repository from elsewhere may not name the folder `{url}` of this machine"
        )));
    }
    Ok(Submodule {
        path: path.to_owned(),
        url,
        commit: inner,
    })
}

/// An entry of `.gitmodules`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    path: String,
    url: String,
}

/// The entries that have both a path and an address.
fn parse(text: &str) -> Vec<Entry> {
    let mut entries: Vec<(String, Entry)> = Vec::new();
    for setting in settings(text) {
        let Some(name) = setting.section.strip_prefix("submodule ").map(str::trim) else {
            continue;
        };
        if entries.last().is_none_or(|(last, _)| last != name) {
            entries.push((name.to_owned(), Entry::default()));
        }
        if let Some((_, entry)) = entries.last_mut() {
            match &*setting.key {
                "path" => entry.path = setting.value,
                "url" => entry.url = setting.value,
                _ => {}
            }
        }
    }
    let entries = entries.into_iter().map(|(_, entry)| entry);
    entries
        .filter(|entry| !entry.path.is_empty() && !entry.url.is_empty())
        .collect()
}

/// The address of a submodule, which may be relative to that of the repository that holds it (git,
/// `remote.c`, `relative_url`). None if it leads above what the other has.
fn absolute(outer: &str, inner: &str) -> Option<String> {
    if !inner.starts_with("./") && !inner.starts_with("../") {
        return Some(inner.to_owned());
    }
    let mut outer = outer.trim_end_matches('/');
    let mut rest = inner;
    let mut separator = '/';
    loop {
        if let Some(after) = rest.strip_prefix("../") {
            let authority = outer.find("://").map_or(0, |at| at + 3);
            let cut = outer[authority..].rfind('/').map(|at| at + authority);
            match (cut, outer[authority..].rfind(':')) {
                (Some(at), _) => {
                    outer = &outer[..at];
                    separator = '/';
                }
                (None, Some(at)) if authority == 0 => {
                    outer = &outer[..at];
                    separator = ':';
                }
                // A folder beside the one that is named without a path.
                (None, None) if authority == 0 && separator == '/' && !outer.starts_with('.') => {
                    outer = ".";
                }
                _ => return None,
            }
            rest = after;
        } else if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else {
            break;
        }
    }
    Some(format!("{outer}{separator}{}", rest.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gitmodules_are_read_as_git_reads_them() {
        let text = "# a comment\n[submodule \"lib\"]\n\tpath = files/lib\n\turl = ../lib.git ; why\n\
            [core]\n\turl = no\n[submodule \"two words\"] \n  PATH = \"a \\\"b\\\" # c\"  \n\
            url=https://example.com/x\\\n.git\n[submodule \"none\"]\n\tpath = x\n";
        let entry = |path: &str, url: &str| Entry {
            path: path.to_owned(),
            url: url.to_owned(),
        };
        assert_eq!(
            parse(text),
            [
                entry("files/lib", "../lib.git"),
                entry("a \"b\" # c", "https://example.com/x.git"),
            ]
        );
    }

    #[test]
    fn relative_addresses_begin_at_the_repository() {
        for (outer, inner, wanted) in [
            ("https://h/a/b.git", "../c.git", Some("https://h/a/c.git")),
            ("https://h/a/b.git/", "../../c.git", Some("https://h/c.git")),
            ("https://h/a/b", "./c", Some("https://h/a/b/c")),
            ("https://h/a", "../../c", None),
            ("git@h:a/b.git", "../c.git", Some("git@h:a/c.git")),
            ("git@h:a.git", "../c.git", Some("git@h:c.git")),
            ("git@h:a.git", "../../c.git", None),
            ("/srv/a", "../b", Some("/srv/b")),
            ("vendor/a.git", "../b.git", Some("vendor/b.git")),
            ("a.git", "../b.git", Some("./b.git")),
            ("/srv/a", "https://h/b", Some("https://h/b")),
        ] {
            assert_eq!(absolute(outer, inner).as_deref(), wanted, "{outer} {inner}");
        }
    }
}
