//! What is wrong with an archive. Each deviation has an error of its own, with the place where it is.

use std::fmt;
use std::io;

use crate::error::{Diagnose, Diagnostic, Kind, message_with_causes};
use crate::event::Cancelled;
use crate::path::PathProblem;

/// A place in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The offset of a byte in the archive's file.
    Archive(u64),
    /// The offset of a byte in the tar, uncompressed.
    Tar(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(at) => write!(f, "byte {at} of the archive"),
            Self::Tar(at) => write!(f, "byte {at} of the uncompressed tar"),
        }
    }
}

/// Why an archive is not one that cookpack writes, or cannot be read.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It begins as no archive of ours does.
    #[error("it is no archive that cookpack writes but {found}")]
    NotAnArchive {
        /// What it seems to be.
        found: &'static str,
    },
    /// It ends before its end.
    #[error("it ends within {within}, at {at}")]
    Truncated {
        /// Where it ends.
        at: Place,
        /// What is not complete.
        within: &'static str,
    },
    /// Something stands behind its end.
    #[error("there is something behind the end, at {at}")]
    AfterEnd {
        /// Where that begins.
        at: Place,
    },
    /// A second gzip member: some readers go on with it, and some do not.
    #[error("a second gzip member begins at {at}")]
    SecondMember {
        /// Where it begins.
        at: Place,
    },
    /// A field of the gzip header has another value than the one that we write.
    #[error("the {field} in the gzip header, at {at}, is not what cookpack writes")]
    GzipHeader {
        /// The first byte that deviates.
        at: Place,
        /// The field.
        field: &'static str,
    },
    /// What is compressed cannot be unpacked.
    #[error("what is compressed is damaged at {at}: {reason}")]
    Deflate {
        /// Where the decoder stopped.
        at: Place,
        /// What it says.
        reason: String,
    },
    /// The tar is not the one whose checksum the gzip trailer holds.
    #[error("the gzip trailer at {at} has the checksum {stored:08x}, the content has {found:08x}")]
    GzipChecksum {
        /// Where the checksum is.
        at: Place,
        /// The checksum that is there.
        stored: u32,
        /// The checksum of what was read.
        found: u32,
    },
    /// The tar is not as long as the gzip trailer says.
    #[error(
        "the gzip trailer at {at} has the length {stored} modulo 2^32, the content has {found}"
    )]
    GzipLength {
        /// Where the length is.
        at: Place,
        /// The length that is there.
        stored: u32,
        /// The length of what was read.
        found: u64,
    },
    /// A field of a tar header has another value than the one that we write.
    #[error(
        "the {field} in the tar header{}, at {at}, is not what cookpack writes",
        of(path)
    )]
    TarHeader {
        /// The first byte that deviates.
        at: Place,
        /// The field.
        field: &'static str,
        /// The entry's path, if it is known.
        path: Option<String>,
    },
    /// The record of a long name is not as we write it.
    #[error("the record of a long name at {at} is not as cookpack writes it: {reason}")]
    LongName {
        /// Where the deviation is.
        at: Place,
        /// What is wrong.
        reason: &'static str,
    },
    /// An entry that is no regular file.
    #[error("`{}` is {what}, at {at}; cookpack writes files alone", path.escape_debug())]
    NotAFile {
        /// Where that is said.
        at: Place,
        /// The path.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// A file has another time than those before it.
    #[error("`{path}` has the time {mtime}, at {at}; the files before it have {first}")]
    Time {
        /// Where the time is.
        at: Place,
        /// The path.
        path: String,
        /// Its time in seconds since 1970.
        mtime: u64,
        /// The time of the first file.
        first: u64,
    },
    /// Something other than zeros fills a content's last block up.
    #[error("something is hidden behind the content of `{path}`, at {at}")]
    Padding {
        /// The first byte that is not zero.
        at: Place,
        /// The path.
        path: String,
    },
    /// One block of zeros, and then no second one.
    #[error("only one block of zeros ends the tar; something else stands at {at}")]
    TarEnd {
        /// The first byte that is not zero.
        at: Place,
    },
    /// A path that no archive of ours has.
    #[error("the path `{}` at {at} cannot stand in an archive: {problem}", path.escape_debug())]
    Path {
        /// Where the entry begins.
        at: Place,
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: PathProblem,
    },
    /// A path that is too long.
    #[error("the path at {at} has {size} bytes; the limit is {limit}")]
    PathTooLong {
        /// Where the entry begins.
        at: Place,
        /// The length of the path.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// A path stands behind a greater one.
    #[error("`{path}` stands behind `{before}`, at {at}, and belongs before it")]
    Order {
        /// Where the entry begins.
        at: Place,
        /// The path.
        path: String,
        /// The path before it.
        before: String,
    },
    /// A path is there twice.
    #[error("`{path}` is there a second time at {at}")]
    Duplicate {
        /// Where the second entry begins.
        at: Place,
        /// The path.
        path: String,
    },
    /// Two paths differ by case alone.
    #[error("`{path}` at {at} differs from `{other}` by case alone")]
    CaseTwin {
        /// Where the later entry begins.
        at: Place,
        /// The later path.
        path: String,
        /// The file or the folder before it.
        other: String,
    },
    /// A file stands below another file.
    #[error("`{path}` at {at} stands below `{file}`, which is a file")]
    BelowFile {
        /// Where the entry begins.
        at: Place,
        /// The path.
        path: String,
        /// The file.
        file: String,
    },
    /// A file is larger than the limit.
    #[error("`{path}` is larger than {limit} bytes")]
    FileTooLarge {
        /// The path.
        path: String,
        /// The limit.
        limit: u64,
    },
    /// The archive unpacks to more than the limit.
    #[error("it unpacks to more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// There are more files than the limit.
    #[error("it holds more than {limit} files")]
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// Neither of what may stand here in a zip archive begins here: there is a gap, or a part is
    /// missing.
    #[error("{wanted} should begin at {at}")]
    ZipSignature {
        /// Where something else is.
        at: Place,
        /// What should be there.
        wanted: &'static str,
    },
    /// A field of a local header has another value than the one that we write.
    #[error(
        "the {field} in the local header{}, at {at}, is not what cookpack writes",
        of(path)
    )]
    LocalHeader {
        /// The first byte that deviates.
        at: Place,
        /// The field.
        field: &'static str,
        /// The entry's path, if it is known.
        path: Option<String>,
    },
    /// An entry is encrypted.
    #[error("`{}` is encrypted, as its flags at {at} say", path.escape_debug())]
    Encrypted {
        /// Where the flags are.
        at: Place,
        /// The path.
        path: String,
    },
    /// A file of more than 1 MiB without a data descriptor.
    #[error("`{path}` is so large that a data descriptor belongs to it, and has none, at {at}")]
    MissingDescriptor {
        /// Where the flags are.
        at: Place,
        /// The path.
        path: String,
    },
    /// A file of at most 1 MiB with a data descriptor.
    #[error("`{path}` has a data descriptor, at {at}, and is too small for one")]
    NeedlessDescriptor {
        /// Where the flags are.
        at: Place,
        /// The path.
        path: String,
    },
    /// The signature of a data descriptor is missing.
    #[error("the data descriptor of `{path}` should begin at {at}")]
    Descriptor {
        /// Where something else is.
        at: Place,
        /// The path.
        path: String,
    },
    /// The form of zip64 where it is not needed, or another form where it is.
    #[error("`{path}` at {at} has a size that asks for the other one of zip's two forms")]
    Zip64 {
        /// Where the form is said.
        at: Place,
        /// The path.
        path: String,
    },
    /// A content is not the one whose checksum is stored.
    #[error("`{path}` has the checksum {stored:08x} at {at}, its content has {found:08x}")]
    Checksum {
        /// Where the checksum is.
        at: Place,
        /// The path.
        path: String,
        /// The checksum that is there.
        stored: u32,
        /// The checksum of what was read.
        found: u32,
    },
    /// A content, packed or unpacked, has another size than the stored one.
    #[error("`{path}` has the {field} {stored} at {at}, and in truth {found}")]
    Size {
        /// Where the size is.
        at: Place,
        /// The path.
        path: String,
        /// Which size.
        field: &'static str,
        /// The size that is there.
        stored: u64,
        /// The size of what was read, or of as much as was read.
        found: u64,
    },
    /// A field of a record in the directory has another value than the one that follows from the
    /// file's own header and content.
    #[error(
        "the {field} in the directory's record{}, at {at}, is not that of the file",
        of(path)
    )]
    DirectoryRecord {
        /// The first byte that deviates.
        at: Place,
        /// The field.
        field: &'static str,
        /// The path, if it is known.
        path: Option<String>,
    },
    /// The directory gives a file another name than its own header does.
    #[error("the directory says `{}` at {at}, where the file at byte {local} should be listed", path.escape_debug())]
    DirectoryPath {
        /// Where the name is.
        at: Place,
        /// The name.
        path: String,
        /// Where the local header is whose file should be listed.
        local: u64,
    },
    /// The directory says of a file that it begins elsewhere: two readers would see two contents.
    #[error("the directory says at {at} that `{path}` begins elsewhere than at byte {local}")]
    DirectoryOffset {
        /// Where that is said.
        at: Place,
        /// The path.
        path: String,
        /// Where the file's local header is.
        local: u64,
    },
    /// The names in the directory are not those of the files, though their fingerprints are.
    #[error("the directory that ends at {at} has not the names of the files")]
    DirectoryNames {
        /// Where the directory ends.
        at: Place,
    },
    /// The directory does not list a file that is there.
    #[error("the directory ends at {at} and does not list the file at byte {local}")]
    MissingRecord {
        /// Where the record should be.
        at: Place,
        /// Where the file's local header is.
        local: u64,
    },
    /// The directory lists more files than there are.
    #[error("the directory lists a file at {at} that is not there")]
    ExtraRecord {
        /// Where the record is.
        at: Place,
    },
    /// A comment, in which anything may hide.
    #[error("there is a comment, which the length at {at} announces")]
    Comment {
        /// Where its length is.
        at: Place,
    },
    /// A field of the last record has another value than the one that follows from the archive.
    #[error("the {field} in the last record, at {at}, does not fit the archive")]
    EndRecord {
        /// The first byte that deviates.
        at: Place,
        /// The field.
        field: &'static str,
    },
    /// The records by which zip64 ends are needed and not there.
    #[error("the end of a zip64 archive should stand at {at}")]
    MissingZip64End {
        /// Where something else is.
        at: Place,
    },
    /// The records by which zip64 ends are there and not needed.
    #[error("the end of a zip64 archive stands at {at} and is not needed")]
    NeedlessZip64End {
        /// Where it begins.
        at: Place,
    },
    /// A field of the records by which zip64 ends has another value than the one that follows from
    /// the archive.
    #[error("the {field} in the end of a zip64 archive, at {at}, does not fit the archive")]
    Zip64EndRecord {
        /// The first byte that deviates.
        at: Place,
        /// The field.
        field: &'static str,
    },
    /// The archive's file cannot be read.
    #[error("the archive cannot be read")]
    Input(#[source] io::Error),
    /// The visitor failed.
    #[error("what the archive holds cannot be taken")]
    Visitor(#[source] io::Error),
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn of(path: &Option<String>) -> String {
    match path {
        Some(path) => format!(" of `{}`", path.escape_debug()),
        None => String::new(),
    }
}

/// What each deviation calls for.
enum Advice {
    Damaged,
    Foreign,
    Deceptive,
    Limit,
    None,
}

impl ReadError {
    fn advice(&self) -> Advice {
        match self {
            Self::Truncated { .. }
            | Self::Deflate { .. }
            | Self::GzipChecksum { .. }
            | Self::GzipLength { .. }
            | Self::Checksum { .. } => Advice::Damaged,
            Self::NotAnArchive { .. }
            | Self::GzipHeader { .. }
            | Self::TarHeader { .. }
            | Self::LongName { .. }
            | Self::NotAFile { .. }
            | Self::Time { .. }
            | Self::TarEnd { .. }
            | Self::Path { .. }
            | Self::Order { .. }
            | Self::CaseTwin { .. }
            | Self::LocalHeader { .. }
            | Self::Encrypted { .. }
            | Self::MissingDescriptor { .. }
            | Self::NeedlessDescriptor { .. }
            | Self::Zip64 { .. }
            | Self::Comment { .. }
            | Self::MissingZip64End { .. }
            | Self::NeedlessZip64End { .. } => Advice::Foreign,
            Self::AfterEnd { .. }
            | Self::SecondMember { .. }
            | Self::Padding { .. }
            | Self::Duplicate { .. }
            | Self::BelowFile { .. }
            | Self::ZipSignature { .. }
            | Self::Descriptor { .. }
            | Self::Size { .. }
            | Self::DirectoryRecord { .. }
            | Self::DirectoryPath { .. }
            | Self::DirectoryOffset { .. }
            | Self::DirectoryNames { .. }
            | Self::MissingRecord { .. }
            | Self::ExtraRecord { .. }
            | Self::EndRecord { .. }
            | Self::Zip64EndRecord { .. } => Advice::Deceptive,
            Self::PathTooLong { .. }
            | Self::FileTooLarge { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. } => Advice::Limit,
            Self::Input(_) | Self::Visitor(_) | Self::Cancelled(_) => Advice::None,
        }
    }
}

impl Diagnose for ReadError {
    fn kind(&self) -> Kind {
        match self {
            Self::Input(_) | Self::Visitor(_) => Kind::Internal,
            Self::Cancelled(_) => Kind::Cancelled,
            // The archive may well be whole: it is the reader who does not want that much.
            _ if matches!(self.advice(), Advice::Limit) => Kind::User,
            _ => Kind::Verification,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let shown = Diagnostic::new(message_with_causes(self));
        vec![match self.advice() {
            Advice::Damaged => shown.hint("the file is damaged: copy it, or download it, again"),
            Advice::Foreign => shown
                .hint("another tool wrote the archive or changed it: build it with cookpack again"),
            Advice::Deceptive => shown.hint(
                "readers do not agree on what such an archive holds: do not use it, and build it again",
            ),
            Advice::Limit => {
                shown.hint("if the archive is rightly that large, read it with higher limits")
            }
            Advice::None => shown,
        }]
    }
}
