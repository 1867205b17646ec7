//! What is shown of an error with a git repository: its kind, and what to do next.

use super::credentials::token_variable;
use super::{GitError, InvalidSshAddress};
use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::manifest::GitRef;

const NOT_NEEDED: &str =
    "if it is not needed, add a line to the cookbook's chefignore that matches its path";

impl Diagnose for GitError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoSuchRef { .. }
            | Self::AmbiguousRef { .. }
            | Self::Submodule { .. }
            | Self::NotACommit { .. }
            | Self::AmbiguousCommit { .. }
            | Self::Configuration { .. }
            | Self::SshAddress { .. }
            | Self::SshPort { .. } => Kind::User,
            Self::NoRepository { .. }
            | Self::Fetch { .. }
            | Self::Refused { .. }
            | Self::NotThere { .. }
            | Self::Protocol { .. }
            | Self::ObjectFormat { .. }
            | Self::Connection { .. }
            | Self::UncheckedCertificate { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::RemoteNotFound { .. }
            | Self::Credentials { .. }
            | Self::NotServed { .. }
            | Self::Denied { .. }
            | Self::UnknownHostKey { .. }
            | Self::ChangedHostKey { .. }
            | Self::NoProgram { .. }
            | Self::Executable { .. }
            | Self::LargeFiles { .. }
            | Self::NoLfsServer { .. }
            | Self::LargeFilesMissing { .. }
            | Self::Offline { .. } => Kind::Unavailable,
            Self::Http(error) => error.kind(),
            Self::InSubmodule { error, .. } => error.kind(),
            Self::TagMoved { .. }
            | Self::BranchRewritten { .. }
            | Self::LargeFileDiffers { .. }
            | Self::LargeFileTooLong { .. }
            | Self::Damaged { .. } => Kind::Verification,
            Self::Store(error) => error.kind(),
            Self::Cancelled(_) => Kind::Cancelled,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        if let Self::InSubmodule { path, error, .. } = self {
            let mut shown = error.diagnostics();
            for inner in &mut shown {
                inner.message = format!("submodule `{path}`: {}", inner.message);
                inner.hints.push(NOT_NEEDED.to_owned());
            }
            return shown;
        }
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::Fetch { url, source } if source.code() == git2::ErrorCode::Owner => {
                shown.hint(format!(
                    "if you trust it: `git config --global --add safe.directory {url}`, with its absolute path"
                ))
            }
            Self::NoRepository { .. } => {
                shown.hint("a relative folder begins at the manifest; is it cloned there?")
            }
            Self::Http(error) => error.with_hints(shown),
            Self::UncheckedCertificate { .. } => shown.hint(
                "name a file with the authority of its certificate in git's `http.sslCAInfo` or in SSL_CERT_FILE",
            ),
            Self::Unauthorized { host, .. } | Self::RemoteNotFound { host, .. } => {
                with_credential_hints(shown, host)
                    .hint("is the address right? some hosts answer so where there is nothing")
            }
            Self::Forbidden { host, .. } => with_credential_hints(shown, host)
                .hint("a token must have the right to read this repository"),
            Self::NotServed { .. } => shown
                .hint("is its name spelt right, and may you read it? many servers say the same of both"),
            Self::Denied { .. } => shown
                .hint("`ssh-add -l` lists the keys of your agent; the server must know one of them")
                .hint("cookpack never asks for a passphrase: add the key to the agent first"),
            Self::SshAddress { source, .. } => match source {
                InvalidSshAddress::Password => shown
                    .hint("write the user alone, and give ssh a key: a password does not belong in a manifest"),
                _ => shown.hint("write `ssh://user@host:port/path` or `user@host:path`"),
            },
            Self::SshPort { .. } => shown
                .hint("set GIT_SSH_VARIANT or `ssh.variant` to `ssh` if it takes `-p PORT`")
                .hint("or give the host a name with this port in its own configuration"),
            Self::UnknownHostKey { host, .. } => {
                let (name, port) = known_host_parts(host);
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
            Self::LargeFiles { .. } => {
                shown.hint("git's `lfs.url` names another server, if you know of one")
            }
            Self::NoLfsServer { host, .. } => with_credential_hints(shown, host)
                .hint("if the files are elsewhere, name their server in git's `lfs.url`"),
            Self::LargeFilesMissing { .. } => shown
                .hint("whoever has the files can give them: `git lfs push --all`; beside a repository on this machine, `git lfs fetch --all`"),
            Self::LargeFileDiffers { .. } | Self::LargeFileTooLong { .. } => {
                shown.hint("ask whoever keeps the repository, or its server, why")
            }
            Self::Offline { .. } => shown.hint("run once without `--frozen` and `--offline`"),
            Self::NoSuchRef {
                near: Some(near), ..
            } => shown.hint(format!("did you mean `{near}`?")),
            Self::NoSuchRef {
                reference: GitRef::Default,
                ..
            } => shown.hint("name a `branch`, a `tag` or a `commit`"),
            Self::AmbiguousRef { name, .. } => {
                shown.hint(format!("write `branch = \"{name}\"` or `tag = \"{name}\"`"))
            }
            Self::Submodule { .. } => shown.hint(NOT_NEEDED),
            Self::ObjectFormat { .. } => {
                shown.hint("only repositories of the format sha1 can be read, which is git's default")
            }
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
fn known_host_parts(host: &str) -> (&str, Option<&str>) {
    match host
        .strip_prefix('[')
        .and_then(|host| host.split_once("]:"))
    {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    }
}

fn with_credential_hints(shown: Diagnostic, host: &str) -> Diagnostic {
    let shown = match token_variable(host) {
        Some(name) => shown.hint(format!("set {name} to a token")),
        None => shown,
    };
    shown.hint(format!(
        "or keep credentials for `{host}` in a credential helper of git or in ~/.netrc"
    ))
}
