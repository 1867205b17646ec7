//! The tar container. Every byte of every header is decided in this file: POSIX ustar, and GNU's
//! `@LongLink` record where a path is too long for ustar; never a PAX record, because the pure-Ruby
//! reader of Chef 12 to 14 cuts such paths at 100 bytes (chef/mixlib-archive,
//! `lib/mixlib/archive/tar.rb`).

use std::io::{self, Read};

use super::{Scratch, WriteError, copy_pieces};
use crate::layout::Entry;

/// The size of a header, and what every content is padded to.
pub(super) const BLOCK: usize = 512;

/// What ends an archive.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Bytes of a path that ustar's name field holds.
const NAME: usize = 100;

/// Bytes of a path that ustar's prefix field holds.
const PREFIX: usize = 155;

/// The name of the record that carries a long path.
const LONG_LINK: &str = "././@LongLink";

const REGULAR: u8 = b'0';
const LONG_NAME: u8 = b'L';

/// Gives all bytes of one entry: what [`entry_header`] gives, and what follows it.
pub(super) fn entry_bytes(
    entry: Entry<'_>,
    header: &[u8],
    scratch: &mut Scratch,
    take: &mut dyn FnMut(&[u8]) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    take(header)?;
    copy_pieces(entry, scratch, take)?;
    take(&END[..padding(entry.size())])
}

/// The bytes that stand before an entry's content.
pub(super) fn entry_header(entry: Entry<'_>, mtime: u64) -> Vec<u8> {
    let path = entry.path().to_string();
    file_header(&path, entry.executable(), entry.size(), mtime)
}

/// The bytes that stand before a file's content.
pub(crate) fn file_header(path: &str, executable: bool, size: u64, mtime: u64) -> Vec<u8> {
    let mode = if executable { 0o755 } else { 0o644 };
    match split(path) {
        Some((prefix, name)) => header(prefix, name, mode, size, mtime, REGULAR).to_vec(),
        None => {
            let length = path.len() as u64 + 1;
            let mut bytes = header("", LONG_LINK, 0o644, length, mtime, LONG_NAME).to_vec();
            bytes.extend_from_slice(path.as_bytes());
            bytes.push(0);
            bytes.resize(bytes.len() + padding(length), 0);
            let cut = path.floor_char_boundary(NAME);
            bytes.extend(header("", &path[..cut], mode, size, mtime, REGULAR));
            bytes
        }
    }
}

/// The zero bytes that follow a content of `size` bytes.
pub(crate) fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK as u64) - size) as usize
}

/// A path as ustar's prefix and name, with the shortest prefix that does; `None` if it is too long.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME {
        return Some(("", path));
    }
    path.match_indices('/')
        .map(|(slash, _)| (&path[..slash], &path[slash + 1..]))
        .find(|(_, name)| name.len() <= NAME)
        .filter(|(prefix, _)| prefix.len() <= PREFIX)
}

fn header(prefix: &str, name: &str, mode: u64, size: u64, mtime: u64, kind: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    number(&mut block[100..108], mode);
    number(&mut block[108..116], 0); // uid
    number(&mut block[116..124], 0); // gid
    number(&mut block[124..136], size);
    number(&mut block[136..148], mtime);
    block[148..156].fill(b' '); // the checksum's own bytes count as blanks
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    block[263..265].copy_from_slice(b"00");
    // 265..329: the user's and the group's names stay empty.
    number(&mut block[329..337], 0); // device, major
    number(&mut block[337..345], 0); // device, minor
    block[345..345 + prefix.len()].copy_from_slice(prefix.as_bytes());
    let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
    number(&mut block[148..155], sum);
    block
}

/// A number as octal digits and a NUL; GNU's base 256 where the digits do not suffice (8 GiB on).
fn number(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    if digits * 3 < 64 && value >> (digits * 3) != 0 {
        let bytes = value.to_be_bytes();
        let start = field.len() - bytes.len();
        field[start..].copy_from_slice(&bytes);
        field[0] = 0x80;
        return;
    }
    let mut rest = value;
    for digit in field[..digits].iter_mut().rev() {
        *digit = b'0' + (rest & 7) as u8;
        rest >>= 3;
    }
    field[digits] = 0;
}

/// Whether a block is a first header as this file writes it, for a file in some folder.
pub(super) fn is_own_first_header(block: &[u8; BLOCK]) -> bool {
    own_header(block).is_some_and(|header| header.is_in_a_folder)
}

/// What a header of ours says.
struct OwnHeader {
    size: u64,
    is_in_a_folder: bool,
}

/// What a block says, if it is a header as this file writes it.
fn own_header(block: &[u8; BLOCK]) -> Option<OwnHeader> {
    let text = |range: std::ops::Range<usize>| {
        let field = &block[range];
        let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
        std::str::from_utf8(&field[..end]).ok()
    };
    let octal = |range: std::ops::Range<usize>| u64::from_str_radix(text(range)?, 8).ok();
    let (name, prefix) = (text(0..100)?, text(345..500)?);
    let mode = octal(100..108).filter(|mode| matches!(mode, 0o644 | 0o755))?;
    let (size, mtime) = (octal(124..136)?, octal(136..148)?);
    let kind = Some(block[156]).filter(|kind| matches!(*kind, REGULAR | LONG_NAME))?;
    (header(prefix, name, mode, size, mtime, kind) == *block).then(|| OwnHeader {
        size,
        is_in_a_folder: !prefix.is_empty() || name.contains('/'),
    })
}

