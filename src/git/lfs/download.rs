//! Brings one object into the store, and has it be the one that its pointer names.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "rank 3: this module copies files of a repository on this machine, and waits"
)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use url::Url;

use super::batch::Link;
use super::place::Server;
use crate::digest::Hasher;
use crate::git::remotes::Remotes;
use crate::git::visitor::{ROUNDS, Visitor, has_authorization};
use crate::git::{GitError, host_and_port};
use crate::http::{Request, same_origin};
use crate::lfs::Pointer;
use crate::manifest::redact;
use crate::store::{Store, StoreError};

/// How long to wait before a download that broke off is tried again.
const WAITS: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// Where an object comes from.
pub(super) enum Origin<'s> {
    /// A file on this machine.
    File(PathBuf),
    /// What a server said of it.
    Link(&'s Server, Link),
}

/// One object that is wanted.
pub(super) struct Download<'a, 'r> {
    pub(super) remotes: &'a Remotes<'r>,
    pub(super) store: &'a Store,
    /// The repository's address as it is shown.
    pub(super) url: &'a str,
    /// The path of a file that has it as its content.
    pub(super) path: &'a str,
    pub(super) pointer: Pointer,
    /// Bytes of all objects that have come so far.
    pub(super) bytes: &'a AtomicU64,
}

/// Why what comes is not in the store.
enum Broken {
    /// It broke off.
    Off(io::Error),
    Failed(GitError),
}

impl From<GitError> for Broken {
    fn from(error: GitError) -> Self {
        Self::Failed(error)
    }
}

impl Download<'_, '_> {
    /// Brings it. `tell` is called now and then.
    pub(super) fn bring(&self, origin: &Origin<'_>, tell: &dyn Fn()) -> Result<(), GitError> {
        let mut waits = WAITS.iter();
        loop {
            let (kept, from) = match origin {
                Origin::File(path) => {
                    let opened = File::open(path).map_err(StoreError::at(path))?;
                    (self.keep(opened, tell), path.display().to_string())
                }
                Origin::Link(server, link) => {
                    let body = self.fetch(server, link)?;
                    (self.keep(body, tell), redact(link.url.as_str()))
                }
            };
            let broken = match kept {
                Ok(()) => return Ok(()),
                Err(Broken::Failed(error)) => return Err(error),
                Err(Broken::Off(error)) => error,
            };
            self.remotes.cancel().check()?;
            let Some(wait) = waits.next() else {
                return Err(GitError::Connection {
                    url: from,
                    reason: broken.to_string(),
                });
            };
            thread::sleep(*wait);
        }
    }

    /// Writes what comes into the store. It is checked before it appears there.
    fn keep(&self, from: impl Read, tell: &dyn Fn()) -> Result<(), Broken> {
        let mut counted = 0;
        let kept = self.keep_counted(from, &mut counted, tell);
        if kept.is_err() {
            // It comes once more, or does not count.
            self.bytes.fetch_sub(counted, Ordering::Relaxed);
        }
        kept
    }

    fn keep_counted(
        &self,
        mut from: impl Read,
        counted: &mut u64,
        tell: &dyn Fn(),
    ) -> Result<(), Broken> {
        let Pointer { oid, size } = self.pointer;
        let target = self.store.lfs_object(&oid);
        let unusable = |error: StoreError| Broken::Failed(error.into());
        let mut file = self.store.new_lfs_object(&oid).map_err(unusable)?;
        let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 128 << 10]);
        loop {
            self.remotes
                .cancel()
                .check()
                .map_err(|cancelled| Broken::Failed(cancelled.into()))?;
            let length = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broken::Off(error)),
            };
            *counted += length as u64;
            self.bytes.fetch_add(length as u64, Ordering::Relaxed);
            // Attack: what never ends would fill the disk.
            if *counted > size {
                return Err(Broken::Failed(GitError::LargeFileTooLong {
                    url: self.url.to_owned(),
                    path: self.path.to_owned(),
                    oid,
                    size,
                }));
            }
            hasher.update(&buffer[..length]);
            let written = file.write_all(&buffer[..length]);
            written.map_err(|error| unusable(StoreError::at(&target)(error)))?;
            tell();
        }
        let found = Pointer {
            oid: hasher.finish(),
            size: *counted,
        };
        if found != self.pointer {
            return Err(Broken::Failed(GitError::LargeFileDiffers {
                url: self.url.to_owned(),
                path: self.path.to_owned(),
                wanted: Box::new(self.pointer),
                found: Box::new(found),
            }));
        }
        file.persist().map_err(|error| unusable(error.into()))
    }

    /// Asks for what a link leads to. The server's headers go there and nowhere else; credentials of
    /// the host are looked for where that asks for them.
    fn fetch(&self, server: &Server, link: &Link) -> Result<Box<dyn Read + Send>, GitError> {
        let remotes = self.remotes;
        let (access, cancel, config) = (remotes.access(), remotes.cancel(), remotes.config()?);
        let client = remotes
            .clients()
            .client_for(&link.url, (access, config), cancel)?;
        let mut visitor = Visitor::new(&server.url, access, config, cancel);
        if !same_origin(&link.url, &server.url) {
            visitor.moved_to(&link.url);
        }
        for _ in 0..ROUNDS {
            let mut request = Request::get(link.url.clone());
            request.secret_headers.clone_from(&link.headers);
            let is_told = link.is_authenticated || has_authorization(&request);
            visitor.introduce_if_asked(&mut request)?;
            let had_header = has_authorization(&request) && request.authorization.is_none();
            let response = client.send(request)?;
            let shown = redact(response.url.as_str());
            let host = host_and_port(&response.url);
            match response.status {
                200..300 => {
                    visitor.approve();
                    return Ok(response.body);
                }
                401 => {
                    let is_elsewhere = !same_origin(&response.url, &link.url);
                    let header = had_header.then_some("the header that is set for it");
                    // Where a redirect led to is not who the credentials are for.
                    let is_over = is_told || is_elsewhere;
                    if is_over || !visitor.challenged(&response, header, true)? {
                        return Err(unauthorized(&response.url, &visitor));
                    }
                }
                403 => return Err(GitError::Forbidden { url: shown, host }),
                404 | 410 => {
                    return Err(GitError::LargeFilesMissing {
                        url: self.url.to_owned(),
                        paths: vec![self.path.to_owned()],
                        oid: self.pointer.oid,
                    });
                }
                _ => return Ok(response.success()?.body),
            }
        }
        Err(unauthorized(&link.url, &visitor))
    }
}

fn unauthorized(url: &Url, visitor: &Visitor<'_>) -> GitError {
    GitError::Unauthorized {
        url: redact(url.as_str()),
        host: host_and_port(url),
        tried: visitor.tried(),
    }
}
