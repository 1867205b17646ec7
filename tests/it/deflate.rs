//! The archive's encoder, read by decoders that share no code with it nor with each other.

mod inputs;

use std::fs;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cookpack::archive::Level;
use cookpack::archive::deflate::{END, WINDOW, compress};
use flate2::{Crc, Decompress, FlushDecompress};

use crate::support::{Sandbox, have};
use inputs::{Input, input};

/// A whole stream: the window, encoded by itself, and the block behind it. The levels take turns.
fn stream(number: u64, input: &Input) -> Vec<u8> {
    let level = match number / 64 % 2 {
        0 => Level::Default,
        _ => Level::Best,
    };
    let mut stream = Vec::new();
    if !input.window.is_empty() {
        stream = compress(level, &[], &input.window);
    }
    let window = &input.window[input.window.len().saturating_sub(WINDOW)..];
    stream.extend(compress(level, window, &input.block));
    stream.extend(END);
    stream
}

fn whole(input: &Input) -> Vec<u8> {
    [&*input.window, &*input.block].concat()
}

/// Lets the decoders that are crates read the input with this number.
fn check(number: u64) {
    let input = input(number);
    let want = whole(&input);
    let stream = stream(number, &input);

    let mut out = Vec::with_capacity(want.len() + 1);
    let mut decoder = Decompress::new(false);
    let status = decoder.decompress_vec(&stream, &mut out, FlushDecompress::Finish);
    assert!(status.is_ok() && out == want, "flate2: {number}");
    assert_eq!(decoder.total_in(), stream.len() as u64, "{number}");

    let out = miniz_oxide::inflate::decompress_to_vec(&stream);
    assert!(out.is_ok_and(|out| out == want), "miniz: {number}");

    // It takes no more room than is needed, but wants some.
    let mut out = vec![0; want.len().max(1)];
    let length = libdeflater::Decompressor::new().deflate_decompress(&stream, &mut out);
    let same = length == Ok(want.len()) && out[..want.len()] == want;
    assert!(same, "libdeflate: {number}");
}

/// Lets all cores check the inputs with the numbers below `end`.
fn check_all(end: u64) {
    let next = AtomicU64::new(0);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        break;
                    }
                    check(number);
                }
            });
        }
    });
}

#[test]
fn other_crates_read_every_stream() {
    check_all(2000);
}

/// `cargo test --release --test it -- --ignored a_million_streams`: some minutes.
#[test]
#[ignore = "takes minutes, and an optimised build"]
fn other_crates_read_a_million_streams() {
    check_all(1_000_000);
}

/// The streams of the inputs with these numbers, for a program that reads frames: the lengths
/// of the stream and of what is in it, its CRC-32, all little-endian, and the stream.
fn frames(numbers: std::ops::Range<u64>) -> Vec<u8> {
    let mut frames = Vec::new();
    for number in numbers {
        let input = input(number);
        let content = whole(&input);
        let mut crc = Crc::new();
        crc.update(&content);
        let stream = stream(number, &input);
        for field in [stream.len() as u32, content.len() as u32, crc.sum()] {
            frames.extend(field.to_le_bytes());
        }
        frames.extend(stream);
    }
    frames
}

const COUNT: u64 = 1000;

#[test]
fn python_reads_every_stream() {
    if !have("python3") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("frames", frames(0..COUNT));
    sandbox.write(
        "read.py",
        r#"
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
at = count = 0
while at < len(data):
    length, size, crc = struct.unpack_from("<III", data, at)
    inflate = zlib.decompressobj(-15)
    out = inflate.decompress(data[at + 12:at + 12 + length])
    assert inflate.eof and not inflate.unused_data, count
    assert len(out) == size and zlib.crc32(out) == crc, count
    at += 12 + length
    count += 1
print(count)
"#,
    );
    let run = sandbox.shell("python3 read.py frames").ok();
    assert_eq!(run.stdout, format!("{COUNT}\n").as_bytes());
}

#[test]
fn ruby_reads_every_stream() {
    if !have("ruby") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("frames", frames(0..COUNT));
    sandbox.write(
        "read.rb",
        r#"
require "zlib"
data = File.binread(ARGV[0])
at = count = 0
while at < data.bytesize
  length, size, crc = data.byteslice(at, 12).unpack("VVV")
  inflate = Zlib::Inflate.new(-15)
  out = inflate.inflate(data.byteslice(at + 12, length))
  raise "end of #{count}" unless inflate.finished? && inflate.total_in == length
  raise "content of #{count}" unless out.bytesize == size && Zlib.crc32(out) == crc
  at += 12 + length
  count += 1
end
puts count
"#,
    );
    let run = sandbox.shell("ruby read.rb frames").ok();
    assert_eq!(run.stdout, format!("{COUNT}\n").as_bytes());
}

/// gzip checks each member's CRC-32 and length itself.
#[test]
fn gzip_reads_every_stream() {
    if !have("gzip") {
        return;
    }
    let mut members = Vec::new();
    let mut contents: Vec<u8> = Vec::new();
    for number in 0..COUNT {
        let input = input(number);
        let content = whole(&input);
        let mut crc = Crc::new();
        crc.update(&content);
        members.extend([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]);
        members.extend(stream(number, &input));
        members.extend(crc.sum().to_le_bytes());
        members.extend((content.len() as u32).to_le_bytes());
        contents.extend(&content);
    }
    let sandbox = Sandbox::new();
    sandbox.write("members.gz", members);
    sandbox.shell("gzip -d members.gz").ok();
    let read = fs::read(sandbox.path("members")).expect("a file");
    assert!(read == contents, "gzip reads other bytes");
}
