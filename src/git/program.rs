//! A program that runs beside this one: `ssh` or `git`. It never outlives whoever waits for it, and
//! what it says on its standard error is kept for a message.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module waits, and a wait has an end"
)]

use std::collections::VecDeque;
use std::io::{self, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::event::CancelToken;

/// How much of a program's standard error is kept: its end.
const KEPT: usize = 8 * 1024;

/// How often it is looked whether the caller asked to stop, or the program has ended.
const GLANCE: Duration = Duration::from_millis(20);

/// How long a program that was asked to end may clean up after itself before it is killed.
#[cfg(unix)]
const GRACE: Duration = Duration::from_secs(2);

/// A running program, with its own process group where there are such, so that what it started ends
/// with it. It is killed and reaped when this is dropped, and soon after the caller cancels.
pub(super) struct Program {
    running: Arc<Running>,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    said: Arc<Mutex<VecDeque<u8>>>,
    said_all: Receiver<()>,
    /// Dropped when this is: the watcher then ends.
    _watched: Sender<()>,
}

struct Running {
    child: Mutex<Child>,
}

impl Program {
    /// Starts a program with pipes for all three of its streams. `heard` is called with each piece of
    /// its standard error as it comes, on a thread of its own.
    pub(super) fn start(
        command: &mut Command,
        cancel: &CancelToken,
        mut heard: impl FnMut(&[u8]) + Send + 'static,
    ) -> io::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stderr = child.stderr.take();
        let running = Arc::new(Running {
            child: Mutex::new(child),
        });
        let said = Arc::new(Mutex::new(VecDeque::new()));
        let (ended, said_all) = mpsc::channel();
        let kept = Arc::clone(&said);
        // A program that cannot get rid of what it says would wait for ever.
        thread::spawn(move || {
            if let Some(mut stderr) = stderr {
                keep_the_end(&mut stderr, &kept, &mut heard);
            }
            drop(ended);
        });
        let (watched, unwatched) = mpsc::channel::<()>();
        let (seen, cancel) = (Arc::clone(&running), cancel.clone());
        thread::spawn(move || {
            while unwatched.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                if cancel.is_cancelled() {
                    seen.end();
                    return;
                }
            }
        });
        Ok(Self {
            running,
            stdin,
            stdout,
            said,
            said_all,
            _watched: watched,
        })
    }

    /// What it reads. Dropping it is the end of its input.
    pub(super) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// What it writes.
    pub(super) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// How it ended, and the end of what it said on its standard error. One that does not end within
    /// `patience` is ended; then there may be no status.
    pub(super) fn finish(&mut self, patience: Duration) -> (Option<ExitStatus>, Vec<u8>) {
        drop(self.stdin.take());
        let status = match self.running.wait(patience) {
            Some(status) => Some(status),
            None => {
                self.running.end();
                None
            }
        };
        // ssh may leave a process that shares connections behind (`ControlPersist`), and with it an
        // open standard error: its end is not waited for long.
        let _ = self.said_all.recv_timeout(Duration::from_millis(500));
        let said = lock(&self.said).iter().copied().collect();
        (status, said)
    }

    /// Whether it has ended by now, and how.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.running.status()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.stdout.take());
        self.running.end();
    }
}

impl Running {
    fn status(&self) -> Option<ExitStatus> {
        lock(&self.child).try_wait().ok().flatten()
    }

    fn wait(&self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.status() {
                return Some(status);
            }
            if Instant::now() >= end {
                return None;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(GLANCE);
        }
    }

    /// Asks the program and all that it started to end, then makes them. `git` removes its temporary
    /// files when it is asked.
    fn end(&self) {
        if self.status().is_some() {
            return;
        }
        #[cfg(unix)]
        {
            self.signal(rustix::process::Signal::TERM);
            if self.wait(GRACE).is_some() {
                return;
            }
            self.signal(rustix::process::Signal::KILL);
        }
        let mut child = lock(&self.child);
        // It may have ended just now, which is all that is wanted.
        let _ = child.kill();
        let _ = child.wait();
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let mut child = lock(&self.child);
        // Once the child is reaped its id may be another's. As long as the lock is held it is not.
        if matches!(child.try_wait(), Ok(None)) {
            let group = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }
}

fn keep_the_end(stderr: &mut impl Read, kept: &Mutex<VecDeque<u8>>, heard: &mut impl FnMut(&[u8])) {
    let mut piece = [0; 4096];
    loop {
        match stderr.read(&mut piece) {
            Ok(0) => return,
            Ok(length) => {
                let piece = &piece[..length];
                heard(piece);
                let mut kept = lock(kept);
                kept.extend(piece);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// A thread that panicked while it held the lock left nothing half done here.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Write;

    fn sh(script: &str, cancel: &CancelToken) -> Program {
        let mut command = Command::new("/bin/sh");
        Program::start(command.args(["-c", script]), cancel, |_| {}).unwrap()
    }

    #[test]
    fn the_end_of_what_it_says_is_kept() {
        let script = "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 3";
        let (status, said) = sh(script, &CancelToken::default()).finish(Duration::from_secs(60));
        assert_eq!(status.unwrap().code(), Some(3));
        assert_eq!(said.len(), KEPT);
        assert!(said.ends_with(b"line 2998\nline 2999\n"));
    }

    #[test]
    fn a_read_that_waits_ends_when_the_caller_cancels() {
        let cancel = CancelToken::default();
        // What the program started holds the pipe too, and is ended with it.
        let mut program = sh("sleep 600 & sleep 600", &cancel);
        let mut stdout = program.take_stdout().unwrap();
        let asking = cancel.clone();
        let begun = Instant::now();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            asking.cancel();
        });
        assert_eq!(stdout.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(program.finish(Duration::from_secs(60)).0.is_some());
    }

    #[test]
    fn one_that_does_not_want_to_end_is_killed_when_it_is_dropped() {
        let mut program = sh(
            "trap '' TERM; echo on; while :; do sleep 1; done",
            &CancelToken::default(),
        );
        let mut stdout = program.take_stdout().unwrap();
        stdout.read_exact(&mut [0; 3]).unwrap();
        drop(program);
        // The pipe's other end is closed only when all that held it are gone.
        assert_eq!(stdout.read_to_end(&mut Vec::new()).unwrap(), 0);
    }

    #[test]
    fn one_that_never_ends_is_not_waited_for_longer_than_is_said() {
        let mut program = sh("exec sleep 600", &CancelToken::default());
        let begun = Instant::now();
        let (status, _) = program.finish(Duration::from_millis(50));
        assert_eq!(status, None);
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(program.status().is_some());
    }

    #[test]
    fn it_reads_until_its_input_ends() {
        let mut program = sh("exec cat", &CancelToken::default());
        let mut stdout = program.take_stdout().unwrap();
        program.take_stdin().unwrap().write_all(b"all").unwrap();
        let mut read = String::new();
        stdout.read_to_string(&mut read).unwrap();
        assert_eq!(read, "all");
        assert!(program.finish(Duration::from_secs(60)).0.unwrap().success());
    }
}
