//! One header of a tar: 512 bytes.

use super::TarballError;

/// The size of a header, and what every content is padded to.
pub(super) const BLOCK: usize = 512;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink,
    Symlink,
    Device,
    Directory,
    Fifo,
    Sparse,
    /// GNU's record with the path of the entry after it.
    LongName,
    /// GNU's record with the link's target of the entry after it.
    LongLink,
    /// A record with what ustar cannot hold of the entry after it.
    Pax,
    /// The same for all entries after it.
    PaxGlobal,
    Unknown(char),
}

/// What a header says.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) path: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) mode: u64,
    pub(super) size: u64,
    pub(super) kind: Kind,
}

pub(super) fn is_zero(block: &[u8; BLOCK]) -> bool {
    block.iter().all(|&byte| byte == 0)
}

impl Header {
    /// Reads the header that stands at a byte of the tar.
    pub(super) fn parse(block: &[u8; BLOCK], at: u64) -> Result<Self, TarballError> {
        let wrong = |field| TarballError::Header { at, field };
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(place, &byte)| match place {
                148..156 => u64::from(b' '),
                _ => u64::from(byte),
            })
            .sum();
        if number(&block[148..156]) != Some(sum) {
            return Err(TarballError::Checksum { at });
        }
        let name = text(&block[..100]);
        // Elsewhere than in POSIX's own form other things stand there.
        let prefix = match &block[257..263] == b"ustar\0" {
            true => text(&block[345..500]),
            false => &[],
        };
        let path = match prefix {
            [] => name.to_vec(),
            prefix => [prefix, b"/", name].concat(),
        };
        Ok(Self {
            path,
            target: text(&block[157..257]).to_vec(),
            mode: number(&block[100..108]).ok_or_else(|| wrong("mode"))?,
            size: number(&block[124..136]).ok_or_else(|| wrong("size"))?,
            kind: match block[156] {
                // 7 is a file whose blocks once stood together on the disk.
                0 | b'0' | b'7' => Kind::File,
                b'1' => Kind::HardLink,
                b'2' => Kind::Symlink,
                b'3' | b'4' => Kind::Device,
                b'5' => Kind::Directory,
                b'6' => Kind::Fifo,
                b'S' => Kind::Sparse,
                b'L' => Kind::LongName,
                b'K' => Kind::LongLink,
                b'x' => Kind::Pax,
                b'g' => Kind::PaxGlobal,
                other => Kind::Unknown(char::from(other)),
            },
        })
    }
}

/// A text that fills its field or is ended by a NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&byte| byte == 0);
    &field[..end.unwrap_or(field.len())]
}

/// A number: octal digits with blanks before them and a blank or a NUL behind them, or GNU's base 256.
/// A field with nothing in it is 0.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        // Base 256, whose second bit is the sign: a negative number is none here.
        if field[0] & 0x40 != 0 {
            return None;
        }
        let mut value = u64::from(field[0] & 0x3f);
        for &byte in &field[1..] {
            value = value.checked_mul(256)?.checked_add(u64::from(byte))?;
        }
        return Some(value);
    }
    let field = field.trim_ascii_start();
    let end = field.iter().position(|&byte| matches!(byte, 0 | b' '));
    let (digits, rest) = field.split_at(end.unwrap_or(field.len()));
    if rest.iter().any(|&byte| !matches!(byte, 0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (field, wanted) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"77777777", Some(0o77_777_777)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"\x80\0\0\0\0\0\x01\x02", Some(0x102)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\xc0\0\0\0\0\0\0\0", None),
            (b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"0000648\0", None),
            (b"-000644\0", None),
            (b"644\x001\0\0\0", None),
            (b"0x1ff\0\0\0", None),
        ] {
            assert_eq!(number(field), wanted, "{}", field.escape_ascii());
        }
    }
}
