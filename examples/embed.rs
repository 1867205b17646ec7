//! Embeds cookpack: packs the cookbooks of a manifest, with progress on the standard error.
//!
//! ```text
//! cargo run --example embed -- testdata/demo/cookpack.toml target/store target/demo.tar.gz
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program has arguments and prints"
)]

use std::env;
use std::error::Error;
use std::path::PathBuf;

use cookpack::archive::{ArchiveOptions, Format};
use cookpack::event::{CancelToken, Event, Reporter};
use cookpack::{Context, LockMode};

/// Tells what it knows, and passes over what a later version may add.
struct Progress;

impl Reporter for Progress {
    fn report(&self, event: &Event<'_>) {
        match event {
            Event::FetchStarted { url } => eprintln!("fetching {url}"),
            Event::CookbookRead { name } => eprintln!("read {name}"),
            Event::Warning(warning) => eprintln!("warning: {}", warning.message),
            _ => {}
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(manifest), Some(store), Some(output)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: embed MANIFEST STORE OUTPUT".into());
    };

    // Another thread may hold a clone of this and ask to stop.
    let cancel = CancelToken::default();
    let cx = Context::new(store)
        .with_reporter(&Progress)
        .with_cancel(&cancel);

    let project = cookpack::open_project(&cx, &manifest)?;
    let mode = match &project.lockfile {
        Some(lockfile) => LockMode::Prefer(lockfile),
        None => LockMode::Fresh,
    };
    let (lockfile, layout) = cookpack::lock_and_assemble(&cx, &project.manifest, mode)?;
    for (name, cookbook) in &lockfile.cookbooks {
        eprintln!("{name} {} from {}", cookbook.version, cookbook.pin);
    }

    let options = ArchiveOptions::default();
    let archive = cookpack::write_archive(&cx, &layout, &output, Format::TarGz, &options)?;
    println!("{}  {}", archive.digests.archive, output.display());
    Ok(())
}
