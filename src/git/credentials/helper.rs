//! git's credential helpers, by their protocol (git, `Documentation/git-credential` and
//! `Documentation/gitcredentials`): programs of the user that keep passwords.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::event::{CancelToken, Cancelled};
use crate::git::{GitAccess, host_and_port};
use crate::secret::Secret;

/// How often somebody looks whether a helper is still waited for.
const TICK: Duration = Duration::from_millis(20);

/// How long a helper may take: long enough to ask a keychain, not for ever in a pipeline.
const TICKS: u32 = 3_000;

/// The most that a helper may say.
const LONGEST: u64 = 64 << 10;

/// What a helper is asked: who is at this address?
pub(super) struct Question {
    protocol: String,
    host: String,
    path: Option<String>,
    pub(super) username: Option<String>,
}

/// What a helper says. Where it says so for another host, nobody listens: what it gives goes to the
/// one that was asked about.
#[derive(Clone, Default)]
pub(super) struct Answer {
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    /// Nobody else is to be asked.
    pub(super) quit: bool,
    /// What is said back to the helper as it is, when the password proved good or bad.
    kept: Vec<(String, Secret)>,
}

/// The attributes that go back to where they came from.
const KEPT: [&str; 2] = ["oauth_refresh_token", "password_expiry_utc"];

impl Question {
    /// None if a value has a line break or a NUL in it. Attack: such a value would end its line, and
    /// go on with one that names another host, whose password would then be sent to this one
    /// (CVE-2020-5260).
    pub(super) fn new(url: &Url, username: Option<String>, with_path: bool) -> Option<Self> {
        let path = percent_decode_str(url.path()).decode_utf8_lossy();
        let path = path.trim_start_matches('/').trim_end_matches('/');
        let question = Self {
            protocol: url.scheme().to_owned(),
            host: host_and_port(url),
            path: with_path.then(|| path.to_owned()),
            username,
        };
        let user = question.username.as_deref().unwrap_or_default();
        let is_plain = |value: &str| !value.contains(['\n', '\r', '\0']);
        (is_plain(path) && is_plain(user) && is_plain(&question.host)).then_some(question)
    }

    fn lines(&self) -> String {
        let mut lines = format!("protocol={}\nhost={}\n", self.protocol, self.host);
        if let Some(path) = &self.path {
            lines += &format!("path={path}\n");
        }
        if let Some(username) = &self.username {
            lines += &format!("username={username}\n");
        }
        lines
    }
}

impl Answer {
    /// None if it is not written as the protocol wants it.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        // Attack: what a stored password must not have in it, another program may take for an end.
        if text.contains('\0') {
            return None;
        }
        let mut answer = Self::default();
        for line in text.split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once('=')?;
            if value.contains('\r') {
                return None;
            }
            match name {
                "username" => answer.username = Some(value.to_owned()),
                "password" => answer.password = Some(Secret::new(value)),
                "quit" => answer.quit = matches!(value, "1" | "true" | "yes" | "on"),
                name if KEPT.contains(&name) => {
                    answer.kept.push((name.to_owned(), Secret::new(value)));
                }
                _ => {}
            }
        }
        let says = answer.username.is_some() || answer.password.is_some() || answer.quit;
        says.then_some(answer)
    }
}

/// A helper in a message: by its name alone, since a command may hold anything.
pub(super) fn shown(helper: &Secret) -> String {
    let name = helper.expose().split(' ').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    match !name.is_empty() && name.chars().all(is_name) {
        true => format!("the credential helper `{name}`"),
        false => "a credential helper".to_owned(),
    }
}

/// What a helper knows; none if it knows nothing, or cannot be run.
pub(super) fn ask(
    helper: &Secret,
    question: &Question,
    challenges: &[String],
    access: &GitAccess,
    cancel: &CancelToken,
) -> Result<Option<Answer>, Cancelled> {
    let mut lines = question.lines();
    for challenge in challenges {
        if !challenge.contains(['\n', '\r', '\0']) {
            lines += &format!("wwwauth[]={challenge}\n");
        }
    }
    let said = run(helper, "get", lines, access, cancel)?;
    Ok(Answer::parse(&said.unwrap_or_default()))
}

