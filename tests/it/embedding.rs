//! cookpack inside of another build. Cargo gives a crate every feature that any other crate in the same
//! build asks for, so an embedder can switch flate2 to another implementation of zlib without knowing of
//! it. No byte of an archive may come from there.

use std::fs;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cookpack::archive::{ArchiveOptions, Format};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::golden::{corpus, layout};
use crate::support::{finish_within, have, project, sha256};

/// Input for which the implementations of zlib give different bytes.
fn probe() -> Vec<u8> {
    (0_u32..60_000)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 27) as u8)
        .collect()
}

/// An embedder's build that has every other implementation that flate2 has without a further download:
/// C's zlib and `miniz_oxide`. Its lockfile is ours, so that nothing is resolved and what is already built
/// is taken from the build folder.
#[test]
fn no_other_implementation_of_zlib_changes_a_byte() {
    if !have("cargo") {
        return;
    }
    let sandbox = corpus();
    let crate_folder = sandbox.root().join("embedder");
    fs::create_dir_all(crate_folder.join("src")).expect("a folder");
    let manifest = format!(
        "[package]\n\
         name = \"embedder\"\n\
         version = \"0.1.0\"\n\
         edition = \"2024\"\n\
         [dependencies]\n\
         cookpack = {{ path = {:?}, default-features = false }}\n\
         flate2 = {{ version = \"1\", features = [\"cloudflare_zlib\", \"miniz_oxide\", \"rust_backend\", \"zlib\", \"zlib-default\", \"zlib-rs\"] }}\n\
         [workspace]\n",
        project()
    );
    fs::write(crate_folder.join("Cargo.toml"), manifest).expect("a manifest");
    for (from, to) in [
        ("Cargo.lock", "Cargo.lock"),
        ("testdata/embedding/main.rs", "src/main.rs"),
    ] {
        fs::copy(project().join(from), crate_folder.join(to)).expect("a copy");
    }
    // The build folder of this test: what cookpack stands on has been built there.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("a build folder");
    let mut build = Command::new("cargo");
    build
        .args(["run", "--quiet", "--target-dir"])
        .arg(target)
        .arg("--")
        .arg(sandbox.path("cookpack.toml"))
        .arg(sandbox.root().join("embedder-store"))
        .arg(sandbox.root().join("embedded"))
        .current_dir(&crate_folder);
    // Not the variables that cargo gave to this test.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") && text != "CARGO_HOME" && !text.starts_with("CARGO_NET") {
            build.env_remove(&name);
        }
    }
    let probed = sandbox.root().join("probe");
    fs::write(&probed, probe()).expect("a file");
    build.arg(&probed);
    let run = finish_within(&mut build, Duration::from_secs(600)).ok();

    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::new(6));
    zlib.write_all(&probe()).expect("memory");
    let ours = sha256(zlib.finish().expect("memory"));
    let theirs = run.out().trim();
    assert_eq!(theirs.len(), ours.len(), "{run}");
    assert_ne!(
        theirs, ours,
        "flate2 is what it is here: the test shows nothing"
    );

    let layout = layout(&sandbox);
    for format in Format::ALL {
        let mut wanted = Vec::new();
        let mut options = ArchiveOptions::default();
        options.jobs = NonZeroUsize::new(2).expect("two");
        layout
            .write_to(&mut wanted, format, &options)
            .expect("an archive");
        let built =
            fs::read(sandbox.root().join(format!("embedded.{format}"))).expect("an archive");
        assert!(
            built == wanted,
            "{format}: another zlib changed the archive"
        );
    }
}
