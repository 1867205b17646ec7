//! Which folders were found to be as their commit has them, so that a later run need not look at each of
//! their files again.
//!
//! A folder is known by what the file system says of its files ([`Tree::identity`](crate::tree::Tree::identity)),
//! by what is packed of it, and by git's id of what the commit has there. Neither of them can change without
//! it being another folder. One that differs from its commit is looked at in every run: whether it still does
//! hangs on more than these, as on what git makes of the ends of lines.

use std::collections::BTreeSet;

use git2::Oid;

use crate::digest::{ContentDigest, Digest, Hasher};

/// What the bytes begin with. It is raised with their form, and with what is said of a folder.
const FORM: &[u8] = b"cookpack-status 1\n";

/// Bytes of a SHA-256.
const DIGEST: usize = 32;

/// The folders of a project that are as their commit has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clean(BTreeSet<Digest>);

impl Clean {
    /// The name of a folder: its identity, the digest of what is packed of it, and the id of what the commit
    /// has there.
    pub(super) fn key(identity: Digest, content: ContentDigest, committed: Oid) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(FORM);
        hasher.update(identity.as_bytes());
        hasher.update(content.to_string().as_bytes());
        hasher.update(committed.as_bytes());
        hasher.finish()
    }

    pub(super) fn has(&self, key: &Digest) -> bool {
        self.0.contains(key)
    }

    pub(super) fn extend(&mut self, keys: impl IntoIterator<Item = Digest>) {
        self.0.extend(keys);
    }

    /// The bytes in a store, under a name.
    pub(crate) fn to_bytes(&self, name: &Digest) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FORM.len() + (self.0.len() + 1) * DIGEST);
        bytes.extend_from_slice(FORM);
        for key in &self.0 {
            bytes.extend_from_slice(key.as_bytes());
        }
        bytes.extend_from_slice(check(&bytes, name).as_bytes());
        bytes
    }

    /// What was kept under a name, if these are its bytes.
    pub(crate) fn from_bytes(bytes: &[u8], name: &Digest) -> Option<Self> {
        let (rest, last) = bytes.split_last_chunk::<DIGEST>()?;
        let (keys, []) = rest.strip_prefix(FORM)?.as_chunks::<DIGEST>() else {
            return None;
        };
        let is_whole = check(rest, name).as_bytes() == last;
        is_whole.then(|| Self(keys.iter().copied().map(Digest::from_bytes).collect()))
    }
}

/// What tells bytes that are damaged, cut off, or of another name.
fn check(bytes: &[u8], name: &Digest) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.update(name.as_bytes());
    hasher.finish()
}

/// Whether the bytes are what was kept under a name.
pub(crate) fn is_whole_status(bytes: &[u8], name: &Digest) -> bool {
    Clean::from_bytes(bytes, name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(keys: &[&str]) -> Clean {
        Clean(keys.iter().map(Digest::of).collect())
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let name = Digest::of("project");
        for keys in [&[][..], &["a"], &["a", "b", "c"]] {
            let bytes = clean(keys).to_bytes(&name);
            assert_eq!(Clean::from_bytes(&bytes, &name), Some(clean(keys)));
            assert!(is_whole_status(&bytes, &name));
            assert!(!is_whole_status(&bytes, &Digest::of("another")));
        }
    }

    #[test]
    fn damaged_bytes_are_none() {
        let name = Digest::of("project");
        let whole = clean(&["a", "b"]).to_bytes(&name);
        for end in 0..whole.len() {
            assert!(!is_whole_status(&whole[..end], &name), "{end}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(!is_whole_status(&damaged, &name), "{at}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(!is_whole_status(&longer, &name));
    }

    #[test]
    fn a_folder_is_another_one_if_any_part_of_it_is() {
        let digests = [Digest::of("1"), Digest::of("2")];
        let contents = ["1", "2"].map(|text| ContentDigest::of([(text, false, digests[0])]));
        let ids = [1, 2].map(|byte| Oid::from_bytes(&[byte; 20]).expect("an id"));
        let mut keys = BTreeSet::new();
        for identity in digests {
            for content in contents {
                for id in ids {
                    keys.insert(Clean::key(identity, content, id));
                }
            }
        }
        assert_eq!(keys.len(), 8);
    }
}
