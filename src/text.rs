//! A text that a person wrote, kept beside the values read from it, so that every message can point
//! at the line it speaks of.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file's text under the name by which a person knows it. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile(Arc<NamedText>);

#[derive(PartialEq, Eq)]
struct NamedText {
    name: Box<str>,
    text: Box<str>,
}

impl SourceFile {
    /// Takes a text under a name (a path as the person would write it, or `git-url:path`).
    pub fn new(name: impl Into<Box<str>>, text: impl Into<Box<str>>) -> Self {
        Self(Arc::new(NamedText {
            name: name.into(),
            text: text.into(),
        }))
    }

    /// The name shown in messages.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text; of one that is only spoken of in a message, maybe no more than the lines spoken of,
    /// with the others empty.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The 1-based line that holds byte `offset`.
    pub fn line_at(&self, offset: usize) -> usize {
        let end = offset.min(self.text().len());
        1 + self.text().as_bytes()[..end]
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
            .field("name", &self.name())
            .field("bytes", &self.text().len())
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

/// Bytes before and behind a place that are kept of its line: more than a message shows.
const AROUND: usize = 200;

/// Has places go without their files' texts but for the lines that they stand on, of which a long one is cut.
/// A message shows the same; but a text of which there are thousands, a whole README in it, need not stay in
/// memory for the few words of it that a message may speak of.
pub(crate) fn keep_lines_of<'l>(places: impl IntoIterator<Item = &'l mut Location>) {
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_by_key(|place| place.span.start);
    while let Some(first) = places.first() {
        let file = first.file.clone();
        let (mut own, others) = places.into_iter().partition(|place| place.file == file);
        places = others;
        keep_lines(&file, &mut own);
    }
}

/// The same for places of one file, in order.
fn keep_lines(file: &SourceFile, places: &mut [&mut Location]) {
    let text = file.text();
    let mut kept = String::new();
    // What of the text was looked at.
    let mut end = 0;
    for place in &mut *places {
        let window = window(text, &place.span);
        // Lines that are near to each other are shown together.
        if window.start > end + AROUND {
            let skipped = &text[end..window.start];
            kept.extend((end > 0 && !skipped.starts_with('\n')).then_some('…'));
            kept.extend(skipped.matches('\n'));
            kept.extend((!skipped.ends_with('\n')).then_some('…'));
            end = window.start;
        }
        let more = end.max(window.end);
        kept.push_str(&text[end..more]);
        end = more;
        let shift = |at: usize| (at + kept.len()).saturating_sub(end);
        place.span = shift(place.span.start)..shift(place.span.end);
    }
    kept.extend((!text[end..].starts_with('\n') && end < text.len()).then_some('…'));
    let excerpt = SourceFile::new(file.name(), kept);
    for place in places {
        place.file = excerpt.clone();
    }
}

/// What is kept of a text for the sake of a place in it.
fn window(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end.min(text.len())).max(start);
    let begins = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let ends = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let near = text.floor_char_boundary(start.saturating_sub(AROUND));
    // Not with the end of a word: of an address cut off before its host nobody would see that it has a password.
    let is_between = |c: char| c.is_whitespace() || c == '"' || c == '\'';
    let begins = match near > begins {
        true => text[near..start]
            .find(is_between)
            .map_or(start, |at| near + at),
        false => begins,
    };
    begins..ends.min(text.ceil_char_boundary(end + AROUND))
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

    /// Where each of these words stands.
    fn places(file: &SourceFile, words: &[&str]) -> Vec<Location> {
        let place = |word: &&str| {
            let start = file.text().find(word).expect("a word");
            file.at(start..start + word.len())
        };
        words.iter().map(place).collect()
    }

    fn marked(place: &Location) -> &str {
        &place.file.text()[place.span.clone()]
    }

