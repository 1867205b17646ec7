//! Universes made from a seed: one as large and as tangled as the public Supermarket's, and ones
//! that are made to be hard.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use cookpack::resolve::{Catalogue, Offer};
use cookpack::version::{Constraint, Version};

/// `SplitMix64`.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap_or_default()
    }
}

/// Cookbooks by name, as text: versions and what each depends on.
pub(crate) type Texts = BTreeMap<String, Vec<(Version, Vec<(String, String)>)>>;

/// A catalogue in memory.
pub(crate) struct Universe {
    cookbooks: BTreeMap<String, Arc<[Offer]>>,
}

impl Universe {
    /// Takes what a generator made.
    pub(crate) fn new(texts: &Texts) -> Self {
        let offer = |(version, needs): &(Version, Vec<(String, String)>)| Offer {
            version: *version,
            dependencies: needs
                .iter()
                .map(|(name, text)| {
                    let constraint: Constraint = text.parse().expect("a constraint");
                    (Arc::from(name.as_str()), constraint)
                })
                .collect(),
            source: 0,
        };
        let cookbooks = texts.iter();
        let cookbooks =
            cookbooks.map(|(name, list)| (name.clone(), list.iter().map(offer).collect()));
        Self {
            cookbooks: cookbooks.collect(),
        }
    }

    /// The versions that there are.
    pub(crate) fn len(&self) -> usize {
        self.cookbooks.values().map(|offers| offers.len()).sum()
    }
}

impl Catalogue for Universe {
    type Error = Infallible;

    fn versions(&self, name: &str) -> Result<Option<Arc<[Offer]>>, Infallible> {
        Ok(self.cookbooks.get(name).cloned())
    }

    fn names(&self) -> Vec<String> {
        self.cookbooks.keys().cloned().collect()
    }

    fn sources(&self) -> Vec<String> {
        vec!["https://supermarket.example".to_owned()]
    }
}

/// 4,000 names with 45,000 versions. A few of the names are what most others build on; a cookbook
/// depends on names before its own, now and then on one after it, mostly by `~>` on what was newest
/// when its version was made.
pub(crate) fn public(seed: u64) -> Texts {
    let mut dice = Dice(seed);
    let mut texts = Texts::new();
    let mut histories: Vec<(String, Vec<Version>)> = Vec::new();
    for at in 0..4_000 {
        // Few cookbooks have a hundred versions, most have a handful.
        let count = match dice.below(20) {
            0 => 40 + dice.below(60),
            1..=5 => 12 + dice.below(16),
            _ => 1 + dice.below(8),
        };
        let (mut major, mut minor, mut patch) = (dice.below(2) as u64, 1, 0);
        let mut history = Vec::new();
        for _ in 0..count {
            history.push(Version::new(major, minor, patch));
            match dice.below(12) {
                0 => (major, minor, patch) = (major + 1, 0, 0),
                1..=5 => (minor, patch) = (minor + 1, 0),
                _ => patch += 1,
            }
        }
        histories.push((format!("cookbook{at:04}"), history));
    }
    for at in 0..histories.len() {
        let mut needs: Vec<usize> = Vec::new();
        for _ in 0..[0, 0, 0, 1, 1, 1, 2, 2, 3, 5][dice.below(10)] {
            needs.push(match dice.below(40) {
                0 => dice.below(histories.len()),
                1..=5 => dice.below(at + 1),
                _ => dice.below(120.min(at + 1)),
            });
        }
        let (name, history) = &histories[at];
        let mut list = Vec::new();
        for (age, version) in history.iter().enumerate() {
            if dice.below(40) == 0 && at > 0 {
                needs.push(dice.below(at.min(400)));
            }
            let needs = needs.iter().filter(|to| **to != at).map(|to| {
                let (name, known) = &histories[*to];
                // What was newest when this version was made, as both went the same part of their way.
                let newest = known[(age + 1) * (known.len() - 1) / history.len()];
                (name.clone(), constraint(&mut dice, newest))
            });
            let needs: BTreeMap<_, _> = needs.collect();
            list.push((*version, needs.into_iter().collect()));
        }
        texts.insert(name.clone(), list);
    }
    texts
}

fn constraint(dice: &mut Dice, newest: Version) -> String {
    let Version {
        major,
        minor,
        patch,
    } = newest;
    match dice.below(20) {
        0..=8 => ">= 0.0.0".to_owned(),
        9..=13 => format!("~> {major}.{minor}"),
        14 => format!("~> {major}.{minor}.{patch}"),
        15 | 16 => format!(">= {major}.{minor}.{patch}"),
        17 => format!(">= {major}.0"),
        18 => format!("< {}.0", major + 1),
        _ => format!("= {newest}"),
    }
}

/// The text of a manifest that asks for some names, until what they need without any constraint is
/// about a hundred cookbooks.
pub(crate) fn manifest(texts: &Texts, seed: u64, cookbooks: usize) -> String {
    let mut dice = Dice(seed);
    let names: Vec<&String> = texts.keys().collect();
    let mut reached = std::collections::BTreeSet::new();
    let mut text = "[bundle]\nname = \"x\"\n[cookbooks]\n".to_owned();
    while reached.len() < cookbooks {
        let name = names[dice.below(names.len())];
        if !reached.insert(name.clone()) {
            continue;
        }
        let _ = writeln!(text, "{name} = \">= 0.0.0\"");
        let mut open = vec![name.clone()];
        while let Some(name) = open.pop() {
            for (need, _) in texts[&name]
                .last()
                .map(|(_, needs)| needs)
                .into_iter()
                .flatten()
            {
                if reached.insert(need.clone()) {
                    open.push(need.clone());
                }
            }
        }
    }
    text
}

