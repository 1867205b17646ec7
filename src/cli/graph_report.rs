//! What `tree --invert`, `why` and `outdated` print.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::report::pin_json;
use crate::lockfile::Lockfile;
use crate::name::CookbookName;
use crate::ops::{DependencyGraph, Edge, Neighbours, Outdated, Why};
use crate::text::Location;

/// Who depends on each cookbook, as a document.
pub(super) fn dependents_json(dependents: &Neighbours, lockfile: &Lockfile) -> Value {
    let one = |(name, dependents): (&CookbookName, &Vec<CookbookName>)| {
        let dependents: Vec<_> = dependents.iter().map(CookbookName::as_str).collect();
        let mut document = json!({ "name": name.as_str(), "dependents": dependents });
        if let Some(locked) = lockfile.cookbooks.get(name) {
            document["version"] = json!(locked.version.to_string());
            document["source"] = pin_json(&locked.pin);
        }
        document
    };
    dependents.iter().map(one).collect()
}

/// What a name has become: its version and where that is from.
fn decided(name: &CookbookName, graph: &DependencyGraph) -> Option<String> {
    let locked = graph.lockfile.cookbooks.get(name)?;
    Some(format!("{} ({})", locked.version, locked.pin))
}

/// The cookbook's name with the versions wanted, if not any will do.
fn wanted(name: &CookbookName, edge: &Edge) -> String {
    match edge.constraint.is_any() {
        true => name.to_string(),
        false => format!("{name} {}", edge.constraint),
    }
}

/// Why a cookbook is in the bundle, as text: a paragraph for each way, a line for each step.
pub(super) fn why_text(name: &CookbookName, why: &Why, graph: &DependencyGraph) -> String {
    let mut text = match decided(name, graph) {
        Some(decided) => format!("{name} {decided}\n"),
        None => format!("{name}: the machine already has it\n"),
    };
    for way in &why.ways {
        text.push('\n');
        for (depth, (edge, to)) in way.steps.iter().enumerate() {
            let by = edge
                .by
                .as_ref()
                .map_or("the manifest", CookbookName::as_str);
            let outcome = match decided(to, graph) {
                Some(decided) => format!("which is {decided}"),
                None => "which the machine already has".to_owned(),
            };
            let indent = "  ".repeat(depth);
            let _ = writeln!(
                text,
                "{indent}{by} wants {}, {outcome}  [{}]",
                wanted(to, edge),
                edge.at
            );
        }
    }
    if why.has_more {
        let _ = writeln!(text, "\nand more ways than these {}", why.ways.len());
    }
    text
}

fn place_json(at: &Location) -> Value {
    json!({ "file": at.file.name(), "line": at.line() })
}

/// Why a cookbook is in the bundle, as a document.
pub(super) fn why_json(name: &CookbookName, why: &Why, graph: &DependencyGraph) -> Value {
    let versioned = |name: &CookbookName, mut document: Value| {
        if let Some(locked) = graph.lockfile.cookbooks.get(name) {
            document["version"] = json!(locked.version.to_string());
            document["source"] = pin_json(&locked.pin);
        }
        document
    };
    let step = |(edge, to): &(Edge, CookbookName)| {
        let document = json!({
            "by": edge.by.as_ref().map(CookbookName::as_str),
            "name": to.as_str(),
            "constraint": edge.constraint.to_string(),
            "at": place_json(&edge.at),
        });
        versioned(to, document)
    };
    let ways = why.ways.iter();
    let ways: Vec<Vec<_>> = ways
        .map(|way| way.steps.iter().map(step).collect())
        .collect();
    let document = json!({ "name": name.as_str(), "ways": ways, "has_more": why.has_more });
    versioned(name, document)
}

