//! Conversations with servers that say what the test wrote.
#![expect(
    clippy::disallowed_methods,
    reason = "the test makes a repository to fetch from"
)]

use std::collections::VecDeque;
use std::io::Cursor;

use git2::{IndexAddOption, Signature};
use tempfile::TempDir;

use super::*;

/// A carrier whose other end is a list of answers.
struct Canned {
    greeting: Vec<u8>,
    answers: VecDeque<Vec<u8>>,
    requests: Vec<Vec<u8>>,
    is_stateless: bool,
}

impl Transport for Canned {
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, GitError> {
        Ok(Box::new(Cursor::new(self.greeting.clone())))
    }

    fn request(&mut self, body: &[u8]) -> Result<Box<dyn Read + '_>, GitError> {
        self.requests.push(body.to_vec());
        let answer = self.answers.pop_front().unwrap_or_default();
        Ok(Box::new(Cursor::new(answer)))
    }

    fn is_stateless(&self) -> bool {
        self.is_stateless
    }

    fn failure(&mut self, read: io::Error) -> GitError {
        GitError::Connection {
            url: "canned".to_owned(),
            reason: read.to_string(),
        }
    }
}

/// Lines as packets; `0000` and `0001` stand for themselves.
fn packets(lines: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        match *line {
            "0000" | "0001" => bytes.extend_from_slice(line.as_bytes()),
            line => bytes.extend_from_slice(&data(format!("{line}\n").as_bytes())),
        }
    }
    bytes
}

fn data(content: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{:04x}", content.len() + 4).into_bytes();
    bytes.extend_from_slice(content);
    bytes
}

fn side_band(band: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![band];
    bytes.extend_from_slice(content);
    data(&bytes)
}

fn wire(greeting: Vec<u8>, answers: Vec<Vec<u8>>) -> Wire<Canned> {
    let transport = Canned {
        greeting,
        answers: answers.into(),
        requests: Vec::new(),
        is_stateless: true,
    };
    Wire::new("canned".to_owned(), transport)
}

const TWO: [&str; 5] = [
    "version 2",
    "agent=git/2.50",
    "ls-refs=unborn",
    "fetch=shallow wait-for-done filter",
    "0000",
];

/// Two commits, and a pack of the second without the first.
struct Source {
    _folder: TempDir,
    first: Oid,
    second: Oid,
    pack: Vec<u8>,
}

fn source() -> Source {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::init(folder.path()).unwrap();
    let who = Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let commit = |text: &str, parent: Option<Oid>| {
        std::fs::write(folder.path().join("metadata.rb"), text).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["."], IndexAddOption::DEFAULT, None).unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let parent = parent.map(|id| repository.find_commit(id).unwrap());
        let parents: Vec<_> = parent.iter().collect();
        repository
            .commit(None, &who, &who, text, &tree, &parents)
            .unwrap()
    };
    let first = commit("version '1.0.0'\n", None);
    let second = commit("version '2.0.0'\n", Some(first));
    let mut builder = repository.packbuilder().unwrap();
    let tree = repository.find_commit(second).unwrap().tree_id();
    builder.insert_object(second, None).unwrap();
    builder.insert_tree(tree).unwrap();
    let mut pack = git2::Buf::new();
    builder.write_buf(&mut pack).unwrap();
    Source {
        pack: pack.to_vec(),
        _folder: folder,
        first,
        second,
    }
}

fn mirror() -> (TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::init_bare(folder.path()).unwrap();
    (folder, repository)
}

fn answer(source: &Source) -> Vec<u8> {
    let mut answer = packets(&[
        "shallow-info",
        &format!("shallow {}", source.second),
        "0001",
        "packfile",
    ]);
    answer.extend(side_band(2, b"Counting objects: 3\r"));
    for piece in source.pack.chunks(50) {
        answer.extend(side_band(1, piece));
    }
    answer.extend_from_slice(b"0000");
    answer
}

fn said(wire: &Wire<Canned>, request: usize) -> String {
    String::from_utf8_lossy(&wire.transport.requests[request]).into_owned()
}

