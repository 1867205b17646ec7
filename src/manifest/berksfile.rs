//! Reads a Berksfile as Berkshelf does (berkshelf/berkshelf, `lib/berkshelf/berksfile.rb`).
//!
//! Where this departs from Berkshelf 8: a git cookbook without a branch, a tag or a ref is at the
//! remote's default branch, not at `master`; `gitlab:` and `bitbucket:` are read, and so are
//! Berkshelf 1 and 2's `site` and `chef_api`, and Berkshelf 2's `protocol:` beside `github:`.

mod own;
mod words;

pub(super) use own::own_cookbook;

use std::collections::BTreeMap;

use super::{
    Bundle, Format, GitProtocol, LayoutKind, Manifest, ManifestError, Target, Upstream, declared,
};
use crate::error::Diagnostic;
use crate::ruby::{self, Files, Settings};
use crate::text::SourceFile;
pub use declared::{Declaration, GitOrigin, Origin};
use words::Words;

/// A Berksfile as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Berksfile {
    file: SourceFile,
    /// Its `source` lines.
    pub sources: Vec<Upstream>,
    /// Berkshelf 1 and 2's `site` and `chef_api` lines.
    pub legacy_sources: Vec<Upstream>,
    /// Its cookbooks, in the order of their names' first lines. One that is declared again in other
    /// groups is the later one, as in Berkshelf.
    pub cookbooks: Vec<Declaration>,
    /// What Berkshelf ignores, and what has no meaning here.
    pub warnings: Vec<Diagnostic>,
}

impl Berksfile {
    /// Evaluates a Berksfile. `name` is its own file name; relative paths in it begin at the folder
    /// of `files`, which it may read. `protocol` is that of short forms (`github:`) without one.
    ///
    /// # Errors
    /// When Berkshelf would fail, or cookpack does not know a construct.
    pub fn parse(
        file: &SourceFile,
        name: &str,
        files: &dyn Files,
        settings: &Settings,
        protocol: GitProtocol,
    ) -> Result<Self, ManifestError> {
        let mut words = Words::new(file, files, settings, protocol);
        let result = ruby::evaluate(file, name, files, settings, &mut words);
        words.finished(result)
    }

    /// The manifest that means the same. `folder` names the bundle where no cookbook of its own
    /// does. The layout is that of `berks package`.
    ///
    /// # Errors
    /// When a name, a git address or a reference cannot be one.
    pub fn manifest(&self, folder: &str) -> Result<Manifest, ManifestError> {
        let mut cookbooks = BTreeMap::new();
        for declared in &self.cookbooks {
            cookbooks.insert(declared.cookbook_name()?, declared.requirement()?);
        }
        let own = self.cookbooks.iter().find(|cookbook| cookbook.is_metadata);
        let bundle = Bundle {
            name: own.map_or(folder, |own| &own.name).to_owned(),
            target: Target::default(),
            layout: LayoutKind::Cookbooks,
            run_list: Vec::new(),
            groups: super::GroupChoice::All,
        };
        let upstreams = self.sources.iter().chain(&self.legacy_sources);
        Ok(Manifest {
            upstreams: upstreams.cloned().collect(),
            cookbooks,
            ..Manifest::empty(self.file.clone(), Format::Berksfile, bundle)
        })
    }
}
