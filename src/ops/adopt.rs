//! Takes over where a dependency's own manifest says that its dependencies are: only where the project's
//! manifest asks for it (`transitive_sources`), and never against what that says itself.

use std::collections::BTreeSet;

use super::gather::Gathered;
use super::load::GatheredCookbook;
use super::named::wanted_names;
use super::{Context, Error};
use crate::event::Event;
use crate::lockfile::Pin;
use crate::manifest::{Berksfile, CommitPrefix, GitRef, Manifest, Requirement, Source};
use crate::name::CookbookName;
use crate::path::TreePath;
use crate::ruby::{Settings, TreeFiles};
use crate::text::SourceFile;
use crate::tree::EntryKind;

/// The files of a dependency that are looked for, the first of which counts.
const MANIFESTS: [&str; 2] = ["cookpack.toml", "Berksfile"];

/// Adds to a manifest what the cookbooks found say of the places of cookbooks that are wanted and that it
/// does not place itself. Returns whether there was anything: then more may be found.
pub(super) fn adopt_sources(
    cx: &Context<'_>,
    manifest: &mut Manifest,
    found: &Gathered,
) -> Result<bool, Error> {
    let wanted: BTreeSet<String> = wanted_names(manifest, found).into_iter().collect();
    let mut adopted = false;
    for (by, (pin, cookbook)) in found {
        for (name, requirement) in own_sources(cx, by, pin, cookbook)? {
            let known = manifest.cookbooks.get(&name);
            let is_placed = known.is_some_and(|known| known.source.is_some());
            if is_placed || found.contains_key(&name) || !wanted.contains(name.as_str()) {
                continue;
            }
            if let Some(source) = &requirement.source {
                cx.reporter().report(&Event::SourceAdopted {
                    name: name.as_str(),
                    source: &source.to_string(),
                    by: by.as_str(),
                });
            }
            let constraint = known.map(|known| known.constraint.clone());
            let requirement = Requirement {
                constraint: constraint.unwrap_or(requirement.constraint),
                ..requirement
            };
            manifest.cookbooks.insert(name, requirement);
            adopted = true;
        }
    }
    Ok(adopted)
}

/// Where a cookbook's own manifest says that cookbooks are, as seen from the project's manifest.
fn own_sources(
    cx: &Context<'_>,
    by: &CookbookName,
    pin: &Pin,
    cookbook: &GatheredCookbook,
) -> Result<Vec<(CookbookName, Requirement)>, Error> {
    let base = &cookbook.plan.base;
    for name in MANIFESTS {
        let path = base.join(name.as_bytes());
        let kind = cookbook.tree.kind(&path)?;
        if !matches!(kind, Some(EntryKind::File { .. })) {
            continue;
        }
        let text = cookbook.tree.read_text(&path, cx.limits().text_bytes)?;
        let shown = format!("{pin}/{name}");
        let manifest = match name {
            "Berksfile" => {
                let file = SourceFile::new(shown, text);
                let files = TreeFiles {
                    tree: &*cookbook.tree,
                    base: base.clone(),
                };
                let settings = Settings::default();
                let protocol = cx.git_protocol();
                Berksfile::parse(&file, name, &files, &settings, protocol)?.manifest(by.as_str())?
            }
            _ => Manifest::parse_with(shown, &text, cx.git_protocol())?,
        };
        let sources = manifest.cookbooks.into_iter();
        return Ok(sources
            .filter(|(name, _)| name != by)
            .filter_map(|(name, requirement)| {
                let source = seen_from_outside(pin, base, requirement.source.as_ref()?)?;
                let source = Some(source);
                Some((
                    name,
                    Requirement {
                        source,
                        ..requirement
                    },
                ))
            })
            .collect());
    }
    Ok(Vec::new())
}

/// A source as the project's manifest would write it. A folder of a repository is one at the same commit;
/// none where it lies outside of what is known.
fn seen_from_outside(pin: &Pin, base: &TreePath, source: &Source) -> Option<Source> {
    let path = match source {
        Source::Git { url, .. } if url.form() == crate::manifest::GitUrlForm::Path => return None,
        Source::Git { .. } => return Some(source.clone()),
        Source::Path(path) => path,
    };
    match pin {
        Pin::Git {
            url, commit, lfs, ..
        } => {
            let mut folder: Vec<&str> = base.as_str().split('/').collect();
            folder.retain(|part| !matches!(*part, "" | "."));
            for part in path.split('/') {
                match part {
                    "" | "." => {}
                    ".." => {
                        folder.pop()?;
                    }
                    part => folder.push(part),
                }
            }
            let rel = match folder.is_empty() {
                true => TreePath::root(),
                false => TreePath::parse(&folder.join("/")).ok()?,
            };
            let prefix: CommitPrefix = commit.as_str().parse().ok()?;
            Some(Source::Git {
                url: url.parse().ok()?,
                reference: GitRef::Commit(prefix),
                rel,
                lfs: *lfs,
            })
        }
        Pin::Path { path: outer, .. } if !path.starts_with('/') => {
            Some(Source::Path(format!("{outer}/{path}")))
        }
        _ => None,
    }
}
