//! What must be nowhere.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::git_server::base64;
use super::{Run, Sandbox};

/// Has a secret be in no file of the sandbox but those that a test wrote it into, and in nothing
/// that was printed.
pub(crate) fn nowhere(sandbox: &Sandbox, secret: &str, but: &[&str], runs: &[&Run]) {
    let forms = forms(secret);
    for run in runs {
        for form in &forms {
            let form = String::from_utf8_lossy(form);
            assert!(!run.stderr.contains(&*form), "{secret} was told: {run}");
            assert!(!run.out().contains(&*form), "{secret} was printed: {run}");
        }
    }
    let but: Vec<_> = but.iter().map(|path| sandbox.root().join(path)).collect();
    let mut files = 0;
    walk(sandbox.root(), &mut |file| {
        if but.iter().any(|path| path == file) {
            return;
        }
        let mut content = fs::read(file).unwrap_or_default();
        let mut plain = Vec::new();
        if content.starts_with(&[0x1f, 0x8b]) {
            let _ = MultiGzDecoder::new(&*content).read_to_end(&mut plain);
        }
        content.extend(plain);
        files += 1;
        for form in &forms {
            let found = content.windows(form.len()).any(|part| part == &**form);
            assert!(!found, "{secret} stands in {}", file.display());
        }
    });
    assert!(files > 0, "there were files to look at");
}

/// The secret, and how it looks as a password in base64: whole groups of it, for each place where
/// it may begin.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    for skipped in 0..3 {
        let inner = &secret.as_bytes()[skipped..];
        let whole = &inner[..inner.len() / 3 * 3];
        forms.push(base64(whole).into_bytes());
    }
    forms
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            walk(&entry.path(), visit);
        } else if kind.is_file() {
            visit(&entry.path());
        }
    }
}