/// Tells a helper that what was in use is good (`store`) or bad (`erase`). It need not listen.
pub(super) fn tell(
    helper: &Secret,
    action: &str,
    question: &Question,
    answer: &Answer,
    access: &GitAccess,
    cancel: &CancelToken,
) {
    let (Some(username), Some(password)) = (
        answer.username.as_ref().or(question.username.as_ref()),
        &answer.password,
    ) else {
        return;
    };
    let asked = Question {
        protocol: question.protocol.clone(),
        host: question.host.clone(),
        path: question.path.clone(),
        username: Some(username.clone()),
    };
    let mut lines = asked.lines();
    lines += &format!("password={}\n", password.expose());
    for (name, value) in &answer.kept {
        lines += &format!("{name}={}\n", value.expose());
    }
    let _ = run(helper, action, lines, access, cancel);
}

/// The command of a helper (git, `credential.c`): after a `!` it is for the shell, an absolute path
/// is a program, and anything else the rest of the name of a `git credential-...`.
fn command(helper: &str, action: &str) -> String {
    let is_path = helper.starts_with('/') || std::path::Path::new(helper).is_absolute();
    match helper.strip_prefix('!') {
        Some(command) => format!("{command} {action}"),
        None if is_path => format!("{helper} {action}"),
        None => format!("git credential-{helper} {action}"),
    }
}

/// Runs a helper: what it says, or none if it does not run or does not end.
fn run(
    helper: &Secret,
    action: &str,
    lines: String,
    access: &GitAccess,
    cancel: &CancelToken,
) -> Result<Option<Vec<u8>>, Cancelled> {
    cancel.check()?;
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(command(helper.expose(), action))
        .env_clear()
        .envs(access.environment.iter().map(|(name, value)| (name, value)))
        // Nobody is there to be asked.
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GCM_INTERACTIVE", "never")
        .env("GIT_ASKPASS", "false")
        .env("SSH_ASKPASS", "false")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What a helper complains of may hold what it was told.
        .stderr(Stdio::null());
    own_group(&mut shell);
    let Ok(mut child) = shell.spawn() else {
        return Ok(None);
    };
    let (mut input, output) = (child.stdin.take(), child.stdout.take());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        if let Some(input) = &mut input {
            // A helper need not read what it is asked.
            let _ = input.write_all(lines.as_bytes());
        }
        drop(input);
        let mut said = Vec::new();
        let read = output.map(|output| output.take(LONGEST + 1).read_to_end(&mut said));
        let whole = read.is_some_and(|read| read.is_ok_and(|n| n as u64 <= LONGEST));
        let _ = sender.send(whole.then_some(said));
    });
    let mut said = None;
    for _ in 0..TICKS {
        match receiver.recv_timeout(TICK) {
            Ok(read) => said = Some(read),
            Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => {
                kill(&mut child);
                return Err(Cancelled);
            }
            Err(RecvTimeoutError::Timeout) => continue,
        }
        break;
    }
    if said.is_none() {
        kill(&mut child);
        return Ok(None);
    }
    let ended = wait(&mut child, cancel);
    if !ended {
        kill(&mut child);
        cancel.check()?;
    }
    Ok(said.flatten())
}

/// Waits for a program that has said all; false if it does not end.
fn wait(child: &mut Child, cancel: &CancelToken) -> bool {
    for _ in 0..TICKS {
        if cancel.is_cancelled() {
            return false;
        }
        match child.try_wait() {
            Ok(None) => thread::sleep(TICK),
            Ok(Some(_)) | Err(_) => return true,
        }
    }
    false
}

/// Puts a program into a group of its own, so that what it starts in its turn ends with it.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
