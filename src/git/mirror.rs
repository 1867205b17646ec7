//! The mirrors of repositories, and the commits that references name in them.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 3: this module keeps repositories"
)]

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions};

use super::GitError;
use super::fetch::{INCOMPLETE, RemoteRefs, fetch};
use super::tree::GitTree;
use crate::event::{CancelToken, Reporter};
use crate::layout::TEMPORARY_PREFIX;
use crate::manifest::{CommitId, CommitPrefix, GitRef, GitUrl, GitUrlForm};
use crate::store::Store;
use crate::text::nearest;
use crate::tree::Tree;

/// The repositories of one run: each is fetched at most once.
pub(crate) struct Repositories<'a> {
    store: Store,
    folder: PathBuf,
    reporter: &'a dyn Reporter,
    cancel: &'a CancelToken,
    offline: bool,
    fetched: HashMap<String, RemoteRefs>,
}

/// One repository's mirror.
struct Mirror {
    url: String,
    folder: PathBuf,
    repository: Repository,
}

impl<'a> Repositories<'a> {
    /// `folder` is where relative addresses begin. `offline` forbids every fetch.
    pub(crate) fn new(
        store: Store,
        folder: PathBuf,
        reporter: &'a dyn Reporter,
        cancel: &'a CancelToken,
        offline: bool,
    ) -> Self {
        Self {
            store,
            folder,
            reporter,
            cancel,
            offline,
            fetched: HashMap::new(),
        }
    }

    /// The commit that a reference names at the remote now. What the store happens to hold has no
    /// say: anything but a whole commit id is asked of the remote.
    pub(crate) fn resolve(
        &mut self,
        url: &GitUrl,
        reference: &GitRef,
    ) -> Result<CommitId, GitError> {
        if let GitRef::Commit(prefix) = reference
            && let Some(commit) = prefix.full()
            && let Some(mirror) = self.existing(url)?
            && mirror.has(&commit)?
        {
            return Ok(commit);
        }
        let refs = self.fetch(url, &reference.to_string())?;
        self.opened(url)?.resolve(reference, &refs)
    }

    /// Makes sure that a locked commit is in the store; the remote is asked only if it is not. What
    /// the remote then says of the reference must still agree with the lock.
    pub(crate) fn ensure(
        &mut self,
        url: &GitUrl,
        reference: &GitRef,
        locked: &CommitId,
    ) -> Result<(), GitError> {
        if let Some(mirror) = self.existing(url)?
            && mirror.has(locked)?
        {
            return Ok(());
        }
        let refs = self.fetch(url, &format!("commit {locked}"))?;
        self.opened(url)?.check_locked(reference, &refs, locked)
    }

    /// The files of a commit that is in the store.
    pub(crate) fn tree(
        &mut self,
        url: &GitUrl,
        commit: &CommitId,
    ) -> Result<Arc<dyn Tree>, GitError> {
        let mirror = self.opened(url)?;
        let label = format!("{}#{}", mirror.url, commit.short());
        let root = mirror
            .repository
            .find_commit(oid(commit))
            .map(|commit| commit.tree_id())
            .map_err(|source| mirror.damaged(source))?;
        Ok(Arc::new(GitTree::new(mirror.repository, root, label)))
    }

    /// The key of a repository in the store: its absolute address without credentials. The
    /// repository itself need not be there any more.
    fn key(&self, url: &GitUrl) -> String {
        match url.form() {
            GitUrlForm::Path => {
                let folder = fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
                without_detours(&folder.join(url.with_credentials()))
            }
            _ => url.redacted(),
        }
    }

    /// The folder of a repository that is on this machine; a relative one begins at the manifest's.
    /// The one place that knows which transports there are.
    fn remote_folder(&self, url: &GitUrl) -> Result<PathBuf, GitError> {
        let address = url.with_credentials();
        let file = || percent_decoded(address.get("file://".len()..)?);
        match url.form() {
            GitUrlForm::Path => Ok(self.folder.join(address)),
            GitUrlForm::File => file().ok_or_else(|| GitError::NoRepository {
                url: url.redacted(),
                source: git2::Error::from_str("it is not the address of a folder on this machine"),
            }),
            _ => Err(GitError::UnsupportedTransport {
                url: url.redacted(),
            }),
        }
    }

    fn opened(&self, url: &GitUrl) -> Result<Mirror, GitError> {
        let folder = self.store.mirror_folder(&self.key(url));
        match Repository::open_bare(&folder) {
            Ok(repository) => Ok(Mirror {
                url: url.redacted(),
                folder,
                repository,
            }),
            Err(source) => Err(GitError::Damaged {
                url: url.redacted(),
                folder,
                source,
            }),
        }
    }

    fn existing(&self, url: &GitUrl) -> Result<Option<Mirror>, GitError> {
        let folder = self.store.mirror_folder(&self.key(url));
        match folder.exists() {
            true => self.opened(url).map(Some),
            false => Ok(None),
        }
    }