#[test]
fn version_two_tells_of_what_is_asked_for() {
    let source = source();
    let (second, tag) = (source.second, "a".repeat(40));
    let listed = packets(&[
        &format!("{second} HEAD symref-target:refs/heads/trunk"),
        &format!("{second} refs/heads/trunk"),
        &format!("{tag} refs/tags/v1 peeled:{second}"),
        "0000",
    ]);
    let mut wire = wire(packets(&TWO), vec![listed]);
    let refs = wire
        .refs(&["refs/heads/trunk".to_owned(), "HEAD".to_owned()])
        .unwrap();
    assert_eq!(refs.head.as_deref(), Some("refs/heads/trunk"));
    assert_eq!(refs.names["refs/tags/v1"].peeled, Some(second));
    assert_eq!(refs.names["refs/heads/trunk"].id, second);
    let said = said(&wire, 0);
    assert!(said.contains("command=ls-refs"), "{said}");
    assert_eq!(said.matches("ref-prefix HEAD\n").count(), 1, "{said}");
    assert!(said.contains("ref-prefix refs/heads/trunk\n"), "{said}");
}

#[test]
fn one_commit_comes_without_its_history() {
    let source = source();
    let mut wire = wire(packets(&TWO), vec![answer(&source)]);
    let (_folder, mirror) = mirror();
    let mut seen = Progress::default();
    let wants = Wants::Shallow(vec![source.second]);
    let keep = &mut |now| {
        seen = now;
        true
    };
    wire.bring(&mirror, &wants, keep).unwrap();
    assert_eq!((seen.objects, seen.total), (3, 3));
    assert_eq!(seen.bytes, source.pack.len() as u64);
    assert!(mirror.find_commit(source.second).is_ok());
    assert!(mirror.find_commit(source.first).is_err());
    let roots: Vec<_> = ShallowRoots::read(mirror.path())
        .unwrap()
        .ids()
        .copied()
        .collect();
    assert_eq!(roots, [source.second]);
    let said = said(&wire, 0);
    assert!(
        said.contains(&format!("want {}\n", source.second)),
        "{said}"
    );
    assert!(
        said.contains("deepen 1\n") && said.ends_with("0009done\n0000"),
        "{said}"
    );
}

#[test]
fn version_zero_tells_all_and_gives_the_same() {
    let source = source();
    let capabilities = "multi_ack thin-pack side-band-64k ofs-delta shallow \
        symref=HEAD:refs/heads/trunk agent=git/1.8";
    let second = source.second;
    let mut greeting = packets(&["# service=git-upload-pack", "0000"]);
    greeting.extend(data(format!("{second} HEAD\0{capabilities}\n").as_bytes()));
    greeting.extend(packets(&[
        &format!("{second} refs/heads/trunk"),
        &format!("{} refs/tags/v1", "b".repeat(40)),
        &format!("{second} refs/tags/v1^{{}}"),
        "0000",
    ]));
    let mut reply = packets(&[&format!("shallow {second}"), "0000", "NAK"]);
    reply.extend(side_band(1, &source.pack));
    reply.extend_from_slice(b"0000");
    let mut wire = wire(greeting, vec![reply]);
    let refs = wire.refs(&[]).unwrap();
    assert_eq!(refs.head.as_deref(), Some("refs/heads/trunk"));
    assert_eq!(refs.names["refs/tags/v1"].peeled, Some(second));
    let (_folder, mirror) = mirror();
    wire.bring(&mirror, &Wants::Shallow(vec![second]), &mut |_| true)
        .unwrap();
    assert!(mirror.find_commit(second).is_ok());
    let said = said(&wire, 0);
    assert!(
        said.contains(&format!("want {second} thin-pack side-band-64k")),
        "{said}"
    );
    assert!(!said.contains("multi_ack"), "{said}");
    // A commit at no tip is not even asked for: the server would end the conversation.
    let other = wire.bring(&mirror, &Wants::Shallow(vec![source.first]), &mut |_| true);
    assert!(matches!(other, Err(GitError::Refused { .. })), "{other:?}");
}

