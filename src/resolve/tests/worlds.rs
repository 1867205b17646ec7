//! Small questions, made from a seed.

/// `SplitMix64`: the same universes on every machine.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap_or_default()
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

/// One generated question as text, in the language of these tests.
#[derive(Debug)]
pub(super) struct World {
    pub(super) manifest: String,
    pub(super) pins: String,
    pub(super) universe: String,
    pub(super) lock: String,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn constraint(dice: &mut Dice) -> String {
    let version = format!("{}.{}", dice.below(3), dice.below(2));
    match dice.below(8) {
        0 => format!("= {version}"),
        1 => format!("< {version}"),
        2 => format!("> {version}"),
        3 => format!("<= {version}"),
        4 => format!("~> {version}"),
        5 => format!("~> {version}.0"),
        6 => format!(">= {version}"),
        _ => ">= 0.0.0".to_owned(),
    }
}

fn needs(dice: &mut Dice, most: usize) -> String {
    let count = dice.below(most + 1);
    let mut names = NAMES.to_vec();
    // Now and then a name that nothing gives.
    names.push("g");
    dice.shuffle(&mut names);
    names.truncate(count);
    names.retain(|name| *name != "g" || dice.below(4) == 0);
    let needs: Vec<_> = names
        .into_iter()
        .map(|name| format!("{name} {}", constraint(dice)))
        .collect();
    needs.join(", ")
}

pub(super) fn world(dice: &mut Dice) -> World {
    let (mut manifest, mut pins, mut lock) = (String::new(), String::new(), Vec::new());
    let mut universe = String::new();
    let density = 1 + dice.below(3);
    for name in NAMES {
        let pinned = dice.below(8) == 0;
        if pinned {
            let version = format!("{}.{}", dice.below(3), dice.below(2));
            pins += &format!("{name} {version}: {}\n", needs(dice, density));
            let demanded = constraint(dice);
            manifest += &format!("{name} = {{ path = \"{name}\", version = \"{demanded}\" }}\n");
        } else if dice.below(3) == 0 {
            manifest += &format!("{name} = \"{}\"\n", constraint(dice));
        }
        for version in ["0.0", "0.1", "1.0", "1.1", "2.0", "2.1"] {
            if dice.below(5) < 3 {
                universe += &format!("{name} {version}: {}\n", needs(dice, density));
            }
        }
        if dice.below(3) > 0 {
            lock.push(format!("{name} {}.{}", dice.below(3), dice.below(2)));
        }
    }
    World {
        manifest,
        pins,
        universe,
        lock: lock.join(", "),
    }
}
