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
    /// Bytes of one universe: all names and versions that a source has.
    pub universe_bytes: u64,
    /// Bytes of one tarball as it is downloaded.
    pub packed_bytes: u64,
    /// Bytes of one tarball that is unpacked: headers and padding count.
    pub unpacked_bytes: u64,
    /// How many times larger than a tarball what it unpacks to may be. The first 16 MiB are free.
    pub unpacked_ratio: u64,
    /// Bytes of one path in a tarball, and of what a link in it leads to.
    pub path_bytes: usize,
    /// Bytes of one component of such a path, which is what file systems hold.
    pub name_bytes: usize,
    /// Bytes of one record in a tarball that says more of the entry after it.
    pub record_bytes: u64,
    /// Bytes that an archive of ours unpacks to, where headers and padding of a tar count. It is read
    /// as it comes, so that not memory is at stake but time.
    pub archive_bytes: u64,
    /// Files in an archive of ours.
    pub archive_files: u64,
}

impl Default for Limits {
    /// 2 GiB a file, a million files, depth 128, 8 MiB of text, 10,000 patterns; a universe of 256 MiB;
    /// tarballs of 2 GiB that unpack to 4 GiB and to 200 times their size, with paths of 1,024 bytes,
    /// names of 255 and records of 64 KiB; archives of ours that unpack to 64 GiB, with four million
    /// files.
    fn default() -> Self {
        Self {
            file_bytes: 2 << 30,
            files: 1_000_000,
            depth: 128,
            text_bytes: 8 << 20,
            patterns: 10_000,
            universe_bytes: 256 << 20,
            packed_bytes: 2 << 30,
            unpacked_bytes: 4 << 30,
            unpacked_ratio: 200,
            path_bytes: 1_024,
            name_bytes: 255,
            record_bytes: 64 << 10,
            archive_bytes: 64 << 30,
            archive_files: 4_000_000,
        }
    }
}
