//! The encoder as a whole: what flate2 decodes, the promises at every edge, and the bytes themselves.

use flate2::{Decompress, FlushDecompress, Status};
use sha2::{Digest as _, Sha256};

use super::*;

const LEVELS: [Level; 2] = [Level::Default, Level::Best];

/// Numbers that look random, the same ones always.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed >> 32) as u32
    }

    fn below(&mut self, end: usize) -> usize {
        self.roll() as usize % end
    }

    /// Mostly small numbers below `end`.
    fn small(&mut self, end: usize) -> usize {
        let end = 1 + self.below(end);
        let end = 1 + self.below(end);
        self.below(end)
    }
}

/// What an input looks like.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Words,
    Bits,
    Letters,
    Runs,
    Noise,
    Echoes,
    Table,
    Mixed,
}

const KINDS: [Kind; 8] = [
    Kind::Words,
    Kind::Bits,
    Kind::Letters,
    Kind::Runs,
    Kind::Noise,
    Kind::Echoes,
    Kind::Table,
    Kind::Mixed,
];

/// An input of this length.
fn sample(kind: Kind, length: usize, seed: u64) -> Vec<u8> {
    let dice = &mut Dice(seed);
    let mut bytes: Vec<u8> = Vec::with_capacity(length + 512);
    let vocabulary: Vec<Vec<u8>> = (0..700)
        .map(|_| {
            (0..2 + dice.small(9))
                .map(|_| b'a' + dice.small(26) as u8)
                .collect()
        })
        .collect();
    while bytes.len() < length {
        match kind {
            Kind::Words => {
                bytes.extend(&vocabulary[dice.small(700)]);
                bytes.push([b' ', b' ', b'_', b'\n'][dice.small(4)]);
            }
            Kind::Bits => bytes.push(b'0' + dice.below(2) as u8),
            Kind::Letters => bytes.push(b"acgtACGT\n"[dice.small(9)]),
            Kind::Runs => {
                let byte = dice.below(5) as u8 * 50;
                bytes.extend(std::iter::repeat_n(byte, 1 + dice.small(600)));
            }
            Kind::Noise => bytes.push(dice.roll() as u8),
            Kind::Echoes => {
                for _ in 0..dice.small(12) {
                    bytes.push(dice.below(256) as u8);
                }
                let back = 1 + dice.small(40_000);
                if let Some(from) = bytes.len().checked_sub(back) {
                    for at in from..from + 3 + dice.small(300) {
                        bytes.push(bytes[at]);
                    }
                }
            }
            Kind::Table => {
                let row = [dice.small(100_000), dice.below(10), dice.small(1000)];
                bytes.extend(format!("{:07},{};{}\n", row[0], row[1], row[2]).bytes());
            }
            Kind::Mixed => {
                let kind = KINDS[dice.below(7)];
                let piece = sample(kind, 1 + dice.small(30_000), u64::from(dice.roll()));
                bytes.extend(piece);
            }
        }
    }
    bytes.truncate(length);
    bytes
}

fn encode(level: Level, window: &[u8], block: &[u8]) -> Vec<u8> {
    compress(level, window, block)
}

/// What flate2 reads out of a whole stream.
fn decode(stream: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 1);
    let mut decoder = Decompress::new(false);
    let status = decoder
        .decompress_vec(stream, &mut out, FlushDecompress::Finish)
        .expect("a deflate stream");
    assert_eq!(status, Status::StreamEnd);
    assert_eq!(decoder.total_in(), stream.len() as u64);
    out
}

/// Encodes a block, and checks all that holds for any block.
fn check(level: Level, window: &[u8], block: &[u8]) -> Vec<u8> {
    let encoded = encode(level, window, block);
    assert!(encoded.len() <= bound(block.len()), "{}", encoded.len());
    assert!(encoded.ends_with(&[0, 0, 0xFF, 0xFF]));
    let mut stream = Vec::new();
    let mut bits = BitWriter::new(&mut stream);
    if !window.is_empty() {
        block::write_stored(&mut bits, window);
    }
    stream.extend(&encoded);
    stream.extend(END);
    let decoded = decode(&stream, window.len() + block.len());
    assert!(decoded == [window, block].concat(), "other bytes come back");
    encoded
}

#[test]
fn every_kind_comes_back_at_every_length_near_an_edge() {
    let lengths: [usize; 30] = [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 64, 255, 256, 257, 258, 259, 260, 511, 1023, 1024, 1025, 4095,
        8191, 8192, 8193, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537,
    ];
    for level in LEVELS {
        for (seed, kind) in (1..).zip(KINDS) {
            for length in lengths {
                // The slow level takes seconds for all of them.
                if level == Level::Best && length > 10_000 && length.is_multiple_of(2) {
                    continue;
                }
                check(level, &[], &sample(kind, length, seed));
            }
        }
    }
}

