//! Where a symbolic link inside a cookbook leads. Links are read as text and followed on the tree's
//! own entries, so that a git tree and a folder agree and nothing outside is ever touched.

use crate::path::join_bytes;
use crate::tree::{EntryKind, Tree, TreeError};

/// What a link stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A file of the cookbook: its path within the cookbook.
    File { path: Vec<u8>, executable: bool },
    /// A folder of the cookbook: its path within the cookbook.
    Directory { path: Vec<u8> },
    /// A path outside of the cookbook.
    Outside,
    /// Nothing stands where it points.
    Dangling,
    /// It leads back to itself.
    Loop,
    /// A submodule, or something in one: the submodule's path within the cookbook.
    Submodule { path: Vec<u8> },
    /// Something that cannot be packed.
    NotAFile,
}

/// As many links as Linux follows in one path.
const MOST_LINKS: usize = 40;

/// Follows the link at `link`, a path within the cookbook whose folder in the tree is `base`.
pub(super) fn follow(tree: &dyn Tree, base: &[u8], link: &[u8]) -> Result<Target, TreeError> {
    // Components still to be walked, the next one last, and the folder reached so far.
    let mut pending: Vec<Vec<u8>> = components(link);
    let mut here: Vec<Vec<u8>> = Vec::new();
    let mut links = 0;
    while let Some(part) = pending.pop() {
        match &part[..] {
            b"" | b"." => continue,
            b".." => {
                if here.pop().is_none() {
                    return Ok(Target::Outside);
                }
                continue;
            }
            _ => here.push(part),
        }
        let path = here.join(&b'/');
        match tree.kind(&join_bytes(base, &path))? {
            None => return Ok(Target::Dangling),
            Some(EntryKind::Symlink) => {
                links += 1;
                if links > MOST_LINKS {
                    return Ok(Target::Loop);
                }
                let target = tree.link_target(&join_bytes(base, &path))?;
                if target.first() == Some(&b'/') || target.get(1) == Some(&b':') {
                    return Ok(Target::Outside);
                }
                here.pop();
                pending.extend(components(&target));
            }
            Some(EntryKind::Directory) if pending.iter().all(|p| p.is_empty() || p == b".") => {
                return Ok(Target::Directory { path });
            }
            Some(EntryKind::Directory) => {}
            Some(EntryKind::File { executable }) => {
                return Ok(match pending.is_empty() {
                    true => Target::File { path, executable },
                    false => Target::Dangling,
                });
            }
            Some(EntryKind::Submodule) => return Ok(Target::Submodule { path }),
            Some(EntryKind::Special(_)) => return Ok(Target::NotAFile),
        }
    }
    // The text led back to the cookbook's own folder.
    Ok(Target::Directory {
        path: here.join(&b'/'),
    })
}

/// A path's components, the first one last.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|b| *b == b'/')
        .rev()
        .map(<[u8]>::to_vec)
        .collect()
}
