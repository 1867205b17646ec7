//! Against programs that stand in for ssh, and git's own server.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests write programs and run them"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::error::{Diagnose, Kind};

struct Desk {
    folder: TempDir,
    access: GitAccess,
}

impl Desk {
    /// The environment is only what ssh stand-ins need: the path to programs.
    fn new() -> Self {
        let path = std::env::var_os("PATH").unwrap();
        let access = GitAccess {
            environment: vec![("PATH".into(), path), ("MARK".into(), "given".into())],
            ..GitAccess::default()
        };
        let folder = tempfile::tempdir().unwrap();
        Self { folder, access }
    }

    /// Writes a program that is run in place of ssh. Another process writes it: one that this process
    /// had open for writing could not be run as long as a child of another test still holds it.
    fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let mut sh = Command::new("/bin/sh")
            .args(["-c", "cat > \"$1\" && chmod +x \"$1\"", "sh"])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("#!/bin/sh\n{script}\n");
        sh.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(sh.wait().unwrap().success());
        path
    }

    fn ssh(&self, script: &str, url: &str) -> Ssh {
        let mut access = self.access.clone();
        access.ssh_program = Some(self.program("ssh", script).into());
        ssh(url, &access, &CancelToken::default()).unwrap()
    }

    /// The error of a program that says this on its standard error and ends with this status.
    fn failing(&self, says: &str, status: i32) -> GitError {
        fs::write(self.folder.path().join("says"), says).unwrap();
        let says = self.folder.path().join("says");
        let script = format!("cat '{}' >&2; exit {status}", says.display());
        failure(&mut self.ssh(&script, "ssh://git@example.com:2222/a.git"))
    }

    fn repository(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let repository = git2::Repository::init_bare(&path).unwrap();
        repository.set_head("refs/heads/main").unwrap();
        let tree = repository.treebuilder(None).unwrap().write().unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let who = git2::Signature::new("a", "a@example.com", &git2::Time::new(0, 0)).unwrap();
        for branch in ["main", "other"] {
            let name = format!("refs/heads/{branch}");
            let commit = repository.commit(Some(&name), &who, &who, branch, &tree, &[]);
            commit.unwrap();
        }
        path
    }
}

fn ssh(url: &str, access: &GitAccess, cancel: &CancelToken) -> Result<Ssh, GitError> {
    let program = SshProgram::of(access, None, None);
    Ssh::new(&url.parse().unwrap(), program, access, cancel)
}

fn failure(ssh: &mut Ssh) -> GitError {
    let greeting = ssh.greeting().map(|mut greeting| {
        greeting.read_exact(&mut [0; 4]).unwrap_err();
    });
    match greeting {
        Ok(()) => ssh.failure(io::ErrorKind::UnexpectedEof.into()),
        Err(error) => error,
    }
}

fn hints(error: &GitError) -> String {
    error.diagnostics()[0].hints.join("\n")
}

/// Reads lines with lengths (git, `Documentation/gitprotocol-common`) up to a flush.
fn lines_to_flush(reader: &mut dyn Read) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut digits = [0; 4];
        reader.read_exact(&mut digits).unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap();
        if length == 0 {
            return lines;
        }
        let mut line = vec![0; length - 4];
        reader.read_exact(&mut line).unwrap();
        lines.push(String::from_utf8(line).unwrap().trim_end().to_owned());
    }
}

fn line(text: &str) -> String {
    format!("{:04x}{text}\n", text.len() + 5)
}

fn has_git() -> bool {
    Command::new("git-upload-pack").arg("-h").output().is_ok()
}

#[test]
fn a_conversation_in_version_2_goes_through_the_program() {
    assert!(has_git(), "these tests need git");
    let desk = Desk::new();
    let path = desk.repository("it's a!.git");
    // What the host's shell is given is one text, the last argument.
    let script = "for last; do :; done; exec sh -c \"$last\"";
    let url = format!("git@example.com:{}", path.display());
    let mut ssh = desk.ssh(script, &url);
    assert!(!ssh.is_stateless());
    let greeting = lines_to_flush(&mut *ssh.greeting().unwrap());
    assert_eq!(greeting[0], "version 2");
    for branch in ["main", "other"] {
        let request = [
            line("command=ls-refs"),
            "0001".to_owned(),
            line(&format!("ref-prefix refs/heads/{branch}")),
            "0000".to_owned(),
        ];
        let mut answer = ssh.request(request.concat().as_bytes()).unwrap();
        let refs = lines_to_flush(&mut *answer);
        assert_eq!(refs.len(), 1);
        assert!(refs[0].ends_with(&format!(" refs/heads/{branch}")));
    }
}

