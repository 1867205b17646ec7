//! stub
use super::Level;

/// The name of this encoder in receipts and keys.
pub(crate) const ENCODER: &str = "cookpack-deflate-1";

/// Bytes before a block that it may refer to.
pub(crate) const WINDOW: usize = 32 << 10;

/// What ends a deflate stream after any number of encoded blocks.
pub(crate) const END: [u8; 2] = [0x03, 0x00];

/// Scratch memory of one thread.
#[derive(Default)]
pub(crate) struct Encoder {}

impl Encoder {
    /// Appends `block` compressed to `out`.
    pub(crate) fn encode(&mut self, level: Level, window: &[u8], block: &[u8], out: &mut Vec<u8>) {
        let level = match level {
            Level::Default => 6,
            Level::Best => 9,
        };
        let mut c = flate2::Compress::new(flate2::Compression::new(level), false);
        let _ = c.set_dictionary(window);
        let mut buf = vec![0; block.len() * 2 + 1000];
        c.compress(block, &mut buf, flate2::FlushCompress::Sync)
            .unwrap();
        out.extend_from_slice(&buf[..c.total_out() as usize]);
    }
}
