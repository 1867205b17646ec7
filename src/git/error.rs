//! What can go wrong with a git repository.

use std::fmt;
use std::path::PathBuf;

use super::InvalidSshAddress;
use crate::digest::Digest;
use crate::event::Cancelled;
use crate::http::HttpError;
use crate::lfs::Pointer;
use crate::manifest::{CommitId, CommitPrefix, GitRef};
use crate::store::StoreError;

/// Why a repository does not give what is wanted of it. Addresses are without credentials.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository at the address.
    #[error("there is no git repository at `{url}`")]
    NoRepository {
        /// The address.
        url: String,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The repository could not be fetched.
    #[error("cannot fetch `{url}`")]
    Fetch {
        /// The address.
        url: String,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The server does not give a commit in the way it was asked for: by its id, or without its
    /// history.
    #[error("`{url}` does not give this: {message}")]
    Refused {
        /// The address.
        url: String,
        /// What the server says.
        message: String,
    },
    /// The server does not have an object at all.
    #[error("`{url}` does not have this: {message}")]
    NotThere {
        /// The address.
        url: String,
        /// What the server says.
        message: String,
    },
    /// The conversation with the server did not go as git's protocol says.
    #[error("`{url}` does not speak git's protocol: {reason}")]
    Protocol {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The repository's objects have ids of a kind that libgit2 does not know.
    #[error("`{url}` is a repository of the object format {format}, which cookpack cannot read")]
    ObjectFormat {
        /// The address.
        url: String,
        /// The format: `sha256`.
        format: String,
    },
    /// A submodule's repository cannot be told.
    #[error("submodule `{path}` of `{url}` cannot be followed: {reason}")]
    Submodule {
        /// The repository's address.
        url: String,
        /// The submodule's path in it.
        path: String,
        /// Why.
        reason: String,
    },
    /// git's configuration cannot be read, or says what cannot be followed.
    #[error("git's configuration (`{origin}`) cannot be followed: {reason}")]
    Configuration {
        /// The file, or the setting.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// A server cannot be reached over http(s).
    #[error(transparent)]
    Http(HttpError),
    /// A server's certificate does not hold, and git is told not to look at it.
    #[error(
        "there is no secure connection to `{url}`: {reason}; git's `http.sslVerify = false` is not followed"
    )]
    UncheckedCertificate {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A server wants to know who asks, and knows none of the credentials that there are.
    #[error(
        "`{host}` does not give `{url}` without credentials that it knows{}",
        Tried(tried)
    )]
    Unauthorized {
        /// The address.
        url: String,
        /// The host, with its port where it is not the usual one.
        host: String,
        /// What was tried, in words.
        tried: Vec<String>,
    },
    /// A server knows who asks, and does not allow it.
    #[error("`{host}` does not allow to read `{url}`")]
    Forbidden {
        /// The address.
        url: String,
        /// The host, with its port where it is not the usual one.
        host: String,
    },
    /// A server has no repository there, or says so to those who may not see it.
    #[error("there is no git repository at `{url}`, or you may not see it")]
    RemoteNotFound {
        /// The address.
        url: String,
        /// The host, with its port where it is not the usual one.
        host: String,
    },
    /// The credential helpers cannot be asked.
    #[error("no credentials can be looked for for `{url}`: {reason}")]
    Credentials {
        /// The address.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A submodule's repository does not give its commit.
    #[error("submodule `{path}` of `{url}`: {error}")]
    InSubmodule {
        /// The repository's address.
        url: String,
        /// The submodule's path in it.
        path: String,
        /// What is wrong with the submodule's own repository.
        #[source]
        error: Box<GitError>,
    },
    /// The connection failed: it may succeed when tried again.
    #[error("the connection to `{url}` failed: {reason}")]
    Connection {
        /// The address.
        url: String,
        /// What failed.
        reason: String,
    },
    /// The server has no such repository, or does not show it to this user.
    #[error("the server of `{url}` does not serve it: {message}")]
    NotServed {
        /// The address.
        url: String,
        /// What the server says.
        message: String,
    },
    /// The host does not let this user in through ssh.
    #[error("`{url}` does not let you in: {message}")]
    Denied {
        /// The address.
        url: String,
        /// What ssh says.
        message: String,
    },
    /// An address of ssh cannot be passed to the ssh program.
    #[error("`{url}` is no address for ssh")]
    SshAddress {
        /// The address.
        url: String,
        /// What is wrong with it.
        #[source]
        source: InvalidSshAddress,
    },
    /// The ssh program can be told no port, and the address has one.
    #[error("`{url}` has a port, and `{program}` can be told none")]
    SshPort {
        /// The address.
        url: String,
        /// The program.
        program: String,
    },
    /// The host is not among those whose keys the user trusts.
    #[error("the host key of `{host}`, where `{url}` is, is not known: {message}")]
    UnknownHostKey {
        /// The address.
        url: String,
        /// The host, with its port where that is not the usual one, as `known_hosts` names it.
        host: String,
        /// What ssh says.
        message: String,
    },
    /// The host does not have the key that it had: it is another one, perhaps.
    #[error("the host key of `{host}`, where `{url}` is, has changed: {message}")]
    ChangedHostKey {
        /// The address.
        url: String,
        /// The host, with its port where that is not the usual one, as `known_hosts` names it.
        host: String,
        /// What ssh says.
        message: String,
    },
    /// A program that is needed cannot be run.
    #[error("`{url}` needs the program `{program}`, which cannot be run: {reason}")]
    NoProgram {
        /// The address.
        url: String,
        /// The program.
        program: String,
        /// What happened.
        reason: String,
    },
    /// The `git` program failed, and what it says fits no other variant.
    #[error("`git` cannot fetch `{url}`: {message}")]
    Executable {
        /// The address.
        url: String,
        /// What it says.
        message: String,
    },
    /// What git LFS keeps for a repository cannot be asked for.
    #[error("the large files of `{url}` cannot be fetched: {reason}")]
    LargeFiles {
        /// The address of the repository.
        url: String,
        /// Why not.
        reason: String,
    },
    /// There is no server of git LFS where one should be, or it says so to those who may not see it.
    #[error(
        "`{server}`, where `{url}` should have its large files, does not exist, or you may not see it"
    )]
    NoLfsServer {
        /// The address of the repository.
        url: String,
        /// The address of the server.
        server: String,
        /// The server's host, with its port where it is not the usual one.
        host: String,
    },
    /// Files that git LFS should keep are nowhere.
    #[error("git LFS does not have {} of `{url}` (object {oid})", Paths(paths))]
    LargeFilesMissing {
        /// The address of the repository.
        url: String,
        /// Their paths in the repository.
        paths: Vec<String>,
        /// The object that the first of them is.
        oid: Digest,
    },
    /// A file that git LFS keeps is not the one that its pointer names.
    #[error(
        "`{path}` of `{url}` is not what git LFS should keep: it has the digest {} and {} bytes, and its pointer names {} and {} bytes",
        found.oid, found.size, wanted.oid, wanted.size
    )]
    LargeFileDiffers {
        /// The address of the repository.
        url: String,
        /// The file's path in the repository.
        path: String,
        /// What its pointer names.
        wanted: Box<Pointer>,
        /// What a pointer to what came would name.
        found: Box<Pointer>,
    },
    /// A file that git LFS keeps is longer than its pointer says; nobody knows how long.
    #[error(
        "`{path}` of `{url}` is not what git LFS should keep: it is longer than the {size} bytes of the object {oid} that its pointer names"
    )]
    LargeFileTooLong {
        /// The address of the repository.
        url: String,
        /// The file's path in the repository.
        path: String,
        /// The digest that the pointer names.
        oid: Digest,
        /// The bytes that it names.
        size: u64,
    },
    /// A fetch is needed, and the caller forbade the network.
    #[error("`{url}` must be fetched for {wanted}, and the network is forbidden")]
    Offline {
        /// The address.
        url: String,
        /// What is wanted of it.
        wanted: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("`{url}` has no {}", match reference { GitRef::Default => "default branch".to_owned(), other => other.to_string() })]
    NoSuchRef {
        /// The address.
        url: String,
        /// What was asked for.
        reference: GitRef,
        /// A branch or a tag that is meant, perhaps.
        near: Option<String>,
    },
    /// A name is that of a branch and that of a tag.
    #[error("`{name}` is both a branch and a tag of `{url}`")]
    AmbiguousRef {
        /// The address.
        url: String,
        /// The name.
        name: String,
    },
    /// A reference leads to a file or a folder instead of a commit.
    #[error("{reference} of `{url}` is not a commit")]
    NotACommit {
        /// The address.
        url: String,
        /// What was asked for.
        reference: GitRef,
    },
    /// The first digits of a commit's id fit more than one commit.
    #[error("`{prefix}` is the beginning of more than one commit of `{url}`")]
    AmbiguousCommit {
        /// The address.
        url: String,
        /// The digits.
        prefix: CommitPrefix,
        /// Some of the commits.
        commits: Vec<CommitId>,
    },
    /// A tag is not where it was when it was locked.
    #[error("tag `{tag}` of `{url}` was moved: {locked} is locked, but it is {}", found.as_ref().map_or("gone".to_owned(), |found| format!("now {found}")))]
    TagMoved {
        /// The address.
        url: String,
        /// The tag.
        tag: String,
        /// The commit that is locked.
        locked: CommitId,
        /// The commit at which it stands now, if it still exists.
        found: Option<CommitId>,
    },
    /// A branch no longer contains the commit that is locked.
    #[error(
        "{reference} of `{url}` was rewritten: it no longer contains {locked}, which is locked"
    )]
    BranchRewritten {
        /// The address.
        url: String,
        /// The branch.
        reference: GitRef,
        /// The commit that is locked.
        locked: CommitId,
    },
    /// The mirror in the store cannot be read.
    #[error("the store's copy of `{url}` is damaged at `{}`", folder.display())]
    Damaged {
        /// The address.
        url: String,
        /// The mirror's folder.
        folder: PathBuf,
        /// What libgit2 says.
        #[source]
        source: git2::Error,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// The end of a message: what was tried.
struct Tried<'a>(&'a [String]);

impl fmt::Display for Tried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            tried => write!(f, "; tried: {}", tried.join(", ")),
        }
    }
}

/// So many paths are named.
const NAMED: usize = 5;

/// Some paths, and how many others there are.
struct Paths<'a>(&'a [String]);

impl fmt::Display for Paths<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = self
            .0
            .iter()
            .take(NAMED)
            .map(|p| format!("`{p}`"))
            .collect();
        f.write_str(&named.join(", "))?;
        match self.0.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl From<HttpError> for GitError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            error => Self::Http(error),
        }
    }
}
