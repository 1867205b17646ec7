//! `JSON.parse`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::dsl::Invocation;
use super::fail::{Eval, Fail};
use super::interpreter::Interpreter;
use super::value::{Hash, Value};

impl Interpreter<'_> {
    pub(super) fn json_method(&mut self, call: &Invocation) -> Eval<Option<Value>> {
        let symbols = match (&*call.name, &call.args[..]) {
            ("parse" | "load", [_]) => false,
            ("parse", [_, Value::Hash(options)]) if self.heap[*options].entries.len() == 1 => {
                match self.keyword(*options, "symbolize_names") {
                    Some(symbols) => symbols.truthy(),
                    None => return self.unsupported("`JSON.parse` with these arguments"),
                }
            }
            ("parse" | "load", _) => {
                return self.unsupported(format!("`JSON.{}` with these arguments", call.name));
            }
            _ => return Ok(None),
        };
        let text = self.text_of(call.args[0])?;
        let mut failed = None;
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let seed = Reading {
            cx: self,
            failed: &mut failed,
            symbols,
        };
        let result = seed
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value));
        match (result, failed) {
            (_, Some(fail)) => Err(fail),
            (Ok(value), None) => Ok(Some(value)),
            (Err(error), None) => self.raise("JSON::ParserError", error.to_string()),
        }
    }
}

/// Builds a value while its text is read, so that limits hold while it grows.
struct Reading<'r, 'a> {
    cx: &'r mut Interpreter<'a>,
    failed: &'r mut Option<Fail>,
    symbols: bool,
}

impl<'a> Reading<'_, 'a> {
    fn inner(&mut self) -> Reading<'_, 'a> {
        Reading {
            cx: self.cx,
            failed: self.failed,
            symbols: self.symbols,
        }
    }

    fn keep<E: serde::de::Error, T>(&mut self, result: Eval<T>) -> Result<T, E> {
        result.map_err(|fail| {
            *self.failed = Some(fail);
            E::custom("stopped")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(mut self, value: u64) -> Result<Value, E> {
        let number = match i64::try_from(value) {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => self.cx.unsupported("an integer of more than 64 bits"),
        };
        self.keep(number)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: serde::de::Error>(mut self, value: &str) -> Result<Value, E> {
        let text = self.cx.string(value);
        self.keep(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.inner())? {
            let step = self.cx.step(1);
            self.keep(step)?;
            items.push(item);
        }
        let array = self.cx.array(items);
        self.keep(array)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut hash = Hash::default();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.inner())?;
            let key = match self.symbols {
                true => self.cx.symbol(&key),
                false => self.cx.string(key),
            };
            let key = self.keep(key)?;
            let key = self.cx.key(key);
            let (hashed, key) = self.keep(key)?;
            hash.entries.insert(hashed, (key, value));
        }
        let hash = self.cx.hash(hash);
        self.keep(hash)
    }
}
