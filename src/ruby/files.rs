//! What a file may read while it is evaluated: the other files of its source, and nothing else.

use std::io::Read as _;

use crate::error::{Diagnose, Kind, message_with_causes};
use crate::path::{TreePath, join_bytes};
use crate::tree::{EntryKind, Tree, TreeError};

/// How many links one path may lead through. A link to itself ends here.
const MAX_LINKS: usize = 40;

/// The files that an evaluated file may read. Paths are relative to the source's root, with `/`
/// between components, without `.` and `..`; empty is the root.
pub trait Files {
    /// The folder of the evaluated file.
    fn base(&self) -> &str;

    /// What stands at a path, links followed; none where there is nothing.
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FilesError>;

    /// Whether a symbolic link stands at a path.
    fn is_link(&self, path: &str) -> Result<bool, FilesError>;

    /// A whole file. An error past `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FilesError>;

    /// The names in a folder, sorted.
    fn list(&self, path: &str) -> Result<Vec<String>, FilesError>;
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
}

/// A file that is asked for cannot be given.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A symbolic link leads out of the source's tree, or to no end.
    #[error("the symbolic link `{link}` leads to `{target}`, outside of the source")]
    LinkOutside {
        /// The link.
        link: String,
        /// Its text.
        target: String,
    },
    /// A path that is outside of what may be read.
    #[error("`{path}` lies outside of the project")]
    Outside {
        /// The path asked for.
        path: String,
    },
    /// Links lead to links without an end.
    #[error("`{path}` leads through more than {MAX_LINKS} symbolic links")]
    LinkLoop {
        /// The path asked for.
        path: String,
    },
    /// The file is no regular file.
    #[error("`{path}` is not a file")]
    NotAFile {
        /// The path asked for.
        path: String,
    },
    /// The file is too large to be a part of a text.
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge {
        /// The path asked for.
        path: String,
        /// The limit.
        limit: u64,
    },
    /// A name in a folder that is listed cannot be a Ruby string as these files use them.
    #[error("a name in `{folder}` is not UTF-8: `{name}`")]
    NameNotUtf8 {
        /// The folder.
        folder: String,
        /// The name, with replacement characters.
        name: String,
    },
    /// The source could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl Diagnose for FilesError {
    fn kind(&self) -> Kind {
        match self {
            FilesError::Tree(error) => error.kind(),
            _ => Kind::User,
        }
    }

    fn diagnostics(&self) -> Vec<crate::error::Diagnostic> {
        vec![crate::error::Diagnostic::new(message_with_causes(self))]
    }
}

/// The files of a [`Tree`]: never outside of its root, and never through a link that leads out.
#[derive(Clone, Debug)]
pub struct TreeFiles<'a> {
    /// The source.
    pub tree: &'a dyn Tree,
    /// The folder of the evaluated file.
    pub base: TreePath,
}

impl TreeFiles<'_> {
    /// Follows links lexically, within the tree. None where there is nothing.
    fn resolve(&self, path: &str) -> Result<Option<(Vec<u8>, EntryKind)>, FilesError> {
        let mut links = 0;
        let mut rest: Vec<Vec<u8>> = components(path.as_bytes());
        rest.reverse();
        let mut here: Vec<u8> = Vec::new();
        let mut kind = EntryKind::Directory;
        while let Some(component) = rest.pop() {
            if component == b".." {
                // Only a link's text holds one. At the root it stays there.
                let parent = here.iter().rposition(|b| *b == b'/').unwrap_or(0);
                here.truncate(parent);
                kind = EntryKind::Directory;
                continue;
            }
            if kind != EntryKind::Directory {
                return Ok(None);
            }
            let next = join_bytes(&here, &component);
            match self.tree.kind(&next)? {
                None | Some(EntryKind::Submodule) => return Ok(None),
                Some(EntryKind::Symlink) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(FilesError::LinkLoop {
                            path: path.to_owned(),
                        });
                    }
                    let target = self.tree.link_target(&next)?;
                    let parts = components(&target);
                    if target.starts_with(b"/") || leads_out(&here, &parts) {
                        return Err(FilesError::LinkOutside {
                            link: crate::tree::lossy(&next),
                            target: String::from_utf8_lossy(&target).into_owned(),
                        });
                    }
                    rest.extend(parts.into_iter().rev());
                }
                Some(other) => {
                    here = next;
                    kind = other;
                }
            }
        }
        Ok(Some((here, kind)))
    }
}

/// The components of a path, without the ones that mean nothing.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|b| *b == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
        .map(<[u8]>::to_vec)
        .collect()
}

/// Whether a link's text climbs above the tree's root from the folder that it stands in. Lexical:
/// `a/../..` leads out wherever `a` leads.
fn leads_out(folder: &[u8], parts: &[Vec<u8>]) -> bool {
    let mut depth = components(folder).len();
    for part in parts {
        if part == b".." {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            }
        } else {
            depth += 1;
        }
    }
    false
}

impl Files for TreeFiles<'_> {
    fn base(&self) -> &str {
        self.base.as_str()
    }

    fn kind(&self, path: &str) -> Result<Option<FileKind>, FilesError> {
        Ok(match self.resolve(path)? {
            Some((_, EntryKind::File { .. })) => Some(FileKind::File),
            Some((_, EntryKind::Directory)) => Some(FileKind::Directory),
            _ => None,
        })
    }

    fn is_link(&self, path: &str) -> Result<bool, FilesError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some((folder, EntryKind::Directory)) = self.resolve(folder)? else {
            return Ok(false);
        };
        let kind = self.tree.kind(&join_bytes(&folder, name.as_bytes()))?;
        Ok(kind == Some(EntryKind::Symlink))
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FilesError> {
        let Some((found, EntryKind::File { .. })) = self.resolve(path)? else {
            return Err(FilesError::NotAFile {
                path: path.to_owned(),
            });
        };
        let mut bytes = Vec::new();
        self.tree
            .open(&found)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| TreeError::Read {
                path: crate::tree::lossy(&found),
                tree: self.tree.label(),
                source,
            })?;
        if bytes.len() as u64 > limit {
            return Err(FilesError::TooLarge {
                path: path.to_owned(),
                limit,
            });
        }
        Ok(bytes)
    }

    fn list(&self, path: &str) -> Result<Vec<String>, FilesError> {
        let Some((found, EntryKind::Directory)) = self.resolve(path)? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in self.tree.entries(&found)? {
            names.push(
                String::from_utf8(entry.name).map_err(|error| FilesError::NameNotUtf8 {
                    folder: crate::tree::lossy(&found),
                    name: String::from_utf8_lossy(error.as_bytes()).into_owned(),
                })?,
            );
        }
        names.sort_unstable();
        Ok(names)
    }
}
