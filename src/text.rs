//! A text that a person wrote, kept beside the values read from it, so that every message can point
//! at the line it speaks of.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file's text under the name by which a person knows it. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
}

impl SourceFile {
    /// Takes a text under a name (a path as the person would write it, or `git-url:path`).
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// The name shown in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The 1-based line that holds byte `offset`.
    pub fn line_at(&self, offset: usize) -> usize {
        let end = offset.min(self.text.len());
        1 + self.text.as_bytes()[..end]
            .iter()
            .filter(|&&b| b == b'\n')
            .count()
    }

    /// A place in this file.
    pub fn at(&self, span: Range<usize>) -> Location {
        Location {
            file: self.clone(),
            span,
        }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceFile")
            .field("name", &self.name)
            .field("bytes", &self.text.len())
            .finish()
    }
}

/// A place in a [`SourceFile`]: a range of bytes. Displays as `name:line`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: SourceFile,
    /// The bytes meant.
    pub span: Range<usize>,
}

impl Location {
    /// The 1-based line on which the place begins.
    pub fn line(&self) -> usize {
        self.file.line_at(self.span.start)
    }

    /// This place with a note beside it.
    pub fn label(&self, note: impl Into<String>) -> Label {
        Label {
            at: self.clone(),
            note: note.into(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.name(), self.line())
    }
}

/// A marked place and what is said of it (may be empty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place to mark.
    pub at: Location,
    /// The note beside the mark.
    pub note: String,
}

/// The closest of `known` to a misspelt `word`, if one is close enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = word.chars().count().div_ceil(3).min(3);
    known
        .into_iter()
        .map(|k| (edit_distance(word, k), k))
        .filter(|(d, _)| *d <= allowed)
        .min()
        .map(|(_, k)| k)
}

/// Levenshtein's distance, a swap of neighbours counting as one.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_names_its_line() {
        let file = SourceFile::new("metadata.rb", "name 'a'\nversion '1'\n");
        assert_eq!(file.at(9..16).to_string(), "metadata.rb:2");
        assert_eq!(file.at(0..4).to_string(), "metadata.rb:1");
        assert_eq!(file.at(999..999).to_string(), "metadata.rb:3");
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["branch", "commit", "git", "path", "rel", "tag"];
        assert_eq!(nearest("brnach", known), Some("branch"));
        assert_eq!(nearest("gti", known), Some("git"));
        assert_eq!(nearest("submodules", known), None);
    }
}
