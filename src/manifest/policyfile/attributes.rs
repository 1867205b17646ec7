//! The attributes of a policy: hashes that come into being as they are asked for.

use indexmap::IndexMap;

use super::words::{Held, Words};
use crate::metadata::{Json, json_of};
use crate::ruby::{Eval, Interpreter, Invocation, Value};

/// A tree of attributes.
#[derive(Debug)]
pub(super) enum Node {
    /// A hash.
    Map(IndexMap<String, Node>),
    /// Anything else. Lists are the evaluation's own, so that what is added to one is seen.
    Leaf(Value),
}

impl Default for Node {
    fn default() -> Self {
        Self::Map(IndexMap::new())
    }
}

impl Node {
    /// What a value becomes when it is stored: a copy, whose keys are strings.
    pub(super) fn of(cx: &mut Interpreter<'_>, value: Value) -> Eval<Self> {
        match value {
            Value::Hash(id) => {
                let mut map = IndexMap::new();
                for (key, value) in cx.entries(id)? {
                    let Some(key) = cx.name_text(key) else {
                        return cx.unsupported("an attribute that is not named by a string");
                    };
                    map.insert(key, cx.deeper(|cx| Self::of(cx, value))?);
                }
                Ok(Self::Map(map))
            }
            Value::Array(_) => {
                let items = cx.items_of(value)?;
                cx.array(items).map(Self::Leaf)
            }
            value => Ok(Self::Leaf(value)),
        }
    }

    /// The hash at a path, which comes into being; none where something else stands on the way.
    pub(super) fn map(&mut self, path: &[String]) -> Option<&mut IndexMap<String, Node>> {
        let Self::Map(map) = self else { return None };
        match path.split_first() {
            None => Some(map),
            Some((key, rest)) => map.entry(key.clone()).or_default().map(rest),
        }
    }

    /// The tree as a document.
    pub(super) fn json(&self, cx: &mut Interpreter<'_>) -> Eval<Json> {
        match self {
            Self::Leaf(value) => json_of(cx, *value),
            Self::Map(map) => {
                let mut entries = Vec::new();
                for (key, node) in map {
                    entries.push((key.clone(), cx.deeper(|cx| node.json(cx))?));
                }
                Ok(Json::Object(entries))
            }
        }
    }
}

impl Words<'_> {
    /// `default` and `override`.
    pub(super) fn attributes(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 0, 0)?;
        let is_override = &*call.name == "override";
        let path = Vec::new();
        self.hold(cx, Held::Attributes { is_override, path })
    }

    /// `[]`, `[]=` and the like on a place within the attributes.
    pub(super) fn attribute(
        &mut self,
        cx: &mut Interpreter<'_>,
        (is_override, mut path): (bool, Vec<String>),
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let key = |cx: &mut Interpreter<'_>, value: Value| match cx.name_text(value) {
            Some(key) => cx.placeless(key),
            None => cx.unsupported("an attribute that is not named by a string"),
        };
        cx.step(path.len() as u64)?;
        cx.charge(path.iter().map(|part| 24 + part.len() as u64).sum())?;
        let node = match is_override {
            true => &mut self.overrides,
            false => &mut self.default,
        };
        let Some(map) = node.map(&path) else {
            return cx.unsupported("an attribute below one that is no hash");
        };
        match &*call.name {
            "[]" => {
                cx.arity(call, 1, 1)?;
                let key = key(cx, call.args[0])?;
                if let Some(Node::Leaf(value)) = map.get(&key) {
                    return Ok(Some(*value));
                }
                map.entry(key.clone()).or_default();
                path.push(key);
                self.hold(cx, Held::Attributes { is_override, path })
                    .map(Some)
            }
            "[]=" | "store" => {
                cx.arity(call, 2, 2)?;
                let key = key(cx, call.args[0])?;
                let stored = match call.args[1] {
                    Value::Object(_) => {
                        return cx.unsupported("an attribute that is a copy of another");
                    }
                    value => Node::of(cx, value)?,
                };
                map.insert(key, stored);
                Ok(Some(call.args[1]))
            }
            "key?" | "has_key?" | "include?" | "member?" => {
                cx.arity(call, 1, 1)?;
                let key = key(cx, call.args[0])?;
                Ok(Some(Value::Bool(map.contains_key(&key))))
            }
            _ => Ok(None),
        }
    }
}
