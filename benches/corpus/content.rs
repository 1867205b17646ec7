//! What a corpus is made of.

use std::io::{self, Read};

use super::random::Noise;

/// A cookbook of a corpus.
pub(crate) struct Cookbook {
    pub(crate) name: String,
    pub(crate) files: Vec<File>,
}

/// A file of a cookbook.
pub(crate) struct File {
    /// Its path in the cookbook.
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
    /// Zeros, made as they are read.
    Zeros { length: u64 },
}

impl Content {
    pub(crate) fn open(&self) -> Box<dyn Read + '_> {
        match self {
            Self::Bytes(bytes) => Box::new(&bytes[..]),
            &Self::Noise { seed, length } => Box::new(Noise::new(seed, length)),
            &Self::Zeros { length } => Box::new(io::repeat(0).take(length)),
        }
    }
}
