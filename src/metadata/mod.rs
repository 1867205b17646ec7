//! What a cookbook says of itself: metadata.rb and metadata.json, as Chef reads them (chef/chef,
//! `lib/chef/cookbook/metadata.rb`).

mod dsl;
mod error;
mod json;
mod print;
mod read;

pub(crate) use dsl::json as json_of;
pub use error::MetadataError;
pub use json::Json;

use crate::ruby::{self, Files, Settings};
use crate::text::{Location, SourceFile};
use crate::version::{Constraint, Version};

/// A cookbook's metadata, with Chef's defaults where nothing is declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// The cookbook's name. Old cookbooks leave it out and take their folder's.
    pub name: Option<String>,
    /// Where the name is declared.
    pub name_at: Option<Location>,
    /// One line about the cookbook.
    pub description: String,
    /// Much about the cookbook, often its README.
    pub long_description: String,
    /// Who maintains it.
    pub maintainer: String,
    /// How to reach them.
    pub maintainer_email: String,
    /// Its licence, `All rights reserved` unless declared.
    pub license: String,
    /// The platforms it supports, with a constraint. Old metadata.json have an empty list instead.
    pub platforms: Vec<(String, Json)>,
    /// The cookbooks that it depends on, each once.
    pub dependencies: Vec<Dependency>,
    /// The dependencies whose constraint a metadata.json spells in another way than Chef does: its
    /// text, or an empty list where an old one has several, which Chef drops.
    pub odd_constraints: Vec<(String, Json)>,
    /// What it provides, with a constraint.
    pub providing: Vec<(String, Json)>,
    /// Its recipes, with a description each.
    pub recipes: Vec<(String, Json)>,
    /// Its version, `0.0.0` unless declared.
    pub version: Version,
    /// The version as written: a metadata.json may say `1.2`.
    pub version_text: String,
    /// Where the version is declared.
    pub version_at: Option<Location>,
    /// Where its source lives.
    pub source_url: String,
    /// Where to report problems.
    pub issues_url: String,
    /// Whether it is private.
    pub privacy: bool,
    /// The versions of Chef that it works with: one of these, each a list of constraints.
    pub chef_versions: Vec<Vec<String>>,
    /// The versions of Ohai that it works with.
    pub ohai_versions: Vec<Vec<String>>,
    /// The gems that it needs: each the arguments of one `gem`.
    pub gems: Vec<Json>,
    /// Which libraries to load at once: `true`, `false`, a pattern or a list of patterns.
    pub eager_load_libraries: Json,
    /// Words of metadata.rb that mean nothing to Chef, which ignores them.
    pub ignored: Vec<(String, Location)>,
}

/// A cookbook that another one depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency {
    /// The cookbook's name as written.
    pub name: String,
    /// The versions that will do.
    pub constraint: Constraint,
    /// The call in metadata.rb, or the entry in metadata.json.
    pub at: Location,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            name: None,
            name_at: None,
            description: String::new(),
            long_description: String::new(),
            maintainer: String::new(),
            maintainer_email: String::new(),
            license: "All rights reserved".to_owned(),
            platforms: Vec::new(),
            dependencies: Vec::new(),
            odd_constraints: Vec::new(),
            providing: Vec::new(),
            recipes: Vec::new(),
            version: Version::default(),
            version_text: Version::default().to_string(),
            version_at: None,
            source_url: String::new(),
            issues_url: String::new(),
            privacy: false,
            chef_versions: Vec::new(),
            ohai_versions: Vec::new(),
            gems: Vec::new(),
            eager_load_libraries: Json::Bool(true),
            ignored: Vec::new(),
        }
    }
}

impl Metadata {
    /// Evaluates a metadata.rb. `files` are those of its cookbook, which it may read.
    pub fn from_ruby(
        file: &SourceFile,
        files: &dyn Files,
        settings: &Settings,
    ) -> Result<Self, MetadataError> {
        let mut words = dsl::Words::default();
        ruby::evaluate(file, "metadata.rb", files, settings, &mut words)?;
        Ok(words.metadata)
    }

    /// Reads a metadata.json.
    pub fn from_json(file: &SourceFile) -> Result<Self, MetadataError> {
        read::read(file)
    }

    /// The compiled metadata.json, byte for byte as `berks vendor` writes it.
    pub fn to_json(&self) -> String {
        print::print(self)
    }
}
