//! A search so plain that it cannot be wrong, beside the solver on generated universes.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::plain::{Rules, possible, possible_with, root, rules, with};
use super::worlds::{Dice, world};
use super::*;
use crate::resolve::attempt::{Element, Terms};
use crate::resolve::index::Index;

fn check_fits(
    rules: &Rules,
    manifest: &Manifest,
    pins: &BTreeMap<CookbookName, Candidate>,
    answer: &Answer,
) {
    let mut taken = root();
    for (name, chosen) in &answer.chosen {
        assert!(rules[name.as_str()].contains_key(&chosen.version), "{name}");
        taken.insert(name.to_string(), chosen.version);
    }
    for name in answer.resolution.dependencies.keys() {
        if let Some(candidate) = pins.get(name) {
            taken.insert(name.to_string(), candidate.version);
        }
    }
    assert_eq!(taken.len(), 1 + answer.resolution.dependencies.len());
    let mut needed = BTreeSet::from([String::new()]);
    for (by, version) in &taken {
        for (name, constraint) in &rules[by][version] {
            let version = taken
                .get(name)
                .unwrap_or_else(|| panic!("`{name}` is missing"));
            assert!(constraint.matches(*version), "{by} {name}");
            needed.insert(name.clone());
        }
    }
    assert_eq!(
        needed,
        taken.into_keys().collect(),
        "nothing that nobody needs"
    );
    assert!(
        manifest
            .cookbooks
            .keys()
            .all(|name| needed.contains(name.as_str()))
    );
}

/// The names of the manifest have, one after the other, the newest version that there is.
fn check_newest(
    rules: &Rules,
    manifest: &Manifest,
    answer: &Answer,
    kept: &BTreeMap<String, Version>,
) {
    let mut decided = kept.clone();
    for name in manifest.cookbooks.keys() {
        let Some(chosen) = answer.chosen.get(name) else {
            continue;
        };
        if !kept.contains_key(name.as_str()) {
            for version in rules[name.as_str()].keys().filter(|v| **v > chosen.version) {
                let mut newer = decided.clone();
                newer.insert(name.to_string(), *version);
                assert!(
                    !possible_with(rules, &newer),
                    "{name} {version} is possible"
                );
            }
        }
        decided.insert(name.to_string(), chosen.version);
    }
}

/// The locked versions that an answer keeps: those that it has, and those that it does not need.
fn kept(answer: &Answer, lock: &BTreeMap<CookbookName, Version>) -> BTreeMap<String, Version> {
    let stays = |name: &CookbookName, version: &Version| {
        answer
            .chosen
            .get(name)
            .is_none_or(|chosen| chosen.version == *version)
    };
    lock.iter()
        .filter(|(name, version)| stays(name, version))
        .map(|(name, version)| (name.to_string(), *version))
        .collect()
}

fn check_moved_least(
    rules: &Rules,
    answer: &Answer,
    lock: &BTreeMap<CookbookName, Version>,
    kept: &BTreeMap<String, Version>,
) {
    for (name, version) in lock {
        if answer.chosen.contains_key(name) && !kept.contains_key(name.as_str()) {
            let mut more = kept.clone();
            more.insert(name.to_string(), *version);
            assert!(
                !possible_with(rules, &more),
                "{name} {version} could have stayed"
            );
        }
    }
}

/// The culprits leave nothing, and any one of them less leaves something. Whether an edit was found.
fn check_clash(rules: &Rules, question: &Question<'_>, shelf: &Shelf) -> bool {
    let index = Index::new(question, shelf);
    let terms = Terms::of(&index);
    let culprits = index.culprits(&terms).expect("a run").expect("culprits");
    assert!(culprits.minimal, "a small one is always tried in full");
    let without = |left_out: Option<Element>| {
        let mut held = BTreeMap::new();
        let mut named: BTreeSet<(Rc<str>, Rc<str>)> = BTreeSet::new();
        for element in culprits
            .elements
            .iter()
            .filter(|one| Some(**one) != left_out)
        {
            match element {
                Element::Edge(by, to) => {
                    named.insert((index.name(*by), index.name(*to)));
                }
                Element::Held(id) => {
                    let name = index.name(*id);
                    held.insert(name.to_string(), question.held[&*name]);
                }
            }
        }
        let only = |by: &str, to: &str| named.contains(&(by.into(), to.into()));
        possible(&with(rules, &held), &only, &mut root())
    };
    assert!(!without(None), "the culprits are not to blame");
    for element in &culprits.elements {
        assert!(without(Some(*element)), "{element:?} is no culprit");
    }
    let Err(SolveError::Clash(clash)) = solve(question, shelf) else {
        panic!("no clash");
    };
    check_told(&clash);
    check_edits(&clash, question, shelf)
}

