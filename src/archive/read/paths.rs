//! The paths of an archive: each valid, one greater than the other, and no two that a file system
//! cannot hold beside each other.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::{Place, ReadError};
use crate::limits::Limits;
use crate::path::{ArchivePath, fold_case};
use crate::tree::lossy;

/// Checks paths as they come. Because they come in order, all that lies in a folder comes in one
/// run: only the folders above the last path are kept.
pub(super) struct Paths {
    limit: u64,
    count: u64,
    last: Option<ArchivePath>,
    open: Vec<Folder>,
}

/// A folder above the last path.
#[derive(Default)]
struct Folder {
    /// The length of its path, with the `/`.
    end: usize,
    /// What is in it, by its name with the case folded.
    names: HashMap<Box<str>, Child>,
}

struct Child {
    /// Its name, where that is not the folded one.
    name: Option<Box<str>>,
    is_file: bool,
}

impl Paths {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.archive_files,
            count: 0,
            last: None,
            open: vec![Folder::default()],
        }
    }

    /// How many paths there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// A path by itself.
    pub(super) fn check(raw: &[u8], at: Place) -> Result<ArchivePath, ReadError> {
        ArchivePath::from_bytes(raw).map_err(|problem| ReadError::Path {
            at,
            path: lossy(raw),
            problem,
        })
    }

    /// A path among the others.
    pub(super) fn take(&mut self, path: &ArchivePath, at: Place) -> Result<(), ReadError> {
        if self.count == self.limit {
            return Err(ReadError::TooMany { limit: self.limit });
        }
        if let Some(last) = &self.last {
            match last.cmp(path) {
                Ordering::Less => (),
                Ordering::Equal => {
                    return Err(ReadError::Duplicate {
                        at,
                        path: path.to_string(),
                    });
                }
                Ordering::Greater => {
                    return Err(ReadError::Order {
                        at,
                        path: path.to_string(),
                        before: last.to_string(),
                    });
                }
            }
            let (last, text) = (last.as_str(), path.as_str());
            self.open
                .retain(|folder| text.starts_with(&last[..folder.end]));
        }
        self.place(path.as_str(), at)?;
        self.count += 1;
        self.last = Some(path.clone());
        Ok(())
    }

    /// Takes the path's components that are new into the folders above it.
    fn place(&mut self, path: &str, at: Place) -> Result<(), ReadError> {
        let mut start = self.open.last().map_or(0, |folder| folder.end);
        while start < path.len() {
            let slash = path[start..].find('/').map(|length| start + length);
            let name = &path[start..slash.unwrap_or(path.len())];
            let folded = fold_case(name);
            let child = Child {
                name: (folded != name).then(|| name.into()),
                is_file: slash.is_none(),
            };
            let names = self.open.last_mut().map(|folder| &mut folder.names);
            let known = names.and_then(|names| names.insert(folded.clone().into(), child));
            if let Some(known) = known {
                let other = format!(
                    "{}{}",
                    &path[..start],
                    known.name.as_deref().unwrap_or(&folded)
                );
                let path = path.to_owned();
                // A folder that is left is never entered again, because of the order.
                return Err(match known.is_file && path.starts_with(&other) {
                    true => ReadError::BelowFile {
                        at,
                        path,
                        file: other,
                    },
                    false => ReadError::CaseTwin { at, path, other },
                });
            }
            let Some(slash) = slash else { break };
            start = slash + 1;
            self.open.push(Folder {
                end: start,
                names: HashMap::new(),
            });
        }
        Ok(())
    }
}
