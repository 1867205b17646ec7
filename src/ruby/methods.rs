//! Finds the built-in method of a value.

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::strings::count;
use super::value::{Proc, Value, VersionObject};
use super::{assign, kernel, versions};

/// Methods that files ask for with `respond_to?`, and the classes that have them. For any other
/// method of a value the answer is not known.
const PROBES: &[(&str, &[&str])] = &[
    (
        "<<",
        &["Array", "String", "Integer", "ChefUtils::VersionString"],
    ),
    (
        "[]",
        &[
            "Array",
            "Hash",
            "String",
            "Integer",
            "Symbol",
            "Proc",
            "MatchData",
            "Method",
            "ChefUtils::VersionString",
        ],
    ),
    ("call", &["Proc", "Method"]),
    (
        "downcase",
        &["String", "Symbol", "ChefUtils::VersionString"],
    ),
    ("each", &["Array", "Hash", "Range"]),
    ("each_pair", &["Hash"]),
    (
        "empty?",
        &[
            "Array",
            "Hash",
            "String",
            "Symbol",
            "ChefUtils::VersionString",
        ],
    ),
    ("gsub", &["String", "ChefUtils::VersionString"]),
    ("join", &["Array"]),
    ("key?", &["Hash"]),
    ("keys", &["Hash"]),
    (
        "length",
        &[
            "Array",
            "Hash",
            "String",
            "Symbol",
            "MatchData",
            "ChefUtils::VersionString",
        ],
    ),
    ("map", &["Array", "Hash", "Range"]),
    ("merge", &["Hash"]),
    (
        "size",
        &[
            "Array",
            "Hash",
            "String",
            "Symbol",
            "Integer",
            "Range",
            "MatchData",
            "ChefUtils::VersionString",
        ],
    ),
    ("split", &["String", "ChefUtils::VersionString"]),
    ("strip", &["String", "ChefUtils::VersionString"]),
    ("to_a", &["Array", "Hash", "Range", "NilClass", "MatchData"]),
    ("to_ary", &["Array"]),
    (
        "to_f",
        &[
            "String",
            "Integer",
            "Float",
            "NilClass",
            "ChefUtils::VersionString",
        ],
    ),
    ("to_h", &["Array", "Hash", "Range", "NilClass"]),
    ("to_hash", &["Hash"]),
    (
        "to_i",
        &[
            "String",
            "Integer",
            "Float",
            "NilClass",
            "ChefUtils::VersionString",
        ],
    ),
    ("to_proc", &["Symbol", "Hash", "Proc", "Method"]),
    ("to_str", &["String", "ChefUtils::VersionString"]),
    ("to_sym", &["String", "Symbol", "ChefUtils::VersionString"]),
    ("upcase", &["String", "Symbol", "ChefUtils::VersionString"]),
    ("version", &[]),
];

/// Classes for which the table above is complete.
const PROBED: &[&str] = &[
    "Array",
    "ChefUtils::VersionString",
    "FalseClass",
    "Float",
    "Hash",
    "Integer",
    "MatchData",
    "Method",
    "NilClass",
    "Proc",
    "Range",
    "String",
    "Symbol",
    "TrueClass",
];

/// Methods that take no argument, whatever they are called on.
const ALONE: &[&str] = &[
    "abs",
    "bytes",
    "bytesize",
    "captures",
    "capitalize!",
    "chars",
    "chop",
    "clear",
    "compact",
    "downcase!",
    "each",
    "each_char",
    "each_index",
    "each_key",
    "each_pair",
    "each_value",
    "empty?",
    "even?",
    "frozen?",
    "id2name",
    "inspect",
    "intern",
    "invert",
    "keys",
    "length",
    "lstrip",
    "named_captures",
    "names",
    "negative?",
    "odd?",
    "ord",
    "positive?",
    "pred",
    "rstrip",
    "size",
    "sort_by",
    "strip",
    "succ",
    "swapcase!",
    "tally",
    "times",
    "to_a",
    "to_f",
    "to_hash",
    "to_proc",
    "to_str",
    "to_sym",
    "transpose",
    "upcase!",
    "values",
    "zero?",
];

/// The methods of `nil` that not every object has.
const NIL_WORDS: &[&str] = &[
    "&",
    "=~",
    "^",
    "j",
    "jj",
    "rationalize",
    "to_a",
    "to_c",
    "to_f",
    "to_h",
    "to_i",
    "to_json",
    "to_r",
    "to_yaml",
    "|",
];

/// Whether a class has a method; none where that is not known.
pub(super) fn known(class: &str, method: &str) -> Option<bool> {
    let (_, classes) = PROBES.iter().find(|(name, _)| *name == method)?;
    PROBED.contains(&class).then(|| classes.contains(&class))
}

