//! Against repositories on this machine, with the real `git`.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests make repositories and a server"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use git2::{Signature, Time};
use tempfile::TempDir;

use super::*;
use crate::git::transport::RemoteRef;

struct Desk {
    folder: TempDir,
    access: GitAccess,
    cancel: CancelToken,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let access = GitAccess {
            environment: vec![
                ("PATH".into(), path),
                ("HOME".into(), folder.path().into()),
                ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ],
            ..GitAccess::default()
        };
        Self {
            folder,
            access,
            cancel: CancelToken::default(),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A repository with this many commits on `main`, each with one file of its own more, an annotated
    /// tag of the first and a branch at the second.
    fn remote(&self, commits: usize) -> (Repository, Vec<Oid>) {
        let repository = Repository::init_bare(self.at("remote.git")).unwrap();
        repository.set_head("refs/heads/main").unwrap();
        let ids: Vec<_> = (0..commits).map(|n| commit(&repository, n)).collect();
        let first = repository.find_object(ids[0], None).unwrap();
        repository.tag("v1", &first, &who(0), "one", false).unwrap();
        let second = repository.find_commit(ids[1]).unwrap();
        repository.branch("side", &second, false).unwrap();
        drop((first, second));
        (repository, ids)
    }

    fn mirror(&self) -> Repository {
        Repository::init_bare(self.at("mirror.git")).unwrap()
    }

    fn executable(&self, url: &str) -> Executable {
        let ssh = SshProgram::of(&self.access, None, None);
        Executable::new(&url.parse().unwrap(), ssh, &self.access, &self.cancel).unwrap()
    }

    fn file(&self) -> Executable {
        self.executable(&format!("file://{}", self.at("remote.git").display()))
    }

    /// Puts a program of this name before all others. Another process writes it, see `ssh/tests.rs`.
    fn program(&mut self, name: &str, script: &str) {
        let folder = self.at("programs");
        fs::create_dir_all(&folder).unwrap();
        let mut sh = Command::new("/bin/sh")
            .args(["-c", "cat > \"$1\" && chmod +x \"$1\"", "sh"])
            .arg(folder.join(name))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("#!/bin/sh\n{script}\n");
        sh.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(sh.wait().unwrap().success());
        let path = &mut self.access.environment[0].1;
        let mut with = folder.into_os_string();
        with.push(":");
        with.push(&*path);
        *path = with;
    }
}

fn who(at: usize) -> Signature<'static> {
    let time = Time::new(1_700_000_000 + i64::try_from(at).unwrap(), 0);
    Signature::new("a", "a@example.com", &time).unwrap()
}

fn commit(repository: &Repository, number: usize) -> Oid {
    let head = repository
        .head()
        .ok()
        .map(|head| head.peel_to_commit().unwrap());
    let before = head.as_ref().map(|commit| commit.tree().unwrap());
    let mut tree = repository.treebuilder(before.as_ref()).unwrap();
    let blob = repository
        .blob(format!("content {number}").as_bytes())
        .unwrap();
    tree.insert(format!("file-{number}"), blob, 0o100_644)
        .unwrap();
    let tree = repository.find_tree(tree.write().unwrap()).unwrap();
    let parents: Vec<_> = head.iter().collect();
    let who = who(number);
    let id = repository.commit(Some("HEAD"), &who, &who, "a", &tree, &parents);
    id.unwrap()
}

fn all(_: Progress) -> bool {
    true
}

/// How many objects a fetch received.
fn received(executable: &mut Executable, mirror: &Repository, wants: &Wants) -> usize {
    let mut last = Progress::default();
    let brought = executable.bring(mirror, wants, &mut |progress| {
        last = progress;
        true
    });
    brought.unwrap();
    last.total
}

fn shallow(mirror: &Repository) -> Vec<String> {
    let text = fs::read_to_string(mirror.path().join("shallow")).unwrap_or_default();
    let mut ids: Vec<_> = text.lines().map(str::to_owned).collect();
    ids.sort();
    ids
}

fn has_only_objects(mirror: &Repository) -> bool {
    mirror.references().unwrap().count() == 0 && !mirror.path().join("FETCH_HEAD").exists()
}