/// The cookbooks that are not known to be the newest, as a table.
pub(super) fn outdated_text(rows: &[Outdated]) -> String {
    let mut lines = vec![["cookbook", "locked", "fits", "newest"].map(str::to_owned)];
    let mut held = vec!["held back by".to_owned()];
    let mut has_unknown = false;
    for row in rows {
        if row.newest.is_some() && !row.is_outdated() {
            continue;
        }
        has_unknown |= row.newest.is_none();
        let shown = |version: Option<_>| match version {
            Some(version) => format!("{version}"),
            None => "-".to_owned(),
        };
        lines.push([
            row.name.to_string(),
            row.locked.version.to_string(),
            shown(row.fits),
            shown(row.newest),
        ]);
        let by = row.held_back_by.iter().map(|edge| {
            let by = edge
                .by
                .as_ref()
                .map_or("the manifest", CookbookName::as_str);
            format!("{by} wants {} [{}]", edge.constraint, edge.at)
        });
        held.push(by.collect::<Vec<_>>().join(", "));
    }
    if lines.len() == 1 {
        return "every cookbook is the newest that there is\n".to_owned();
    }
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].len())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for (line, held) in lines.iter().zip(held) {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(row, "{cell:<width$}  ");
        }
        row.push_str(&held);
        let _ = writeln!(text, "{}", row.trim_end());
    }
    if has_unknown {
        text.push_str("-: from git or a folder, which have no list of versions\n");
    }
    text
}

/// Every locked cookbook beside the newest, as a document.
pub(super) fn outdated_json(rows: &[Outdated]) -> Value {
    let held = |edge: &Edge| {
        json!({
            "by": edge.by.as_ref().map(CookbookName::as_str),
            "constraint": edge.constraint.to_string(),
            "at": place_json(&edge.at),
        })
    };
    let one = |row: &Outdated| {
        json!({
            "name": row.name.as_str(),
            "locked": row.locked.version.to_string(),
            "source": pin_json(&row.locked.pin),
            "fits": row.fits.map(|version| version.to_string()),
            "newest": row.newest.map(|version| version.to_string()),
            "outdated": row.newest.map(|_| row.is_outdated()),
            "held_back_by": row.held_back_by.iter().map(held).collect::<Vec<_>>(),
        })
    };
    rows.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{ContentDigest, Digest};
    use crate::lockfile::{LockedCookbook, Pin};
    use crate::ops::compare_with_newest;
    use crate::text::SourceFile;
    use crate::version::Version;
    use std::collections::BTreeMap;

    #[test]
    fn the_table_names_what_is_newer_and_who_holds_it_back() {
        let locked = |version: &str| LockedCookbook {
            version: version.parse().unwrap(),
            pin: Pin::Upstream {
                upstream: "https://example.com".to_owned(),
                url: "https://example.com/x".to_owned(),
                sha256: None,
            }
            .into(),
            content: ContentDigest::of([]),
            dependencies: Vec::new(),
        };
        let cookbooks = [("apt", "7.0.0"), ("lib", "2.1.0"), ("web", "1.0.0")];
        let cookbooks = cookbooks.map(|(name, version)| (name.parse().unwrap(), locked(version)));
        let edge = |by: Option<&str>, constraint: &str| Edge {
            by: by.map(|by| by.parse().unwrap()),
            constraint: constraint.parse().unwrap(),
            at: SourceFile::new(by.unwrap_or("cookpack.toml"), "\n\nx\n").at(2..3),
        };
        let wishes = vec![edge(None, ">= 7.0"), edge(Some("web"), "~> 7.0")];
        let graph = DependencyGraph {
            lockfile: Lockfile {
                requirements: Digest::of(""),
                cookbooks: BTreeMap::from(cookbooks),
            },
            edges: BTreeMap::from([("apt".parse().unwrap(), wishes)]),
        };
        let versions = |name: &CookbookName, _: &LockedCookbook| {
            Ok::<_, ()>(match name.as_str() {
                "apt" => Some(vec![Version::new(8, 0, 0), Version::new(7, 1, 2)]),
                "web" => Some(vec![Version::new(1, 0, 0)]),
                _ => None,
            })
        };
        let rows = compare_with_newest(&graph, versions).unwrap();
        assert_eq!(
            outdated_text(&rows),
            "cookbook  locked  fits   newest  held back by\n\
             apt       7.0.0   7.1.2  8.0.0   web wants ~> 7.0 [web:3]\n\
             lib       2.1.0   -      -\n\
             -: from git or a folder, which have no list of versions\n"
        );
        let document = outdated_json(&rows);
        let held = &document[0]["held_back_by"][0];
        assert_eq!(
            (&held["by"], &held["at"]["line"]),
            (&json!("web"), &json!(3))
        );
        assert_eq!(document[1]["outdated"], Value::Null);
        assert_eq!(document[2]["outdated"], json!(false));
        let newest = outdated_text(&rows[2..]);
        assert_eq!(newest, "every cookbook is the newest that there is\n");
    }
}
