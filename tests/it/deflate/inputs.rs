//! Inputs for an encoder, by number: random ones, structured ones, and such as are made to hit an edge.

/// A window, and the block behind it.
pub(super) struct Input {
    pub(super) window: Vec<u8>,
    pub(super) block: Vec<u8>,
}

/// Numbers that look random, the same ones always.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    /// Mostly small numbers below `end`.
    fn small(&mut self, end: usize) -> usize {
        let end = 1 + self.below(end);
        let end = 1 + self.below(end);
        self.below(end)
    }

    fn bytes(&mut self, length: usize, of: &[u8]) -> Vec<u8> {
        (0..length).map(|_| of[self.below(of.len())]).collect()
    }
}

/// Lengths and distances at which something changes.
const EDGES: [usize; 22] = [
    0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 32, 64, 65, 66, 257, 258, 259, 1023, 1024, 1025, 4096, 8192,
];

/// The input with this number: most are of some hundred bytes, and every 64th may be of 200,000.
pub(super) fn input(number: u64) -> Input {
    let dice = &mut Dice(number);
    let most = match number % 64 {
        0 => 200_000,
        1..8 => 10_000,
        _ => 600,
    };
    let length = dice.small(most) + if number.is_multiple_of(3) { 0 } else { 20 };
    let mut bytes = content(dice, length);
    let split = match dice.below(4) {
        0 => dice.below(bytes.len() + 1),
        1 => bytes.len() / 2,
        _ => 0,
    };
    let block = bytes.split_off(split);
    Input {
        window: bytes,
        block,
    }
}

fn content(dice: &mut Dice, length: usize) -> Vec<u8> {
    let mut bytes = match dice.below(12) {
        0 => dice.bytes(length, &(0..=255).collect::<Vec<u8>>()),
        1 => dice.bytes(length, b"01"),
        2 => dice.bytes(length, b"abc \n"),
        3 => vec![dice.roll() as u8; length],
        4 => words(dice, length),
        5 => runs(dice, length),
        6 => echoes(dice, length, 32_770),
        7 => echoes(dice, length, 40),
        8 => fibonacci(dice, length),
        9 => lengths_and_distances(dice, length),
        10 => counted(dice, length),
        _ => {
            let mut bytes = Vec::new();
            while bytes.len() < length {
                let piece = 1 + dice.small(length + 1);
                bytes.extend(content(dice, piece));
            }
            bytes
        }
    };
    bytes.truncate(length);
    bytes
}

fn words(dice: &mut Dice, length: usize) -> Vec<u8> {
    let list = "package service template cookbook_file node default recipe action :install do end \
                notifies attribute only_if ::File.exist? 'nginx' \"#{name}\" owner root mode 0644 => # ";
    let list: Vec<&str> = list.split(' ').collect();
    let mut bytes = Vec::new();
    while bytes.len() < length {
        bytes.extend(list[dice.small(list.len())].bytes());
        bytes.push(b" \n ["[dice.small(4)]);
    }
    bytes
}

fn runs(dice: &mut Dice, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let run = EDGES[dice.below(EDGES.len())];
        bytes.extend(std::iter::repeat_n(dice.below(3) as u8, run));
    }
    bytes
}

/// Literals, and repetitions of what stands anywhere before.
fn echoes(dice: &mut Dice, length: usize, farthest: usize) -> Vec<u8> {
    let mut bytes = dice.bytes(3, &[1, 2, 3]);
    while bytes.len() < length {
        let back = 1 + dice.below(farthest.min(bytes.len()));
        let from = bytes.len() - back;
        for at in from..from + 3 + dice.small(300) {
            bytes.push(bytes[at]);
        }
        let literals = dice.small(20);
        bytes.extend(dice.bytes(literals, &(0..=255).collect::<Vec<u8>>()));
    }
    bytes
}

/// Bytes whose best code is as deep as it gets.
fn fibonacci(dice: &mut Dice, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut now, mut next) = (1, 1);
    let mut byte = dice.roll() as u8;
    while bytes.len() + now < length.max(3) {
        bytes.extend(std::iter::repeat_n(byte, now));
        byte = byte.wrapping_add(91);
        (now, next) = (next, now + next);
    }
    for at in (1..bytes.len()).rev() {
        bytes.swap(at, dice.below(at + 1));
    }
    bytes
}

/// Every length of a match, each at another distance.
fn lengths_and_distances(dice: &mut Dice, length: usize) -> Vec<u8> {
    let mut bytes = dice.bytes(300 + dice.0 as usize % 300, &(0..=255).collect::<Vec<u8>>());
    let mut wanted = 2 + dice.below(20);
    while bytes.len() < length {
        let from = dice.below(bytes.len());
        for at in from..from + wanted {
            bytes.push(bytes[at]);
        }
        bytes.push(dice.roll() as u8);
        wanted = if wanted == 260 { 2 } else { wanted + 1 };
    }
    bytes
}

fn counted(dice: &mut Dice, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut number = dice.below(100_000);
    while bytes.len() < length {
        bytes.extend(format!("{number:08}\0ustar{:06o}\n", number * 7).bytes());
        number += dice.small(20);
    }
    bytes
}
