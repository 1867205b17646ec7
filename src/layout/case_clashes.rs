//! Paths that differ only in case, which a file system of Windows or macOS cannot tell apart.

use std::collections::{BTreeSet, HashMap};

use super::METADATA_JSON;
use super::plan::{PlannedFile, Refusal, RefusedFile};
use crate::path::ArchivePath;

/// Takes out every file whose path an earlier one has but for case. The metadata.json that will be
/// compiled counts as a file.
pub(super) fn refuse_case_clashes(included: &mut Vec<PlannedFile>) -> Vec<RefusedFile> {
    let compiled = ArchivePath::new(METADATA_JSON).ok();
    let is_there = |path: &ArchivePath| included.binary_search_by(|file| file.path.cmp(path));
    let compiled = compiled.filter(|path| is_there(path).is_err());
    let paths = compiled
        .iter()
        .chain(included.iter().map(|file| &file.path));
    let refuse = |(path, other): (&str, &str)| RefusedFile {
        path: path.to_owned(),
        reason: Refusal::CaseClash {
            other: other.to_owned(),
        },
    };
    let refused: Vec<_> = case_clashes(paths).into_iter().map(refuse).collect();
    for clash in &refused {
        included.retain(|file| file.path.as_str() != clash.path);
    }
    refused
}

/// Paths that differ from an earlier one only in case, each with that one. `paths` is in order; the
/// folders above each path count as well.
fn case_clashes<'a>(paths: impl Iterator<Item = &'a ArchivePath>) -> Vec<(&'a str, &'a str)> {
    let mut known: HashMap<String, &str> = HashMap::new();
    let mut reported = BTreeSet::new();
    let mut clashes = Vec::new();
    for path in paths {
        let own = std::iter::once(path.as_str());
        for part in own.chain(path.parents()) {
            let earlier = *known.entry(crate::path::fold_case(part)).or_insert(part);
            if earlier == part && part != path.as_str() {
                break;
            }
            if earlier != part && reported.insert(part) {
                clashes.push((part, earlier));
            }
        }
    }
    clashes
}
