//! The methods of regular expressions and of what they match.

use super::dsl::Invocation;
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::strings::count;
use super::value::{Hash, MatchId, RegexpId, Value};

impl Interpreter<'_> {
    pub(super) fn regexp_method(
        &mut self,
        scope: u32,
        id: RegexpId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "=~" | "match" | "match?" | "===" => {
                let text = match self.one(call)? {
                    Value::Nil if &*call.name == "match?" => return Ok(Some(Value::Bool(false))),
                    Value::Nil => {
                        self.remember(scope, None);
                        let none = if &*call.name == "===" {
                            Value::Bool(false)
                        } else {
                            Value::Nil
                        };
                        return Ok(Some(none));
                    }
                    value => match self.name_text(value) {
                        Some(text) => text,
                        None if &*call.name == "===" => return Ok(Some(Value::Bool(false))),
                        None => return self.no_conversion(value, "String"),
                    },
                };
                if &*call.name == "match?" {
                    return Ok(Some(Value::Bool(self.find(id, &text, 0)?.is_some())));
                }
                let found = self.search(scope, id, &text, 0)?;
                match (&*call.name, found) {
                    ("===", found) => Value::Bool(found.is_some()),
                    (_, None) => Value::Nil,
                    ("match", Some(found)) => Value::Match(found),
                    (_, Some(found)) => {
                        let at = self.heap[found].groups[0].map_or(0, |group| group.0);
                        Value::Int(count(text[..at].chars().count()))
                    }
                }
            }
            "source" => {
                let source = self.heap[id].source.replace("\\/", "/");
                self.string(source)?
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn match_method(&mut self, id: MatchId, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "[]" => {
                let group = self.one(call)?;
                self.match_group(id, group)?
            }
            "captures" | "to_a" => {
                let first = usize::from(&*call.name == "captures");
                let mut groups = Vec::new();
                for number in first..self.heap[id].groups.len() {
                    groups.push(self.group_value(id, number)?);
                }
                self.array(groups)?
            }
            "names" => {
                let names = self.heap[id].names.clone();
                let mut items = Vec::new();
                for (name, _) in &*names {
                    items.push(self.string(&**name)?);
                }
                self.array(items)?
            }
            "named_captures" => {
                let names = self.heap[id].names.clone();
                let mut hash = Hash::default();
                for (name, number) in &*names {
                    let key = self.string(&**name)?;
                    let (hashed, key) = self.key(key)?;
                    let value = self.group_value(id, *number)?;
                    hash.entries.insert(hashed, (key, value));
                }
                self.hash(hash)?
            }
            "pre_match" | "post_match" => {
                let found = &self.heap[id];
                let (start, end) = found.groups[0].unwrap_or((0, 0));
                let part = match &*call.name {
                    "pre_match" => found.text[..start].to_owned(),
                    _ => found.text[end..].to_owned(),
                };
                self.string(part)?
            }
            "size" | "length" => Value::Int(count(self.heap[id].groups.len())),
            _ => return Ok(None),
        }))
    }

    /// A group by its number or its name.
    pub(super) fn match_group(&mut self, id: MatchId, group: Value) -> Eval {
        let number = match group {
            Value::Int(number) => {
                let groups = count(self.heap[id].groups.len());
                let number = if number < 0 { number + groups } else { number };
                match usize::try_from(number) {
                    Ok(number) => number,
                    Err(_) => return Ok(Value::Nil),
                }
            }
            other => {
                let Some(name) = self.name_text(other) else {
                    return self.unsupported("this group of a match");
                };
                let found = self.heap[id]
                    .names
                    .iter()
                    .find(|(known, _)| **known == *name);
                match found {
                    Some((_, number)) => *number,
                    None => {
                        let message = format!("undefined group name reference: {name}");
                        return self.raise("IndexError", message);
                    }
                }
            }
        };
        self.group_value(id, number)
    }
}
