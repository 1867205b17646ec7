//! Methods that look for something in a string: indices, patterns, pieces.

use std::sync::Arc;

use super::count;
use crate::ruby::dsl::{Dsl, Invocation};
use crate::ruby::fail::Eval;
use crate::ruby::interpreter::Interpreter;
use crate::ruby::value::{MatchId, RegexpId, StrId, Value};

impl Interpreter<'_> {
    pub(super) fn string_search(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: StrId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "include?" => {
                let part = self.one(call)?;
                let part = self.text_of(part)?;
                Value::Bool(self.heap[id].text.contains(&*part))
            }
            "start_with?" | "end_with?" => {
                let at_start = &*call.name == "start_with?";
                for part in &call.args {
                    let found = match part {
                        Value::Regexp(regexp) if at_start => {
                            let text = self.text(id)?;
                            let found = self.find(*regexp, &text, 0)?;
                            found.is_some_and(|groups| groups[0].is_some_and(|g| g.0 == 0))
                        }
                        part => {
                            let part = self.text_of(*part)?;
                            let text = &self.heap[id].text;
                            match at_start {
                                true => text.starts_with(&*part),
                                false => text.ends_with(&*part),
                            }
                        }
                    };
                    if found {
                        return Ok(Some(Value::Bool(true)));
                    }
                }
                Value::Bool(false)
            }
            "=~" => match self.one(call)? {
                Value::Regexp(regexp) => {
                    let text = self.text(id)?;
                    let found = self.search(scope, regexp, &text, 0)?;
                    match found.and_then(|found| self.heap[found].groups[0]) {
                        Some((at, _)) => Value::Int(count(text[..at].chars().count())),
                        None => Value::Nil,
                    }
                }
                Value::Nil => Value::Nil,
                _ => return self.unsupported("`=~` with what is no regular expression"),
            },
            "match" | "match?" => {
                let pattern = self.one(call)?;
                let regexp = self.pattern(pattern)?;
                let text = self.text(id)?;
                if &*call.name == "match?" {
                    return Ok(Some(Value::Bool(self.find(regexp, &text, 0)?.is_some())));
                }
                let found = self.search(scope, regexp, &text, 0)?;
                found.map_or(Value::Nil, Value::Match)
            }
            "[]" | "slice" => return self.string_index(scope, id, call).map(Some),
            "index" | "rindex" => return self.string_position(scope, id, call).map(Some),
            "split" => return self.string_split(id, call).map(Some),
            "partition" | "rpartition" => return self.string_partition(scope, id, call).map(Some),
            "sub" | "gsub" => return self.string_replace(dsl, scope, id, call).map(Some),
            "scan" => return self.string_scan(dsl, scope, id, call).map(Some),
            _ => return Ok(None),
        }))
    }

    /// A pattern given as a regular expression or as its source.
    fn pattern(&mut self, value: Value) -> Eval<RegexpId> {
        if let Value::Regexp(id) = value {
            return Ok(id);
        }
        let source = self.text_of(value)?;
        match self.regexp(&source, crate::ruby::syntax::RegexpFlags::default())? {
            Value::Regexp(id) => Ok(id),
            _ => self.no_conversion(value, "Regexp"),
        }
    }

    /// A pattern to be searched for as it stands, if it is a text.
    fn literal_pattern(&mut self, value: Value) -> Eval<RegexpId> {
        if let Value::Regexp(id) = value {
            return Ok(id);
        }
        let text = self.text_of(value)?;
        let source = crate::ruby::regexps::escape(&text);
        let source = self.string(source)?;
        self.pattern(source)
    }

    /// `text[1]`, `text[1, 2]`, `text[1..2]`, `text['x']`, `text[/x/, 1]`
    fn string_index(&mut self, scope: u32, id: StrId, call: &Invocation) -> Eval {
        self.takes(call, 1, 2)?;
        match (call.args[0], call.args.get(1)) {
            (Value::Regexp(regexp), group) => {
                let text = self.text(id)?;
                let Some(found) = self.search(scope, regexp, &text, 0)? else {
                    return Ok(Value::Nil);
                };
                let group = group.copied().unwrap_or(Value::Int(0));
                self.match_group(found, group)
            }
            (Value::Str(part), None) => {
                let part = self.text(part)?;
                match self.heap[id].text.contains(&*part) {
                    true => self.string(part),
                    false => Ok(Value::Nil),
                }
            }
            (Value::Range(range), None) => {
                let length = self.heap[id].text.chars().count();
                let Some((start, taken)) = self.range_slice(range, length)? else {
                    return Ok(Value::Nil);
                };
                let part: String = self.heap[id].text.chars().skip(start).take(taken).collect();
                self.string(part)
            }
            (at, taken) => {
                let at = self.int_of(at)?;
                let length = count(self.heap[id].text.chars().count());
                let start = if at < 0 { at + length } else { at };
                let taken = match taken {
                    Some(taken) => Some(self.int_of(*taken)?),
                    None => None,
                };
                let limit = if taken.is_some() { length } else { length - 1 };
                if start < 0 || start > limit || taken.is_some_and(|taken| taken < 0) {
                    return Ok(Value::Nil);
                }
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let taken = usize::try_from(taken.unwrap_or(1)).unwrap_or(usize::MAX);
                let part: String = self.heap[id].text.chars().skip(start).take(taken).collect();
                self.string(part)
            }
        }
    }

    fn string_position(&mut self, scope: u32, id: StrId, call: &Invocation) -> Eval {
        self.takes(call, 1, 2)?;
        if call.args.len() == 2 {
            return self.unsupported(format!("`{}` from a position", call.name));
        }
        let text = self.text(id)?;
        let at = match call.args[0] {
            Value::Regexp(regexp) if &*call.name == "index" => {
                let found = self.search(scope, regexp, &text, 0)?;
                found
                    .and_then(|found| self.heap[found].groups[0])
                    .map(|group| group.0)
            }
            Value::Regexp(_) => return self.unsupported("`rindex` of a regular expression"),
            part => {
                let part = self.text_of(part)?;
                match &*call.name {
                    "index" => text.find(&*part),
                    _ => text.rfind(&*part),
                }
            }
        };
        Ok(at.map_or(Value::Nil, |at| {
            Value::Int(count(text[..at].chars().count()))
        }))
    }

    fn string_split(&mut self, id: StrId, call: &Invocation) -> Eval {
        self.takes(call, 0, 2)?;
        let text = self.text(id)?;
        let limit = match call.args.get(1) {
            Some(limit) => self.int_of(*limit)?,
            None => 0,
        };
        let most = usize::try_from(limit).ok().filter(|most| *most > 0);
        // Charged before there are as many pieces as characters.
        self.charge(24 * self.pieces_at_most(&text, call.args.first().copied()))?;
        let mut pieces: Vec<String> = match call.args.first().copied().unwrap_or(Value::Nil) {
            Value::Nil => split_blanks(&text, most),
            Value::Str(by) => {
                let by = self.text(by)?;
                match (&*by, most) {
                    (" ", most) => split_blanks(&text, most),
                    ("", None) => text.chars().map(String::from).collect(),
                    ("", Some(_)) => return self.unsupported("`split` of this"),
                    (by, None) => text.split(by).map(str::to_owned).collect(),
                    (by, Some(most)) => text.splitn(most, by).map(str::to_owned).collect(),
                }
            }
            Value::Regexp(by) => self.split_by(by, &text, most)?,
            other => return self.no_conversion(other, "String"),
        };
        if text.is_empty() {
            pieces.clear();
        }
        // Without a limit, what is empty at the end is dropped.
        if limit == 0 {
            while pieces.last().is_some_and(String::is_empty) {
                pieces.pop();
            }
        }
        let mut items = Vec::with_capacity(pieces.len());
        for piece in pieces {
            items.push(self.string(piece)?);
        }
        self.array(items)
    }

    /// How many pieces a `split` by a text may give.
    fn pieces_at_most(&self, text: &str, by: Option<Value>) -> u64 {
        let cuts = match by {
            Some(Value::Str(by)) => match &*self.heap[by].text {
                "" => text.len(),
                by => text.matches(by).count(),
            },
            Some(Value::Regexp(_)) => 0,
            _ => text.matches(super::BLANK).count(),
        };
        cuts as u64 + 1
    }

    fn split_by(&mut self, by: RegexpId, text: &str, most: Option<usize>) -> Eval<Vec<String>> {
        let mut pieces: Vec<String> = Vec::new();
        let (mut from, mut at) = (0, 0);
        while at <= text.len() && most.is_none_or(|most| pieces.len() + 1 < most) {
            let Some(groups) = self.find(by, text, at)? else {
                break;
            };
            let Some((start, end)) = groups[0] else {
                break;
            };
            if end == start {
                if start >= text.len() {
                    break;
                }
                // An empty match takes one character off, but never an empty piece.
                at = start + text[start..].chars().next().map_or(1, char::len_utf8);
                if start == from {
                    continue;
                }
            } else {
                at = end;
            }
            self.charge(24 * groups.len() as u64)?;
            pieces.push(text[from..start].to_owned());
            for (start, end) in groups[1..].iter().flatten() {
                pieces.push(text[*start..*end].to_owned());
            }
            from = end;
        }
        pieces.push(text[from..].to_owned());
        Ok(pieces)
    }

    fn string_partition(&mut self, scope: u32, id: StrId, call: &Invocation) -> Eval {
        let by = self.one(call)?;
        let text = self.text(id)?;
        let found = match by {
            Value::Regexp(regexp) if &*call.name == "partition" => {
                let found = self.search(scope, regexp, &text, 0)?;
                found.and_then(|found| self.heap[found].groups[0])
            }
            Value::Regexp(_) => return self.unsupported("`rpartition` of a regular expression"),
            by => {
                let by = self.text_of(by)?;
                let at = match &*call.name {
                    "partition" => text.find(&*by),
                    _ => text.rfind(&*by),
                };
                at.map(|at| (at, at + by.len()))
            }
        };
        let parts = match (found, &*call.name) {
            (Some((start, end)), _) => [&text[..start], &text[start..end], &text[end..]],
            (None, "partition") => [&*text, "", ""],
            (None, _) => ["", "", &*text],
        };
        let mut items = Vec::with_capacity(3);
        for part in parts {
            items.push(self.string(part)?);
        }
        self.array(items)
    }

    fn string_replace(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: StrId,
        call: &Invocation,
    ) -> Eval {
        self.takes(call, 1, 2)?;
        let literal = matches!(call.args[0], Value::Str(_));
        let pattern = self.literal_pattern(call.args[0])?;
        let (template, hash) = match call.args.get(1) {
            Some(Value::Hash(hash)) => (None, Some(*hash)),
            Some(template) => (Some(self.text_of(*template)?), None),
            None => (None, None),
        };
        let block = match (&template, hash) {
            (None, None) => Some(self.block(call)?),
            _ => None,
        };
        let text: Arc<str> = self.text(id)?.into();
        let mut out = String::new();
        let (mut copied, mut at) = (0, 0);
        while at <= text.len() {
            let Some(groups) = self.find(pattern, &text, at)? else {
                break;
            };
            let Some((start, end)) = groups[0] else {
                break;
            };
            out.push_str(&text[copied..start]);
            let found = self.matched(pattern, &text, groups);
            self.charge(96)?;
            let piece = if let Some(template) = &template {
                self.expanded(template, found, literal)?
            } else if let Some(hash) = hash {
                let key = crate::ruby::value::Key::Str(text[start..end].into());
                let value = self.heap[hash].entries.get(&key).map(|entry| entry.1);
                self.display(value.unwrap_or(Value::Nil))?
            } else if let Some(block) = block {
                let matched = self.string(&text[start..end])?;
                self.remember(scope, Some(found));
                let value = self.call_block(dsl, block, &[matched])?;
                self.display(value)?
            } else {
                String::new()
            };
            self.charge((piece.len() + start - copied) as u64)?;
            out.push_str(&piece);
            copied = end;
            // As Ruby goes on: after an empty match, one character further.
            at = match end > start {
                true => end,
                false => end + text[end..].chars().next().map_or(1, char::len_utf8),
            };
            if &*call.name == "sub" {
                break;
            }
        }
        out.push_str(&text[copied..]);
        self.string(out)
    }

    /// A replacement with `\1`, `\0`, `\k<name>` and `\\` put in.
    fn expanded(&mut self, template: &str, found: MatchId, literal: bool) -> Eval<String> {
        if !template.contains('\\') {
            return Ok(template.to_owned());
        }
        let found = self.heap[found].clone();
        let mut out = String::new();
        let mut chars = template.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            let rest = chars.as_str();
            match chars.next() {
                None => out.push('\\'),
                Some('\\') => out.push('\\'),
                Some('0' | '&') => out.push_str(found.group(0).unwrap_or("")),
                // With named groups there are no numbered ones here, though there is a `$1`.
                Some('1'..='9') if !found.names.is_empty() => {}
                Some(digit @ '1'..='9') => {
                    let number = digit.to_digit(10).unwrap_or(0) as usize;
                    out.push_str(found.group(number).unwrap_or(""));
                }
                Some('k') if rest.starts_with("k<") && !literal => {
                    let name = rest[2..].split('>').next().unwrap_or("");
                    let group = found.names.iter().find(|(known, _)| &**known == name);
                    let Some((_, number)) = group else {
                        let message = format!("undefined group name reference: {name}");
                        return self.raise("IndexError", message);
                    };
                    out.push_str(found.group(*number).unwrap_or(""));
                    chars = rest[(name.len() + 3).min(rest.len())..].chars();
                }
                Some('`' | '\'' | '+') => return self.unsupported("this replacement"),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
            }
        }
        Ok(out)
    }

    fn string_scan(&mut self, dsl: &mut dyn Dsl, scope: u32, id: StrId, call: &Invocation) -> Eval {
        let pattern = self.one(call)?;
        let pattern = self.literal_pattern(pattern)?;
        let text: Arc<str> = self.text(id)?.into();
        let mut items = Vec::new();
        let mut at = 0;
        let mut last = None;
        while at <= text.len() {
            let Some(groups) = self.find(pattern, &text, at)? else {
                break;
            };
            let Some((start, end)) = groups[0] else {
                break;
            };
            at = match end > start {
                true => end,
                false => end + text[end..].chars().next().map_or(1, char::len_utf8),
            };
            let count = groups.len();
            self.charge(96)?;
            let found = self.matched(pattern, &text, groups);
            last = Some(found);
            let item = if count == 1 {
                self.group_value(found, 0)?
            } else {
                let mut parts = Vec::new();
                for number in 1..count {
                    parts.push(self.group_value(found, number)?);
                }
                self.array(parts)?
            };
            match call.block {
                Some(block) => {
                    self.remember(scope, Some(found));
                    self.call_block(dsl, block, &[item])?;
                }
                None => items.push(item),
            }
        }
        self.remember(scope, last);
        match call.block {
            Some(_) => Ok(Value::Str(id)),
            None => self.array(items),
        }
    }
}

/// `split` at runs of blanks, those at the front dropped.
fn split_blanks(text: &str, most: Option<usize>) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start_matches(super::BLANK);
    while !rest.is_empty() {
        if most.is_some_and(|most| pieces.len() + 1 == most) {
            pieces.push(rest.to_owned());
            return pieces;
        }
        match rest.find(super::BLANK) {
            Some(at) => {
                pieces.push(rest[..at].to_owned());
                let after = &rest[at..];
                rest = after.trim_start_matches(super::BLANK);
                // A negative or a spent limit keeps the empty end.
                if rest.is_empty() {
                    pieces.push(String::new());
                }
            }
            None => {
                pieces.push(rest.to_owned());
                rest = "";
            }
        }
    }
    pieces
}
