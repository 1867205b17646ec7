//! The methods of everything that has items: arrays, hashes, ranges, enumerators.

mod enumerators;
mod order;

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::strings::count;
use super::value::{Array, Hash, HashId, Key, Value};

impl Interpreter<'_> {
    /// A method of the items. None where it is not known.
    pub(super) fn enumerable(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        items: Vec<Value>,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        self.step(items.len() as u64 / 8)?;
        if let Some(value) = self.items_mapped(dsl, &items, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.items_asked(dsl, scope, &items, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.items_ordered(dsl, &items, call)? {
            return Ok(Some(value));
        }
        self.items_gathered(dsl, scope, items, call)
    }

    /// Methods that give another list, item by item.
    fn items_mapped(
        &mut self,
        dsl: &mut dyn Dsl,
        items: &[Value],
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let mut out = Vec::new();
        match &*call.name {
            "map" | "collect" => {
                let block = self.block(call)?;
                for item in items {
                    out.push(self.call_block(dsl, block, &[*item])?);
                }
            }
            "flat_map" | "collect_concat" => {
                let block = self.block(call)?;
                for item in items {
                    match self.call_block(dsl, block, &[*item])? {
                        Value::Array(inner) => {
                            let inner = self.heap[inner].items.clone();
                            self.charge(16 * inner.len() as u64)?;
                            out.extend(inner);
                        }
                        value => out.push(value),
                    }
                }
            }
            "filter_map" => {
                let block = self.block(call)?;
                for item in items {
                    let value = self.call_block(dsl, block, &[*item])?;
                    if value.truthy() {
                        out.push(value);
                    }
                }
            }
            "select" | "filter" | "find_all" | "reject" => {
                let block = self.block(call)?;
                let keep = &*call.name != "reject";
                for item in items {
                    if self.call_block(dsl, block, &[*item])?.truthy() == keep {
                        out.push(*item);
                    }
                }
            }
            "grep" | "grep_v" => {
                let pattern = self.one(call)?;
                let keep = &*call.name == "grep";
                for item in items {
                    if self.case_equal(dsl, 0, pattern, *item)? != keep {
                        continue;
                    }
                    out.push(match call.block {
                        Some(block) => self.call_block(dsl, block, &[*item])?,
                        None => *item,
                    });
                }
            }
            "take_while" => {
                let block = self.block(call)?;
                for item in items {
                    if !self.call_block(dsl, block, &[*item])?.truthy() {
                        break;
                    }
                    out.push(*item);
                }
            }
            "drop_while" => {
                let block = self.block(call)?;
                for item in items {
                    if out.is_empty() && self.call_block(dsl, block, &[*item])?.truthy() {
                        continue;
                    }
                    out.push(*item);
                }
            }
            "to_a" | "entries" => out.extend_from_slice(items),
            "partition" => {
                let block = self.block(call)?;
                let mut others = Vec::new();
                for item in items {
                    match self.call_block(dsl, block, &[*item])?.truthy() {
                        true => out.push(*item),
                        false => others.push(*item),
                    }
                }
                let (kept, others) = (self.array(out)?, self.array(others)?);
                return self.array(vec![kept, others]).map(Some);
            }
            "zip" if call.block.is_none() => {
                let mut others = Vec::new();
                for other in &call.args {
                    others.push(self.items_of(*other)?);
                }
                for (number, item) in items.iter().enumerate() {
                    let mut row = vec![*item];
                    for other in &others {
                        row.push(other.get(number).copied().unwrap_or(Value::Nil));
                    }
                    out.push(self.array(row)?);
                }
            }
            "each_slice" | "each_cons" => {
                return self.items_in_groups(dsl, items, call).map(Some);
            }
            _ => return Ok(None),
        }
        self.array(out).map(Some)
    }

    fn items_in_groups(&mut self, dsl: &mut dyn Dsl, items: &[Value], call: &Invocation) -> Eval {
        let size = self.one(call)?;
        let size = usize::try_from(self.int_of(size)?).unwrap_or(0);
        if size == 0 {
            return self.raise("ArgumentError", "invalid size");
        }
        let block = self.block(call)?;
        let groups: Vec<&[Value]> = match &*call.name {
            "each_slice" => items.chunks(size).collect(),
            _ => items.windows(size).collect(),
        };
        for group in groups {
            let group = self.array(group.to_vec())?;
            self.call_block(dsl, block, &[group])?;
        }
        Ok(Value::Nil)
    }

    /// Methods that ask something about the items.
    fn items_asked(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        items: &[Value],
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "any?" | "all?" | "none?" | "one?" => {
                let mut holding = 0;
                for item in items {
                    let holds = match (call.args.first(), call.block) {
                        (Some(pattern), _) => self.case_equal(dsl, scope, *pattern, *item)?,
                        (None, Some(block)) => self.call_block(dsl, block, &[*item])?.truthy(),
                        (None, None) => item.truthy(),
                    };
                    holding += usize::from(holds);
                    match &*call.name {
                        "any?" if holds => return Ok(Some(Value::Bool(true))),
                        "all?" if !holds => return Ok(Some(Value::Bool(false))),
                        "none?" if holds => return Ok(Some(Value::Bool(false))),
                        _ => {}
                    }
                }
                Value::Bool(match &*call.name {
                    "any?" => false,
                    "one?" => holding == 1,
                    _ => true,
                })
            }
            "find" | "detect" | "find_index" => {
                let by_value = call.args.first().copied();
                for (number, item) in items.iter().enumerate() {
                    let found = match by_value {
                        Some(value) => self.equal(*item, value)?,
                        None => {
                            let block = self.block(call)?;
                            self.call_block(dsl, block, &[*item])?.truthy()
                        }
                    };
                    if found {
                        return Ok(Some(match &*call.name {
                            "find_index" => Value::Int(count(number)),
                            _ => *item,
                        }));
                    }
                }
                Value::Nil
            }
            "include?" | "member?" => {
                let wanted = self.one(call)?;
                for item in items {
                    if self.equal(*item, wanted)? {
                        return Ok(Some(Value::Bool(true)));
                    }
                }
                Value::Bool(false)
            }
            "count" => {
                let mut found = 0;
                for item in items {
                    found += usize::from(match (call.args.first(), call.block) {
                        (Some(wanted), _) => self.equal(*item, *wanted)?,
                        (None, Some(block)) => self.call_block(dsl, block, &[*item])?.truthy(),
                        (None, None) => true,
                    });
                }
                Value::Int(count(found))
            }
            "first" => match call.args.first() {
                None => items.first().copied().unwrap_or(Value::Nil),
                Some(most) => {
                    let most = usize::try_from(self.int_of(*most)?).unwrap_or(0);
                    let taken = items.iter().take(most).copied().collect();
                    self.array(taken)?
                }
            },
            "take" | "drop" => {
                let most = self.one(call)?;
                let Ok(most) = usize::try_from(self.int_of(most)?) else {
                    return self.raise("ArgumentError", "attempt to take negative size");
                };
                let (taken, left) = items.split_at(most.min(items.len()));
                let part = if &*call.name == "take" { taken } else { left };
                self.array(part.to_vec())?
            }
            _ => return Ok(None),
        }))
    }

    /// Methods that go through the items for something else.
    fn items_gathered(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        items: Vec<Value>,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "inject" | "reduce" => return self.inject(dsl, scope, items, call).map(Some),
            "sum" => return self.sum(dsl, scope, items, call).map(Some),
            "each_with_object" => {
                let memo = self.one(call)?;
                let block = self.block(call)?;
                for item in items {
                    self.call_block(dsl, block, &[item, memo])?;
                }
                memo
            }
            "group_by" => {
                let block = self.block(call)?;
                let mut hash = Hash::default();
                for item in items {
                    let key = self.call_block(dsl, block, &[item])?;
                    let (hashed, key) = self.key(key)?;
                    let list = match hash.entries.get(&hashed) {
                        Some((_, Value::Array(list))) => *list,
                        _ => {
                            let list = self.heap.array_object(Array::default());
                            hash.entries.insert(hashed, (key, Value::Array(list)));
                            list
                        }
                    };
                    self.charge(64)?;
                    self.heap[list].items.push(item);
                }
                self.hash(hash)?
            }
            "tally" => {
                let mut hash = Hash::default();
                for item in items {
                    let (hashed, key) = self.key(item)?;
                    let entry = hash.entries.entry(hashed).or_insert((key, Value::Int(0)));
                    if let Value::Int(number) = &mut entry.1 {
                        *number += 1;
                    }
                }
                self.hash(hash)?
            }
            "to_h" => {
                let mut hash = Hash::default();
                for item in items {
                    let pair = match call.block {
                        Some(block) => self.call_block(dsl, block, &[item])?,
                        None => item,
                    };
                    let Value::Array(pair) = pair else {
                        return self.raise("TypeError", "wrong element type (expected array)");
                    };
                    let [key, value] = self.heap[pair].items[..] else {
                        return self.raise("ArgumentError", "element has wrong array length");
                    };
                    let (hashed, key) = self.key(key)?;
                    hash.entries.insert(hashed, (key, value));
                }
                self.hash(hash)?
            }
            "to_set" | "lazy" | "chunk_while" | "slice_when" | "each_entry" | "cycle" => {
                return self.unsupported(format!("`{}`", call.name));
            }
            _ => return Ok(None),
        }))
    }

    fn inject(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        items: Vec<Value>,
        call: &Invocation,
    ) -> Eval {
        let (initial, operator) = match (&call.args[..], call.block) {
            ([], Some(_)) => (None, None),
            ([initial], Some(_)) => (Some(*initial), None),
            ([operator], None) => (None, Some(*operator)),
            ([initial, operator], None) => (Some(*initial), Some(*operator)),
            _ => return self.unsupported("`inject` with these arguments"),
        };
        let operator = match operator {
            None => None,
            Some(operator) => match self.name_text(operator) {
                Some(name) => Some(name),
                None => return self.raise("TypeError", "not a symbol nor a string"),
            },
        };
        let mut items = items.into_iter();
        let Some(mut memo) = initial.or_else(|| items.next()) else {
            return Ok(Value::Nil);
        };
        for item in items {
            memo = match (&operator, call.block) {
                (Some(name), _) => self.send(dsl, scope, memo, name, &[item])?,
                (None, Some(block)) => self.call_block(dsl, block, &[memo, item])?,
                (None, None) => memo,
            };
        }
        Ok(memo)
    }

    fn sum(&mut self, dsl: &mut dyn Dsl, scope: u32, items: Vec<Value>, call: &Invocation) -> Eval {
        self.takes(call, 0, 1)?;
        let mut sum = call.args.first().copied().unwrap_or(Value::Int(0));
        for item in items {
            let value = match call.block {
                Some(block) => self.call_block(dsl, block, &[item])?,
                None => item,
            };
            if matches!(value, Value::Float(_)) {
                // Ruby sums floats with a correction for what rounding loses.
                return self.unsupported("`sum` of floats");
            }
            sum = self.send(dsl, scope, sum, "+", &[value])?;
        }
        Ok(sum)
    }

    /// The items of what can be gone through: a hash's are pairs.
    pub(crate) fn items_of(&mut self, value: Value) -> Eval<Vec<Value>> {
        match value {
            Value::Array(id) => {
                // A copy that does not last is work, but nothing built.
                self.step(self.heap[id].items.len() as u64 / 64)?;
                Ok(self.heap[id].items.clone())
            }
            Value::Hash(id) => self.pairs(id),
            Value::Range(id) => self.range_items(id),
            _ => {
                let what = self.described(value);
                self.unsupported(format!("going through {what}"))
            }
        }
    }

    /// A hash's keys and values.
    pub(crate) fn entries(&mut self, id: HashId) -> Eval<Vec<(Value, Value)>> {
        self.charge(32 * self.heap[id].entries.len() as u64)?;
        Ok(self.heap[id].entries.values().copied().collect())
    }

    /// A hash's pairs as arrays.
    pub(super) fn pairs(&mut self, id: HashId) -> Eval<Vec<Value>> {
        let entries: Vec<(Value, Value)> = self.heap[id].entries.values().copied().collect();
        let mut pairs = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            pairs.push(self.array(vec![key, value])?);
        }
        Ok(pairs)
    }

    /// A keyword argument.
    pub(crate) fn keyword(&mut self, id: HashId, name: &str) -> Option<Value> {
        let key = Key::Sym(self.heap.symbol(name));
        self.heap[id].entries.get(&key).map(|entry| entry.1)
    }
}
