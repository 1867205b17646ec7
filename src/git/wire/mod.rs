//! A client of git's wire protocol, version 2 with version 0 as the fallback, that fetches and never
//! pushes (git, `Documentation/gitprotocol-v2` and `Documentation/gitprotocol-pack`).
//!
//! libgit2 speaks version 0 alone: it is told of every reference that a repository has, and cannot be
//! given a commit that is at no tip unless the server was set up for it. Version 2 gives a locked
//! commit by its id, without its history, and tells only of the references that are asked for. What
//! comes is a pack, and libgit2 reads, checks and stores it.

mod greeting;
mod packet;
mod receive;
mod request;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use git2::{Oid, Repository};

use self::greeting::{Greeting, Version, read_greeting};
use self::packet::{Packet, read_packet};
use self::receive::read_answer;
use self::request::{fetch_v0, fetch_v2, list_refs};
use super::GitError;
use super::shallow::{ShallowRoots, known_commits};
use super::transport::{Progress, Remote, RemoteRef, RemoteRefs, Transport, Wants};

/// A repository that is reached through a carrier.
pub(super) struct Wire<T> {
    url: String,
    transport: T,
    /// What the server said first, while the conversation can go on.
    greeting: Option<Greeting>,
    speaks_two: bool,
}

/// What goes wrong while an answer is read.
#[derive(Debug)]
enum Broken {
    /// The stream failed or ended.
    Stream(io::Error),
    /// The server says that it cannot.
    Server(String),
    /// The answer is none that the protocol knows.
    Protocol(String),
    /// libgit2 cannot store what came.
    Pack(git2::Error),
    /// The caller asked to stop.
    Cancelled,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Protocol(error.to_string()),
            _ => Self::Stream(error),
        }
    }
}

impl<T: Transport> Wire<T> {
    /// `url` is the address as it is shown.
    pub(super) fn new(url: String, transport: T) -> Self {
        Self {
            url,
            transport,
            greeting: None,
            speaks_two: false,
        }
    }

    fn failed(&mut self, broken: Broken) -> GitError {
        let url = self.url.clone();
        self.greeting = None;
        match broken {
            Broken::Stream(error) => self.transport.failure(error),
            // In version 2 any object may be asked for, so that this is said of none that there is
            // (git, `upload-pack.c`, `parse_want`).
            Broken::Server(message) if self.speaks_two && message.contains("not our ref") => {
                GitError::NotThere { url, message }
            }
            Broken::Server(message) => GitError::Refused { url, message },
            Broken::Protocol(reason) => GitError::Protocol { url, reason },
            Broken::Pack(source) => GitError::Fetch { url, source },
            Broken::Cancelled => GitError::Cancelled(crate::event::Cancelled),
        }
    }

    /// What the server says first; a conversation that has not begun is begun.
    fn greeted(&mut self) -> Result<Greeting, GitError> {
        if let Some(greeting) = &self.greeting {
            return Ok(greeting.clone());
        }
        let read = read_greeting(&mut *self.transport.greeting()?);
        let greeting = read.map_err(|broken| self.failed(broken))?;
        if greeting.object_format != "sha1" {
            return Err(GitError::ObjectFormat {
                url: self.url.clone(),
                format: greeting.object_format,
            });
        }
        self.speaks_two = matches!(greeting.version, Version::Two);
        self.greeting = Some(greeting.clone());
        Ok(greeting)
    }
}

impl<T: Transport> Remote for Wire<T> {
    fn refs(&mut self, prefixes: &[String]) -> Result<RemoteRefs, GitError> {
        let greeting = self.greeted()?;
        match greeting.version {
            Version::Zero { refs } => Ok(refs),
            Version::Two => {
                let message = list_refs(&greeting.capabilities, prefixes);
                let read = read_refs(&mut *self.transport.request(message.bytes())?);
                read.map_err(|broken| self.failed(broken))
            }
        }
    }

