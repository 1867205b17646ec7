//! What the binary takes from its surroundings and passes to the library.

mod git;
mod upstream;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use etcetera::BaseStrategy;

use super::{Failure, args::Global, exit};
use crate::archive::{DEFAULT_MTIME, LATEST_MTIME};
use crate::error::{Diagnostic, Kind};
use crate::event::CancelToken;
use crate::manifest::GitProtocol;
pub(super) use git::git_access;
pub(super) use upstream::upstream_access;

/// The store's folder: `--store`, else `COOKPACK_STORE`, else one in the platform's cache folder.
pub(super) fn store(global: &Global) -> Result<PathBuf, Failure> {
    let given = || env::var_os("COOKPACK_STORE").filter(|value| !value.is_empty());
    if let Some(folder) = global.store.clone().or_else(|| given().map(PathBuf::from)) {
        return Ok(folder);
    }
    match etcetera::choose_base_strategy() {
        Ok(platform) => Ok(platform.cache_dir().join("cookpack")),
        Err(_) => Err(Failure::Usage(Box::new(
            Diagnostic::new("there is no home folder to keep the store in")
                .hint("name a folder with `--store DIR` or COOKPACK_STORE"),
        ))),
    }
}

/// The protocol of repositories' short forms: `--git-protocol`, else `COOKPACK_GIT_PROTOCOL`.
pub(super) fn git_protocol(global: &Global) -> Result<GitProtocol, Failure> {
    if let Some(given) = global.git_protocol {
        return Ok(given.into());
    }
    let Some(value) = env::var_os("COOKPACK_GIT_PROTOCOL").filter(|value| !value.is_empty()) else {
        return Ok(GitProtocol::default());
    };
    let known = GitProtocol::ALL.iter().find(|(name, _)| value == *name);
    known.map(|(_, protocol)| *protocol).ok_or_else(|| {
        Failure::Usage(Box::new(
            Diagnostic::new(format!(
                "COOKPACK_GIT_PROTOCOL is `{}`, which is no protocol for short forms",
                value.to_string_lossy()
            ))
            .hint("allowed: `https`, `ssh`"),
        ))
    })
}

/// The time by which ages in the store are told. No archive and no lockfile depends on it.
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}

/// The time of an archive's entries: SOURCE_DATE_EPOCH
/// (<https://reproducible-builds.org/specs/source-date-epoch/>), else 1980.
pub(super) fn mtime() -> Result<u64, Failure> {
    match env::var_os("SOURCE_DATE_EPOCH").filter(|value| !value.is_empty()) {
        Some(value) => parse_epoch(&value),
        None => Ok(DEFAULT_MTIME),
    }
}

fn parse_epoch(value: &OsString) -> Result<u64, Failure> {
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|seconds| *seconds <= LATEST_MTIME)
        .ok_or_else(|| {
            Failure::Usage(Box::new(
                Diagnostic::new(format!(
                    "SOURCE_DATE_EPOCH is `{}`, which is no time in seconds since 1970",
                    value.to_string_lossy()
                ))
                .hint(format!(
                    "a whole number up to {LATEST_MTIME} is one; unset it for 1980"
                )),
            ))
        })
}

/// The variables that `--env` lets a manifest see: `NAME=VALUE`, or `NAME` with the value that it
/// has here, if it has one.
pub(super) fn shown_to_manifests(global: &Global) -> BTreeMap<String, String> {
    let shown = global
        .env
        .iter()
        .filter_map(|given| match given.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => Some((given.clone(), env::var(given).ok()?)),
        });
    shown.collect()
}

/// Asks the operation to stop at the first signal, so that it can clean up; ends the process at the
/// second.
pub(super) fn cancel_on_signals(cancel: &CancelToken) {
    static ASKED: AtomicBool = AtomicBool::new(false);
    let cancel = cancel.clone();
    // Without a handler a signal simply kills, which loses nothing either.
    let _ = ctrlc::set_handler(move || {
        if ASKED.swap(true, Ordering::Relaxed) {
            process::exit(i32::from(exit::exit_code(Kind::Cancelled)));
        }
        cancel.cancel();
    });
}
