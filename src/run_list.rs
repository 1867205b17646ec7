//! Run lists as Chef reads them (chef/chef, `lib/chef/run_list/run_list_item.rb`).

use std::fmt;
use std::str::FromStr;

use crate::name::CookbookName;
use crate::version::Version;

/// One entry of a run list. Displays in its qualified form, `recipe[nodejs_demo::default]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RunListItem {
    /// A recipe of a cookbook.
    Recipe {
        /// The cookbook.
        cookbook: CookbookName,
        /// The recipe's own name: `default` where the entry names a cookbook alone.
        recipe: String,
        /// The version asked for, as `@1.2.3`.
        version: Option<Version>,
    },
    /// A role, which lives outside of cookbooks.
    Role(String),
}

/// A text that is no run list entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a run list entry: {expected}", found.escape_debug())]
pub struct InvalidRunListItem {
    /// The text.
    pub found: String,
    /// What would be one.
    pub expected: String,
}

impl FromStr for RunListItem {
    type Err = InvalidRunListItem;

    fn from_str(s: &str) -> Result<Self, InvalidRunListItem> {
        let invalid = |expected: &str| InvalidRunListItem {
            found: s.to_owned(),
            expected: expected.to_owned(),
        };
        let inside = |word: &str| s.strip_prefix(word)?.strip_prefix('[')?.strip_suffix(']');
        if let Some(role) = inside("role") {
            return match role.is_empty() || role.contains(['[', ']']) {
                true => Err(invalid("the role has no name")),
                false => Ok(Self::Role(role.to_owned())),
            };
        }
        let bare = inside("recipe").unwrap_or(s);
        if bare.contains(['[', ']']) {
            return Err(invalid(
                "write `recipe[cookbook::recipe]` or `cookbook::recipe`",
            ));
        }
        let (name, version) = match bare.split_once('@') {
            Some((name, version)) => {
                let version = version
                    .parse()
                    .map_err(|e: crate::version::InvalidVersion| invalid(&e.to_string()))?;
                (name, Some(version))
            }
            None => (bare, None),
        };
        let (cookbook, recipe) = name.split_once("::").unwrap_or((name, "default"));
        if recipe.is_empty() || recipe.contains(['/', ':', '\\']) {
            return Err(invalid("the recipe has no valid name"));
        }
        Ok(Self::Recipe {
            cookbook: cookbook
                .parse()
                .map_err(|e: crate::name::InvalidName| invalid(&e.to_string()))?,
            recipe: recipe.to_owned(),
            version,
        })
    }
}

impl fmt::Display for RunListItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipe {
                cookbook,
                recipe,
                version: None,
            } => write!(f, "recipe[{cookbook}::{recipe}]"),
            Self::Recipe {
                cookbook,
                recipe,
                version: Some(version),
            } => write!(f, "recipe[{cookbook}::{recipe}@{version}]"),
            Self::Role(role) => write!(f, "role[{role}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_chef_is_read() {
        let table = [
            ("nginx", "recipe[nginx::default]"),
            ("nginx::source", "recipe[nginx::source]"),
            ("recipe[nginx]", "recipe[nginx::default]"),
            ("recipe[nginx::source@1.2.3]", "recipe[nginx::source@1.2.3]"),
            ("nginx@1.2", "recipe[nginx::default@1.2.0]"),
            ("role[web]", "role[web]"),
        ];
        for (text, qualified) in table {
            assert_eq!(text.parse::<RunListItem>().unwrap().to_string(), qualified);
        }
    }

    #[test]
    fn false_friends_are_refused() {
        for bad in [
            "",
            "Recipe[nginx]",
            "roles[web]",
            "role[]",
            "nginx::",
            "nginx@one",
            "a/b",
            "recipe[a",
            "x::y::z",
        ] {
            assert!(bad.parse::<RunListItem>().is_err(), "{bad:?}");
        }
    }
}
