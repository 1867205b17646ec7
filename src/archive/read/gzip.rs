//! The bytes of a tar: as they stand, or out of the one gzip member that holds them.

use flate2::Crc;

use super::input::{Inflater, Input};
use super::{Place, ReadError, field_at, first_difference};
use crate::archive::gzip::HEADER;
use crate::limits::Limits;

const HEADER_FIELDS: [(usize, &str); 6] = [
    (0, "magic number"),
    (2, "method"),
    (3, "flags"),
    (4, "time"),
    (8, "extra flags"),
    (9, "operating system"),
];

/// An uncompressed tar.
pub(super) struct TarStream<'a, 'b> {
    input: &'a mut Input<'b>,
    member: Option<Member>,
    taken: u64,
    limit: u64,
}

struct Member {
    inflater: Inflater,
    crc: Crc,
    is_checked: bool,
}

impl<'a, 'b> TarStream<'a, 'b> {
    /// Begins; reads the header of the gzip member if there is to be one.
    pub(super) fn open(
        input: &'a mut Input<'b>,
        is_gzip: bool,
        limits: &Limits,
    ) -> Result<Self, ReadError> {
        if is_gzip {
            let mut header = [0; HEADER.len()];
            input.exact(&mut header, "the gzip header")?;
            if let Some(offset) = first_difference(&header, &HEADER) {
                return Err(ReadError::GzipHeader {
                    at: Place::Archive(offset as u64),
                    field: field_at(&HEADER_FIELDS, offset),
                });
            }
        }
        let member = || Member {
            inflater: Inflater::new(),
            crc: Crc::new(),
            is_checked: false,
        };
        Ok(Self {
            input,
            member: is_gzip.then(member),
            taken: 0,
            limit: limits.archive_bytes,
        })
    }

    /// How many bytes were taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Refuses a content that would go over the limit before any of it has come.
    pub(super) fn expect(&self, size: u64) -> Result<(), ReadError> {
        if self.taken.saturating_add(size) > self.limit {
            return Err(ReadError::TooLarge { limit: self.limit });
        }
        Ok(())
    }

    /// Reads what there is, up to the length of `into`; 0 at the end, when the gzip member's trailer
    /// has been checked.
    pub(super) fn some(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let count = match &mut self.member {
            None => self.input.some(into)?,
            Some(member) => {
                let count = member.inflater.some(self.input, into)?;
                member.crc.update(&into[..count]);
                if count == 0 && !into.is_empty() && !member.is_checked {
                    check_trailer(self.input, &member.crc, self.taken)?;
                    member.is_checked = true;
                }
                count
            }
        };
        self.taken += count as u64;
        self.expect(0)?;
        Ok(count)
    }

    /// Reads exactly as much as `into` holds, being a part of `within`.
    pub(super) fn exact(
        &mut self,
        mut into: &mut [u8],
        within: &'static str,
    ) -> Result<(), ReadError> {
        while !into.is_empty() {
            match self.some(into)? {
                0 => {
                    return Err(ReadError::Truncated {
                        at: Place::Tar(self.taken),
                        within,
                    });
                }
                count => into = &mut into[count..],
            }
        }
        Ok(())
    }

    /// Nothing may stand behind the tar, neither in the member nor behind it.
    pub(super) fn end(mut self) -> Result<(), ReadError> {
        let at = Place::Tar(self.taken);
        if self.some(&mut [0])? != 0 {
            return Err(ReadError::AfterEnd { at });
        }
        let at = Place::Archive(self.input.at());
        match self.input.fill()? {
            // Chef 12 to 14 read one member and stop silently; everybody else reads on.
            [0x1f, 0x8b, ..] => Err(ReadError::SecondMember { at }),
            [] => Ok(()),
            _ => Err(ReadError::AfterEnd { at }),
        }
    }
}

/// Reads the trailer: the CRC-32 and the length modulo 2^32.
fn check_trailer(input: &mut Input<'_>, crc: &Crc, length: u64) -> Result<(), ReadError> {
    let at = input.at();
    let mut trailer = [[0; 4]; 2];
    input.exact(trailer.as_flattened_mut(), "the gzip trailer")?;
    let [sum, size] = trailer.map(u32::from_le_bytes);
    if sum != crc.sum() {
        return Err(ReadError::GzipChecksum {
            at: Place::Archive(at),
            stored: sum,
            found: crc.sum(),
        });
    }
    if size != length as u32 {
        return Err(ReadError::GzipLength {
            at: Place::Archive(at + 4),
            stored: size,
            found: length,
        });
    }
    Ok(())
}