/// What is said of versions is so.
fn check_told(clash: &Clash) {
    assert!(!clash.contradictions.is_empty());
    for one in &clash.contradictions {
        assert!(one.wants.iter().any(|want| want.name == one.name), "{one}");
        assert_eq!(one.known, !one.ruled_out.is_empty(), "{one}");
        for out in &one.ruled_out {
            if let Reason::Unwanted { constraints, .. } = &out.reason {
                assert!(!constraints.is_empty());
                for constraint in constraints {
                    assert!(
                        !constraint.matches(out.first) && !constraint.matches(out.last),
                        "{one}"
                    );
                }
            }
        }
    }
}

/// Makes each edit of a lone contradiction; whether there was one.
fn check_edits(clash: &Clash, question: &Question<'_>, shelf: &Shelf) -> bool {
    let [one] = &clash.contradictions[..] else {
        return false;
    };
    for edit in &one.edits {
        let (name, to, at) = match edit {
            Edit::Constraint { name, to, at, .. } => (name, Ok(to), at),
            Edit::Rename { from, to, at } => (from, Err(to), at),
            Edit::Free { name, .. } => {
                let mut held = held(question);
                assert!(held.remove(name).is_some(), "{edit}");
                let rules = rules(question.manifest, question.pinned, shelf);
                assert!(possible_with(&rules, &held), "{edit} changes nothing");
                continue;
            }
        };
        let at = at.as_ref().expect("what is edited is in a file");
        let mut manifest = question.manifest.clone();
        let mut pinned = question.pinned.clone();
        if let Some(mut asked) = manifest.cookbooks.remove(name.as_str()) {
            let key = match to {
                Err(other) if asked.at == *at => other.parse().expect("a name"),
                _ => name.parse().expect("a name"),
            };
            if let Ok(to) = to
                && asked.at == *at
            {
                asked.constraint = to.clone();
            }
            assert_eq!(manifest.cookbooks.insert(key, asked), None, "{edit}");
        }
        let all = pinned
            .values_mut()
            .flat_map(|c| Arc::make_mut(&mut c.dependencies));
        for dependency in all.filter(|one| one.name == *name && one.at == *at) {
            match to {
                Ok(to) => dependency.constraint = to.clone(),
                Err(to) => dependency.name.clone_from(to),
            }
        }
        let rules = rules(&manifest, &pinned, shelf);
        assert!(
            possible_with(&rules, &held(question)),
            "{edit} changes nothing"
        );
    }
    !one.edits.is_empty()
}

fn held(question: &Question<'_>) -> BTreeMap<String, Version> {
    let held = question.held.iter();
    held.map(|(name, version)| (name.to_string(), *version))
        .collect()
}

fn shuffled(shelf: &Shelf, dice: &mut Dice) -> Shelf {
    let mut other = shelf.clone();
    for offers in other.cookbooks.values_mut() {
        let mut list = offers.to_vec();
        for offer in &mut list {
            dice.shuffle(&mut offer.dependencies);
        }
        dice.shuffle(&mut list);
        *offers = list.into();
    }
    other
}

