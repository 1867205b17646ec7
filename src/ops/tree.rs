//! Who depends on whom, as lines to print.

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfile::Lockfile;
use crate::name::CookbookName;

/// One line of a dependency tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLine {
    /// For each level above, whether more of that level follows; the last is the line's own.
    pub more: Vec<bool>,
    /// The cookbook.
    pub name: CookbookName,
    /// Whether it was shown above with all it leads to, which is not repeated.
    pub repeated: bool,
}

/// The cookbooks that each cookbook leads to: those that it depends on, or those that depend on it.
pub type Neighbours = BTreeMap<CookbookName, Vec<CookbookName>>;

/// What each cookbook of a lockfile depends on.
pub fn dependencies(lockfile: &Lockfile) -> Neighbours {
    let cookbooks = lockfile.cookbooks.iter();
    cookbooks
        .map(|(name, cookbook)| (name.clone(), cookbook.dependencies.clone()))
        .collect()
}

/// Who depends on each cookbook of a lockfile: on all of them, or on one and those in between.
pub fn dependents(lockfile: &Lockfile, of: Option<&CookbookName>) -> Neighbours {
    let mut dependents: Neighbours = BTreeMap::new();
    for (name, cookbook) in &lockfile.cookbooks {
        dependents.entry(name.clone()).or_default();
        for dependency in &cookbook.dependencies {
            let known = dependents.entry(dependency.clone()).or_default();
            known.push(name.clone());
        }
    }
    let Some(of) = of else {
        return dependents;
    };
    let mut next = vec![of];
    let mut taken = BTreeSet::new();
    while let Some(name) = next.pop() {
        if taken.insert(name.clone()) {
            next.extend(dependents.get(name).into_iter().flatten());
        }
    }
    dependents.retain(|name, _| taken.contains(name));
    dependents
}

/// The dependency tree of a lockfile: at its roots the cookbooks on which nothing depends, and one
/// of each cycle that nothing outside of it depends on.
pub fn dependency_tree(lockfile: &Lockfile) -> Vec<TreeLine> {
    tree_lines(&dependencies(lockfile), None)
}

/// A tree of cookbooks: from one of them, or else from those to which none leads, and from one of each
/// cycle to which nothing outside of it leads.
pub fn tree_lines(neighbours: &Neighbours, root: Option<&CookbookName>) -> Vec<TreeLine> {
    let mut lines = Vec::new();
    let mut shown = BTreeSet::new();
    if let Some(root) = root {
        add(neighbours, root, &[], &mut shown, &mut lines);
        return lines;
    }
    let wanted: BTreeSet<&CookbookName> = neighbours
        .iter()
        .flat_map(|(name, next)| next.iter().filter(move |n| *n != name))
        .collect();
    let (roots, others): (Vec<_>, Vec<_>) =
        neighbours.keys().partition(|name| !wanted.contains(name));
    for name in roots {
        add(neighbours, name, &[], &mut shown, &mut lines);
    }
    for name in others {
        if !shown.contains(name) {
            add(neighbours, name, &[], &mut shown, &mut lines);
        }
    }
    lines
}

fn add<'a>(
    neighbours: &'a Neighbours,
    name: &'a CookbookName,
    more: &[bool],
    shown: &mut BTreeSet<&'a CookbookName>,
    lines: &mut Vec<TreeLine>,
) {
    let next = neighbours.get(name).map_or(&[][..], Vec::as_slice);
    let repeated = !shown.insert(name) && !next.is_empty();
    lines.push(TreeLine {
        more: more.to_vec(),
        name: name.clone(),
        repeated,
    });
    if repeated {
        return;
    }
    for (index, neighbour) in next.iter().enumerate() {
        let mut below = more.to_vec();
        below.push(index + 1 < next.len());
        add(neighbours, neighbour, &below, shown, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{ContentDigest, Digest};
    use crate::lockfile::{LockedCookbook, Pin};
    use crate::version::Version;

    fn lockfile(graph: &[(&str, &[&str])]) -> Lockfile {
        let cookbook = |dependencies: &[&str]| LockedCookbook {
            version: Version::default(),
            pin: Pin::Path {
                path: ".".to_owned(),
                dirty: false,
            }
            .into(),
            content: ContentDigest::of([]),
            dependencies: dependencies.iter().map(|d| d.parse().unwrap()).collect(),
        };
        Lockfile {
            requirements: Digest::of(""),
            cookbooks: graph
                .iter()
                .map(|(name, dependencies)| (name.parse().unwrap(), cookbook(dependencies)))
                .collect(),
        }
    }

    fn shown(graph: &[(&str, &[&str])]) -> String {
        shown_lines(&dependency_tree(&lockfile(graph)))
    }

    fn shown_lines(lines: &[TreeLine]) -> String {
        let line = |line: &TreeLine| {
            let star = if line.repeated { "*" } else { "" };
            format!("{}{}{star}", "-".repeat(line.more.len()), line.name)
        };
        lines.iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn shared_dependencies_are_expanded_once() {
        let graph: &[(&str, &[&str])] =
            &[("a", &["b", "c"]), ("b", &["d"]), ("c", &["b"]), ("d", &[])];
        assert_eq!(shown(graph), "a -b --d -c --b*");
    }

    #[test]
    fn cycles_end_and_are_shown() {
        assert_eq!(shown(&[("a", &["b"]), ("b", &["a"])]), "a -b --a*");
        assert_eq!(shown(&[("a", &["a"]), ("z", &[])]), "a -a* z");
        assert_eq!(
            shown(&[("b", &["c"]), ("c", &["b"]), ("z", &["b"])]),
            "z -b --c ---b*"
        );
    }

    #[test]
    fn the_tree_of_who_needs_whom_begins_at_what_is_needed() {
        let graph: &[(&str, &[&str])] = &[
            ("a", &["b", "c"]),
            ("b", &["d"]),
            ("c", &["b"]),
            ("d", &[]),
            ("z", &["z"]),
        ];
        let lockfile = lockfile(graph);
        let inverted = |name: Option<&str>| {
            let name = name.map(|name| name.parse().unwrap());
            let neighbours = dependents(&lockfile, name.as_ref());
            (
                neighbours.len(),
                shown_lines(&tree_lines(&neighbours, name.as_ref())),
            )
        };
        assert_eq!(inverted(None), (5, "d -b --a --c ---a z -z*".to_owned()));
        assert_eq!(inverted(Some("b")), (3, "b -a -c --a".to_owned()));
        assert_eq!(inverted(Some("a")), (1, "a".to_owned()));
        let cycle = self::lockfile(&[("a", &["b"]), ("b", &["a"])]);
        let name = "b".parse().unwrap();
        let lines = tree_lines(&dependents(&cycle, Some(&name)), Some(&name));
        assert_eq!(shown_lines(&lines), "b -a --b*");
    }
}
