//! The metadata.json that is packed where a cookbook has none of its own. It may hold a whole README, so
//! that it is set aside as lists of files are.

use std::fmt;
use std::io::{Cursor, Read};
use std::sync::Arc;

use super::spill::{Spill, Spilled};
use crate::digest::Digest;
use crate::tree::TreeError;

/// The text of a metadata.json that was compiled. A clone is the same.
#[derive(Clone)]
pub struct CompiledMetadata {
    size: u64,
    digest: Digest,
    kept: Kept,
}

#[derive(Clone)]
enum Kept {
    Here(Arc<str>),
    Aside(Spilled),
}

impl CompiledMetadata {
    /// Bytes of the text.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of the text.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The text, if it is in memory.
    pub(super) fn held(&self) -> Option<&[u8]> {
        match &self.kept {
            Kept::Here(text) => Some(text.as_bytes()),
            Kept::Aside(_) => None,
        }
    }

    /// Opens the text for reading.
    pub(super) fn open(&self) -> Result<Box<dyn Read + '_>, TreeError> {
        Ok(match &self.kept {
            Kept::Here(text) => Box::new(text.as_bytes()),
            Kept::Aside(spilled) => Box::new(Cursor::new(spilled.read()?)),
        })
    }

    /// Has it set aside, if there is no memory for it. It stays where it is, if that fails.
    pub(crate) fn spill(&mut self, spill: &Spill) {
        if let Kept::Here(text) = &self.kept
            && !spill.take_memory(text.len())
            && let Some(spilled) = spill.put(text.as_bytes())
        {
            self.kept = Kept::Aside(spilled);
        }
    }
}

impl From<String> for CompiledMetadata {
    fn from(text: String) -> Self {
        Self {
            size: text.len() as u64,
            digest: Digest::of(&text),
            kept: Kept::Here(text.into()),
        }
    }
}

impl fmt::Debug for CompiledMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kept {
            Kept::Here(text) => text.fmt(f),
            Kept::Aside(_) => write!(f, "{} bytes, set aside", self.size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::spill::tests::Memory;

    fn text(metadata: &CompiledMetadata) -> Result<String, TreeError> {
        let mut text = String::new();
        let mut reader = metadata.open()?;
        reader.read_to_string(&mut text).expect("a text");
        Ok(text)
    }

    #[test]
    fn a_text_is_the_same_wherever_it_is() {
        let memory = Arc::new(Memory::default());
        let spill = Spill::new(Memory::shared(&memory), 5);
        for (json, is_held) in [("{\"a\":1}", false), ("{}", true)] {
            let mut metadata = CompiledMetadata::from(json.to_owned());
            metadata.spill(&spill);
            assert_eq!(metadata.held(), is_held.then_some(json.as_bytes()));
            assert_eq!(text(&metadata).expect("a text"), json);
            assert_eq!(metadata.size(), json.len() as u64);
            assert_eq!(metadata.digest(), Digest::of(json));
        }
        memory.bytes.lock().expect("bytes").clear();
        let mut metadata = CompiledMetadata::from("a longer one".to_owned());
        metadata.spill(&spill);
        memory.bytes.lock().expect("bytes").clear();
        assert!(matches!(text(&metadata), Err(TreeError::SetAside(_))));
    }

    #[test]
    fn a_text_that_cannot_be_set_aside_stays_in_memory() {
        let full = Memory {
            is_full: true,
            ..Memory::default()
        };
        let mut metadata = CompiledMetadata::from("{}".to_owned());
        metadata.spill(&Spill::new(Arc::new(full), 0));
        assert_eq!(metadata.held(), Some(&b"{}"[..]));
    }
}
