//! Which locked cookbooks are not the newest, and what holds them back.

use super::graph::{DependencyGraph, Edge, dependency_graph};
use super::named::Named;
use super::plans::Plans;
use super::{Context, Error, LockMode};
use crate::lockfile::{LockedCookbook, Pin};
use crate::manifest::Manifest;
use crate::name::CookbookName;
use crate::version::Version;

/// A locked cookbook beside the versions that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outdated {
    /// The cookbook.
    pub name: CookbookName,
    /// What is locked of it.
    pub locked: LockedCookbook,
    /// The newest version that everyone who wants it takes, given the versions of the others as they are
    /// locked. None where its versions are not known: git and folders have none but the one that they hold.
    pub fits: Option<Version>,
    /// The newest version of all; none as above.
    pub newest: Option<Version>,
    /// Who does not take the newest version, if that is newer than the one locked.
    pub held_back_by: Vec<Edge>,
}

impl Outdated {
    /// Whether there is a newer version than the one locked.
    pub fn is_outdated(&self) -> bool {
        self.newest
            .is_some_and(|newest| newest > self.locked.version)
    }
}

/// Each locked cookbook beside the versions that there are. `versions` gives those of a cookbook, in any
/// order; `None` where they are not known.
///
/// # Errors
/// The first error of `versions`.
pub fn compare_with_newest<E>(
    graph: &DependencyGraph,
    mut versions: impl FnMut(&CookbookName, &LockedCookbook) -> Result<Option<Vec<Version>>, E>,
) -> Result<Vec<Outdated>, E> {
    let mut rows = Vec::new();
    for (name, locked) in &graph.lockfile.cookbooks {
        let known = versions(name, locked)?.unwrap_or_default();
        let wishes = graph.edges.get(name).map_or(&[][..], Vec::as_slice);
        let takes = |version: Version| wishes.iter().all(|edge| edge.constraint.matches(version));
        let newest = known.iter().copied().max();
        let refuses = |edge: &&Edge| newest.is_some_and(|newest| !edge.constraint.matches(newest));
        let is_newer = newest.is_some_and(|newest| newest > locked.version);
        rows.push(Outdated {
            name: name.clone(),
            locked: locked.clone(),
            fits: known
                .iter()
                .copied()
                .filter(|version| takes(*version))
                .max(),
            newest,
            held_back_by: match is_newer {
                true => wishes.iter().filter(refuses).cloned().collect(),
                false => Vec::new(),
            },
        });
    }
    Ok(rows)
}

/// Decides as [`super::lock`] does, and compares each cookbook with the newest that its place gives.
///
/// # Errors
/// As [`super::lock`].
pub fn outdated(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
) -> Result<Vec<Outdated>, Error> {
    let graph = dependency_graph(cx, manifest, mode)?;
    let named = |locked: &LockedCookbook| matches!(*locked.pin, Pin::Upstream { .. });
    if !graph.lockfile.cookbooks.values().any(named) {
        return compare_with_newest(&graph, |_, _| Ok(None));
    }
    let plans = Plans::without_store(cx);
    let sources = Named::open(cx, &plans, manifest)?;
    compare_with_newest(&graph, |name, locked| match &*locked.pin {
        // A commit and a folder have one version.
        Pin::Git { .. } | Pin::Path { .. } => Ok(None),
        Pin::Upstream { .. } => sources.versions_of(name),
    })
}

#[cfg(test)]
mod tests {
    use super::super::graph::tests::graph;
    use super::*;

    fn versions(texts: &[&str]) -> Option<Vec<Version>> {
        Some(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn what_is_newer_is_told_with_what_holds_it_back() {
        let graph = graph(&[
            ("-", "apt", ">= 1.0"),
            ("web", "apt", "~> 1.0"),
            ("db", "apt", "< 1.2"),
            ("-", "web", ">= 0.0.0"),
            ("-", "db", "= 1.0.0"),
            ("-", "ark", ">= 0.0.0"),
        ]);
        let rows = compare_with_newest(&graph, |name, _| {
            Ok::<_, Error>(match name.as_str() {
                "apt" => versions(&["1.0.0", "2.1.0", "1.1.3", "1.1.0", "1.2.0", "0.9.0"]),
                "web" => versions(&["1.0.0", "1.4.0"]),
                "db" => versions(&["0.9.0", "1.0.0"]),
                _ => None,
            })
        })
        .unwrap();
        let shown = |version: Option<Version>| version.map_or("-".to_owned(), |v| v.to_string());
        let lines: Vec<_> = rows
            .iter()
            .map(|row| {
                let by = row.held_back_by.iter();
                let by: Vec<_> = by
                    .map(|edge| edge.by.as_ref().map_or("-", CookbookName::as_str))
                    .collect();
                let (fits, newest) = (shown(row.fits), shown(row.newest));
                format!(
                    "{} {fits} {newest} [{}] {}",
                    row.name,
                    by.join(" "),
                    row.is_outdated()
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "apt 1.1.3 2.1.0 [web db] true",
                "ark - - [] false",
                "db 1.0.0 1.0.0 [] false",
                "web 1.4.0 1.4.0 [] true",
            ]
        );
        let failed = compare_with_newest(&graph, |_, _| Err("gone"));
        assert_eq!(failed.unwrap_err(), "gone");
    }
}
