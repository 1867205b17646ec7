//! chefignore files, matched exactly as Chef matches them (chef/chef,
//! `lib/chef/cookbook/chefignore.rb`): one glob a line, each tried with Ruby's `File.fnmatch?`
//! without flags on a file's path relative to its cookbook.

/// The patterns of one chefignore file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chefignore {
    patterns: Vec<Pattern>,
}

/// One line of a chefignore that is neither blank nor a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The glob.
    pub glob: String,
    /// The 1-based line on which it stands.
    pub line: usize,
}

impl Chefignore {
    /// Reads a file's text. Nothing is an error: every line that is neither blank nor begins with
    /// `#` is a glob.
    pub fn parse(text: &str) -> Self {
        let patterns = text
            .split('\n')
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim_matches(is_ruby_blank)))
            .filter(|(_, glob)| !glob.is_empty() && !glob.starts_with('#'))
            .map(|(line, glob)| Pattern {
                glob: glob.to_owned(),
                line,
            })
            .collect();
        Self { patterns }
    }

    /// The patterns in the file's order.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// The first pattern that matches a file's path, if one does. Directories are never tested.
    pub fn matching(&self, path: &str) -> Option<&Pattern> {
        self.patterns.iter().find(|p| fnmatch(&p.glob, path))
    }
}

/// What Ruby's `String#strip` takes off.
fn is_ruby_blank(c: char) -> bool {
    matches!(c, '\0' | '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// Ruby's `File.fnmatch?(pattern, path)` without flags: anchored at both ends; `*` and `?` match
/// `/` too; only a dot that begins the whole path wants a literal dot; `[a-z]`, `[!a]`, `[^a]` and
/// `\` work; there is neither `{a,b}` nor a special `**`.
pub fn fnmatch(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    if path.first() == Some(&'.') && pattern.get(unescape(&pattern, 0)) != Some(&'.') {
        return false;
    }
    let (mut p, mut s) = (0, 0);
    // Where to go on after a mismatch: behind the last `*`, and the character it takes next. Only
    // the last star is ever tried again, so the time is bounded by the product of the lengths.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some('*') => {
                while pattern.get(p) == Some(&'*') {
                    p += 1;
                }
                if p == pattern.len() {
                    return true;
                }
                if s == path.len() {
                    return false;
                }
                retry = Some((p, s));
                continue;
            }
            _ if s == path.len() => return p == pattern.len(),
            Some('?') => Some(p + 1),
            Some('[') => bracket(&pattern, p + 1, path[s]),
            None => None,
            Some(_) => {
                let literal = unescape(&pattern, p);
                (pattern.get(literal) == Some(&path[s])).then_some(literal + 1)
            }
        };
        match (step, &mut retry) {
            (Some(next), _) => {
                p = next;
                s += 1;
            }
            (None, Some((behind_star, taken))) => {
                *taken += 1;
                p = *behind_star;
                s = *taken;
            }
            (None, None) => return false,
        }
    }
}

/// The index of the character meant at `at`: the one behind a backslash, unless that ends the
/// pattern.
fn unescape(pattern: &[char], at: usize) -> usize {
    let escaped = pattern.get(at) == Some(&'\\') && at + 1 < pattern.len();
    at + usize::from(escaped)
}

