//! Versions and version constraints by Chef's rules (chef/chef, `lib/chef/version_class.rb`,
//! `lib/chef/version/platform.rb` and `lib/chef/version_constraint.rb`).

use std::fmt;
use std::str::FromStr;

/// A cookbook's version: `x.y.z`, or `x.y`, which means `x.y.0`. Displays with three parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a version: write `x.y.z` or `x.y`, digits only", found.escape_debug())]
pub struct InvalidVersion {
    /// The text.
    pub found: String,
}

impl Version {
    /// A version of three numbers.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Chef matches line by line, so a text of which one line is a version is that version: files
    /// read into `version` end in a newline.
    fn from_str(s: &str) -> Result<Self, InvalidVersion> {
        let parsed = |three: bool| {
            s.split('\n').find_map(|line| match numbers(line)?[..] {
                [major, minor, patch] if three => Some(Self::new(major, minor, patch)),
                [major, minor] if !three => Some(Self::new(major, minor, 0)),
                _ => None,
            })
        };
        parsed(true)
            .or_else(|| parsed(false))
            .ok_or(InvalidVersion {
                found: s.to_owned(),
            })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The numbers of a dotted text of digits.
fn numbers(line: &str) -> Option<Vec<u64>> {
    line.split('.')
        .map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        })
        .collect()
}

/// The operator of a [`Constraint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`: this version.
    Equal,
    /// `>`: newer.
    Greater,
    /// `<`: older.
    Less,
    /// `>=`: this or newer.
    GreaterOrEqual,
    /// `<=`: this or older.
    LessOrEqual,
    /// `~>`: this or newer, while all parts but the last one given stay.
    Pessimistic,
}

impl Operator {
    /// In the order in which a prefix is tried: the longer ones first.
    const ALL: [(&'static str, Self); 6] = [
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("~>", Self::Pessimistic),
        ("<", Self::Less),
        (">", Self::Greater),
        ("=", Self::Equal),
    ];

    /// The operator as written.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(_, op)| *op == self)
            .map_or("=", |(text, _)| text)
    }
}

/// One version constraint: an operator and a version, kept as written. `1.2.3` alone means
/// `= 1.2.3`. Displays as Chef writes it into metadata.json: operator, space, the version as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constraint {
    operator: Operator,
    version: Version,
    parts: usize,
    raw: Box<str>,
}

/// A text that is no constraint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a version constraint: write one of `=`, `>`, `<`, `>=`, `<=`, `~>` and a version, as in `~> 1.2`",
    found.escape_debug()
)]
pub struct InvalidConstraint {
    /// The text.
    pub found: String,
}

impl Constraint {
    /// `>= 0.0.0`, what a `depends` without a constraint means.
    pub fn any() -> Self {
        Self {
            operator: Operator::GreaterOrEqual,
            version: Version::default(),
            parts: 3,
            raw: "0.0.0".into(),
        }
    }

    /// `= x.y.z`.
    pub fn exactly(version: Version) -> Self {
        Self {
            operator: Operator::Equal,
            version,
            parts: 3,
            raw: version.to_string().into(),
        }
    }

    /// `~> x.y`: this version and what follows it up to the next major one.
    pub fn within_major(version: Version) -> Self {
        let Version { major, minor, .. } = version;
        Self {
            operator: Operator::Pessimistic,
            version: Version::new(major, minor, 0),
            parts: 2,
            raw: format!("{major}.{minor}").into(),
        }
    }

    /// Whether every version fits.
    pub fn is_any(&self) -> bool {
        self.operator == Operator::GreaterOrEqual && self.version == Version::default()
    }

    /// The operator.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The version it compares with.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether `version` fits.
    pub fn matches(&self, version: Version) -> bool {
        let own = self.version;
        match self.operator {
            Operator::Equal => version == own,
            Operator::Greater => version > own,
            Operator::Less => version < own,
            Operator::GreaterOrEqual => version >= own,
            Operator::LessOrEqual => version <= own,
            Operator::Pessimistic if self.parts <= 2 => {
                version.major == own.major && version.minor >= own.minor
            }
            Operator::Pessimistic => {
                version.major == own.major
                    && version.minor == own.minor
                    && version.patch >= own.patch
            }
        }
    }
}

impl FromStr for Constraint {
    type Err = InvalidConstraint;

    /// Chef checks `depends` and `supports` with its platform versions, so `12` and FreeBSD's
    /// `10.1-release` are versions here.
    fn from_str(s: &str) -> Result<Self, InvalidConstraint> {
        let invalid = || InvalidConstraint {
            found: s.to_owned(),
        };
        let build = |operator, raw: &str| {
            let version = platform_version(raw)?;
            Some(Self {
                operator,
                version,
                parts: raw.split('.').count(),
                raw: raw.into(),
            })
        };
        let starts_a_line_with_a_digit = s
            .split('\n')
            .any(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        if !s.contains(' ') && starts_a_line_with_a_digit {
            return build(Operator::Equal, s).ok_or_else(invalid);
        }
        s.split('\n')
            .find_map(|line| {
                Operator::ALL.into_iter().find_map(|(text, operator)| {
                    let raw = line.strip_prefix(text)?.trim_start_matches(' ');
                    raw.starts_with(|c: char| c.is_ascii_digit())
                        .then_some((operator, raw))
                })
            })
            .and_then(|(operator, raw)| build(operator, raw))
            .ok_or_else(invalid)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator.as_str(), self.raw)
    }
}

