//! The kinds of things that a store keeps: one row each.

/// A kind of thing that the store keeps. More may come.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheKind {
    /// The mirror of a git repository.
    Git,
    /// The objects of Git LFS.
    Lfs,
    /// The tarballs of cookbooks, as sources gave them.
    Cookbook,
    /// The universe of a source: what it has, by name and version.
    Universe,
    /// The compressed segments of archives.
    Segment,
    /// The plans of cookbooks' files, with their metadata: what was found out of their content.
    Plan,
    /// The trails of archives: the digests of what they begin with.
    Trail,
    /// Which folders of git work trees were found to be as their commit has them, by project.
    Status,
}

/// How things of a kind lie in their folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A folder each, `<name>-<16 hex>`, changed under its own lock.
    Folders,
    /// A file each, `<hex>/<SHA-256>`, the digits being its first ones ([`CacheKind::digits`]): it is replaced as a whole, if ever, and needs no lock. The name
    /// is the digest of its content, or of all that its content depends on.
    Objects,
}

impl CacheKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Git,
        Self::Lfs,
        Self::Cookbook,
        Self::Universe,
        Self::Segment,
        Self::Plan,
        Self::Trail,
        Self::Status,
    ];

    /// The kind's own word in commands and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Lfs => "lfs",
            Self::Cookbook => "cookbook",
            Self::Universe => "universe",
            Self::Segment => "segment",
            Self::Plan => "plan",
            Self::Trail => "trail",
            Self::Status => "status",
        }
    }

    /// The folder in the store, whose number is that of the form.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Git => "git-1",
            Self::Lfs => "lfs-1",
            Self::Cookbook => "cookbooks-1",
            Self::Universe => "universe-1",
            Self::Segment => "segments-1",
            Self::Plan => "plans-1",
            Self::Trail => "trails-1",
            Self::Status => "status-1",
        }
    }

    pub(super) fn form(self) -> Form {
        match self {
            Self::Git | Self::Universe => Form::Folders,
            Self::Lfs
            | Self::Cookbook
            | Self::Plan
            | Self::Segment
            | Self::Trail
            | Self::Status => Form::Objects,
        }
    }

    /// How many of an object's digits make the folder that it lies in. One build keeps hundreds of what is
    /// worked out, and each folder that it has to make costs as much as several files.
    pub(super) fn digits(self) -> usize {
        match self {
            Self::Git | Self::Universe => 0,
            Self::Lfs | Self::Cookbook => 2,
            Self::Segment | Self::Plan | Self::Trail | Self::Status => 1,
        }
    }

    /// The bytes that a kind may have, if a build that adds to it keeps it small by itself: what was
    /// worked out and can be worked out again.
    pub(super) fn bound(self) -> Option<u64> {
        match self {
            Self::Git | Self::Lfs | Self::Cookbook | Self::Universe => None,
            Self::Plan => Some(256 << 20),
            Self::Trail => Some(32 << 20),
            Self::Status => Some(16 << 20),
            Self::Segment => Some(2 << 30),
        }
    }

    /// Whether each thing of this kind has a name for a person, and is told of by itself.
    pub(crate) fn is_told_one_by_one(self) -> bool {
        self.form() == Form::Folders
    }
}

/// Whether a name is one that [`Form::Folders`] has. What is called otherwise is none of ours, or is
/// being written under a temporary name: as a thing of its own it is neither listed nor removed.
pub(super) fn is_folder_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let digits = name.rsplit_once('-').map(|(_, digits)| digits);
    name.bytes().all(is_plain) && digits.is_some_and(|digits| is_hex(digits, 16))
}

/// Whether a text is so many lower-case hex digits.
pub(super) fn is_hex(text: &str, length: usize) -> bool {
    let is_digit = |b| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    text.len() == length && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::Store;

    #[test]
    fn the_names_of_mirrors_are_known_again() {
        let store = Store::new(Path::new("store"));
        for address in [
            "https://example.com/a.git",
            "git@host:x/y-z",
            "/",
            "",
            "/srv/été",
        ] {
            let folder = store.mirror_folder(address);
            let name = folder.file_name().and_then(|name| name.to_str());
            assert!(name.is_some_and(is_folder_name), "{address}: {folder:?}");
        }
        for other in [
            "web",
            "web-0123456789abcde",
            "0123456789abcdef",
            "web-0123456789ABCDEF",
            ".cookpack-tmp-web-0123456789abcdef",
        ] {
            assert!(!is_folder_name(other), "{other}");
        }
    }
}
