//! Repositories by the user's own `git` program, for those that this library cannot reach: with git's
//! own protocols, configuration and credential helpers. The mirror stays one without references.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module runs git where the user asks for it"
)]

mod output;
mod surroundings;

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use git2::{ObjectType, Oid, Repository};

use self::output::{Asked, ProgressLines};
use self::surroundings::Address;
use super::program::Program;
use super::ssh::{SshAddress, SshProgram};
use super::transport::{Progress, Remote, RemoteRefs, Wants};
use super::{GitAccess, GitError};
use crate::event::{CancelToken, Cancelled};
use crate::manifest::{GitUrl, GitUrlForm};

/// How often a fetch that stands still is asked whether to go on.
const TICK: Duration = Duration::from_millis(100);

/// How long git may take to end when it has written all: it is never stopped for this in earnest.
const END: Duration = Duration::from_secs(600);

/// The most bytes that a list of references may have: a million of them fit.
const MAX_LIST: u64 = 256 << 20;

/// The most patterns that are put on a command line. With more, all references are listed.
const MAX_PATTERNS: usize = 500;

/// How many commits git tells the server of as already there.
const MAX_TIPS: usize = 256;

/// A remote repository that the `git` program asks.
pub(super) struct Executable {
    url: String,
    address: Address,
    ssh_address: Option<SshAddress>,
    ssh: SshProgram,
    access: GitAccess,
    cancel: CancelToken,
}

impl Executable {
    /// `url` is the address before any `insteadOf`, which git follows itself; a folder is absolute.
    ///
    /// # Errors
    /// [`GitError::SshAddress`] if it could be taken for something else, [`GitError::Executable`] if it
    /// has secrets that cannot be kept off a command line.
    pub(super) fn new(
        url: &GitUrl,
        ssh: SshProgram,
        access: &GitAccess,
        cancel: &CancelToken,
    ) -> Result<Self, GitError> {
        let shown = url.redacted();
        let ssh_address = match url.form() {
            GitUrlForm::Ssh => {
                Some(SshAddress::of(url).map_err(|source| GitError::SshAddress {
                    url: shown.clone(),
                    source,
                })?)
            }
            _ => None,
        };
        let address = Address::of(url).map_err(|message| GitError::Executable {
            url: shown.clone(),
            message: message.to_owned(),
        })?;
        Ok(Self {
            url: shown,
            address,
            ssh_address,
            ssh,
            access: access.clone(),
            cancel: cancel.clone(),
        })
    }

    /// `git`, in a folder that is no work tree of anybody.
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(folder)
            .env_clear()
            .envs(self.address.environment(&self.access, &self.ssh));
        command
    }

    fn start(
        &self,
        command: &mut Command,
        heard: impl FnMut(&[u8]) + Send + 'static,
    ) -> Result<Program, GitError> {
        self.cancel.check()?;
        Program::start(command, &self.cancel, heard).map_err(|error| GitError::NoProgram {
            url: self.url.clone(),
            program: "git".to_owned(),
            reason: error.to_string(),
        })
    }

    /// Waits until git has ended, and says why it failed if it did.
    fn finish(&self, program: &mut Program) -> Result<(), GitError> {
        let (status, said) = program.finish(END);
        self.cancel.check()?;
        if status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        let code = status.and_then(|status| status.code());
        let secrets = self.address.secrets(&self.access);
        let asked = Asked {
            url: &self.url,
            web: self.address.host.as_deref(),
            ssh: self.ssh_address.as_ref(),
            secrets: &secrets,
        };
        Err(output::failure(&said, code, &asked))
    }

    fn fetch(
        &self,
        mirror: &Repository,
        wants: &Wants,
        tips: &[Oid],
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), GitError> {
        let mut command = self.command(mirror.path());
        // Told by its option, the mirror is used whoever owns it.
        let mut folder = std::ffi::OsString::from("--git-dir=");
        folder.push(mirror.path());
        command.arg(folder).args([
            "fetch",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--refmap=",
            "--progress",
            "--stdin",
        ]);
        let ids = match wants {
            Wants::Shallow(ids) => {
                command.args(["--depth", "1"]);
                ids
            }
            Wants::History(ids) => {
                if mirror.is_shallow() {
                    command.arg("--unshallow");
                }
                // The history of a remote that is shallow itself is what it has.
                command.arg("--update-shallow");
                ids
            }
        };
        command.args(tips.iter().map(|id| format!("--negotiation-tip={id}")));
        command.args(["--", &self.address.text]);
        let (send, told) = mpsc::channel();
        let mut lines = ProgressLines::default();
        let mut program = self.start(&mut command, move |piece| {
            if let Some(progress) = lines.take(piece) {
                // Nobody listens any more when the fetch was stopped.
                let _ = send.send(progress);
            }
        })?;
        drain(&mut program);
        if let Some(mut stdin) = program.take_stdin() {
            let list: String = ids.iter().map(|id| format!("{id}\n")).collect();
            // A git that ended before it read them tells why.
            let _ = stdin.write_all(list.as_bytes());
        }
        let mut last = Progress::default();
        loop {
            match told.recv_timeout(TICK) {
                Ok(progress) => last = progress,
                Err(RecvTimeoutError::Timeout) if program.status().is_none() => {}
                Err(_) => break,
            }
            if !progress(last) {
                return Err(GitError::Cancelled(Cancelled));
            }
        }
        self.finish(&mut program)
    }
}

