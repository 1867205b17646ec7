//! Whether the cookbooks that a manifest locates fit together, where nothing else can be asked.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::{Candidate, Resolution};
use crate::error::{Diagnose, Diagnostic};
use crate::manifest::{Format, Manifest};
use crate::name::CookbookName;
use crate::text::{Location, nearest};
use crate::version::{Constraint, Version};

/// Everything that keeps cookbooks from fitting together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Each thing that is wrong, by the name it is about.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong, about one name.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Somebody depends on a cookbook that has no source.
    Missing {
        /// The cookbook.
        name: String,
        /// Who depends on it.
        demands: Vec<Demand>,
        /// The manifest's file.
        manifest: String,
        /// What kind of file that is.
        format: Format,
        /// Whether the manifest names places that give cookbooks by name.
        has_upstreams: bool,
        /// The manifest's line about it, where that gives no source.
        stated: Option<Location>,
        /// A name of the manifest that is close to it.
        near: Option<String>,
    },
    /// The version found does not fit what is asked.
    Unfit {
        /// The cookbook.
        name: CookbookName,
        /// The version found.
        found: Version,
        /// Where it was found.
        source: String,
        /// The manifest's line that gives the source.
        at: Location,
        /// The demands that it does not fit.
        demands: Vec<Demand>,
    },
}

/// Who wants which versions of a cookbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The cookbook that asks and its version; none for the manifest itself.
    pub by: Option<(CookbookName, Version)>,
    /// The versions wanted.
    pub constraint: Constraint,
    /// Where that is written.
    pub at: Location,
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Some((name, version)) => write!(f, "`{name}` {version} wants `{}`", self.constraint),
            None => write!(f, "the manifest wants `{}`", self.constraint),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<_> = self.problems.iter().map(Problem::message).collect();
        f.write_str(&messages.join("; "))
    }
}

impl std::error::Error for Conflict {}

impl Diagnose for Conflict {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.problems.iter().map(Problem::diagnostic).collect()
    }
}

impl Problem {
    fn message(&self) -> String {
        match self {
            Self::Missing { name, demands, .. } => {
                let askers: Vec<_> = demands
                    .iter()
                    .filter_map(|demand| demand.by.as_ref())
                    .map(|(name, _)| format!("`{name}`"))
                    .collect();
                match askers.is_empty() {
                    true => format!("cookbook `{name}` has no source"),
                    false => format!(
                        "no source gives cookbook `{name}`, which {} needs",
                        askers.join(" and ")
                    ),
                }
            }
            Self::Unfit {
                name,
                found,
                source,
                ..
            } => format!("cookbook `{name}` is {found} in {source}, which does not fit"),
        }
    }

    fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(self.message());
        match self {
            Self::Missing {
                name,
                demands,
                manifest,
                format,
                has_upstreams,
                stated,
                near,
            } => {
                for demand in demands {
                    diagnostic = diagnostic.label(demand.at.label(demand.to_string()));
                }
                if let Some(at) = stated {
                    diagnostic =
                        diagnostic.label(at.label("says which versions, but not where from"));
                }
                if let Some(near) = near {
                    diagnostic =
                        diagnostic.hint(format!("the manifest has `{near}`: is that meant?"));
                }
                if !has_upstreams && matches!(format, Format::CookpackToml) {
                    diagnostic = diagnostic.hint(
                        "name a place that gives cookbooks by name: `[[sources]]` with `supermarket = \"https://supermarket.chef.io\"`",
                    );
                }
                diagnostic.hint(whence(name, manifest, *format))
            }
            Self::Unfit {
                name, at, demands, ..
            } => {
                for demand in demands {
                    diagnostic = diagnostic.label(demand.at.label(demand.to_string()));
                }
                let constraints: Vec<_> = demands
                    .iter()
                    .map(|demand| format!("`{}`", demand.constraint))
                    .collect();
                diagnostic
                    .label(at.label("this is where it comes from"))
                    .hint(format!(
                        "point `{name}` at a tag, branch or folder whose version fits {}, or change the constraint",
                        constraints.join(" and ")
                    ))
            }
        }
    }
}

/// How to say where a cookbook comes from.
pub(super) fn whence(name: &str, manifest: &str, format: Format) -> String {
    match format {
        Format::Berksfile | Format::Policyfile | Format::Cheffile => format!(
            "write where it comes from into {manifest}: `cookbook \"{name}\", git: \"...\"` or `cookbook \"{name}\", path: \"...\"`"
        ),
        _ => format!(
            "write where it comes from into [cookbooks] of {manifest}: `{name} = {{ git = \"...\" }}` or `{name} = {{ path = \"...\" }}`; or, if the machine already has it, `provided = [\"{name}\"]` into [bundle]"
        ),
    }
}

