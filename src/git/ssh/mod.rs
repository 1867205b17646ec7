//! Repositories through ssh: by the user's own ssh program, as git runs it, so that their
//! configuration, agents, jump hosts, hardware keys and known hosts work as they know it.

mod address;
mod command;
mod failure;

use std::io::{self, BufReader, Read, Write};
use std::process::{ChildStdout, Command};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

pub use address::InvalidSshAddress;
use address::LFS_AUTHENTICATE;
pub(super) use address::SshAddress;
pub(super) use command::SshProgram;
use command::Variant;
pub(super) use failure::told;

use super::program::Program;
use super::said::shown;
use super::transport::Transport;
use super::{GitAccess, GitError};
use crate::event::{CancelToken, Cancelled};
use crate::manifest::GitUrl;

/// How long a program that has closed its output may take to end and say why.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Bytes of an answer about large files that are read.
const LONGEST_ANSWER: u64 = 1 << 20;

/// How long a program may take to tell whether it knows the options of OpenSSH.
const ANSWER: Duration = Duration::from_secs(30);

/// A conversation through an ssh program. It is ended when this is dropped.
pub(super) struct Ssh {
    url: String,
    address: SshAddress,
    program: SshProgram,
    access: GitAccess,
    cancel: CancelToken,
    line: Option<Line>,
}

/// The connected program.
struct Line {
    program: Program,
    requests: Sender<Vec<u8>>,
    answers: Answers,
}

/// What comes back, and whether anything did.
struct Answers {
    stdout: BufReader<ChildStdout>,
    begun: bool,
}

impl Read for Answers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stdout.read(buffer)?;
        self.begun |= length > 0;
        Ok(length)
    }
}

impl Ssh {
    /// A conversation that is yet to begin. `url` is where it goes.
    ///
    /// # Errors
    /// [`GitError::SshAddress`] if any part of the address could be taken for something else.
    pub(super) fn new(
        url: &GitUrl,
        program: SshProgram,
        access: &GitAccess,
        cancel: &CancelToken,
    ) -> Result<Self, GitError> {
        let shown = url.redacted();
        let address = SshAddress::of(url).map_err(|source| GitError::SshAddress {
            url: shown.clone(),
            source,
        })?;
        Ok(Self {
            url: shown,
            address,
            program,
            access: access.clone(),
            cancel: cancel.clone(),
            line: None,
        })
    }

    /// Where it goes.
    pub(super) fn address(&self) -> &SshAddress {
        &self.address
    }

    fn connected(&mut self) -> Result<&mut Line, GitError> {
        if self.line.is_none() {
            self.line = Some(self.connect()?);
        }
        self.line.as_mut().ok_or_else(|| GitError::Protocol {
            url: self.url.clone(),
            reason: "there is no conversation".to_owned(),
        })
    }

    fn connect(&self) -> Result<Line, GitError> {
        let mut program = self.run_there(self.address.command())?;
        let (Some(mut stdin), Some(stdout)) = (program.take_stdin(), program.take_stdout()) else {
            return Err(self.not_run("it has no pipes".to_owned()));
        };
        let (requests, to_send) = mpsc::channel::<Vec<u8>>();
        // A server may answer before it has read all: both would wait for ever on full pipes if the
        // one thread that reads also wrote.
        thread::spawn(move || {
            for request in to_send {
                // Whoever reads the answer finds that there is none, and why.
                if stdin
                    .write_all(&request)
                    .and_then(|()| stdin.flush())
                    .is_err()
                {
                    return;
                }
            }
        });
        Ok(Line {
            program,
            requests,
            answers: Answers {
                stdout: BufReader::new(stdout),
                begun: false,
            },
        })
    }

