//! The solver on universes as large as the public one, and on ones that are made to be hard.

use std::collections::BTreeMap;

use cookpack::Manifest;
use cookpack::resolve::{Answer, Question, SolveError, solve};
use cookpack::version::Constraint;

use self::universe::{Texts, Universe, adversarial, manifest, public};

#[path = "../../benches/resolve/universe.rs"]
mod universe;

/// Everything that is needed is there and fits.
fn check(texts: &Texts, manifest: &Manifest, answer: &Answer) {
    let fits = |name: &str, constraint: &Constraint| {
        let chosen = answer.chosen.get(name);
        chosen.is_some_and(|chosen| constraint.matches(chosen.version))
    };
    for (name, asked) in &manifest.cookbooks {
        assert!(fits(name.as_str(), &asked.constraint), "{name}");
    }
    for (name, chosen) in &answer.chosen {
        let list = &texts[name.as_str()];
        let found = list.iter().find(|(version, _)| *version == chosen.version);
        for (need, text) in &found.expect("a version that there is").1 {
            let constraint = text.parse().expect("a constraint");
            assert!(fits(need, &constraint), "{name} needs {need} {text}");
        }
    }
}

/// Decides twenty universes of one kind; how many have an answer.
fn decided(kind: usize) -> usize {
    let pinned = BTreeMap::new();
    let mut fits = 0;
    for seed in (kind..100).step_by(5) {
        let (texts, text) = adversarial(kind, seed as u64);
        let manifest = Manifest::parse("cookpack.toml", &text).expect("a manifest");
        match solve(&Question::new(&manifest, &pinned), &Universe::new(&texts)) {
            Ok(answer) => {
                check(&texts, &manifest, &answer);
                fits += 1;
            }
            Err(SolveError::Clash(clash)) => assert!(!clash.contradictions.is_empty()),
            Err(error) => panic!("{seed}: {error}"),
        }
    }
    fits
}

#[test]
fn more_pigeons_than_holes_never_fit() {
    assert_eq!(decided(0), 0);
}

#[test]
fn chains_of_diamonds_are_decided() {
    assert!((1..20).contains(&decided(1)));
}

#[test]
fn hundreds_of_versions_that_each_ask_for_a_little_else_are_decided() {
    assert!(decided(2) > 0);
}

#[test]
fn universes_at_the_edge_of_an_answer_are_decided() {
    decided(3);
}

#[test]
fn formulas_are_decided() {
    assert!((1..20).contains(&decided(4)));
}

#[test]
fn a_universe_as_large_as_the_public_one_is_solved_and_kept() {
    let texts = public(1);
    let universe = Universe::new(&texts);
    assert!(
        (43_000..47_000).contains(&universe.len()),
        "{}",
        universe.len()
    );
    let pinned = BTreeMap::new();
    let mut solved = 0;
    for seed in 0..8 {
        let text = manifest(&texts, seed, 100);
        let manifest = Manifest::parse("cookpack.toml", &text).expect("a manifest");
        let mut question = Question::new(&manifest, &pinned);
        let answer = match solve(&question, &universe) {
            Ok(answer) => answer,
            Err(SolveError::Clash(_)) => continue,
            Err(error) => panic!("{seed}: {error}"),
        };
        check(&texts, &manifest, &answer);
        let chosen = answer.chosen.iter();
        question.preferred = chosen
            .map(|(name, one)| (name.clone(), one.version))
            .collect();
        assert_eq!(solve(&question, &universe).expect("the same"), answer);
        solved += 1;
    }
    assert!(solved >= 2, "{solved}");
}
