//! How fast a universe of the public one's size is read: `cargo bench --bench universe`.
//!
//! 4,000 names and 45,000 versions from a seed, with as many dependencies as real ones have.

use std::fmt::Write as _;
use std::hint::black_box;

use cookpack::universe::Universe;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NAMES: usize = 4_000;
const VERSIONS: usize = 45_000;

/// Numbers that look like chance and are always the same (Steele, Lea, Flood: `SplitMix`).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or_default()
    }
}

fn name(number: usize) -> String {
    let words = ["app", "web", "db", "net", "sys", "log", "mon", "sec"];
    format!("{}-cookbook_{number}", words[number % words.len()])
}

fn universe() -> Vec<u8> {
    let mut chance = Seeded(1);
    // Most names have few versions, and some have hundreds.
    let mut counts = vec![1_usize; NAMES];
    for _ in NAMES..VERSIONS {
        let most = 1 + chance.below(NAMES);
        counts[chance.below(most)] += 1;
    }
    let mut text = String::from("{");
    for (number, count) in counts.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let name_of = name(number);
        write!(text, "{comma}\"{name_of}\":{{").expect("a text");
        for patch in 0..*count {
            let comma = if patch == 0 { "" } else { "," };
            let version = format!("{}.{}.{}", patch / 25, patch / 5 % 5, patch % 5);
            write!(
                text,
                "{comma}\"{version}\":{{\"location_type\":\"opscode\",\
                 \"location_path\":\"https://supermarket.example.com/api/v1\",\
                 \"download_url\":\"https://supermarket.example.com/api/v1/cookbooks/{name_of}/versions/{version}/download\",\
                 \"dependencies\":{{"
            )
            .expect("a text");
            for at in 0..chance.below(6) {
                let comma = if at == 0 { "" } else { "," };
                let most = 1 + chance.below(NAMES);
                let (other, major) = (name(chance.below(most)), chance.below(4));
                let operator = [">=", "~>", "=", "<"][chance.below(4)];
                write!(text, "{comma}\"{other}\":\"{operator} {major}.{at}.0\"").expect("a text");
            }
            text.push_str("}}");
        }
        text.push('}');
    }
    text.push('}');
    text.into_bytes()
}

fn reading(c: &mut Criterion) {
    let bytes = universe();
    let mut group = c.benchmark_group("universe");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("parse", |b| {
        b.iter_batched(
            || bytes.clone(),
            |bytes| black_box(Universe::parse(bytes).expect("a universe")),
            criterion::BatchSize::LargeInput,
        );
    });
    let universe = Universe::parse(bytes).expect("a universe");
    group.throughput(Throughput::Elements(100));
    group.bench_function("100 names", |b| {
        b.iter(|| {
            for number in 0..100 {
                let listed = universe.versions(&name(number)).expect("a name");
                assert!(listed.warnings.is_empty() && !listed.versions.is_empty());
                black_box(listed);
            }
        });
    });
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
