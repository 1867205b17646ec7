//! The tools of others, with which an archive is compared.

use std::io::Write as _;
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::sandbox::path_variable;

/// Waits until files are known by what the file system says of them.
pub(crate) fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(3_300));
}

/// Whether a tool is on this machine. Without it a test must end early; it has then said so, loudly.
/// On CI a missing tool is a failure.
pub(crate) fn have(tool: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$0\"", tool])
        .env_clear()
        .env("PATH", path_variable())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        let test = std::thread::current();
        let test = test.name().unwrap_or("a test");
        let ci = std::env::var("CI").is_ok_and(|v| !matches!(&*v, "" | "0" | "false"));
        assert!(!ci, "{test} needs {tool}, and on CI it must be there");
        // Not by `eprintln!`, which the test runner swallows when a test passes.
        let line = format!("SKIPPED: {test} needs {tool}\n");
        std::io::stderr()
            .write_all(line.as_bytes())
            .expect("stderr");
    }
    found
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The SHA-256 of bytes as hex digits.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes.as_ref()))
}

/// Bytes that no encoder shortens, from a seed.
pub(crate) fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    (0..length)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 32) as u8
        })
        .collect()
}
