//! The methods of arrays, beside those of everything that has items.

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::strings::count;
use super::value::{ArrayId, Value};

impl Interpreter<'_> {
    pub(super) fn array_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: ArrayId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        if let Some(value) = self.array_query(dsl, id, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.array_joining(id, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.array_change(dsl, scope, id, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.array_each(dsl, id, call)? {
            return Ok(Some(value));
        }
        let items = self.items_of(Value::Array(id))?;
        let found = self.enumerable(dsl, scope, items, call)?;
        Ok(self.receiver_of_groups(found, Value::Array(id), call))
    }

    /// `each_slice` and `each_cons` give their receiver, since Ruby 3.1.
    pub(super) fn receiver_of_groups(
        &self,
        found: Option<Value>,
        receiver: Value,
        call: &Invocation,
    ) -> Option<Value> {
        match &*call.name {
            "each_slice" | "each_cons" => found.map(|_| receiver),
            _ => found,
        }
    }

    fn array_query(
        &mut self,
        dsl: &mut dyn Dsl,
        id: ArrayId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let items = &self.heap[id].items;
        Ok(Some(match &*call.name {
            "size" | "length" => Value::Int(count(items.len())),
            "empty?" => Value::Bool(items.is_empty()),
            "to_a" | "to_ary" | "entries" => Value::Array(id),
            "last" => match call.args.first() {
                None => items.last().copied().unwrap_or(Value::Nil),
                Some(most) => {
                    let most = usize::try_from(self.int_of(*most)?).unwrap_or(0);
                    let items = &self.heap[id].items;
                    let from = items.len().saturating_sub(most);
                    let part = items[from..].to_vec();
                    self.array(part)?
                }
            },
            "[]" | "slice" | "at" | "dig" if call.args.len() == 1 => {
                self.array_index(id, call.args[0])?
            }
            "[]" | "slice" => {
                self.takes(call, 1, 2)?;
                let (start, most) = (self.int_of(call.args[0])?, self.int_of(call.args[1])?);
                let length = count(self.heap[id].items.len());
                let start = if start < 0 { start + length } else { start };
                let (Ok(start), Ok(most)) = (usize::try_from(start), usize::try_from(most)) else {
                    return Ok(Some(Value::Nil));
                };
                let items = &self.heap[id].items;
                if start > items.len() {
                    return Ok(Some(Value::Nil));
                }
                let part = items[start..].iter().take(most).copied().collect();
                self.array(part)?
            }
            "dig" => {
                self.takes(call, 1, usize::MAX)?;
                let inner = self.array_index(id, call.args[0])?;
                if inner.is_nil() {
                    return Ok(Some(Value::Nil));
                }
                self.send(dsl, 0, inner, "dig", &call.args[1..])?
            }
            "fetch" => {
                self.takes(call, 1, 2)?;
                let at = self.int_of(call.args[0])?;
                let length = self.heap[id].items.len();
                match (place(at, length), call.args.get(1), call.block) {
                    (Some(at), ..) => self.heap[id].items[at],
                    (None, _, Some(block)) => self.call_block(dsl, block, &[call.args[0]])?,
                    (None, Some(default), None) => *default,
                    (None, None, None) => {
                        let message = format!(
                            "index {at} outside of array bounds: {}...{length}",
                            -count(length)
                        );
                        return self.raise("IndexError", message);
                    }
                }
            }
            "values_at" => {
                let mut found = Vec::new();
                for at in &call.args {
                    let at = self.int_of(*at)?;
                    let items = &self.heap[id].items;
                    found.push(place(at, items.len()).map_or(Value::Nil, |at| items[at]));
                }
                self.array(found)?
            }
            "index" | "rindex" if call.args.len() == 1 => {
                let items = self.items_of(Value::Array(id))?;
                let mut found = None;
                for (number, item) in items.into_iter().enumerate() {
                    if self.equal(item, call.args[0])? {
                        found = Some(number);
                        if &*call.name == "index" {
                            break;
                        }
                    }
                }
                found.map_or(Value::Nil, |at| Value::Int(count(at)))
            }
            "index" => {
                let items = self.items_of(Value::Array(id))?;
                let block = self.block(call)?;
                for (number, item) in items.into_iter().enumerate() {
                    if self.call_block(dsl, block, &[item])?.truthy() {
                        return Ok(Some(Value::Int(count(number))));
                    }
                }
                Value::Nil
            }
            _ => return Ok(None),
        }))
    }

    fn array_index(&mut self, id: ArrayId, at: Value) -> Eval {
        if let Value::Range(range) = at {
            let length = self.heap[id].items.len();
            let Some((start, taken)) = self.range_slice(range, length)? else {
                return Ok(Value::Nil);
            };
            let items = &self.heap[id].items;
            let part = items[start..].iter().take(taken).copied().collect();
            return self.array(part);
        }
        let at = self.int_of(at)?;
        let items = &self.heap[id].items;
        Ok(place(at, items.len()).map_or(Value::Nil, |at| items[at]))
    }

    /// Methods that build another array, or a text.
    fn array_joining(&mut self, id: ArrayId, call: &Invocation) -> Eval<Option<Value>> {
        let items = &self.heap[id].items;
        let built = match &*call.name {
            "+" | "|" | "union" => {
                let mut items = items.clone();
                for other in &call.args {
                    let other = self.array_of(*other)?;
                    items.extend_from_slice(&self.heap[other].items);
                }
                if &*call.name == "+" {
                    self.takes(call, 1, 1)?;
                    items
                } else {
                    self.distinct(items)?
                }
            }
            "-" | "difference" | "&" | "intersection" => {
                let keep = matches!(&*call.name, "&" | "intersection");
                let items = items.clone();
                let mut others = std::collections::HashSet::new();
                for other in &call.args {
                    let other = self.array_of(*other)?;
                    for item in self.heap[other].items.clone() {
                        others.insert(self.hashed(item)?);
                    }
                }
                let mut out = Vec::new();
                for item in items {
                    if others.contains(&self.hashed(item)?) == keep {
                        out.push(item);
                    }
                }
                if keep { self.distinct(out)? } else { out }
            }
            "*" => match self.one(call)? {
                Value::Int(times) => {
                    let times = usize::try_from(times).unwrap_or(0);
                    let length = self.heap[id].items.len();
                    // Checked before it is built: `[1] * 1_000_000_000`.
                    self.charge((16 * length as u64).saturating_mul(times as u64))?;
                    self.heap[id].items.repeat(times)
                }
                separator => {
                    let separator = self.text_of(separator)?;
                    let text = self.joined(id, &separator)?;
                    return self.string(text).map(Some);
                }
            },
            "join" => {
                self.takes(call, 0, 1)?;
                let separator = match call.args.first() {
                    None | Some(Value::Nil) => String::new(),
                    Some(separator) => self.text_of(*separator)?,
                };
                let text = self.joined(id, &separator)?;
                return self.string(text).map(Some);
            }
            "compact" => items
                .iter()
                .copied()
                .filter(|item| !item.is_nil())
                .collect(),
            "reverse" => items.iter().rev().copied().collect(),
            "rotate" if call.args.is_empty() => {
                let mut items = items.clone();
                let by = 1.min(items.len());
                items.rotate_left(by);
                items
            }
            "flatten" => {
                let depth = match call.args.first() {
                    None | Some(Value::Nil) => None,
                    Some(depth) => usize::try_from(self.int_of(*depth)?).ok(),
                };
                let mut out = Vec::new();
                self.flatten(id, depth, &mut out)?;
                out
            }
            "transpose" => {
                let rows = items.clone();
                let mut out: Vec<Vec<Value>> = Vec::new();
                for (number, row) in rows.into_iter().enumerate() {
                    let row = self.array_of(row)?;
                    let row = self.heap[row].items.clone();
                    if number == 0 {
                        out.resize(row.len(), Vec::new());
                    }
                    if row.len() != out.len() {
                        return self.raise("IndexError", "element size differs");
                    }
                    for (column, item) in out.iter_mut().zip(row) {
                        column.push(item);
                    }
                }
                let mut columns = Vec::new();
                for column in out {
                    columns.push(self.array(column)?);
                }
                columns
            }
            "product" | "combination" | "permutation" | "shuffle" | "sample" | "pack"
            | "bsearch" => return self.unsupported(format!("`{}`", call.name)),
            _ => return Ok(None),
        };
        self.array(built).map(Some)
    }

    fn distinct(&mut self, items: Vec<Value>) -> Eval<Vec<Value>> {
        let mut seen = std::collections::HashSet::new();
        let mut out = Vec::new();
        for item in items {
            if seen.insert(self.hashed(item)?) {
                out.push(item);
            }
        }
        Ok(out)
    }

    /// `join`, which goes into arrays of arrays.
    pub(super) fn joined(&mut self, id: ArrayId, separator: &str) -> Eval<String> {
        let mut out = String::new();
        for (number, item) in self.heap[id].items.clone().into_iter().enumerate() {
            if number > 0 {
                out.push_str(separator);
            }
            let piece = match item {
                Value::Array(inner) => self.deeper(|this| this.joined(inner, separator))?,
                item => self.display(item)?,
            };
            self.charge((piece.len() + separator.len()) as u64)?;
            out.push_str(&piece);
        }
        Ok(out)
    }

    fn flatten(&mut self, id: ArrayId, depth: Option<usize>, out: &mut Vec<Value>) -> Eval<()> {
        for item in self.heap[id].items.clone() {
            match (item, depth) {
                (Value::Array(inner), None) => {
                    self.deeper(|this| this.flatten(inner, None, out))?;
                }
                (Value::Array(inner), Some(left)) if left > 0 => {
                    self.deeper(|this| this.flatten(inner, Some(left - 1), out))?;
                }
                _ => {
                    self.charge(16)?;
                    out.push(item);
                }
            }
        }
        Ok(())
    }

    /// Methods that change the array.
    fn array_change(
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

    fn array_each(
        &mut self,
        dsl: &mut dyn Dsl,
        id: ArrayId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        match &*call.name {
            "each" | "each_with_index" | "each_index" => {
                let block = self.block(call)?;
                let mut at = 0;
                // The block may change the array.
                while let Some(item) = self.heap[id].items.get(at).copied() {
                    let number = Value::Int(count(at));
                    match &*call.name {
                        "each" => self.call_block(dsl, block, &[item])?,
                        "each_index" => self.call_block(dsl, block, &[number])?,
                        _ => self.call_block(dsl, block, &[item, number])?,
                    };
                    at += 1;
                }
            }
            "reverse_each" => {
                let block = self.block(call)?;
                for item in self.items_of(Value::Array(id))?.into_iter().rev() {
                    self.call_block(dsl, block, &[item])?;
                }
            }
            _ => return Ok(None),
        }
        Ok(Some(Value::Array(id)))
    }
}

/// The place that an index means; negative ones count from the end.
fn place(at: i64, length: usize) -> Option<usize> {
    let at = if at < 0 { at + count(length) } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}
