//! Text that an encoder finds as hard as the text of cookbooks.
//!
//! What makes an encoder slow or fast, and its output small or large, is how often it finds what it has
//! seen before, how far back and how long. So text is made the way in which it will be taken apart: a few
//! fresh words, then a passage copied from anything before, and so on. How long and how far back is
//! measured: 239 units of public cookbooks (38,408 files, a tar of 180 MB) were compressed, and the
//! lengths and distances of the matches counted. Both fall off as in [`Text::passage`].

use super::random::Random;

/// What deflate sees: 2^15 bytes back.
const WINDOW: u32 = 15;

/// How far back anything is copied from: 2^22 bytes. Cookbooks have much in common with those far away,
/// which only another encoder sees.
const REACH: u32 = 22;

/// Words that stand in every cookbook.
const WORDS: [&str; 40] = [
    "do",
    "end",
    "node",
    "default",
    "action",
    "package",
    "service",
    "template",
    "directory",
    "source",
    "owner",
    "group",
    "mode",
    "root",
    "if",
    "not_if",
    "only_if",
    "notifies",
    "restart",
    "delayed",
    "include_recipe",
    "attribute",
    "cookbook",
    "platform",
    "version",
    "install",
    "enable",
    "start",
    "variables",
    "path",
    "file",
    "remote_file",
    "execute",
    "command",
    "description",
    "the",
    "of",
    "to",
    "is",
    "config",
];

/// What stands between two words, by how often.
const BETWEEN: [&str; 16] = [
    " ", " ", " ", " ", "_", "_", "\n  ", "\n", "\n    ", " '", "' ", "']['", ", ", " => ", ".",
    "/",
];

const ONSETS: [&str; 20] = [
    "b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "pl", "ch",
    "k", "h",
];
const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "e", "a", "io"];
const CODAS: [&str; 10] = ["", "", "r", "n", "s", "t", "l", "ng", "d", "m"];

/// The text of a corpus, file after file. Each file has much in common with those before it.
pub(crate) struct Text {
    random: Random,
    words: Vec<String>,
    written: Vec<u8>,
}

impl Text {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut words: Vec<String> = WORDS.iter().map(|&w| w.to_owned()).collect();
        while words.len() < 6000 {
            let mut word = String::new();
            for _ in 0..1 + random.below(4) {
                for sounds in [&ONSETS[..], &VOWELS, &CODAS] {
                    word += sounds[random.below(sounds.len() as u64) as usize];
                }
            }
            words.push(word);
        }
        Self {
            random,
            words,
            written: Vec::new(),
        }
    }

    /// The text of one file, of exactly so many bytes.
    pub(crate) fn file(&mut self, bytes: usize) -> Vec<u8> {
        let reach = 1 << REACH;
        if self.written.len() > 4 * reach {
            self.written.drain(..self.written.len() - reach);
        }
        let start = self.written.len();
        while self.written.len() < start + bytes {
            match self.random.chance(270) {
                true => self.fresh(),
                false => self.passage(),
            }
        }
        self.written.truncate(start + bytes);
        if let Some(last) = self.written[start..].last_mut() {
            *last = b'\n';
        }
        self.written[start..].to_vec()
    }

    /// A word: the first are the frequent ones.
    fn fresh(&mut self) {
        let random = &mut self.random;
        if random.chance(60) {
            let number = random.doubling(1, 24);
            let text = match random.chance(300) {
                true => format!("{number:x}"),
                false => number.to_string(),
            };
            self.written.extend_from_slice(text.as_bytes());
        } else {
            let count = self.words.len() as u64;
            let rank = random.below(count) * random.below(count) / count;
            let rank = rank * random.below(count) / count;
            self.written
                .extend_from_slice(self.words[rank as usize].as_bytes());
        }
        let between = BETWEEN[random.below(BETWEEN.len() as u64) as usize];
        self.written.extend_from_slice(between.as_bytes());
    }

    /// A copy of what stands further back, from the start of a word on. A copy of twice the length is half
    /// as frequent. What is copied from far away is long: a file that two cookbooks share.
    fn passage(&mut self) {
        let random = &mut self.random;
        let (back, shortest) = match random.chance(40) {
            true => (random.doubling(WINDOW, REACH), 200),
            false => (random.doubling(4, WINDOW), 16),
        };
        let length = (shortest << 16) / (1 + random.below(1 << 16));
        let length = length.min(4000) as usize;
        let Some(from) = self.written.len().checked_sub(back as usize) else {
            return self.fresh();
        };
        let word = self.written[from..]
            .iter()
            .position(|b| !b.is_ascii_alphanumeric());
        let from = from + word.map_or(0, |at| at + 1);
        let to = (from + length).min(self.written.len());
        self.written.extend_from_within(from.min(to)..to);
    }
}