/// Checks that the candidates of a manifest fit together.
///
/// # Errors
/// Every problem at once.
pub fn resolve(
    manifest: &Manifest,
    candidates: &BTreeMap<CookbookName, Candidate>,
) -> Result<Resolution, Conflict> {
    let stated = manifest.cookbooks.iter().map(|(name, requirement)| Wanted {
        name: name.as_str(),
        by: None,
        constraint: &requirement.constraint,
        at: &requirement.at,
    });
    let depended = candidates.iter().flat_map(|(name, candidate)| {
        candidate.dependencies.iter().map(move |dependency| Wanted {
            name: &dependency.name,
            by: Some((name, candidate.version)),
            constraint: &dependency.constraint,
            at: &dependency.at,
        })
    });
    let all = stated.chain(depended);
    // Mostly that is nothing.
    let wrong = all
        .clone()
        .filter(|wanted| !is_met(manifest, candidates, wanted));
    let wrong: HashSet<&str> = wrong.map(|wanted| wanted.name).collect();
    let mut wanted: Vec<_> = all.filter(|wanted| wrong.contains(wanted.name)).collect();
    // The manifest's comes first, and then each candidate's by its name.
    wanted.sort_by_key(|wanted| wanted.name);
    let problems: Vec<_> = wanted
        .chunk_by(|a, b| a.name == b.name)
        .filter_map(|wanted| problem(manifest, candidates, wanted))
        .collect();
    if !problems.is_empty() {
        return Err(Conflict { problems });
    }
    let dependencies = candidates
        .iter()
        .map(|(name, candidate)| (name.clone(), packed_dependencies(candidate, candidates)))
        .collect();
    Ok(Resolution { dependencies })
}

