//! The attributes of a policy: hashes that come into being as they are asked for.

use indexmap::IndexMap;

use crate::metadata::{Json, json_of};
use crate::ruby::{Eval, Interpreter, Value};

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
