//! Threads that compress. What is given out in order comes back in that order, whatever the number of
//! threads is, so that none of it shows in a result.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::deflate::Encoder;
use super::tools::{LentEncoder, Tools};

/// Work for one thread, with that thread's encoder.
type Task<'env, R> = Box<dyn FnOnce(&mut Encoder) -> R + Send + 'env>;

/// How many times a thread that has nothing to do looks for a task before it sleeps. Some 0.1 ms: where
/// segments are joined that were kept, the next one comes sooner, and waking a thread takes as long as to read
/// one.
const LOOKS: usize = 200;

/// Gives tasks out, and takes their results in the order of the tasks.
pub(super) struct Pool<'env, R> {
    workers: Workers<'env, R>,
    pending: VecDeque<Receiver<R>>,
    /// How many tasks may be under way at a time: memory is bounded by it.
    room: usize,
}

enum Workers<'env, R> {
    /// The caller's own thread does everything.
    Caller(LentEncoder),
    Threads(Tasks<'env, R>),
}

/// Tasks that no thread has taken yet. When it is dropped, the threads end.
struct Tasks<'env, R>(Arc<Queue<'env, R>>);

struct Queue<'env, R> {
    waiting: Mutex<Waiting<'env, R>>,
    /// There is a task more, or there will be none.
    changed: Condvar,
}

struct Waiting<'env, R> {
    tasks: VecDeque<(Task<'env, R>, Sender<R>)>,
    /// Threads that sleep.
    asleep: usize,
    is_over: bool,
}

impl<'env, R> Queue<'env, R> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<'env, R>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next task. None if there will be none.
    fn next(&self) -> Option<(Task<'env, R>, Sender<R>)> {
        for _ in 0..LOOKS {
            // Who holds it may be about to give out a task.
            if let Ok(mut waiting) = self.waiting.try_lock()
                && let Some(task) = waiting.tasks.pop_front()
            {
                return Some(task);
            }
            thread::yield_now();
        }
        let mut waiting = self.waiting();
        loop {
            if let Some(task) = waiting.tasks.pop_front() {
                return Some(task);
            }
            if waiting.is_over {
                return None;
            }
            waiting.asleep += 1;
            let woken = self.changed.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
            waiting.asleep -= 1;
        }
    }
}

impl<R> Drop for Tasks<'_, R> {
    fn drop(&mut self) {
        self.0.waiting().is_over = true;
        self.0.changed.notify_all();
    }
}

/// Runs `work` with a pool of so many threads, each with one of these encoders; one thread is the caller's
/// own.
pub(super) fn with_pool<'env, R: Send + 'env, T>(
    jobs: NonZeroUsize,
    tools: &Tools,
    work: impl FnOnce(&mut Pool<'env, R>) -> T,
) -> T {
    if jobs.get() == 1 {
        return work(&mut Pool {
            workers: Workers::Caller(tools.encoder()),
            pending: VecDeque::new(),
            room: 1,
        });
    }
    let queue = Arc::new(Queue {
        waiting: Mutex::new(Waiting {
            tasks: VecDeque::new(),
            asleep: 0,
            is_over: false,
        }),
        changed: Condvar::new(),
    });
    thread::scope(|scope| {
        for _ in 0..jobs.get() {
            scope.spawn(|| {
                let mut encoder = tools.encoder();
                while let Some((task, result)) = queue.next() {
                    // Nobody waits for it once the caller has failed.
                    drop(result.send(task(&mut encoder)));
                }
            });
        }
        work(&mut Pool {
            workers: Workers::Threads(Tasks(Arc::clone(&queue))),
            pending: VecDeque::new(),
            // One for each thread, and some to go on with while the caller does something else.
            room: 2 * jobs.get(),
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
            Workers::Threads(Tasks(queue)) => {
                let mut waiting = queue.waiting();
                waiting.tasks.push_back((Box::new(task), sender));
                let is_one_asleep = waiting.asleep > 0;
                drop(waiting);
                if is_one_asleep {
                    queue.changed.notify_one();
                }
            }
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
            let found = with_pool(jobs, &Tools::default(), |pool| {
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
        let first = with_pool(jobs, &Tools::default(), |pool| {
            (0..4).for_each(|task| pool.submit(move |_| task));
            pool.next()
        });
        assert_eq!(first, Some(0));
    }
}
