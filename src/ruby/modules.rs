//! The methods of modules and classes: `File.read`, `Dir.glob`, `Gem::Version.new`, ...

mod file;

use super::dsl::{Dsl, Invocation};
use super::exceptions;
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::value::{Hash, Value, VersionObject};
use super::{classes, regexps, versions};
use crate::ruby::syntax::RegexpFlags;
use crate::version::{Constraint, Version};

impl Interpreter<'_> {
    pub(super) fn module_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        module: &'static str,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let found = match module {
            "File" | "IO" => self.file_method(dsl, call)?,
            "JSON" => self.json_method(call)?,
            "Dir" => self.dir_method(dsl, call)?,
            "Kernel" => self.kernel_method(dsl, scope, call)?,
            _ if &*call.name == "new" => return self.new_object(module, call),
            _ if &*call.name == "exception" && exceptions::class(module).is_some() => {
                return self.new_exception(module, call).map(Some);
            }
            "Gem::Version" => self.gem_version_class(call)?,
            "Regexp" => match &*call.name {
                "escape" | "quote" => {
                    let text = self.one(call)?;
                    let text = self.text_of(text)?;
                    Some(self.string(regexps::escape(&text))?)
                }
                _ => None,
            },
            "Hash" if &*call.name == "[]" => match self.one(call)? {
                value @ Value::Hash(_) => Some(value),
                Value::Array(pairs) => {
                    let items = self.heap[pairs].items.clone();
                    let to_h = super::assign::plain_call(&"to_h".into(), vec![], call.name_span);
                    self.enumerable(dsl, scope, items, &to_h)?
                }
                _ => return self.unsupported("`Hash[]` of this"),
            },
            "Chef" if &*call.name == "const_defined?" => {
                let name = self.one(call)?;
                let name = self.name_text(name).unwrap_or_default();
                match name == "VERSION" || classes::named(&format!("Chef::{name}")).is_some() {
                    true => Some(Value::Bool(true)),
                    false => return self.unsupported("`const_defined?` of this constant"),
                }
            }
            // Texts are UTF-8 here, whatever is asked for.
            "Encoding" => match &*call.name {
                "default_external=" | "default_internal=" => Some(self.one(call)?),
                _ => None,
            },
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
        Ok(Some(match &*call.name {
            "name" | "to_s" | "inspect" => self.string(module)?,
            "===" => {
                let value = self.one(call)?;
                Value::Bool(self.is_a(dsl, value, module)?)
            }
            _ => return Ok(None),
        }))
    }

    fn gem_version_class(&mut self, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "create" => return self.new_object("Gem::Version", call),
            "correct?" => {
                let version = self.one(call)?;
                let version = self.display(version)?;
                Value::Bool(versions::is_correct(&version))
            }
            _ => return Ok(None),
        }))
    }

    fn new_object(&mut self, module: &'static str, call: &Invocation) -> Eval<Option<Value>> {
        Ok(Some(match module {
            "Gem::Version" => {
                let version = self.one(call)?;
                if let Value::Version(_) = version {
                    let text = self.display(version)?;
                    return self.version(VersionObject::Gem(text)).map(Some);
                }
                let text = self.display(version)?;
                if !versions::is_correct(&text) {
                    let message = format!("Malformed version number string {text}");
                    return self.raise("ArgumentError", message);
                }
                self.version(VersionObject::Gem(versions::normalised(&text)))?
            }
            "Gem::Requirement" => {
                let mut parts = Vec::new();
                for value in &call.args {
                    for part in self.spread(*value)? {
                        parts.push(self.text_of(part)?);
                    }
                }
                self.check_requirements(&parts)?;
                self.version(VersionObject::Requirement(parts))?
            }
            "Chef::VersionConstraint" => {
                let text = self.one(call)?;
                let text = self.text_of(text)?;
                match text.parse::<Constraint>() {
                    Ok(constraint) => {
                        let text = constraint.to_string();
                        // Unlike `depends`, it wants the two or three numbers of a cookbook's version.
                        let version = text.split_once(' ').map_or("", |(_, version)| version);
                        if let Err(error) = version.parse::<Version>() {
                            let class = "Chef::Exceptions::InvalidCookbookVersion";
                            return self.raise(class, error.to_string());
                        }
                        self.version(VersionObject::ChefConstraint(text))?
                    }
                    Err(error) => {
                        return self.raise(
                            "Chef::Exceptions::InvalidVersionConstraint",
                            error.to_string(),
                        );
                    }
                }
            }
            "String" => {
                self.takes(call, 0, 1)?;
                let text = match call.args.first() {
                    Some(text) => self.text_of(*text)?,
                    None => String::new(),
                };
                self.string(text)?
            }
            "Array" => match (&call.args[..], call.block) {
                ([], None) => self.array(Vec::new())?,
                ([length], None) | ([length, _], None) => {
                    let length = self.int_of(*length)?;
                    let length = usize::try_from(length).unwrap_or(0);
                    // Checked before it is built: `Array.new(1_000_000_000)`.
                    self.charge(16 * length as u64)?;
                    let item = call.args.get(1).copied().unwrap_or(Value::Nil);
                    self.array(vec![item; length])?
                }
                _ => return self.unsupported("`Array.new` with these arguments"),
            },
            "Hash" => {
                self.takes(call, 0, 1)?;
                let hash = Hash {
                    default: call.args.first().copied().unwrap_or(Value::Nil),
                    default_proc: call.block,
                    ..Hash::default()
                };
                self.hash(hash)?
            }
            "Regexp" => match self.one(call)? {
                value @ Value::Regexp(_) => value,
                source => {
                    let source = self.text_of(source)?;
                    self.regexp(&source, RegexpFlags::default())?
                }
            },
            "Proc" => Value::Proc(self.block(call)?),
            "Pathname" => {
                let path = self.one(call)?;
                let path = self.path_text(path)?;
                self.pathname(path)?
            }
            "Object" | "Dir" | "IO" => return Ok(None),
            _ if exceptions::class(module).is_some() => self.new_exception(module, call)?,
            _ => return Ok(None),
        }))
    }

    /// `ENV`, which holds what the caller gave.
    pub(super) fn env_method(
        &mut self,
        dsl: &mut dyn Dsl,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "[]" => {
                let name = self.one(call)?;
                let name = self.text_of(name)?;
                self.env_value(&name)?
            }
            "fetch" => {
                self.takes(call, 1, 2)?;
                let name = self.text_of(call.args[0])?;
                match (self.env_value(&name)?, call.block, call.args.get(1)) {
                    (Value::Nil, Some(block), _) => self.call_block(dsl, block, &[call.args[0]])?,
                    (Value::Nil, None, Some(default)) => *default,
                    (Value::Nil, None, None) => {
                        return self.raise("KeyError", format!("key not found: {name:?}"));
                    }
                    (value, ..) => value,
                }
            }
            "key?" | "has_key?" | "include?" | "member?" => {
                let name = self.one(call)?;
                let name = self.text_of(name)?;
                Value::Bool(self.settings.env.contains_key(&name))
            }
            "to_h" | "to_hash" => {
                let mut hash = Hash::default();
                for (name, value) in &self.settings.env.clone() {
                    let name = self.frozen_string(&**name)?;
                    let (hashed, name) = self.key(name)?;
                    let value = self.frozen_string(&**value)?;
                    hash.entries.insert(hashed, (name, value));
                }
                self.hash(hash)?
            }
            _ => return Ok(None),
        }))
    }

    fn env_value(&mut self, name: &str) -> Eval {
        match self.settings.env.get(name).cloned() {
            Some(value) => self.frozen_string(value),
            None => Ok(Value::Nil),
        }
    }
}
