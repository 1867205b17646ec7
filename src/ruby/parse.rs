//! From text to the evaluator's syntax tree: `ruby-prism` reads, [`super::lower`] translates.

use super::error::RubyError;
use super::lower::Lowering;
use super::syntax::{Node, Span};
use crate::text::SourceFile;

/// How many prefix operators (`!`, `-`, `not`, ...) may follow each other. The parser's time is the
/// square of such a run: 200 kB of `!` take 8 seconds.
const PREFIX_RUN: usize = 400;

/// Parses a text as the file of number `file`.
pub(super) fn parse(source: &SourceFile, file: u32, source_bytes: u64) -> Result<Node, RubyError> {
    let text = source.text();
    if text.len() as u64 > source_bytes {
        return Err(RubyError::SourceTooLarge {
            file: source.name().to_owned(),
            limit: source_bytes,
        });
    }
    if let Some(offset) = long_prefix_run(text) {
        return Err(RubyError::NestedTooDeep {
            at: source.at(offset..offset + 1),
        });
    }
    let result = ruby_prism::parse(source.text().as_bytes());
    if let Some(error) = result.errors().next() {
        let location = error.location();
        let start = location.start() as usize;
        let end = location.end() as usize;
        return Err(RubyError::Syntax {
            message: String::from_utf8_lossy(error.message()).into_owned(),
            at: source.at(start..end.max(start)),
        });
    }
    Lowering::new(file)
        .program(&result.node())
        .map_err(|failure| {
            failure.into_error(|span: Span| source.at(span.start as usize..span.end as usize))
        })
}

/// Where a run of prefix operators gets longer than any honest one.
fn long_prefix_run(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut run = 0;
    let mut line_is_blank = true;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        // Rules and boxes in comments are runs too. `#{` is no comment: it could hide a run.
        if line_is_blank && rest.starts_with(b"#") && !rest.starts_with(b"#{") {
            at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            continue;
        }
        match rest[0] {
            b'!' | b'~' | b'&' | b'*' | b'-' | b'+' => run += 1,
            b' ' | b'\t' | b'\n' | b'\r' | b'(' | b'\\' => {}
            // A comment between two operators.
            b'#' if run > 0 && !rest.starts_with(b"#{") => {
                at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                continue;
            }
            b'n' if rest.starts_with(b"not") => {
                run += 1;
                at += 2;
            }
            _ => run = 0,
        }
        if run > PREFIX_RUN {
            // All of a run is ASCII, so a character begins here.
            return Some(at.min(bytes.len() - 1));
        }
        line_is_blank = match rest[0] {
            b'\n' => true,
            b' ' | b'\t' => line_is_blank,
            _ => false,
        };
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_of_prefix_operators_are_found() {
        let run = |text: &str| long_prefix_run(text).is_some();
        assert!(run(&format!("x = {}1", "!".repeat(401))));
        assert!(run(&format!("x = {}1", "- ".repeat(401))));
        assert!(run(&format!("x = {}1", "not ".repeat(401))));
        assert!(run(&format!("x = {}1", "! # x\n".repeat(401))));
        assert!(run(&format!("<<A\n  #{{{}1}}\nA\n", "!".repeat(401))));
        assert!(!run(&format!("x = {}1", "!".repeat(400))));
        assert!(!run(&format!("  # é {}\nx", "-".repeat(9999))));
        assert!(!run(&"é - ".repeat(9999)));
    }
}