#[test]
fn references_are_listed_with_what_tags_lead_to() {
    let desk = Desk::new();
    let (remote, ids) = desk.remote(3);
    let refs = desk
        .file()
        .refs(&["refs/heads/".into(), "refs/tags/v".into()])
        .unwrap();
    assert_eq!(refs.head.as_deref(), Some("refs/heads/main"));
    let names: Vec<_> = refs.names.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["HEAD", "refs/heads/main", "refs/heads/side", "refs/tags/v1"]
    );
    let at = |id| RemoteRef { id, peeled: None };
    assert_eq!(refs.names["refs/heads/main"], at(ids[2]));
    assert_eq!(refs.names["refs/heads/side"], at(ids[1]));
    let tag = remote.refname_to_id("refs/tags/v1").unwrap();
    let want = RemoteRef {
        id: tag,
        peeled: Some(ids[0]),
    };
    assert_eq!(refs.names["refs/tags/v1"], want);
    let few = desk.file().refs(&["refs/heads/s".into()]).unwrap();
    let names: Vec<_> = few.names.keys().map(String::as_str).collect();
    assert_eq!(names, ["HEAD", "refs/heads/main", "refs/heads/side"]);
    let many: Vec<_> = (0..MAX_PATTERNS + 1)
        .map(|n| format!("refs/heads/s{n}"))
        .collect();
    assert_eq!(desk.file().refs(&many).unwrap().names.len(), 2);
}

#[test]
fn an_empty_remote_has_no_head() {
    let desk = Desk::new();
    Repository::init_bare(desk.at("remote.git")).unwrap();
    let refs = desk.file().refs(&["refs/".into()]).unwrap();
    assert_eq!((refs.head, refs.names.len()), (None, 0));
}

#[test]
fn commits_are_brought_by_their_ids_without_their_history() {
    let desk = Desk::new();
    let (remote, ids) = desk.remote(6);
    let mirror = desk.mirror();
    let mut executable = desk.file();
    // No branch and no tag is at this one.
    executable
        .bring(&mirror, &Wants::Shallow(vec![ids[3]]), &mut all)
        .unwrap();
    assert!(has_only_objects(&mirror));
    assert_eq!(mirror.find_commit(ids[3]).unwrap().tree().unwrap().len(), 4);
    assert!(mirror.find_blob(remote.blob(b"content 0").unwrap()).is_ok());
    assert!(mirror.find_commit(ids[2]).is_err());
    // A later one needs only what is not there yet, and the first stays known as one without history.
    let tag = remote.refname_to_id("refs/tags/v1").unwrap();
    let wants = Wants::Shallow(vec![ids[4], tag]);
    let objects = received(&mut executable, &mirror, &wants);
    assert_eq!(objects, 6, "two commits, two trees, a tag and a blob");
    let mut want = vec![ids[0].to_string(), ids[3].to_string(), ids[4].to_string()];
    want.sort();
    assert_eq!(shallow(&mirror), want);
    assert!(mirror.find_tag(tag).is_ok());
    assert!(has_only_objects(&mirror));
}

#[test]
fn the_whole_history_follows_what_was_brought_without_it() {
    let desk = Desk::new();
    let (remote, ids) = desk.remote(6);
    let mirror = desk.mirror();
    let mut executable = desk.file();
    executable
        .bring(&mirror, &Wants::Shallow(vec![ids[3]]), &mut all)
        .unwrap();
    executable
        .bring(&mirror, &Wants::History(vec![ids[5]]), &mut all)
        .unwrap();
    assert!(shallow(&mirror).is_empty());
    assert!(ids.iter().all(|id| mirror.find_commit(*id).is_ok()));
    assert!(has_only_objects(&mirror));
    // Of what came since, only that is brought.
    let next = commit(&remote, 6);
    let wants = Wants::History(vec![next]);
    assert_eq!(
        received(&mut executable, &mirror, &wants),
        3,
        "a commit, a tree and a blob"
    );
    assert_eq!(received(&mut executable, &mirror, &wants), 0);
}