    #[test]
    fn places_keep_their_lines_and_little_else() {
        let filler = "é # nothing is said here\n".repeat(40);
        let text = format!("{filler}depends 'é'\n\ndepends 'b'\n{filler}depends 'c' # d\n{filler}");
        let file = SourceFile::new("metadata.rb", text.as_str());
        let words = ["depends 'c'", "'é'", "'b'", "depends 'b'"];
        let mut kept = places(&file, &words);
        let mut other = SourceFile::new("other.rb", "\n'b'").at(1..4);
        keep_lines_of(kept.iter_mut().chain([&mut other]));
        for (place, whole) in kept.iter().zip(places(&file, &words)) {
            assert_eq!(place.to_string(), whole.to_string());
            assert_eq!(marked(place), marked(&whole));
            assert_eq!(place.file, kept[0].file, "they are shown together");
        }
        assert_eq!(
            (other.to_string(), marked(&other)),
            ("other.rb:2".into(), "'b'")
        );
        let lines: Vec<_> = kept[0].file.text().split('\n').collect();
        let said: Vec<_> = lines.iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(said, [&"depends 'é'", &"depends 'b'", &"depends 'c' # d"]);
        assert_eq!(lines.len(), 40 + 3 + 40 + 1);
    }

    #[test]
    fn a_long_line_is_cut_around_its_places() {
        let filler = "é".repeat(1000);
        let text = format!("{{\n {filler} 'a' {filler} 'b' {filler}\n 'c'\n}}");
        let file = SourceFile::new("metadata.json", text.as_str());
        let mut kept = places(&file, &["'a'", "'b'", "'c'"]);
        keep_lines_of(&mut kept);
        assert_eq!([0, 1, 2].map(|at| marked(&kept[at])), ["'a'", "'b'", "'c'"]);
        assert_eq!([0, 1, 2].map(|at| kept[at].line()), [2, 2, 3]);
        let said = kept[0].file.text().replace('é', "");
        assert_eq!(said, "\n… 'a' …… 'b' …\n 'c'");
        assert!(kept[0].file.text().len() < 5 * AROUND);
    }

    #[test]
    fn any_places_of_any_text_are_kept() {
        let filler = "x".repeat(3 * AROUND);
        for text in [
            "",
            "\n",
            "é",
            "a\n\nb",
            &format!("{filler}\n{filler}é\n\n{filler}"),
        ] {
            let file = SourceFile::new("metadata.rb", text);
            let step = 1 + text.len() / 50;
            let spans = (0..text.len() + 3).step_by(step);
            let spans =
                spans.flat_map(|start| [start..start, start..start + 1, start..start + 500]);
            let whole: Vec<_> = spans.map(|span| file.at(span)).collect();
            for pair in whole.windows(2).chain([&*whole]) {
                let mut kept = pair.to_vec();
                keep_lines_of(&mut kept);
                for (place, whole) in kept.iter().zip(pair) {
                    assert_eq!(place.to_string(), whole.to_string());
                    let (place, whole) = (shown(place), shown(whole));
                    assert_eq!(place, whole);
                }
            }
        }
    }

    #[test]
    fn a_word_is_not_cut_off_before_its_end() {
        let address = format!("https://me:s3cret@{}", "x".repeat(AROUND - 10));
        let text = format!("{} {address} 'a'", "y".repeat(3 * AROUND));
        let mut kept = places(&SourceFile::new("metadata.json", text), &["'a'"]);
        keep_lines_of(&mut kept);
        assert_eq!(kept[0].file.text(), "… 'a'");
    }

    /// What of a text is marked.
    fn shown(place: &Location) -> Option<&str> {
        let text = place.file.text();
        let end = place.span.end.min(text.len());
        text.get(place.span.start..end)
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["branch", "commit", "git", "path", "rel", "tag"];
        assert_eq!(nearest("brnach", known), Some("branch"));
        assert_eq!(nearest("gti", known), Some("git"));
        assert_eq!(nearest("submodules", known), None);
    }
}
