//! The name of a cookbook.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A cookbook's name, as Chef Infra Server accepts it: ASCII letters, digits, `_`, `-` and `.`
/// (chef/chef-server, `src/oc_erchef/apps/chef_objects/src/chef_regex.erl`). It is also a folder's
/// name, so `.`, `..` and a trailing dot are no names. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CookbookName(Arc<str>);

/// A text that is no cookbook's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a cookbook name: {expected}", found.escape_debug())]
pub struct InvalidName {
    /// The text.
    pub found: String,
    /// What would be one.
    pub expected: &'static str,
}

impl CookbookName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, which takes no memory of its own.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for CookbookName {
    type Err = InvalidName;

    fn from_str(s: &str) -> Result<Self, InvalidName> {
        let invalid = |expected| InvalidName {
            found: s.to_owned(),
            expected,
        };
        if s.is_empty() {
            return Err(invalid("it is empty"));
        }
        if !s
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        {
            return Err(invalid(
                "only letters, digits, `_`, `-` and `.` are allowed in one",
            ));
        }
        if s.ends_with('.') {
            return Err(invalid("it is a folder's name and cannot end in a dot"));
        }
        Ok(Self(s.into()))
    }
}

impl fmt::Display for CookbookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CookbookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl std::borrow::Borrow<str> for CookbookName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_chef_accepts() {
        for good in ["apt", "build-essential", "a.b", "_x", "7zip", ".hidden"] {
            assert_eq!(good.parse::<CookbookName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "a b", "é", "a\n", "x.", "a\\b"] {
            assert!(bad.parse::<CookbookName>().is_err(), "{bad:?}");
        }
    }
}
