//! Threads that compress. What is given out in order comes back in that order, whatever the number of
//! threads is, so that none of it shows in a result.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::deflate::Encoder;

/// Work for one thread, with that thread's encoder.
type Task<'env, R> = Box<dyn FnOnce(&mut Encoder) -> R + Send + 'env>;

/// Gives tasks out, and takes their results in the order of the tasks.
pub(super) struct Pool<'env, R> {
    workers: Workers<'env, R>,
    pending: VecDeque<Receiver<R>>,
    /// How many tasks may be under way at a time: memory is bounded by it.
    room: usize,
}

enum Workers<'env, R> {
    /// The caller's own thread does everything.
    Caller(Box<Encoder>),
    Threads(Sender<(Task<'env, R>, Sender<R>)>),
}

/// Runs `work` with a pool of so many threads; one is the caller's own.
pub(super) fn with_pool<'env, R: Send + 'env, T>(
    jobs: NonZeroUsize,
    work: impl FnOnce(&mut Pool<'env, R>) -> T,
) -> T {
    if jobs.get() == 1 {
        return work(&mut Pool {
            workers: Workers::Caller(Box::default()),
            pending: VecDeque::new(),
            room: 1,
        });
    }
    let (tasks, queue) = mpsc::channel::<(Task<'env, R>, Sender<R>)>();
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        for _ in 0..jobs.get() {
            scope.spawn(|| {
                let mut encoder = Encoder::default();
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((task, result)) = next else { break };
                    // Nobody waits for it once the caller has failed.
                    drop(result.send(task(&mut encoder)));
                }
            });
        }
        work(&mut Pool {
            workers: Workers::Threads(tasks),
            pending: VecDeque::new(),
            // One for each thread, and some to go on with while the caller does something else.
            room: 4 * jobs.get(),
        })
    })
}

impl<'env, R: Send + 'env> Pool<'env, R> {
    /// Whether a result must be taken before the next task is given.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= self.room
    }

    /// Gives out a task. There is room for it.
    pub(super) fn submit(&mut self, task: impl FnOnce(&mut Encoder) -> R + Send + 'env) {
        let (sender, receiver) = mpsc::channel();
        match &mut self.workers {
            Workers::Caller(encoder) => drop(sender.send(task(encoder))),
            // They live as long as the pool does.
            Workers::Threads(tasks) => drop(tasks.send((Box::new(task), sender))),
        }
        self.pending.push_back(receiver);
    }

    /// The result of the oldest task whose result was not taken yet; waits for it. `None` if there is no
    /// such task, or if it panicked, which will go on in the caller once the pool ends.
    pub(super) fn next(&mut self) -> Option<R> {
        self.pending.pop_front()?.recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_tasks() {
        for jobs in [1, 2, 7] {
            let jobs = NonZeroUsize::new(jobs).expect("a number");
            let found = with_pool(jobs, |pool| {
                let mut found = Vec::new();
                for task in 0..200_u32 {
                    if pool.is_full() {
                        found.extend(pool.next());
                    }
                    pool.submit(move |_| {
                        // The first ones take the longest.
                        (0..(200 - task) * 100).fold(task, |a, b| std::hint::black_box(a ^ b ^ b))
                    });
                }
                while let Some(result) = pool.next() {
                    found.push(result);
                }
                found
            });
            assert_eq!(found, (0..200).collect::<Vec<_>>(), "{jobs}");
        }
    }

    #[test]
    fn what_is_left_when_the_caller_gives_up_is_dropped() {
        let jobs = NonZeroUsize::new(2).expect("a number");
        let first = with_pool(jobs, |pool| {
            (0..4).for_each(|task| pool.submit(move |_| task));
            pool.next()
        });
        assert_eq!(first, Some(0));
    }
}
