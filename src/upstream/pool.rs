//! Several things at once: a bounded number of threads, whose events are told by the caller's own.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};

use crate::event::{Event, Reporter};

/// An event that owns what it tells.
pub(crate) enum Told {
    Started(String),
    Progress(String, u64),
    Finished(String, u64),
}

impl Told {
    pub(crate) fn report(&self, reporter: &dyn Reporter) {
        reporter.report(&match self {
            Self::Started(url) => Event::FetchStarted { url },
            Self::Progress(url, bytes) => Event::FetchProgress {
                url,
                objects: 0,
                total: 0,
                bytes: *bytes,
            },
            Self::Finished(url, bytes) => Event::FetchFinished {
                url,
                objects: 0,
                bytes: *bytes,
            },
        });
    }
}

/// Does some work for each of several things, on so many threads. The results are in the order of the
/// things.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    things: &[T],
    jobs: NonZero<usize>,
    reporter: &dyn Reporter,
    work: impl Fn(&T, &dyn Fn(Told)) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = things.iter().map(|_| Mutex::new(None)).collect();
    let (sender, told) = channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(things.len()) {
            let sender = sender.clone();
            let (next, results, work) = (&next, &results, &work);
            scope.spawn(move || {
                // Nobody hears it any more once the caller is gone.
                let tell = |event| drop(sender.send(event));
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(thing) = things.get(at) else {
                        return;
                    };
                    let result = work(thing, &tell);
                    *results[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            });
        }
        drop(sender);
        for event in told {
            event.report(reporter);
        }
    });
    let results = results.into_iter();
    results
        .filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Silent;

    #[test]
    fn results_are_in_order_and_no_more_threads_than_allowed() {
        let things: Vec<u64> = (0..20).collect();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let jobs = NonZero::new(3).expect("a number");
        let doubled = in_parallel(&things, jobs, &Silent, |thing, _| {
            let running = 1 + now.fetch_add(1, Ordering::SeqCst);
            most.fetch_max(running, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20 - thing));
            now.fetch_sub(1, Ordering::SeqCst);
            thing * 2
        });
        let wanted: Vec<u64> = (0..20).map(|thing| thing * 2).collect();
        assert_eq!(doubled, wanted);
        assert_eq!(most.load(Ordering::SeqCst), 3);
        assert!(in_parallel(&[0; 0], jobs, &Silent, |thing, _| *thing).is_empty());
    }
}
