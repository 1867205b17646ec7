//! What the `git` program writes: references, how far it is, and why it failed.

use std::collections::BTreeMap;

use git2::Oid;

use crate::git::GitError;
use crate::git::said::{line_with, shown};
use crate::git::ssh::{SshAddress, told};
use crate::git::transport::{Progress, RemoteRef, RemoteRefs};

/// Reads what `git ls-remote --symref` lists: those references that begin with one of `prefixes`, and
/// `HEAD`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn refs(listed: &[u8], prefixes: &[String]) -> Result<RemoteRefs, String> {
    let mut names: BTreeMap<String, RemoteRef> = BTreeMap::new();
    let mut branch = None;
    for line in listed
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
    {
        // A name that is not UTF-8 cannot be asked for in a manifest.
        let Ok(line) = std::str::from_utf8(line) else {
            continue;
        };
        let odd = || format!("a reference is listed as `{}`", shown(line.as_bytes()));
        let (at, name) = line.split_once('\t').ok_or_else(odd)?;
        if let Some(target) = at.strip_prefix("ref: ") {
            if name == "HEAD" {
                branch = Some(target.to_owned());
            }
            continue;
        }
        let id = id(at).map_err(|why| why.unwrap_or_else(odd))?;
        let of = name.strip_suffix("^{}");
        let full = of.unwrap_or(name);
        if full != "HEAD" && !prefixes.iter().any(|prefix| full.starts_with(prefix)) {
            continue;
        }
        match of {
            None => {
                names.insert(name.to_owned(), RemoteRef { id, peeled: None });
            }
            Some(tag) => names.get_mut(tag).ok_or_else(odd)?.peeled = Some(id),
        }
    }
    let at_head = names.get("HEAD").copied();
    let head = at_head.map(|at| match branch {
        Some(branch) => {
            names.entry(branch.clone()).or_insert(at);
            branch
        }
        None => "HEAD".to_owned(),
    });
    Ok(RemoteRefs { head, names })
}

fn id(text: &str) -> Result<Oid, Option<String>> {
    let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
    match text.len() {
        40 if is_hex => Oid::from_str(text).map_err(|_| None),
        64 if is_hex => Err(Some(
            "its objects have SHA-256 names, which this version does not read".to_owned(),
        )),
        _ => Err(None),
    }
}

/// Reads how far a fetch is from the pieces of git's standard error.
#[derive(Default)]
pub(super) struct ProgressLines {
    line: Vec<u8>,
    last: Progress,
}

impl ProgressLines {
    /// Takes a piece; gives what the last whole line in it tells, if it tells something new.
    pub(super) fn take(&mut self, piece: &[u8]) -> Option<Progress> {
        let before = self.last;
        for byte in piece {
            match byte {
                b'\r' | b'\n' => {
                    if let Some(progress) = progress(&self.line, self.last) {
                        self.last = progress;
                    }
                    self.line.clear();
                }
                // What is longer is no line of progress.
                byte if self.line.len() < 256 => self.line.push(*byte),
                _ => {}
            }
        }
        (self.last != before).then_some(self.last)
    }
}

/// `Receiving objects:  45% (450/1000), 1.20 MiB | 2.30 MiB/s`. What a server says itself has
/// `remote: ` before it.
fn progress(line: &[u8], last: Progress) -> Option<Progress> {
    let line = std::str::from_utf8(line).ok()?;
    let (_, counts) = line.strip_prefix("Receiving objects:")?.split_once('(')?;
    let (counts, after) = counts.split_once(')')?;
    let (objects, total) = counts.split_once('/')?;
    let size = after.strip_prefix(", ").and_then(|size| {
        let size = size.split(['|', ',']).next()?.trim();
        let (number, unit) = size.split_once(' ')?;
        bytes(number, unit)
    });
    Some(Progress {
        objects: objects.parse().ok()?,
        total: total.parse().ok()?,
        bytes: size.unwrap_or(last.bytes),
    })
}

/// `1.20 MiB`, which git rounds to hundredths.
fn bytes(number: &str, unit: &str) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let scale: u64 = match unit {
        "byte" | "bytes" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    let parts = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let part = part.parse::<u64>().ok()?.checked_mul(scale)? / parts;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(scale)?
        .checked_add(part)
}