fn packed_dependencies(
    candidate: &Candidate,
    candidates: &BTreeMap<CookbookName, Candidate>,
) -> Vec<CookbookName> {
    let mut names: Vec<_> = candidate
        .dependencies
        .iter()
        .filter_map(|dependency| candidates.get_key_value(dependency.name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Whether there is what is wanted.
fn is_met(
    manifest: &Manifest,
    candidates: &BTreeMap<CookbookName, Candidate>,
    wanted: &Wanted<'_>,
) -> bool {
    match candidates.get(wanted.name) {
        Some(candidate) => wanted.constraint.matches(candidate.version),
        None => manifest.provided.contains(wanted.name),
    }
}

/// A demand, and for what it is.
struct Wanted<'a> {
    name: &'a str,
    by: Option<(&'a CookbookName, Version)>,
    constraint: &'a Constraint,
    at: &'a Location,
}

impl Wanted<'_> {
    fn demand(&self) -> Demand {
        Demand {
            by: self.by.map(|(name, version)| (name.clone(), version)),
            constraint: self.constraint.clone(),
            at: self.at.clone(),
        }
    }
}

/// What is wrong with all that is wanted of one name.
fn problem(
    manifest: &Manifest,
    candidates: &BTreeMap<CookbookName, Candidate>,
    wanted: &[Wanted<'_>],
) -> Option<Problem> {
    let name = wanted.first()?.name;
    let Some((name, candidate)) = candidates.get_key_value(name) else {
        if manifest.provided.contains(name) {
            return None;
        }
        let stated = wanted.iter().find(|wanted| wanted.by.is_none());
        let depended = wanted.iter().filter(|wanted| wanted.by.is_some());
        let known = candidates.keys().map(CookbookName::as_str);
        return Some(Problem::Missing {
            name: name.to_owned(),
            demands: depended.map(Wanted::demand).collect(),
            manifest: manifest.file().name().to_owned(),
            format: manifest.format(),
            has_upstreams: !manifest.upstreams.is_empty(),
            stated: stated.map(|wanted| wanted.at.clone()),
            near: nearest(name, known).map(str::to_owned),
        });
    };
    let unfit: Vec<_> = wanted
        .iter()
        .filter(|wanted| !wanted.constraint.matches(candidate.version))
        .map(Wanted::demand)
        .collect();
    let requirement = manifest.cookbooks.get(name)?;
    (!unfit.is_empty()).then(|| Problem::Unfit {
        name: name.clone(),
        found: candidate.version,
        source: candidate.pin.to_string(),
        at: requirement.at.clone(),
        demands: unfit,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lockfile::Pin;
    use crate::metadata::Dependency;
    use crate::text::SourceFile;

    fn manifest(cookbooks: &str) -> Manifest {
        let text =
            format!("[bundle]\nname = \"x\"\nprovided = [\"agent\"]\n[cookbooks]\n{cookbooks}");
        Manifest::parse("cookpack.toml", &text).unwrap()
    }

    type Listed<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

    fn candidates(list: &[Listed<'_>]) -> BTreeMap<CookbookName, Candidate> {
        let candidate = |name: &str, version: &str, depends: &[(&str, &str)]| Candidate {
            version: version.parse().unwrap(),
            dependencies: depends
                .iter()
                .map(|(dependency, constraint)| Dependency {
                    name: (*dependency).to_owned(),
                    constraint: constraint.parse().unwrap(),
                    at: SourceFile::new(format!("{name}/metadata.rb"), "\n\ndepends\n").at(2..9),
                })
                .collect(),
            pin: Arc::new(Pin::Path {
                path: format!("the source of {name}"),
                dirty: false,
            }),
        };
        list.iter()
            .map(|(name, version, depends)| {
                (name.parse().unwrap(), candidate(name, version, depends))
            })
            .collect()
    }

    #[test]
    fn cycles_and_provided_cookbooks_are_fine() {
        let manifest = manifest("a = { path = \"a\" }\nb = { path = \"b\" }\n");
        let candidates = candidates(&[
            (
                "a",
                "1.0",
                &[("b", "~> 2.0"), ("agent", "> 9.0"), ("a", "= 1.0")],
            ),
            ("b", "2.5", &[("a", ">= 0.0.0"), ("a", ">= 1.0")]),
        ]);
        let resolution = resolve(&manifest, &candidates).unwrap();
        let names = |name: &str| {
            resolution.dependencies[name]
                .iter()
                .map(CookbookName::as_str)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("a"), ["a", "b"]);
        assert_eq!(names("b"), ["a"]);
    }

    #[test]
    fn what_is_missing_is_told_with_everyone_who_asks() {
        let manifest = manifest("a = { path = \"a\" }\nb = { path = \"b\" }\nzip = \"~> 1.0\"\n");
        let candidates = candidates(&[
            ("a", "1.0", &[("bb", "~> 2.0")]),
            ("b", "2.5", &[("bb", "= 3.0.0")]),
        ]);
        let conflict = resolve(&manifest, &candidates).unwrap_err();
        let shown = conflict.diagnostics();
        assert_eq!(shown.len(), 2);
        assert_eq!(
            shown[0].message,
            "no source gives cookbook `bb`, which `a` and `b` needs"
        );
        assert_eq!(shown[0].labels[0].note, "`a` 1.0.0 wants `~> 2.0`");
        assert_eq!(shown[0].labels[1].at.to_string(), "b/metadata.rb:3");
        assert!(shown[0].hints[0].contains("has `b`"), "{shown:?}");
        assert!(shown[0].hints[1].contains("`[[sources]]`"), "{shown:?}");
        assert!(shown[0].hints[2].contains("`bb = { git = "), "{shown:?}");
        assert_eq!(shown[1].message, "cookbook `zip` has no source");
        assert_eq!(shown[1].labels[0].at.to_string(), "cookpack.toml:7");
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_was_found_and_where() {
        let manifest =
            manifest("a = { path = \"a\" }\nb = { path = \"b\", version = \"~> 3.0\" }\n");
        let candidates = candidates(&[
            ("a", "1.0", &[("b", "< 2.0"), ("b", "> 2.0")]),
            ("b", "2.5", &[]),
        ]);
        let conflict = resolve(&manifest, &candidates).unwrap_err();
        let shown = conflict.diagnostics().remove(0);
        assert_eq!(
            shown.message,
            "cookbook `b` is 2.5.0 in the source of b, which does not fit"
        );
        let notes: Vec<_> = shown.labels.iter().map(|label| &*label.note).collect();
        assert_eq!(
            notes,
            [
                "the manifest wants `~> 3.0`",
                "`a` 1.0.0 wants `< 2.0`",
                "this is where it comes from"
            ]
        );
        assert!(
            shown.hints[0].contains("fits `~> 3.0` and `< 2.0`"),
            "{shown:?}"
        );
    }
}
