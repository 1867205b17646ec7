//! Equality, order, and values as keys.

use std::cmp::Ordering;

use crate::ruby::dsl::Dsl;
use crate::ruby::fail::Eval;
use crate::ruby::interpreter::Interpreter;
use crate::ruby::value::{Key, Value, VersionObject};
use crate::ruby::{classes, exceptions, versions};

impl Interpreter<'_> {
    /// `==`
    pub(in crate::ruby) fn equal(&mut self, left: Value, right: Value) -> Eval<bool> {
        self.step(1)?;
        Ok(match (left, right) {
            #[expect(
                clippy::cast_precision_loss,
                reason = "Ruby compares exactly up to 2^53"
            )]
            (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => a as f64 == b,
            (Value::Array(a), Value::Array(b)) if a != b => {
                let (a, b) = (self.heap[a].items.clone(), self.heap[b].items.clone());
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.into_iter().zip(b) {
                    if !self.deeper(|this| this.equal(a, b))? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Hash(a), Value::Hash(b)) if a != b => {
                let (a, b) = (self.heap[a].entries.clone(), self.heap[b].entries.clone());
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (key, (_, left)) in a {
                    let Some((_, right)) = b.get(&key) else {
                        return Ok(false);
                    };
                    let right = *right;
                    if !self.deeper(|this| this.equal(left, right))? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Range(a), Value::Range(b)) => {
                let (a, b) = (self.heap[a], self.heap[b]);
                a.exclusive == b.exclusive
                    && self.equal(a.from, b.from)?
                    && self.equal(a.to, b.to)?
            }
            (Value::Regexp(a), Value::Regexp(b)) => {
                let (a, b) = (&self.heap[a], &self.heap[b]);
                a.source == b.source && a.flags == b.flags
            }
            (Value::Version(_), _) | (_, Value::Version(_)) => {
                return Ok(self.compare(left, right)? == Some(Ordering::Equal));
            }
            (Value::Str(a), Value::Str(b)) | (Value::Pathname(a), Value::Pathname(b)) => {
                self.heap[a].text == self.heap[b].text
            }
            (Value::Exception(a), Value::Exception(b)) => {
                let (a, b) = (&self.heap[a], &self.heap[b]);
                a.class == b.class && a.message == b.message
            }
            _ => left == right,
        })
    }

    /// `<=>`; none where the two have no order.
    pub(in crate::ruby) fn compare(&mut self, left: Value, right: Value) -> Eval<Option<Ordering>> {
        self.step(1)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "Ruby compares exactly up to 2^53"
        )]
        Ok(match (left, right) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
            (Value::Float(a), Value::Float(b)) => a.partial_cmp(&b),
            (Value::Int(a), Value::Float(b)) => (a as f64).partial_cmp(&b),
            (Value::Float(a), Value::Int(b)) => a.partial_cmp(&(b as f64)),
            (Value::Str(a), Value::Str(b)) => Some(self.heap[a].text.cmp(&self.heap[b].text)),
            (Value::Sym(a), Value::Sym(b)) => Some(self.heap[a].cmp(&self.heap[b])),
            (Value::Nil, Value::Nil) => Some(Ordering::Equal),
            (Value::Array(a), Value::Array(b)) => {
                let (a, b) = (self.heap[a].items.clone(), self.heap[b].items.clone());
                for (a, b) in a.iter().zip(&b) {
                    let (a, b) = (*a, *b);
                    match self.deeper(|this| this.compare(a, b))? {
                        Some(Ordering::Equal) => {}
                        other => return Ok(other),
                    }
                }
                Some(a.len().cmp(&b.len()))
            }
            (Value::Version(_), _) | (_, Value::Version(_)) => self.compare_versions(left, right),
            _ => (left == right).then_some(Ordering::Equal),
        })
    }

    /// Versions compare with each other and with texts that are versions.
    fn compare_versions(&self, left: Value, right: Value) -> Option<Ordering> {
        let text = |value| match value {
            Value::Version(id) => match &self.heap[id] {
                VersionObject::Gem(text) | VersionObject::ChefVersion(text) => Some(text.clone()),
                _ => None,
            },
            Value::Str(id) => {
                let text = &self.heap[id].text;
                versions::is_correct(text).then(|| versions::normalised(text))
            }
            _ => None,
        };
        Some(versions::compare(&text(left)?, &text(right)?))
    }

    /// `<=>` where an order is needed.
    pub(in crate::ruby) fn order(&mut self, left: Value, right: Value) -> Eval<Ordering> {
        match self.compare(left, right)? {
            Some(order) => Ok(order),
            None => {
                let what = match right {
                    Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                        self.inspect(right)?
                    }
                    _ => self.class_of(right).to_owned(),
                };
                let message = format!("comparison of {} with {what} failed", self.class_of(left));
                self.raise("ArgumentError", message)
            }
        }
    }

    /// `pattern === value`
    pub(in crate::ruby) fn case_equal(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        pattern: Value,
        value: Value,
    ) -> Eval<bool> {
        match pattern {
            Value::Module(class) => self.is_a(dsl, value, class),
            Value::Regexp(id) => match self.name_text(value) {
                Some(text) => Ok(self.search(scope, id, &text, 0)?.is_some()),
                None => Ok(false),
            },
            Value::Range(id) => self.range_covers(id, value),
            Value::Proc(proc) => Ok(self.call_block(dsl, proc, &[value])?.truthy()),
            _ => self.equal(pattern, value),
        }
    }

    /// `value.is_a?(class)`
    pub(in crate::ruby) fn is_a(
        &mut self,
        dsl: &mut dyn Dsl,
        value: Value,
        class: &str,
    ) -> Eval<bool> {
        Ok(match value {
            Value::Main => class == dsl.class_name() || classes::is_a("Object", class),
            Value::Object(_) => return self.unsupported("the class of this object"),
            Value::Exception(id) => exceptions::is_a(self.heap[id].class, class),
            _ => classes::is_a(self.class_of(value), class),
        })
    }

    /// A value as the key of a hash.
    pub(in crate::ruby) fn key(&mut self, value: Value) -> Eval<(Key, Value)> {
        let key = self.hashed(value)?;
        // A string that is a key is a frozen copy.
        if let (Key::Str(text), Value::Str(id)) = (&key, value)
            && !self.heap[id].frozen
        {
            let copy = self.frozen_string(&**text)?;
            return Ok((key, copy));
        }
        Ok((key, value))
    }

    /// What `eql?` compares.
    pub(in crate::ruby) fn hashed(&mut self, value: Value) -> Eval<Key> {
        self.step(1)?;
        Ok(match value {
            Value::Nil => Key::Nil,
            Value::Bool(value) => Key::Bool(value),
            Value::Int(number) => Key::Int(number),
            Value::Float(number) => Key::Float(number.to_bits()),
            Value::Sym(id) => Key::Sym(id),
            Value::Str(id) => Key::Str(self.text(id)?.into()),
            Value::Module(name) => Key::Module(name),
            Value::Array(id) => {
                let items = self.heap[id].items.clone();
                let mut keys = Vec::with_capacity(items.len());
                for item in items {
                    keys.push(self.deeper(|this| this.hashed(item))?);
                }
                Key::Array(keys)
            }
            _ => {
                let what = self.described(value);
                return self.unsupported(format!("{what} as a key of a hash"));
            }
        })
    }
}