/// Matches `c` against the set that begins at `p`; gives the index behind its `]`. A set that is
/// not closed matches nothing.
fn bracket(pattern: &[char], mut p: usize, c: char) -> Option<usize> {
    let negated = matches!(pattern.get(p), Some('!' | '^'));
    if negated {
        p += 1;
    }
    let mut found = false;
    loop {
        if *pattern.get(p)? == ']' {
            return (found != negated).then_some(p + 1);
        }
        let first = unescape(pattern, p);
        let low = *pattern.get(first)?;
        p = first + 1;
        let is_range = *pattern.get(p)? == '-' && *pattern.get(p + 1)? != ']';
        if is_range {
            let last = unescape(pattern, p + 1);
            let high = *pattern.get(last)?;
            p = last + 1;
            found |= c == low || c == high || (low <= c && c <= high);
        } else {
            found |= c == low;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows made with Ruby 3.1: a pattern, then paths that match, then paths that do not.
    #[test]
    fn globs_match_as_in_ruby() {
        let table: &[(&str, &[&str], &[&str])] = &[
            ("*", &["a", "a/b", "a/.b", ""], &[".a", ".git/config"]),
            (
                "*.md",
                &["README.md", "docs/a.md", "docs/.a.md"],
                &[".a.md", "README.MD"],
            ),
            (
                "spec/*",
                &["spec/a", "spec/a/b", "spec/.rspec", "spec/"],
                &["spec", "myspec/a"],
            ),
            ("spec", &["spec"], &["spec/a", "a/spec"]),
            ("spec/", &["spec/"], &["spec/a"]),
            ("spec/**/*", &["spec/a/b"], &["spec/a"]),
            (".*", &[".git", ".git/config"], &["a/.git", "a"]),
            ("*/.git", &["sub/.git"], &[".git", "sub/.git/HEAD"]),
            ("*.sw[a-z]", &["a.swp", "x/.a.swp"], &["a.swA", ".a.swp"]),
            ("\\#*", &["#foo#"], &["foo", "x/#foo#"]),
            ("[!.]*", &["a"], &[".a"]),
            ("[^a]b", &["xb"], &["ab"]),
            ("[a", &[], &["a", "[a"]),
            ("[]]", &[], &["]"]),
            ("[\\]]", &["]"], &["a"]),
            ("[a-]", &["a", "-"], &["b"]),
            ("[z-a]", &["z", "a"], &["m"]),
            ("{a,b}", &["{a,b}"], &["a"]),
            ("a\\*b", &["a*b"], &["axb"]),
            ("a\\", &["a\\"], &["a"]),
            ("Icon?", &["Icon?", "Icons", "Icon/"], &["Icon"]),
            ("?x", &["ax", "éx"], &[".x", "x"]),
            ("\\.x", &[".x"], &["x"]),
            ("", &[""], &["a"]),
        ];
        for (pattern, matching, others) in table {
            for path in *matching {
                assert!(fnmatch(pattern, path), "{pattern:?} should match {path:?}");
            }
            for path in *others {
                assert!(
                    !fnmatch(pattern, path),
                    "{pattern:?} should not match {path:?}"
                );
            }
        }
    }

    /// A table made with Ruby itself.
    #[test]
    fn every_row_of_rubys_own_table_agrees() {
        #[derive(serde::Deserialize)]
        struct Table {
            paths: Vec<String>,
            rows: std::collections::BTreeMap<String, String>,
        }
        let text = include_str!("../testdata/chefignore/fnmatch.json");
        let table: Table = serde_json::from_str(text).unwrap();
        assert!(table.rows.len() > 60);
        for (pattern, row) in &table.rows {
            let ours: String = table
                .paths
                .iter()
                .map(|path| if fnmatch(pattern, path) { '1' } else { '0' })
                .collect();
            assert_eq!(&ours, row, "{pattern:?} on {:?}", table.paths);
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_the_product_of_the_lengths() {
        let path = "a".repeat(5_000);
        assert!(!fnmatch(&"*a".repeat(200).replace("a*", "a*b*"), &path));
    }

    #[test]
    fn blank_lines_and_comments_are_no_patterns() {
        let file = Chefignore::parse("# top\n\n  *.md \r\n\t# indented\n*~ # not a comment\nlast");
        let lines: Vec<_> = file.patterns().iter().map(|p| (p.line, &*p.glob)).collect();
        assert_eq!(lines, [(3, "*.md"), (5, "*~ # not a comment"), (6, "last")]);
        assert_eq!(file.matching("docs/x.md").map(|p| p.line), Some(3));
        assert_eq!(file.matching("recipes/default.rb"), None);
    }
}
