//! Methods that change a string in place, or that replace characters.

use super::{chomped, count};
use crate::ruby::dsl::{Dsl, Invocation};
use crate::ruby::fail::Eval;
use crate::ruby::interpreter::Interpreter;
use crate::ruby::value::{StrId, Value};

impl Interpreter<'_> {
    pub(super) fn string_change(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: StrId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "<<" | "concat" => {
                let mut text = String::new();
                for part in &call.args {
                    match part {
                        Value::Int(_) => return self.unsupported("`<<` of a number"),
                        part => text.push_str(&self.text_of(*part)?),
                    }
                }
                self.append(id, &text)?
            }
            "prepend" => {
                let mut text = String::new();
                for part in &call.args {
                    text.push_str(&self.text_of(*part)?);
                }
                text.push_str(&self.heap[id].text);
                self.change_text(id, text)?
            }
            "replace" => {
                let text = self.one(call)?;
                let text = self.text_of(text)?;
                self.change_text(id, text)?
            }
            "clear" => self.change_text(id, String::new())?,
            "insert" => {
                self.takes(call, 2, 2)?;
                let (at, part) = (self.int_of(call.args[0])?, self.text_of(call.args[1])?);
                let mut chars: Vec<char> = self.text(id)?.chars().collect();
                let length = count(chars.len());
                let place = if at < 0 { length + at + 1 } else { at };
                let Some(place) = usize::try_from(place).ok().filter(|p| *p <= chars.len()) else {
                    let message = format!("index {at} out of string");
                    return self.raise("IndexError", message);
                };
                chars.splice(place..place, part.chars());
                self.change_text(id, chars.into_iter().collect())?
            }
            "tr" => {
                self.takes(call, 2, 2)?;
                let (from, to) = (self.text_of(call.args[0])?, self.text_of(call.args[1])?);
                let text = self.text(id)?;
                let (from, to) = (Set::parse(&from), Set::parse(&to));
                self.step((text.len() * (from.size() + to.size())) as u64 / 64)?;
                match translated(&text, &from, &to) {
                    Some(text) => self.string(text)?,
                    None => return self.unsupported("`tr` of this"),
                }
            }
            "delete" | "count" => return self.counted(id, call).map(Some),
            // In place: `nil` where nothing changes.
            "strip!" | "lstrip!" | "rstrip!" | "chomp!" | "chop!" | "upcase!" | "downcase!"
            | "capitalize!" | "gsub!" | "sub!" | "tr!" | "squeeze!" | "delete!" | "reverse!"
            | "delete_prefix!" | "delete_suffix!" | "slice!" => {
                let plain = call.name.trim_end_matches('!');
                if plain == "slice" {
                    return self.unsupported("`slice!`");
                }
                let call = Invocation {
                    name: plain.into(),
                    ..call.clone()
                };
                let before = self.text(id)?;
                let after = self.call_method(dsl, scope, Value::Str(id), &call)?;
                let after = self.display(after)?;
                if after == before && plain != "reverse" {
                    if self.heap[id].frozen {
                        return self.change_text(id, after).map(Some);
                    }
                    return Ok(Some(Value::Nil));
                }
                self.change_text(id, after)?
            }
            "[]=" => {
                self.takes(call, 2, 2)?;
                let (Value::Str(_), part) = (call.args[0], call.args[1]) else {
                    return self.unsupported("`[]=` of a string but with a string");
                };
                let (old, new) = (self.text_of(call.args[0])?, self.text_of(part)?);
                let text = self.text(id)?;
                if !text.contains(&*old) {
                    return self.raise("IndexError", "string not matched");
                }
                self.change_text(id, text.replacen(&*old, &new, 1))?;
                part
            }
            "lines" | "each_line" => {
                let chomp = self.wants_chomp(call)?;
                let text = self.text(id)?;
                let mut lines = Vec::new();
                for line in text.split_inclusive('\n') {
                    let line = if chomp { chomped(line) } else { line };
                    lines.push(self.string(line)?);
                }
                self.each_or_list(dsl, Value::Str(id), lines, call)?
            }
            "chars" | "each_char" => {
                let text = self.text(id)?;
                let mut chars = Vec::new();
                for c in text.chars() {
                    chars.push(self.string(c.to_string())?);
                }
                self.each_or_list(dsl, Value::Str(id), chars, call)?
            }
            "bytes" | "each_byte" => {
                let bytes = self.text(id)?.into_bytes();
                self.charge(16 * bytes.len() as u64)?;
                let bytes = bytes.into_iter().map(|b| Value::Int(i64::from(b)));
                self.each_or_list(dsl, Value::Str(id), bytes.collect(), call)?
            }
            "upto" => {
                let last = self.one(call)?;
                let range = self.range(Value::Str(id), last, false)?;
                let items = self.items_of(range)?;
                self.each_or_list(dsl, Value::Str(id), items, call)?
            }
            _ => return Ok(None),
        }))
    }

    /// Appends in place. Growing one string piece by piece costs its pieces, not its length each time.
    fn append(&mut self, id: StrId, text: &str) -> Eval {
        if self.heap[id].frozen {
            let whole = self.text(id)?;
            return self.change_text(id, whole);
        }
        self.charge(text.len() as u64)?;
        self.heap[id].text.push_str(text);
        self.heap[id].origin = None;
        Ok(Value::Str(id))
    }

    /// Whether `chomp: true` is given, and nothing else.
    pub(super) fn wants_chomp(&mut self, call: &Invocation) -> Eval<bool> {
        match call.args[..] {
            [] => Ok(false),
            [Value::Hash(id)] if call.keywords => {
                let chomp = self.keyword(id, "chomp");
                match (chomp, self.heap[id].entries.len()) {
                    (Some(value), 1) => Ok(value.truthy()),
                    _ => self.unsupported(format!("`{}` with these arguments", call.name)),
                }
            }
            _ => self.unsupported(format!("`{}` with these arguments", call.name)),
        }
    }

    /// Gives each item to the block and then the receiver; without a block, the items.
    pub(super) fn each_or_list(
        &mut self,
        dsl: &mut dyn Dsl,
        receiver: Value,
        items: Vec<Value>,
        call: &Invocation,
    ) -> Eval {
        let Some(block) = call.block else {
            return self.array(items);
        };
        for item in items {
            self.call_block(dsl, block, &[item])?;
        }
        Ok(receiver)
    }

    /// `delete` and `count`, which take sets of characters.
    fn counted(&mut self, id: StrId, call: &Invocation) -> Eval {
        let set = self.one(call)?;
        let Value::Str(set) = set else {
            return self.unsupported(format!("`{}` with these arguments", call.name));
        };
        let (set, text) = (Set::parse(&self.text(set)?), self.text(id)?);
        self.step((text.len() * set.size()) as u64 / 64)?;
        match &*call.name {
            "delete" => {
                let kept: String = text.chars().filter(|c| !set.contains(*c)).collect();
                self.string(kept)
            }
            _ => {
                let found = text.chars().filter(|c| set.contains(*c)).count();
                Ok(Value::Int(count(found)))
            }
        }
    }
}

