//! What every value has: a class, a text, equality, an order, and the methods of all objects.

mod compare;

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::value::{Proc, Value, VersionObject};
use super::{classes, numbers, paths};

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
            Value::OpenFile(_) => "File",
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
            | Value::OpenFile(_)
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
                    visitors: 0,
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
