//! Begins conversations with remotes: the one place that knows which kinds of remotes there are.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::config::GitConfig;
use super::executable::Executable;
use super::http::GitHttp;
use super::local::Local;
use super::ssh::{Ssh, SshProgram};
use super::transport::Remote;
use super::visitor::Clients;
use super::wire::Wire;
use super::{GitAccess, GitError};
use crate::event::CancelToken;
use crate::manifest::{GitUrl, GitUrlForm};

/// How the remotes of a run are reached.
pub(super) struct Remotes<'a> {
    /// Where relative addresses begin.
    folder: PathBuf,
    access: &'a GitAccess,
    /// Whether the `git` program fetches.
    executable: bool,
    cancel: &'a CancelToken,
    /// git's configuration, read when the first remote is reached that it has a say in.
    config: OnceLock<GitConfig>,
    clients: Clients,
}

impl<'a> Remotes<'a> {
    pub(super) fn new(
        folder: PathBuf,
        access: &'a GitAccess,
        executable: bool,
        cancel: &'a CancelToken,
    ) -> Self {
        Self {
            folder,
            access,
            executable: executable || access.executable,
            cancel,
            config: OnceLock::new(),
            clients: Clients::default(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn access(&self) -> &'a GitAccess {
        self.access
    }

    pub(super) fn cancel(&self) -> &'a CancelToken {
        self.cancel
    }

    pub(super) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// git's configuration.
    pub(super) fn config(&self) -> Result<&GitConfig, GitError> {
        if self.config.get().is_none() {
            // Another thread may have read the same in the meantime.
            let _ = self.config.set(GitConfig::open(self.access)?);
        }
        Ok(self.config.get_or_init(GitConfig::default))
    }

    /// Begins a conversation. Nothing is said yet.
    pub(super) fn connect(&self, url: &GitUrl) -> Result<Box<dyn Remote + '_>, GitError> {
        if let GitUrlForm::Path | GitUrlForm::File = url.form() {
            return self.local(url, url);
        }
        let config = self.config()?;
        if self.executable {
            // It follows `insteadOf` by itself.
            let remote = Executable::new(url, self.ssh_program(config), self.access, self.cancel)?;
            return Ok(Box::new(remote));
        }
        let shown = url.redacted();
        let rewritten = config.rewritten(url)?;
        match rewritten.form() {
            GitUrlForm::Path | GitUrlForm::File => self.local(&rewritten, url),
            GitUrlForm::Ssh => Ok(Box::new(Wire::new(shown, self.ssh(&rewritten)?))),
            GitUrlForm::Http => {
                let clients = &self.clients;
                let http = GitHttp::new(&rewritten, self.access, config, clients, self.cancel)?;
                Ok(Box::new(Wire::new(shown, http)))
            }
        }
    }

    fn ssh_program(&self, config: &GitConfig) -> SshProgram {
        let command = config.text("core.sshCommand");
        let variant = config.text("ssh.variant");
        SshProgram::of(self.access, command.as_deref(), variant.as_deref())
    }

    /// A conversation through ssh with what is at an address that was already rewritten.
    pub(super) fn ssh(&self, url: &GitUrl) -> Result<Ssh, GitError> {
        let program = self.ssh_program(self.config()?);
        Ssh::new(url, program, self.access, self.cancel)
    }

    fn local(&self, url: &GitUrl, asked: &GitUrl) -> Result<Box<dyn Remote>, GitError> {
        let folder = self.folder_at(url, asked)?;
        let local = Local::new(folder, asked.redacted(), self.cancel.clone());
        Ok(Box::new(local))
    }

    /// A folder of this machine, which the manifest calls `asked`.
    pub(super) fn folder_at(&self, url: &GitUrl, asked: &GitUrl) -> Result<PathBuf, GitError> {
        let address = url.with_credentials();
        let folder = match url.form() {
            GitUrlForm::File => address.get("file://".len()..).and_then(percent_decoded),
            _ => Some(self.folder.join(address)),
        };
        folder.ok_or_else(|| GitError::NoRepository {
            url: asked.redacted(),
            source: git2::Error::from_str("it is not the address of a folder on this machine"),
        })
    }
}

/// The folder of a `file://` address: `/srv/a%20b` or `localhost/srv/a%20b`.
fn percent_decoded(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix("localhost").unwrap_or(address);
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    path.starts_with('/')
        .then(|| String::from_utf8(decoded).ok().map(PathBuf::from))
        .flatten()
}
