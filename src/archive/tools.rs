//! What compressing works with, used again from one piece of work to the next, on any thread: while
//! cookbooks are read, and when the archive is written.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::buffers::Buffers;
use super::deflate::Encoder;

/// Encoders and buffers that nobody uses right now. None of it shows in a result.
#[derive(Clone, Default)]
pub(crate) struct Tools {
    buffers: Buffers,
    encoders: Arc<Mutex<Vec<Encoder>>>,
}

/// An encoder that is given back when it is dropped.
pub(super) struct LentEncoder {
    encoder: Encoder,
    tools: Tools,
}

impl Tools {
    /// Memory for blocks.
    pub(super) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    /// An encoder for one thread.
    pub(super) fn encoder(&self) -> LentEncoder {
        let idle = self.idle().pop();
        LentEncoder {
            encoder: idle.unwrap_or_default(),
            tools: self.clone(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Encoder>> {
        self.encoders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for LentEncoder {
    type Target = Encoder;

    fn deref(&self) -> &Encoder {
        &self.encoder
    }
}

impl DerefMut for LentEncoder {
    fn deref_mut(&mut self) -> &mut Encoder {
        &mut self.encoder
    }
}

impl Drop for LentEncoder {
    fn drop(&mut self) {
        let encoder = std::mem::take(&mut self.encoder);
        self.tools.idle().push(encoder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_encoders_are_made_than_are_used_at_a_time() {
        let tools = Tools::default();
        let (first, second) = (tools.encoder(), tools.clone().encoder());
        drop((first, second));
        assert_eq!(tools.idle().len(), 2);
        let third = tools.encoder();
        assert_eq!(tools.idle().len(), 1);
        drop(third);
        assert_eq!(tools.idle().len(), 2);
    }
}
