//! What a manifest says of a cookbook in place of its metadata.rb: for the rare file that cannot be
//! evaluated without Ruby.

use std::fmt;

use super::cookpack_toml::parse_constraint;
use crate::document::{DocumentError, Value, invalid};
use crate::metadata::{Dependency, Metadata};
use crate::name::CookbookName;
use crate::text::Location;
use crate::version::Version;

/// A cookbook's metadata as its manifest declares it. Its metadata.rb is then packed, but not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The version.
    pub version: Version,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
    /// Where it is declared.
    pub at: Location,
}

impl Override {
    /// The whole metadata of the cookbook: Chef's defaults for all that is not declared.
    pub fn metadata(&self, name: &CookbookName) -> Metadata {
        Metadata {
            name: Some(name.to_string()),
            name_at: Some(self.at.clone()),
            version: self.version,
            version_text: self.version.to_string(),
            version_at: Some(self.at.clone()),
            dependencies: self.dependencies.clone(),
            ..Metadata::default()
        }
    }
}

/// For the digest of a manifest's requirements.
impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.version)?;
        self.dependencies
            .iter()
            .try_for_each(|d| write!(f, " {} {}", d.name, d.constraint))
    }
}

/// Reads `override = { version = "1.2.0", depends = { apt = "~> 7.0" } }`.
pub(super) fn read_override(
    value: &Value<'_, '_>,
    cookbook: &str,
) -> Result<Override, DocumentError> {
    let table = value.table(format!("`override` of cookbook `{cookbook}`"))?;
    table.only(&["depends", "name", "version"])?;
    if let Some((name, at)) = table.string("name")?
        && name != cookbook
    {
        return Err(DocumentError::InvalidValue {
            reason: format!("the cookbook is called `{cookbook}` here, and `{name}` there"),
            hint: Some(format!(
                "the key before the table is its name: write `{name} = {{ ... }}`"
            )),
            at,
        });
    }
    let (version, at) = table.required("version")?;
    let version = version
        .parse()
        .map_err(|error| invalid(&error as &dyn fmt::Display, at))?;
    let depends = match table.value("depends") {
        Some(value) => value.table("`depends`".to_owned())?.entries(),
        None => Vec::new(),
    };
    let dependencies = depends
        .into_iter()
        .map(|(key, key_at, value)| {
            let name: CookbookName = key
                .parse()
                .map_err(|error| invalid(&error as &dyn fmt::Display, key_at.clone()))?;
            let (text, at) = value.string()?;
            Ok(Dependency {
                name: name.to_string(),
                constraint: parse_constraint(&text, at)?,
                at: key_at,
            })
        })
        .collect::<Result<_, DocumentError>>()?;
    Ok(Override {
        version,
        dependencies,
        at: value.at(),
    })
}

#[cfg(test)]
mod tests {
    use crate::error::Diagnose;
    use crate::manifest::Manifest;

    fn read(overrides: &str) -> Result<Manifest, crate::document::DocumentError> {
        let text = format!(
            "[bundle]\nname = \"x\"\n[cookbooks]\nodd = {{ path = \"odd\", override = {overrides} }}\n"
        );
        Manifest::parse("cookpack.toml", &text)
    }

    #[test]
    fn a_cookbooks_metadata_can_be_declared() {
        let manifest =
            read("{ version = \"1.2\", depends = { apt = \"~> 7.0\", yum = \">= 0.0.0\" } }")
                .unwrap();
        let declared = manifest.cookbooks["odd"].overrides.clone().unwrap();
        let metadata = declared.metadata(&"odd".parse().unwrap());
        assert_eq!(metadata.version.to_string(), "1.2.0");
        assert_eq!(metadata.dependencies[0].constraint.to_string(), "~> 7.0");
        assert_eq!(metadata.dependencies[1].at.line(), 4);
        let other = read("{ version = \"1.3\" }").unwrap();
        assert_ne!(manifest.requirements_digest(), other.requirements_digest());
    }

    #[test]
    fn what_is_wrong_in_it_is_marked() {
        let table = [
            ("{}", "has no `version`"),
            ("{ version = \"x\" }", "`x` is not a version"),
            (
                "{ version = \"1.0\", name = \"even\" }",
                "is called `odd` here",
            ),
            (
                "{ version = \"1.0\", depends = { apt = \"new\" } }",
                "`new` is not a version constraint",
            ),
            (
                "{ version = \"1.0\", license = \"MIT\" }",
                "unknown key `license`",
            ),
            ("\"1.0\"", "must be a table"),
        ];
        for (overrides, message) in table {
            let shown = read(overrides)
                .expect_err(overrides)
                .diagnostics()
                .remove(0);
            assert!(shown.message.contains(message), "{overrides}: {shown:?}");
            assert_eq!(shown.labels[0].at.line(), 4);
        }
    }
}
