//! Work on a thread of its own, for the sake of memory.

use std::thread;

/// Does some work on a thread, and waits for it. Cookbooks are read on threads, and much of what that took
/// is free again. An allocator that has a part for each thread, as glibc's, gives it to another thread, but
/// not to the first one, which would take as much from the system. What a first thread took it is left with.
pub(super) fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
