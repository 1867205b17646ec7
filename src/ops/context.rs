//! What an operation needs beside its input.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::archive::{ArchiveOptions, Format, Tools};
use crate::event::{CancelToken, Reporter, Silent};
use crate::git::{GitAccess, Repositories};
use crate::limits::Limits;
use crate::manifest::{GitProtocol, Manifest};
use crate::store::Store;
use crate::upstream::UpstreamAccess;

/// The surroundings of an operation: where the store is, who hears of progress, what is allowed.
/// Nothing of it is read from the environment, the working directory, the home folder or the clock.
#[derive(Clone)]
pub struct Context<'a> {
    store: PathBuf,
    reporter: &'a dyn Reporter,
    cancel: CancelToken,
    limits: Limits,
    offline: bool,
    jobs: NonZeroUsize,
    env: BTreeMap<String, String>,
    git: GitAccess,
    fetches: Option<NonZeroUsize>,
    upstreams: UpstreamAccess,
    git_protocol: GitProtocol,
    uses_index: bool,
    archive: Option<(Format, ArchiveOptions)>,
    tools: Tools,
}

impl<'a> Context<'a> {
    /// Surroundings with the store in this folder, which need not exist yet.
    pub fn new(store: impl Into<PathBuf>) -> Self {
        Self {
            store: store.into(),
            reporter: &Silent,
            cancel: CancelToken::default(),
            limits: Limits::default(),
            offline: false,
            jobs: NonZeroUsize::MIN,
            env: BTreeMap::new(),
            git: GitAccess::default(),
            fetches: None,
            upstreams: UpstreamAccess::default(),
            git_protocol: GitProtocol::default(),
            uses_index: true,
            archive: None,
            tools: Tools::default(),
        }
    }

    /// Who hears of progress and warnings.
    #[must_use]
    pub fn with_reporter(mut self, reporter: &'a dyn Reporter) -> Self {
        self.reporter = reporter;
        self
    }

    /// Who may ask to stop.
    #[must_use]
    pub fn with_cancel(mut self, cancel: &CancelToken) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Bounds on what sources may hold.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether fetching is forbidden: only folders and what the store has are read.
    #[must_use]
    pub fn with_offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// How many cookbooks are read at once; one, unless this says otherwise. No result depends on it.
    #[must_use]
    pub fn with_jobs(mut self, jobs: NonZeroUsize) -> Self {
        self.jobs = jobs;
        self
    }

    /// Whether what an earlier run found out of content counts as long as the content has the same
    /// identity: git's id of a folder, or what the file system says of a folder's files. It does, unless
    /// this says otherwise: then everything is read. No result depends on it.
    #[must_use]
    pub fn with_index(mut self, uses_index: bool) -> Self {
        self.uses_index = uses_index;
        self
    }

    /// The archive that will be written of what is locked and laid out. Cookbooks are then compressed
    /// into the store while they are read, where nothing else is expected to stand between them, so that
    /// the writer needs not read them again. No result depends on it.
    #[must_use]
    pub fn with_archive(mut self, format: Format, options: &ArchiveOptions) -> Self {
        self.archive = Some((format, *options));
        self
    }

    pub(super) fn archive(&self) -> Option<(Format, ArchiveOptions)> {
        self.archive
    }

    /// What cookbooks are compressed with, whether that is while they are read or when the archive is
    /// written. It stays as long as the context does, or one of its clones: some 4 MiB on two threads.
    pub(super) fn tools(&self) -> &Tools {
        &self.tools
    }

    pub(super) fn uses_index(&self) -> bool {
        self.uses_index
    }

    /// What a manifest written in Ruby sees as `ENV`; nothing, unless this says otherwise. The
    /// metadata of cookbooks sees nothing in any case, so that a commit has one meaning.
    #[must_use]
    pub fn with_env(mut self, env: BTreeMap<String, String>) -> Self {
        self.env = env;
        self
    }

    /// How remote git repositories are reached. Without this, no configuration of git is read, there
    /// are no credentials but those in an address, and `ssh` runs with an empty environment.
    #[must_use]
    pub fn with_git(mut self, git: GitAccess) -> Self {
        self.git = git;
        self
    }

    /// How many repositories are fetched at once, which waits more than it computes; as many as
    /// cookbooks are read, unless this says otherwise.
    #[must_use]
    pub fn with_fetches(mut self, fetches: NonZeroUsize) -> Self {
        self.fetches = Some(fetches);
        self
    }

    /// The protocol by which the short forms of repositories (`github`, `gitlab`, `bitbucket`) are read
    /// where a manifest names none; https, unless this says otherwise.
    #[must_use]
    pub fn with_git_protocol(mut self, protocol: GitProtocol) -> Self {
        self.git_protocol = protocol;
        self
    }

    pub(super) fn git_protocol(&self) -> GitProtocol {
        self.git_protocol
    }

    /// How Supermarkets and their like are reached. Without this there are no credentials, and no proxy.
    #[must_use]
    pub fn with_upstreams(mut self, upstreams: UpstreamAccess) -> Self {
        self.upstreams = upstreams;
        self
    }

    pub(super) fn upstreams(&self) -> &UpstreamAccess {
        &self.upstreams
    }

    pub(super) fn fetches(&self) -> NonZeroUsize {
        self.fetches.unwrap_or(self.jobs)
    }

    pub(super) fn is_offline(&self) -> bool {
        self.offline
    }

    pub(super) fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    pub(super) fn jobs(&self) -> NonZeroUsize {
        self.jobs
    }

    pub(super) fn reporter(&self) -> &dyn Reporter {
        self.reporter
    }

    pub(super) fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn store(&self) -> Store {
        Store::new(&self.store)
    }

    pub(super) fn repositories(&self, manifest: &Manifest) -> Repositories<'_> {
        Repositories::new(
            (Store::new(&self.store), manifest.folder()),
            (&self.git, manifest.git.executable),
            (self.reporter, &self.cancel),
            self.offline,
            self.fetches(),
        )
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("store", &self.store)
            .field("limits", &self.limits)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}