#[test]
fn a_request_that_fills_the_pipe_does_not_stop_the_answer() {
    let desk = Desk::new();
    // It answers at length before it reads at all.
    let script = "head -c 1000000 /dev/zero; cat";
    let mut ssh = desk.ssh(script, "h:a");
    let body = vec![7; 1_000_000];
    let mut answer = vec![0; 2_000_000];
    ssh.request(&body).unwrap().read_exact(&mut answer).unwrap();
    assert!(answer[..1_000_000].iter().all(|b| *b == 0));
    assert!(answer[1_000_000..].iter().all(|b| *b == 7));
}

#[test]
fn the_program_gets_its_arguments_and_its_environment_and_no_more() {
    let desk = Desk::new();
    let seen = desk.folder.path().join("seen");
    let script = format!("{{ printf '<%s>' \"$@\"; env; }} > '{}'", seen.display());
    let url = "ssh://me@example.com:2222/a%20b;id";
    failure(&mut desk.ssh(&script, url));
    let seen = fs::read_to_string(seen).unwrap();
    assert!(
        seen.starts_with(
            "<-o><BatchMode=yes><-o><SendEnv=GIT_PROTOCOL><-p><2222><me@example.com><git-upload-pack '/a b;id'>"
        ),
        "{seen}"
    );
    let mut names: Vec<_> = seen.split_once("id'>").unwrap().1.lines().collect();
    names.retain(|line| {
        !["PWD=", "SHLVL=", "_=", "OLDPWD=", "PATH="]
            .iter()
            .any(|own| line.starts_with(own))
    });
    names.sort_unstable();
    assert_eq!(names, ["GIT_PROTOCOL=version=2", "MARK=given"]);
}

#[test]
fn a_shell_command_is_run_with_its_own_arguments_first() {
    let desk = Desk::new();
    let seen = desk.folder.path().join("seen");
    let program = desk.program(
        "ssh",
        &format!("printf '<%s>' \"$@\" > '{}'", seen.display()),
    );
    let mut access = desk.access.clone();
    access.ssh_command = Some(format!("'{}' -i \"my $MARK key\"", program.display()));
    let url = "h:$(touch pwned)`id`";
    failure(&mut ssh(url, &access, &CancelToken::default()).unwrap());
    assert_eq!(
        fs::read_to_string(seen).unwrap(),
        "<-i><my given key><-o><BatchMode=yes><-o><SendEnv=GIT_PROTOCOL><h><git-upload-pack '$(touch pwned)`id`'>"
    );
}

/// Runs a program with a name of its own, that is asked with `-G` first.
fn asked(desk: &Desk, knows: bool, url: &str) -> (GitError, String) {
    let seen = desk.folder.path().join("seen");
    let status = i32::from(!knows);
    let script = format!(
        "printf '<%s>' \"$@\" >> '{0}'; echo >> '{0}'; case $1 in -G) exit {status};; esac",
        seen.display()
    );
    let mut access = desk.access.clone();
    access.ssh_program = Some(desk.program("my-way", &script).into());
    let error = failure(&mut ssh(url, &access, &CancelToken::default()).unwrap());
    (error, fs::read_to_string(seen).unwrap())
}

#[test]
fn a_program_with_a_name_of_its_own_is_asked_what_it_knows() {
    let (_, seen) = asked(&Desk::new(), true, "ssh://h:2222/a");
    let options = "<-o><BatchMode=yes><-o><SendEnv=GIT_PROTOCOL><-p><2222><h>";
    assert_eq!(
        seen,
        format!("<-G>{options}\n{options}<git-upload-pack '/a'>\n")
    );
    let (_, seen) = asked(&Desk::new(), false, "ssh://h/a");
    assert_eq!(seen.lines().last(), Some("<h><git-upload-pack '/a'>"));
    let (error, seen) = asked(&Desk::new(), false, "ssh://h:2222/a");
    assert!(matches!(error, GitError::SshPort { .. }), "{error}");
    assert_eq!(seen.lines().count(), 1, "it was only asked: {seen}");
}