/// A program that cannot get rid of what it writes would wait for ever.
fn drain(program: &mut Program) {
    if let Some(mut stdout) = program.take_stdout() {
        thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
    }
}

impl Remote for Executable {
    fn refs(&mut self, prefixes: &[String]) -> Result<RemoteRefs, GitError> {
        let mut command = self.command(Path::new("/"));
        command.args(["ls-remote", "--quiet", "--symref", "--", &self.address.text]);
        if prefixes.len() <= MAX_PATTERNS {
            command.arg("HEAD");
            command.args(prefixes.iter().map(|prefix| format!("{prefix}*")));
        }
        let mut program = self.start(&mut command, |_| {})?;
        drop(program.take_stdin());
        let mut listed = Vec::new();
        let protocol = |reason| GitError::Protocol {
            url: self.url.clone(),
            reason,
        };
        if let Some(stdout) = program.take_stdout() {
            let read = stdout.take(MAX_LIST + 1).read_to_end(&mut listed);
            read.map_err(|error| protocol(error.to_string()))?;
        }
        if listed.len() as u64 > MAX_LIST {
            return Err(protocol("it lists too many references".to_owned()));
        }
        self.finish(&mut program)?;
        output::refs(&listed, prefixes).map_err(protocol)
    }

    fn bring(
        &mut self,
        mirror: &Repository,
        wants: &Wants,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), GitError> {
        let (Wants::Shallow(ids) | Wants::History(ids)) = wants;
        if ids.is_empty() {
            return Ok(());
        }
        // Without references git knows of nothing that is there, and would bring all of it again.
        let tips = tips(mirror).unwrap_or_default();
        let brought = match self.fetch(mirror, wants, &tips, progress) {
            // What an earlier run left half done is no ground to build upon.
            Err(GitError::Executable { .. }) if !tips.is_empty() => {
                self.fetch(mirror, wants, &[], progress)
            }
            brought => brought,
        };
        brought?;
        let refreshed = mirror.odb().and_then(|database| database.refresh());
        refreshed.map_err(|source| GitError::Damaged {
            url: self.url.clone(),
            folder: mirror.path().to_owned(),
            source,
        })
    }
}

/// The commits of a mirror that are no parent of another one, the latest first.
fn tips(mirror: &Repository) -> Result<Vec<Oid>, git2::Error> {
    let database = mirror.odb()?;
    let mut all = Vec::new();
    database.foreach(|id| {
        all.push(*id);
        true
    })?;
    let mut commits = HashMap::new();
    let mut parents = HashSet::new();
    for id in all {
        if database.read_header(id)?.1 == ObjectType::Commit {
            let commit = mirror.find_commit(id)?;
            parents.extend(commit.parent_ids());
            commits.insert(id, commit.time().seconds());
        }
    }
    commits.retain(|id, _| !parents.contains(id));
    let mut tips: Vec<_> = commits.into_iter().map(|(id, at)| (at, id)).collect();
    tips.sort_unstable_by(|a, b| b.cmp(a));
    tips.truncate(MAX_TIPS);
    Ok(tips.into_iter().map(|(_, id)| id).collect())
}

#[cfg(all(test, unix))]
mod tests;