#[test]
fn the_history_of_a_shallow_remote_is_what_it_has() {
    let desk = Desk::new();
    let (_, ids) = desk.remote(4);
    let whole = Desk {
        folder: tempfile::tempdir().unwrap(),
        ..Desk::new()
    };
    let half = Repository::init_bare(whole.at("remote.git")).unwrap();
    let wants = Wants::Shallow(vec![ids[3]]);
    desk.file().bring(&half, &wants, &mut all).unwrap();
    half.reference("refs/heads/main", ids[3], false, "")
        .unwrap();
    let mirror = whole.mirror();
    whole
        .file()
        .bring(&mirror, &Wants::History(vec![ids[3]]), &mut all)
        .unwrap();
    assert_eq!(mirror.find_commit(ids[3]).unwrap().tree().unwrap().len(), 4);
    assert!(mirror.is_shallow() && has_only_objects(&mirror));
}

#[test]
fn a_mirror_that_a_kill_left_half_done_is_filled() {
    let desk = Desk::new();
    let (remote, ids) = desk.remote(4);
    let mirror = desk.mirror();
    // A commit is there whose files are not: the server must not be told that it is.
    let database = remote.odb().unwrap();
    let half = database.read(ids[2]).unwrap();
    mirror
        .odb()
        .unwrap()
        .write(ObjectType::Commit, half.data())
        .unwrap();
    desk.file()
        .bring(&mirror, &Wants::History(vec![ids[3]]), &mut all)
        .unwrap();
    let mut walk = mirror.revwalk().unwrap();
    walk.push(ids[3]).unwrap();
    for id in walk {
        for entry in &mirror.find_commit(id.unwrap()).unwrap().tree().unwrap() {
            assert!(mirror.find_blob(entry.id()).is_ok());
        }
    }
}

#[test]
fn a_server_that_gives_no_commit_by_its_id_has_refused() {
    let mut desk = Desk::new();
    let (_, ids) = desk.remote(6);
    desk.access.config_values = vec![("protocol.version".into(), "0".into())];
    let mut executable = desk.file();
    let wants = Wants::Shallow(vec![ids[3]]);
    let error = executable
        .bring(&desk.mirror(), &wants, &mut all)
        .unwrap_err();
    assert!(matches!(&error, GitError::Refused { .. }), "{error:?}");
    let wants = Wants::Shallow(vec![Oid::from_str(&"1".repeat(40)).unwrap()]);
    desk.access.config_values.clear();
    let error = desk
        .file()
        .bring(&desk.mirror(), &wants, &mut all)
        .unwrap_err();
    assert!(matches!(&error, GitError::Refused { .. }), "{error:?}");
}

#[test]
fn a_repository_or_a_git_that_is_not_there_is_told() {
    let mut desk = Desk::new();
    let error = desk.file().refs(&[]).unwrap_err();
    assert!(matches!(&error, GitError::NotServed { .. }), "{error:?}");
    desk.access.environment[0].1 = "/nowhere".into();
    let error = desk.file().refs(&[]).unwrap_err();
    assert!(matches!(&error, GitError::NoProgram { .. }), "{error:?}");
}

#[test]
fn an_address_that_is_rewritten_to_a_command_runs_nothing() {
    let mut desk = Desk::new();
    let run = desk.at("run");
    let settings = [
        (
            format!("url.ext::touch {} .insteadOf", run.display()),
            "https://bad/",
        ),
        ("protocol.ext.allow".to_owned(), "always"),
    ];
    desk.access.config_values = settings.map(|(key, value)| (key, value.to_owned())).into();
    let allowed = ("GIT_ALLOW_PROTOCOL".into(), "ext:https".into());
    desk.access.environment.push(allowed);
    let error = desk.executable("https://bad/x").refs(&[]).unwrap_err();
    assert!(
        error.to_string().contains("transport 'ext' not allowed"),
        "{error}"
    );
    assert!(!run.exists());
}

#[test]
fn an_ssh_address_that_could_be_an_option_is_refused() {
    let desk = Desk::new();
    for url in [
        "ssh://-oProxyCommand=id/a",
        "host:-a",
        "ssh://me:s3cret@h/a",
    ] {
        let ssh = SshProgram::of(&desk.access, None, None);
        let made = Executable::new(&url.parse().unwrap(), ssh, &desk.access, &desk.cancel);
        assert!(
            matches!(made.err().unwrap(), GitError::SshAddress { .. }),
            "{url}"
        );
    }
}

