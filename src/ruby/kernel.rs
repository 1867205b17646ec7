//! The methods that need no receiver: `require`, `raise`, `lambda`, `format`, ...

use super::dsl::{Dsl, Invocation};
use super::fail::{Eval, Exit, Fail};
use super::interpreter::Interpreter;
use super::value::{Exception, Proc, Value};
use super::{classes, exceptions, format};

/// What every object answers to in Ruby, public or private, and what is therefore never a word that
/// Chef ignores.
const RUBY_WORDS: &[&str] = &[
    "!",
    "!=",
    "!~",
    "<=>",
    "==",
    "===",
    "=~",
    "Array",
    "Complex",
    "DelegateClass",
    "Float",
    "Hash",
    "Integer",
    "JSON",
    "Pathname",
    "Rational",
    "String",
    "__callee__",
    "__dir__",
    "__id__",
    "__method__",
    "__send__",
    "`",
    "abort",
    "at_exit",
    "autoload",
    "autoload?",
    "binding",
    "block_given?",
    "caller",
    "caller_locations",
    "catch",
    "class",
    "clone",
    "define_singleton_method",
    "display",
    "dup",
    "enum_for",
    "eql?",
    "equal?",
    "eval",
    "exec",
    "exit",
    "exit!",
    "extend",
    "fail",
    "ffi_yajl",
    "fork",
    "format",
    "freeze",
    "frozen?",
    "gem_original_require",
    "gets",
    "global_variables",
    "hash",
    "initialize",
    "initialize_clone",
    "initialize_copy",
    "initialize_dup",
    "inspect",
    "instance_eval",
    "instance_exec",
    "instance_of?",
    "instance_variable_defined?",
    "instance_variable_get",
    "instance_variable_set",
    "instance_variables",
    "is_a?",
    "iterator?",
    "itself",
    "j",
    "jj",
    "kind_of?",
    "lambda",
    "load",
    "local_variables",
    "loop",
    "method",
    "methods",
    "nil?",
    "object_id",
    "open",
    "p",
    "pp",
    "pretty_inspect",
    "pretty_print",
    "pretty_print_cycle",
    "pretty_print_inspect",
    "pretty_print_instance_variables",
    "print",
    "printf",
    "private_methods",
    "proc",
    "protected_methods",
    "public_method",
    "public_methods",
    "public_send",
    "putc",
    "puts",
    "raise",
    "rand",
    "readline",
    "readlines",
    "remove_instance_variable",
    "require",
    "require_relative",
    "respond_to?",
    "respond_to_missing?",
    "select",
    "send",
    "set_trace_func",
    "singleton_class",
    "singleton_method",
    "singleton_method_added",
    "singleton_method_removed",
    "singleton_method_undefined",
    "singleton_methods",
    "sleep",
    "spawn",
    "sprintf",
    "srand",
    "syscall",
    "system",
    "taint",
    "tainted?",
    "tap",
    "test",
    "then",
    "throw",
    "to_enum",
    "to_s",
    "trace_var",
    "trap",
    "trust",
    "untaint",
    "untrace_var",
    "untrust",
    "untrusted?",
    "warn",
    "yield_self",
];

/// The public ones of them: what `respond_to?` finds on every object.
const PUBLIC_WORDS: &[&str] = &[
    "!",
    "!=",
    "!~",
    "<=>",
    "==",
    "===",
    "=~",
    "__id__",
    "__send__",
    "class",
    "clone",
    "define_singleton_method",
    "display",
    "dup",
    "enum_for",
    "eql?",
    "equal?",
    "extend",
    "freeze",
    "frozen?",
    "hash",
    "inspect",
    "instance_eval",
    "instance_exec",
    "instance_of?",
    "instance_variable_defined?",
    "instance_variable_get",
    "instance_variable_set",
    "instance_variables",
    "is_a?",
    "itself",
    "kind_of?",
    "method",
    "methods",
    "nil?",
    "object_id",
    "private_methods",
    "protected_methods",
    "public_method",
    "public_methods",
    "public_send",
    "remove_instance_variable",
    "respond_to?",
    "send",
    "singleton_class",
    "singleton_method",
    "singleton_methods",
    "tap",
    "then",
    "to_enum",
    "to_s",
    "yield_self",
];

