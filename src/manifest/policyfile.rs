//! Reads a Policyfile.rb as chef-cli does (chef/chef-cli, `lib/chef-cli/policyfile/dsl.rb`).

mod attributes;
mod words;

use std::collections::BTreeMap;

use super::declared::Declaration;
use super::{
    Bundle, Format, GitProtocol, GroupChoice, IncludedPolicy, LayoutKind, Manifest, ManifestError,
    Policy, Requirement, RunListEntry, Target, Upstream, default_groups,
};
use crate::metadata::Json;
use crate::ruby::{self, Files, Settings};
use crate::run_list::RunListItem;
use crate::text::{Location, SourceFile};
use crate::version::Constraint;
use words::Words;

/// A Policyfile.rb as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Policyfile {
    file: SourceFile,
    /// The policy's name.
    pub name: Option<String>,
    /// Its run list.
    pub run_list: Vec<String>,
    run_list_at: Location,
    /// Its named run lists, in the order of their first lines.
    pub named_run_lists: Vec<NamedRunList>,
    /// Its `default_source` lines.
    pub sources: Vec<Upstream>,
    /// Its cookbooks.
    pub cookbooks: Vec<Declaration>,
    /// The policies that it includes.
    pub included: Vec<IncludedPolicy>,
    /// Its attributes of the level `default`.
    pub default: Json,
    /// Its attributes of the level `override`.
    pub overrides: Json,
}

/// A run list with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedRunList {
    /// The name.
    pub name: String,
    /// Its entries.
    pub items: Vec<String>,
    /// Where it is written.
    pub at: Location,
}

impl Policyfile {
    /// Evaluates a Policyfile.rb. `name` is its own file name; relative paths in it begin at the
    /// folder of `files`, which it may read. `protocol` is that of short forms (`github:`).
    ///
    /// # Errors
    /// When chef-cli would fail, or cookpack does not know a construct.
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

    /// The manifest that means the same. `folder` names the bundle where the policy has no name.
    ///
    /// # Errors
    /// When a name, a git address, a reference or an entry of a run list cannot be one.
    pub fn manifest(&self, folder: &str) -> Result<Manifest, ManifestError> {
        let run_list = entries(&self.run_list, &self.run_list_at)?;
        let mut named_run_lists = BTreeMap::new();
        for named in &self.named_run_lists {
            let list = entries(&named.items, &named.at)?;
            named_run_lists.insert(named.name.clone(), list);
        }
        let mut cookbooks = BTreeMap::new();
        for declared in &self.cookbooks {
            cookbooks.insert(declared.cookbook_name()?, declared.requirement()?);
        }
        // What a run list names and no line declares comes from the sources.
        for entry in run_list.iter().chain(named_run_lists.values().flatten()) {
            if let RunListItem::Recipe { cookbook, .. } = &entry.item {
                let asked = || Requirement {
                    constraint: Constraint::any(),
                    source: None,
                    groups: default_groups(),
                    overrides: None,
                    at: entry.at.clone(),
                };
                cookbooks.entry(cookbook.clone()).or_insert_with(asked);
            }
        }
        let name = self.name.as_deref().unwrap_or(folder);
        let is_plain = |name: &&str| !name.starts_with('-') && !name.contains(['/', '\\', '\0']);
        let bundle = Bundle {
            name: Some(name).filter(is_plain).unwrap_or(folder).to_owned(),
            target: Target::default(),
            layout: LayoutKind::Cookbooks,
            run_list,
            groups: GroupChoice::All,
        };
        Ok(Manifest {
            upstreams: self.sources.clone(),
            cookbooks,
            policy: Some(Policy {
                named_run_lists,
                default: self.default.clone(),
                overrides: self.overrides.clone(),
                included: self.included.clone(),
            }),
            ..Manifest::empty(self.file.clone(), Format::Policyfile, bundle)
        })
    }
}

fn entries(items: &[String], at: &Location) -> Result<Vec<RunListEntry>, ManifestError> {
    let entry = |text: &String| match text.parse() {
        Ok(item) => Ok(RunListEntry {
            item,
            at: at.clone(),
        }),
        Err(error) => Err(ManifestError::invalid(&error as &dyn std::fmt::Display, at)),
    };
    items.iter().map(entry).collect()
}
