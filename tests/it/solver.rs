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

#[test]
fn a_hundred_universes_made_to_be_hard_are_decided() {
    let pinned = BTreeMap::new();
    let mut fits = BTreeMap::new();
    for seed in 0..100 {
        let (texts, text) = adversarial(seed, seed as u64);
        let manifest = Manifest::parse("cookpack.toml", &text).expect("a manifest");
        let result = solve(&Question::new(&manifest, &pinned), &Universe::new(&texts));
        match result {
            Ok(answer) => {
                check(&texts, &manifest, &answer);
                *fits.entry(seed % 5).or_insert(0) += 1;
            }
            Err(SolveError::Clash(clash)) => assert!(!clash.contradictions.is_empty()),
            Err(error) => panic!("{seed}: {error}"),
        }
    }
    // More pigeons than holes never fit.
    assert_eq!(fits.get(&0), None);
    assert!(fits.len() >= 3, "{fits:?}");
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
