//! Ranges: of numbers and of texts.

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::strings::{count, successor};
use super::value::{RangeId, Value};

impl Interpreter<'_> {
    /// A range, whose ends must have an order.
    pub(super) fn checked_range(&mut self, from: Value, to: Value, exclusive: bool) -> Eval {
        let open = from.is_nil() || to.is_nil();
        if !open && self.compare(from, to)?.is_none() {
            return self.raise("ArgumentError", "bad value for range");
        }
        self.range(from, to, exclusive)
    }

    /// Whether a range holds a value, by comparing with its ends.
    pub(super) fn range_covers(&mut self, id: RangeId, value: Value) -> Eval<bool> {
        let range = self.heap[id];
        if !range.from.is_nil() {
            match self.compare(range.from, value)? {
                Some(order) if order.is_le() => {}
                _ => return Ok(false),
            }
        }
        if range.to.is_nil() {
            return Ok(true);
        }
        let order = self.compare(value, range.to)?;
        Ok(order.is_some_and(|order| order.is_lt() || (order.is_eq() && !range.exclusive)))
    }

    /// The items of a range, charged before they are made: `(1..10**12).to_a`.
    pub(super) fn range_items(&mut self, id: RangeId) -> Eval<Vec<Value>> {
        let range = self.heap[id];
        match (range.from, range.to) {
            (Value::Int(from), Value::Int(to)) => {
                let to = if range.exclusive {
                    to.saturating_sub(1)
                } else {
                    to
                };
                let length = to.saturating_sub(from).saturating_add(1).max(0);
                self.charge(16 * length.unsigned_abs())?;
                Ok((from..=to).map(Value::Int).collect())
            }
            (Value::Str(from), Value::Str(to)) => {
                let (from, to) = (self.text(from)?, self.text(to)?);
                self.text_items(&from, &to, range.exclusive)
            }
            _ => self.unsupported("going through this range"),
        }
    }

    fn text_items(&mut self, from: &str, to: &str, exclusive: bool) -> Eval<Vec<Value>> {
        let mut items = Vec::new();
        let mut at = from.to_owned();
        if from.len() > to.len() || (from.len() == to.len() && from > to) {
            return Ok(items);
        }
        while at.len() <= to.len() {
            if at == to && exclusive {
                break;
            }
            self.step(1)?;
            items.push(self.string(&*at)?);
            if at == to {
                break;
            }
            match successor(&at) {
                Some(next) => at = next,
                None => return self.unsupported("going through this range"),
            }
        }
        Ok(items)
    }

    /// The first index and the length that a range means in a list; none where it begins outside.
    pub(super) fn range_slice(
        &mut self,
        id: RangeId,
        length: usize,
    ) -> Eval<Option<(usize, usize)>> {
        let range = self.heap[id];
        let total = count(length);
        let end = |this: &mut Self, value: Value, open: i64| -> Eval<i64> {
            let at = if value.is_nil() {
                open
            } else {
                this.int_of(value)?
            };
            Ok(if at < 0 { at.saturating_add(total) } else { at })
        };
        let start = end(self, range.from, 0)?;
        let last = end(self, range.to, total - 1)?;
        let last = if range.exclusive && !range.to.is_nil() {
            last.saturating_sub(1)
        } else {
            last
        };
        if start < 0 || start > total {
            return Ok(None);
        }
        let taken = last.saturating_sub(start).saturating_add(1).max(0);
        let (Ok(start), Ok(taken)) = (usize::try_from(start), usize::try_from(taken)) else {
            return Ok(None);
        };
        Ok(Some((start, taken)))
    }

    pub(super) fn range_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: RangeId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let range = self.heap[id];
        Ok(Some(match &*call.name {
            "first" | "begin" | "min" if call.args.is_empty() && call.block.is_none() => {
                if &*call.name == "min" && !self.range_covers(id, range.from)? {
                    return Ok(Some(Value::Nil));
                }
                range.from
            }
            "first" | "take" if range.to.is_nil() => {
                let Value::Int(from) = range.from else {
                    return self.unsupported("going through this range");
                };
                let most = self.one(call)?;
                let most = self.int_of(most)?.max(0);
                self.charge(16 * most.unsigned_abs())?;
                let items = (from..from.saturating_add(most)).map(Value::Int).collect();
                self.array(items)?
            }
            "end" => range.to,
            "last" if call.args.is_empty() => range.to,
            "cover?" | "===" => {
                let value = self.one(call)?;
                Value::Bool(self.range_covers(id, value)?)
            }
            "include?" | "member?" => {
                let value = self.one(call)?;
                match range.from {
                    Value::Int(_) | Value::Float(_) | Value::Nil => {
                        Value::Bool(self.range_covers(id, value)?)
                    }
                    _ => {
                        let items = self.range_items(id)?;
                        return self.enumerable(dsl, scope, items, call);
                    }
                }
            }
            "exclude_end?" => Value::Bool(range.exclusive),
            "size" | "count" | "length" if call.args.is_empty() && call.block.is_none() => {
                let numbers = matches!(range.from, Value::Int(_));
                if &*call.name == "length" || (&*call.name == "size" && !numbers) {
                    return Ok(None);
                }
                Value::Int(count(self.range_items(id)?.len()))
            }
            "each" => {
                let block = self.block(call)?;
                match (range.from, range.to) {
                    (Value::Int(from), to @ (Value::Int(_) | Value::Nil)) => {
                        let mut at = from;
                        while to.is_nil() || self.range_covers(id, Value::Int(at))? {
                            self.call_block(dsl, block, &[Value::Int(at)])?;
                            match at.checked_add(1) {
                                Some(next) => at = next,
                                None => break,
                            }
                        }
                    }
                    _ => {
                        for item in self.range_items(id)? {
                            self.call_block(dsl, block, &[item])?;
                        }
                    }
                }
                Value::Range(id)
            }
            "step" | "%" => {
                let step = self.one(call)?;
                let Ok(step @ 1..) = usize::try_from(self.int_of(step)?) else {
                    return self.raise("ArgumentError", "step can't be 0");
                };
                let block = self.block(call)?;
                for item in self.range_items(id)?.into_iter().step_by(step) {
                    self.call_block(dsl, block, &[item])?;
                }
                Value::Range(id)
            }
            "each_with_index" => {
                let block = self.block(call)?;
                for (number, item) in self.range_items(id)?.into_iter().enumerate() {
                    self.call_block(dsl, block, &[item, Value::Int(count(number))])?;
                }
                Value::Range(id)
            }
            "reverse_each" => {
                let block = self.block(call)?;
                for item in self.range_items(id)?.into_iter().rev() {
                    self.call_block(dsl, block, &[item])?;
                }
                Value::Range(id)
            }
            "==" | "!=" | "nil?" | "is_a?" | "class" | "to_s" | "inspect" | "respond_to?"
            | "frozen?" | "dup" | "freeze" | "instance_of?" | "kind_of?" | "eql?" | "equal?"
            | "tap" | "then" | "send" | "!" => return Ok(None),
            _ => {
                let items = self.range_items(id)?;
                let found = self.enumerable(dsl, scope, items, call)?;
                return Ok(self.receiver_of_groups(found, Value::Range(id), call));
            }
        }))
    }
}
