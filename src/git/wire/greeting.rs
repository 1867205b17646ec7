//! What a server says first: which version of the protocol it speaks, what it can, and, in version 0,
//! its references.

use std::io::{self, Read};

use super::packet::{Packet, read_packet};
use super::{Broken, parse_id, refuse_error};
use crate::git::transport::{RemoteRef, RemoteRefs, Wants};

/// What a server said first.
#[derive(Clone, Debug)]
pub(super) struct Greeting {
    pub(super) version: Version,
    /// What it can: `name` or `name=value`.
    pub(super) capabilities: Vec<String>,
    /// The kind of its objects' ids: `sha1` or another.
    pub(super) object_format: String,
}

/// The version of the protocol that the server speaks.
#[derive(Clone, Debug)]
pub(super) enum Version {
    /// It has told all its references already.
    Zero {
        refs: RemoteRefs,
    },
    Two,
}

impl Greeting {
    /// Whether the server has a capability of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.capabilities.iter().any(|found| found == name)
    }

    /// Whether `fetch` of version 2 knows a feature.
    pub(super) fn fetch_has(&self, feature: &str) -> bool {
        let fetch = self.capabilities.iter();
        let mut fetch = fetch.filter_map(|found| found.strip_prefix("fetch="));
        fetch.any(|features| features.split(' ').any(|found| found == feature))
    }

    /// Whether a server of version 0 lets these be asked for.
    pub(super) fn may_want(&self, refs: &RemoteRefs, wants: &Wants) -> bool {
        let (Wants::Shallow(ids) | Wants::History(ids)) = wants;
        let any = self.has("allow-reachable-sha1-in-want");
        let is_tip = |id| refs.names.values().any(|found| found.id == id);
        any || ids.iter().all(|id| is_tip(*id))
    }
}

/// Reads up to where the client has its turn.
pub(super) fn read_greeting(stream: &mut dyn Read) -> Result<Greeting, Broken> {
    let mut first = next(stream)?;
    if first
        .line()
        .is_some_and(|line| line.starts_with(b"# service="))
    {
        if next(stream)? != Packet::Flush {
            return Err(Broken::Protocol(
                "no flush follows the service's name".to_owned(),
            ));
        }
        first = next(stream)?;
    }
    if let Some(line) = first.line() {
        refuse_error(line)?;
    }
    match first.line() {
        Some(b"version 2") => read_capabilities(stream),
        Some(b"version 1") => {
            let first = next(stream)?;
            read_advertisement(first, stream)
        }
        _ => read_advertisement(first, stream),
    }
}

fn next(stream: &mut dyn Read) -> Result<Packet, Broken> {
    match read_packet(stream)? {
        Some(packet) => Ok(packet),
        None => Err(Broken::Stream(io::ErrorKind::UnexpectedEof.into())),
    }
}

fn read_capabilities(stream: &mut dyn Read) -> Result<Greeting, Broken> {
    let mut capabilities = Vec::new();
    loop {
        match next(stream)? {
            Packet::Flush => break,
            packet => match packet.line() {
                Some(line) => capabilities.push(String::from_utf8_lossy(line).into_owned()),
                None => {
                    return Err(Broken::Protocol(
                        "an unknown packet among the capabilities".to_owned(),
                    ));
                }
            },
        }
    }
    Ok(greeting(Version::Two, capabilities))
}

fn greeting(version: Version, capabilities: Vec<String>) -> Greeting {
    let format = capabilities
        .iter()
        .find_map(|found| found.strip_prefix("object-format="));
    Greeting {
        object_format: format.unwrap_or("sha1").to_owned(),
        version,
        capabilities,
    }
}

/// The references of version 0; the capabilities stand behind the first of them.
fn read_advertisement(first: Packet, stream: &mut dyn Read) -> Result<Greeting, Broken> {
    let mut refs = RemoteRefs::default();
    let mut capabilities = Vec::new();
    let mut packet = first;
    let mut is_first = true;
    while packet != Packet::Flush {
        let Some(line) = packet.line() else {
            return Err(Broken::Protocol(
                "an unknown packet among the references".to_owned(),
            ));
        };
        refuse_error(line)?;
        let mut parts = line.splitn(2, |byte| *byte == 0);
        let line = parts.next().unwrap_or_default();
        if is_first {
            let text = String::from_utf8_lossy(parts.next().unwrap_or_default());
            capabilities = text.split_whitespace().map(str::to_owned).collect();
            is_first = false;
            let greeted = greeting(Version::Two, capabilities.clone());
            if greeted.object_format != "sha1" {
                return Ok(greeted);
            }
        }
        read_advertised(line, &mut refs)?;
        packet = next(stream)?;
    }
    if refs.names.contains_key("HEAD") {
        let target = capabilities
            .iter()
            .find_map(|found| found.strip_prefix("symref=HEAD:"));
        let target = target.filter(|name| refs.names.contains_key(*name));
        refs.head = Some(target.unwrap_or("HEAD").to_owned());
    }
    Ok(greeting(Version::Zero { refs }, capabilities))
}

fn read_advertised(line: &[u8], refs: &mut RemoteRefs) -> Result<(), Broken> {
    let Ok(line) = std::str::from_utf8(line) else {
        return Ok(());
    };
    // The server's own repository has no history before this commit.
    if line.starts_with("shallow ") {
        return Ok(());
    }
    let Some((id, name)) = line.split_once(' ') else {
        return Err(Broken::Protocol(format!(
            "`{}` is no reference",
            line.chars().take(80).collect::<String>().escape_debug()
        )));
    };
    let id = parse_id(id)?;
    match name.strip_suffix("^{}") {
        // A repository without a commit.
        Some("capabilities") => {}
        Some(tag) => {
            if let Some(found) = refs.names.get_mut(tag) {
                found.peeled = Some(id);
            }
        }
        None => {
            refs.names
                .insert(name.to_owned(), RemoteRef { id, peeled: None });
        }
    }
    Ok(())
}
