//! Small universes as text, and what is expected of them.

mod choice;
mod oracle;
mod plain;
mod sentences;
mod worlds;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::*;
use crate::manifest::Manifest;
use crate::metadata::Dependency;
use crate::text::SourceFile;
use crate::version::Constraint;

/// A catalogue in memory that counts what it is asked.
#[derive(Clone, Default)]
pub(super) struct Shelf {
    pub(super) cookbooks: BTreeMap<String, Arc<[Offer]>>,
    pub(super) sources: Vec<String>,
    pub(super) asked: RefCell<Vec<String>>,
    pub(super) announced: RefCell<Vec<String>>,
    pub(super) broken: Option<String>,
}

/// What a broken shelf says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be asked for", self.0)
    }
}

impl std::error::Error for Broken {}

impl Catalogue for Shelf {
    type Error = Broken;

    fn versions(&self, name: &str) -> Result<Option<Arc<[Offer]>>, Broken> {
        self.asked.borrow_mut().push(name.to_owned());
        match self.broken.as_deref() == Some(name) {
            true => Err(Broken(name.to_owned())),
            false => Ok(self.cookbooks.get(name).cloned()),
        }
    }

    fn announce(&self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned());
        self.announced.borrow_mut().extend(names);
    }

    fn names(&self) -> Vec<String> {
        self.cookbooks.keys().cloned().collect()
    }

    fn sources(&self) -> Vec<String> {
        self.sources.clone()
    }
}

/// Dependencies as written: `apt ~> 1.0, yum`.
pub(super) fn dependencies(text: &str) -> Vec<(&str, Constraint)> {
    text.split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(|one| match one.split_once(' ') {
            Some((name, constraint)) => (name, constraint.parse().expect("a constraint")),
            None => (one, Constraint::any()),
        })
        .collect()
}

/// The lines `name version[ version...][: dependencies]`.
fn lines(text: &str) -> impl Iterator<Item = (&str, Vec<Version>, Vec<(&str, Constraint)>)> {
    text.lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .map(|line| {
            let (head, tail) = line.split_once(':').unwrap_or((line, ""));
            let mut words = head.split_whitespace();
            let name = words.next().expect("a name");
            let versions = words.map(|word| word.parse().expect("a version")).collect();
            (name, versions, dependencies(tail))
        })
}

/// A source with these cookbooks.
pub(super) fn shelf(text: &str) -> Shelf {
    let mut cookbooks: BTreeMap<String, Vec<Offer>> = BTreeMap::new();
    for (name, versions, dependencies) in lines(text) {
        for version in versions {
            cookbooks.entry(name.to_owned()).or_default().push(Offer {
                version,
                dependencies: dependencies
                    .iter()
                    .map(|(name, constraint)| ((*name).into(), constraint.clone()))
                    .collect(),
                source: 0,
            });
        }
    }
    Shelf {
        cookbooks: cookbooks
            .into_iter()
            .map(|(name, offers)| (name, offers.into()))
            .collect(),
        sources: vec!["https://supermarket.example".to_owned()],
        ..Shelf::default()
    }
}

/// Cookbooks of repositories, each with a metadata.rb of its own.
pub(super) fn pinned(text: &str) -> BTreeMap<CookbookName, Candidate> {
    let candidate = |name: &str, version, dependencies: &[(&str, Constraint)]| {
        let calls: Vec<_> = dependencies
            .iter()
            .map(|(to, constraint)| format!("depends '{to}', '{constraint}'"))
            .collect();
        let text = format!("name '{name}'\nversion '{version}'\n{}\n", calls.join("\n"));
        let file = SourceFile::new(format!("{name}/metadata.rb"), text);
        let mut end = 0;
        let dependencies = dependencies
            .iter()
            .zip(&calls)
            .map(|((to, constraint), call)| {
                let start = end + file.text()[end..].find(call.as_str()).expect("the call");
                end = start + call.len();
                Dependency {
                    name: (*to).to_owned(),
                    constraint: constraint.clone(),
                    at: file.at(start..end),
                }
            });
        Candidate {
            version,
            dependencies: dependencies.collect(),
            pin: Arc::new(Pin::Path {
                path: format!("https://git.example/{name}, branch `main`"),
                dirty: false,
            }),
        }
    };
    lines(text)
        .map(|(name, versions, dependencies)| {
            let candidate = candidate(name, versions[0], &dependencies);
            (name.parse().expect("a name"), candidate)
        })
        .collect()
}

/// A manifest with these lines under `[cookbooks]`.
pub(super) fn manifest(cookbooks: &str) -> Manifest {
    let text =
        format!("[bundle]\nname = \"x\"\nprovided = [\"agent\"]\n[cookbooks]\n{cookbooks}\n");
    Manifest::parse("cookpack.toml", &text).expect("a manifest")
}

/// Versions by name: `apt 1.0, yum 2.0`.
pub(super) fn versions(text: &str) -> BTreeMap<CookbookName, Version> {
    text.split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(|one| {
            let (name, version) = one.split_once(' ').expect("a version");
            (
                name.parse().expect("a name"),
                version.parse().expect("a version"),
            )
        })
        .collect()
}

/// The answer as text: `apt 1.0.0, yum 2.0.0`.
pub(super) fn shown(answer: &Answer) -> String {
    let all: Vec<_> = answer
        .chosen
        .iter()
        .map(|(name, chosen)| format!("{name} {}", chosen.version))
        .collect();
    all.join(", ")
}