/// Universes made to be hard: pigeons, diamonds, hundreds of versions of which each asks for a little
/// else, and random ones at the edge of what has an answer. With the text of a manifest.
pub(crate) fn adversarial(kind: usize, seed: u64) -> (Texts, String) {
    let mut dice = Dice(seed);
    let mut texts = Texts::new();
    let mut roots: Vec<(String, String)> = Vec::new();
    let version = |n: usize| Version::new(n as u64, 0, 0);
    match kind % 5 {
        // n + 1 pigeons, n holes: each pigeon is in a hole, and two in one hole exclude each other.
        0 => {
            let holes = 3 + dice.below(3);
            for pigeon in 0..=holes {
                let list = (0..holes).map(|hole| {
                    let needs = (0..=holes).filter(|other| *other != pigeon).map(|other| {
                        let (a, b) = (pigeon.min(other), pigeon.max(other));
                        let side = if pigeon < other { "= 1.0.0" } else { "= 2.0.0" };
                        (format!("hole{hole}-{a}-{b}"), side.to_owned())
                    });
                    (version(hole), needs.collect())
                });
                texts.insert(format!("pigeon{pigeon}"), list.collect());
                roots.push((format!("pigeon{pigeon}"), ">= 0.0.0".to_owned()));
            }
            for hole in 0..holes {
                for a in 0..=holes {
                    for b in a + 1..=holes {
                        let both = vec![(version(1), Vec::new()), (version(2), Vec::new())];
                        texts.insert(format!("hole{hole}-{a}-{b}"), both);
                    }
                }
            }
        }
        // A chain of diamonds whose two sides agree on old versions only; the end has none of them.
        1 => {
            let (length, count) = (12 + dice.below(10), 12 + dice.below(10));
            for at in 0..length {
                let next = format!("top{:02}", at + 1);
                let side = |shift: usize| {
                    let list = (0..count).map(|v| {
                        let text = format!("<= {}.0.0", v.saturating_sub(shift % 2));
                        (version(v), vec![(next.clone(), text)])
                    });
                    list.collect()
                };
                texts.insert(format!("left{at:02}"), side(at));
                texts.insert(format!("right{at:02}"), side(at + 1));
                let top = (0..count).map(|v| {
                    let text = format!("<= {v}.0.0");
                    let sides = ["left", "right"];
                    let needs = sides.map(|side| (format!("{side}{at:02}"), text.clone()));
                    (version(v), needs.to_vec())
                });
                texts.insert(format!("top{at:02}"), top.collect());
            }
            let least = dice.below(4);
            let end = (least..count).map(|v| (version(v), Vec::new()));
            texts.insert(format!("top{length:02}"), end.collect());
            roots.push(("top00".to_owned(), ">= 0.0.0".to_owned()));
        }
        // Hundreds of versions, each with constraints of its own on the same few names.
        2 => {
            let (names, count) = (6 + dice.below(6), 200 + dice.below(200));
            for at in 0..names {
                let list = (0..count).map(|v| {
                    let needs = (0..names).filter(|to| *to != at).map(|to| {
                        let other = dice.below(count);
                        let text = match dice.below(3) {
                            0 => format!("< {other}.0.0"),
                            1 => format!(">= {other}.0.0"),
                            _ => ">= 0.0.0".to_owned(),
                        };
                        (format!("many{to:02}"), text)
                    });
                    (version(v), needs.collect::<Vec<_>>())
                });
                let list: Vec<_> = list.collect();
                texts.insert(format!("many{at:02}"), list);
            }
            roots.push(("many00".to_owned(), ">= 0.0.0".to_owned()));
        }
        // Few versions, exact constraints, near the edge between an answer and none.
        3 => {
            let (names, count) = (30 + dice.below(20), 4);
            for at in 0..names {
                let mut list = Vec::new();
                for v in 0..count {
                    let mut needs = BTreeMap::new();
                    for _ in 0..3 {
                        let to = dice.below(names);
                        let text = match dice.below(3) {
                            0 => format!("< {}.0.0", 1 + dice.below(count)),
                            1 => format!("> {}.0.0", dice.below(count)),
                            _ => format!("= {}.0.0", dice.below(count)),
                        };
                        if to != at {
                            needs.insert(format!("edge{to:02}"), text);
                        }
                    }
                    list.push((version(v), needs.into_iter().collect()));
                }
                texts.insert(format!("edge{at:02}"), list);
            }
            roots.extend((0..6).map(|at| (format!("edge{at:02}"), ">= 0.0.0".to_owned())));
        }
        // Random formulas of three literals: a clause is a cookbook of three versions.
        _ => {
            let variables = 14 + dice.below(16);
            let clauses = variables * 43 / 10;
            for at in 0..variables {
                let both = vec![(version(0), Vec::new()), (version(1), Vec::new())];
                texts.insert(format!("variable{at:02}"), both);
            }
            for clause in 0..clauses {
                let list = (0..3).map(|v| {
                    let name = format!("variable{:02}", dice.below(variables));
                    (version(v), vec![(name, format!("= {}.0.0", dice.below(2)))])
                });
                let list: Vec<_> = list.collect();
                texts.insert(format!("clause{clause:03}"), list);
                roots.push((format!("clause{clause:03}"), ">= 0.0.0".to_owned()));
            }
        }
    }
    let mut text = "[bundle]\nname = \"x\"\n[cookbooks]\n".to_owned();
    for (name, constraint) in roots {
        let _ = writeln!(text, "{name} = \"{constraint}\"");
    }
    (texts, text)
}
