//! Shows a diagnostic to a person: the line, the marked span, the next step.

use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::error::Diagnostic;
use crate::manifest::masked;
use crate::text::{Label, SourceFile};

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Severity {
    Error,
    Warning,
}

/// The text of a diagnostic, with colours that the stream may take out.
pub(super) fn render(severity: Severity, diagnostic: &Diagnostic) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message));
    for (file, labels) in by_file(&diagnostic.labels) {
        group = group.element(snippet(file, &labels));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note));
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(hint));
    }
    let renderer = Renderer::styled().term_width(DEFAULT_TERM_WIDTH);
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

/// Labels by their file, in the order in which the files first come.
fn by_file(labels: &[Label]) -> Vec<(&SourceFile, Vec<&Label>)> {
    let mut files: Vec<(&SourceFile, Vec<&Label>)> = Vec::new();
    for label in labels {
        match files.iter_mut().find(|(file, _)| **file == label.at.file) {
            Some((_, of_file)) => of_file.push(label),
            None => files.push((&label.at.file, vec![label])),
        }
    }
    files
}

fn snippet<'a>(
    file: &'a SourceFile,
    labels: &[&'a Label],
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let annotations = labels.iter().enumerate().map(|(index, label)| {
        let kind = match index {
            0 => AnnotationKind::Primary,
            _ => AnnotationKind::Context,
        };
        // A parser may count in bytes; only whole characters can be marked.
        let text = file.text();
        let start = text.floor_char_boundary(label.at.span.start);
        let end = text
            .ceil_char_boundary(label.at.span.end.min(text.len()))
            .max(start);
        let annotation = kind.span(start..end);
        match label.note.is_empty() {
            true => annotation,
            false => annotation.label(&label.note),
        }
    });
    // An address in a manifest may hold credentials, and a message ends in a log that others read.
    Snippet::source(masked(file.text()))
        .path(file.name())
        .annotations(annotations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnose;
    use crate::manifest::Manifest;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn the_line_the_span_and_the_hint_are_shown() {
        let text = "[bundle]\nname = \"x\"\n[cookbooks]\napt = { git = \"a\", brnach = \"b\" }\n";
        let error = Manifest::parse("cookpack.toml", text).unwrap_err();
        let shown = plain(&render(Severity::Error, &error.diagnostics()[0]));
        let want = "\
error: unknown key `brnach` in cookbook `apt`
 --> cookpack.toml:4:20
  |
4 | apt = { git = \"a\", brnach = \"b\" }
  |                    ^^^^^^
  |
  = help: did you mean `branch`? allowed here: `bitbucket`, `branch`, `commit`, `git`, `github`, `gitlab`, `glob`, `groups`, `lfs`, `override`, `path`, `ref`, `rel`, `tag`, `version`
";
        assert_eq!(shown, want);
    }

    #[test]
    fn facts_stand_between_the_lines_and_the_hints() {
        let file = SourceFile::new("cookpack.toml", "apt = \"~> 3.0\"\n");
        let told = Diagnostic::new("no version of `apt` fits `~> 3.0`")
            .label(file.at(6..14).label("wants `apt ~> 3.0`"))
            .note("`apt` comes from https://supermarket.example")
            .hint("write `~> 2.0`");
        let want = "\
error: no version of `apt` fits `~> 3.0`
 --> cookpack.toml:1:7
  |
1 | apt = \"~> 3.0\"
  |       ^^^^^^^^ wants `apt ~> 3.0`
  |
  = note: `apt` comes from https://supermarket.example
  = help: write `~> 2.0`
";
        assert_eq!(plain(&render(Severity::Error, &told)), want);
    }

    #[test]
    fn spans_beyond_the_text_do_not_panic() {
        let file = SourceFile::new("metadata.rb", "");
        let shown = Diagnostic::new("odd").label(file.at(5..9).label("here"));
        assert!(plain(&render(Severity::Warning, &shown)).starts_with("warning: odd"));
    }

    #[test]
    fn spans_within_a_character_do_not_panic() {
        let text = "\u{feff}{\"name\": \"é\"}";
        let file = SourceFile::new("metadata.json", text);
        for start in 0..=text.len() {
            for end in start..=text.len() + 1 {
                let shown = Diagnostic::new("odd").label(file.at(start..end).label("here"));
                assert!(plain(&render(Severity::Error, &shown)).starts_with("error: odd"));
            }
        }
    }
}
