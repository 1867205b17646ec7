//! Brings a repository's branches and tags into its mirror.

use git2::{AutotagOption, Direction, FetchOptions, FetchPrune, RemoteCallbacks, Repository};

use super::GitError;
use super::mirror::address_of;
use crate::event::{CancelToken, Event, Reporter};
use crate::manifest::GitUrl;

/// What the mirror keeps: every branch and every tag, as they are at the remote.
const REFSPECS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// What a remote said of its `HEAD` while it was fetched.
#[derive(Clone, Debug)]
pub(super) struct RemoteHead {
    /// The full name of the branch that it calls its default.
    pub(super) branch: Option<String>,
}

/// Fetches `url` into `repository`. `folder` is where a relative address begins.
pub(super) fn fetch(
    repository: &Repository,
    url: &GitUrl,
    folder: &std::path::Path,
    reporter: &dyn Reporter,
    cancel: &CancelToken,
) -> Result<RemoteHead, GitError> {
    let shown = url.redacted();
    let failed = |source: git2::Error| {
        if cancel.is_cancelled() {
            return GitError::Cancelled(crate::event::Cancelled);
        }
        match source.code() {
            git2::ErrorCode::NotFound => GitError::NoRepository {
                url: shown.clone(),
                source,
            },
            _ => GitError::Fetch {
                url: shown.clone(),
                source,
            },
        }
    };
    reporter.report(&Event::FetchStarted { url: &shown });
    let address = address_of(url, folder)?;
    let mut remote = repository.remote_anonymous(&address).map_err(failed)?;
    remote.connect(Direction::Fetch).map_err(failed)?;
    // A remote without a commit has no default branch; that is an error only if it is asked for.
    let branch = remote
        .default_branch()
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned).ok());

    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(|progress| {
        reporter.report(&Event::FetchProgress {
            url: &shown,
            objects: progress.received_objects(),
            total: progress.total_objects(),
            bytes: progress.received_bytes(),
        });
        !cancel.is_cancelled()
    });
    callbacks.pack_progress(|_, _, _| {});
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(callbacks)
        .download_tags(AutotagOption::None)
        .prune(FetchPrune::On);
    remote
        .fetch(&REFSPECS, Some(&mut options), None)
        .map_err(failed)?;
    cancel.check()?;
    reporter.report(&Event::FetchFinished { url: &shown });
    Ok(RemoteHead { branch })
}
