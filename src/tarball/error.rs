//! What is wrong with a tarball. Each attack has an error of its own.

use std::io;

use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;

/// Why a tarball is refused.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum TarballError {
    /// It is neither gzip nor tar.
    #[error("it is no tarball but {found}")]
    NotATarball {
        /// What it seems to be.
        found: &'static str,
    },
    /// It ends before its end.
    #[error("it is cut short")]
    Truncated,
    /// What is compressed does not fit its checksum, or is nothing that was compressed.
    #[error("what is compressed in it is damaged: {reason}")]
    Damaged {
        /// What the decoder says.
        reason: String,
    },
    /// A header does not have its own checksum.
    #[error("the header at its byte {at} has a wrong checksum")]
    Checksum {
        /// Where the header begins, in the tar.
        at: u64,
    },
    /// A number in a header is none.
    #[error("the header at its byte {at} has no {field} that can be read")]
    Header {
        /// Where the header begins, in the tar.
        at: u64,
        /// What cannot be read.
        field: &'static str,
    },
    /// A record about the entry after it makes no sense.
    #[error("a record about an entry cannot be read: {reason}")]
    Record {
        /// What is wrong.
        reason: &'static str,
    },
    /// A record about an entry is longer than the limit.
    #[error("a record about an entry has {size} bytes; the limit is {limit}")]
    RecordTooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// A record names all later entries.
    #[error("a record gives all entries one path, one target or one size")]
    GlobalRecord,
    /// There is more behind the end.
    #[error("there is something behind its end, at byte {at}")]
    AfterEnd {
        /// Where, in the tar.
        at: u64,
    },
    /// A file or a link has no name.
    #[error("an entry that is no folder has no name")]
    NoName,
    /// A path has a NUL in it.
    #[error("the path `{}` has a NUL in it", path.escape_debug())]
    NulInPath {
        /// The path.
        path: String,
    },
    /// A path begins at a root.
    #[error("the path `{path}` is absolute")]
    AbsolutePath {
        /// The path.
        path: String,
    },
    /// A path leads upwards.
    #[error("the path `{path}` leads upwards")]
    ParentPath {
        /// The path.
        path: String,
    },
    /// A path, or what a link leads to, is longer than the limit.
    #[error("the path `{path}`, or what it links to, is longer than {limit} bytes")]
    PathTooLong {
        /// The path.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// A component of a path is longer than the limit.
    #[error("a name in the path `{path}` is longer than {limit} bytes")]
    NameTooLong {
        /// The path.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// A path has more components than the limit.
    #[error("the path `{path}` is deeper than {limit} folders")]
    TooDeep {
        /// The path.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// A symbolic link leads out of the archive.
    #[error("the link `{path}` leads out of the tarball, to `{target}`")]
    LinkOut {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// A symbolic link leads nowhere.
    #[error("the link `{path}` has nothing that it could lead to")]
    NoTarget {
        /// The link.
        path: String,
    },
    /// Something is to be written through a symbolic link.
    #[error("`{path}` goes through the link `{link}`")]
    ThroughLink {
        /// The path.
        path: String,
        /// The link.
        link: String,
    },
    /// A symbolic link takes the place of a folder.
    #[error("the link `{path}` takes the place of a folder")]
    LinkOverFolder {
        /// The link.
        path: String,
    },
    /// A hard link leads out of the archive.
    #[error("the hard link `{path}` leads out of the tarball, to `{target}`")]
    HardLinkOut {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// A hard link leads to no file that came before it.
    #[error("the hard link `{path}` leads to `{target}`, which is no file before it")]
    HardLinkToNothing {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// Something stands below a file.
    #[error("`{path}` stands below `{file}`, which is a file")]
    BelowFile {
        /// The path.
        path: String,
        /// The file.
        file: String,
    },
    /// Something is there twice.
    #[error("`{path}` is in it twice")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// Two paths differ by case alone.
    #[error("`{path}` and `{other}` differ by case alone")]
    CaseTwin {
        /// The later path.
        path: String,
        /// The earlier path.
        other: String,
    },
    /// A device.
    #[error("`{path}` is a device")]
    Device {
        /// The path.
        path: String,
    },
    /// A named pipe.
    #[error("`{path}` is a named pipe")]
    Fifo {
        /// The path.
        path: String,
    },
    /// A file with holes, in one of GNU's forms.
    #[error("`{path}` is stored as a file with holes, which is not read")]
    Sparse {
        /// The path, as far as it is known.
        path: String,
    },
    /// An entry of a type that is not known.
    #[error("`{path}` is of the type `{}`, which is not known", letter.escape_debug())]
    UnknownType {
        /// The path.
        path: String,
        /// The letter of its type.
        letter: char,
    },
    /// Something that is no file says that it has a content: readers do not agree on what follows.
    #[error("`{path}` is no file, and is said to have a content")]
    UnexpectedContent {
        /// The path.
        path: String,
    },
    /// A file is larger than the limit.
    #[error("`{path}` has {size} bytes; the limit is {limit}")]
    FileTooLarge {
        /// The path.
        path: String,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// There are more entries than the limit.
    #[error("it holds more than {limit} files and folders")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The tarball itself is larger than the limit.
    #[error("it has {size} bytes; the limit is {limit}")]
    TooLargePacked {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// It unpacks to more than the limit.
    #[error("it unpacks to more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// It unpacks to more times its own size than the limit.
    #[error("it unpacks to more than {limit} times its size")]
    TooDense {
        /// The limit.
        limit: u64,
    },
    /// No folder in it is a cookbook.
    #[error(
        "it holds no cookbook: neither its root nor a folder there has a metadata.json or a metadata.rb"
    )]
    NoCookbook,
    /// The tarball's file cannot be read.
    #[error("it cannot be read")]
    Input(#[source] io::Error),
    /// What it holds cannot be written to where contents go.
    #[error("what it holds cannot be written")]
    Contents(#[source] io::Error),
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Diagnose for TarballError {
    fn kind(&self) -> Kind {
        match self {
            Self::Input(_) | Self::Contents(_) => Kind::Internal,
            Self::Cancelled(_) => Kind::Cancelled,
            // A cookbook that cannot be used, whatever is locked of it.
            _ => Kind::User,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self {
            Self::NotATarball { .. } => shown.hint("does the address lead to the file itself?"),
            Self::Contents(error) if error.kind() == io::ErrorKind::StorageFull => {
                shown.hint("the disk with the store is full: nothing was lost")
            }
            _ => shown,
        }]
    }
}
