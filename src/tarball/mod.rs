//! A strict reader of the tarballs in which Supermarkets give cookbooks: tar within gzip, or a plain
//! tar under whatever name. What a stranger wrote is read here, so whatever no honest archive of a
//! cookbook has is refused, each by an error of its own: no path leads out, no link does, nothing is
//! written through one, nothing is there twice, and all is bounded by [`Limits`].
//!
//! Nothing is unpacked into a folder. The contents of files go, one after the other, to a [`Contents`];
//! an [`Index`] says what stands where. Owners, times and most of the modes are passed over: of a mode
//! only the owner's right to execute counts, as in git.
//!
//! The forms: POSIX ustar and pax (IEEE 1003.1, `pax`), and GNU's long names (GNU tar, "Basic Tar
//! Format").

mod error;
mod header;
mod index;
mod pax;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

use std::io::{self, Read};

pub use error::TarballError;
pub use index::{Index, Node};

use self::header::{BLOCK, Header, Kind, is_zero};
use self::pax::Pax;
use self::stream::Stream;
pub(crate) use self::stream::guess;
use crate::event::CancelToken;
use crate::limits::Limits;

/// Takes the contents of files: a place in memory or on the disk that is read again later.
pub trait Contents {
    /// Makes room for a content and says where it begins.
    ///
    /// # Errors
    /// When there is no room.
    fn reserve(&mut self, size: u64) -> io::Result<u64>;

    /// Writes a part of a content whose room was made.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
}

/// How much of a content is read at once.
const PIECE: usize = 64 << 10;

/// Reads a whole tarball of `packed_size` bytes.
///
/// # Errors
/// When it is no tarball, is damaged, or has anything in it that is refused; or when `contents` fails.
/// What was written there by then is of no use.
pub fn read(
    packed: impl Read,
    packed_size: u64,
    limits: &Limits,
    contents: &mut dyn Contents,
    cancel: &CancelToken,
) -> Result<Index, TarballError> {
    let mut reader = Reader {
        stream: Stream::open(packed, packed_size, limits)?,
        limits,
        contents,
        index: Index::default(),
        piece: vec![0; PIECE],
    };
    loop {
        cancel.check()?;
        if !reader.entry(cancel)? {
            break;
        }
    }
    reader.end(cancel)?;
    Ok(reader.index)
}

struct Reader<'a, R: Read> {
    stream: Stream<R>,
    limits: &'a Limits,
    contents: &'a mut dyn Contents,
    index: Index,
    piece: Vec<u8>,
}

/// What the records before an entry say of it.
#[derive(Default)]
struct Said {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    pax: bool,
}

