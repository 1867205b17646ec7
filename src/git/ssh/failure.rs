//! Why an ssh program failed, told by its standard error: it has one exit status for all that goes
//! wrong before the host runs a command.

use super::address::SshAddress;
use crate::git::GitError;
use crate::git::said::{line_with, shown};

/// OpenSSH (`sshconnect.c`) and plink.
const CHANGED_KEY: &[&str] = &[
    "REMOTE HOST IDENTIFICATION HAS CHANGED",
    "REVOKED HOST KEY DETECTED",
    "POTENTIAL SECURITY BREACH",
];
const UNKNOWN_KEY: &[&str] = &[
    "Host key verification failed",
    "host key is known for",
    "host key is not cached",
];
const DENIED: &[&str] = &[
    "Permission denied (",
    "Too many authentication failures",
    "No supported authentication methods available",
    "No more authentication methods",
];
const NO_CONNECTION: &[&str] = &[
    "Could not resolve hostname",
    "Name or service not known",
    "Host does not exist",
    "Connection refused",
    "Connection timed out",
    "Operation timed out",
    "Connection closed",
    "Connection reset",
    "Connection abandoned",
    "Connection to ",
    "No route to host",
    "Network is unreachable",
    "kex_exchange_identification",
    "banner exchange",
    "Broken pipe",
];
/// git's own server, and those of the well-known hosts.
const NOT_SERVED: &[&str] = &[
    "does not appear to be a git repository",
    "epository not found",
    "roject not found",
    "could not be found",
    "not a git repository",
    "git-upload-pack: command not found",
    "git-upload-pack: not found",
    "ERROR:",
];

/// The error that stands in what an ssh program, or a server through it, says; none if none is told
/// by it. Once the server has `answered`, it can no longer be ssh that does not get in, and whoever
/// says so then only pretends.
pub(in crate::git) fn told(
    said: &[u8],
    answered: bool,
    url: &str,
    address: Option<&SshAddress>,
) -> Option<GitError> {
    let text = String::from_utf8_lossy(said);
    let says = |texts: &[&str]| texts.iter().any(|one| text.contains(one));
    let url = url.to_owned();
    let given = address.map_or_else(|| "HOST".to_owned(), SshAddress::known_host);
    let host = || host_named(&text).unwrap_or(given);
    if !answered && says(CHANGED_KEY) {
        let message = line_with(said, CHANGED_KEY);
        let host = host();
        return Some(GitError::ChangedHostKey { url, host, message });
    }
    if !answered && says(UNKNOWN_KEY) {
        let message = line_with(said, UNKNOWN_KEY);
        let host = host();
        return Some(GitError::UnknownHostKey { url, host, message });
    }
    if !answered && says(DENIED) {
        let message = line_with(said, DENIED);
        return Some(GitError::Denied { url, message });
    }
    if says(NOT_SERVED) {
        let message = line_with(said, NOT_SERVED);
        return Some(GitError::NotServed { url, message });
    }
    if says(NO_CONNECTION) {
        let reason = shown(said);
        return Some(GitError::Connection { url, reason });
    }
    None
}

/// The host as ssh itself names it: its configuration may have another name for it.
fn host_named(said: &str) -> Option<String> {
    let known_for = said.split_once("host key is known for ");
    let has_changed = || {
        let (before, _) = said.split_once(" has changed")?;
        before.rsplit_once("ost key for ")
    };
    let (_, named) = known_for.or_else(has_changed)?;
    let named = named.split_whitespace().next()?;
    // It stands in a command that a person is told to run.
    let of_a_host = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    (!named.starts_with('-') && named.chars().all(of_a_host)).then(|| named.to_owned())
}
