//! Versions as `RubyGems` compares them (rubygems/rubygems, `lib/rubygems/version.rb` and
//! `lib/rubygems/requirement.rb`): `Gem::Version`, the constraints of `chef_version`, and
//! `Chef::VERSION`.

use std::cmp::Ordering;

use super::value::VersionObject;

impl VersionObject {
    /// `Chef::VERSION` is a string; the others are not.
    pub(super) fn as_string(&self) -> Option<&str> {
        match self {
            VersionObject::ChefVersion(text) => Some(text),
            _ => None,
        }
    }
}

/// Whether a text is a version to `RubyGems`; blank is.
pub(crate) fn is_correct(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    if text.is_empty() {
        return true;
    }
    let (release, pre) = match text.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (text, None),
    };
    let alphanumeric =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let with_dashes = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let mut parts = release.split('.');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(digits)
        && parts.all(alphanumeric)
        && pre.is_none_or(|pre| pre.split('.').all(with_dashes))
}

/// A version as `RubyGems` keeps it.
pub(crate) fn normalised(text: &str) -> String {
    match text.trim_matches(|c: char| c.is_ascii_whitespace()) {
        "" => "0".to_owned(),
        text => text.replace('-', ".pre."),
    }
}

#[derive(PartialEq, Eq)]
enum Segment<'v> {
    /// Digits without leading zeros: as long as one likes.
    Number(&'v str),
    Letters(&'v str),
}

fn segments(version: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let is = |c: char| -> bool {
            match first.is_ascii_digit() {
                true => c.is_ascii_digit(),
                false => c.is_ascii_alphabetic(),
            }
        };
        if !first.is_ascii_alphanumeric() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (part, after) = rest.split_at(rest.find(|c| !is(c)).unwrap_or(rest.len()));
        segments.push(match first.is_ascii_digit() {
            true => Segment::Number(part.trim_start_matches('0')),
            false => Segment::Letters(part),
        });
        rest = after;
    }
    segments
}

/// Zeros at the end, and before the first letters, do not count.
fn canonical(version: &str) -> Vec<Segment<'_>> {
    let mut numbers = segments(version);
    let letters_at = numbers
        .iter()
        .position(|segment| matches!(segment, Segment::Letters(_)))
        .unwrap_or(numbers.len());
    let mut letters = numbers.split_off(letters_at);
    for part in [&mut numbers, &mut letters] {
        while matches!(part.last(), Some(Segment::Number(""))) {
            part.pop();
        }
    }
    numbers.append(&mut letters);
    numbers
}

/// Compares two versions.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (canonical(left), canonical(right));
    for at in 0..left.len().max(right.len()) {
        let zero = &Segment::Number("");
        let pair = (left.get(at).unwrap_or(zero), right.get(at).unwrap_or(zero));
        let order = match pair {
            (Segment::Number(a), Segment::Number(b)) => (a.len(), a).cmp(&(b.len(), b)),
            (Segment::Letters(a), Segment::Letters(b)) => a.cmp(b),
            (Segment::Letters(_), Segment::Number(_)) => Ordering::Less,
            (Segment::Number(_), Segment::Letters(_)) => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// A requirement, `>= 1.2`, as operator and version; `=` where there is no operator.
pub(crate) fn requirement(text: &str) -> Option<(&'static str, String)> {
    const OPERATORS: [&str; 7] = ["!=", ">=", "<=", "~>", "=", ">", "<"];
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let (operator, version) = OPERATORS
        .into_iter()
        .find_map(|operator| Some((operator, text.strip_prefix(operator)?)))
        .unwrap_or(("=", text));
    let version = version.trim_start_matches(|c: char| c.is_ascii_whitespace());
    (!version.is_empty() && is_correct(version)).then(|| (operator, normalised(version)))
}

/// Whether a version fits a requirement.
pub(crate) fn satisfies(operator: &str, wanted: &str, version: &str) -> bool {
    let order = compare(version, wanted);
    match operator {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        _ => order.is_ge() && compare(&release(version), &bumped(wanted)).is_lt(),
    }
}

/// A version without what makes it a prerelease.
fn release(version: &str) -> String {
    let numbers: Vec<String> = segments(version)
        .into_iter()
        .map_while(|segment| match segment {
            Segment::Number("") => Some("0".to_owned()),
            Segment::Number(digits) => Some(digits.to_owned()),
            Segment::Letters(_) => None,
        })
        .collect();
    numbers.join(".")
}

/// The version below which `~>` stays: the last number dropped, the one before it counted up.
fn bumped(version: &str) -> String {
    let release = release(version);
    let mut numbers: Vec<&str> = release.split('.').collect();
    if numbers.len() > 1 {
        numbers.pop();
    }
    let last = numbers.pop().unwrap_or("0");
    let next = last
        .parse::<u64>()
        .map_or(u64::MAX, |n| n.saturating_add(1));
    let next = next.to_string();
    numbers.push(&next);
    numbers.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_rubygems_does() {
        for (left, order, right) in [
            ("14", Ordering::Equal, "14.0.0"),
            ("12.9", Ordering::Less, "12.14"),
            ("1.0.a", Ordering::Less, "1.0"),
            ("1.0.b", Ordering::Greater, "1.0.a10"),
            ("1.10", Ordering::Greater, "1.9.9"),
            ("1.0.0.pre.1", Ordering::Less, "1.0.0"),
            ("19.4.14", Ordering::Greater, "14"),
            ("007", Ordering::Equal, "7"),
        ] {
            assert_eq!(compare(left, right), order, "{left} {right}");
        }
    }

    #[test]
    fn requirements_have_an_operator() {
        assert_eq!(requirement(">= 12.5"), Some((">=", "12.5".to_owned())));
        assert_eq!(requirement("12"), Some(("=", "12".to_owned())));
        assert_eq!(requirement("~>12.1"), Some(("~>", "12.1".to_owned())));
        assert_eq!(
            requirement(">= 1.0-rc1"),
            Some((">=", "1.0.pre.rc1".to_owned()))
        );
        for bad in ["", ">=", "=> 12", ">= 12, < 13", "x", "1..2"] {
            assert_eq!(requirement(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_pessimistic_operator_keeps_all_but_the_last_number() {
        assert!(satisfies("~>", "12.1", "12.9"));
        assert!(!satisfies("~>", "12.1", "13.0"));
        assert!(satisfies("~>", "1.2.3", "1.2.9"));
        assert!(!satisfies("~>", "1.2.3", "1.3.0"));
        assert!(satisfies("~>", "1", "1.9"));
        assert!(!satisfies("~>", "1", "2"));
    }
}
