//! Brings the events of threads to the thread whose reporter they are for.

use std::sync::mpsc::Sender;

use crate::error::Diagnostic;
use crate::event::{Event, Reporter};

/// An event that owns what it tells.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Started(String),
    Progress {
        url: String,
        objects: usize,
        total: usize,
        bytes: u64,
    },
    Finished {
        url: String,
        objects: usize,
        bytes: u64,
    },
    Waiting(String),
    Warning(Diagnostic),
}

impl Told {
    /// Tells it.
    pub(super) fn report(&self, reporter: &dyn Reporter) {
        reporter.report(&match self {
            Self::Started(url) => Event::FetchStarted { url },
            Self::Progress {
                url,
                objects,
                total,
                bytes,
            } => Event::FetchProgress {
                url,
                objects: *objects,
                total: *total,
                bytes: *bytes,
            },
            Self::Finished {
                url,
                objects,
                bytes,
            } => Event::FetchFinished {
                url,
                objects: *objects,
                bytes: *bytes,
            },
            Self::Waiting(what) => Event::Waiting { what },
            Self::Warning(warning) => Event::Warning(warning),
        });
    }
}

/// A thread's reporter.
pub(super) struct Funnel(pub(super) Sender<Told>);

impl Reporter for Funnel {
    fn report(&self, event: &Event<'_>) {
        let told = match event {
            Event::FetchStarted { url } => Told::Started((*url).to_owned()),
            Event::FetchProgress {
                url,
                objects,
                total,
                bytes,
            } => Told::Progress {
                url: (*url).to_owned(),
                objects: *objects,
                total: *total,
                bytes: *bytes,
            },
            Event::FetchFinished {
                url,
                objects,
                bytes,
            } => Told::Finished {
                url: (*url).to_owned(),
                objects: *objects,
                bytes: *bytes,
            },
            Event::Waiting { what } => Told::Waiting((*what).to_owned()),
            Event::Warning(warning) => Told::Warning((*warning).clone()),
            // A fetch tells of nothing else.
            _ => return,
        };
        // Nobody listens any more once the operation has failed.
        let _ = self.0.send(told);
    }
}
