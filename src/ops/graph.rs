//! Who wants which versions of each cookbook, and where that is written.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use super::gather::Gathered;
use super::lock::prepare;
use super::{Context, Error, LockMode};
use crate::lockfile::{LockedCookbook, Lockfile};
use crate::manifest::Manifest;
use crate::name::CookbookName;
use crate::text::{Location, nearest};
use crate::version::Constraint;

/// The cookbooks of a bundle as they are locked, and who wants them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DependencyGraph {
    /// What is locked, of all groups.
    pub lockfile: Lockfile,
    /// Who wants each cookbook: the manifest first, then by name. Cookbooks that the machine already has
    /// are among them where somebody wants them.
    pub edges: BTreeMap<CookbookName, Vec<Edge>>,
}

/// One wish for a cookbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The cookbook that wishes; none for the manifest itself.
    pub by: Option<CookbookName>,
    /// The versions that it takes.
    pub constraint: Constraint,
    /// Where that is written: the manifest's line, or the cookbook's metadata.
    pub at: Location,
}

/// A way from the manifest to a cookbook: each step is a wish and the cookbook that is wished for, the
/// last of which is the one that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The steps, of which the first is the manifest's.
    pub steps: Vec<(Edge, CookbookName)>,
}

/// Why a cookbook is in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Why {
    /// The ways to it, the shortest first.
    pub ways: Vec<Way>,
    /// Whether there are more, which are left out.
    pub has_more: bool,
}

/// Decides as [`super::lock`] does, and tells who wants what.
///
/// # Errors
/// As [`super::lock`].
pub fn dependency_graph(
    cx: &Context<'_>,
    manifest: &Manifest,
    mode: LockMode<'_>,
) -> Result<DependencyGraph, Error> {
    let prepared = prepare(cx, manifest, mode)?;
    Ok(DependencyGraph {
        edges: prepared.edges(),
        lockfile: prepared.lockfile.into_owned(),
    })
}

/// The wishes of a manifest and of the cookbooks that were read for it.
pub(super) fn edges(manifest: &Manifest, gathered: &Gathered) -> BTreeMap<CookbookName, Vec<Edge>> {
    let mut edges: BTreeMap<CookbookName, Vec<Edge>> = BTreeMap::new();
    for (name, asked) in &manifest.cookbooks {
        edges.entry(name.clone()).or_default().push(Edge {
            by: None,
            constraint: asked.constraint.clone(),
            at: asked.at.clone(),
        });
    }
    for (name, (_, cookbook)) in gathered {
        for dependency in &*cookbook.dependencies {
            // What no cookbook can be called was refused before, as missing.
            let Ok(wanted) = dependency.name.parse() else {
                continue;
            };
            edges.entry(wanted).or_default().push(Edge {
                by: Some(name.clone()),
                constraint: dependency.constraint.clone(),
                at: dependency.at.clone(),
            });
        }
    }
    edges
}

impl DependencyGraph {
    /// Every way from the manifest to a cookbook that passes no cookbook twice, the shortest first and
    /// then by name, but no more than `most`.
    ///
    /// # Errors
    /// [`Error::NotInBundle`].
    pub fn why(&self, name: &CookbookName, most: usize) -> Result<Why, Error> {
        if !self.edges.contains_key(name) {
            return Err(not_in_bundle(name, self.edges.keys()));
        }
        let distances = self.distances();
        // Ways are built from their ends. What is left to go is known exactly but for cycles, so the ways
        // that are tried first are those that will be the shortest (A*).
        let mut open = BinaryHeap::new();
        if let Some(distance) = distances.get(name) {
            open.push(Reverse((*distance, vec![(name, 0)], false)));
        }
        let mut ways = Vec::new();
        let mut has_more = false;
        let mut tries = 0;
        while let Some(Reverse((_, nodes, is_done))) = open.pop() {
            tries += 1;
            if tries > TRIES || (is_done && ways.len() == most) {
                has_more = true;
                break;
            }
            if is_done {
                ways.push(self.way(&nodes));
                continue;
            }
            let (head, _) = nodes[nodes.len() - 1];
            for (index, edge) in self.edges[head].iter().enumerate() {
                let mut longer = nodes.clone();
                if let Some(last) = longer.last_mut() {
                    last.1 = index;
                }
                let Some(by) = &edge.by else {
                    open.push(Reverse((longer.len(), longer, true)));
                    continue;
                };
                let is_passed = nodes.iter().any(|(passed, _)| *passed == by);
                if let (false, Some(left)) = (is_passed, distances.get(by)) {
                    longer.push((by, 0));
                    open.push(Reverse((longer.len() - 1 + left, longer, false)));
                }
            }
        }
        Ok(Why { ways, has_more })
    }

    /// How many steps each cookbook is from the manifest, at least.
    fn distances(&self) -> BTreeMap<&CookbookName, usize> {
        let mut wants: BTreeMap<Option<&CookbookName>, BTreeSet<&CookbookName>> = BTreeMap::new();
        for (name, edges) in &self.edges {
            for edge in edges {
                wants.entry(edge.by.as_ref()).or_default().insert(name);
            }
        }
        let mut distances = BTreeMap::new();
        let mut next = VecDeque::from([(None, 0)]);
        while let Some((by, distance)) = next.pop_front() {
            for name in wants.get(&by).into_iter().flatten() {
                if !distances.contains_key(name) {
                    distances.insert(*name, distance + 1);
                    next.push_back((Some(*name), distance + 1));
                }
            }
        }
        distances
    }

