//! The content digests of a layout and of its runs, from which the keys of segments come. Where there may
//! be several threads they are taken on one of their own, ahead of the writer, which has enough to do.

use std::sync::mpsc::{Receiver, Sender};

use super::segment::{Run, runs};
use crate::digest::{ContentDigest, ContentHasher};
use crate::layout::Layout;
use crate::tree::TreeError;

/// The content digests of runs, in their order.
pub(super) enum Contents {
    /// They are taken when they are asked for.
    Here,
    /// They come from [`digest`].
    There(Receiver<ContentDigest>),
}

impl Contents {
    /// The digest of the next run, which is this one.
    pub(super) fn next(&self, run: &Run<'_>) -> ContentDigest {
        let told = match self {
            Self::Here => None,
            Self::There(digests) => digests.recv().ok(),
        };
        told.unwrap_or_else(|| {
            let mut hasher = ContentHasher::default();
            for entry in run.entries.iter() {
                hasher.entry(&entry.path().parts(), entry.executable(), entry.digest());
            }
            hasher.finish()
        })
    }
}

/// The content digest of a layout. Those of its runs are told on the way.
pub(super) fn digest(
    layout: &Layout,
    runs_digests: &Sender<ContentDigest>,
) -> Result<ContentDigest, TreeError> {
    let mut all = ContentHasher::default();
    for run in runs(layout) {
        let run = run?;
        let mut own = ContentHasher::default();
        for entry in run.entries.iter() {
            let path = entry.path().parts();
            all.entry_of_both(&mut own, &path, entry.executable(), entry.digest());
        }
        // Nobody asks for them where nothing is kept.
        let _ = runs_digests.send(own.finish());
    }
    Ok(all.finish())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::tests::{cookbooks, layout};
    use super::*;

    #[test]
    fn digests_are_the_same_on_any_thread() {
        let (layout, _) = layout(&cookbooks());
        let (sender, receiver) = mpsc::channel();
        let wanted = layout.content_digest().expect("a digest");
        assert_eq!(digest(&layout, &sender).expect("a digest"), wanted);
        drop(sender);
        let there = Contents::There(receiver);
        for run in runs(&layout) {
            let run = run.expect("a run");
            let files = run.entries.iter();
            let files: Vec<_> = files
                .map(|entry| (entry, entry.path().to_string()))
                .collect();
            let wanted = files
                .iter()
                .map(|(entry, path)| (&**path, entry.executable(), entry.digest()));
            let wanted = ContentDigest::of(wanted);
            assert_eq!(there.next(&run), wanted, "{}", run.folder);
            assert_eq!(Contents::Here.next(&run), wanted);
        }
        // A thread that ended tells nothing more.
        let run = runs(&layout).next().expect("a run").expect("a run");
        assert_eq!(there.next(&run), Contents::Here.next(&run));
    }
}
