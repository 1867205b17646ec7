//! Whether a zip is one of ours. Its headers are such as others write too, so a compressed content
//! decides: ours are made of blocks that each end at a byte, as nobody else's are.

use std::io::{self, Read};

use super::headers::{DosTime, File, LOCAL, LOCAL_BYTES, Packed};
use crate::archive::deflate::{self, bound};
use crate::archive::segment::BLOCK;
use crate::layout::EntryPath;

/// What ends a block.
const FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// Whether it may be ours, by its first bytes.
pub(in crate::archive) fn begins_as_own(start: &[u8]) -> bool {
    start.starts_with(&LOCAL.to_le_bytes())
}

/// Whether it is ours.
pub(in crate::archive) fn is_own(file: &mut dyn Read) -> bool {
    // Entries that are empty tell nothing.
    loop {
        match entry(file) {
            Ok(Found::Empty) => {}
            Ok(Found::Ours) => return true,
            Ok(Found::Other) | Err(_) => return false,
        }
    }
}

enum Found {
    Empty,
    Ours,
    Other,
}

fn entry(zip: &mut dyn Read) -> io::Result<Found> {
    let mut header = [0; LOCAL_BYTES];
    zip.read_exact(&mut header)?;
    let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
    let mut name = vec![0; usize::from(short(26))];
    zip.read_exact(&mut name)?;
    let mut extra = vec![0; usize::from(short(28))];
    zip.read_exact(&mut extra)?;
    let path = std::str::from_utf8(&name).ok();
    // All of ours are in a folder.
    let Some((folder, below)) = path.and_then(|path| path.split_once('/')) else {
        return Ok(Found::Other);
    };
    let is_streamed = short(6) & 8 != 0;
    let (crc, compressed, size) = (long(14), long(18), long(22));
    // What is streamed says nothing of its size; what has an extra field is larger than all else.
    let packed = Packed {
        crc,
        compressed: compressed.into(),
    };
    let file = File {
        path: EntryPath::new(folder, below),
        executable: false,
        size: match (is_streamed, extra.is_empty()) {
            (false, _) => size.into(),
            (true, true) => super::headers::STREAMED_FROM + 1,
            (true, false) => super::headers::ZIP64_FROM,
        },
        time: DosTime::from_fields(short(10), short(12)),
    };
    let mut rebuilt = Vec::new();
    file.push_header((!is_streamed).then_some(packed), &mut rebuilt);
    if rebuilt != [&header[..], &name, &extra].concat() {
        return Ok(Found::Other);
    }
    let is_ours = match (is_streamed, size) {
        (true, _) => first_block_is_ours(zip)?,
        (false, 0) => return Ok(Found::Empty),
        (false, _) => {
            let end = [&FLUSH[..], &deflate::END].concat();
            let Some(before) = u64::from(compressed).checked_sub(end.len() as u64) else {
                return Ok(Found::Other);
            };
            io::copy(&mut (&mut *zip).take(before), &mut io::sink())?;
            let mut last = [0; FLUSH.len() + deflate::END.len()];
            zip.read_exact(&mut last)?;
            last[..] == end
        }
    };
    Ok(if is_ours { Found::Ours } else { Found::Other })
}

/// Whether compressed content has the end of a block behind as many bytes as a block of ours has.
fn first_block_is_ours(zip: &mut dyn Read) -> io::Result<bool> {
    // A decoder goes on until it has something to give: through the codes of the next block.
    const AHEAD: usize = 1024;
    let mut data = Vec::new();
    let most = bound(BLOCK) + AHEAD;
    zip.take(most as u64).read_to_end(&mut data)?;
    let mut decoder = flate2::Decompress::new(false);
    let mut content = vec![0; BLOCK];
    let decoded = decoder.decompress(&data, &mut content, flate2::FlushDecompress::None);
    if decoded.is_err() || decoder.total_out() != BLOCK as u64 {
        return Ok(false);
    }
    let at = decoder.total_in() as usize;
    let near = &data[at.saturating_sub(AHEAD)..data.len().min(at + AHEAD)];
    Ok(near.windows(FLUSH.len()).any(|bytes| bytes == FLUSH))
}
