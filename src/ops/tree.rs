//! Who depends on whom, as lines to print.

use std::collections::BTreeSet;

use crate::lockfile::Lockfile;
use crate::name::CookbookName;

/// One line of a dependency tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLine {
    /// For each level above, whether more of that level follows; the last is the line's own.
    pub more: Vec<bool>,
    /// The cookbook.
    pub name: CookbookName,
    /// Whether it was shown above with all it depends on, which is not repeated.
    pub repeated: bool,
}

/// The dependency tree of a lockfile: at its roots the cookbooks on which nothing depends, and one
/// of each cycle that nothing outside of it depends on.
pub fn dependency_tree(lockfile: &Lockfile) -> Vec<TreeLine> {
    let wanted: BTreeSet<&CookbookName> = lockfile
        .cookbooks
        .iter()
        .flat_map(|(name, cookbook)| cookbook.dependencies.iter().filter(move |d| *d != name))
        .collect();
    let mut lines = Vec::new();
    let mut shown = BTreeSet::new();
    let (roots, others): (Vec<_>, Vec<_>) = lockfile
        .cookbooks
        .keys()
        .partition(|name| !wanted.contains(name));
    for name in roots {
        add(lockfile, name, &[], &mut shown, &mut lines);
    }
    for name in others {
        if !shown.contains(name) {
            add(lockfile, name, &[], &mut shown, &mut lines);
        }
    }
    lines
}

fn add<'a>(
    lockfile: &'a Lockfile,
    name: &'a CookbookName,
    more: &[bool],
    shown: &mut BTreeSet<&'a CookbookName>,
    lines: &mut Vec<TreeLine>,
) {
    let dependencies = lockfile
        .cookbooks
        .get(name)
        .map_or(&[][..], |cookbook| &cookbook.dependencies);
    let repeated = !shown.insert(name) && !dependencies.is_empty();
    lines.push(TreeLine {
        more: more.to_vec(),
        name: name.clone(),
        repeated,
    });
    if repeated {
        return;
    }
    for (index, dependency) in dependencies.iter().enumerate() {
        let mut below = more.to_vec();
        below.push(index + 1 < dependencies.len());
        add(lockfile, dependency, &below, shown, lines);
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
            },
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
        let line = |line: &TreeLine| {
            let star = if line.repeated { "*" } else { "" };
            format!("{}{}{star}", "-".repeat(line.more.len()), line.name)
        };
        let lines = dependency_tree(&lockfile(graph));
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
}