#[test]
fn what_the_mirror_has_is_told_to_the_server() {
    let source = source();
    let mut wire = wire(packets(&TWO), vec![answer(&source), Vec::new()]);
    let (_folder, mirror) = mirror();
    wire.bring(&mirror, &Wants::Shallow(vec![source.second]), &mut |_| true)
        .unwrap();
    crate::git::shallow::remember_commits(&mirror, &[source.second]).unwrap();
    let all = wire.bring(&mirror, &Wants::History(vec![source.second]), &mut |_| true);
    assert!(matches!(all, Err(GitError::Connection { .. })), "{all:?}");
    let said = said(&wire, 1);
    for line in [
        format!("shallow {}\n", source.second),
        "deepen 2147483647\n".to_owned(),
        format!("have {}\n", source.second),
    ] {
        assert!(said.contains(&line), "{said}");
    }
}

#[test]
fn a_server_that_says_no_is_quoted_without_what_a_terminal_obeys() {
    let refusal = packets(&["ERR upload-pack: not our ref\x1b[31m\tabc"]);
    let mut wire = wire(packets(&TWO), vec![refusal]);
    let (_folder, mirror) = mirror();
    let wants = Wants::Shallow(vec![Oid::from_str(&"c".repeat(40)).unwrap()]);
    let Err(GitError::NotThere { message, .. }) = wire.bring(&mirror, &wants, &mut |_| true) else {
        panic!("it is refused");
    };
    assert_eq!(message, "upload-pack: not our ref [31m abc");
}

#[test]
fn an_answer_that_ends_too_early_stores_nothing() {
    let source = source();
    let whole = answer(&source);
    for length in [0, 10, 60, whole.len() / 2, whole.len() - 4] {
        let mut wire = wire(packets(&TWO), vec![whole[..length].to_vec()]);
        let (_folder, mirror) = mirror();
        let brought = wire.bring(&mirror, &Wants::Shallow(vec![source.second]), &mut |_| true);
        assert!(
            matches!(brought, Err(GitError::Connection { .. })),
            "{length}: {brought:?}"
        );
        assert!(mirror.find_commit(source.second).is_err(), "{length}");
    }
}

#[test]
fn a_pack_with_a_wrong_byte_is_refused() {
    let mut source = source();
    let middle = source.pack.len() / 2;
    source.pack[middle] ^= 1;
    let mut wire = wire(packets(&TWO), vec![answer(&source)]);
    let (_folder, mirror) = mirror();
    let brought = wire.bring(&mirror, &Wants::Shallow(vec![source.second]), &mut |_| true);
    assert!(
        matches!(brought, Err(GitError::Fetch { .. })),
        "{brought:?}"
    );
    assert!(mirror.find_commit(source.second).is_err());
}

#[test]
fn who_stops_is_obeyed() {
    let source = source();
    let mut wire = wire(packets(&TWO), vec![answer(&source)]);
    let (_folder, mirror) = mirror();
    let brought = wire.bring(&mirror, &Wants::Shallow(vec![source.second]), &mut |_| {
        false
    });
    assert!(
        matches!(brought, Err(GitError::Cancelled(_))),
        "{brought:?}"
    );
    assert!(mirror.find_commit(source.second).is_err());
}

#[test]
fn other_servers_and_other_formats_are_told_apart() {
    let with = |line| {
        let mut lines = TWO.to_vec();
        lines.insert(1, line);
        wire(packets(&lines), Vec::new()).refs(&[]).unwrap_err()
    };
    assert!(matches!(
        with("object-format=sha256"),
        GitError::ObjectFormat { .. }
    ));
    let first = |greeting: Vec<u8>| wire(greeting, Vec::new()).refs(&[]).unwrap_err();
    assert!(matches!(
        first(b"<html>".to_vec()),
        GitError::Protocol { .. }
    ));
    assert!(matches!(first(Vec::new()), GitError::Connection { .. }));
    assert!(matches!(
        first(packets(&["nonsense", "0000"])),
        GitError::Protocol { .. }
    ));
    let mut sha256 = data(format!("{} HEAD\0object-format=sha256\n", "d".repeat(64)).as_bytes());
    sha256.extend_from_slice(b"0000");
    assert!(matches!(first(sha256), GitError::ObjectFormat { .. }));
    // A repository without a commit has nothing, in either version.
    let nothing = format!("{} capabilities^{{}}\0side-band-64k\n", "0".repeat(40));
    let mut empty = data(nothing.as_bytes());
    empty.extend_from_slice(b"0000");
    let refs = wire(empty, Vec::new()).refs(&[]).unwrap();
    assert!(refs.names.is_empty() && refs.head.is_none());
}
