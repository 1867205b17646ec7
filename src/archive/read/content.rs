//! The content of one file, between the reader that it comes from and the visitor who may take it.

use std::io::{self, Read};

use super::{ReadError, ReadFile, Visitor};
use crate::event::CancelToken;
use crate::path::ArchivePath;

/// How much of a content is read at once where nobody takes it.
const PIECE: usize = 64 << 10;

/// What gives the bytes of one content; nothing at its end.
pub(super) trait Pull {
    /// Reads what there is, up to the length of `into`; 0 at the end, or where `into` is empty.
    fn pull(&mut self, into: &mut [u8]) -> Result<usize, ReadError>;
}

/// The visitor, and what it takes to pass over what it leaves.
pub(super) struct Visit<'a> {
    visitor: &'a mut dyn Visitor,
    cancel: &'a CancelToken,
    piece: Vec<u8>,
}

impl<'a> Visit<'a> {
    pub(super) fn new(visitor: &'a mut dyn Visitor, cancel: &'a CancelToken) -> Self {
        Self {
            visitor,
            cancel,
            piece: vec![0; PIECE],
        }
    }

    /// Gives the visitor a content, and reads the rest of it.
    pub(super) fn content(
        &mut self,
        path: &ArchivePath,
        content: &mut dyn Pull,
    ) -> Result<(), ReadError> {
        let mut shown = Shown {
            content,
            cancel: self.cancel,
            failed: None,
        };
        let taken = self.visitor.content(path, &mut shown);
        // What the archive failed with is told, not what a visitor made of it.
        if let Some(error) = shown.failed {
            return Err(error);
        }
        taken.map_err(ReadError::Visitor)?;
        loop {
            self.cancel.check()?;
            if content.pull(&mut self.piece)? == 0 {
                return Ok(());
            }
        }
    }

    pub(super) fn file(&mut self, file: &ReadFile<'_>) -> Result<(), ReadError> {
        self.cancel.check()?;
        self.visitor.file(file).map_err(ReadError::Visitor)
    }
}

/// A content as a visitor reads it.
struct Shown<'a> {
    content: &'a mut dyn Pull,
    cancel: &'a CancelToken,
    failed: Option<ReadError>,
}

impl Read for Shown<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.failed.is_some() {
            return Err(io::Error::other("the archive cannot be read any further"));
        }
        let checked = self.cancel.check().map_err(ReadError::from);
        checked
            .and_then(|()| self.content.pull(into))
            .map_err(|error| {
                let shown = io::Error::other(error.to_string());
                self.failed = Some(error);
                shown
            })
    }
}