/// git's own client, and what its server says through it.
const REFUSED: &[&str] = &[
    "not our ref",
    "unadvertised object",
    "does not support shallow",
    "does not support --depth",
    "shallow capabilities",
    "couldn't find remote ref",
    "filtering not recognized",
];
const FORBIDDEN: &[&str] = &["returned error: 403"];
const UNAUTHORIZED: &[&str] = &[
    "Authentication failed for",
    "could not read Username",
    "could not read Password",
    "terminal prompts disabled",
    "returned error: 401",
];
const NOT_SERVED: &[&str] = &[
    "does not appear to be a git repository",
    "not a git repository",
    "returned error: 404",
    "returned error: 410",
];
const NO_CONNECTION: &[&str] = &[
    "Could not resolve host",
    "Failed to connect",
    "Couldn't connect",
    "unable to access",
    "early EOF",
    "hung up",
    "RPC failed",
    "unexpected disconnect",
];

/// Whom git was to ask.
pub(super) struct Asked<'a> {
    /// The address, without credentials.
    pub(super) url: &'a str,
    /// The host of an address of http.
    pub(super) web: Option<&'a str>,
    /// An address of ssh.
    pub(super) ssh: Option<&'a SshAddress>,
    /// What must not be shown.
    pub(super) secrets: &'a [&'a str],
}

/// The error that stands in git's standard error.
pub(super) fn failure(said: &[u8], code: Option<i32>, asked: &Asked<'_>) -> GitError {
    let said = without(said, asked.secrets);
    let text = String::from_utf8_lossy(&said);
    let says = |texts: &[&str]| texts.iter().any(|one| text.contains(one));
    let url = asked.url.to_owned();
    if says(REFUSED) {
        let message = line_with(&said, REFUSED);
        return GitError::Refused { url, message };
    }
    // A repository that is not found: its line has the address between the words.
    let is_gone = |line: &&str| line.contains("repository '") && line.contains("' not found");
    let gone = text.lines().find(is_gone);
    // An address that git's configuration rewrites may lead to http too; its host is not known here.
    if let Some(host) = asked.web.map(str::to_owned) {
        if says(UNAUTHORIZED) {
            let tried = match says(&["Authentication failed for"]) {
                true => vec!["what git found".to_owned()],
                false => Vec::new(),
            };
            return GitError::Unauthorized { url, host, tried };
        }
        if says(FORBIDDEN) {
            return GitError::Forbidden { url, host };
        }
        if gone.is_some() || says(NOT_SERVED) {
            return GitError::RemoteNotFound { url, host };
        }
    }
    if let Some(line) = gone {
        let message = shown(line.as_bytes());
        return GitError::NotServed { url, message };
    }
    if let Some(error) = told(&said, false, &url, asked.ssh) {
        return error;
    }
    if says(NOT_SERVED) {
        let message = line_with(&said, NOT_SERVED);
        return GitError::NotServed { url, message };
    }
    if says(NO_CONNECTION) {
        let reason = shown(&said);
        return GitError::Connection { url, reason };
    }
    let message = match (code, shown(&said)) {
        // git's own status for a wrong use of it.
        (Some(129), _) => "it is too old: 2.31 is needed at least".to_owned(),
        (Some(code), said) if said.is_empty() => format!("it ended with status {code}"),
        (None, said) if said.is_empty() => "it was stopped".to_owned(),
        (_, said) => said,
    };
    GitError::Executable { url, message }
}

