//! Resolves Chef cookbooks from git repositories and folders, lays them out as their consumer wants
//! them, and writes archives whose bytes depend on nothing but their content.
//!
//! # The flow
//!
//! A [`Manifest`] says what is wanted. [`lock`] decides on a commit and a content digest for each
//! cookbook, which is a [`Lockfile`]. [`assemble`] reads exactly what is locked and plans every
//! file, which is a [`Layout`]. [`Layout::write_to`] writes it and gives an [`Archive`], the receipt.
//!
//! ```
//! use cookpack::archive::{ArchiveOptions, Format};
//! use cookpack::{Context, LockMode, Manifest};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let scratch = tempfile::tempdir()?;
//! # let project = scratch.path();
//! # std::fs::create_dir_all(project.join("web/recipes"))?;
//! # std::fs::write(project.join("web/metadata.rb"), "name 'web'\nversion '1.2.0'\n")?;
//! # std::fs::write(project.join("web/recipes/default.rb"), "package 'nginx'\n")?;
//! let text = r#"
//!     [bundle]
//!     name = "web"
//!     run_list = ["web::default"]
//!     [cookbooks]
//!     web = { path = "web" }
//! "#;
//! // Relative paths in a manifest begin at its folder.
//! let path = project.join("cookpack.toml");
//! let manifest = Manifest::parse(path.to_string_lossy(), text)?;
//!
//! let cx = Context::new(project.join("store"));
//! let lockfile = cookpack::lock(&cx, &manifest, LockMode::Fresh)?;
//! let layout = cookpack::assemble(&cx, &manifest, &lockfile)?;
//!
//! let mut bytes = Vec::new();
//! let archive = layout.write_to(&mut bytes, Format::TarGz, &ArchiveOptions::default())?;
//! assert_eq!(archive.size, bytes.len() as u64);
//! let entries = layout.folders()[0].entries()?;
//! assert_eq!(entries.first().unwrap().path().to_string(), "web/metadata.json");
//! # Ok(())
//! # }
//! ```
//!
//! Everything blocks. A [`Context`] carries the store's folder, a [`event::Reporter`] for progress
//! and a [`event::CancelToken`]; the library itself never prints, exits, or reads the environment,
//! the working directory, the home folder or the clock.
//!
//! # The map
//!
//! | module | holds |
//! |---|---|
//! | [`manifest`], [`lockfile`], [`metadata`], [`chefignore`] | the formats that people and tools write |
//! | [`ruby`] | the evaluator of the Ruby in which cookbooks describe themselves |
//! | [`universe`], [`tarball`] | what Supermarkets and their like have, and give |
//! | [`resolve`] | which versions of cookbooks fit together, and why none do |
//! | [`layout`] | what an archive holds, file by file, and why the rest is left out |
//! | [`archive`] | the bytes of an archive |
//! | [`error`], [`event`], [`limits`] | what every operation has in common |
//!
//! `ARCHITECTURE.md` says which module may use which, and where each byte of an archive is decided.

#![forbid(unsafe_code)]

pub mod archive;
mod aside;
pub mod chefignore;
#[cfg(feature = "cli")]
pub mod cli;
pub mod digest;
pub mod document;
pub mod error;
pub mod event;
mod git;
pub mod http;
pub mod layout;
pub mod lfs;
pub mod limits;
pub mod lockfile;
pub mod manifest;
pub mod metadata;
pub mod name;
mod netrc;
mod ops;
pub mod path;
pub mod resolve;
pub mod ruby;
pub mod run_list;
pub mod secret;
mod source;
mod store;
pub mod tarball;
pub mod text;
pub mod tree;
pub mod universe;
mod upstream;
pub mod version;

pub use archive::Archive;
pub use aside::AsideError;
pub use git::{GitAccess, GitError, InvalidSshAddress};
pub use layout::Layout;
pub use lockfile::Lockfile;
pub use manifest::Manifest;
pub use ops::{
    CacheCheck, CacheEntry, CacheLeftover, CacheListing, CachePruned, CheckedEntry, Context,
    DependencyGraph, Edge, Error, Found, Listing, LoadedCookbook, LockChange, LockDifference,
    LockMode, ManifestFile, Mirrored, Neighbours, Outdated, Project, PruneOptions, TreeLine,
    VendorError, Vendored, Way, Why, assemble, cache_list, cache_prune, cache_verify,
    check_lockfile, choose_groups, compare_with_newest, compile_metadata, dependencies,
    dependency_graph, dependency_tree, dependents, init_manifest, list_files, list_folder,
    load_folder, lock, lock_and_assemble, lock_and_write, lock_changes, locked_cookbook,
    look_around, manifest_path, mirror, open_project, outdated, read_manifest_file, stream_archive,
    tree_lines, vendor, write_archive, write_lockfile,
};
pub use source::FolderError;
pub use store::{CacheKind, Damage, StoreError};
pub use upstream::{ChangedDigests, UpstreamAccess, UpstreamError};
