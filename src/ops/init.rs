//! Writes a first manifest for what a folder holds.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 4: this module looks through a folder"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::load::{Place, read_metadata};
use super::manifest_file::{bundle_name, read_manifest_file};
use super::project::MANIFEST;
use super::{Context, Error};
use crate::aside::write_if_changed;
use crate::layout::{CookbookPlan, METADATA_JSON};
use crate::manifest::key;
use crate::metadata::Dependency;
use crate::name::CookbookName;
use crate::source::Folders;

/// The cookbooks that a folder holds.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Found {
    /// Each cookbook's folder, relative, and what it depends on.
    pub cookbooks: BTreeMap<CookbookName, (String, Vec<Dependency>)>,
}

/// Folders in which repositories of cookbooks keep them.
const COOKBOOK_FOLDERS: [&str; 2] = ["cookbooks", "site-cookbooks"];

/// Looks for cookbooks: the folder itself, else those in `cookbooks` and `site-cookbooks`.
///
/// # Errors
/// When a cookbook's metadata cannot be read.
pub fn look_around(cx: &Context<'_>, folder: &Path) -> Result<Found, Error> {
    let mut found = Found::default();
    if is_cookbook(folder) {
        found.add(cx, folder, ".")?;
        return Ok(found);
    }
    for outer in COOKBOOK_FOLDERS {
        let mut inner: Vec<PathBuf> = match fs::read_dir(folder.join(outer)) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(_) => continue,
        };
        inner.sort();
        for path in inner.iter().filter(|path| is_cookbook(path)) {
            if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                found.add(cx, folder, &format!("{outer}/{name}"))?;
            }
        }
    }
    Ok(found)
}

fn is_cookbook(folder: &Path) -> bool {
    [METADATA_JSON, "metadata.rb"]
        .iter()
        .any(|name| folder.join(name).is_file())
}

impl Found {
    fn add(&mut self, cx: &Context<'_>, folder: &Path, path: &str) -> Result<(), Error> {
        let place = Place::folder(&Folders::default(), folder, &folder.join(path), None)?;
        let found = read_metadata(cx.limits(), &place, &CookbookPlan::default())?;
        let cookbook = (path.to_owned(), found.metadata.dependencies);
        self.cookbooks.insert(found.name, cookbook);
        Ok(())
    }

    /// The manifest that means what was found, with comments that say how to go on.
    pub fn manifest(&self, bundle: &str) -> String {
        let mut text = format!(
            "# What cookpack packs, and from where. `cookpack build` writes the archive.\n\n\
             [bundle]\n\
             # The archive is called by this name: {bundle}.tar.gz\n\
             name = \"{bundle}\"\n\
             # Who reads it: opsworks and ssm take `<cookbook>/recipes/default.rb`,\n\
             # chef-solo takes `cookbooks/<cookbook>/recipes/default.rb`.\n\
             target = \"opsworks\"\n\
             # The recipes that will be run; each must be in the archive.\n\
             run_list = [{}]\n\
             # Cookbooks that the machine already has.\n\
             # provided = [\"name\"]\n\n\
             [cookbooks]\n",
            self.run_list()
        );
        if self.cookbooks.is_empty() {
            text.push_str(
                "# No cookbook was found here. Write one line for each:\n\
                 # web = { git = \"path/to/repository\", branch = \"main\" }\n\
                 # java = { github = \"owner/repository\", tag = \"v1.0.0\" }\n\
                 # site = { git = \"path/to/monorepo\", glob = \"cookbooks/*\" }\n\
                 # base = { path = \"cookbooks/base\" }\n",
            );
        }
        for (name, (path, _)) in &self.cookbooks {
            let _ = writeln!(text, "{} = {{ path = \"{path}\" }}", key(name.as_str()));
        }
        for (name, demands) in self.missing() {
            let demands: Vec<_> = demands.into_iter().collect();
            let _ = writeln!(
                text,
                "# {} = {{ git = \"...\" }}    # {}",
                key(name),
                demands.join(", ")
            );
        }
        text
    }

    /// A lone cookbook's default recipe is a fair guess; which of several are run is not.
    fn run_list(&self) -> String {
        match self.cookbooks.keys().next() {
            Some(name) if self.cookbooks.len() == 1 => format!("\"{name}\""),
            _ => String::new(),
        }
    }

    fn missing(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let mut missing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (name, (_, dependencies)) in &self.cookbooks {
            for dependency in dependencies {
                if !self.cookbooks.contains_key(dependency.name.as_str()) {
                    missing
                        .entry(&dependency.name)
                        .or_default()
                        .insert(format!("{name} wants {}", dependency.constraint));
                }
            }
        }
        missing
    }
}

/// Writes a commented cookpack.toml for what a folder holds, and gives its path: what a
/// Policyfile.rb, a Berksfile or a Cheffile says, or else the cookbooks that are found.
///
/// # Errors
/// When there is one already, or a cookbook's metadata cannot be read.
pub fn init_manifest(cx: &Context<'_>, folder: &Path) -> Result<PathBuf, Error> {
    let path = folder.join(MANIFEST);
    if path.exists() {
        return Err(Error::ManifestExists { path });
    }
    if let Some(text) = converted(cx, folder)? {
        write_if_changed(&path, text.as_bytes())?;
        return Ok(path);
    }
    let found = look_around(cx, folder)?;
    let only = found
        .cookbooks
        .keys()
        .next()
        .filter(|_| found.cookbooks.len() == 1);
    let bundle = only.map_or_else(|| bundle_name(folder), ToString::to_string);
    write_if_changed(&path, found.manifest(&bundle).as_bytes())?;
    Ok(path)
}

/// The files that other tools go by, the first of which is taken over.
const OTHERS: [&str; 3] = ["Policyfile.rb", "Berksfile", "Cheffile"];

/// The manifest that means what another tool's file in a folder says.
fn converted(cx: &Context<'_>, folder: &Path) -> Result<Option<String>, Error> {
    let here = OTHERS.iter().map(|name| (name, folder.join(name)));
    let Some((name, file)) = here.into_iter().find(|(_, file)| file.is_file()) else {
        return Ok(None);
    };
    let manifest = read_manifest_file(cx, &file)?.manifest(folder)?;
    Ok(Some(format!(
        "# What cookpack packs, and from where, as {name} said. `cookpack build` writes the archive.\n\n{}",
        manifest.to_toml()
    )))
}