    /// Has the host run a command.
    fn run_there(&self, there: String) -> Result<Program, GitError> {
        let variant = match self.program.variant() {
            Some(variant) => variant,
            None => self.asked_variant()?,
        };
        if variant == Variant::Simple && self.address.port().is_some() {
            return Err(GitError::SshPort {
                url: self.url.clone(),
                program: self.program.name(),
            });
        }
        let there = (&self.address, there);
        let command = &mut self.program.connection(variant, &self.access, there);
        self.start(command)
    }

    /// What the host says of the repository's large files: the JSON that `git-lfs-authenticate`
    /// prints. None if the host does not know the command.
    pub(super) fn large_files(&self) -> Result<Option<Vec<u8>>, GitError> {
        let mut program = self.run_there(self.address.lfs_command())?;
        drop(program.take_stdin());
        let mut said = Vec::new();
        if let Some(stdout) = program.take_stdout() {
            // One that breaks off is told by how the program ends.
            let _ = stdout.take(LONGEST_ANSWER).read_to_end(&mut said);
        }
        let (status, complaint) = program.finish(LAST_WORDS);
        self.cancel.check()?;
        if status.is_some_and(|status| status.success()) {
            return Ok(Some(said));
        }
        let is_about_it = String::from_utf8_lossy(&complaint).contains(LFS_AUTHENTICATE);
        match told(&complaint, false, &self.url, Some(&self.address)) {
            Some(GitError::NotServed { .. }) if is_about_it => Ok(None),
            Some(error) => Err(error),
            None => Ok(None),
        }
    }

    /// Asks a program with a name of its own whether it knows OpenSSH's options, as git does.
    fn asked_variant(&self) -> Result<Variant, GitError> {
        let question = &mut self.program.question(&self.access, &self.address);
        let mut program = self.start(question)?;
        drop(program.take_stdin());
        if let Some(mut stdout) = program.take_stdout() {
            thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
        }
        let (status, _) = program.finish(ANSWER);
        self.cancel.check()?;
        match status {
            Some(status) if status.success() => Ok(Variant::Ssh),
            _ => Ok(Variant::Simple),
        }
    }

    fn start(&self, command: &mut Command) -> Result<Program, GitError> {
        self.cancel.check()?;
        Program::start(command, &self.cancel, |_| {}).map_err(|e| self.not_run(e.to_string()))
    }

    fn not_run(&self, reason: String) -> GitError {
        GitError::NoProgram {
            url: self.url.clone(),
            program: self.program.name(),
            reason,
        }
    }
}

impl Transport for Ssh {
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, GitError> {
        Ok(Box::new(&mut self.connected()?.answers))
    }

    fn request(&mut self, body: &[u8]) -> Result<Box<dyn Read + '_>, GitError> {
        let line = self.connected()?;
        // If nobody takes it any more the program has ended, and reading the answer tells.
        let _ = line.requests.send(body.to_vec());
        Ok(Box::new(&mut line.answers))
    }

    fn is_stateless(&self) -> bool {
        false
    }

    fn failure(&mut self, read: io::Error) -> GitError {
        let Some(mut line) = self.line.take() else {
            return GitError::Connection {
                url: self.url.clone(),
                reason: read.to_string(),
            };
        };
        // The end of its input lets a program end that still waits for a request.
        drop(line.requests);
        let answered = line.answers.begun;
        let (status, said) = line.program.finish(LAST_WORDS);
        if self.cancel.is_cancelled() {
            return GitError::Cancelled(Cancelled);
        }
        let url = self.url.clone();
        if let Some(error) = told(&said, answered, &url, Some(&self.address)) {
            return error;
        }
        let message = shown(&said);
        let code = status.and_then(|status| status.code());
        match code {
            // What a shell says of a command that is not there (POSIX, XCU 2.8.2).
            Some(126 | 127) if !answered => self.not_run(message),
            _ if !message.is_empty() => GitError::Connection {
                url,
                reason: message,
            },
            Some(code) if code != 0 => GitError::Connection {
                url,
                reason: format!("`{}` ended with status {code}", self.program.name()),
            },
            _ => GitError::Connection {
                url,
                reason: read.to_string(),
            },
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
