//! What an evaluation is told about the world, since it looks at nothing itself.

use std::collections::BTreeMap;

/// What an evaluation takes as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `Chef::VERSION`: a metadata.rb may declare other things for other versions.
    pub chef_version: String,
    /// The name of the folder that is the source's root, where there is one that a cookbook may go by:
    /// `name File.basename(__dir__)`. Without it, using it is an error.
    pub root_name: Option<String>,
    /// `ENV`. Empty unless the caller gives something.
    pub env: BTreeMap<String, String>,
    /// Bounds on what a file may do.
    pub limits: EvalLimits,
}

impl Default for Settings {
    /// The newest Chef known, no name for the root, an empty environment.
    fn default() -> Self {
        Self {
            chef_version: "19.4.14".to_owned(),
            root_name: None,
            env: BTreeMap::new(),
            limits: EvalLimits::default(),
        }
    }
}

/// Bounds on one evaluation. Each is inclusive: a value equal to the limit passes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvalLimits {
    /// Pieces of syntax evaluated, and work of built-in methods counted in the same coin.
    pub steps: u64,
    /// Nesting of calls, blocks and expressions.
    pub depth: u32,
    /// Bytes of values built, whether or not they are still used.
    pub bytes: u64,
    /// Bytes of one file that is read as text.
    pub file_bytes: u64,
    /// Bytes of one file that is evaluated.
    pub source_bytes: u64,
}

impl Default for EvalLimits {
    /// 500,000 steps, 1,000 levels, 64 MiB of values, 8 MiB a file, 256 KiB a file of Ruby.
    fn default() -> Self {
        Self {
            steps: 500_000,
            depth: 1_000,
            bytes: 64 << 20,
            file_bytes: 8 << 20,
            source_bytes: 256 << 10,
        }
    }
}
