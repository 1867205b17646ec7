//! The arguments.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anstream::ColorChoice;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::units::{parse_bytes, parse_duration};
use crate::archive;
use crate::manifest::{GitProtocol, GroupChoice, LayoutKind};
use crate::name::CookbookName;

/// Packs Chef cookbooks from git and folders into reproducible archives.
#[derive(Debug, Parser)]
#[command(name = "cookpack", version, about, max_term_width = 100, after_help = exit_help())]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The manifest [default: cookpack.toml, Policyfile.rb, Berksfile or metadata in this folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) manifest_path: Option<PathBuf>,
    /// The folder for what is fetched [env: COOKPACK_STORE] [default: the platform's cache folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) store: Option<PathBuf>,
    /// Fail if cookpack.lock would change
    #[arg(long, global = true)]
    pub(super) locked: bool,
    /// Fetch nothing: use what the store has
    #[arg(long, global = true)]
    pub(super) offline: bool,
    /// --locked and --offline together
    #[arg(long, global = true)]
    pub(super) frozen: bool,
    /// Let a Berksfile or Policyfile.rb see an environment variable; they see none otherwise
    #[arg(long, global = true, value_name = "NAME[=VALUE]")]
    pub(super) env: Vec<String>,
    /// The protocol of `github = "owner/repo"` and its like, where a manifest names none
    /// [env: COOKPACK_GIT_PROTOCOL] [default: https]
    #[arg(long, global = true, value_name = "PROTOCOL")]
    pub(super) git_protocol: Option<Protocol>,
    /// Read every file, also of cookbooks that are known to be unchanged
    #[arg(long, global = true)]
    pub(super) no_index: bool,
    /// How many cookbooks are read, and repositories fetched, at once [default: the number of
    /// processors; 8 fetches where there are fewer]
    #[arg(long, short, global = true, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Print one machine-readable document to the standard output, and nothing else there
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print more of what is done
    #[arg(long, short, global = true)]
    pub(super) verbose: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented cookpack.toml for what a folder holds
    Init {
        /// The folder
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Resolve the cookbooks and write the archive
    Build {
        /// The archive's file, `-` for the standard output, or a folder where it ends in `/`
        /// [default: <bundle name>.<ending of the format>]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// What is written [default: as the file's name ends; else tar.gz]
        #[arg(long, value_name = "FORMAT")]
        format: Option<OutputFormat>,
        /// How hard it is compressed [default: default]
        #[arg(long, value_name = "LEVEL")]
        level: Option<Level>,
        /// The folders of the archive [default: as the manifest says]
        #[arg(long)]
        layout: Option<Layout>,
        #[command(flatten)]
        groups: Groups,
    },
    /// Resolve the cookbooks and write cookpack.lock
    Lock {
        /// Print what would change, and write nothing
        #[arg(long, short = 'n')]
        dry_run: bool,
    },
    /// Move locked cookbooks to what their sources have now
    Update {
        /// The cookbooks [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<CookbookName>,
        /// Print what would change, and write nothing
        #[arg(long, short = 'n')]
        dry_run: bool,
    },
    /// Print which locked cookbooks are not the newest, and what holds them back
    Outdated,
    /// Write the archive's files as a folder
    Vendor {
        /// The folder: new, empty, or written by an earlier `vendor`
        dir: PathBuf,
        /// The folders in it [default: as the manifest says]
        #[arg(long)]
        layout: Option<Layout>,
        #[command(flatten)]
        groups: Groups,
    },
    /// Print who depends on whom
    Tree {
        /// How to print it [default: text]
        #[arg(long, value_name = "FORMAT")]
        format: Option<TreeFormat>,
        /// From what is needed to who needs it; with a name, only who needs that cookbook
        #[arg(long, value_name = "NAME", num_args = 0..=1)]
        invert: Option<Option<CookbookName>>,
        #[command(flatten)]
        groups: Groups,
    },
    /// Print why a cookbook is in the bundle: every way from the manifest to it
    Why {
        /// The cookbook
        name: CookbookName,
    },
    /// Print which files are packed, and why others are not
    Files {
        /// A cookbook's folder [default: the manifest's cookbooks, as they are laid out]
        dir: Option<PathBuf>,
        /// The folders of the archive [default: as the manifest says]
        #[arg(long)]
        layout: Option<Layout>,
        #[command(flatten)]
        groups: Groups,
    },
    /// Print a cookbook's compiled metadata.json
    Metadata {
        /// The cookbook's folder, or its metadata.rb or metadata.json
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Print a Berksfile, Policyfile.rb, ... as the cookpack.toml that means the same
    Manifest {
        /// The file [default: the one that `build` takes in this folder]
        file: Option<PathBuf>,
    },
    /// Show, check and empty the store of what was fetched
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Write the locked cookbooks as a source of their own, for machines that reach no other
    Mirror {
        /// The folder: new, empty, or written by an earlier `mirror`
        dir: PathBuf,
        /// The address at which it will be served; Berkshelf needs it, cookpack does not
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
    /// Print a shell's completion script
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum CacheCommand {
    /// Print the store's folder
    Dir,
    /// Print what the store keeps: size, when it was last used, address and name
    List,
    /// Check every object of what the store keeps; exit with 4 if any is damaged
    Verify {
        /// Addresses or names, as `list` prints them [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Remove what was not used for 30 days, or as the options say, and what killed runs left
    Prune(Prune),
}

#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Remove what was not used for this long: 12h, 30d, 8w
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) older_than: Option<Duration>,
    /// Remove what was not used for the longest time until no more than this is left: 500MB, 2GiB
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(super) max_size: Option<u64>,
    /// Remove what `verify` finds damaged
    #[arg(long)]
    pub(super) damaged: bool,
    /// Remove everything
    #[arg(long, conflicts_with_all = ["older_than", "max_size", "damaged"])]
    pub(super) all: bool,
    /// Print what would be removed, and remove nothing
    #[arg(long, short = 'n')]
    pub(super) dry_run: bool,
}

/// Whose cookbooks are packed, with all that they depend on. The lockfile holds all groups.
#[derive(Clone, Debug, Args)]
pub(super) struct Groups {
    /// Take the cookbooks of these groups, and what they depend on
    #[arg(long, value_name = "GROUP,..", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave out the cookbooks of these groups, unless others depend on them
    #[arg(
        long,
        value_name = "GROUP,..",
        value_delimiter = ',',
        conflicts_with = "only"
    )]
    except: Vec<String>,
}

