//! A layout of a million files, and what the writer needs beside it; and archives with a file that 32
//! bits cannot count.
//!
//! ```text
//! cargo bench --bench extremes
//! cargo bench --bench extremes -- over-4-gib tar.gz | tar -tvz
//! ```
//!
//! The first prints, for each format, by how much the peak of the process stood above its memory with the
//! layout made, and fails above 64 MiB. That is what Linux says of the process (`/proc/self/status`),
//! since no allocator can be counted without unsafe code; what making the layout left free in the heap is
//! used first and not seen, so the peak of the whole process is told as well.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program has arguments, prints, and reads what the system says of it"
)]

#[path = "corpus/mod.rs"]
#[expect(dead_code, reason = "the other benchmarks use the rest of it")]
mod corpus;
#[path = "archive/tree.rs"]
#[expect(dead_code, reason = "the other benchmarks use the rest of it")]
mod tree;

use std::fs;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Instant;

use cookpack::archive::{ArchiveOptions, Format};
use corpus::{Content, Cookbook, File};
use tree::{Corpus, layout};

/// The most that a writer may need beside the layout.
const LIMIT: u64 = 64 << 20;

fn options() -> ArchiveOptions {
    let mut options = ArchiveOptions::default();
    options.jobs = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    options
}

/// A line of what Linux says of this process, in bytes; nothing elsewhere.
fn status(field: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line
        .trim_matches([':', '\t', ' '])
        .strip_suffix(" kB")?
        .trim()
        .parse()
        .ok()?;
    Some(kib << 10)
}

fn file(path: String, content: Content) -> File {
    File {
        path,
        executable: false,
        content,
    }
}

/// A hundred cookbooks of ten thousand files.
fn million() -> impl Iterator<Item = Cookbook> {
    (0..100).map(|cookbook| Cookbook {
        name: format!("cookbook{cookbook:02}"),
        files: (0..10_000)
            .map(|number| {
                let path = format!("files/{:02}/file{number:04}.conf", number / 100);
                file(
                    path,
                    Content::Bytes(format!("{cookbook} {number}\n").into()),
                )
            })
            .collect(),
    })
}

fn writers_memory() -> bool {
    let layout = layout(Corpus::new(million()).planned());
    let files = layout.file_count();
    let mut fits = true;
    for format in Format::ALL {
        // Linux forgets the peak until now when it is told to.
        let forgets = fs::write("/proc/self/clear_refs", "5").is_ok();
        let (Some(before), true) = (status("VmRSS"), forgets) else {
            println!("SKIPPED: this system does not tell a process its memory");
            return true;
        };
        let begin = Instant::now();
        let archive = layout.write_to(&mut io::sink(), format, &options());
        let size = archive.expect("an archive").size;
        let seconds = begin.elapsed().as_secs_f64();
        let peak = status("VmHWM").unwrap_or(u64::MAX);
        let above = peak.saturating_sub(before);
        println!(
            "{format}: {files} files, {size} bytes in {seconds:.1} s; {:.1} MiB above the layout, {:.0} MiB in all",
            above as f64 / 1048576.0,
            peak as f64 / 1048576.0,
        );
        fits &= above <= LIMIT;
    }
    fits
}

/// One file of 4 GiB and a byte, between two small ones.
fn over_4_gib(format: Format) -> io::Result<()> {
    let cookbook = Cookbook {
        name: "web".to_owned(),
        files: vec![
            file("files/a".to_owned(), Content::Bytes(b"before\n".to_vec())),
            file(
                "files/large".to_owned(),
                Content::Zeros {
                    length: (4 << 30) + 1,
                },
            ),
            file("files/z".to_owned(), Content::Bytes(b"after\n".to_vec())),
        ],
    };
    let layout = layout(Corpus::new([cookbook].into_iter()).planned());
    let mut out = io::stdout().lock();
    let archive = layout
        .write_to(&mut out, format, &options())
        .map_err(io::Error::other)?;
    eprintln!("{format}: {} bytes", archive.size);
    out.flush()
}

fn main() -> ExitCode {
    // Cargo passes `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(|a| &**a).collect();
    match arguments[..] {
        [] if writers_memory() => ExitCode::SUCCESS,
        [] => {
            eprintln!("the writer needs more than {LIMIT} bytes");
            ExitCode::FAILURE
        }
        ["over-4-gib", word] => {
            let Some(format) = Format::ALL.into_iter().find(|f| f.as_str() == word) else {
                eprintln!("`{word}` is no format");
                return ExitCode::FAILURE;
            };
            match over_4_gib(format) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("{error}");
                    ExitCode::FAILURE
                }
            }
        }
        _ => {
            eprintln!("usage: extremes [over-4-gib FORMAT]");
            ExitCode::FAILURE
        }
    }
}
