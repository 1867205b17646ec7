//! A search so plain that it cannot be wrong.

use super::*;

/// One version of a name and what it needs; the oracle's own view of a question.
pub(super) type Rules = BTreeMap<String, BTreeMap<Version, Vec<(String, Constraint)>>>;

pub(super) fn rules(
    manifest: &Manifest,
    pinned: &BTreeMap<CookbookName, Candidate>,
    shelf: &Shelf,
) -> Rules {
    let mut rules = Rules::new();
    for (name, offers) in &shelf.cookbooks {
        for offer in offers.iter() {
            let needs = offer.dependencies.iter();
            let needs = needs.map(|(name, constraint)| (name.to_string(), constraint.clone()));
            rules
                .entry(name.clone())
                .or_default()
                .insert(offer.version, needs.collect());
        }
    }
    for (name, candidate) in pinned {
        let needs = candidate.dependencies.iter();
        let needs = needs
            .map(|one| (one.name.clone(), one.constraint.clone()))
            .collect();
        rules.insert(
            name.to_string(),
            BTreeMap::from([(candidate.version, needs)]),
        );
    }
    let asked = manifest.cookbooks.iter();
    let asked = asked.map(|(name, asked)| (name.to_string(), asked.constraint.clone()));
    rules.insert(
        String::new(),
        BTreeMap::from([(Version::default(), asked.collect())]),
    );
    rules
}

pub(super) type Taken = BTreeMap<String, Version>;

/// Whether there are versions for all that is needed, by trying them all.
pub(super) fn possible(
    rules: &Rules,
    counts: &dyn Fn(&str, &str) -> bool,
    taken: &mut Taken,
) -> bool {
    let mut open = None;
    for (by, version) in taken.iter() {
        for (name, constraint) in &rules[by][version] {
            if !counts(by, name) {
                continue;
            }
            match taken.get(name) {
                Some(version) if constraint.matches(*version) => {}
                Some(_) => return false,
                None => open = Some(name.clone()),
            }
        }
    }
    let Some(open) = open else { return true };
    let versions: Vec<_> = rules
        .get(&open)
        .into_iter()
        .flat_map(BTreeMap::keys)
        .copied()
        .collect();
    versions.into_iter().any(|version| {
        taken.insert(open.clone(), version);
        let possible = possible(rules, counts, taken);
        taken.remove(&open);
        possible
    })
}

/// The rules with these names at these versions, if they are needed at all.
pub(super) fn with(rules: &Rules, only: &BTreeMap<String, Version>) -> Rules {
    let mut rules = rules.clone();
    for (name, version) in only {
        if let Some(versions) = rules.get_mut(name) {
            versions.retain(|known, _| known == version);
        }
    }
    rules
}

pub(super) fn possible_with(rules: &Rules, only: &BTreeMap<String, Version>) -> bool {
    possible(&with(rules, only), &|_, _| true, &mut root())
}

pub(super) fn root() -> Taken {
    Taken::from([(String::new(), Version::default())])
}