#[test]
fn every_window_is_used_and_nothing_before_it() {
    for level in LEVELS {
        for kind in KINDS {
            let bytes = sample(kind, 70_000, 5);
            for length in [0, 1, 2, 3, 4, 257, 32_767, 32_768, 32_769, 40_000] {
                let (window, block) = bytes.split_at(length);
                let block = &block[..if level == Level::Best { 2000 } else { 9000 }];
                let encoded = check(level, window, block);
                let last = &window[length.saturating_sub(WINDOW)..];
                assert_eq!(encoded, encode(level, last, block));
            }
        }
        let noise = sample(Kind::Noise, 32_768, 6);
        // The whole window again: 32,768 back is the farthest that can be said, and 32,769 is lost.
        let again = check(level, &noise, &noise[..20_000]);
        assert!(again.len() < 500, "{}", again.len());
        let lost = check(level, &noise, &[&[7], &noise[..20_000]].concat());
        assert!(lost.len() > 20_000, "{}", lost.len());
    }
}

#[test]
fn a_run_is_a_match_with_itself() {
    for level in LEVELS {
        for length in [1, 2, 3, 4, 5, 257, 258, 259, 260, 516, 517, 518, 100_000] {
            for period in 1..=5 {
                let bytes: Vec<u8> = (0..length).map(|at| (at % period) as u8).collect();
                let encoded = check(level, &[], &bytes);
                assert!(encoded.len() < 40 + length / 300, "{length} {period}");
                check(level, &bytes, &bytes);
            }
        }
    }
}

#[test]
fn what_cannot_be_compressed_is_stored() {
    for level in LEVELS {
        for length in [1000, 65_535, 65_536, 131_070, 131_071, 300_000, PIECE + 1] {
            let noise = sample(Kind::Noise, length, 3);
            assert_eq!(check(level, &[], &noise).len(), bound(length), "{length}");
        }
    }
}

#[test]
fn a_piece_of_a_long_block_repeats_the_one_before() {
    for level in LEVELS {
        let mut bytes = sample(Kind::Noise, PIECE, 9);
        bytes.extend_from_within(PIECE - WINDOW..);
        let length = check(level, &[], &bytes).len();
        assert!(length < bound(PIECE) + 600, "{length}");
    }
}

#[test]
fn blocks_that_were_encoded_apart_are_one_stream() {
    for level in LEVELS {
        let bytes = sample(Kind::Mixed, 200_000, 11);
        let mut stream = Vec::new();
        let mut at: usize = 0;
        for length in [1, 50_000, 0, 3, 100_000, 7, 49_989] {
            let window = &bytes[at.saturating_sub(WINDOW)..at];
            stream.extend(encode(level, window, &bytes[at..at + length]));
            at += length;
        }
        stream.extend(END);
        assert!(decode(&stream, bytes.len()) == bytes);
    }
}

#[test]
fn an_encoder_forgets_what_it_encoded() {
    let mut encoder = Encoder::new();
    let mut dice = Dice(1);
    for round in 0..120 {
        let kind = KINDS[dice.below(8)];
        let bytes = sample(kind, 1 + dice.small(120_000), round);
        let (window, block) = bytes.split_at(dice.below(bytes.len()));
        let level = LEVELS[dice.below(2)];
        let mut out = b"before".to_vec();
        encoder.encode(level, window, block, &mut out);
        assert!(out[..6] == *b"before" && out[6..] == encode(level, window, block));
    }
}

#[test]
fn tiny_blocks_have_exactly_these_bytes() {
    // Fixed codes, whose bits can be read in RFC 1951, 3.2.6; then the flush.
    let table: [(&[u8], &[u8], &[u8]); 6] = [
        (b"", b"", &[0, 0, 0, 0xFF, 0xFF]),
        (b"", b"a", &[0x4A, 0x04, 0x00, 0x00, 0x00, 0xFF, 0xFF]),
        (
            b"",
            b"aaaaaaaa",
            &[0x4A, 0x84, 0x02, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF],
        ),
        (
            b"",
            b"abcabcabcabc",
            &[
                0x4A, 0x4C, 0x4A, 0x86, 0x23, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF,
            ],
        ),
        (
            b"recipe",
            b"recipes",
            &[0x82, 0x90, 0xC5, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF],
        ),
        (
            b"",
            &[0xFF; 3],
            &[0xFA, 0xFF, 0xFF, 0x3F, 0x00, 0x00, 0x00, 0xFF, 0xFF],
        ),
    ];
    for (window, block, want) in table {
        for level in LEVELS {
            assert_eq!(check(level, window, block), want, "{level:?} {block:?}");
        }
    }
}

