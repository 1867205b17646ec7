//! What an operation tells while it works, and how it is told to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Diagnostic;

/// Something that happened. New kinds may be added; ignore those you do not know. Several things are
/// fetched at once, be they repositories, universes or tarballs: the events of each have its URL. Those
/// of the files that git LFS keeps for a repository have ` (LFS)` behind it, and each file is an object.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A repository, a universe or a tarball is about to be fetched. Several may be under way at once.
    FetchStarted {
        /// Its URL without credentials.
        url: &'a str,
    },
    /// More of it has come.
    FetchProgress {
        /// Its URL without credentials.
        url: &'a str,
        /// Objects received.
        objects: usize,
        /// Objects there are; 0 as long as that is not known.
        total: usize,
        /// Bytes received.
        bytes: u64,
    },
    /// It has been fetched.
    FetchFinished {
        /// Its URL without credentials.
        url: &'a str,
        /// Objects received; 0 where files were copied or downloaded.
        objects: usize,
        /// Bytes received, or copied.
        bytes: u64,
    },
    /// Another process is at work on something that is needed here.
    Waiting {
        /// What is waited for.
        what: &'a str,
    },
    /// The other process is done with it.
    WaitFinished {
        /// What was waited for.
        what: &'a str,
    },
    /// Something that the store keeps is about to be checked.
    Verifying {
        /// Its address, or its name.
        name: &'a str,
    },
    /// Where a cookbook comes from is said by a dependency's own manifest, and followed.
    SourceAdopted {
        /// The cookbook.
        name: &'a str,
        /// Where it comes from.
        source: &'a str,
        /// The cookbook whose manifest says so.
        by: &'a str,
    },
    /// A cookbook's files have been read and digested.
    CookbookRead {
        /// Its name in the manifest.
        name: &'a str,
    },
    /// More of an archive or a folder has been written.
    WriteProgress {
        /// Bytes of content written.
        bytes: u64,
        /// Bytes of content there are.
        total: u64,
    },
    /// Something that does not stop the work but that a person should know.
    Warning(&'a Diagnostic),
}

/// Takes the events of an operation. They come from the thread that runs it.
pub trait Reporter {
    /// Takes one event.
    fn report(&self, event: &Event<'_>);
}

/// A reporter for whom nothing is worth telling.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _event: &Event<'_>) {}
}

/// Asks an operation to stop. Clones share one state, so that any thread may ask.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks; the operation ends with [`Cancelled`] at its next safe point.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error if somebody asked.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            return Err(Cancelled);
        }
        Ok(())
    }
}

/// The operation was asked to stop, and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped on request")
    }
}

impl std::error::Error for Cancelled {}