impl From<&Groups> for GroupChoice {
    fn from(groups: &Groups) -> Self {
        match (&groups.only[..], &groups.except[..]) {
            ([], []) => Self::All,
            ([], except) => Self::Except(except.to_vec()),
            (only, _) => Self::Only(only.to_vec()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TreeFormat {
    /// Lines for a terminal
    Text,
    /// For Graphviz
    Dot,
    /// For Mermaid
    Mermaid,
    /// A picture
    Svg,
    /// A machine-readable document, as with `--json`
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// A compressed tar: every target reads it
    #[value(name = "tar.gz", alias = "tgz")]
    TarGz,
    /// A tar that is not compressed
    Tar,
    /// A zip: for Windows and SSM
    Zip,
    /// A folder, as `vendor` writes it
    Dir,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Level {
    /// Fast, and no larger than `gzip -6`
    Default,
    /// As small as can be, for what is made once and fetched often
    Best,
}

impl From<Level> for archive::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Default => Self::Default,
            Level::Best => Self::Best,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Layout {
    /// <cookbook>/recipes/default.rb
    Flat,
    /// cookbooks/<cookbook>/recipes/default.rb
    Cookbooks,
}

impl From<Layout> for LayoutKind {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::Flat => LayoutKind::Flat,
            Layout::Cookbooks => LayoutKind::Cookbooks,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Protocol {
    /// Without a user: public repositories, or credentials from git's helpers
    Https,
    /// As the user `git`, with a key
    Ssh,
}

impl From<Protocol> for GitProtocol {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Https => GitProtocol::Https,
            Protocol::Ssh => GitProtocol::Ssh,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }
}

fn exit_help() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (code, meaning) in super::EXIT_CODES {
        text.push_str(&format!("  {code:<3}  {meaning}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
