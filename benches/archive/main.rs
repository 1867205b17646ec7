//! Throughput of the archive writer, in bytes of content a second: `cargo bench --bench archive`.
//!
//! The corpora are made from a seed and held in memory, but for the large files, which are made as they
//! are read; archives go to a sink. So neither a disk nor a source is measured; `benches/compare.sh`
//! measures whole runs of the binary beside other tools.

#[path = "../corpus/mod.rs"]
#[expect(dead_code, reason = "the other benchmarks use the rest of it")]
mod corpus;
mod tree;

use std::hint::black_box;
use std::io;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use cookpack::archive::{ArchiveOptions, Format, read_archive};
use cookpack::event::CancelToken;
use cookpack::layout::{Layout, PlannedCookbook};
use cookpack::limits::Limits;
use cookpack::{Context, stream_archive};
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use tree::{Corpus, changed, layout, plan};

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(500));
    group
}

fn jobs(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("a count of threads")
}

fn options(threads: NonZeroUsize) -> ArchiveOptions {
    let mut options = ArchiveOptions::default();
    options.jobs = threads;
    options
}

fn plans(criterion: &mut Criterion, name: &str, corpus: &Corpus, bytes: u64) {
    let mut group = group(criterion, "plan");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            corpus
                .trees
                .iter()
                .map(|tree| plan(tree).included.len())
                .sum::<usize>()
        });
    });
    group.finish();
}

/// Writes a layout without a store: everything is read and compressed.
fn writes(criterion: &mut Criterion, name: &str, layout: &Layout, format: Format, threads: usize) {
    let mut group = group(criterion, &format!("{format}, {threads} threads"));
    let options = options(jobs(threads));
    group.throughput(Throughput::Bytes(layout.content_bytes()));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let archive = layout.write_to(&mut io::sink(), format, &options);
            black_box(archive.expect("an archive"))
        });
    });
    group.finish();
}

/// Writes with a store that has the segments of all cookbooks but those that changed. Each time other
/// content is new in them.
fn rewrites(
    criterion: &mut Criterion,
    format: Format,
    corpus: &Corpus,
    planned: &[PlannedCookbook],
    changes: usize,
) {
    let store = tempfile::tempdir().expect("a store");
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let cx = Context::new(store.path()).with_jobs(threads);
    let write = |layout: &Layout| {
        let archive = stream_archive(&cx, layout, &mut io::sink(), format, &options(threads));
        black_box(archive.expect("an archive"));
    };
    let mut group = group(criterion, &format!("{format}, warm"));
    let original = layout(planned.to_vec());
    group.throughput(Throughput::Bytes(original.content_bytes()));
    write(&original);
    let mut number = 0;
    let name = format!("{changes} of {} cookbooks changed", planned.len());
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(
            || {
                let mut planned = planned.to_vec();
                for index in 0..changes {
                    number += 1;
                    // Far from one another: a change reaches into the next cookbook.
                    let at = index * planned.len() / changes;
                    planned[at] = changed(&corpus.trees[at], number);
                }
                layout(planned)
            },
            |layout| write(layout),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Reads an archive to its end, and checks all of it.
fn reads(criterion: &mut Criterion, name: &str, layout: &Layout, format: Format) {
    let mut packed = Vec::new();
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let archive = layout.write_to(&mut packed, format, &options(threads));
    let archive = archive.expect("an archive").digests.archive;
    let mut group = group(criterion, &format!("{format}, read"));
    group.throughput(Throughput::Bytes(layout.content_bytes()));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let (limits, cancel) = (Limits::default(), CancelToken::default());
            let read = read_archive(&mut &packed[..], None, &limits, &mut (), &cancel);
            assert_eq!(read.expect("an archive").archive, archive);
        });
    });
    group.finish();
}

fn real(criterion: &mut Criterion) {
    let corpus = Corpus::new(corpus::real(400));
    let planned = corpus.planned();
    let layout = layout(planned.clone());
    let name = "400 cookbooks";
    plans(criterion, name, &corpus, layout.content_bytes());
    writes(criterion, name, &layout, Format::Tar, 1);
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    writes(criterion, name, &layout, Format::TarGz, 1);
    if threads > 1 {
        writes(criterion, name, &layout, Format::TarGz, threads);
    }
    writes(criterion, name, &layout, Format::Zip, threads);
    for format in [Format::TarGz, Format::Zip] {
        reads(criterion, name, &layout, format);
    }
    for changes in [0, 1, 40] {
        rewrites(criterion, Format::TarGz, &corpus, &planned, changes);
    }
    rewrites(criterion, Format::Zip, &corpus, &planned, 1);
}

fn one(criterion: &mut Criterion) {
    let corpus = Corpus::new(corpus::real(1));
    let layout = layout(corpus.planned());
    let name = "1 cookbook";
    plans(criterion, name, &corpus, layout.content_bytes());
    writes(criterion, name, &layout, Format::TarGz, 1);
}

fn tiny(criterion: &mut Criterion) {
    let corpus = Corpus::new(corpus::tiny(100_000));
    let layout = layout(corpus.planned());
    let name = "100,000 files of 1 KiB";
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    plans(criterion, name, &corpus, layout.content_bytes());
    writes(criterion, name, &layout, Format::Tar, 1);
    writes(criterion, name, &layout, Format::TarGz, threads);
    writes(criterion, name, &layout, Format::Zip, threads);
}

fn large(criterion: &mut Criterion) {
    let cookbook = corpus::large(20, 50 << 20);
    let corpus = Corpus::new([cookbook].into_iter());
    let layout = layout(corpus.planned());
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    writes(
        criterion,
        "20 files of 50 MiB",
        &layout,
        Format::TarGz,
        threads,
    );
}

criterion_group!(benches, real, one, tiny, large);
criterion_main!(benches);