#[test]
fn through_ssh_nobody_is_asked() {
    let mut desk = Desk::new();
    let (_, ids) = desk.remote(2);
    let seen = desk.at("seen");
    let script = format!(
        "printf '<%s>' \"$@\" > '{}'; for last; do :; done; exec sh -c \"$last\"",
        seen.display()
    );
    desk.program("ssh", &script);
    desk.access.ssh_command = Some("ssh -v".to_owned());
    let url = format!("me@example.com:{}", desk.at("remote.git").display());
    let mirror = desk.mirror();
    let mut executable = desk.executable(&url);
    assert_eq!(
        executable.refs(&["refs/heads/".into()]).unwrap().names["HEAD"].id,
        ids[1]
    );
    executable
        .bring(&mirror, &Wants::Shallow(vec![ids[0]]), &mut all)
        .unwrap();
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.starts_with("<-v><-o><BatchMode=yes>"), "{seen}");
    assert!(
        seen.contains("<me@example.com><git-upload-pack '"),
        "{seen}"
    );
}

/// A server that lets in only who has this header, and then knows of no repository. Gives what
/// programs of this machine were started with while it was asked, and the headers it was given.
fn http_server(
    answers: usize,
    wanted: &'static str,
) -> (String, thread::JoinHandle<(String, Vec<String>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let served = thread::spawn(move || {
        let (mut running, mut given) = (String::new(), Vec::new());
        for _ in 0..answers {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<_> = lines
                .map(Result::unwrap)
                .take_while(|l| !l.is_empty())
                .collect();
            let authorization = head
                .iter()
                .find_map(|line| line.strip_prefix("Authorization: "));
            running += &command_lines();
            let status = match authorization {
                Some(value) if value == wanted => "404 Not Found",
                _ => "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"",
            };
            given.extend(authorization.map(str::to_owned));
            let text =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(text.as_bytes()).unwrap();
        }
        (running, given)
    });
    (host, served)
}

/// The command lines of all processes, as every user of the machine can read them.
fn command_lines() -> String {
    let Ok(processes) = fs::read_dir("/proc") else {
        let listed = Command::new("ps")
            .args(["-A", "-ww", "-o", "args"])
            .output();
        return String::from_utf8_lossy(&listed.unwrap().stdout).into_owned();
    };
    let lines = processes
        .flatten()
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_folder_that_git_would_take_for_something_else_is_refused() {
    let desk = Desk::new();
    for url in ["a.git", "../a.git", "h:a"] {
        let ssh = SshProgram::of(&desk.access, None, None);
        let made = Executable::new(&url.parse().unwrap(), ssh, &desk.access, &desk.cancel);
        assert!(
            matches!(made.err().unwrap(), GitError::Executable { .. }),
            "{url}"
        );
    }
    desk.remote(2);
    let folder = desk.at("remote.git");
    let refs = desk.executable(folder.to_str().unwrap()).refs(&[]).unwrap();
    assert_eq!(refs.head.as_deref(), Some("refs/heads/main"));
}

#[test]
fn credentials_of_an_address_reach_the_server_and_no_command_line() {
    let desk = Desk::new();
    // `me:s3cret-1!` in base64.
    let (host, served) = http_server(2, "Basic bWU6czNjcmV0LTEh");
    let url = format!("http://me:s3cret-1%21@{host}/a.git");
    let error = desk.executable(&url).refs(&[]).unwrap_err();
    let (running, given) = served.join().unwrap();
    assert_eq!(given, ["Basic bWU6czNjcmV0LTEh"]);
    assert!(
        running.contains(&format!("http://{host}/a.git")),
        "{running}"
    );
    assert!(!running.contains("s3cret-1"), "{running}");
    assert!(
        matches!(&error, GitError::RemoteNotFound { .. }),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn wrong_credentials_are_denied_and_not_shown() {
    let desk = Desk::new();
    let (host, served) = http_server(2, "Basic other");
    let url = format!("http://me:s3cret-2@{host}/a.git");
    let error = desk.executable(&url).refs(&[]).unwrap_err();
    assert_eq!(served.join().unwrap().1.len(), 1);
    assert!(matches!(&error, GitError::Unauthorized { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn without_credentials_nobody_is_asked() {
    let mut desk = Desk::new();
    let asked = desk.at("asked");
    desk.program("ask", &format!("touch '{}'", asked.display()));
    desk.access
        .environment
        .push(("SSH_ASKPASS".into(), "ask".into()));
    let (host, served) = http_server(1, "");
    let error = desk
        .executable(&format!("http://{host}/a"))
        .refs(&[])
        .unwrap_err();
    served.join().unwrap();
    assert!(matches!(&error, GitError::Unauthorized { .. }), "{error:?}");
    assert!(!asked.exists());
}

/// What git itself answers to a question for credentials, in the environment of a fetch.
fn filled(desk: &Desk, host: &str) -> String {
    let mut command = desk
        .executable("https://me:own-secret@h/a")
        .command(Path::new("/"));
    let mut git = command
        .args(["credential", "fill"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let question = format!("protocol=https\nhost={host}\n\n");
    git.stdin
        .take()
        .unwrap()
        .write_all(question.as_bytes())
        .unwrap();
    String::from_utf8(git.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn tokens_are_given_to_their_hosts_and_to_no_other() {
    let mut desk = Desk::new();
    let tokens = [
        ("t.example", "t0ken"),
        ("u.example:8443", "bot:t0ken:2"),
        ("h", "unused"),
        ("bitbucket.org", "t0ken"),
    ];
    let tokens = tokens.map(|(host, token)| (host.to_owned(), token.to_owned().into()));
    desk.access.tokens = tokens.into();
    assert!(filled(&desk, "t.example").contains("username=x-access-token\npassword=t0ken\n"));
    assert!(filled(&desk, "u.example:8443").contains("username=bot\npassword=t0ken:2\n"));
    assert!(filled(&desk, "h").contains("username=me\npassword=own-secret\n"));
    assert!(filled(&desk, "bitbucket.org").contains("username=x-token-auth\n"));
    for other in ["u.example", "x.t.example", "hh"] {
        assert!(!filled(&desk, other).contains("password"), "{other}");
    }
}

#[test]
fn a_token_reaches_a_server_of_this_machine_over_http_too() {
    let mut desk = Desk::new();
    // `own:t0ken-3` in base64: the address's user goes with it.
    let (host, served) = http_server(2, "Basic b3duOnQwa2VuLTM=");
    let token = String::from("t0ken-3").into();
    desk.access.tokens = [(host.clone(), token)].into();
    let error = desk
        .executable(&format!("http://own@{host}/a"))
        .refs(&[])
        .unwrap_err();
    let (running, given) = served.join().unwrap();
    assert_eq!(given, ["Basic b3duOnQwa2VuLTM="]);
    assert!(!running.contains("t0ken-3"), "{running}");
    assert!(
        matches!(&error, GitError::RemoteNotFound { .. }),
        "{error:?}"
    );
}

#[test]
fn a_caller_that_asks_to_stop_is_obeyed() {
    let mut desk = Desk::new();
    desk.program("git", "exec sleep 600");
    let mirror = desk.mirror();
    let wants = Wants::History(vec![Oid::from_str(&"1".repeat(40)).unwrap()]);
    let mut asked = 0;
    let stopped = desk.file().bring(&mirror, &wants, &mut |_| {
        asked += 1;
        asked < 3
    });
    assert!(matches!(stopped, Err(GitError::Cancelled(_))));
    let cancel = desk.cancel.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        cancel.cancel();
    });
    assert!(matches!(desk.file().refs(&[]), Err(GitError::Cancelled(_))));
}

#[test]
fn what_is_received_is_told() {
    let desk = Desk::new();
    let (remote, _) = desk.remote(2);
    // Bytes that do not compress.
    let mut seed: u32 = 1;
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    let big: Vec<u8> = (0..3_000_000).map(|_| next()).collect();
    let blob = remote.blob(&big).unwrap();
    let mut tree = remote.treebuilder(None).unwrap();
    tree.insert("big", blob, 0o100_644).unwrap();
    let tree = remote.find_tree(tree.write().unwrap()).unwrap();
    let id = remote
        .commit(Some("refs/heads/big"), &who(9), &who(9), "a", &tree, &[])
        .unwrap();
    let mut last = Progress::default();
    let brought = desk
        .file()
        .bring(&desk.mirror(), &Wants::Shallow(vec![id]), &mut |progress| {
            last = progress;
            true
        });
    brought.unwrap();
    assert_eq!((last.objects, last.total), (3, 3));
    assert!((2_000_000..4_000_000).contains(&last.bytes), "{last:?}");
}
