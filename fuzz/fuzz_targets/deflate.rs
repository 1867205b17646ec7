//! Any bytes are compressed, at any level and behind any window: what comes back is the same, nothing
//! grows more than stored blocks do, and the level's result does not depend on what lies before the
//! window.
#![no_main]

use cookpack::archive::Level;
use cookpack::archive::deflate::{END, WINDOW, compress};
use flate2::{Decompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;

/// Makes long inputs of short ones: each three bytes repeat what stands somewhere before, and other
/// bytes stand for themselves.
fn grow(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut data = data.iter();
    while let Some(&byte) = data.next() {
        if byte >= 0xF0 && !bytes.is_empty() {
            let mut next = || usize::from(*data.next().unwrap_or(&0));
            let (back, length) = (next() << 8 | next(), usize::from(byte & 15) * 40 + 3);
            let from = bytes.len() - 1 - back % bytes.len();
            for at in from..from + length {
                bytes.push(bytes[at]);
            }
        } else {
            bytes.push(byte);
        }
    }
    bytes
}

fuzz_target!(|data: &[u8]| {
    let [kind, at, rest @ ..] = data else {
        return;
    };
    let level = if kind & 1 == 0 {
        Level::Default
    } else {
        Level::Best
    };
    let bytes = if kind & 2 == 0 {
        rest.to_vec()
    } else {
        grow(rest)
    };
    let (window, block) = bytes.split_at(bytes.len() * usize::from(*at) / 256);

    let encoded = compress(level, window, block);
    let stored = block.len() + 5 * block.len().div_ceil(0xFFFF) + 5;
    assert!(
        encoded.len() <= stored,
        "{} of {}",
        encoded.len(),
        block.len()
    );
    let near = &window[window.len().saturating_sub(WINDOW)..];
    assert!(
        encoded == compress(level, near, block),
        "more than the window counts"
    );

    let mut stream = compress(level, &[], window);
    stream.extend(encoded);
    stream.extend(END);
    let mut out = Vec::with_capacity(bytes.len() + 1);
    let mut decoder = Decompress::new(false);
    let status = decoder.decompress_vec(&stream, &mut out, FlushDecompress::Finish);
    assert!(matches!(status, Ok(Status::StreamEnd)), "{status:?}");
    assert!(out == bytes, "other bytes come back");
});