/// Chef's platform version: `x.y.z`, `x.y`, `x`, or FreeBSD's `x.y-release-p3`.
fn platform_version(text: &str) -> Option<Version> {
    let lines = || text.split('\n');
    let of_parts = |n: usize| {
        lines().find_map(|line| {
            let parts = numbers(line)?;
            (parts.len() == n).then(|| {
                let part = |i: usize| parts.get(i).copied().unwrap_or(0);
                Version::new(part(0), part(1), part(2))
            })
        })
    };
    of_parts(3)
        .or_else(|| of_parts(2))
        .or_else(|| of_parts(1))
        .or_else(|| lines().find_map(freebsd_version))
}

/// `/^(\d+).(\d+)-[a-z]+\d?(-p(\d+))?$/i`.
fn freebsd_version(line: &str) -> Option<Version> {
    let (numbers, rest) = line.split_once('-')?;
    let major_end = numbers.find(|c: char| !c.is_ascii_digit())?;
    let separator = numbers[major_end..].chars().next()?;
    let major = numbers[..major_end].parse().ok()?;
    let minor = numbers[major_end + separator.len_utf8()..].parse().ok()?;
    let word = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    if word.len() == rest.len() {
        return None;
    }
    // A patch's own `-p` begins after the word and at most one digit.
    let tail = word
        .strip_prefix(|c: char| c.is_ascii_digit())
        .unwrap_or(word);
    let patch = match tail {
        "" => 0,
        _ => {
            let digits = tail
                .strip_prefix("-p")
                .or_else(|| tail.strip_prefix("-P"))?;
            numbers_only(digits)?
        }
    };
    Some(Version::new(major, minor, patch))
}

fn numbers_only(digits: &str) -> Option<u64> {
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(s: &str) -> Version {
        s.parse().unwrap()
    }

    fn c(s: &str) -> Constraint {
        s.parse().unwrap()
    }

    #[test]
    fn versions_have_two_or_three_parts() {
        assert_eq!(v("1.2"), Version::new(1, 2, 0));
        assert_eq!(v("1.2.3\n").to_string(), "1.2.3");
        assert_eq!(v("junk\n1.2"), Version::new(1, 2, 0));
        for bad in [
            "",
            "1",
            "1.2.3.4",
            "1.2.x",
            "v1.2.3",
            "1.2.3-rc1",
            "1..2",
            " 1.2",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?}");
        }
        assert!("99999999999999999999.0".parse::<Version>().is_err());
    }

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(v("1.10.0") > v("1.9.9"));
        assert!(v("2.0") > v("1.99"));
        assert_eq!(v("1.2"), v("1.2.0"));
    }

    #[test]
    fn each_operator_compares_as_chef_does() {
        let table = [
            ("= 1.2", "1.2.0", true),
            ("1.2.3", "1.2.3", true),
            ("1.2.3", "1.2.4", false),
            ("> 1.2.3", "1.2.3", false),
            ("> 1.2.3", "1.2.4", true),
            ("< 2.0", "1.9.9", true),
            ("< 2.0", "2.0.0", false),
            (">= 1.0", "1.0.0", true),
            ("<= 1.0", "1.0.1", false),
            ("~> 1.2", "1.9.0", true),
            ("~> 1.2", "2.0.0", false),
            ("~> 1.2", "1.1.9", false),
            ("~> 1.2.3", "1.2.9", true),
            ("~> 1.2.3", "1.3.0", false),
            ("~> 1.2.3", "1.2.2", false),
            ("~> 12", "12.9.9", true),
            ("~> 12", "13.0.0", false),
            (">=1.0", "1.0.0", true),
        ];
        for (constraint, version, fits) in table {
            assert_eq!(
                c(constraint).matches(v(version)),
                fits,
                "{constraint} {version}"
            );
        }
    }

    #[test]
    fn a_constraint_keeps_its_version_as_written() {
        assert_eq!(c("1.2.3").to_string(), "= 1.2.3");
        assert_eq!(c("~>   1.2").to_string(), "~> 1.2");
        assert_eq!(c(">= 12").to_string(), ">= 12");
        assert_eq!(c(">= 10.1-release-p3").to_string(), ">= 10.1-release-p3");
        assert_eq!(c(">= 10.1-release-p3").version(), Version::new(10, 1, 3));
        assert!(c(">= 0.0").is_any() && Constraint::any().is_any());
    }

    #[test]
    fn what_is_no_constraint_is_refused() {
        for bad in [
            "",
            "!= 1.0",
            "=> 1.0",
            "latest",
            ">= ",
            "1.0 || 2.0",
            ">> 1.0",
            "^1.0",
            ">= 1.2.3.4",
        ] {
            assert!(bad.parse::<Constraint>().is_err(), "{bad:?}");
        }
    }
}
