//! Ruby's regular expressions, translated for the `regex` crate, which matches in linear time
//! whatever a pattern says. What that crate cannot do (look-around, back references) is refused.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::syntax::RegexpFlags;
use super::value::{Groups, Match, MatchId, Regexp, RegexpId, Value};
use crate::ruby::fail::Eval;
use crate::ruby::interpreter::Interpreter;

mod translate;

/// Bytes that a compiled pattern may take, and each of the caches that it searches with.
const SIZE_LIMIT: usize = 256 << 10;

/// Compiles a pattern. The error is the name of what is not supported.
pub(super) fn compile(source: &str, flags: RegexpFlags) -> Result<Regex, String> {
    compile_with(source, flags, "^")
}

fn compile_with(
    source: &str,
    flags: RegexpFlags,
    line_start: &'static str,
) -> Result<Regex, String> {
    let pattern = translate::translate(source, flags, line_start)?;
    RegexBuilder::new(&pattern)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .nest_limit(100)
        .build()
        .map_err(|_| "this regular expression".to_owned())
}

/// A pattern as part of another one: Ruby's `to_s`.
pub(super) fn embedded(regexp: &Regexp) -> String {
    let flags = regexp.flags;
    let letters = [
        (flags.dot_all, 'm'),
        (flags.ignore_case, 'i'),
        (flags.extended, 'x'),
    ];
    let on: String = letters.iter().filter(|(on, _)| *on).map(|l| l.1).collect();
    let off: String = letters.iter().filter(|(on, _)| !*on).map(|l| l.1).collect();
    let dash = if off.is_empty() { "" } else { "-" };
    format!("(?{on}{dash}{off}:{})", regexp.source)
}

/// A pattern as Ruby writes it.
pub(super) fn inspected(regexp: &Regexp) -> String {
    let mut text = String::from("/");
    let mut escaped = false;
    for c in regexp.source.chars() {
        if c == '/' && !escaped {
            text.push('\\');
        }
        escaped = c == '\\' && !escaped;
        text.push(c);
    }
    text.push('/');
    let flags = regexp.flags;
    for (on, letter) in [
        (flags.dot_all, 'm'),
        (flags.ignore_case, 'i'),
        (flags.extended, 'x'),
    ] {
        if on {
            text.push(letter);
        }
    }
    text
}

/// `Regexp.escape`
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            '\u{c}' => escaped.push_str("\\f"),
            '\u{b}' => escaped.push_str("\\v"),
            '.' | '*' | '?' | '+' | '^' | '$' | '|' | '\\' | '(' | ')' | '[' | ']' | '{' | '}'
            | '-' | ' ' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

impl Interpreter<'_> {
    /// A regular expression from its source. The same one is compiled once.
    pub(super) fn regexp(&mut self, source: &str, flags: RegexpFlags) -> Eval {
        self.charge(64 + source.len() as u64)?;
        let key = (source.to_owned(), flags);
        if let Some(id) = self.compiled.get(&key) {
            return Ok(Value::Regexp(*id));
        }
        // What it compiles to, and what it caches while it searches, is far larger than the text.
        self.charge(2 * SIZE_LIMIT as u64)?;
        let regex = match compile(source, flags) {
            Ok(regex) => regex,
            Err(construct) => return self.unsupported(construct),
        };
        let names = regex
            .capture_names()
            .enumerate()
            .filter_map(|(number, name)| Some((name?.into(), number)))
            .collect();
        let id = self.heap.regexp_object(Regexp {
            source: source.into(),
            flags,
            regex: Arc::new(regex),
            names,
        });
        self.compiled.insert(key, id);
        Ok(Value::Regexp(id))
    }

    /// Finds the first match from a byte on, without remembering it.
    pub(super) fn find(&mut self, id: RegexpId, text: &str, start: usize) -> Eval<Option<Groups>> {
        let regex = self.heap[id].regex.clone();
        let found = regex.captures_at(text, start);
        // Searching is linear in what it goes through; the factor is what that costs beside evaluating
        // syntax.
        let end = found
            .as_ref()
            .and_then(|found| found.get(0))
            .map_or(text.len(), |whole| whole.end());
        self.step(1 + (end - start) as u64 / 256)?;
        let Some(found) = found else {
            return Ok(None);
        };
        let groups: Groups = found
            .iter()
            .map(|group| group.map(|group| (group.start(), group.end())))
            .collect();
        let at_the_end = matches!(groups.first(), Some(Some((at, _))) if *at == text.len());
        if at_the_end && self.is_phantom_line(id, text)? {
            return Ok(None);
        }
        self.charge(16 * groups.len() as u64)?;
        Ok(Some(groups))
    }

    /// To Ruby no line begins behind the newline that ends a text, so `^` does not match there: whether
    /// a match at the very end needed that.
    fn is_phantom_line(&mut self, id: RegexpId, text: &str) -> Eval<bool> {
        let regexp = &self.heap[id];
        if !text.ends_with('\n') || !regexp.source.contains('^') {
            return Ok(false);
        }
        let strict = compile_with(&regexp.source, regexp.flags, "\\A");
        // Compiling once more is dear.
        self.step(1_000)?;
        Ok(strict.is_ok_and(|strict| strict.captures_at(text, text.len()).is_none()))
    }

    /// A match as a value.
    pub(super) fn matched(&mut self, id: RegexpId, text: &Arc<str>, groups: Groups) -> MatchId {
        let names = self.heap[id].names.clone();
        self.heap.match_object(Match {
            text: text.clone(),
            groups,
            names,
        })
    }

    /// Finds a match and makes it `$~`.
    pub(super) fn search(
        &mut self,
        scope: u32,
        id: RegexpId,
        text: &str,
        start: usize,
    ) -> Eval<Option<MatchId>> {
        let found = match self.find(id, text, start)? {
            None => None,
            Some(groups) => {
                self.charge(96 + text.len() as u64)?;
                Some(self.matched(id, &text.into(), groups))
            }
        };
        self.remember(scope, found);
        Ok(found)
    }

    /// Makes a match `$~`.
    pub(super) fn remember(&mut self, scope: u32, found: Option<MatchId>) {
        let frame = self.scopes[scope as usize].frame as usize;
        self.frames[frame].last_match = found;
    }

    /// A group's text, or `nil`.
    pub(super) fn group_value(&mut self, id: MatchId, number: usize) -> Eval {
        let text = self.heap[id].group(number).map(str::to_owned);
        text.map_or(Ok(Value::Nil), |text| self.string(text))
    }
}