impl Interpreter<'_> {
    /// Calls a method of a value's own class. None where it is not known.
    pub(super) fn value_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        receiver: Value,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        if !call.args.is_empty() && ALONE.contains(&&*call.name) {
            return self.unsupported(format!("`{}` with arguments", call.name));
        }
        if call.block.is_none() && waits_for_block(receiver, call) {
            return self.enumerator(receiver, call).map(Some);
        }
        match receiver {
            Value::Nil => self.nil_method(call),
            Value::Bool(value) => self.bool_method(value, call),
            Value::Int(_) | Value::Float(_) => self.number_method(dsl, receiver, call),
            Value::Sym(id) => self.symbol_method(dsl, scope, id, call),
            Value::Str(id) => self.string_method(dsl, scope, id, call),
            Value::Array(id) => self.array_method(dsl, scope, id, call),
            Value::Hash(id) => self.hash_method(dsl, scope, id, call),
            Value::Range(id) => self.range_method(dsl, scope, id, call),
            Value::Regexp(id) => self.regexp_method(scope, id, call),
            Value::Match(id) => self.match_method(id, call),
            Value::Proc(id) => self.proc_method(dsl, id, call),
            Value::Exception(id) => self.exception_method(id, call),
            Value::Enumerator(id) => self.enumerator_method(dsl, scope, id, call),
            Value::Version(_) => self.version_method(dsl, scope, receiver, call),
            Value::Module(name) => self.module_method(dsl, scope, name, call),
            Value::Env => self.env_method(dsl, call),
            Value::Output => Ok(match &*call.name {
                // What is printed changes nothing that is declared.
                "puts" | "print" | "printf" | "flush" | "sync=" => Some(Value::Nil),
                _ => None,
            }),
            Value::OpenFile(id) => self.opened_method(dsl, scope, id, call),
            Value::Pathname(id) => self.pathname_method(id, call),
            Value::Main | Value::OwnModule(_) | Value::Object(_) => Ok(None),
        }
    }

    fn nil_method(&mut self, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "to_a" => self.array(Vec::new())?,
            "to_h" => self.hash(super::value::Hash::default())?,
            "to_i" => Value::Int(0),
            "to_f" => Value::Float(0.0),
            "&" => Value::Bool(false),
            "|" => Value::Bool(self.one(call)?.truthy()),
            // `nil` has few methods, so what it lacks is known: what Ruby raises, and what a `rescue` may
            // count on.
            name if !NIL_WORDS.contains(&name) && !kernel::is_public_word(name) => {
                let message = format!("undefined method `{name}' for nil:NilClass");
                return self.raise("NoMethodError", message);
            }
            _ => return Ok(None),
        }))
    }

    fn bool_method(&mut self, value: bool, call: &Invocation) -> Eval<Option<Value>> {
        let other = match &*call.name {
            "&" | "|" | "^" => self.one(call)?.truthy(),
            _ => return Ok(None),
        };
        Ok(Some(Value::Bool(match &*call.name {
            "&" => value & other,
            "|" => value | other,
            _ => value ^ other,
        })))
    }

    fn proc_method(
        &mut self,
        dsl: &mut dyn Dsl,
        id: super::value::ProcId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "call" | "()" | "yield" | "===" | "[]" => {
                let (args, keywords) = (call.args.clone(), call.keywords);
                self.call_proc(dsl, id, &args, keywords, call.block)?
            }
            "to_proc" => Value::Proc(id),
            "lambda?" => {
                let lambda = match &self.heap[id] {
                    Proc::Block { lambda, .. } => *lambda,
                    Proc::Symbol(_) | Proc::Method(_) => true,
                    Proc::Indexed { .. } | Proc::Collector(_) => false,
                };
                Value::Bool(lambda)
            }
            _ => return Ok(None),
        }))
    }

    fn version_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        receiver: Value,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let Value::Version(id) = receiver else {
            return Ok(None);
        };
        if matches!(&*call.name, "<" | ">" | "<=" | ">=") {
            let other = self.one(call)?;
            let order = self.order(receiver, other)?;
            return Ok(Some(Value::Bool(match &*call.name {
                "<" => order.is_lt(),
                ">" => order.is_gt(),
                "<=" => order.is_le(),
                _ => order.is_ge(),
            })));
        }
        match self.heap[id].clone() {
            VersionObject::Gem(text) => self.gem_version_method(&text, call),
            VersionObject::Requirement(parts) => match &*call.name {
                "satisfied_by?" | "===" | "=~" => {
                    let version = self.one(call)?;
                    let version = self.display(version)?;
                    Ok(Some(Value::Bool(fits(&parts, &version))))
                }
                _ => Ok(None),
            },
            VersionObject::ChefConstraint(text) => match &*call.name {
                "include?" => {
                    let version = self.one(call)?;
                    let version = self.display(version)?;
                    self.constraint_includes(&text, &version).map(Some)
                }
                _ => Ok(None),
            },
            VersionObject::ChefVersion(text) => match &*call.name {
                "satisfies?" => self.satisfies(&text, &call.args).map(Some),
                // Without leaving a `$~`: the match happens within a method.
                "=~" => match self.one(call)? {
                    Value::Regexp(regexp) => {
                        let found = self.find(regexp, &text, 0)?;
                        let at = found.and_then(|groups| groups[0]);
                        let at = at.map(|(at, _)| count(text[..at].chars().count()));
                        Ok(Some(at.map_or(Value::Nil, Value::Int)))
                    }
                    _ => self.satisfies(&text, &call.args).map(Some),
                },
                // It is a string in every other respect.
                _ => {
                    let string = self.string(text)?;
                    let call = Invocation {
                        name_span: call.name_span,
                        args_span: call.args_span,
                        keywords: call.keywords,
                        block: call.block,
                        ..assign::plain_call(&call.name, call.args.clone(), call.name_span)
                    };
                    self.value_method(dsl, scope, string, &call)
                }
            },
        }
    }

    fn gem_version_method(&mut self, text: &str, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "version" | "to_s" => self.string(text)?,
            "segments" => {
                let mut parts = Vec::new();
                for part in text.split('.') {
                    match part.parse() {
                        Ok(number) => parts.push(Value::Int(number)),
                        Err(_) => return self.unsupported("`segments` of this version"),
                    }
                }
                self.array(parts)?
            }
            "prerelease?" => Value::Bool(text.contains(|c: char| c.is_ascii_alphabetic())),
            _ => return Ok(None),
        }))
    }

    fn satisfies(&mut self, version: &str, constraints: &[Value]) -> Eval {
        let mut parts = Vec::new();
        for constraint in constraints {
            parts.push(self.text_of(*constraint)?);
        }
        self.check_requirements(&parts)?;
        Ok(Value::Bool(fits(&parts, version)))
    }

    /// Raises what `RubyGems` raises for what is no requirement.
    pub(crate) fn check_requirements(&mut self, parts: &[String]) -> Eval<()> {
        for part in parts {
            if versions::requirement(part).is_none() {
                let shown = super::objects::inspect_text(part);
                return self.raise(
                    "Gem::Requirement::BadRequirementError",
                    format!("Illformed requirement [{shown}]"),
                );
            }
        }
        Ok(())
    }

    fn constraint_includes(&mut self, constraint: &str, version: &str) -> Eval {
        let constraint = constraint.parse::<crate::version::Constraint>();
        let version = version.parse::<crate::version::Version>();
        match (constraint, version) {
            (Ok(constraint), Ok(version)) => Ok(Value::Bool(constraint.matches(version))),
            (_, Err(error)) => self.raise(
                "Chef::Exceptions::InvalidCookbookVersion",
                error.to_string(),
            ),
            (Err(error), _) => self.raise(
                "Chef::Exceptions::InvalidVersionConstraint",
                error.to_string(),
            ),
        }
    }
}