    /// Fetches a repository, unless this run has done so.
    fn fetch(&mut self, url: &GitUrl, wanted: &str) -> Result<RemoteRefs, GitError> {
        let key = self.key(url);
        if let Some(refs) = self.fetched.get(&key) {
            return Ok(refs.clone());
        }
        let shown = url.redacted();
        if self.offline {
            return Err(GitError::Offline {
                url: shown,
                wanted: wanted.to_owned(),
            });
        }
        let remote = self.remote_folder(url)?;
        let folder = self.store.mirror_folder(&key);
        let _lock = self
            .store
            .lock(&folder, &shown, self.reporter, self.cancel)?;
        let repository = self.opened_or_made(url, &folder)?;
        let refs = fetch(&repository, &remote, &shown, self.reporter, self.cancel)?;
        self.fetched.insert(key, refs.clone());
        Ok(refs)
    }

    /// A new mirror is made aside and renamed, so that one that exists is always whole. The caller
    /// holds the mirror's lock.
    fn opened_or_made(&self, url: &GitUrl, folder: &Path) -> Result<Repository, GitError> {
        if folder.exists() {
            remove_leftovers(folder);
            return self.opened(url).map(|mirror| mirror.repository);
        }
        let failed = |source| GitError::Fetch {
            url: url.redacted(),
            source,
        };
        let unusable = |source| {
            GitError::Store(crate::store::StoreError::Io {
                path: folder.to_owned(),
                source,
            })
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let aside = folder.with_file_name(format!("{TEMPORARY_PREFIX}{name}"));
        if aside.exists() {
            fs::remove_dir_all(&aside).map_err(unusable)?;
        }
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        Repository::init_opts(&aside, &options).map_err(failed)?;
        fs::rename(&aside, folder).map_err(unusable)?;
        Repository::open_bare(folder).map_err(failed)
    }
}

impl Mirror {
    fn has(&self, commit: &CommitId) -> Result<bool, GitError> {
        match self.repository.find_commit(oid(commit)) {
            Ok(_) if !self.folder.join(INCOMPLETE).exists() => Ok(true),
            Ok(commit) => self.has_all_of(commit.tree_id()),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(self.damaged(error)),
        }
    }

    /// Whether every object below a tree is there.
    fn has_all_of(&self, tree: Oid) -> Result<bool, GitError> {
        let database = self.repository.odb().map_err(|e| self.damaged(e))?;
        let mut trees = vec![tree];
        while let Some(id) = trees.pop() {
            let tree = match self.repository.find_tree(id) {
                Ok(tree) => tree,
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(false),
                Err(error) => return Err(self.damaged(error)),
            };
            for entry in &tree {
                match entry.kind() {
                    Some(ObjectType::Tree) => trees.push(entry.id()),
                    Some(ObjectType::Blob) if !database.exists(entry.id()) => return Ok(false),
                    _ => {}
                }
            }
        }
        Ok(true)
    }

    fn damaged(&self, source: git2::Error) -> GitError {
        GitError::Damaged {
            url: self.url.clone(),
            folder: self.folder.clone(),
            source,
        }
    }

    /// The commit at which a reference stands, an annotated tag being followed.
    fn commit_at(
        &self,
        reference: &GitRef,
        refs: &RemoteRefs,
    ) -> Result<Option<CommitId>, GitError> {
        let Some(id) = full_name(reference, refs).and_then(|name| refs.names.get(&name)) else {
            return Ok(None);
        };
        let found = self.repository.find_object(*id, None);
        match found.map_err(|e| self.damaged(e))?.peel_to_commit() {
            Ok(commit) => Ok(commit_id(commit.id())),
            Err(error) if error.code() == ErrorCode::InvalidSpec => Err(GitError::NotACommit {
                url: self.url.clone(),
                reference: reference.clone(),
            }),
            Err(error) => Err(self.damaged(error)),
        }
    }

    fn resolve(&self, asked: &GitRef, refs: &RemoteRefs) -> Result<CommitId, GitError> {
        let reference = &told_apart(asked, refs);
        let found = match reference {
            GitRef::Commit(prefix) => self.commit_of(prefix, refs)?,
            _ => self.commit_at(reference, refs)?,
        };
        found.ok_or_else(|| GitError::NoSuchRef {
            url: self.url.clone(),
            reference: asked.clone(),
            near: near(reference, refs),
        })
    }

    /// The one commit of a branch or a tag whose id begins with these digits. Commits that only the
    /// store still has do not count.
    fn commit_of(
        &self,
        prefix: &CommitPrefix,
        refs: &RemoteRefs,
    ) -> Result<Option<CommitId>, GitError> {
        let damaged = |error| self.damaged(error);
        if let Some(commit) = prefix.full() {
            return Ok(self.has(&commit)?.then_some(commit));
        }
        let mut walk = self.repository.revwalk().map_err(damaged)?;
        for id in refs.names.values() {
            let found = self.repository.find_object(*id, None).map_err(damaged)?;
            if let Ok(commit) = found.peel_to_commit() {
                walk.push(commit.id()).map_err(damaged)?;
            }
        }
        let mut commits = Vec::new();
        for id in walk {
            let id = id.map_err(damaged)?;
            if id.to_string().starts_with(prefix.as_str()) {
                commits.extend(commit_id(id));
            }
        }
        commits.sort();
        match commits.len() {
            0 | 1 => Ok(commits.pop()),
            _ => {
                commits.truncate(5);
                Err(GitError::AmbiguousCommit {
                    url: self.url.clone(),
                    prefix: prefix.clone(),
                    commits,
                })
            }
        }
    }