/// The characters of a set, `a-z` or `\-`, as ranges: `\0-\u{10FFFF}` is not spelt out.
pub(super) struct Set {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Set {
    /// Reads a set. `^` at the front turns it round.
    pub(super) fn parse(text: &str) -> Self {
        let negated = text.len() > 1 && text.starts_with('^');
        let chars: Vec<char> = text.chars().skip(usize::from(negated)).collect();
        let mut ranges = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            let mut from = chars[at];
            if from == '\\' && at + 1 < chars.len() {
                at += 1;
                from = chars[at];
            }
            if chars.get(at + 1) == Some(&'-') && at + 2 < chars.len() {
                ranges.push((from, chars[at + 2]));
                at += 3;
            } else {
                ranges.push((from, from));
                at += 1;
            }
        }
        Self { ranges, negated }
    }

    pub(super) fn contains(&self, c: char) -> bool {
        self.place(c).is_some() != self.negated
    }

    /// How many ranges each character is compared with.
    pub(super) fn size(&self) -> usize {
        self.ranges.len()
    }

    /// The place of a character among those that are spelt out.
    fn place(&self, c: char) -> Option<u32> {
        let mut before = 0;
        for (from, to) in &self.ranges {
            if (from..=to).contains(&&c) {
                return Some(before + (c as u32 - *from as u32));
            }
            before += (*to as u32 + 1).saturating_sub(*from as u32);
        }
        None
    }

    /// The character at a place; the last one for all further places.
    fn at(&self, place: u32) -> Option<char> {
        let mut left = place;
        for (from, to) in &self.ranges {
            let length = (*to as u32 + 1).saturating_sub(*from as u32);
            if left < length {
                return char::from_u32(*from as u32 + left);
            }
            left -= length;
        }
        self.ranges.last().map(|(_, to)| *to)
    }
}

/// `tr`; none for a set turned round, which nothing here needs, and for ranges across the gap in
/// Unicode.
fn translated(text: &str, from: &Set, to: &Set) -> Option<String> {
    let across = |set: &Set| {
        set.ranges
            .iter()
            .any(|(from, to)| *from < '\u{D7FF}' && *to > '\u{E000}')
    };
    if from.negated || across(from) || across(to) {
        return None;
    }
    let mut out = String::new();
    for c in text.chars() {
        match from.place(c) {
            None => out.push(c),
            // An empty second set deletes.
            Some(place) => out.extend(to.at(place)),
        }
    }
    Some(out)
}