/// Libraries that only define constants, which are known here or are an error where they are used.
const LIBRARIES: &[&str] = &[
    "English",
    "abbrev",
    "base64",
    "benchmark",
    "berkshelf",
    "bigdecimal",
    "bundler",
    "chef",
    "chef-config",
    "chef-utils",
    "chef_utils",
    "csv",
    "date",
    "delegate",
    "digest",
    "erb",
    "etc",
    "fileutils",
    "find",
    "forwardable",
    "ipaddr",
    "json",
    "logger",
    "mixlib",
    "net",
    "observer",
    "ohai",
    "open-uri",
    "open3",
    "openssl",
    "optparse",
    "ostruct",
    "pathname",
    "pp",
    "rbconfig",
    "resolv",
    "rubygems",
    "securerandom",
    "set",
    "shellwords",
    "singleton",
    "socket",
    "solve",
    "stringio",
    "strscan",
    "tempfile",
    "time",
    "timeout",
    "tmpdir",
    "tsort",
    "uri",
    "weakref",
    "yaml",
    "zlib",
];

/// Whether every Ruby object has a method of this name.
pub(super) fn is_ruby_word(name: &str) -> bool {
    RUBY_WORDS.contains(&name)
}

/// Whether every Ruby object has a public method of this name.
pub(super) fn is_public_word(name: &str) -> bool {
    PUBLIC_WORDS.contains(&name)
}

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
        let first = library.split('/').next().unwrap_or(&library);
        if LIBRARIES.contains(&first) {
            return Ok(Value::Bool(true));
        }
        self.unsupported(format!("`require` of the library `{library}`"))
    }

    fn loop_call(&mut self, dsl: &mut dyn Dsl, call: &Invocation) -> Eval {
        let block = self.block(call)?;
        loop {
            match self.call_block(dsl, block, &[]).map_err(Fail::into_exit) {
                Ok(_) => {}
                Err(Exit::Raise { exception, at }) => {
                    if exceptions::is_a(self.heap[exception].class, "StopIteration") {
                        return Ok(Value::Nil);
                    }
                    return Err(Exit::Raise { exception, at }.into());
                }
                Err(exit) => return Err(exit.into()),
            }
        }
    }

    fn catch(&mut self, dsl: &mut dyn Dsl, call: &Invocation) -> Eval {
        let wanted = self.one(call)?;
        let block = self.block(call)?;
        match self
            .call_block(dsl, block, &[wanted])
            .map_err(Fail::into_exit)
        {
            Ok(value) => Ok(value),
            Err(Exit::Throw { tag, value }) if tag == wanted => Ok(value),
            Err(exit) => Err(exit.into()),
        }
    }

    /// `raise`, with a text, a class, a class and a text, an exception, or nothing.
    fn raise_call(&mut self, dsl: &mut dyn Dsl, scope: u32, call: &Invocation) -> Eval {
        self.takes(call, 0, 3)?;
        let message = call.args.get(1).copied();
        let exception = match call.args.first() {
            None => match self.current_exception {
                Some(Value::Exception(id)) => id,
                _ => return self.raise("RuntimeError", "unhandled exception"),
            },
            Some(Value::Exception(id)) => match message {
                None => *id,
                Some(message) => {
                    let message = self.display(message)?;
                    let class = self.heap[*id].class;
                    self.heap.exception_object(Exception { class, message })
                }
            },
            Some(Value::Module(class)) if exceptions::class(class).is_some() => {
                let args: Vec<Value> = message.into_iter().collect();
                match self.send(dsl, scope, Value::Module(class), "new", &args)? {
                    Value::Exception(id) => id,
                    _ => return self.raise("TypeError", "exception object expected"),
                }
            }
            Some(value) => match self.string_like(*value).map(str::to_owned) {
                Some(text) => return self.raise("RuntimeError", text),
                None => return self.raise("TypeError", "exception class/object expected"),
            },
        };
        let at = self.here;
        Err(Exit::Raise { exception, at }.into())
    }

    /// `Class.new(message)` of an exception.
    pub(super) fn new_exception(&mut self, class: &'static str, call: &Invocation) -> Eval {
        self.takes(call, 0, 1)?;
        let message = match call.args.first() {
            None => class.to_owned(),
            Some(message) => self.display(*message)?,
        };
        self.charge(96 + message.len() as u64)?;
        let exception = self.heap.exception_object(Exception { class, message });
        Ok(Value::Exception(exception))
    }

    /// The methods of an exception.
    pub(super) fn exception_method(
        &mut self,
        receiver: super::value::ExceptionId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "message" | "to_s" | "full_message" => {
                let message = self.heap[receiver].message.clone();
                self.string(message)?
            }
            "class" => match classes::named(self.heap[receiver].class) {
                Some(class) => Value::Module(class),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }
}