/// What was said without the lines that tell how far it is, and without what must not be shown.
fn without(said: &[u8], secrets: &[&str]) -> Vec<u8> {
    let text = String::from_utf8_lossy(said);
    let tells = |line: &&str| !line.contains("% (") && !line.ends_with(", done.");
    let lines: Vec<&str> = text.split(['\n', '\r']).filter(tells).collect();
    let mut text = lines.join("\n");
    for secret in secrets {
        text = text.replace(secret, "…");
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn listed(text: &str) -> Result<RemoteRefs, String> {
        let text = text.replace("ONE", ONE).replace("TWO", TWO);
        refs(
            text.as_bytes(),
            &["refs/heads/".to_owned(), "refs/tags/".to_owned()],
        )
    }

    #[test]
    fn a_list_of_references_is_read() {
        let refs = listed(
            "ref: refs/heads/main\tHEAD\nONE\tHEAD\nONE\trefs/heads/main\nref: refs/heads/x\trefs/remotes/HEAD\nONE\trefs/notes/a\nTWO\trefs/tags/v1\nONE\trefs/tags/v1^{}\n",
        )
        .unwrap();
        assert_eq!(refs.head.as_deref(), Some("refs/heads/main"));
        let names: Vec<_> = refs.names.keys().map(String::as_str).collect();
        assert_eq!(names, ["HEAD", "refs/heads/main", "refs/tags/v1"]);
        let tag = refs.names["refs/tags/v1"];
        assert_eq!(tag.id.to_string(), TWO);
        assert_eq!(tag.peeled.unwrap().to_string(), ONE);
    }

    #[test]
    fn a_head_without_a_branch_is_called_head_and_none_is_none() {
        assert_eq!(listed("ONE\tHEAD\n").unwrap().head.as_deref(), Some("HEAD"));
        assert_eq!(listed("").unwrap().head, None);
        assert_eq!(listed("ref: refs/heads/main\tHEAD\n").unwrap().head, None);
        let only_head = refs(
            format!("ref: refs/heads/m\tHEAD\n{ONE}\tHEAD").as_bytes(),
            &[],
        );
        assert!(only_head.unwrap().names.contains_key("refs/heads/m"));
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        for bad in [
            "ONE refs/heads/main\n",
            "1234\trefs/heads/main\n",
            "zzzz111111111111111111111111111111111111\trefs/heads/main\n",
            "ONE\trefs/tags/v1^{}\n",
            "warning: something\n",
        ] {
            assert!(listed(bad).is_err(), "{bad:?}");
        }
        let sha256 = listed(&format!("{ONE}{}\tHEAD\n", "1".repeat(24)));
        assert!(sha256.unwrap_err().contains("SHA-256"));
    }

    #[test]
    fn progress_is_read_from_pieces() {
        let mut lines = ProgressLines::default();
        assert_eq!(
            lines.take(b"remote: Receiving objects: 1% (9/9)\rReceiving obj"),
            None
        );
        let want = |objects, bytes| {
            Some(Progress {
                objects,
                total: 1000,
                bytes,
            })
        };
        assert_eq!(lines.take(b"ects:  45% (450/1000)\r"), want(450, 0));
        assert_eq!(
            lines.take(b"Receiving objects:  46% (460/1000), 1.25 MiB | 2.00 MiB/s\r"),
            want(460, 1_310_720)
        );
        assert_eq!(lines.take(b"Resolving deltas: 1% (1/99)\r"), None);
        assert_eq!(
            lines.take(b"Receiving objects: 100% (1000/1000), 512 bytes | 1.00 KiB/s, done.\n"),
            want(1000, 512)
        );
        assert_eq!(
            lines.take(b"Receiving objects: 1% (-1/x), 99999999999999999999 GiB\r"),
            None
        );
    }

    #[test]
    fn failures_are_told_apart() {
        let asked = |web| Asked {
            url: "https://h/a",
            web,
            ssh: None,
            secrets: &["s3cret"],
        };
        let of = |said: &str| failure(said.as_bytes(), Some(128), &asked(Some("h")));
        for said in [
            "error: Server does not allow request for unadvertised object 11\n",
            "fatal: remote error: upload-pack: not our ref 11\n",
            "fatal: dumb http transport does not support shallow capabilities\n",
            "fatal: Server does not support shallow clients\n",
        ] {
            assert!(matches!(of(said), GitError::Refused { .. }), "{said}");
        }
        let said = "fatal: could not read Username for 'https://h': terminal prompts disabled\n";
        assert!(matches!(of(said), GitError::Unauthorized { tried, .. } if tried.is_empty()));
        let said = "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.\n";
        assert!(matches!(of(said), GitError::Denied { .. }));
        let said = "remote: not here\nfatal: repository 'https://h/a/' not found\n";
        assert!(matches!(of(said), GitError::RemoteNotFound { .. }));
        let not_web = failure(said.as_bytes(), Some(128), &asked(None));
        assert!(matches!(not_web, GitError::NotServed { .. }));
        let said =
            "fatal: unable to access 'https://h/a/': The requested URL returned error: 403\n";
        assert!(matches!(of(said), GitError::Forbidden { .. }));
        let said = "fatal: unable to access 'https://h/a/': Could not resolve host: h\n";
        assert!(matches!(of(said), GitError::Connection { .. }));
        let said = "Host key verification failed.\nfatal: Could not read\n";
        assert!(matches!(of(said), GitError::UnknownHostKey { .. }));
        let said = "Receiving objects: 1% (1/9)\rfatal: it's s3cret at https://u:p@h/a\n";
        let GitError::Executable { message, .. } = of(said) else {
            panic!()
        };
        assert_eq!(message, "fatal: it's … at https://h/a");
        let old = failure(
            b"error: unknown option\nusage: git",
            Some(129),
            &asked(None),
        );
        assert!(old.to_string().contains("too old"));
    }
}