#[test]
fn an_address_that_could_be_an_option_runs_nothing() {
    let desk = Desk::new();
    let error = ssh(
        "ssh://-oProxyCommand=id/a",
        &desk.access,
        &CancelToken::default(),
    );
    let error = error.err().unwrap();
    let dash = InvalidSshAddress::Dash { part: "host" };
    assert!(matches!(&error, GitError::SshAddress { source, .. } if *source == dash));
    assert_eq!(error.kind(), Kind::User);
    let error = ssh("ssh://me:s3cret@h/a", &desk.access, &CancelToken::default());
    let error = error.err().unwrap();
    let shown = format!("{error:?} {}", crate::error::message_with_causes(&error));
    assert!(
        shown.contains("password") && !shown.contains("s3cret"),
        "{shown}"
    );
}

#[test]
fn an_unknown_host_key_says_how_to_check_it() {
    let said = "No ED25519 host key is known for [example.com]:2222 and you have requested strict checking.\r\nHost key verification failed.\r\n";
    let error = Desk::new().failing(said, 255);
    let GitError::UnknownHostKey { host, message, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(host, "[example.com]:2222");
    assert!(message.starts_with("No ED25519 host key is known"));
    assert!(hints(&error).contains("`ssh -p 2222 example.com`"));
    assert!(hints(&error).contains("ssh-keyscan -p 2222 example.com"));
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[test]
fn a_changed_host_key_warns() {
    let said = "@@@@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@@@@@@@@\r\nIT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r\nHost key for alias.example has changed and you have requested strict checking.\r\nHost key verification failed.\r\n";
    let error = Desk::new().failing(said, 255);
    let GitError::ChangedHostKey { host, message, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(host, "alias.example");
    assert_eq!(message, "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!");
    assert!(hints(&error).contains("ssh-keygen -R 'alias.example'"));
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[test]
fn a_host_that_names_itself_a_command_is_not_named_in_a_hint() {
    let said = "No ED25519 host key is known for `id` and so on\nHost key verification failed.\n";
    let error = Desk::new().failing(said, 255);
    assert!(!hints(&error).contains("`id`"), "{}", hints(&error));
    assert!(hints(&error).contains("ssh -p 2222 example.com"));
}

#[test]
fn being_denied_speaks_of_keys() {
    let error = Desk::new().failing("git@h: Permission denied (publickey).\r\n", 255);
    assert!(matches!(&error, GitError::Denied { .. }), "{error:?}");
    assert!(hints(&error).contains("ssh-add -l"));
}

#[test]
fn a_host_that_is_not_reached_is_a_connection() {
    for said in [
        "ssh: Could not resolve hostname example.com: Name or service not known\r\n",
        "ssh: connect to host example.com port 22: Connection refused\r\n",
        "kex_exchange_identification: Connection closed by remote host\r\n",
        "something that no one foresaw\r\n",
        "",
    ] {
        let error = Desk::new().failing(said, 255);
        let GitError::Connection { reason, .. } = &error else {
            panic!("{error:?}")
        };
        let want = match said {
            "" => "`ssh` ended with status 255",
            said => said.trim_end(),
        };
        assert_eq!(reason, want);
    }
}

#[test]
fn a_repository_that_is_not_there_is_told_apart() {
    for said in [
        "fatal: '/a.git' does not appear to be a git repository\n",
        "ERROR: Repository not found.\n",
        "sh: 1: git-upload-pack: not found\n",
    ] {
        let error = Desk::new().failing(said, 128);
        assert!(matches!(&error, GitError::NotServed { .. }), "{error:?}");
    }
}

#[test]
fn what_a_server_says_is_one_bounded_line_without_control_characters() {
    let said = format!(
        "\x1b]0;title\x07\x1b[31mERROR: no\x1b[0m\u{202e}{}\n",
        "x".repeat(20_000)
    );
    let error = Desk::new().failing(&said, 1);
    let shown = error.to_string();
    assert!(
        !shown.contains(char::is_control) && !shown.contains('\u{202e}'),
        "{shown}"
    );
    assert!(shown.len() < 600, "{}", shown.len());
}

#[test]
fn a_server_that_has_answered_cannot_pretend_to_be_a_host_key_that_changed() {
    let desk = Desk::new();
    let script = "printf 0000; echo 'REMOTE HOST IDENTIFICATION HAS CHANGED' >&2; exit 1";
    let mut ssh = desk.ssh(script, "h:a");
    ssh.greeting().unwrap().read_exact(&mut [0; 4]).unwrap();
    let error = failure(&mut ssh);
    assert!(matches!(&error, GitError::Connection { .. }), "{error:?}");
}

#[test]
fn a_missing_program_is_told() {
    let desk = Desk::new();
    let mut access = desk.access.clone();
    access.ssh_program = Some("/nowhere/ssh".into());
    let error = failure(&mut ssh("h:a", &access, &CancelToken::default()).unwrap());
    assert!(matches!(&error, GitError::NoProgram { .. }), "{error:?}");
    assert!(hints(&error).contains("GIT_SSH_COMMAND"));
    access.ssh_command = Some("/nowhere/ssh -v".to_owned());
    let error = failure(&mut ssh("h:a", &access, &CancelToken::default()).unwrap());
    assert!(matches!(&error, GitError::NoProgram { .. }), "{error:?}");
}

#[test]
fn cancelling_ends_a_read_that_waits_and_the_program() {
    let desk = Desk::new();
    let cancel = CancelToken::default();
    let mut access = desk.access.clone();
    let pid = desk.folder.path().join("pid");
    let script = format!("echo $$ > '{}'; exec sleep 600", pid.display());
    access.ssh_program = Some(desk.program("ssh", &script).into());
    let mut ssh = ssh("h:a", &access, &cancel).unwrap();
    let begun = Instant::now();
    let asking = cancel.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        asking.cancel();
    });
    assert!(matches!(failure(&mut ssh), GitError::Cancelled(_)));
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(is_gone(&pid));
}

#[test]
fn dropping_the_conversation_ends_the_program() {
    let desk = Desk::new();
    let pid = desk.folder.path().join("pid");
    let script = format!("echo $$ > '{}'; printf 0000; exec sleep 600", pid.display());
    let mut ssh = desk.ssh(&script, "h:a");
    ssh.greeting().unwrap().read_exact(&mut [0; 4]).unwrap();
    assert!(!is_gone(&pid));
    drop(ssh);
    assert!(is_gone(&pid));
}

/// Whether the process whose id is in this file has ended and been reaped.
fn is_gone(pid: &Path) -> bool {
    let pid = fs::read_to_string(pid).unwrap();
    let look = Command::new("kill").args(["-0", pid.trim()]).output();
    !look.unwrap().status.success()
}

#[test]
fn a_host_is_asked_for_large_files() {
    let desk = Desk::new();
    let url = "ssh://git@example.com/a b.git";
    let ask = |script: &str| desk.ssh(script, url).large_files();
    let said = ask("for last; do :; done; echo \"$last\"").unwrap();
    let said = String::from_utf8(said.unwrap()).unwrap();
    assert_eq!(said, "git-lfs-authenticate '/a b.git' download\n");
    // What hosts say that do not know the command.
    for (says, status) in [
        ("sh: 1: git-lfs-authenticate: not found", 127),
        ("ERROR: Unknown command: git-lfs-authenticate", 1),
        ("fatal: unrecognized command 'git-lfs-authenticate'", 128),
        ("", 1),
    ] {
        let script = format!("echo \"{says}\" >&2; exit {status}");
        assert!(ask(&script).unwrap().is_none(), "{says}");
    }
    // Who is not let in is told so, whatever else is said.
    let script = "echo 'git-lfs-authenticate me@h: Permission denied (publickey).' >&2; exit 255";
    assert!(matches!(ask(script), Err(GitError::Denied { .. })));
    let script = "echo 'ERROR: Repository not found.' >&2; exit 1";
    assert!(matches!(ask(script), Err(GitError::NotServed { .. })));
}
