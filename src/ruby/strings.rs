//! The methods of strings and symbols.

mod change;
mod search;

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::format;
use super::interpreter::Interpreter;
use super::value::{StrId, SymId, Value};

/// What Ruby calls white space at a string's ends; a null byte is stripped from the end too.
const BLANK: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];

impl Interpreter<'_> {
    pub(super) fn symbol_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: SymId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let name = self.name_of(id);
        Ok(Some(match &*call.name {
            "to_s" | "name" | "id2name" if call.args.is_empty() => self.string(&*name)?,
            "to_sym" => Value::Sym(id),
            "to_proc" => {
                let proc = self.new_proc(super::value::Proc::Symbol(id))?;
                Value::Proc(proc)
            }
            "size" | "length" => Value::Int(count(name.chars().count())),
            "empty?" => Value::Bool(name.is_empty()),
            "upcase" | "downcase" | "capitalize" | "succ" | "next" => {
                let text = self.string(&*name)?;
                let changed = self.send(dsl, scope, text, &call.name, &call.args)?;
                let changed = self.display(changed)?;
                self.symbol(&changed)?
            }
            "start_with?" | "end_with?" | "[]" | "=~" | "match" | "match?" => {
                let text = self.string(&*name)?;
                self.send(dsl, scope, text, &call.name, &call.args)?
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn string_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: StrId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        // Most methods go through the whole text once.
        self.step(self.heap[id].text.len() as u64 / 1024)?;
        if let Some(value) = self.string_query(id, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.string_building(id, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.string_change(dsl, scope, id, call)? {
            return Ok(Some(value));
        }
        self.string_search(dsl, scope, id, call)
    }

    /// Methods that tell something about a string.
    fn string_query(&mut self, id: StrId, call: &Invocation) -> Eval<Option<Value>> {
        let text = &self.heap[id].text;
        Ok(Some(match &*call.name {
            "size" | "length" => Value::Int(count(text.chars().count())),
            "bytesize" => Value::Int(count(text.len())),
            "empty?" => Value::Bool(text.is_empty()),
            "ascii_only?" => Value::Bool(text.is_ascii()),
            "valid_encoding?" => Value::Bool(true),
            "to_s" | "to_str" if call.args.is_empty() => Value::Str(id),
            "to_sym" | "intern" => {
                let name = self.text(id)?;
                self.symbol(&name)?
            }
            "to_i" => return self.leading_integer(id, call).map(Some),
            "to_f" => Value::Float(leading_float(text)),
            "hex" | "oct" => return self.unsupported(format!("`{}`", call.name)),
            "ord" => match text.chars().next() {
                Some(c) => Value::Int(i64::from(c as u32)),
                None => return self.raise("ArgumentError", "empty string"),
            },
            "<" | ">" | "<=" | ">=" => {
                let other = self.one(call)?;
                let order = self.order(Value::Str(id), other)?;
                Value::Bool(match &*call.name {
                    "<" => order.is_lt(),
                    ">" => order.is_gt(),
                    "<=" => order.is_le(),
                    _ => order.is_ge(),
                })
            }
            "casecmp" | "casecmp?" => {
                let other = self.one(call)?;
                let Some(other) = self.string_like(other).map(str::to_owned) else {
                    return Ok(Some(Value::Nil));
                };
                let text = &self.heap[id].text;
                if !text.is_ascii() || !other.is_ascii() {
                    return self.unsupported(format!("`{}` beyond ASCII", call.name));
                }
                let order = text.to_ascii_lowercase().cmp(&other.to_ascii_lowercase());
                match &*call.name {
                    "casecmp" => Value::Int(order as i64),
                    _ => Value::Bool(order.is_eq()),
                }
            }
            _ => return Ok(None),
        }))
    }

    fn leading_integer(&mut self, id: StrId, call: &Invocation) -> Eval {
        if !matches!(call.args[..], [] | [Value::Int(10)]) {
            return self.unsupported("`to_i` in another base");
        }
        let text = self.heap[id].text.trim_start_matches(BLANK);
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let mut number: i64 = 0;
        let mut after_digit = false;
        for c in digits.chars() {
            match c.to_digit(10) {
                Some(digit) => {
                    let next = number
                        .checked_mul(10)
                        .and_then(|number| number.checked_add(i64::from(digit)));
                    match next {
                        Some(next) => number = next,
                        None => return self.unsupported("an integer of more than 64 bits"),
                    }
                    after_digit = true;
                }
                // One underscore may stand between digits.
                None if c == '_' && after_digit => after_digit = false,
                None => break,
            }
        }
        Ok(Value::Int(if negative { -number } else { number }))
    }

    /// Methods that build another string.
    fn string_building(&mut self, id: StrId, call: &Invocation) -> Eval<Option<Value>> {
        let text = &self.heap[id].text;
        let built = match &*call.name {
            "upcase" if call.args.is_empty() => text.to_uppercase(),
            "downcase" if call.args.is_empty() => text.to_lowercase(),
            "capitalize" if call.args.is_empty() => capitalised(text),
            "swapcase" if text.is_ascii() => text.chars().map(swapped).collect(),
            "strip" => stripped(text).to_owned(),
            "lstrip" => text.trim_start_matches(BLANK).to_owned(),
            "rstrip" => right_stripped(text).to_owned(),
            "chomp" => return self.chomp(id, call).map(Some),
            "chop" => chopped(text).to_owned(),
            "chr" => text.chars().take(1).collect(),
            "reverse" => text.chars().rev().collect(),
            "dump" | "inspect" => {
                let shown = self.inspect(Value::Str(id))?;
                return self.string(shown).map(Some);
            }
            "+" => {
                let other = self.one(call)?;
                let other = self.text_of(other)?;
                let text = self.text(id)?;
                text + &other
            }
            "*" => {
                let times = self.one(call)?;
                let times = self.int_of(times)?;
                let Ok(times) = u64::try_from(times) else {
                    return self.raise("ArgumentError", "argument must be non-negative");
                };
                let length = self.heap[id].text.len() as u64;
                // Checked before it is built: `"x" * 1_000_000_000`.
                self.charge(length.saturating_mul(times))?;
                let times = usize::try_from(times).unwrap_or(usize::MAX);
                if length == 0 {
                    String::new()
                } else {
                    self.heap[id].text.repeat(times)
                }
            }
            "%" => {
                let args = match self.one(call)? {
                    Value::Array(args) => self.heap[args].items.clone(),
                    other => vec![other],
                };
                let pattern = self.text(id)?;
                format::format(self, &pattern, &args)?
            }
            "-@" => {
                self.heap[id].frozen = true;
                return Ok(Some(Value::Str(id)));
            }
            "succ" | "next" => match successor(text) {
                Some(next) => next,
                None => return self.unsupported("`succ` of this"),
            },
            "center" | "ljust" | "rjust" => return self.justified(id, call).map(Some),
            "squeeze" => return self.squeezed(id, call).map(Some),
            "delete_prefix" | "delete_suffix" => {
                let part = self.one(call)?;
                let part = self.text_of(part)?;
                let text = &self.heap[id].text;
                let rest = match &*call.name {
                    "delete_prefix" => text.strip_prefix(&*part),
                    _ => text.strip_suffix(&*part),
                };
                rest.unwrap_or(text).to_owned()
            }
            "encode" | "force_encoding" | "unicode_normalize" | "scrub" | "b" => {
                return self.encoded(id, call).map(Some);
            }
            _ => return Ok(None),
        };
        self.string(built).map(Some)
    }

    /// Texts are UTF-8 here; another encoding is not known.
    fn encoded(&mut self, id: StrId, call: &Invocation) -> Eval {
        let utf8 = match call.args.first() {
            None => &*call.name == "scrub",
            Some(value) => {
                let name = self.name_text(*value).unwrap_or_default();
                name.eq_ignore_ascii_case("utf-8")
            }
        };
        if utf8 && matches!(&*call.name, "encode" | "force_encoding" | "scrub") {
            return match &*call.name {
                "force_encoding" => Ok(Value::Str(id)),
                _ => {
                    let text = self.text(id)?;
                    self.string(text)
                }
            };
        }
        self.unsupported(format!("`{}` of another encoding", call.name))
    }

    fn chomp(&mut self, id: StrId, call: &Invocation) -> Eval {
        let text = self.text(id)?;
        let chomped = match call.args.first() {
            None => chomped(&text),
            Some(Value::Nil) => return self.string(text),
            Some(suffix) => {
                let suffix = self.text_of(*suffix)?;
                if suffix.is_empty() || suffix == "\n" {
                    return self.unsupported("`chomp` of this");
                }
                return self.string(text.strip_suffix(&*suffix).unwrap_or(&text));
            }
        };
        self.string(chomped)
    }

    fn justified(&mut self, id: StrId, call: &Invocation) -> Eval {
        self.takes(call, 1, 2)?;
        let width = self.int_of(call.args[0])?;
        let pad = match call.args.get(1) {
            Some(pad) => self.text_of(*pad)?,
            None => " ".to_owned(),
        };
        if pad.is_empty() {
            return self.raise("ArgumentError", "zero width padding");
        }
        let width = usize::try_from(width).unwrap_or(0);
        // Checked before it is built: `'x'.ljust(1_000_000_000)`.
        self.charge(4 * width as u64)?;
        let text = self.text(id)?;
        let missing = width.saturating_sub(text.chars().count());
        let left = match &*call.name {
            "ljust" => 0,
            "rjust" => missing,
            _ => missing / 2,
        };
        let padding = |length: usize| pad.chars().cycle().take(length).collect::<String>();
        self.string(padding(left) + &text + &padding(missing - left))
    }

    fn squeezed(&mut self, id: StrId, call: &Invocation) -> Eval {
        let set = match call.args[..] {
            [] => None,
            [set] => Some(change::Set::parse(&self.text_of(set)?)),
            _ => return self.unsupported("`squeeze` with several sets"),
        };
        let text = self.text(id)?;
        let size = set.as_ref().map_or(1, change::Set::size);
        self.step((text.len() * size) as u64 / 64)?;
        let mut squeezed = String::new();
        for c in text.chars() {
            let counts = set.as_ref().is_none_or(|set| set.contains(c));
            if !(counts && squeezed.ends_with(c)) {
                squeezed.push(c);
            }
        }
        self.string(squeezed)
    }
}

/// A length as Ruby has it.
pub(super) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect(),
        None => String::new(),
    }
}

fn swapped(c: char) -> char {
    if c.is_ascii_uppercase() {
        c.to_ascii_lowercase()
    } else {
        c.to_ascii_uppercase()
    }
}

fn right_stripped(text: &str) -> &str {
    text.trim_end_matches(|c| BLANK.contains(&c) || c == '\0')
}

fn stripped(text: &str) -> &str {
    right_stripped(text.trim_start_matches(BLANK))
}

/// Without the newline at its end.
pub(super) fn chomped(text: &str) -> &str {
    text.strip_suffix("\r\n")
        .or_else(|| text.strip_suffix(['\n', '\r']))
        .unwrap_or(text)
}

fn chopped(text: &str) -> &str {
    if let Some(rest) = text.strip_suffix("\r\n") {
        return rest;
    }
    let mut chars = text.chars();
    chars.next_back();
    chars.as_str()
}

/// The number that a text begins with, as `to_f` reads it.
fn leading_float(text: &str) -> f64 {
    let text = text.trim_start_matches(BLANK);
    let mut end = 0;
    let (mut dot, mut exponent, mut digit) = (false, false, false);
    let bytes = text.as_bytes();
    while end < bytes.len() {
        let next_is_digit = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        match bytes[end] {
            b'+' | b'-' if end == 0 => {}
            b'0'..=b'9' => digit = true,
            b'.' if !dot && !exponent && next_is_digit => dot = true,
            b'e' | b'E' if digit && !exponent => {
                let sign = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
                let after = if sign { end + 2 } else { end + 1 };
                if !bytes.get(after).is_some_and(u8::is_ascii_digit) {
                    break;
                }
                exponent = true;
                end = after;
                continue;
            }
            _ => break,
        }
        end += 1;
    }
    text[..end].parse().unwrap_or(0.0)
}

/// `succ` of texts of letters and digits; none for others.
pub(super) fn successor(text: &str) -> Option<String> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    for at in (0..bytes.len()).rev() {
        let (wrapped, carried) = match bytes[at] {
            b'9' => (b'0', b'1'),
            b'z' => (b'a', b'a'),
            b'Z' => (b'A', b'A'),
            other => {
                bytes[at] = other + 1;
                return String::from_utf8(bytes).ok();
            }
        };
        bytes[at] = wrapped;
        if at == 0 {
            bytes.insert(0, carried);
        }
    }
    String::from_utf8(bytes).ok()
}
