//! Which of a remote's references a manifest means.

use git2::Oid;

use super::transport::{RemoteRef, RemoteRefs};
use crate::manifest::{CommitId, CommitPrefix, GitRef};
use crate::text::nearest;

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// What every branch and every tag begins with.
pub(super) fn all_prefixes() -> Vec<String> {
    vec![BRANCHES.to_owned(), TAGS.to_owned()]
}

/// The names under which a reference can stand at a remote; none where no name is needed to know the
/// commit.
pub(super) fn prefixes(reference: &GitRef) -> Vec<String> {
    match reference {
        GitRef::Default => vec!["HEAD".to_owned()],
        GitRef::Branch(name) => vec![format!("{BRANCHES}{name}")],
        GitRef::Tag(name) => vec![format!("{TAGS}{name}")],
        GitRef::Commit(prefix) if prefix.full().is_some() => Vec::new(),
        GitRef::Commit(_) => all_prefixes(),
        GitRef::Any(name) if name.starts_with("refs/") => vec![name.clone()],
        GitRef::Any(name) => match name.parse::<CommitPrefix>() {
            Ok(prefix) if prefix.full().is_some() => Vec::new(),
            Ok(_) => all_prefixes(),
            Err(_) => vec![format!("{BRANCHES}{name}"), format!("{TAGS}{name}")],
        },
    }
}

/// What a reference means at a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// What stands at a branch, a tag or another name.
    At(RemoteRef),
    /// A commit by its whole id.
    Commit(Oid),
    /// The one commit whose id begins so.
    Prefix(CommitPrefix),
    /// Both a branch and a tag.
    Ambiguous,
    /// The remote has none such.
    Missing,
}

impl RemoteRefs {
    /// What a reference means here.
    pub(super) fn meaning(&self, reference: &GitRef) -> Meaning {
        let at = |name: &str| self.names.get(name).copied();
        let found = match reference {
            GitRef::Default => self.head.as_deref().and_then(|name| {
                // A server of version 2 tells where HEAD stands under its own name alone.
                at(name).or_else(|| at("HEAD"))
            }),
            GitRef::Branch(name) => at(&format!("{BRANCHES}{name}")),
            GitRef::Tag(name) => at(&format!("{TAGS}{name}")),
            GitRef::Commit(prefix) => return meaning_of(prefix),
            GitRef::Any(name) if name.starts_with("refs/") => at(name),
            GitRef::Any(name) => {
                let prefix = name.parse::<CommitPrefix>().ok();
                if let Some(prefix) = prefix.as_ref().filter(|prefix| prefix.full().is_some()) {
                    return meaning_of(prefix);
                }
                let branch = at(&format!("{BRANCHES}{name}"));
                match (branch, at(&format!("{TAGS}{name}")), prefix) {
                    (Some(_), Some(_), _) => return Meaning::Ambiguous,
                    (None, None, Some(prefix)) => return Meaning::Prefix(prefix),
                    (branch, tag, _) => branch.or(tag),
                }
            }
        };
        found.map_or(Meaning::Missing, Meaning::At)
    }

