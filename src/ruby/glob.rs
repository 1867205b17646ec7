//! `Dir.glob` and `File.fnmatch`.

use super::fail::Eval;
use super::files::FileKind;
use super::interpreter::Interpreter;

/// How many patterns `{a,b}` may stand for: each further brace multiplies them.
const MAX_PATTERNS: usize = 256;

impl Interpreter<'_> {
    /// The paths that a pattern finds, in Ruby's order: sorted in each folder.
    pub(super) fn globbed(&mut self, pattern: &str, base: Option<&str>) -> Eval<Vec<String>> {
        let Some(patterns) = braces(pattern) else {
            return self.unsupported("a pattern that stands for so many others");
        };
        let mut found = Vec::new();
        for pattern in patterns {
            let start = if pattern.starts_with('/') { "/" } else { "" };
            let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
            if parts.is_empty() {
                continue;
            }
            let folders_only = pattern.ends_with('/');
            self.glob_below(start, &parts, folders_only, base, &mut found)?;
        }
        Ok(found)
    }

    /// Goes on from `at`, a path that has been found, with what is left of a pattern.
    fn glob_below(
        &mut self,
        at: &str,
        parts: &[&str],
        folders_only: bool,
        base: Option<&str>,
        found: &mut Vec<String>,
    ) -> Eval<()> {
        self.step(1)?;
        let Some((part, rest)) = parts.split_first() else {
            return Ok(());
        };
        if *part == "**" && !rest.is_empty() {
            self.glob_below(at, rest, folders_only, base, found)?;
            for name in self.glob_names(at, base)? {
                let below = joined(at, &name);
                if !name.starts_with('.')
                    && self.glob_kind(&below, base)? == Some(FileKind::Directory)
                {
                    self.deeper(|this| this.glob_below(&below, parts, folders_only, base, found))?;
                }
            }
            return Ok(());
        }
        if !part.contains(['*', '?', '[', '\\']) {
            let below = joined(at, part);
            if rest.is_empty() {
                let kind = self.glob_kind(&below, base)?;
                return self.glob_found(below, kind, folders_only, found);
            }
            return self.deeper(|this| this.glob_below(&below, rest, folders_only, base, found));
        }
        for name in self.glob_names(at, base)? {
            self.step(1 + (part.len() * name.len()) as u64 / 64)?;
            if !matches(part, &name) {
                continue;
            }
            let below = joined(at, &name);
            if rest.is_empty() {
                let kind = self.glob_kind(&below, base)?;
                self.glob_found(below, kind, folders_only, found)?;
            } else if self.glob_kind(&below, base)? == Some(FileKind::Directory) {
                self.deeper(|this| this.glob_below(&below, rest, folders_only, base, found))?;
            }
        }
        Ok(())
    }

    fn glob_found(
        &mut self,
        path: String,
        kind: Option<FileKind>,
        folders_only: bool,
        found: &mut Vec<String>,
    ) -> Eval<()> {
        match kind {
            Some(FileKind::Directory) if folders_only => found.push(format!("{path}/")),
            Some(_) if !folders_only => found.push(path),
            _ => {}
        }
        self.charge(32)
    }

    fn glob_path(&self, path: &str, base: Option<&str>) -> String {
        match base {
            Some(base) if !path.starts_with('/') => format!("{base}/{path}"),
            _ if path.is_empty() => ".".to_owned(),
            _ => path.to_owned(),
        }
    }

    fn glob_names(&mut self, at: &str, base: Option<&str>) -> Eval<Vec<String>> {
        let path = self.glob_path(at, base);
        Ok(self.folder_names(&path)?.unwrap_or_default())
    }

    fn glob_kind(&mut self, path: &str, base: Option<&str>) -> Eval<Option<FileKind>> {
        let path = self.glob_path(path, base);
        self.path_kind(&path)
    }
}

fn joined(at: &str, name: &str) -> String {
    match at {
        "" | "/" => format!("{at}{name}"),
        _ => format!("{at}/{name}"),
    }
}

/// The patterns that one with `{a,b}` stands for; none if they are too many.
fn braces(pattern: &str) -> Option<Vec<String>> {
    let mut open: Vec<String> = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(pattern) = open.pop() {
        let Some((before, choices, after)) = first_brace(&pattern) else {
            done.push(pattern);
            continue;
        };
        for choice in choices.into_iter().rev() {
            open.push(format!("{before}{choice}{after}"));
        }
        if open.len() + done.len() > MAX_PATTERNS {
            return None;
        }
    }
    Some(done)
}

fn first_brace(pattern: &str) -> Option<(&str, Vec<&str>, &str)> {
    let start = pattern.find('{')?;
    let mut depth = 0;
    let mut choices = Vec::new();
    let mut from = start + 1;
    for (at, c) in pattern[start..].char_indices() {
        let at = start + at;
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                choices.push(&pattern[from..at]);
                from = at + 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    choices.push(&pattern[from..at]);
                    return Some((&pattern[..start], choices, &pattern[at + 1..]));
                }
            }
            _ => {}
        }
    }
    None
}

/// `File.fnmatch?(pattern, name)` without flags: `*` and `?` match any character, but not a dot at
/// the front; `[a-z]`, `[!a]`; a backslash takes a character for itself. Time is the product of the
/// lengths, whatever the pattern.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    if name.first() == Some(&'.') && matches!(pattern.first(), Some('*' | '?' | '[')) {
        return false;
    }
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p == pattern.len() && n == name.len() {
            return true;
        }
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, n));
            p += 1;
            continue;
        }
        if n < name.len()
            && let Some(next) = one(&pattern, p, name[n])
        {
            p = next;
            n += 1;
            continue;
        }
        match retry {
            Some((star, from)) if from < name.len() => {
                retry = Some((star, from + 1));
                p = star + 1;
                n = from + 1;
            }
            _ => return false,
        }
    }
}

/// Matches one character; where the pattern goes on, if it does.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => class(pattern, at + 1, c),
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == c).then_some(at + 2),
        literal => (literal == c).then_some(at + 1),
    }
}

fn class(pattern: &[char], mut at: usize, c: char) -> Option<usize> {
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let mut found = false;
    let start = at;
    loop {
        let mut from = *pattern.get(at)?;
        if from == ']' && at > start {
            return (found != negated).then_some(at + 1);
        }
        if from == '\\' {
            at += 1;
            from = *pattern.get(at)?;
        }
        at += 1;
        let mut to = from;
        if pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|c| *c != ']') {
            to = pattern[at + 1];
            at += 2;
        }
        found |= (from..=to).contains(&c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_does() {
        for (pattern, name, found) in [
            ("*.rb", "a.rb", true),
            ("*.rb", ".rb", false),
            ("*", ".a", false),
            (".*", ".a", true),
            ("a?c", "abc", true),
            ("a[!b]c", "abc", false),
            ("[a-c]x", "bx", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a*b*c*", "xxaxxbxxc", true),
        ] {
            assert_eq!(matches(pattern, name), found, "{pattern} {name}");
        }
    }

    #[test]
    fn braces_multiply_within_a_limit() {
        assert_eq!(braces("a{b,c{d,e}}f").unwrap(), ["abf", "acdf", "acef"]);
        assert!(braces(&"{a,b}".repeat(20)).is_none());
    }
}
