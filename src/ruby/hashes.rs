//! The methods of hashes, beside those of everything that has items.

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::strings::count;
use super::value::{Hash, HashId, Value};

impl Interpreter<'_> {
    pub(super) fn hash_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: HashId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        if let Some(value) = self.hash_query(dsl, scope, id, call)? {
            return Ok(Some(value));
        }
        let visits = call.block.is_some()
            && !matches!(&*call.name, "delete" | "merge" | "merge!" | "update");
        self.heap[id].visitors += u32::from(visits);
        let result = self.hash_visit(dsl, scope, id, call);
        self.heap[id].visitors -= u32::from(visits);
        result
    }

    fn hash_visit(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: HashId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        if let Some(value) = self.hash_filtered(dsl, scope, id, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.hash_change(dsl, scope, id, call)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.hash_each(dsl, id, call)? {
            return Ok(Some(value));
        }
        let items = self.pairs(id)?;
        let found = self.enumerable(dsl, scope, items, call)?;
        Ok(self.receiver_of_groups(found, Value::Hash(id), call))
    }

    /// `hash[key]`, the default included.
    pub(super) fn hash_get(&mut self, dsl: &mut dyn Dsl, id: HashId, key: Value) -> Eval {
        let hashed = self.hashed(key)?;
        let hash = &self.heap[id];
        match (hash.entries.get(&hashed), hash.default_proc) {
            (Some((_, value)), _) => Ok(*value),
            (None, None) => Ok(hash.default),
            (None, Some(block)) => {
                self.deeper(|this| this.call_block(dsl, block, &[Value::Hash(id), key]))
            }
        }
    }

    /// `hash[key] = value`
    pub(super) fn hash_set(&mut self, id: HashId, key: Value, value: Value) -> Eval<()> {
        self.thaw_hash(id)?;
        let (hashed, key) = self.key(key)?;
        self.charge(64)?;
        let visited = self.heap[id].visitors > 0;
        let entries = &mut self.heap[id].entries;
        match entries.get_mut(&hashed) {
            Some(entry) => entry.1 = value,
            None if visited => {
                let message = "can't add a new key into hash during iteration";
                return self.raise("RuntimeError", message);
            }
            None => {
                entries.insert(hashed, (key, value));
            }
        }
        Ok(())
    }

    fn hash_query(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: HashId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "[]" => {
                let key = self.one(call)?;
                self.hash_get(dsl, id, key)?
            }
            "fetch" => {
                self.takes(call, 1, 2)?;
                let hashed = self.hashed(call.args[0])?;
                let found = self.heap[id].entries.get(&hashed).map(|entry| entry.1);
                match (found, call.block, call.args.get(1)) {
                    (Some(value), ..) => value,
                    (None, Some(block), _) => self.call_block(dsl, block, &[call.args[0]])?,
                    (None, None, Some(default)) => *default,
                    (None, None, None) => {
                        let key = self.inspect(call.args[0])?;
                        return self.raise("KeyError", format!("key not found: {key}"));
                    }
                }
            }
            "dig" => {
                self.takes(call, 1, usize::MAX)?;
                let inner = self.hash_get(dsl, id, call.args[0])?;
                if call.args.len() == 1 || inner.is_nil() {
                    return Ok(Some(inner));
                }
                self.send(dsl, scope, inner, "dig", &call.args[1..])?
            }
            "key?" | "has_key?" | "include?" | "member?" => {
                let key = self.one(call)?;
                let hashed = self.hashed(key)?;
                Value::Bool(self.heap[id].entries.contains_key(&hashed))
            }
            "value?" | "has_value?" | "key" => {
                let wanted = self.one(call)?;
                let entries: Vec<_> = self.heap[id].entries.values().copied().collect();
                for (key, value) in entries {
                    if self.equal(value, wanted)? {
                        return Ok(Some(match &*call.name {
                            "key" => key,
                            _ => Value::Bool(true),
                        }));
                    }
                }
                match &*call.name {
                    "key" => Value::Nil,
                    _ => Value::Bool(false),
                }
            }
            "keys" => {
                let keys = self.heap[id]
                    .entries
                    .values()
                    .map(|entry| entry.0)
                    .collect();
                self.array(keys)?
            }
            "values" => {
                let values = self.heap[id]
                    .entries
                    .values()
                    .map(|entry| entry.1)
                    .collect();
                self.array(values)?
            }
            "values_at" | "fetch_values" => {
                let mut values = Vec::new();
                for key in &call.args {
                    values.push(self.hash_get(dsl, id, *key)?);
                }
                if &*call.name == "fetch_values" {
                    return self.unsupported("`fetch_values`");
                }
                self.array(values)?
            }
            "size" | "length" => Value::Int(count(self.heap[id].entries.len())),
            "empty?" => Value::Bool(self.heap[id].entries.is_empty()),
            "to_h" | "to_hash" if call.block.is_none() => Value::Hash(id),
            "default" => self.heap[id].default,
            "invert" => {
                let entries: Vec<_> = self.heap[id].entries.values().copied().collect();
                let mut hash = Hash::default();
                for (key, value) in entries {
                    let (hashed, value) = self.key(value)?;
                    hash.entries.insert(hashed, (value, key));
                }
                self.hash(hash)?
            }
            _ => return Ok(None),
        }))
    }

    /// Methods that build another hash.
    fn hash_filtered(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: HashId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let mut hash = Hash::default();
        match &*call.name {
            "merge" => {
                let copy = self.copy_of(id)?;
                return self.merge_into(dsl, copy, call).map(Some);
            }
            "select" | "filter" | "reject" => {
                let block = self.block(call)?;
                let keep = &*call.name != "reject";
                for (hashed, (key, value)) in self.heap[id].entries.clone() {
                    if self.call_block(dsl, block, &[key, value])?.truthy() == keep {
                        hash.entries.insert(hashed, (key, value));
                    }
                }
            }
            "transform_values" | "transform_keys" => {
                if !call.args.is_empty() {
                    return self.unsupported(format!("`{}` with a hash", call.name));
                }
                let block = self.block(call)?;
                for (hashed, (key, value)) in self.heap[id].entries.clone() {
                    if &*call.name == "transform_values" {
                        let value = self.call_block(dsl, block, &[value])?;
                        hash.entries.insert(hashed, (key, value));
                    } else {
                        let key = self.call_block(dsl, block, &[key])?;
                        let (hashed, key) = self.key(key)?;
                        hash.entries.insert(hashed, (key, value));
                    }
                }
            }
            "compact" => {
                let entries = self.heap[id].entries.clone();
                hash.entries = entries.into_iter().filter(|(_, e)| !e.1.is_nil()).collect();
            }
            "slice" | "except" => {
                let mut wanted = Vec::new();
                for key in &call.args {
                    wanted.push(self.hashed(*key)?);
                }
                let compared = wanted.len() * self.heap[id].entries.len();
                self.step(compared as u64 / 64)?;
                let entries = &self.heap[id].entries;
                if &*call.name == "slice" {
                    for key in wanted {
                        if let Some(entry) = entries.get(&key) {
                            hash.entries.insert(key, *entry);
                        }
                    }
                } else {
                    let entries = entries.clone();
                    hash.entries = entries
                        .into_iter()
                        .filter(|(k, _)| !wanted.contains(k))
                        .collect();
                }
            }
            "min_by" | "max_by" | "sort_by" | "group_by" | "partition" | "find" | "detect"
            | "map" | "collect" | "flat_map" | "any?" | "all?" | "none?" | "count" | "sum" => {
                let items = self.pairs(id)?;
                return self.enumerable(dsl, scope, items, call);
            }
            _ => return Ok(None),
        }
        self.hash(hash).map(Some)
    }

    fn copy_of(&mut self, id: HashId) -> Eval<HashId> {
        let old = &self.heap[id];
        let copy = Hash {
            entries: old.entries.clone(),
            default: old.default,
            default_proc: old.default_proc,
            ..Hash::default()
        };
        match self.hash(copy)? {
            Value::Hash(copy) => Ok(copy),
            _ => Ok(id),
        }
    }

    /// `merge` and `update`: a block decides where both have a key.
    fn merge_into(&mut self, dsl: &mut dyn Dsl, id: HashId, call: &Invocation) -> Eval {
        self.thaw_hash(id)?;
        for other in &call.args {
            let other = self.hash_of(*other)?;
            let entries = self.heap[other].entries.clone();
            self.charge(64 * entries.len() as u64)?;
            for (hashed, (key, value)) in entries {
                let old = self.heap[id].entries.get(&hashed).map(|entry| entry.1);
                let value = match (old, call.block) {
                    (Some(old), Some(block)) => self.call_block(dsl, block, &[key, old, value])?,
                    _ => value,
                };
                let entries = &mut self.heap[id].entries;
                match entries.get_mut(&hashed) {
                    Some(entry) => entry.1 = value,
                    None => {
                        entries.insert(hashed, (key, value));
                    }
                }
            }
        }
        Ok(Value::Hash(id))
    }

    /// Methods that change the hash.
    fn hash_change(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: HashId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "[]=" | "store" => {
                self.takes(call, 2, 2)?;
                self.hash_set(id, call.args[0], call.args[1])?;
                call.args[1]
            }
            "merge!" | "update" => self.merge_into(dsl, id, call)?,
            "delete" => {
                let key = self.one(call)?;
                self.thaw_hash(id)?;
                let hashed = self.hashed(key)?;
                // What stands behind it moves up.
                self.step(self.heap[id].entries.len() as u64 / 64)?;
                let found = self.heap[id].entries.shift_remove(&hashed);
                match (found, call.block) {
                    (Some((_, value)), _) => value,
                    (None, Some(block)) => self.call_block(dsl, block, &[key])?,
                    (None, None) => Value::Nil,
                }
            }
            "clear" => {
                self.thaw_hash(id)?;
                self.heap[id].entries.clear();
                Value::Hash(id)
            }
            "default=" => {
                self.heap[id].default = self.one(call)?;
                self.heap[id].default
            }
            "delete_if" | "keep_if" | "select!" | "reject!" | "filter!" | "compact!"
            | "transform_values!" | "transform_keys!" => {
                self.thaw_hash(id)?;
                let plain = match &*call.name {
                    "delete_if" => "reject",
                    "keep_if" => "select",
                    name => name.trim_end_matches('!'),
                };
                let inner = Invocation {
                    name: plain.into(),
                    ..call.clone()
                };
                let before = self.heap[id].entries.len();
                let result = self.hash_filtered(dsl, scope, id, &inner)?;
                let Some(Value::Hash(result)) = result else {
                    return Ok(None);
                };
                self.heap[id].entries = self.heap[result].entries.clone();
                let same = self.heap[id].entries.len() == before;
                let asks = matches!(&*call.name, "select!" | "reject!" | "filter!" | "compact!");
                if asks && same {
                    Value::Nil
                } else {
                    Value::Hash(id)
                }
            }
            _ => return Ok(None),
        }))
    }

    fn hash_each(
        &mut self,
        dsl: &mut dyn Dsl,
        id: HashId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        match &*call.name {
            "each" | "each_pair" => {
                let block = self.block(call)?;
                for pair in self.pairs(id)? {
                    self.call_block(dsl, block, &[pair])?;
                }
            }
            "each_with_index" => {
                let block = self.block(call)?;
                for (number, pair) in self.pairs(id)?.into_iter().enumerate() {
                    self.call_block(dsl, block, &[pair, Value::Int(count(number))])?;
                }
            }
            "each_key" | "each_value" => {
                let block = self.block(call)?;
                let entries: Vec<_> = self.heap[id].entries.values().copied().collect();
                for (key, value) in entries {
                    let item = if &*call.name == "each_key" {
                        key
                    } else {
                        value
                    };
                    self.call_block(dsl, block, &[item])?;
                }
            }
            _ => return Ok(None),
        }
        Ok(Some(Value::Hash(id)))
    }
}
