//! What built-in methods take: how many arguments, and of which type.

use super::dsl::Invocation;
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::value::{ArrayId, HashId, ProcId, StrId, Value};

impl Interpreter<'_> {
    /// Refuses a number of arguments that a built-in method is not known to take. Ruby may know it.
    pub(super) fn takes(&mut self, call: &Invocation, least: usize, most: usize) -> Eval<()> {
        if (least..=most).contains(&call.args.len()) {
            return Ok(());
        }
        self.unsupported(format!("`{}` with these arguments", call.name))
    }

    /// Raises what Ruby raises for a wrong number of arguments: for words whose arguments are all known.
    pub(crate) fn arity(&mut self, call: &Invocation, least: usize, most: usize) -> Eval<()> {
        let given = call.args.len();
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let expected = match most {
            usize::MAX => format!("{least}+"),
            most if most == least => least.to_string(),
            most => format!("{least}..{most}"),
        };
        self.raise(
            "ArgumentError",
            format!("wrong number of arguments (given {given}, expected {expected})"),
        )
    }

    /// The only argument.
    pub(super) fn one(&mut self, call: &Invocation) -> Eval {
        self.takes(call, 1, 1)?;
        Ok(call.args[0])
    }

    /// Raises what Ruby raises where a value cannot stand for another type.
    pub(super) fn no_conversion<T>(&mut self, value: Value, into: &str) -> Eval<T> {
        let from = match value {
            Value::Nil => "nil".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Match(_)
            | Value::Enumerator(_)
            | Value::Version(_)
            | Value::Env
            | Value::Output
            | Value::OpenFile(_)
            | Value::Pathname(_)
            | Value::OwnModule(_)
            | Value::Main
            | Value::Object(_) => {
                let what = self.described(value);
                return self.unsupported(format!("{what} in the place of {into}"));
            }
            value => self.class_of(value).to_owned(),
        };
        self.raise(
            "TypeError",
            format!("no implicit conversion of {from} into {into}"),
        )
    }

    /// A string's text, copied. Charged, since the copy may be large.
    pub(crate) fn text(&mut self, id: StrId) -> Eval<String> {
        self.charge(self.heap[id].text.len() as u64)?;
        Ok(self.heap[id].text.clone())
    }

    /// An argument that must be a string.
    pub(crate) fn text_of(&mut self, value: Value) -> Eval<String> {
        match self.string_like(value).map(str::to_owned) {
            Some(text) => {
                self.charge(text.len() as u64)?;
                Ok(text)
            }
            None => self.no_conversion(value, "String"),
        }
    }

    /// The text of a string, or of `Chef::VERSION`, which is one.
    pub(crate) fn string_like(&self, value: Value) -> Option<&str> {
        match value {
            Value::Str(id) => Some(&self.heap[id].text),
            Value::Version(id) => self.heap[id].as_string(),
            _ => None,
        }
    }

    /// An argument that must be an integer.
    pub(super) fn int_of(&mut self, value: Value) -> Eval<i64> {
        match value {
            Value::Int(number) => Ok(number),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "Ruby truncates, and what does not fit is refused"
            )]
            Value::Float(number) if number.abs() < 9e15 => Ok(number as i64),
            Value::Float(_) => self.unsupported("an integer of more than 64 bits"),
            _ => self.no_conversion(value, "Integer"),
        }
    }

    /// An argument that must be an array.
    pub(super) fn array_of(&mut self, value: Value) -> Eval<ArrayId> {
        match value {
            Value::Array(id) => Ok(id),
            _ => self.no_conversion(value, "Array"),
        }
    }

    /// An argument that must be a hash.
    pub(super) fn hash_of(&mut self, value: Value) -> Eval<HashId> {
        match value {
            Value::Hash(id) => Ok(id),
            _ => self.no_conversion(value, "Hash"),
        }
    }

    /// The text of a string or a symbol.
    pub(crate) fn name_text(&self, value: Value) -> Option<String> {
        match value {
            Value::Sym(id) => Some(self.heap[id].to_string()),
            _ => self.string_like(value).map(str::to_owned),
        }
    }

    /// The block that a method cannot do without.
    pub(super) fn block(&mut self, call: &Invocation) -> Eval<ProcId> {
        match call.block {
            Some(block) => Ok(block),
            None => self.unsupported(format!("`{}` without a block", call.name)),
        }
    }

    /// What a string may be changed into; raises if it is frozen.
    pub(super) fn change_text(&mut self, id: StrId, text: String) -> Eval {
        if self.heap[id].frozen {
            let shown = self.inspect(Value::Str(id))?;
            return self.raise(
                "FrozenError",
                format!("can't modify frozen String: {shown}"),
            );
        }
        self.charge(text.len() as u64)?;
        self.heap[id].text = text;
        self.heap[id].origin = None;
        Ok(Value::Str(id))
    }

    /// Raises if an array is frozen.
    pub(super) fn thaw_array(&mut self, id: ArrayId) -> Eval<()> {
        if self.heap[id].frozen {
            return self.raise("FrozenError", "can't modify frozen Array");
        }
        Ok(())
    }

    /// Raises if a hash is frozen.
    pub(super) fn thaw_hash(&mut self, id: HashId) -> Eval<()> {
        if self.heap[id].frozen {
            return self.raise("FrozenError", "can't modify frozen Hash");
        }
        Ok(())
    }
}
