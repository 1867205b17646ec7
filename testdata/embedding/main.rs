//! An embedder of cookpack that has its own ideas of flate2.
//!
//!     embedder MANIFEST STORE ARCHIVE PROBE
//!
//! writes the archive of a manifest in each format to `ARCHIVE.<format>`, and prints the SHA-256 of what
//! its flate2 makes of a probe.

use std::env::args;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use cookpack::archive::{ArchiveOptions, Format};
use cookpack::{Context, LockMode};
use flate2::{Compression, write::ZlibEncoder};

fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    let [manifest, store, archive, probe] = &arguments[..] else {
        panic!("four arguments");
    };
    let cx = Context::new(store);
    let project = cookpack::open_project(&cx, Path::new(manifest)).unwrap();
    let (_, layout) =
        cookpack::lock_and_assemble(&cx, &project.manifest, LockMode::Fresh).unwrap();
    for format in Format::ALL {
        let mut file = File::create(format!("{archive}.{format}")).unwrap();
        layout.write_to(&mut file, format, &ArchiveOptions::default()).unwrap();
    }
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::new(6));
    zlib.write_all(&fs::read(probe).unwrap()).unwrap();
    println!("{}", cookpack::digest::Digest::of(&zlib.finish().unwrap()));
}