    /// After a fetch that a locked commit made necessary: does the remote still say what it said?
    fn check_locked(
        &self,
        reference: &GitRef,
        refs: &RemoteRefs,
        locked: &CommitId,
    ) -> Result<(), GitError> {
        let reference = &told_apart(reference, refs);
        let now = self.commit_at(reference, refs)?;
        let is_at = now.as_ref() == Some(locked);
        let is_kept = || {
            let Some(now) = &now else { return false };
            is_at
                || self
                    .repository
                    .graph_descendant_of(oid(now), oid(locked))
                    .unwrap_or(false)
        };
        match reference {
            GitRef::Tag(tag) if !is_at => Err(GitError::TagMoved {
                url: self.url.clone(),
                tag: tag.clone(),
                locked: locked.clone(),
                found: now,
            }),
            GitRef::Branch(_) | GitRef::Default if !is_kept() => Err(GitError::BranchRewritten {
                url: self.url.clone(),
                reference: reference.clone(),
                locked: locked.clone(),
            }),
            GitRef::Commit(_) | GitRef::Any(_) if !self.has(locked)? => Err(GitError::NoSuchRef {
                url: self.url.clone(),
                reference: reference.clone(),
                near: None,
            }),
            _ => Ok(()),
        }
    }
}

/// A branch or a tag with a name like the one asked for.
fn near(reference: &GitRef, refs: &RemoteRefs) -> Option<String> {
    let (GitRef::Branch(asked) | GitRef::Tag(asked) | GitRef::Any(asked)) = reference else {
        return None;
    };
    let short = |name: &'static str| {
        let named = refs.names.keys();
        named.filter_map(move |full| Some((full.strip_prefix(name)?, name)))
    };
    let known: Vec<_> = short("refs/heads/").chain(short("refs/tags/")).collect();
    let near = nearest(asked, known.iter().map(|(name, _)| *name))?;
    let (name, kind) = known.iter().find(|(name, _)| *name == near)?;
    let key = if *kind == "refs/tags/" {
        "tag"
    } else {
        "branch"
    };
    Some(format!("{key} = \"{name}\""))
}

/// The full name of the reference that a branch, a tag or the default branch stands for.
fn full_name(reference: &GitRef, refs: &RemoteRefs) -> Option<String> {
    match reference {
        GitRef::Default => refs.head.clone(),
        GitRef::Branch(name) => Some(format!("refs/heads/{name}")),
        GitRef::Tag(name) => Some(format!("refs/tags/{name}")),
        GitRef::Commit(_) | GitRef::Any(_) => None,
    }
}

/// What a `ref` is at this remote. It stays what it is where the remote has none such.
fn told_apart(reference: &GitRef, refs: &RemoteRefs) -> GitRef {
    let GitRef::Any(name) = reference else {
        return reference.clone();
    };
    let tag = GitRef::Tag(name.clone());
    let branch = GitRef::Branch(name.clone());
    let is_there = |at: &GitRef| full_name(at, refs).is_some_and(|n| refs.names.contains_key(&n));
    match name.parse::<CommitPrefix>() {
        _ if is_there(&tag) => tag,
        _ if is_there(&branch) => branch,
        Ok(prefix) => GitRef::Commit(prefix),
        Err(_) => reference.clone(),
    }
}

/// Removes what a fetch that was killed left in a mirror: files being copied, packs never finished,
/// and locks. The caller holds the mirror's own lock.
fn remove_leftovers(mirror: &Path) {
    for folder in [mirror.to_owned(), mirror.join("objects/pack")] {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_leftover = name.ends_with(".lock")
                || name.starts_with("pack_git2_")
                || name.starts_with(TEMPORARY_PREFIX);
            if is_leftover {
                // One that cannot be removed is told of by the fetch, with its name.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// A path without `.` and `..`, as text.
fn without_detours(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain.to_string_lossy().into_owned()
}

/// The folder of a `file://` address: `/srv/a%20b` or `localhost/srv/a%20b`.
fn percent_decoded(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix("localhost").unwrap_or(address);
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    path.starts_with('/')
        .then(|| String::from_utf8(decoded).ok().map(PathBuf::from))
        .flatten()
}

fn oid(commit: &CommitId) -> Oid {
    Oid::from_str(commit.as_str()).unwrap_or(Oid::ZERO_SHA1)
}

fn commit_id(id: Oid) -> Option<CommitId> {
    id.to_string().parse().ok()
}
