//! Whether what a run list names is in the archive.

use super::{Entries, Folder, Layout, LayoutError, near_name};
use crate::error::Diagnostic;
use crate::manifest::{Manifest, RunListEntry};
use crate::name::CookbookName;
use crate::run_list::RunListItem;
use crate::text::nearest;
use crate::tree::TreeError;
use crate::version::Version;

/// Why an entry of a run list cannot be run from an archive.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunListProblem {
    /// Its cookbook is neither packed nor provided.
    NoCookbook {
        /// The entry.
        entry: RunListEntry,
        /// The cookbook.
        cookbook: CookbookName,
        /// A packed cookbook of a similar name.
        near: Option<String>,
    },
    /// Its cookbook is packed, but has no such recipe.
    NoRecipe {
        /// The entry.
        entry: RunListEntry,
        /// The cookbook.
        cookbook: CookbookName,
        /// The recipe.
        recipe: String,
        /// The recipes that it has.
        known: Vec<String>,
    },
    /// It is a role, and the archive holds cookbooks only.
    Role {
        /// The entry.
        entry: RunListEntry,
    },
    /// Its cookbook is packed in another version.
    OtherVersion {
        /// The entry.
        entry: RunListEntry,
        /// The version that is packed.
        packed: Version,
    },
}

impl RunListProblem {
    pub(super) fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::NoCookbook {
                entry,
                cookbook,
                near,
            } => {
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "add `{cookbook}` to [cookbooks], or to `provided` if the machine has it"
                    ),
                };
                Diagnostic::new(format!("no cookbook `{cookbook}` is packed"))
                    .label(entry.at.label("asks for it"))
                    .hint(hint)
            }
            Self::NoRecipe {
                entry,
                cookbook,
                recipe,
                known,
            } => {
                let hint = match nearest(recipe, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{cookbook}::{near}`?"),
                    None if known.is_empty() => format!("cookbook `{cookbook}` has no recipes"),
                    None => format!("cookbook `{cookbook}` has: {}", known.join(", ")),
                };
                Diagnostic::new(format!(
                    "cookbook `{cookbook}` has no recipe `{recipe}` in the archive"
                ))
                .label(entry.at.label("asks for it"))
                .hint(hint)
                .hint(format!(
                    "`cookpack files` tells whether a chefignore leaves out `recipes/{recipe}.rb`"
                ))
            }
            Self::Role { entry } => Diagnostic::new("an archive of cookbooks holds no roles")
                .label(entry.at.label("is a role"))
                .hint("write the role's own recipes into the run list"),
            Self::OtherVersion { entry, packed } => {
                Diagnostic::new(format!("the cookbook is packed in version {packed}"))
                    .label(entry.at.label("asks for another"))
            }
        }
    }
}

/// Checks every run list of the manifest against the layout.
pub(super) fn check(manifest: &Manifest, layout: &Layout) -> Result<(), LayoutError> {
    let mut problems = Vec::new();
    for entry in manifest.run_list_entries() {
        problems.extend(problem(entry, manifest, layout)?);
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(LayoutError::RunList(problems)),
    }
}

fn problem(
    entry: &RunListEntry,
    manifest: &Manifest,
    layout: &Layout,
) -> Result<Option<RunListProblem>, TreeError> {
    let RunListItem::Recipe {
        cookbook,
        recipe,
        version,
    } = &entry.item
    else {
        return Ok(Some(RunListProblem::Role {
            entry: entry.clone(),
        }));
    };
    let Some(packed) = layout.cookbooks.iter().find(|c| c.name == *cookbook) else {
        if manifest.provided.contains(cookbook) {
            return Ok(None);
        }
        return Ok(Some(RunListProblem::NoCookbook {
            entry: entry.clone(),
            cookbook: cookbook.clone(),
            near: near_name(cookbook.as_str(), &layout.cookbooks).map(str::to_owned),
        }));
    };
    if version.is_some_and(|version| version != packed.version) {
        return Ok(Some(RunListProblem::OtherVersion {
            entry: entry.clone(),
            packed: packed.version,
        }));
    }
    let known = recipes(layout, cookbook)?;
    Ok((!known.contains(recipe)).then(|| RunListProblem::NoRecipe {
        entry: entry.clone(),
        cookbook: cookbook.clone(),
        recipe: recipe.clone(),
        known,
    }))
}

/// The endings of recipes: Ruby, YAML from Chef 16 on, JSON from 19.1 on (chef/chef,
/// `lib/chef/cookbook_version.rb`).
const RECIPE_ENDINGS: [&str; 4] = [".rb", ".yml", ".yaml", ".json"];

/// The recipes of a cookbook, by the files in the layout. `recipe.rb` at the root is `default`.
fn recipes(layout: &Layout, cookbook: &CookbookName) -> Result<Vec<String>, TreeError> {
    let folder = super::folder_of(layout.kind, cookbook).ok();
    let folder = folder.and_then(|folder| layout.folder(folder.as_str()));
    let entries = folder.map(Folder::entries).transpose()?;
    let mut recipes: Vec<String> = entries
        .iter()
        .flat_map(Entries::iter)
        .map(|entry| entry.path().below())
        .filter_map(|path| match path.strip_prefix("recipes/") {
            Some(file) if !file.contains('/') => RECIPE_ENDINGS
                .iter()
                .find_map(|ending| file.strip_suffix(ending))
                .map(str::to_owned),
            _ => (path == "recipe.rb").then(|| "default".to_owned()),
        })
        .collect();
    recipes.dedup();
    Ok(recipes)
}