impl<R: Read> Reader<'_, R> {
    /// Reads one entry with the records before it; false at the end of the archive.
    fn entry(&mut self, cancel: &CancelToken) -> Result<bool, TarballError> {
        let mut said = Said::default();
        let mut after_record = false;
        loop {
            let at = self.stream.taken();
            let block = self.stream.block()?.ok_or(TarballError::Truncated)?;
            if is_zero(&block) {
                return match after_record {
                    true => Err(TarballError::Record {
                        reason: "no entry follows it",
                    }),
                    false => Ok(false),
                };
            }
            let header = Header::parse(&block, at)?;
            match header.kind {
                Kind::LongName => put(&mut said.path, self.long_text(header.size)?)?,
                Kind::LongLink => put(&mut said.target, self.long_text(header.size)?)?,
                Kind::Pax => {
                    if said.pax {
                        return Err(TwoRecords.into());
                    }
                    said.pax = true;
                    let pax = Pax::parse(&self.record(header.size)?)?;
                    for (own, other) in [
                        (&mut said.path, pax.path),
                        (&mut said.target, pax.link_path),
                    ] {
                        if let Some(text) = other {
                            put(own, text)?;
                        }
                    }
                    said.size = pax.size;
                }
                Kind::PaxGlobal => {
                    // git's archives begin with one that holds the commit.
                    if !Pax::parse(&self.record(header.size)?)?.is_empty() {
                        return Err(TarballError::GlobalRecord);
                    }
                    continue;
                }
                _ => {
                    self.place(header, said, cancel)?;
                    return Ok(true);
                }
            }
            after_record = true;
        }
    }

    /// Takes an entry into the index, and its content to where contents go.
    fn place(
        &mut self,
        header: Header,
        said: Said,
        cancel: &CancelToken,
    ) -> Result<(), TarballError> {
        let raw = said.path.unwrap_or(header.path);
        let size = said.size.unwrap_or(header.size);
        let path = index::checked_path(&raw, self.limits)?;
        let shown = || crate::tree::lossy(&raw);
        let target = said.target.unwrap_or(header.target);
        let is_file = header.kind == Kind::File && !raw.ends_with(b"/");
        if !is_file && size != 0 {
            return Err(TarballError::UnexpectedContent { path: shown() });
        }
        // A file or a link that has the name of the archive's own root is none.
        let is_folder = header.kind == Kind::Directory || header.kind == Kind::File && !is_file;
        if path.is_empty() && !is_folder {
            return Err(TarballError::NoName);
        }
        match header.kind {
            Kind::Directory | Kind::File if !is_file => self.index.add_folder(path, self.limits),
            Kind::File => {
                if size > self.limits.file_bytes {
                    return Err(TarballError::FileTooLarge {
                        path: shown(),
                        size,
                        limit: self.limits.file_bytes,
                    });
                }
                // Told before anything is written: the room is made for what is still to come.
                self.stream.expect(size)?;
                let at = self
                    .contents
                    .reserve(size)
                    .map_err(TarballError::Contents)?;
                let node = Node::File {
                    executable: header.mode & 0o100 != 0,
                    at,
                    size,
                };
                self.index.add(path, node, self.limits)?;
                self.content(at, size, cancel)
            }
            Kind::Symlink => {
                index::check_link(&path, &target, self.limits)?;
                self.index.add(path, Node::Symlink(target), self.limits)
            }
            Kind::HardLink => {
                let node = self.index.linked(&path, &target, self.limits)?;
                self.index.add(path, node, self.limits)
            }
            Kind::Device => Err(TarballError::Device { path: shown() }),
            Kind::Fifo => Err(TarballError::Fifo { path: shown() }),
            Kind::Sparse => Err(TarballError::Sparse { path: shown() }),
            Kind::Unknown(letter) => Err(TarballError::UnknownType {
                path: shown(),
                letter,
            }),
            Kind::Directory | Kind::LongName | Kind::LongLink | Kind::Pax | Kind::PaxGlobal => {
                Ok(())
            }
        }
    }

    /// Copies a content and passes over its padding.
    fn content(&mut self, at: u64, size: u64, cancel: &CancelToken) -> Result<(), TarballError> {
        let mut done = 0;
        while done < size {
            cancel.check()?;
            let length = (size - done).min(PIECE as u64) as usize;
            let piece = &mut self.piece[..length];
            self.stream.fill(piece)?;
            let written = self.contents.write(at + done, piece);
            written.map_err(TarballError::Contents)?;
            done += length as u64;
        }
        self.padding(size)
    }

    fn padding(&mut self, size: u64) -> Result<(), TarballError> {
        let length = (size.next_multiple_of(BLOCK as u64) - size) as usize;
        self.stream.fill(&mut self.piece[..length])
    }

    /// The content of a record.
    fn record(&mut self, size: u64) -> Result<Vec<u8>, TarballError> {
        let limit = self.limits.record_bytes;
        if size > limit {
            return Err(TarballError::RecordTooLarge { size, limit });
        }
        let mut bytes = vec![0; size as usize];
        self.stream.fill(&mut bytes)?;
        self.padding(size)?;
        Ok(bytes)
    }

    /// The text of GNU's records, which a NUL ends.
    fn long_text(&mut self, size: u64) -> Result<Vec<u8>, TarballError> {
        let mut text = self.record(size)?;
        if text.last() == Some(&0) {
            text.pop();
        }
        Ok(text)
    }

    /// Reads to the very end: the gzip's checksums stand there, and nothing else may.
    fn end(&mut self, cancel: &CancelToken) -> Result<(), TarballError> {
        loop {
            cancel.check()?;
            let at = self.stream.taken();
            let length = self.stream.some(&mut self.piece)?;
            if length == 0 {
                return Ok(());
            }
            if let Some(first) = self.piece[..length].iter().position(|&byte| byte != 0) {
                return Err(TarballError::AfterEnd {
                    at: at + first as u64,
                });
            }
        }
    }
}

/// Two records say the same of one entry: readers do not agree on which of them counts.
struct TwoRecords;

impl From<TwoRecords> for TarballError {
    fn from(_: TwoRecords) -> Self {
        Self::Record {
            reason: "another one says the same of one entry",
        }
    }
}

fn put(own: &mut Option<Vec<u8>>, text: Vec<u8>) -> Result<(), TwoRecords> {
    match own.replace(text) {
        None => Ok(()),
        Some(_) => Err(TwoRecords),
    }
}
