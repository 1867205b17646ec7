//! What is left out of an archive, and why.

use std::fmt;

/// Why a file is not packed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Omission {
    /// It belongs to a version control system.
    VersionControl,
    /// It is for the tool that packs, not for the machine that runs Chef.
    ToolFile,
    /// A line of a chefignore matches it.
    Chefignore {
        /// The chefignore's path within the source.
        file: String,
        /// The 1-based line.
        line: usize,
        /// The glob on it.
        glob: String,
    },
    /// It is an archive that cookpack wrote.
    OwnArchive,
    /// It is a folder that `vendor` wrote.
    OwnVendorFolder,
    /// A build that was killed left it behind.
    OwnTemporaryFile,
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VersionControl => f.write_str("version control"),
            Self::ToolFile => f.write_str("only for the packing tool"),
            Self::Chefignore { file, line, glob } => write!(f, "{file}:{line}: {glob}"),
            Self::OwnArchive => f.write_str("an archive written by cookpack"),
            Self::OwnVendorFolder => f.write_str("a folder written by cookpack vendor"),
            Self::OwnTemporaryFile => f.write_str("left behind by a cookpack that was stopped"),
        }
    }
}

/// The root file of a folder that `vendor` wrote.
pub const VENDOR_MARKER: &str = ".cookpack-vendor";

/// What the names of files begin with that are being written, and are renamed when whole.
pub const TEMPORARY_PREFIX: &str = ".cookpack-tmp-";

/// Names that belong to version control, at any depth.
const VERSION_CONTROL: [&str; 6] = [".git", ".svn", ".hg", ".bzr", "_darcs", "CVS"];

/// Files at a cookbook's root that only the packing tool reads.
const TOOL_FILES: [&str; 4] = [
    "Berksfile",
    "Berksfile.lock",
    "cookpack.toml",
    "cookpack.lock",
];

/// Judges a name at any depth, before it is known what stands there.
pub(super) fn by_name(name: &[u8], at_root: bool) -> Option<Omission> {
    let is_one_of = |names: &[&str]| names.iter().any(|n| n.as_bytes() == name);
    if is_one_of(&VERSION_CONTROL) {
        return Some(Omission::VersionControl);
    }
    if at_root && is_one_of(&TOOL_FILES) {
        return Some(Omission::ToolFile);
    }
    if name.starts_with(TEMPORARY_PREFIX.as_bytes()) {
        return Some(Omission::OwnTemporaryFile);
    }
    None
}

/// Whether a path inside a cookbook leads into version control: no link may be followed there.
pub(crate) fn is_version_control(path: &[u8]) -> bool {
    path.split(|b| *b == b'/')
        .any(|part| by_name(part, false) == Some(Omission::VersionControl))
}
