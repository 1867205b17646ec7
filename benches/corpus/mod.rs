//! Corpora from a seed: what the benchmarks pack. Nothing of them is kept as data.

pub(crate) mod random;
mod text;

use self::random::{Noise, Random};
use std::io::Read;
use text::Text;

/// A file of a corpus.
pub(crate) struct File {
    /// Its path in its cookbook.
    pub(crate) path: String,
    pub(crate) executable: bool,
    pub(crate) content: Content,
}

/// What is in a file.
pub(crate) enum Content {
    /// Made beforehand.
    Bytes(Vec<u8>),
    /// Made as it is read, since there is too much of it to be held.
    Noise { seed: u64, length: u64 },
}

impl Content {
    pub(crate) fn open(&self) -> Box<dyn Read + '_> {
        match self {
            Self::Bytes(bytes) => Box::new(&bytes[..]),
            &Self::Noise { seed, length } => Box::new(Noise::new(seed, length)),
        }
    }
}

/// A cookbook of a corpus.
pub(crate) struct Cookbook {
    pub(crate) name: String,
    pub(crate) files: Vec<File>,
}

/// How many of ten thousand files have a size of `2^n` to `2^(n+1)`, for n = 4 on; after public
/// cookbooks, whose median is 850 bytes and whose largest hundredth holds half of all bytes.
const SIZES: [u64; 17] = [
    60, 240, 400, 850, 1240, 1996, 2000, 1450, 900, 500, 191, 81, 50, 22, 10, 6, 4,
];

const FOLDERS: [(&str, &str); 12] = [
    ("recipes", "rb"),
    ("recipes", "rb"),
    ("templates/default", "conf.erb"),
    ("attributes", "rb"),
    ("templates/default", "erb"),
    ("libraries", "rb"),
    ("resources", "rb"),
    ("providers", "rb"),
    ("files/default", "conf"),
    ("spec/unit", "rb"),
    ("test/integration/default", "yml"),
    ("documentation", "md"),
];

/// Cookbooks as they are: 400 of them have 36,000 files and 200 MB. The first ones are the same
/// however many there are.
pub(crate) fn real(cookbooks: usize) -> impl Iterator<Item = Cookbook> {
    let mut random = Random::new(1);
    let mut text = Text::new(2);
    let mut spread = 0;
    (0..cookbooks).map(move |index| {
        // 90 files on average, and exactly so for each two.
        let count = match index % 2 {
            0 => {
                spread = random.below(70);
                90 - spread
            }
            _ => 90 + spread,
        };
        let name = format!("cookbook{index:04}");
        let mut files = vec![File {
            path: "metadata.rb".to_owned(),
            executable: false,
            content: Content::Bytes(format!("name '{name}'\nversion '1.{index}.0'\n").into()),
        }];
        for number in 1..count {
            files.push(file(number, &mut random, &mut text));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Cookbook { name, files }
    })
}

fn size(random: &mut Random) -> usize {
    let mut pick = random.below(10_000);
    for (octave, share) in SIZES.iter().enumerate() {
        if pick < *share {
            return random.doubling(octave as u32 + 4, octave as u32 + 5) as usize;
        }
        pick -= share;
    }
    unreachable!("the shares are ten thousand")
}

fn file(number: u64, random: &mut Random, text: &mut Text) -> File {
    let bytes = size(random);
    // Archives, packages and keys are few of the small files and many of the large ones.
    let (packed, binary) = match bytes {
        0..4096 => (2, 2),
        4096..32768 => (12, 14),
        _ => (170, 260),
    };
    let pick = random.below(1000);
    let (path, content) = if pick < packed {
        (format!("files/default/f{number:03}.tgz"), noise(random, bytes))
    } else if pick < packed + binary {
        (format!("files/default/f{number:03}.so"), machine_code(random, bytes))
    } else {
        let (folder, ending) = FOLDERS[random.below(12) as usize];
        (format!("{folder}/f{number:03}.{ending}"), text.file(bytes))
    };
    File {
        path,
        executable: random.chance(20),
        content: Content::Bytes(content),
    }
}

fn noise(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut noise = Vec::with_capacity(bytes);
    let read = Noise::new(random.next(), bytes as u64).read_to_end(&mut noise);
    read.expect("noise never fails");
    noise
}

/// Bytes of which an encoder can shorten some.
fn machine_code(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut code = noise(random, bytes);
    for word in code.chunks_exact_mut(8) {
        // Small numbers, and the same operations over and over.
        word[1] &= 0x0f;
        word[3] = 0x8b;
        if word[0] & 1 == 0 {
            word[5..].fill(0);
        }
    }
    code
}