/// Whether a file is a tar as this file writes it, from its first header to its end.
///
/// Other tools can be told to write the same headers, so that the first one alone tells too little:
/// their ends are longer.
pub(super) fn is_own(tar: &mut dyn Read) -> bool {
    reads_as_own(tar).unwrap_or(false)
}

fn reads_as_own(tar: &mut dyn Read) -> io::Result<bool> {
    let mut block = [0; BLOCK];
    let mut headers = 0_usize;
    loop {
        tar.read_exact(&mut block)?;
        if block == [0; BLOCK] {
            break;
        }
        let header = match own_header(&block) {
            Some(header) if headers > 0 || header.is_in_a_folder => header,
            _ => return Ok(false),
        };
        headers += 1;
        let content = header.size + padding(header.size) as u64;
        if io::copy(&mut (&mut *tar).take(content), &mut io::sink())? != content {
            return Ok(false);
        }
    }
    let mut end = Vec::new();
    tar.take(END.len() as u64).read_to_end(&mut end)?;
    Ok(headers > 0 && end == [0; BLOCK])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path of this many bytes whose last component is as long as a name field, or all of it.
    fn path_of(length: usize) -> String {
        match length.checked_sub(NAME + 1) {
            Some(prefix) if prefix > 0 => format!("{}/{}", "p".repeat(prefix), "n".repeat(NAME)),
            _ => format!("p/{}", "n".repeat(length - 2)),
        }
    }

    #[test]
    fn a_header_has_exactly_these_bytes() {
        let bytes = file_header("apt/recipes/default.rb", true, 0o1234, 315_532_800);
        assert_eq!(bytes.len(), BLOCK);
        assert_eq!(&bytes[..23], b"apt/recipes/default.rb\0");
        assert_eq!(&bytes[100..124], b"0000755\x000000000\x000000000\0");
        assert_eq!(&bytes[124..148], b"00000001234\x0002263523000\0");
        assert_eq!(&bytes[156..157], b"0");
        assert_eq!(&bytes[257..265], b"ustar\x0000");
        assert!(bytes[265..329].iter().all(|b| *b == 0));
        assert_eq!(&bytes[329..345], b"0000000\x000000000\0");
        assert!(bytes[345..].iter().all(|b| *b == 0));
        assert_eq!(&bytes[154..156], b"\0 ");
        assert!(is_own_first_header(bytes[..].try_into().unwrap()));
    }

    #[test]
    fn long_paths_go_into_the_prefix_and_then_into_a_long_link() {
        for length in [99, 100, 102, 155, 156, 157, 200, 255, 256] {
            assert_eq!(
                file_header(&path_of(length), false, 0, 0).len(),
                BLOCK,
                "{length}"
            );
        }
        assert_eq!(file_header(&path_of(101), false, 0, 0).len(), BLOCK);
        for length in [257, 300, 511, 512, 513, 5000] {
            let path = path_of(length);
            let bytes = file_header(&path, false, 7, 1);
            assert_eq!(&bytes[..13], LONG_LINK.as_bytes());
            assert_eq!(bytes[156], b'L');
            assert_eq!(&bytes[BLOCK..BLOCK + length], path.as_bytes());
            assert_eq!(bytes[BLOCK + length], 0);
            let last = &bytes[bytes.len() - BLOCK..];
            assert_eq!(&last[..100], &path.as_bytes()[..100]);
            assert_eq!(last[156], b'0');
        }
        let unsplittable = format!("a/{}", "é".repeat(60));
        let bytes = file_header(&unsplittable, false, 0, 0);
        assert_eq!(bytes[156], b'L');
        let name = &bytes[bytes.len() - BLOCK..][..100];
        let end = name.iter().position(|b| *b == 0).unwrap_or(100);
        assert!(std::str::from_utf8(&name[..end]).is_ok());
    }

    #[test]
    fn sizes_from_8_gib_on_are_in_base_256() {
        let field = |size| file_header("a", false, size, 0)[124..136].to_vec();
        assert_eq!(field((8 << 30) - 1), b"77777777777\0");
        assert_eq!(field(8 << 30), [0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn padding_fills_a_block() {
        let table = [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511)];
        for (size, zeros) in table {
            assert_eq!(padding(size), zeros);
        }
    }

    #[test]
    fn another_tools_header_is_not_ours() {
        let mut other = tar::Header::new_gnu();
        other.set_path("a/b").unwrap();
        other.set_mode(0o644);
        other.set_size(1);
        other.set_uid(0);
        other.set_gid(0);
        other.set_mtime(0);
        other.set_cksum();
        assert!(!is_own_first_header(other.as_bytes()));
        assert!(!is_own_first_header(&[0; BLOCK]));
        assert!(!is_own_first_header(&[b'x'; BLOCK]));
    }
}
