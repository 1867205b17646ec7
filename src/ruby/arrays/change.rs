//! The methods that change an array.

use super::place;
use crate::ruby::dsl::{Dsl, Invocation};
use crate::ruby::fail::Eval;
use crate::ruby::interpreter::Interpreter;
use crate::ruby::strings::count;
use crate::ruby::value::{ArrayId, Value};

impl Interpreter<'_> {
    /// Methods that change the array.
    pub(super) fn array_change(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: ArrayId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        match &*call.name {
            "<<" | "push" | "append" | "unshift" | "prepend" | "insert" | "concat" | "[]="
            | "replace" | "pop" | "shift" | "clear" | "delete" | "delete_at" | "delete_if"
            | "keep_if" | "fill" => self.thaw_array(id)?,
            name if name.ends_with('!') && name.len() > 1 => {
                return self.array_in_place(dsl, scope, id, call);
            }
            _ => return Ok(None),
        }
        Ok(Some(match &*call.name {
            "<<" | "push" | "append" => {
                self.charge(16 * call.args.len() as u64)?;
                self.heap[id].items.extend_from_slice(&call.args);
                Value::Array(id)
            }
            "unshift" | "prepend" => {
                let length = self.heap[id].items.len() as u64;
                self.charge(16 * call.args.len() as u64)?;
                self.step(length / 256)?;
                self.heap[id].items.splice(0..0, call.args.iter().copied());
                Value::Array(id)
            }
            "insert" => {
                self.takes(call, 1, usize::MAX)?;
                let at = self.int_of(call.args[0])?;
                let length = self.heap[id].items.len();
                let at = if at < 0 { at + count(length) + 1 } else { at };
                let Some(at) = usize::try_from(at).ok().filter(|at| *at <= length) else {
                    return self.unsupported("`insert` beyond the array");
                };
                self.charge(16 * call.args.len() as u64)?;
                self.step(length as u64 / 256)?;
                let more = call.args[1..].iter().copied();
                self.heap[id].items.splice(at..at, more);
                Value::Array(id)
            }
            "concat" => {
                for other in &call.args {
                    let other = self.array_of(*other)?;
                    let more = self.heap[other].items.clone();
                    self.charge(16 * more.len() as u64)?;
                    self.heap[id].items.extend(more);
                }
                Value::Array(id)
            }
            "replace" => {
                let other = self.one(call)?;
                let other = self.array_of(other)?;
                let items = self.items_of(Value::Array(other))?;
                self.heap[id].items = items;
                Value::Array(id)
            }
            "clear" => {
                self.heap[id].items.clear();
                Value::Array(id)
            }
            "pop" if call.args.is_empty() => self.heap[id].items.pop().unwrap_or(Value::Nil),
            "shift" if call.args.is_empty() => {
                self.step(self.heap[id].items.len() as u64 / 256)?;
                match self.heap[id].items.is_empty() {
                    true => Value::Nil,
                    false => self.heap[id].items.remove(0),
                }
            }
            "delete" => {
                let wanted = self.one(call)?;
                let mut kept = Vec::new();
                let mut found = Value::Nil;
                for item in self.items_of(Value::Array(id))? {
                    match self.equal(item, wanted)? {
                        true => found = item,
                        false => kept.push(item),
                    }
                }
                let missing = kept.len() == self.heap[id].items.len();
                self.heap[id].items = kept;
                match call.block {
                    Some(block) if missing => self.call_block(dsl, block, &[wanted])?,
                    _ => found,
                }
            }
            "delete_at" => {
                let at = self.one(call)?;
                let at = self.int_of(at)?;
                let length = self.heap[id].items.len();
                self.step(length as u64 / 256)?;
                match place(at, length) {
                    Some(at) => self.heap[id].items.remove(at),
                    None => Value::Nil,
                }
            }
            "delete_if" | "keep_if" => {
                let block = self.block(call)?;
                let keep = &*call.name == "keep_if";
                let mut kept = Vec::new();
                for item in self.items_of(Value::Array(id))? {
                    if self.call_block(dsl, block, &[item])?.truthy() == keep {
                        kept.push(item);
                    }
                }
                self.heap[id].items = kept;
                Value::Array(id)
            }
            "[]=" if call.args.len() == 2 => {
                let at = match call.args[0] {
                    Value::Range(_) => return self.unsupported("`[]=` of a range"),
                    at => self.int_of(at)?,
                };
                let length = self.heap[id].items.len();
                let at = if at < 0 { at + count(length) } else { at };
                let Ok(at) = usize::try_from(at) else {
                    return self.raise("IndexError", "index too small for array");
                };
                if at >= length {
                    // Checked before it is built: `[][1_000_000_000] = 1`.
                    self.charge((16 * (at - length) as u64).saturating_add(16))?;
                    self.heap[id].items.resize(at + 1, Value::Nil);
                }
                self.heap[id].items[at] = call.args[1];
                call.args[1]
            }
            _ => return self.unsupported(format!("`{}` with these arguments", call.name)),
        }))
    }

    /// `map!` and its like: the plain method's result replaces the content.
    fn array_in_place(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: ArrayId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let plain = call.name.trim_end_matches('!');
        let quiet = match plain {
            "map" | "collect" | "sort" | "sort_by" | "reverse" | "rotate" => true,
            "select" | "filter" | "reject" | "uniq" | "compact" | "flatten" => false,
            _ => return Ok(None),
        };
        self.thaw_array(id)?;
        let inner = Invocation {
            name: plain.into(),
            ..call.clone()
        };
        let before = self.heap[id].items.len();
        let result = self.deeper(|this| this.call_method(dsl, scope, Value::Array(id), &inner))?;
        let nested = plain == "flatten"
            && self.heap[id]
                .items
                .iter()
                .any(|item| matches!(item, Value::Array(_)));
        let items = self.items_of(result)?;
        let changed = items.len() != before || nested;
        self.heap[id].items = items;
        Ok(Some(match quiet || changed {
            true => Value::Array(id),
            false => Value::Nil,
        }))
    }
}
