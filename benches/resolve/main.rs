//! How fast versions are chosen: `cargo bench --bench resolve`.
//!
//! A hundred cookbooks out of a universe as large as the public one; and the slowest of a hundred
//! universes that are made to be hard.

mod universe;

use std::collections::BTreeMap;
use std::hint::black_box;

use cookpack::Manifest;
use cookpack::resolve::{Question, SolveError, solve};
use criterion::{Criterion, criterion_group, criterion_main};
use universe::{Universe, adversarial, manifest, public};

fn parsed(text: &str) -> Manifest {
    Manifest::parse("cookpack.toml", text).expect("a manifest")
}

fn a_hundred_cookbooks(criterion: &mut Criterion) {
    let texts = public(1);
    let universe = Universe::new(&texts);
    let pinned = BTreeMap::new();
    let mut group = criterion.benchmark_group(format!("{} versions", universe.len()));
    group.sample_size(20);
    for seed in 0..4 {
        let manifest = parsed(&manifest(&texts, seed, 100));
        let question = Question::new(&manifest, &pinned);
        let told = match solve(&question, &universe) {
            Ok(answer) => format!("{} cookbooks", answer.chosen.len()),
            Err(error) => format!(
                "{} contradictions",
                error.to_string().matches("; ").count() + 1
            ),
        };
        group.bench_function(format!("manifest {seed}: {told}"), |bencher| {
            bencher.iter(|| black_box(solve(&question, &universe).is_ok()));
        });
        if let Ok(answer) = solve(&question, &universe) {
            let mut locked = question.clone();
            let chosen = answer.chosen.iter();
            locked.preferred = chosen
                .map(|(name, one)| (name.clone(), one.version))
                .collect();
            group.bench_function(format!("manifest {seed}, locked"), |bencher| {
                bencher.iter(|| black_box(solve(&locked, &universe).is_ok()));
            });
        }
    }
    group.finish();
}

fn made_to_be_hard(criterion: &mut Criterion) {
    let pinned = BTreeMap::new();
    let worlds: Vec<_> = (0..100)
        .map(|seed| {
            let (texts, manifest) = adversarial(seed, seed as u64);
            (Universe::new(&texts), parsed(&manifest))
        })
        .collect();
    let mut group = criterion.benchmark_group("made to be hard");
    group.sample_size(10);
    for (kind, name) in ["pigeons", "diamonds", "many versions", "edge", "formulas"]
        .iter()
        .enumerate()
    {
        group.bench_function(format!("20 of {name}"), |bencher| {
            bencher.iter(|| {
                for (universe, manifest) in worlds.iter().skip(kind).step_by(5) {
                    let result = solve(&Question::new(manifest, &pinned), universe);
                    assert!(
                        !matches!(result, Err(SolveError::TooHard { .. })),
                        "too hard"
                    );
                    black_box(result.is_ok());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, a_hundred_cookbooks, made_to_be_hard);
criterion_main!(benches);