/// The SHA-256 of what `cookpack-deflate-1` makes of each kind. They never change.
#[test]
fn the_bytes_are_frozen() {
    let golden = [
        (
            Level::Default,
            Kind::Words,
            "837328b44d78b717c5be5f176847abc12e80719ac8fad03166a124d146dd6ff7",
        ),
        (
            Level::Default,
            Kind::Bits,
            "528bc46057788079478c57a0ede2c66ff34f02368eeba61819446019b372bfef",
        ),
        (
            Level::Default,
            Kind::Letters,
            "c31e9920c5badcdc4b5d82075ffe02fe2bfb5b1da690a5a3f8b38346caa4da77",
        ),
        (
            Level::Default,
            Kind::Runs,
            "7f95dc2dd4fdceaaa01eb690bd62ee829468ac30b5fbceaa913644fb1545882f",
        ),
        (
            Level::Default,
            Kind::Noise,
            "eb7d22aa96b47e4007c6de1d3028bfd2cdf2fcbb36e96373edf34683154461a1",
        ),
        (
            Level::Default,
            Kind::Echoes,
            "4625cf4eebaea148b4fa4d63ebdd0fa2d9bb0a843ce30f8687aeb29278240c8e",
        ),
        (
            Level::Default,
            Kind::Table,
            "6d09141a1d7b066fa6c0233131ad55fdb12d898e25615092edaab9af8407b41e",
        ),
        (
            Level::Default,
            Kind::Mixed,
            "8ef534a4c556711e1934776233d5ab545de110ccf25088d501c1843f0e8044b3",
        ),
        (
            Level::Best,
            Kind::Words,
            "c3f416b4a0ced5266926d330c522c49eeba5811a3c6b63fa4d8d72da7d270469",
        ),
        (
            Level::Best,
            Kind::Bits,
            "43cdfae77bed524e43211dfca43b254abc8c8f44662d71c257c1dfb9d475c5af",
        ),
        (
            Level::Best,
            Kind::Letters,
            "088845ee3755d27565566b88d0bdc5e48923cbc490c318cb2a51b4d90b42bba9",
        ),
        (
            Level::Best,
            Kind::Runs,
            "a56dfbebc9c3ceee5a3bee4813f18f8cee99dcedc088e2e16871095de18f2718",
        ),
        (
            Level::Best,
            Kind::Noise,
            "eb7d22aa96b47e4007c6de1d3028bfd2cdf2fcbb36e96373edf34683154461a1",
        ),
        (
            Level::Best,
            Kind::Echoes,
            "7ec33ea8d3f32b97e8fbd0d6492add4b447c402cc77ed15ab6d0087ce3bb087c",
        ),
        (
            Level::Best,
            Kind::Table,
            "876395129f7e58ba44084b219d7958a835ae7d3d3935407d468e6caa95737a26",
        ),
        (
            Level::Best,
            Kind::Mixed,
            "8f4e491c463ffe00d2bf63172389e8d936feaf004c0c50ae376768a2a5e37cc2",
        ),
    ];
    let mut changed = Vec::new();
    for (level, kind, want) in golden {
        let bytes = sample(kind, 260_000, 2026);
        let mut at = 0;
        let mut encoded = Vec::new();
        for length in [0, 1, 20, 300, 9679, 50_000, 200_000] {
            let window = &bytes[at - at.min(WINDOW)..at];
            encoded.extend(check(level, window, &bytes[at..at + length]));
            at += length;
        }
        let digest = sha256(&encoded);
        if digest != want {
            changed.push(format!("{level:?} {kind:?} {digest}"));
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
}

/// A block that is encoded in two pieces.
#[test]
fn the_bytes_of_a_long_block_are_frozen() {
    let bytes = sample(Kind::Words, 1_100_000, 2027);
    let golden = [
        (
            Level::Default,
            "e16040851e86eef5cd06ac1ba2e271a48e956ade5cf1770ef6b49580a51de1f8",
        ),
        (
            Level::Best,
            "ac4c9069b21b7d6ebe7dbfab3b6d8b3139da85b8a8a8421e8614f1c67f04edbc",
        ),
    ];
    for (level, want) in golden {
        assert_eq!(sha256(&check(level, &[], &bytes)), want, "{level:?}");
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
