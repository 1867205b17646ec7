//! How a conversation with a remote's `git-upload-pack` is carried: over http(s) or through ssh. What
//! is said in it is the protocol's affair (`wire`), not the carrier's.

use std::io::Read;

use super::GitError;

/// A conversation with the `git-upload-pack` of one repository. Version 2 of the protocol is asked
/// for; the server may answer in version 0 (git, `Documentation/gitprotocol-v2`,
/// `Documentation/gitprotocol-pack`).
pub(super) trait Transport: Send {
    /// Begins the conversation: what the server says by itself, which is the advertisement of
    /// references or of capabilities. Over http it may begin with `# service=git-upload-pack`.
    /// Credentials are found and redirects are followed here.
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, GitError>;

    /// Sends one whole request, and gives what the server answers to it. The reader may run past the
    /// answer's end where the carrier keeps one stream; who reads stops where the protocol says so.
    fn request(&mut self, body: &[u8]) -> Result<Box<dyn Read + '_>, GitError>;

    /// Whether each request stands by itself (http), or all share one stream (ssh).
    fn is_stateless(&self) -> bool;

    /// What broke the conversation, when a read of an answer failed or ended too early: what the
    /// program at the other end said on its standard error, for example.
    fn failure(&mut self, read: std::io::Error) -> GitError;
}

/// A remote repository that can be asked for its references, and that gives objects.
pub(super) trait Remote: Send {
    /// The remote's references now: those whose full names begin with one of `prefixes`, and its
    /// `HEAD`. More may be given.
    fn refs(&mut self, prefixes: &[String]) -> Result<RemoteRefs, GitError>;

    /// Brings objects into the mirror (a bare repository that has no references). `progress` is
    /// called now and then, and says whether to go on.
    ///
    /// # Errors
    /// [`GitError::NotThere`] if it does not have one of them, and [`GitError::Refused`] if it does not
    /// give them so, but may give them in another way: with their history, under the name of a branch.
    fn bring(
        &mut self,
        mirror: &git2::Repository,
        wants: &Wants,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), GitError>;
}

/// What a fetch brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// These commits (or annotated tags of them) with all their files, and not their history.
    Shallow(Vec<git2::Oid>),
    /// These objects, all that references name, with their whole history.
    History(Vec<git2::Oid>),
}

/// How far a fetch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Objects received.
    pub(super) objects: usize,
    /// Objects there are; 0 where that is not known yet.
    pub(super) total: usize,
    /// Bytes received.
    pub(super) bytes: u64,
}

/// A remote's references as they were in this run.
#[derive(Clone, Debug, Default)]
pub(super) struct RemoteRefs {
    /// The full name of the branch that the remote calls its default, or `HEAD` where it is at no
    /// branch. None if the remote has no commit there.
    pub(super) head: Option<String>,
    /// What stands under the full names of branches and tags, and under `HEAD`.
    pub(super) names: std::collections::BTreeMap<String, RemoteRef>,
}

/// One reference of a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RemoteRef {
    /// The object that it names.
    pub(super) id: git2::Oid,
    /// The object that an annotated tag leads to in the end, where the remote says so.
    pub(super) peeled: Option<git2::Oid>,
}
