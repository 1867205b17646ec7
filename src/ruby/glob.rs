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
            let mut parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
            let folders_only = pattern.ends_with('/');
            if folders_only && parts.last() == Some(&"**") {
                parts.push("*");
            }
            if !parts.is_empty() {
                let search = Search { folders_only, base };
                self.glob_in(start, vec![&parts], &search, &mut found)?;
            }
        }
        Ok(found)
    }

    /// Goes on from `at`, a folder that has been found, with what may be left of a pattern: `**` leaves
    /// several ends of it open at once. Each entry is followed before the next one is looked at.
    fn glob_in<'p>(
        &mut self,
        at: &str,
        ends: Vec<&'p [&'p str]>,
        search: &Search<'_>,
        found: &mut Vec<String>,
    ) -> Eval<()> {
        let mut open: Vec<&[&str]> = Vec::new();
        for end in ends {
            let mut end = end;
            while !open.contains(&end) {
                open.push(end);
                // `**` also stands for no folder at all.
                match end {
                    ["**", rest @ ..] if !rest.is_empty() => end = rest,
                    _ => break,
                }
            }
        }
        let plain = |end: &&[&str]| !end[0].contains(['*', '?', '[', '\\']);
        if open.iter().all(plain) {
            for end in open {
                let below = joined(at, end[0]);
                match &end[1..] {
                    [] => {
                        let kind = self.glob_kind(&below, search)?;
                        self.glob_found(below, kind, search, found)?;
                    }
                    rest => self.deeper(|this| this.glob_in(&below, vec![rest], search, found))?,
                }
            }
            return Ok(());
        }
        for name in self.glob_names(at, search)? {
            let below = joined(at, &name);
            let mut next: Vec<&[&str]> = Vec::new();
            let mut is_end = false;
            for end in &open {
                self.step(1 + (end[0].len() * name.len()) as u64 / 64)?;
                match end {
                    ["**", _, ..] => {
                        if !name.starts_with('.') && !self.glob_is_link(&below, search)? {
                            next.push(end);
                        }
                    }
                    [last] => is_end |= matches(last, &name),
                    [part, rest @ ..] if matches(part, &name) => next.push(rest),
                    _ => {}
                }
            }
            if !is_end && next.is_empty() {
                continue;
            }
            let kind = self.glob_kind(&below, search)?;
            if is_end {
                self.glob_found(below.clone(), kind, search, found)?;
            }
            if !next.is_empty() && kind == Some(FileKind::Directory) {
                self.deeper(|this| this.glob_in(&below, next, search, found))?;
            }
        }
        Ok(())
    }

    fn glob_found(
        &mut self,
        path: String,
        kind: Option<FileKind>,
        search: &Search<'_>,
        found: &mut Vec<String>,
    ) -> Eval<()> {
        match kind {
            Some(FileKind::Directory) if search.folders_only => found.push(format!("{path}/")),
            Some(_) if !search.folders_only => found.push(path),
            _ => {}
        }
        self.charge(32)
    }

    fn glob_names(&mut self, at: &str, search: &Search<'_>) -> Eval<Vec<String>> {
        let path = search.path(at);
        Ok(self.folder_names(&path)?.unwrap_or_default())
    }

    fn glob_kind(&mut self, path: &str, search: &Search<'_>) -> Eval<Option<FileKind>> {
        self.path_kind(&search.path(path))
    }

    fn glob_is_link(&mut self, path: &str, search: &Search<'_>) -> Eval<bool> {
        self.path_is_link(&search.path(path))
    }
}

/// What a search with one pattern is about.
struct Search<'s> {
    folders_only: bool,
    /// `base:`
    base: Option<&'s str>,
}

impl Search<'_> {
    /// A found path as one that can be looked up.
    fn path(&self, path: &str) -> String {
        match self.base {
            Some(base) if !path.starts_with('/') => format!("{base}/{path}"),
            _ if path.is_empty() => ".".to_owned(),
            _ => path.to_owned(),
        }
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
