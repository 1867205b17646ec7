use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Mutex;

use std::io;

use super::super::segment::{NewSegment, StoredSegment};
use super::*;

#[test]
fn pieces_of_any_size_are_written_in_order_and_digested() {
    let bytes: Vec<u8> = (0..1_000_000_u32)
        .map(|n| (n.wrapping_mul(n) >> 7) as u8)
        .collect();
    for jobs in [1, 2] {
        let jobs = NonZeroUsize::new(jobs).expect("a number");
        for step in [1_000, PIECE - 1, PIECE, PIECE + 1, 400_000] {
            let mut written = Vec::new();
            let mut out = Output::new(&mut written, jobs, None, Buffers::default());
            for (index, piece) in bytes.chunks(step).enumerate() {
                let done = match index % 2 {
                    0 => out.write(piece),
                    _ => out.write_all(piece.to_vec()),
                };
                done.expect("written");
            }
            let (length, digest) = out.finish().expect("an end");
            assert!(written == bytes, "{step}");
            assert_eq!((length, digest), (bytes.len() as u64, Digest::of(&bytes)));
        }
    }
}

/// Keeps trails alone.
#[derive(Default)]
struct Trails {
    kept: Mutex<HashMap<Digest, Vec<u8>>>,
    times: Mutex<usize>,
}

impl SegmentStore for Trails {
    fn find(&self, _: &Digest) -> Option<StoredSegment> {
        None
    }

    fn begin(&self, _: &Digest) -> Option<Box<dyn NewSegment + '_>> {
        None
    }

    fn trail(&self, name: &Digest) -> Option<Vec<u8>> {
        self.kept.lock().expect("trails").get(name).cloned()
    }

    fn keep_trail(&self, name: &Digest, bytes: &[u8]) {
        *self.times.lock().expect("a number") += 1;
        let mut kept = self.kept.lock().expect("trails");
        kept.insert(*name, bytes.to_vec());
    }
}

/// What a segment is for: its number and its version.
#[derive(Clone, Copy)]
enum Part {
    Joined(u8, u8),
    /// It is compressed anew, whatever is known of it.
    Anew(u8, u8),
}
use Part::{Anew, Joined};

fn segment(number: u8, version: u8) -> (Digest, Vec<u8>) {
    let lengths = [10, 200_000, PIECE - 1, 5_000, PIECE, 0, 70_000];
    let length = lengths[usize::from(number) % lengths.len()];
    let bytes = (0..length).map(|n: usize| ((n * n) >> 5) as u8 ^ number ^ version);
    (Digest::of([number, version]), bytes.collect())
}

/// Writes an archive of these segments, which must be right. Gives how many were not digested.
fn write(trails: &Trails, jobs: usize, as_streams: bool, parts: &[Part]) -> usize {
    let mut wanted = b"head".to_vec();
    let mut written = Vec::new();
    let jobs = NonZeroUsize::new(jobs).expect("a number");
    let mut out = Output::new(&mut written, jobs, Some(trails), Buffers::default());
    out.write(b"head").expect("written");
    for part in parts {
        let (Joined(number, version) | Anew(number, version)) = *part;
        let (key, bytes) = segment(number, version);
        wanted.extend_from_slice(&bytes);
        match part {
            Anew(..) => {
                out.write_all(bytes).expect("written");
                out.end_segment(&key);
            }
            Joined(..) => {
                let loaded = match as_streams {
                    true => Loaded::Stream(bytes.len() as u64, Box::new(io::Cursor::new(bytes))),
                    false => Loaded::Bytes(bytes),
                };
                out.join(&key, loaded).expect("written");
            }
        }
    }
    out.write(b"end").expect("written");
    wanted.extend_from_slice(b"end");
    let joined = out.joined;
    let (length, digest) = out.finish().expect("an end");
    assert!(written == wanted);
    assert_eq!((length, digest), (wanted.len() as u64, Digest::of(&wanted)));
    joined
}

#[test]
fn what_an_earlier_archive_began_with_is_not_digested_again() {
    let seven: Vec<Part> = (0..7).map(|number| Joined(number, 0)).collect();
    let changed = |at: usize, part| {
        let mut parts = seven.clone();
        parts[at] = part;
        parts
    };
    for (jobs, as_streams) in [(1, false), (2, false), (2, true)] {
        let trails = Trails::default();
        let write = |parts: &[Part]| write(&trails, jobs, as_streams, parts);
        let times = || *trails.times.lock().expect("a number");
        assert_eq!(write(&seven), 0, "nothing is known");
        assert_eq!(write(&seven), 7);
        assert_eq!(times(), 1, "it is known already");
        assert_eq!(write(&changed(3, Joined(3, 1))), 3, "another key");
        assert_eq!(write(&changed(3, Joined(3, 1))), 7);
        assert_eq!(write(&seven), 3);
        assert_eq!(write(&seven[..4]), 4, "it ends earlier");
        assert_eq!(times(), 3, "a beginning is no news");
        assert_eq!(write(&seven), 7);
        assert_eq!(write(&changed(2, Anew(2, 0))), 2, "it was made anew");
        assert_eq!(times(), 3, "with the same bytes");
        assert_eq!(write(&changed(0, Anew(0, 0))), 0, "it was the first");
        assert_eq!(times(), 4, "nobody looked for one");
        let longer = [&seven[..], &[Joined(7, 0)]].concat();
        assert_eq!(write(&longer), 7, "it goes on");
        assert_eq!(write(&longer), 8);
        assert_eq!(write(&changed(0, Joined(0, 1))), 0, "another one's");
        assert_eq!(write(&longer), 8, "they stand side by side");
    }
}

#[test]
fn threads_and_kinds_of_reading_share_a_trail() {
    let trails = Trails::default();
    let parts: Vec<Part> = (0..7).map(|number| Joined(number, 0)).collect();
    let first = RefCell::new(None);
    for (jobs, as_streams, begin) in [(2, false, 7), (1, true, 0), (3, true, 2)] {
        trails.kept.lock().expect("trails").clear();
        write(&trails, jobs, as_streams, &parts[..begin]);
        assert_eq!(write(&trails, jobs, as_streams, &parts), begin);
        let kept = trails.kept.lock().expect("trails").clone();
        let mut first = first.borrow_mut();
        assert!(*first.get_or_insert_with(|| kept.clone()) == kept, "{jobs}");
    }
}

#[test]
fn a_trail_that_tells_another_length_is_left() {
    let trails = Trails::default();
    let parts: Vec<Part> = (0..4).map(|number| Joined(number, 0)).collect();
    write(&trails, 1, false, &parts);
    let name = segment(0, 0).0;
    let bytes = trails.trail(&name).expect("a trail");
    let whole = Trail::from_bytes(bytes.clone(), &name).expect("a trail");
    let mut wrong = Trail::default();
    for index in 0..4 {
        let mut mark = whole.mark(index).expect("a mark");
        mark.length += u64::from(index == 2);
        wrong.push(&mark);
    }
    trails.keep_trail(&name, &wrong.into_bytes());
    assert_eq!(write(&trails, 1, false, &parts), 2);
    assert_eq!(write(&trails, 1, false, &parts), 4, "it was mended");
    trails.keep_trail(&name, &bytes[1..]);
    assert_eq!(write(&trails, 2, false, &parts), 0, "it was cut off");
    assert_eq!(write(&trails, 2, false, &parts), 4);
}