    fn bring(
        &mut self,
        mirror: &Repository,
        wants: &Wants,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), GitError> {
        let greeting = self.greeted()?;
        let refused = |message: &str| GitError::Refused {
            url: self.url.clone(),
            message: message.to_owned(),
        };
        let mut roots = ShallowRoots::read(mirror.path())?;
        let known = known_commits(mirror);
        let message = match &greeting.version {
            Version::Two => {
                let wants = &with_history_if(!greeting.fetch_has("shallow"), wants);
                fetch_v2(&greeting.capabilities, wants, &roots, &known)
            }
            Version::Zero { refs } => {
                if !greeting.has("side-band-64k") {
                    return Err(GitError::Protocol {
                        url: self.url.clone(),
                        reason: "the server is too old: it has no side-band-64k".to_owned(),
                    });
                }
                if !greeting.may_want(refs, wants) {
                    return Err(refused(
                        "the server gives no commit that is at the tip of neither a branch nor a tag",
                    ));
                }
                let wants = &with_history_if(!greeting.has("shallow"), wants);
                fetch_v0(wants, &greeting.capabilities, &roots, &known)
            }
        };
        let received = {
            let mut stream = self.transport.request(message.bytes())?;
            read_answer(&mut *stream, mirror, &mut roots, progress)
        };
        // A conversation in version 0 ends with its pack.
        if matches!(greeting.version, Version::Zero { .. }) && !self.transport.is_stateless() {
            self.greeting = None;
        }
        match received {
            Ok(()) => Ok(()),
            Err(broken) => Err(self.failed(broken)),
        }
    }
}

/// The same commits with their history, where a server gives none without it.
fn with_history_if(needed: bool, wants: &Wants) -> Wants {
    match wants {
        Wants::Shallow(ids) if needed => Wants::History(ids.clone()),
        wants => wants.clone(),
    }
}

/// The lines of an answer to `ls-refs`.
fn read_refs(stream: &mut dyn Read) -> Result<RemoteRefs, Broken> {
    let mut refs = RemoteRefs::default();
    loop {
        match read_packet(stream)? {
            Some(Packet::Flush) => return Ok(refs),
            Some(packet @ Packet::Data(_)) => {
                let line = packet.line().unwrap_or_default();
                refuse_error(line)?;
                read_ref(line, &mut refs)?;
            }
            Some(_) => {
                return Err(Broken::Protocol(
                    "an unknown packet among the references".to_owned(),
                ));
            }
            None => return Err(Broken::Stream(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

/// One line: an id, a name, and attributes. A name that is not UTF-8 cannot be asked for in a
/// manifest and is passed over.
fn read_ref(line: &[u8], refs: &mut RemoteRefs) -> Result<(), Broken> {
    let Ok(line) = std::str::from_utf8(line) else {
        return Ok(());
    };
    let mut words = line.split(' ');
    let (Some(id), Some(name)) = (words.next(), words.next()) else {
        return Err(Broken::Protocol(format!(
            "`{}` is no reference",
            line.escape_debug()
        )));
    };
    let mut found = match id {
        // HEAD of a repository without a commit.
        "unborn" => return Ok(()),
        id => RemoteRef {
            id: parse_id(id)?,
            peeled: None,
        },
    };
    for attribute in words {
        if let Some(target) = attribute.strip_prefix("symref-target:") {
            if name == "HEAD" {
                refs.head = Some(target.to_owned());
            }
        } else if let Some(id) = attribute.strip_prefix("peeled:") {
            found.peeled = Some(parse_id(id)?);
        }
    }
    if name == "HEAD" && refs.head.is_none() {
        refs.head = Some("HEAD".to_owned());
    }
    refs.names.insert(name.to_owned(), found);
    Ok(())
}

fn parse_id(id: &str) -> Result<Oid, Broken> {
    match Oid::from_str(id) {
        Ok(oid) if id.len() == 40 => Ok(oid),
        _ => Err(Broken::Protocol(format!(
            "`{}` is no id of an object",
            id.escape_debug()
        ))),
    }
}

/// A line with which the server says that it cannot go on.
fn refuse_error(line: &[u8]) -> Result<(), Broken> {
    match line.strip_prefix(b"ERR ") {
        Some(message) => Err(Broken::Server(one_line(message))),
        None => Ok(()),
    }
}

/// What a server says, for a message of ours: one line, without what a terminal would obey.
fn one_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let text = words.filter(|word| !word.is_empty()).collect::<Vec<_>>();
    text.join(" ").chars().take(300).collect()
}
