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
use crate::support::{Sandbox, finish_within, have, project, sha256};

/// Input for which the implementations of zlib give different bytes.
fn probe() -> Vec<u8> {
    (0_u32..60_000)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 27) as u8)
        .collect()
}

/// A project that another crate packs in its build.
struct Embedded {
    sandbox: Sandbox,
    /// The SHA-256 of what its flate2 makes of the probe.
    probed: String,
    /// Its program.
    program: Vec<u8>,
}

/// Packs the corpus in the build of a crate of this name, with these features of flate2. Its lockfile is
/// ours, so that little is resolved and what is already built is taken from the build folder.
fn embedded(name: &str, features: &[&str]) -> Embedded {
    let sandbox = corpus();
    let crate_folder = sandbox.root().join(name);
    fs::create_dir_all(crate_folder.join("src")).expect("a folder");
    let manifest = format!(
        "[package]\n\
         name = \"{name}\"\n\
         version = \"0.1.0\"\n\
         edition = \"2024\"\n\
         [dependencies]\n\
         cookpack = {{ path = {:?}, default-features = false }}\n\
         flate2 = {{ version = \"1\", features = {features:?} }}\n\
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
    let program = fs::read(target.join("debug").join(name)).expect("the program");
    Embedded {
        sandbox,
        probed: run.out().trim().to_owned(),
        program,
    }
}

impl Embedded {
    /// Its archives are those that are written here.
    fn has_the_same_bytes(&self) {
        let layout = layout(&self.sandbox);
        for format in Format::ALL {
            let mut wanted = Vec::new();
            let mut options = ArchiveOptions::default();
            options.jobs = NonZeroUsize::new(2).expect("two");
            layout
                .write_to(&mut wanted, format, &options)
                .expect("an archive");
            let built = fs::read(self.sandbox.root().join(format!("embedded.{format}")))
                .expect("an archive");
            assert!(
                built == wanted,
                "{format}: another zlib changed the archive"
            );
        }
    }
}

/// C's zlib and `miniz_oxide`.
#[test]
fn no_other_implementation_of_zlib_changes_a_byte() {
    if !have("cargo") {
        return;
    }
    let features = [
        "cloudflare_zlib",
        "miniz_oxide",
        "rust_backend",
        "zlib",
        "zlib-default",
        "zlib-rs",
    ];
    let embedded = embedded("embedder", &features);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::new(6));
    zlib.write_all(&probe()).expect("memory");
    let ours = sha256(zlib.finish().expect("memory"));
    assert_eq!(embedded.probed.len(), ours.len(), "{}", embedded.probed);
    assert_ne!(
        embedded.probed, ours,
        "flate2 is what it is here: the test shows nothing"
    );
    embedded.has_the_same_bytes();
}

/// zlib-ng, beside all others. What it makes of the probe is what zlib-rs does, which comes from it.
#[test]
fn nor_does_zlib_ng() {
    if !have("cargo") || !have("cmake") {
        return;
    }
    let embedded = embedded(
        "embedder-ng",
        &["zlib-ng", "zlib", "miniz_oxide", "rust_backend", "zlib-rs"],
    );
    let symbol = b"zng_deflate";
    let mut parts = embedded.program.windows(symbol.len());
    assert!(parts.any(|part| part == symbol), "it is not linked");
    embedded.has_the_same_bytes();
}
