//! Writes a corpus to a folder, a folder for each cookbook.
//!
//! ```text
//! cargo run --release --example corpus -- real target/corpus 400
//! cargo run --release --example corpus -- tiny target/corpus 100000
//! cargo run --release --example corpus -- large target/corpus 20
//! ```
//!
//! The number is that of cookbooks, of files of 1 KiB, and of files of 50 MiB.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "a program has arguments, prints and writes files"
)]

#[path = "mod.rs"]
#[expect(dead_code, reason = "the other benchmarks use the rest of it")]
mod corpus;

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use corpus::Cookbook;

fn write(cookbook: &Cookbook, folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for file in &cookbook.files {
        let path = folder.join(&cookbook.name).join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        bytes += io::copy(&mut file.content.open(), &mut File::create(&path)?)?;
        if file.executable {
            make_executable(&path)?;
        }
    }
    Ok(bytes)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [shape, folder, number] = &arguments[..] else {
        return Err("usage: corpus real|tiny|large FOLDER NUMBER".into());
    };
    let number: usize = number.parse()?;
    let cookbooks: Box<dyn Iterator<Item = Cookbook>> = match &**shape {
        "real" => Box::new(corpus::real(number)),
        "tiny" => Box::new(corpus::tiny(number)),
        "large" => Box::new([corpus::large(number as u64, 50 << 20)].into_iter()),
        _ => return Err(format!("`{shape}` is no shape of a corpus").into()),
    };
    let (mut files, mut bytes) = (0, 0);
    for cookbook in cookbooks {
        bytes += write(&cookbook, Path::new(folder))?;
        files += cookbook.files.len();
    }
    println!("{files} files, {bytes} bytes");
    Ok(())
}
