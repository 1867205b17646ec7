//! The gzip member. Every byte of its header and trailer is decided in this file, and so is the
//! encoder of what stands between them: exactly one member, because the pure-Ruby reader of Chef 12
//! to 14 stops silently behind the first.

use std::io::{self, Write};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Magic, deflate, no flags, no time, no extra flags, an unknown operating system.
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// The encoder always takes its input in pieces of this size, so that its bytes cannot depend on
/// the sizes in which they were written here.
const PIECE: usize = 64 << 10;

/// Writes one gzip member to `out`.
pub(super) struct GzipWriter<W> {
    out: W,
    encoder: Compress,
    crc: Crc,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl<W: Write> GzipWriter<W> {
    /// Writes the header.
    pub(super) fn new(mut out: W, level: u32) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        Ok(Self {
            out,
            encoder: Compress::new(Compression::new(level), false),
            crc: Crc::new(),
            input: Vec::with_capacity(PIECE),
            output: Vec::with_capacity(PIECE),
        })
    }

    /// Writes what is left and the trailer: the CRC-32 and the length modulo 2^32.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.encode(FlushCompress::Finish)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.out)
    }

    /// Hands the buffered input to the encoder, and what it gives to `out`.
    fn encode(&mut self, flush: FlushCompress) -> io::Result<()> {
        let mut taken = 0;
        loop {
            self.output.clear();
            let before = self.encoder.total_in();
            let status = self
                .encoder
                .compress_vec(&self.input[taken..], &mut self.output, flush)
                .map_err(io::Error::other)?;
            taken += (self.encoder.total_in() - before) as usize;
            self.out.write_all(&self.output)?;
            let done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => taken == self.input.len() && self.output.len() < self.output.capacity(),
            };
            if done {
                self.input.clear();
                return Ok(());
            }
        }
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE - self.input.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.crc.update(taken);
        self.input.extend_from_slice(taken);
        if self.input.len() == PIECE {
            self.encode(FlushCompress::None)?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state & 0x100 == 0 {
                b'a'
            } else {
                (state >> 24) as u8
            }
        };
        (0..length).map(next).collect()
    }

    fn member(data: &[u8], step: usize) -> Vec<u8> {
        let mut writer = GzipWriter::new(Vec::new(), 6).unwrap();
        data.chunks(step).for_each(|c| writer.write_all(c).unwrap());
        writer.finish().unwrap()
    }

    #[test]
    fn one_member_that_reads_back() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 1 << 20] {
            let data = noise(length);
            let bytes = member(&data, 1000);
            assert_eq!(bytes[..10], HEADER);
            let mut decoder = flate2::bufread::GzDecoder::new(&bytes[..]);
            let mut read = Vec::new();
            decoder.read_to_end(&mut read).unwrap();
            assert_eq!(read, data);
            assert!(
                decoder.into_inner().is_empty(),
                "nothing follows the member"
            );
        }
    }

    #[test]
    fn the_sizes_of_writes_do_not_change_the_bytes() {
        let data = noise(300_000);
        let whole = member(&data, data.len());
        for step in [1, 7, 512, PIECE, PIECE + 1] {
            assert!(member(&data, step) == whole, "{step}");
        }
    }
}
