//! Corpora from a seed: what the benchmarks pack. Nothing of them is kept as data.

mod content;
mod random;
mod text;

use std::io::Read;

pub(crate) use self::content::{Content, Cookbook, File};
use self::random::{Noise, Random};
use self::text::Text;

/// How many of ten thousand files have a size of `2^n` to `2^(n+1)` bytes, for n = 4 on. In the public
/// cookbooks of which `text.rs` tells, half of the files are smaller than 850 bytes, and the largest
/// hundredth holds half of all bytes.
const SIZES: [u64; 17] = [
    60, 240, 400, 850, 1240, 1996, 2000, 1450, 900, 500, 191, 81, 50, 22, 10, 6, 4,
];

/// Where text lies, and what its file's name ends with.
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

/// Cookbooks of the shape of real ones: 400 of them have 36,000 files and 195 MB. The first ones are the
/// same however many there are.
///
/// A tar of 400 is compressed by `gzip -6` to 0.303 of its size, at 46 MB/s where the public cookbooks
/// are compressed to 0.303 at 52 MB/s; with `-1` to 0.345 and 0.333, with `-9` to 0.302 and 0.301.
pub(crate) fn real(cookbooks: usize) -> impl Iterator<Item = Cookbook> {
    let mut random = Random::new(1);
    let mut text = Text::new(2);
    let mut spread = 0;
    (0..cookbooks).map(move |index| {
        // 90 files on average, and exactly so of each two cookbooks.
        let count = match index % 2 {
            0 => {
                spread = random.below(70);
                90 - spread
            }
            _ => 90 + spread,
        };
        cookbook(index, (1..count).map(|n| file(n, &mut random, &mut text)))
    })
}

/// Many files of 1 KiB, a hundred in a cookbook.
pub(crate) fn tiny(files: usize) -> impl Iterator<Item = Cookbook> {
    let mut text = Text::new(3);
    (0..files / 100).map(move |index| {
        let files = (1..100).map(|number| File {
            path: format!("recipes/f{number:03}.rb"),
            executable: false,
            content: Content::Bytes(text.file(1 << 10)),
        });
        cookbook(index, files)
    })
}

/// One cookbook with large files that no encoder shortens.
pub(crate) fn large(files: u64, bytes: u64) -> Cookbook {
    let files = (0..files).map(|number| File {
        path: format!("files/f{number:03}.tgz"),
        executable: false,
        content: Content::Noise {
            seed: 4 + number,
            length: bytes,
        },
    });
    cookbook(0, files)
}

fn cookbook(index: usize, files: impl Iterator<Item = File>) -> Cookbook {
    let name = format!("cookbook{index:04}");
    let metadata = File {
        path: "metadata.rb".to_owned(),
        executable: false,
        content: Content::Bytes(format!("name '{name}'\nversion '1.{index}.0'\n").into()),
    };
    let mut files: Vec<File> = files.chain([metadata]).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Cookbook { name, files }
}

fn file(number: u64, random: &mut Random, text: &mut Text) -> File {
    let bytes = size(random);
    // Of a thousand files, how many are archives, packages and keys, and how many are programs: few of
    // the small ones, many of the large ones.
    let (packed, programs) = match bytes {
        0..4_096 => (2, 2),
        4_096..32_768 => (12, 14),
        _ => (170, 260),
    };
    let pick = random.below(1000);
    let (path, content) = if pick < packed {
        let path = format!("files/default/f{number:03}.tgz");
        (path, noise(random, bytes))
    } else if pick < packed + programs {
        let path = format!("files/default/f{number:03}.so");
        (path, machine_code(random, bytes))
    } else {
        let (folder, ending) = FOLDERS[random.below(12) as usize];
        let path = format!("{folder}/f{number:03}.{ending}");
        (path, text.file(bytes as usize))
    };
    File {
        path,
        executable: random.chance(20),
        content: Content::Bytes(content),
    }
}

fn size(random: &mut Random) -> u64 {
    let mut pick = random.below(SIZES.iter().sum());
    let mut octave = 4;
    for share in SIZES {
        if pick < share {
            break;
        }
        pick -= share;
        octave += 1;
    }
    random.doubling(octave, octave + 1)
}

fn noise(random: &mut Random, bytes: u64) -> Vec<u8> {
    let mut noise = Vec::new();
    let read = Noise::new(random.next(), bytes).read_to_end(&mut noise);
    read.expect("noise never fails");
    noise
}

/// Bytes of which an encoder can shorten some: small numbers, and the same operations over and over.
fn machine_code(random: &mut Random, bytes: u64) -> Vec<u8> {
    let mut code = noise(random, bytes);
    for word in code.chunks_exact_mut(8) {
        word[1] &= 0x0f;
        word[3] = 0x8b;
        if word[0] & 1 == 0 {
            word[5..].fill(0);
        }
    }
    code
}