/// Whether a version fits all of some requirements.
fn fits(parts: &[String], version: &str) -> bool {
    parts.iter().all(|part| {
        versions::requirement(part)
            .is_some_and(|(operator, wanted)| versions::satisfies(operator, &wanted, version))
    })
}

/// Whether a method without its block gives an enumerator.
fn waits_for_block(receiver: Value, call: &Invocation) -> bool {
    let list = matches!(
        receiver,
        Value::Array(_) | Value::Hash(_) | Value::Range(_) | Value::Int(_) | Value::Enumerator(_)
    );
    if matches!(receiver, Value::Str(_)) {
        return matches!(
            &*call.name,
            "each_char" | "each_line" | "each_byte" | "upto"
        );
    }
    list && match &*call.name {
        "each" | "map" | "collect" | "flat_map" | "each_with_index" | "select" | "filter"
        | "reject" | "each_pair" | "each_entry" | "times" | "reverse_each" | "each_index"
        | "filter_map" | "sort_by" | "group_by" | "partition" | "each_key" | "each_value" => {
            call.args.is_empty()
        }
        "each_slice" | "each_cons" | "upto" | "downto" => call.args.len() == 1,
        "step" | "%" if !matches!(receiver, Value::Int(_)) => call.args.len() == 1,
        "step" => !call.args.is_empty(),
        _ => false,
    }
}