    /// Every object that a branch or a tag names.
    pub(super) fn tips(&self) -> Vec<Oid> {
        let named = self.names.iter();
        let named = named.filter(|(name, _)| name.starts_with(BRANCHES) || name.starts_with(TAGS));
        let mut ids: Vec<_> = named.map(|(_, found)| found.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The id under which a remote gives a commit for sure: that of a reference which leads to it.
    pub(super) fn name_of(&self, commit: Oid) -> Oid {
        let mut found = self.names.values();
        let found = found.find(|found| found.id == commit || found.peeled == Some(commit));
        found.map_or(commit, |found| found.id)
    }

    /// A branch or a tag with a name like the one asked for.
    pub(super) fn near(&self, reference: &GitRef) -> Option<String> {
        let (GitRef::Branch(asked) | GitRef::Tag(asked) | GitRef::Any(asked)) = reference else {
            return None;
        };
        let short = |prefix: &'static str| {
            let named = self.names.keys();
            named.filter_map(move |full| Some((full.strip_prefix(prefix)?, prefix)))
        };
        let known: Vec<_> = short(BRANCHES).chain(short(TAGS)).collect();
        // The right name at the wrong key is the nearest of all.
        let same = known.iter().find(|(name, _)| name == asked);
        let near = match same {
            Some((name, _)) => name,
            None => nearest(asked, known.iter().map(|(name, _)| *name))?,
        };
        let (name, kind) = known.iter().find(|(name, _)| *name == near)?;
        let key = if *kind == TAGS { "tag" } else { "branch" };
        Some(format!("{key} = \"{name}\""))
    }
}

impl RemoteRef {
    /// The commit that it leads to, as far as the remote has told.
    pub(super) fn target(&self) -> Oid {
        self.peeled.unwrap_or(self.id)
    }
}

fn meaning_of(prefix: &CommitPrefix) -> Meaning {
    match prefix.full() {
        Some(commit) => Meaning::Commit(oid(&commit)),
        None => Meaning::Prefix(prefix.clone()),
    }
}

pub(super) fn oid(commit: &CommitId) -> Oid {
    Oid::from_str(commit.as_str()).unwrap_or(Oid::ZERO_SHA1)
}

pub(super) fn commit_id(id: Oid) -> Option<CommitId> {
    id.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(digit: char) -> RemoteRef {
        RemoteRef {
            id: Oid::from_str(&digit.to_string().repeat(40)).unwrap(),
            peeled: None,
        }
    }

    fn refs() -> RemoteRefs {
        let named = [
            ("HEAD", at('1')),
            ("refs/heads/main", at('1')),
            ("refs/heads/both", at('2')),
            ("refs/heads/abcd", at('3')),
            ("refs/tags/both", at('4')),
            ("refs/tags/v1.0.0", at('5')),
            ("refs/pull/7/head", at('6')),
        ];
        RemoteRefs {
            head: Some("refs/heads/main".to_owned()),
            names: named
                .into_iter()
                .map(|(name, found)| (name.to_owned(), found))
                .collect(),
        }
    }

    fn any(name: &str) -> GitRef {
        GitRef::Any(name.to_owned())
    }

    #[test]
    fn a_name_means_what_git_means_by_it() {
        let refs = refs();
        let whole = "f".repeat(40);
        let table = [
            (GitRef::Default, Meaning::At(at('1'))),
            (GitRef::Branch("both".to_owned()), Meaning::At(at('2'))),
            (GitRef::Tag("both".to_owned()), Meaning::At(at('4'))),
            (any("both"), Meaning::Ambiguous),
            (any("main"), Meaning::At(at('1'))),
            (any("v1.0.0"), Meaning::At(at('5'))),
            (any("refs/pull/7/head"), Meaning::At(at('6'))),
            (any("refs/heads/both"), Meaning::At(at('2'))),
            (any("abcd"), Meaning::At(at('3'))),
            (any("abcde"), Meaning::Prefix("abcde".parse().unwrap())),
            (any(&whole), Meaning::Commit(at('f').id)),
            (
                GitRef::Commit(whole.parse().unwrap()),
                Meaning::Commit(at('f').id),
            ),
            (any("nothing"), Meaning::Missing),
            (GitRef::Tag("main".to_owned()), Meaning::Missing),
        ];
        for (reference, meaning) in table {
            assert_eq!(refs.meaning(&reference), meaning, "{reference}");
        }
    }

    #[test]
    fn a_misspelt_name_and_one_at_the_wrong_key_are_told() {
        let refs = refs();
        let near = |reference| refs.near(&reference);
        assert_eq!(
            near(GitRef::Branch("mian".to_owned())).as_deref(),
            Some("branch = \"main\"")
        );
        assert_eq!(
            near(GitRef::Branch("v1.0.0".to_owned())).as_deref(),
            Some("tag = \"v1.0.0\"")
        );
        assert_eq!(near(GitRef::Default), None);
    }

    #[test]
    fn a_commit_is_asked_for_by_the_tag_that_leads_to_it() {
        let mut refs = refs();
        let tag = refs.names.get_mut("refs/tags/v1.0.0").unwrap();
        tag.peeled = Some(at('9').id);
        assert_eq!(refs.name_of(at('9').id), at('5').id);
        assert_eq!(refs.name_of(at('8').id), at('8').id);
    }
}
