//! The operations: the only place that puts the parts in sequence.

mod adopt;
mod ahead;
mod cache;
mod changes;
mod context;
mod error;
mod expand;
mod files;
mod gather;
mod graph;
mod groups;
mod init;
mod load;
mod locate;
mod lock;
mod manifest_file;
mod mirror;
mod named;
mod outdated;
mod own_metadata;
mod plans;
mod project;
mod thread;
mod tree;
mod vendor;
mod write;

pub use cache::{
    CacheCheck, CacheEntry, CacheLeftover, CacheListing, CachePruned, CheckedEntry, PruneOptions,
    cache_list, cache_prune, cache_verify,
};
pub use changes::{LockChange, lock_changes};
pub use context::Context;
pub use error::{Error, LockDifference};
pub use files::{Listing, list_files, list_folder};
pub use graph::{DependencyGraph, Edge, Way, Why, dependency_graph, locked_cookbook};
pub use groups::choose_groups;
pub use init::{Found, init_manifest, look_around};
pub use load::{LoadedCookbook, compile_metadata, load_folder};
pub use lock::{LockMode, assemble, check_lockfile, lock, lock_and_assemble, lock_and_write};
pub use manifest_file::{ManifestFile, read_manifest_file};
pub use mirror::{Mirrored, mirror};
pub use outdated::{Outdated, compare_with_newest, outdated};
pub use project::{Project, manifest_path, open_project};
pub use tree::{Neighbours, TreeLine, dependencies, dependency_tree, dependents, tree_lines};
pub use vendor::{VendorError, Vendored, vendor};
pub use write::{stream_archive, write_archive, write_lockfile};
