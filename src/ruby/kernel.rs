//! The methods that need no receiver: `require`, `raise`, `lambda`, `format`, ...

mod names;
mod raising;

use names::{LIBRARIES, PUBLIC_WORDS, RUBY_WORDS};
pub(super) use names::{is_public_word, is_ruby_word};

use super::dsl::{Dsl, Invocation};
use super::fail::{Eval, Exit};
use super::files::FileKind;
use super::format;
use super::interpreter::Interpreter;
use super::value::{Proc, Value};

impl Interpreter<'_> {
    /// Calls a method of `Kernel` or of `self`. None where there is no such method, or where it is
    /// not supported.
    pub(super) fn kernel_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "require" => self.require(dsl, scope, call)?,
            "require_relative" | "load" => self.require_file(dsl, scope, call)?,
            "instance_eval" => self.instance_eval(dsl, scope, call)?,
            "lambda" | "proc" => Value::Proc(self.block(call)?),
            "raise" | "fail" => self.raise_call(dsl, scope, call)?,
            "loop" => self.loop_call(dsl, call)?,
            "catch" => self.catch(dsl, call)?,
            "throw" => {
                self.takes(call, 1, 2)?;
                let value = call.args.get(1).copied().unwrap_or(Value::Nil);
                let tag = call.args[0];
                return Err(Exit::Throw { tag, value }.into());
            }
            // What is printed changes nothing that is declared.
            "puts" | "print" | "warn" | "printf" | "putc" => Value::Nil,
            "p" | "pp" => match call.args[..] {
                [] => Value::Nil,
                [only] => only,
                _ => self.array(call.args.clone())?,
            },
            "format" | "sprintf" => {
                self.takes(call, 1, usize::MAX)?;
                let pattern = self.text_of(call.args[0])?;
                let text = format::format(self, &pattern, &call.args[1..])?;
                self.string(text)?
            }
            "block_given?" => {
                let frame = self.scopes[scope as usize].frame as usize;
                Value::Bool(self.frames[frame].block.is_some())
            }
            "__dir__" => {
                let folder = self.folder_of(call.name_span);
                self.string(folder)?
            }
            "respond_to?" => {
                self.takes(call, 1, 2)?;
                let Some(name) = self.name_text(call.args[0]) else {
                    return self.raise("TypeError", "not a symbol nor a string");
                };
                let private = call.args.get(1).is_some_and(|value| value.truthy());
                Value::Bool(self.responds(dsl, Value::Main, &name, private)?)
            }
            "method" => {
                let name = self.one(call)?;
                let Some(name) = self.name_text(name) else {
                    return self.raise("TypeError", "not a symbol nor a string");
                };
                if !self.responds(dsl, Value::Main, &name, true)? {
                    return self.raise("NameError", format!("undefined method `{name}'"));
                }
                Value::Proc(self.new_proc(Proc::Method(name.into()))?)
            }
            _ => return self.self_method(dsl, scope, call),
        }))
    }

    fn self_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "Array" => match self.one(call)? {
                value @ Value::Array(_) => value,
                Value::Nil => self.array(Vec::new())?,
                value @ (Value::Hash(_) | Value::Range(_)) => {
                    let items = self.items_of(value)?;
                    self.array(items)?
                }
                value => self.array(vec![value])?,
            },
            "Pathname" => {
                let path = self.one(call)?;
                let path = self.path_text(path)?;
                self.pathname(path)?
            }
            "open" => return self.file_method(dsl, call),
            "String" => {
                let value = self.one(call)?;
                let text = self.display(value)?;
                self.string(text)?
            }
            "Integer" | "Float" => self.number_from(call)?,
            "instance_variable_get" => {
                let name = self.one(call)?;
                let name = self.name_text(name).unwrap_or_default();
                let value = self.instance_variables.get(&*name);
                match value {
                    Some(value) => *value,
                    // The object has variables of its own, which are not modelled.
                    None => return self.unsupported("`instance_variable_get` of this"),
                }
            }
            "instance_exec" => {
                let block = self.block(call)?;
                self.call_block(dsl, block, &call.args)?
            }
            "freeze" | "itself" => Value::Main,
            "!" | "nil?" => Value::Bool(false),
            "class" => return self.unsupported("the class of the file's own object"),
            "is_a?" | "kind_of?" | "==" | "!=" | "equal?" | "tap" | "then" | "yield_self"
            | "send" | "public_send" | "__send__" => {
                return self.object_method(dsl, scope, Value::Main, call);
            }
            _ => return Ok(None),
        }))
    }

    fn number_from(&mut self, call: &Invocation) -> Eval {
        let value = self.one(call)?;
        let text = match value {
            Value::Int(_) | Value::Float(_) if &*call.name == "Integer" => {
                return self.int_of(value).map(Value::Int);
            }
            Value::Float(_) => return Ok(value),
            #[expect(clippy::cast_precision_loss, reason = "that is what `Float()` does")]
            Value::Int(number) => return Ok(Value::Float(number as f64)),
            Value::Str(id) => self.text(id)?,
            _ => return self.unsupported(format!("`{}` of this", call.name)),
        };
        let digits = text.trim();
        // Ruby also knows underscores, bases and exponents here.
        let plain = digits.strip_prefix(['-', '+']).unwrap_or(digits);
        let decimal = plain.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let parsed = match &*call.name {
            "Integer" if plain == "0" || !plain.starts_with('0') => {
                digits.parse().ok().map(Value::Int)
            }
            "Float" if decimal && !plain.starts_with('.') && !plain.ends_with('.') => {
                digits.parse().ok().map(Value::Float)
            }
            _ => None,
        };
        if let Some(value) = parsed {
            return Ok(value);
        }
        if plain.starts_with(|c: char| c.is_ascii_digit()) {
            return self.unsupported(format!("`{}` of this", call.name));
        }
        let shown = self.inspect(value)?;
        self.raise(
            "ArgumentError",
            format!("invalid value for {}(): {shown}", call.name),
        )
    }

    /// `respond_to?`: an error where the answer is not known.
    pub(super) fn responds(
        &mut self,
        dsl: &mut dyn Dsl,
        receiver: Value,
        name: &str,
        private: bool,
    ) -> Eval<bool> {
        if PUBLIC_WORDS.contains(&name) || (private && RUBY_WORDS.contains(&name)) {
            return Ok(true);
        }
        match receiver {
            Value::Main => Ok(self.methods.contains_key(name) || dsl.knows(name)),
            Value::Object(_) => self.unsupported("`respond_to?` of this object"),
            _ => match super::methods::known(self.class_of(receiver), name) {
                Some(known) => Ok(known),
                None => {
                    let what = self.described(receiver);
                    self.unsupported(format!(
                        "`respond_to?({})` of {what}",
                        super::objects::inspect_symbol(name)
                    ))
                }
            },
        }
    }

    fn require(&mut self, dsl: &mut dyn Dsl, scope: u32, call: &Invocation) -> Eval {
        let library = self.one(call)?;
        let library = self.text_of(library)?;
        if library.starts_with(['/', '.']) {
            return self.require_file(dsl, scope, call);
        }
        if let Some(load_path) = self.load_path {
            for folder in self.heap[load_path].items.clone() {
                let folder = self.path_text(folder)?;
                let path = format!("{folder}/{}.rb", library.trim_end_matches(".rb"));
                if self.path_kind(&path)? == Some(FileKind::File) {
                    let path = self.string(path)?;
                    let call = Invocation {
                        args: vec![path],
                        ..call.clone()
                    };
                    return self.require_file(dsl, scope, &call);
                }
            }
        }
        let first = library.split('/').next().unwrap_or(&library);
        if LIBRARIES.contains(&first) {
            return Ok(Value::Bool(true));
        }
        self.unsupported(format!("`require` of the library `{library}`"))
    }
}