    /// A way by its cookbooks, the last of which is wanted by the manifest, each with the index of the
    /// wish that leads to it.
    fn way(&self, nodes: &[(&CookbookName, usize)]) -> Way {
        let step = |(name, index): &(&CookbookName, usize)| {
            (self.edges[*name][*index].clone(), (*name).clone())
        };
        Way {
            steps: nodes.iter().rev().map(step).collect(),
        }
    }
}

/// How many beginnings of ways are looked at: a graph of cycles has more than anyone can wait for.
const TRIES: usize = 50_000;

/// The locked cookbook of a name.
///
/// # Errors
/// [`Error::NotInBundle`].
pub fn locked_cookbook<'a>(
    lockfile: &'a Lockfile,
    name: &CookbookName,
) -> Result<&'a LockedCookbook, Error> {
    let locked = lockfile.cookbooks.get(name);
    locked.ok_or_else(|| not_in_bundle(name, lockfile.cookbooks.keys()))
}

fn not_in_bundle<'a>(name: &CookbookName, known: impl Iterator<Item = &'a CookbookName>) -> Error {
    let known = known.map(CookbookName::as_str);
    Error::NotInBundle {
        name: name.clone(),
        near: nearest(name.as_str(), known).map(str::to_owned),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::digest::{ContentDigest, Digest};
    use crate::lockfile::Pin;
    use crate::text::SourceFile;
    use crate::version::Version;

    /// A graph by its wishes: who, which cookbook, and which versions. The manifest is `-`.
    pub(crate) fn graph(wishes: &[(&str, &str, &str)]) -> DependencyGraph {
        let mut edges: BTreeMap<CookbookName, Vec<Edge>> = BTreeMap::new();
        let mut cookbooks = BTreeMap::new();
        for (by, name, constraint) in wishes {
            let name: CookbookName = name.parse().unwrap();
            let locked = LockedCookbook {
                version: Version::new(1, 0, 0),
                pin: Pin::Upstream {
                    upstream: "https://example.com".to_owned(),
                    url: format!("https://example.com/{name}.tgz"),
                    sha256: None,
                }
                .into(),
                content: ContentDigest::of([]),
                dependencies: Vec::new(),
            };
            cookbooks.insert(name.clone(), locked);
            edges.entry(name).or_default().push(Edge {
                by: (*by != "-").then(|| by.parse().unwrap()),
                constraint: constraint.parse().unwrap(),
                at: SourceFile::new(*by, "").at(0..0),
            });
        }
        let requirements = Digest::of("");
        DependencyGraph {
            lockfile: Lockfile {
                requirements,
                cookbooks,
            },
            edges,
        }
    }

    fn shown(why: &Why) -> Vec<String> {
        let way = |way: &Way| {
            let names: Vec<_> = way.steps.iter().map(|(_, name)| name.as_str()).collect();
            names.join(" ")
        };
        why.ways.iter().map(way).collect()
    }

    fn name(text: &str) -> CookbookName {
        text.parse().unwrap()
    }

    #[test]
    fn ways_are_told_shortest_first_and_end_in_cycles() {
        let graph = graph(&[
            ("-", "a", "~> 1.0"),
            ("-", "d", ">= 0.0.0"),
            ("a", "b", "= 1.0.0"),
            ("a", "c", ">= 0.0.0"),
            ("b", "d", "> 0.1"),
            ("c", "d", "< 2.0"),
            ("d", "c", ">= 0.0.0"),
            ("d", "d", ">= 0.0.0"),
            ("b", "a", ">= 0.0.0"),
        ]);
        let why = graph.why(&name("d"), 10).unwrap();
        assert_eq!(shown(&why), ["d", "a b d", "a c d"]);
        assert!(!why.has_more);
        let (edge, _) = &why.ways[1].steps[2];
        assert_eq!(edge.by, Some(name("b")));
        assert_eq!(edge.constraint.to_string(), "> 0.1");
        let (edge, _) = &why.ways[1].steps[0];
        assert_eq!(
            (edge.by.clone(), edge.constraint.to_string()),
            (None, "~> 1.0".to_owned())
        );
        assert_eq!(
            shown(&graph.why(&name("c"), 10).unwrap()),
            ["a c", "d c", "a b d c"]
        );
        let first = graph.why(&name("d"), 2).unwrap();
        assert_eq!(shown(&first), ["d", "a b d"]);
        assert!(first.has_more);
        assert!(!graph.why(&name("d"), 3).unwrap().has_more);
    }

    #[test]
    fn a_graph_of_many_ways_is_answered_at_once() {
        // Twenty layers of three, each of which wants all of the next: 3^19 ways.
        let names: Vec<Vec<String>> = (0..20)
            .map(|layer| (0..3).map(|i| format!("c{layer:02}_{i}")).collect())
            .collect();
        let mut wishes = vec![("-", names[0][0].as_str(), ">= 0.0.0")];
        for pair in names.windows(2) {
            for by in &pair[0] {
                for wanted in &pair[1] {
                    wishes.push((by, wanted, ">= 0.0.0"));
                    // And back again.
                    wishes.push((wanted, by, ">= 0.0.0"));
                }
            }
        }
        let why = graph(&wishes).why(&name("c19_2"), 100).unwrap();
        assert_eq!((why.ways.len(), why.has_more), (100, true));
        assert!(why.ways.iter().all(|way| way.steps.len() == 20));
    }

    #[test]
    fn an_unknown_name_is_answered_with_a_near_one() {
        let graph = graph(&[("-", "nodejs", "~> 1.0")]);
        let error = graph.why(&name("node-js"), 10).unwrap_err();
        assert!(
            matches!(&error, Error::NotInBundle { near: Some(near), .. } if near == "nodejs"),
            "{error}"
        );
        assert!(locked_cookbook(&graph.lockfile, &name("x")).is_err());
    }
}
