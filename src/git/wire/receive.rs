//! Reads the answer to a fetch, and gives its pack to libgit2.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use git2::{OdbPackwriter, Repository};

use super::packet::{Packet, read_packet};
use super::{Broken, one_line, parse_id, refuse_error};
use crate::git::shallow::ShallowRoots;
use crate::git::transport::Progress;

/// Reads an answer to its end. Where history now ends in the mirror is written before the pack is
/// there, and what has become whole after that: a commit whose parents are missing is always known
/// to be one.
pub(super) fn read_answer(
    stream: &mut dyn Read,
    mirror: &Repository,
    roots: &mut ShallowRoots,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<(), Broken> {
    let database = mirror.odb().map_err(Broken::Pack)?;
    let mut pack = Pack::new(database.packwriter().map_err(Broken::Pack)?);
    let mut whole = Vec::new();
    loop {
        let data = match read_packet(stream)? {
            Some(Packet::Data(data)) => data,
            // In version 0 one follows the boundaries of history.
            Some(Packet::Flush) if pack.bytes > 0 => break,
            Some(_) => continue,
            None => return Err(Broken::Stream(io::ErrorKind::UnexpectedEof.into())),
        };
        match data.split_first() {
            Some((1, content)) => {
                pack.write(content)?;
                if !progress(pack.progress()) {
                    return Err(Broken::Cancelled);
                }
            }
            Some((2, _)) => {}
            Some((3, message)) => return Err(Broken::Server(one_line(message))),
            _ => {
                let line = data.strip_suffix(b"\n").unwrap_or(&data);
                refuse_error(line)?;
                match boundary(line)? {
                    Some(Boundary::Shallow(id)) => roots.insert(id),
                    Some(Boundary::Whole(id)) => whole.push(id),
                    None => {}
                }
            }
        }
    }
    let failed = |error| Broken::Stream(io::Error::other(error));
    roots.write(mirror.path()).map_err(failed)?;
    pack.commit()?;
    progress(pack.progress());
    if !whole.is_empty() {
        whole.iter().for_each(|id| roots.remove(id));
        roots.write(mirror.path()).map_err(failed)?;
    }
    Ok(())
}

/// A line on where history ends.
enum Boundary {
    /// The parents of this commit are not given.
    Shallow(git2::Oid),
    /// They are now.
    Whole(git2::Oid),
}

/// What a line that is no part of a pack says. The names of sections, and which of our commits the
/// server has, need no answer.
fn boundary(line: &[u8]) -> Result<Option<Boundary>, Broken> {
    let text = String::from_utf8_lossy(line);
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    match word {
        "shallow" => Ok(Some(Boundary::Shallow(parse_id(rest)?))),
        "unshallow" => Ok(Some(Boundary::Whole(parse_id(rest)?))),
        "shallow-info" | "acknowledgments" | "ready" | "packfile" | "NAK" | "ACK" => Ok(None),
        _ => Err(Broken::Protocol(format!(
            "`{}` is no part of an answer",
            one_line(line)
        ))),
    }
}

/// A pack that is being stored.
struct Pack<'a> {
    writer: OdbPackwriter<'a>,
    /// Objects received, and objects there are.
    objects: Rc<Cell<(usize, usize)>>,
    bytes: u64,
}

impl<'a> Pack<'a> {
    fn new(mut writer: OdbPackwriter<'a>) -> Self {
        let objects = Rc::new(Cell::new((0, 0)));
        let seen = Rc::clone(&objects);
        writer.progress(move |now| {
            seen.set((now.received_objects(), now.total_objects()));
            true
        });
        Self {
            writer,
            objects,
            bytes: 0,
        }
    }

    fn write(&mut self, content: &[u8]) -> Result<(), Broken> {
        self.bytes += content.len() as u64;
        // What libgit2 says of it stays with libgit2.
        let written = self.writer.write_all(content);
        written.map_err(|_| Broken::Pack(git2::Error::last_error(-1)))
    }

    fn commit(&mut self) -> Result<(), Broken> {
        self.writer.commit().map(drop).map_err(Broken::Pack)
    }

    fn progress(&self) -> Progress {
        let (objects, total) = self.objects.get();
        Progress {
            objects,
            total,
            bytes: self.bytes,
        }
    }
}
