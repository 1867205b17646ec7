//! Bounds on what is read from sources that others wrote.

/// Bounds on input. Each is inclusive: a value equal to the limit passes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file of a cookbook.
    pub file_bytes: u64,
    /// Files and folders looked at in one cookbook.
    pub files: usize,
    /// Depth of folders in one cookbook.
    pub depth: usize,
    /// Bytes of one text that is parsed: a manifest, a lockfile, metadata, a chefignore.
    pub text_bytes: u64,
    /// Lines of patterns in one chefignore.
    pub patterns: usize,
}

impl Default for Limits {
    /// 2 GiB a file, a million files, depth 128, 8 MiB of text, 10,000 patterns.
    fn default() -> Self {
        Self {
            file_bytes: 2 << 30,
            files: 1_000_000,
            depth: 128,
            text_bytes: 8 << 20,
            patterns: 10_000,
        }
    }
}
