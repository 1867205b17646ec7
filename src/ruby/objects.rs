//! What every value has: a class, a text, equality, an order, and the methods of all objects.

use std::cmp::Ordering;

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::value::{Key, Proc, Value, VersionObject};
use super::{classes, exceptions, numbers, paths, versions};

impl Interpreter<'_> {
    /// The name of a value's class.
    pub(crate) fn class_of(&self, value: Value) -> &'static str {
        match value {
            Value::Nil => "NilClass",
            Value::Bool(true) => "TrueClass",
            Value::Bool(false) => "FalseClass",
            Value::Int(_) => "Integer",
            Value::Float(_) => "Float",
            Value::Sym(_) => "Symbol",
            Value::Str(_) => "String",
            Value::Array(_) => "Array",
            Value::Hash(_) => "Hash",
            Value::Range(_) => "Range",
            Value::Regexp(_) => "Regexp",
            Value::Match(_) => "MatchData",
            Value::Proc(id) => match &self.heap[id] {
                Proc::Method(_) => "Method",
                _ => "Proc",
            },
            Value::Exception(id) => self.heap[id].class,
            Value::Version(id) => match &self.heap[id] {
                VersionObject::Gem(_) => "Gem::Version",
                VersionObject::Requirement(_) => "Gem::Requirement",
                VersionObject::ChefConstraint(_) => "Chef::VersionConstraint",
                VersionObject::ChefVersion(_) => "ChefUtils::VersionString",
            },
            Value::Enumerator(_) => "Enumerator",
            Value::Module(name) => classes::kind_of_module(name),
            Value::Env => "Object",
            Value::Output => "IO",
            Value::Handle(_) => "File",
            Value::Pathname(_) => "Pathname",
            Value::OwnModule(_) => "Module",
            Value::Main => "the file's own object",
            Value::Object(_) => "an object of the file's own words",
        }
    }

    /// What a value is called in an error message.
    pub(super) fn described(&self, value: Value) -> String {
        match value {
            Value::Nil => "`nil`".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Module(name) => format!("`{name}`"),
            Value::Env => "`ENV`".to_owned(),
            Value::Main | Value::Object(_) => self.class_of(value).to_owned(),
            Value::OwnModule(id) => format!("`{}`", self.heap[id]),
            _ => format!("`{}`", self.class_of(value)),
        }
    }

    /// `to_s`
    pub(crate) fn display(&mut self, value: Value) -> Eval<String> {
        Ok(match value {
            Value::Nil => String::new(),
            Value::Bool(value) => value.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => numbers::float_text(number),
            Value::Sym(id) => self.heap[id].to_string(),
            Value::Str(id) => return self.text(id),
            Value::Module(name) => name.to_owned(),
            Value::Env => "ENV".to_owned(),
            Value::Array(_) => return self.inspect(value),
            Value::Pathname(id) => return self.text(id),
            Value::OwnModule(id) => self.heap[id].to_string(),
            Value::Range(id) => {
                let range = self.heap[id];
                let (from, to) = (self.display(range.from)?, self.display(range.to)?);
                let dots = if range.exclusive { "..." } else { ".." };
                format!("{from}{dots}{to}")
            }
            Value::Regexp(id) => super::regexps::embedded(&self.heap[id]),
            Value::Match(id) => self.heap[id].group(0).unwrap_or("").to_owned(),
            Value::Exception(id) => self.heap[id].message.clone(),
            Value::Version(id) => match &self.heap[id] {
                VersionObject::Gem(text)
                | VersionObject::ChefVersion(text)
                | VersionObject::ChefConstraint(text) => text.clone(),
                VersionObject::Requirement(parts) => parts.join(", "),
            },
            // Ruby 3.4 writes hashes in another way than 3.1 does.
            Value::Hash(_) => return self.unsupported("a hash as a text"),
            Value::Proc(_)
            | Value::Enumerator(_)
            | Value::Output
            | Value::Handle(_)
            | Value::Main
            | Value::Object(_) => {
                let class = self.described(value);
                return self.unsupported(format!("{class} as a text"));
            }
        })
    }

    /// `inspect`
    pub(crate) fn inspect(&mut self, value: Value) -> Eval<String> {
        self.step(1)?;
        Ok(match value {
            Value::Nil => "nil".to_owned(),
            Value::Sym(id) => inspect_symbol(&self.heap[id]),
            Value::Str(id) => {
                let text = &self.heap[id].text;
                // How Ruby writes these depends on the string's encoding.
                if text.contains(|c: char| c.is_ascii_control() && !SHORT_ESCAPES.contains(c)) {
                    return self.unsupported("`inspect` of control characters");
                }
                inspect_text(text)
            }
            Value::Array(id) => {
                let items = self.heap[id].items.clone();
                let mut text = String::from("[");
                for (number, item) in items.into_iter().enumerate() {
                    if number > 0 {
                        text.push_str(", ");
                    }
                    let piece = self.deeper(|this| this.inspect(item))?;
                    self.charge(piece.len() as u64)?;
                    text.push_str(&piece);
                }
                text.push(']');
                text
            }
            Value::Range(id) => {
                let range = self.heap[id];
                let from = if range.from.is_nil() {
                    String::new()
                } else {
                    self.inspect(range.from)?
                };
                let to = if range.to.is_nil() {
                    String::new()
                } else {
                    self.inspect(range.to)?
                };
                let dots = if range.exclusive { "..." } else { ".." };
                format!("{from}{dots}{to}")
            }
            Value::Regexp(id) => super::regexps::inspected(&self.heap[id]),
            Value::Exception(id) => {
                let exception = &self.heap[id];
                match &*exception.message {
                    "" => exception.class.to_owned(),
                    message => format!("#<{}: {message}>", exception.class),
                }
            }
            Value::Version(id) => match &self.heap[id] {
                VersionObject::Gem(text) => format!("Gem::Version.new({})", inspect_text(text)),
                VersionObject::ChefVersion(text) => inspect_text(text),
                _ => return self.unsupported("`inspect` of this"),
            },
            Value::Match(_) | Value::Env | Value::Pathname(_) => {
                return self.unsupported("`inspect` of this");
            }
            _ => return self.display(value),
        })
    }

    /// `==`
    pub(super) fn equal(&mut self, left: Value, right: Value) -> Eval<bool> {
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
    pub(super) fn compare(&mut self, left: Value, right: Value) -> Eval<Option<Ordering>> {
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
    pub(super) fn order(&mut self, left: Value, right: Value) -> Eval<Ordering> {
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
    pub(super) fn case_equal(
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
    pub(super) fn is_a(&mut self, dsl: &mut dyn Dsl, value: Value, class: &str) -> Eval<bool> {
        Ok(match value {
            Value::Main => class == dsl.class_name() || classes::is_a("Object", class),
            Value::Object(_) => return self.unsupported("the class of this object"),
            Value::Exception(id) => exceptions::is_a(self.heap[id].class, class),
            _ => classes::is_a(self.class_of(value), class),
        })
    }

    /// A value as the key of a hash.
    pub(super) fn key(&mut self, value: Value) -> Eval<(Key, Value)> {
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
    pub(super) fn hashed(&mut self, value: Value) -> Eval<Key> {
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

    /// The methods that every value has.
    pub(super) fn object_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        receiver: Value,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "nil?" => Value::Bool(receiver.is_nil()),
            "!" => Value::Bool(!receiver.truthy()),
            "==" | "===" => {
                let other = self.one(call)?;
                Value::Bool(self.equal(receiver, other)?)
            }
            "!=" => {
                let other = self.one(call)?;
                Value::Bool(!self.equal(receiver, other)?)
            }
            "equal?" => {
                let other = self.one(call)?;
                Value::Bool(receiver == other)
            }
            "eql?" => {
                let other = self.one(call)?;
                Value::Bool(self.hashed(receiver)? == self.hashed(other)?)
            }
            "<=>" => {
                let other = self.one(call)?;
                let order = self.compare(receiver, other)?;
                order.map_or(Value::Nil, |order| Value::Int(order as i64))
            }
            "=~" if receiver.is_nil() => Value::Nil,
            "!~" => {
                let found = self.send(dsl, scope, receiver, "=~", &call.args)?;
                Value::Bool(!found.truthy())
            }
            "class" => match classes::named(self.class_of(receiver)) {
                Some(class) => Value::Module(class),
                None => return self.unsupported("the class of this object"),
            },
            "is_a?" | "kind_of?" => match self.one(call)? {
                Value::Module(class) => Value::Bool(self.is_a(dsl, receiver, class)?),
                _ => return self.raise("TypeError", "class or module required"),
            },
            "instance_of?" => match self.one(call)? {
                Value::Module(class) => Value::Bool(self.class_of(receiver) == class),
                _ => return self.raise("TypeError", "class or module required"),
            },
            "respond_to?" => {
                self.takes(call, 1, 2)?;
                let Some(name) = self.name_text(call.args[0]) else {
                    return self.raise("TypeError", "not a symbol nor a string");
                };
                Value::Bool(self.responds(dsl, receiver, &name, false)?)
            }
            "itself" => receiver,
            "to_s" => {
                self.takes(call, 0, 0)?;
                let text = self.display(receiver)?;
                self.string(text)?
            }
            "inspect" => {
                let text = self.inspect(receiver)?;
                self.string(text)?
            }
            "freeze" => self.frozen(receiver),
            "frozen?" => Value::Bool(self.is_frozen(receiver)),
            "dup" | "clone" | "+@" => return self.copied(receiver, call).map(Some),
            _ => return self.object_block_method(dsl, scope, receiver, call),
        }))
    }

    fn object_block_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        receiver: Value,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "tap" => {
                let block = self.block(call)?;
                self.call_block(dsl, block, &[receiver])?;
                receiver
            }
            "then" | "yield_self" => {
                let block = self.block(call)?;
                self.call_block(dsl, block, &[receiver])?
            }
            "send" | "public_send" | "__send__" => {
                self.takes(call, 1, usize::MAX)?;
                let Some(name) = self.name_text(call.args[0]) else {
                    return self.raise("TypeError", "not a symbol nor a string");
                };
                let inner = Invocation {
                    name: name.into(),
                    args: call.args[1..].to_vec(),
                    ..call.clone()
                };
                self.deeper(|this| this.call_method(dsl, scope, receiver, &inner))?
            }
            "between?" | "clamp"
                if !matches!(
                    receiver,
                    Value::Int(_) | Value::Float(_) | Value::Str(_) | Value::Version(_)
                ) =>
            {
                return Ok(None);
            }
            "between?" => {
                self.takes(call, 2, 2)?;
                let low = self.order(receiver, call.args[0])?;
                let high = self.order(receiver, call.args[1])?;
                Value::Bool(low.is_ge() && high.is_le())
            }
            "clamp" => {
                self.takes(call, 2, 2)?;
                if self.order(receiver, call.args[0])?.is_lt() {
                    call.args[0]
                } else if self.order(receiver, call.args[1])?.is_gt() {
                    call.args[1]
                } else {
                    receiver
                }
            }
            _ => return Ok(None),
        }))
    }

    /// Calls a method by name with arguments alone.
    pub(super) fn send(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        receiver: Value,
        name: &str,
        args: &[Value],
    ) -> Eval {
        let call = super::assign::plain_call(&name.into(), args.to_vec(), self.here);
        self.deeper(|this| this.call_method(dsl, scope, receiver, &call))
    }

    fn frozen(&mut self, value: Value) -> Value {
        match value {
            Value::Str(id) => self.heap[id].frozen = true,
            Value::Array(id) => self.heap[id].frozen = true,
            Value::Hash(id) => self.heap[id].frozen = true,
            _ => {}
        }
        value
    }

    fn is_frozen(&self, value: Value) -> bool {
        match value {
            Value::Str(id) => self.heap[id].frozen,
            Value::Array(id) => self.heap[id].frozen,
            Value::Hash(id) => self.heap[id].frozen,
            Value::Main | Value::Object(_) | Value::Exception(_) | Value::Env => false,
            _ => true,
        }
    }

    fn copied(&mut self, value: Value, call: &Invocation) -> Eval {
        let cloned = &*call.name == "clone";
        match value {
            Value::Str(id) if &*call.name == "+@" && !self.heap[id].frozen => Ok(value),
            Value::Str(id) => {
                let frozen = cloned && self.heap[id].frozen;
                let text = self.text(id)?;
                match frozen {
                    true => self.frozen_string(text),
                    false => self.string(text),
                }
            }
            _ if &*call.name == "+@" => self.unsupported("unary `+` of this"),
            Value::Array(id) => {
                let items = self.heap[id].items.clone();
                let copy = self.array(items)?;
                if let (Value::Array(new), true) = (copy, cloned) {
                    self.heap[new].frozen = self.heap[id].frozen;
                }
                Ok(copy)
            }
            Value::Hash(id) => {
                let old = &self.heap[id];
                let copy = super::value::Hash {
                    entries: old.entries.clone(),
                    default: old.default,
                    default_proc: old.default_proc,
                    frozen: cloned && old.frozen,
                };
                self.hash(copy)
            }
            Value::Main | Value::Object(_) => self.unsupported("a copy of this object"),
            _ => Ok(value),
        }
    }

    /// A text that does not hold the place of the source.
    pub(crate) fn placeless(&mut self, text: String) -> Eval<String> {
        if paths::holds_place(&text) {
            let at = self.location(self.here);
            return Err(super::error::RubyError::DependsOnPlace { at }.into());
        }
        Ok(text)
    }
}