fn told(result: &Result<Answer, SolveError<Broken>>) -> String {
    match result {
        Ok(answer) => format!("{answer:?}"),
        Err(SolveError::Clash(clash)) => clash
            .contradictions
            .iter()
            .map(|one| format!("{one}\n"))
            .collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_solver_agrees_with_trying_everything() {
    let mut dice = Dice(5);
    let (mut fits, mut clashes, mut edited, mut left) = (0, 0, 0, 0);
    for _ in 0..3_000 {
        let world = world(&mut dice);
        let manifest = manifest(&world.manifest);
        let pinned = pinned(&world.pins);
        let shelf = shelf(&world.universe);
        let rules = rules(&manifest, &pinned, &shelf);
        let mut question = Question::new(&manifest, &pinned);
        let result = solve(&question, &shelf);
        let possible = possible(&rules, &|_, _| true, &mut root());
        assert_eq!(result.is_ok(), possible, "{world:?}");
        let other = shuffled(&shelf, &mut dice);
        assert_eq!(told(&solve(&question, &other)), told(&result), "{world:?}");
        let Ok(answer) = result else {
            clashes += 1;
            edited += usize::from(check_clash(&rules, &question, &shelf));
            continue;
        };
        fits += 1;
        check_fits(&rules, &manifest, &pinned, &answer);
        check_newest(&rules, &manifest, &answer, &BTreeMap::new());
        question.preferred = versions(&world.lock);
        question
            .preferred
            .retain(|name, _| !pinned.contains_key(name));
        let answer = solve(&question, &shelf).expect("a lock forbids nothing");
        check_fits(&rules, &manifest, &pinned, &answer);
        let kept = kept(&answer, &question.preferred);
        check_moved_least(&rules, &answer, &question.preferred, &kept);
        check_newest(&rules, &manifest, &answer, &kept);
        left += question.preferred.len() - kept.len();
    }
    assert!(
        fits > 500 && clashes > 500 && edited > 200 && left > 200,
        "{fits} {clashes} {edited} {left}"
    );
}

#[test]
fn what_is_held_is_never_left_and_is_a_culprit_like_others() {
    let mut dice = Dice(11);
    let (mut fits, mut clashes, mut freed) = (0, 0, 0);
    for _ in 0..2_000 {
        let world = world(&mut dice);
        let (manifest, pinned) = (manifest(&world.manifest), pinned(&world.pins));
        let shelf = shelf(&world.universe);
        let rules = rules(&manifest, &pinned, &shelf);
        let mut question = Question::new(&manifest, &pinned);
        question.held = versions(&world.lock);
        question
            .held
            .retain(|name, _| !pinned.contains_key(name) && dice.below(2) == 0);
        let result = solve(&question, &shelf);
        let held = held(&question);
        assert_eq!(result.is_ok(), possible_with(&rules, &held), "{world:?}");
        match result {
            Ok(answer) => {
                fits += 1;
                check_fits(&rules, &manifest, &pinned, &answer);
                assert_eq!(kept(&answer, &question.held), held);
                check_newest(&rules, &manifest, &answer, &held);
            }
            Err(error) => {
                clashes += 1;
                freed += usize::from(format!("{error:?}").contains("Free {"));
                check_clash(&rules, &question, &shelf);
            }
        }
    }
    assert!(
        fits > 300 && clashes > 500 && freed > 100,
        "{fits} {clashes} {freed}"
    );
}

/// Every name above `name` by what is locked, the pinned ones left out.
fn above(
    rules: &Rules,
    taken: &BTreeMap<CookbookName, Version>,
    pins: &BTreeMap<CookbookName, Candidate>,
    name: &str,
) -> BTreeSet<CookbookName> {
    let mut all = taken.clone();
    all.extend(
        pins.iter()
            .map(|(name, candidate)| (name.clone(), candidate.version)),
    );
    let mut above: BTreeSet<CookbookName> = BTreeSet::new();
    loop {
        let more: Vec<_> = all
            .iter()
            .filter(|(by, _)| !above.contains(*by))
            .filter(|(by, version)| {
                rules[by.as_str()][*version]
                    .iter()
                    .any(|(to, _)| to == name || above.contains(to.as_str()))
            })
            .map(|(by, _)| by.clone())
            .collect();
        if more.is_empty() {
            above.retain(|name| taken.contains_key(name));
            return above;
        }
        above.extend(more);
    }
}

#[test]
fn update_moves_only_what_must() {
    let mut dice = Dice(7);
    let (mut updated, mut held_back) = (0, 0);
    for _ in 0..3_000 {
        let world = world(&mut dice);
        let (manifest, pinned) = (manifest(&world.manifest), pinned(&world.pins));
        let shelf = shelf(&world.universe);
        let rules = rules(&manifest, &pinned, &shelf);
        // A lock that is a little out of date: made with some versions held, where that is possible.
        let mut question = Question::new(&manifest, &pinned);
        question.preferred = versions(&world.lock);
        let Ok(old) = solve(&question, &shelf) else {
            continue;
        };
        question.preferred = old
            .chosen
            .iter()
            .map(|(n, c)| (n.clone(), c.version))
            .collect();
        assert_eq!(solve(&question, &shelf).unwrap(), old, "what fits stays");
        for name in old.chosen.keys() {
            question.update = BTreeSet::from([name.clone()]);
            let answer = solve(&question, &shelf).unwrap();
            check_fits(&rules, &manifest, &pinned, &answer);
            let above = above(&rules, &question.preferred, &pinned, name.as_str());
            let mut others = question.preferred.clone();
            others.remove(name);
            let kept = kept(&answer, &others);
            assert!(
                above
                    .iter()
                    .all(|one| one == name || kept.contains_key(one.as_str())),
                "{world:?} {name}"
            );
            let Some(chosen) = answer.chosen.get(name) else {
                panic!("{name} went, and it stands above nothing that changed");
            };
            assert!(
                chosen.version >= old.chosen[name].version,
                "{world:?} {name}"
            );
            updated += usize::from(chosen.version != old.chosen[name].version);
            let of_above: BTreeMap<_, _> = above
                .iter()
                .filter(|one| *one != name)
                .map(|one| (one.to_string(), question.preferred[one]))
                .collect();
            for version in rules[name.as_str()].keys().filter(|v| **v > chosen.version) {
                held_back += 1;
                let mut newer = of_above.clone();
                newer.insert(name.to_string(), *version);
                assert!(!possible_with(&rules, &newer), "{world:?} {name} {version}");
            }
            let mut least = kept.clone();
            least.insert(name.to_string(), chosen.version);
            check_moved_least(&rules, &answer, &others, &least);
        }
    }
    assert!(updated > 100 && held_back > 200, "{updated} {held_back}");
}
