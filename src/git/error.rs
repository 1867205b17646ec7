//! What can go wrong with a git repository.

use std::path::PathBuf;

use super::InvalidSshAddress;
use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;
use crate::manifest::{CommitId, CommitPrefix, GitRef};
use crate::store::StoreError;

/// Why a repository does not give what is wanted of it. Addresses are without credentials.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// This version cannot speak the address's protocol.
    #[error(
        "cannot fetch `{url}`: this version of cookpack reads repositories from folders and file:// addresses only"
    )]
    UnsupportedTransport {
        /// The address.
        url: String,
    },
    /// There is no repository at the address.
    #[error("there is no git repository at `{url}`")]
    NoRepository {
        /// The address.
        url: String,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The repository could not be fetched.
    #[error("cannot fetch `{url}`")]
    Fetch {
        /// The address.
        url: String,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The server does not give a commit in the way it was asked for: by its id, or without its
    /// history.
    #[error("`{url}` does not give this: {message}")]
    Refused {
        /// The address.
        url: String,
        /// What the server says.
        message: String,
    },
    /// The conversation with the server did not go as git's protocol says.
    #[error("`{url}` does not speak git's protocol: {reason}")]
    Protocol {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The connection failed: it may succeed when tried again.
    #[error("the connection to `{url}` failed: {reason}")]
    Connection {
        /// The address.
        url: String,
        /// What failed.
        reason: String,
    },
    /// The server has no such repository, or does not show it to this user.
    #[error("the server of `{url}` does not serve it: {message}")]
    NotServed {
        /// The address.
        url: String,
        /// What the server says.
        message: String,
    },
    /// The server does not let this user in.
    #[error("`{url}` does not let you in: {message}")]
    Denied {
        /// The address.
        url: String,
        /// What the server, or the program that asked it, says.
        message: String,
        /// Whether it was asked through ssh.
        ssh: bool,
    },
    /// An address of ssh cannot be passed to the ssh program.
    #[error("`{url}` is no address for ssh")]
    SshAddress {
        /// The address.
        url: String,
        /// What is wrong with it.
        #[source]
        source: InvalidSshAddress,
    },
    /// The ssh program can be told no port, and the address has one.
    #[error("`{url}` has a port, and `{program}` can be told none")]
    SshPort {
        /// The address.
        url: String,
        /// The program.
        program: String,
    },
    /// The host is not among those whose keys the user trusts.
    #[error("the host key of `{host}`, where `{url}` is, is not known: {message}")]
    UnknownHostKey {
        /// The address.
        url: String,
        /// The host, with its port where that is not the usual one, as `known_hosts` names it.
        host: String,
        /// What ssh says.
        message: String,
    },
    /// The host does not have the key that it had: it is another one, perhaps.
    #[error("the host key of `{host}`, where `{url}` is, has changed: {message}")]
    ChangedHostKey {
        /// The address.
        url: String,
        /// The host, with its port where that is not the usual one, as `known_hosts` names it.
        host: String,
        /// What ssh says.
        message: String,
    },
    /// A program that is needed cannot be run.
    #[error("`{url}` needs the program `{program}`, which cannot be run: {reason}")]
    NoProgram {
        /// The address.
        url: String,
        /// The program.
        program: String,
        /// What happened.
        reason: String,
    },
    /// The `git` program failed, and what it says fits no other variant.
    #[error("`git` cannot fetch `{url}`: {message}")]
    Executable {
        /// The address.
        url: String,
        /// What it says.
        message: String,
    },
    /// A fetch is needed, and the caller forbade the network.
    #[error("`{url}` must be fetched for {wanted}, and the network is forbidden")]
    Offline {
        /// The address.
        url: String,
        /// What is wanted of it.
        wanted: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("`{url}` has no {}", match reference { GitRef::Default => "default branch".to_owned(), other => other.to_string() })]
    NoSuchRef {
        /// The address.
        url: String,
        /// What was asked for.
        reference: GitRef,
        /// A branch or a tag that is meant, perhaps.
        near: Option<String>,
    },
    /// A reference leads to a file or a folder instead of a commit.
    #[error("{reference} of `{url}` is not a commit")]
    NotACommit {
        /// The address.
        url: String,
        /// What was asked for.
        reference: GitRef,
    },
    /// The first digits of a commit's id fit more than one commit.
    #[error("`{prefix}` is the beginning of more than one commit of `{url}`")]
    AmbiguousCommit {
        /// The address.
        url: String,
        /// The digits.
        prefix: CommitPrefix,
        /// Some of the commits.
        commits: Vec<CommitId>,
    },
    /// A tag is not where it was when it was locked.
    #[error("tag `{tag}` of `{url}` was moved: {locked} is locked, but it is {}", found.as_ref().map_or("gone".to_owned(), |found| format!("now {found}")))]
    TagMoved {
        /// The address.
        url: String,
        /// The tag.
        tag: String,
        /// The commit that is locked.
        locked: CommitId,
        /// The commit at which it stands now, if it still exists.
        found: Option<CommitId>,
    },
    /// A branch no longer contains the commit that is locked.
    #[error(
        "{reference} of `{url}` was rewritten: it no longer contains {locked}, which is locked"
    )]
    BranchRewritten {
        /// The address.
        url: String,
        /// The branch.
        reference: GitRef,
        /// The commit that is locked.
        locked: CommitId,
    },
    /// The mirror in the store cannot be read.
    #[error("the store's copy of `{url}` is damaged at `{}`", folder.display())]
    Damaged {
        /// The address.
        url: String,
        /// The mirror's folder.
        folder: PathBuf,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for GitError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoSuchRef { .. }
            | Self::NotACommit { .. }
            | Self::AmbiguousCommit { .. }
            | Self::SshAddress { .. }
            | Self::SshPort { .. } => Kind::User,
            Self::UnsupportedTransport { .. }
            | Self::NoRepository { .. }
            | Self::Fetch { .. }
            | Self::Refused { .. }
            | Self::Protocol { .. }
            | Self::Connection { .. }
            | Self::NotServed { .. }
            | Self::Denied { .. }
            | Self::UnknownHostKey { .. }
            | Self::NoProgram { .. }
            | Self::Executable { .. }
            | Self::Offline { .. } => Kind::Unavailable,
            Self::ChangedHostKey { .. }
            | Self::TagMoved { .. }
            | Self::BranchRewritten { .. }
            | Self::Damaged { .. } => Kind::Verification,
            Self::Store(error) => error.kind(),
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::UnsupportedTransport { url } => shown.hint(format!(
                "clone it (`git clone --mirror {url}`) and write the clone's folder as `git = \"...\"`"
            )),
            Self::Fetch { url, source } if source.code() == git2::ErrorCode::Owner => {
                shown.hint(format!(
                    "if you trust it: `git config --global --add safe.directory {url}`, with its absolute path"
                ))
            }
            Self::NoRepository { .. } => {
                shown.hint("a relative folder begins at the manifest; is it cloned there?")
            }
            Self::NotServed { .. } => shown
                .hint("is its name spelt right, and may you read it? many servers say the same of both"),
            Self::Denied { ssh: true, .. } => shown
                .hint("`ssh-add -l` lists the keys of your agent; the server must know one of them")
                .hint("cookpack never asks for a passphrase: add the key to the agent first"),
            Self::Denied { ssh: false, .. } => {
                shown.hint("give git a credential helper, or set COOKPACK_GIT_TOKEN_<HOST>")
            }
            Self::SshAddress { source, .. } => match source {
                InvalidSshAddress::Password => shown
                    .hint("write the user alone, and give ssh a key: a password does not belong in a manifest"),
                _ => shown.hint("write `ssh://user@host:port/path` or `user@host:path`"),
            },
            Self::SshPort { .. } => shown
                .hint("set GIT_SSH_VARIANT or `ssh.variant` to `ssh` if it takes `-p PORT`")
                .hint("or give the host a name with this port in its own configuration"),
            Self::UnknownHostKey { host, .. } => {
                let (name, port) = host_and_port(host);
                let port_option = port.map_or_else(String::new, |port| format!("-p {port} "));
                shown
                    .hint(format!(
                        "connect once by hand (`ssh {port_option}{name}`) and compare the fingerprint that it shows with the one that the host's keeper publishes"
                    ))
                    .hint(format!(
                        "without a terminal: `ssh-keyscan {port_option}{name} > keys`, compare `ssh-keygen -lf keys` in the same way, and only then append `keys` to ~/.ssh/known_hosts"
                    ))
            }
            Self::ChangedHostKey { host, .. } => shown
                .hint("somebody may be listening in: do not go on before the host's keeper says that its key was changed")
                .hint(format!(
                    "if it was: `ssh-keygen -R '{host}'` forgets the old key; then take the new one as that of an unknown host"
                )),
            Self::NoProgram { program, .. } if program == "git" => shown.hint(
                "install git, or let cookpack fetch by itself: without `executable = true` under `[git]` and COOKPACK_GIT_CLI",
            ),
            Self::NoProgram { .. } => shown.hint(
                "install an OpenSSH client, or name another program in GIT_SSH_COMMAND or `core.sshCommand`",
            ),
            Self::Executable { message, .. } if message.contains("safe.directory") => shown
                .hint("if you trust the folder: `git config --global --add safe.directory FOLDER`"),
            Self::Offline { .. } => shown.hint("run once without `--frozen` and `--offline`"),
            Self::NoSuchRef {
                near: Some(near), ..
            } => shown.hint(format!("did you mean `{near}`?")),
            Self::NoSuchRef {
                reference: GitRef::Default,
                ..
            } => shown.hint("name a `branch`, a `tag` or a `commit`"),
            Self::AmbiguousCommit { commits, .. } => {
                let list: Vec<_> = commits.iter().map(|c| format!("`{c}`")).collect();
                shown.hint(format!("write more digits: {}", list.join(", ")))
            }
            Self::TagMoved { .. } | Self::BranchRewritten { .. } => {
                shown.hint("ask whoever keeps the repository why")
            }
            Self::Damaged { folder, .. } => shown.hint(format!(
                "delete `{}`: it will be fetched anew",
                folder.display()
            )),
            _ => shown,
        }]
    }
}

/// `[host]:port`, as `known_hosts` writes it where the port is not the usual one.
fn host_and_port(host: &str) -> (&str, Option<&str>) {
    match host
        .strip_prefix('[')
        .and_then(|host| host.split_once("]:"))
    {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    }
}