/// A symbol as Ruby writes it: in quotes where it is no word.
pub(super) fn inspect_symbol(name: &str) -> String {
    let word = name.strip_suffix(['?', '!', '=']).unwrap_or(name);
    let word = word.trim_start_matches(['@', '$']);
    let plain = word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    const OPERATORS: [&str; 24] = [
        "+", "-", "*", "/", "%", "**", "==", "!=", "===", "=~", "!~", "<=>", "<", ">", "<=", ">=",
        "<<", ">>", "!", "[]", "[]=", "&", "|", "^",
    ];
    match plain || OPERATORS.contains(&name) {
        true => format!(":{name}"),
        false => format!(":{}", inspect_text(name)),
    }
}

/// Control characters that have an escape of one letter.
const SHORT_ESCAPES: &str = "\n\r\t\u{7}\u{8}\u{b}\u{c}\u{1b}";

/// A string as Ruby writes it.
pub(super) fn inspect_text(text: &str) -> String {
    let mut shown = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => shown.push_str("\\\""),
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\u{7}' => shown.push_str("\\a"),
            '\u{8}' => shown.push_str("\\b"),
            '\u{b}' => shown.push_str("\\v"),
            '\u{c}' => shown.push_str("\\f"),
            '\u{1b}' => shown.push_str("\\e"),
            '#' if matches!(chars.peek(), Some('{' | '$' | '@')) => shown.push_str("\\#"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                shown.push_str(&format!("\\u{:04X}", c as u32));
            }
            c => shown.push(c),
        }
    }
    shown.push('"');
    shown
}
