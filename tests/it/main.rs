//! The tests of the binary as a person uses it, one integration binary for all of them.
//!
//! Each test works in a temporary folder of its own, with a cleared environment, repositories made
//! on the spot and git without any configuration of the machine. None touches the network.

#![cfg(all(unix, feature = "cli"))]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the tests stand outside of the library: they have effects, and a skipped test says so"
)]

mod support;

mod ahead;
mod architecture;
mod archive_wire;
mod atomic;
mod berksfile;
mod cache;
mod commands;
mod contents;
mod credentials;
mod deflate;
mod determinism;
mod embedding;
mod exit_codes;
mod fetching;
mod formats;
mod git_program;
mod golden;
mod graph;
mod house;
mod index;
mod layout;
mod lfs;
mod links;
mod lockfile;
mod manifest;
mod many_processes;
mod metadata;
mod mirror;
mod monorepo;
mod oracles;
mod peers;
mod refs;
mod refusals;
mod remotes_http;
mod remotes_ssh;
mod ruby;
mod ruby_manifests;
mod run_list;
mod solver;
mod sources;
mod status;
mod store;
mod submodules;
mod supermarket;
mod vendor;
mod why;
mod work_tree;
