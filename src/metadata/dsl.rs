//! The words of metadata.rb.

use std::collections::BTreeMap;

use super::json::put;
use super::{Dependency, Json, Metadata};
use crate::ruby::{Dsl, Eval, Interpreter, Invocation, Span, Value, requirement};
use crate::version::{Constraint, Version};

/// The metadata that a metadata.rb declares. What a word is given is kept as the value that it is, and
/// read when the file has ended: as in Chef, `description << 'more'` and a list that grows after it was
/// given change what is declared.
#[derive(Default)]
pub(super) struct Words {
    pub(super) metadata: Metadata,
    /// The words that take a text.
    texts: BTreeMap<&'static str, (Value, Span)>,
    recipes: Vec<(String, Recipe)>,
    gems: Vec<(Vec<Value>, Span)>,
    eager_load_libraries: Option<(Value, Span)>,
}

/// What is said of a recipe.
enum Recipe {
    Copied(Json),
    Kept(Value, Span),
}

/// The words that take a text, with what they are unless declared.
const TEXTS: &[(&str, &str)] = &[
    ("description", ""),
    ("issues_url", ""),
    ("license", "All rights reserved"),
    ("long_description", ""),
    ("maintainer", ""),
    ("maintainer_email", ""),
    ("source_url", ""),
];

/// What Chef's metadata object answers to, beside what every object does.
const WORDS: &[&str] = &[
    "chef_version",
    "chef_versions",
    "class_from_file",
    "dependencies",
    "depends",
    "description",
    "eager_load_libraries",
    "errors",
    "from_file",
    "from_hash",
    "from_json",
    "gem",
    "gem_requirements_from_array",
    "gem_requirements_to_array",
    "gems",
    "handle_incorrect_constraints",
    "issues_url",
    "lazy",
    "license",
    "long_description",
    "maintainer",
    "maintainer_email",
    "method_missing",
    "name",
    "ohai_version",
    "ohai_versions",
    "platforms",
    "privacy",
    "provides",
    "providing",
    "recipe",
    "recipes",
    "recipes_from_cookbook_version",
    "set_or_return",
    "source_file",
    "source_file=",
    "source_url",
    "supports",
    "to_h",
    "to_hash",
    "to_json",
    "valid?",
    "validate",
    "validate_chef_version!",
    "validate_ohai_version!",
    "version",
];

/// What it answers to in private.
const PRIVATE_WORDS: &[&str] = &[
    "gem_dep_matches?",
    "new_args_format",
    "remap_required_attribute",
    "run_validation",
    "validate_calculated_default_rule",
    "validate_choice_array",
    "validate_choice_default_rule",
    "validate_string_array",
    "validate_version_constraint",
];

/// What it keeps its fields in.
const VARIABLES: &[&str] = &[
    "@chef_versions",
    "@dependencies",
    "@description",
    "@eager_load_libraries",
    "@errors",
    "@gems",
    "@issues_url",
    "@license",
    "@long_description",
    "@maintainer",
    "@maintainer_email",
    "@name",
    "@ohai_versions",
    "@platforms",
    "@privacy",
    "@providing",
    "@recipes",
    "@source_file",
    "@source_url",
    "@validation_message",
    "@version",
];

/// The values of `chef_version` and `gem`, which no metadata.rb has a use for.
const LISTS: u32 = 0;

impl Dsl for Words {
    fn class_name(&self) -> &'static str {
        "Chef::Cookbook::Metadata"
    }

    fn knows(&self, name: &str) -> bool {
        WORDS.contains(&name)
    }

    fn has_variable(&self, name: &str) -> bool {
        VARIABLES.contains(&name)
    }

    fn call(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval<Option<Value>> {
        if WORDS.contains(&&*call.name) {
            // What is wrong with a word is wrong with what it is given.
            cx.mark(call.args_span);
        }
        Ok(Some(match &*call.name {
            "name" => match argument(cx, call)? {
                Value::Nil => self.texts.get("name").map_or(Value::Nil, |name| name.0),
                value => self.set_text(cx, "name", value, call)?,
            },
            "version" => self.version(cx, call)?,
            "depends" => self.depends(cx, call)?,
            "supports" => constraint_word(cx, call, &mut self.metadata.platforms)?,
            "provides" => constraint_word(cx, call, &mut self.metadata.providing)?,
            "recipe" => {
                cx.arity(call, 2, 2)?;
                cx.step(self.recipes.len() as u64 / 64)?;
                let name = key_text(cx, call.args[0])?;
                // Chef copies hashes and arrays where it keeps recipes.
                let recipe = match call.args[1] {
                    value @ (Value::Hash(_) | Value::Array(_)) => Recipe::Copied(json(cx, value)?),
                    value => Recipe::Kept(value, call.args_span),
                };
                put(&mut self.recipes, name, recipe);
                call.args[1]
            }
            "chef_version" => requirements_word(cx, call, &mut self.metadata.chef_versions)?,
            "ohai_version" => requirements_word(cx, call, &mut self.metadata.ohai_versions)?,
            "gem" => {
                if !call.args.is_empty() {
                    self.gems.push((call.args.clone(), call.args_span));
                }
                Value::Object(LISTS)
            }
            "privacy" => match argument(cx, call)? {
                Value::Nil => Value::Bool(self.metadata.privacy),
                Value::Bool(privacy) => {
                    self.metadata.privacy = privacy;
                    Value::Bool(privacy)
                }
                other => return wrong_kind(cx, "privacy", "TrueClass, FalseClass", other),
            },
            "eager_load_libraries" => match argument(cx, call)? {
                Value::Nil => self.eager_load_libraries.map_or(Value::Bool(true), |e| e.0),
                value @ (Value::Bool(_) | Value::Str(_) | Value::Array(_)) => {
                    self.eager_load_libraries = Some((value, call.args_span));
                    value
                }
                other => {
                    let kinds = "Array, String, TrueClass, FalseClass";
                    return wrong_kind(cx, "eager_load_libraries", kinds, other);
                }
            },
            word => {
                let Some((word, default)) = TEXTS.iter().find(|(known, _)| *known == word) else {
                    if WORDS.contains(&word) || PRIVATE_WORDS.contains(&word) {
                        return cx.unsupported(format!("`{word}`"));
                    }
                    return Ok(None);
                };
                match (argument(cx, call)?, self.texts.get(word)) {
                    (Value::Nil, Some((value, _))) => *value,
                    (Value::Nil, None) => {
                        let value = cx.string(*default)?;
                        self.texts.insert(word, (value, call.name_span));
                        value
                    }
                    (value, _) => self.set_text(cx, word, value, call)?,
                }
            }
        }))
    }

    fn finish(&mut self, cx: &mut Interpreter<'_>) -> Eval<()> {
        for (word, (value, span)) in std::mem::take(&mut self.texts) {
            cx.mark(span);
            let text = cx.text_of(value)?;
            let text = cx.placeless(text)?;
            let metadata = &mut self.metadata;
            match word {
                "name" => {
                    metadata.name = Some(text);
                    metadata.name_at = Some(cx.location(span));
                }
                "description" => metadata.description = text,
                "issues_url" => metadata.issues_url = text,
                "license" => metadata.license = text,
                "long_description" => metadata.long_description = text,
                "maintainer" => metadata.maintainer = text,
                "maintainer_email" => metadata.maintainer_email = text,
                _ => metadata.source_url = text,
            }
        }
        for (name, recipe) in std::mem::take(&mut self.recipes) {
            let description = match recipe {
                Recipe::Copied(json) => json,
                Recipe::Kept(value, span) => {
                    cx.mark(span);
                    json(cx, value)?
                }
            };
            self.metadata.recipes.push((name, description));
        }
        for (args, span) in std::mem::take(&mut self.gems) {
            cx.mark(span);
            let mut gem = Vec::new();
            for arg in args {
                gem.push(json(cx, arg)?);
            }
            self.metadata.gems.push(Json::Array(gem));
        }
        if let Some((value, span)) = self.eager_load_libraries {
            cx.mark(span);
            self.metadata.eager_load_libraries = json(cx, value)?;
        }
        Ok(())
    }

    /// Chef ignores what it does not know, as long as there is no block.
    fn unknown(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        if call.block.is_some() {
            let message = format!(
                "undefined method `{}' for the cookbook's metadata",
                call.name
            );
            return cx.raise("NoMethodError", message);
        }
        let at = cx.location(call.name_span);
        self.metadata.ignored.push((call.name.to_string(), at));
        Ok(Value::Nil)
    }
}

impl Words {
    /// Keeps a text, which must be a string.
    fn set_text(
        &mut self,
        cx: &mut Interpreter<'_>,
        word: &'static str,
        value: Value,
        call: &Invocation,
    ) -> Eval {
        if cx.string_like(value).is_none() {
            return wrong_kind(cx, word, "String", value);
        }
        self.texts.insert(word, (value, call.args_span));
        Ok(value)
    }

    fn version(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        let value = argument(cx, call)?;
        if value.truthy() {
            let text = cx.display(value)?;
            match text.parse::<Version>() {
                Ok(version) => {
                    self.metadata.version = version;
                    self.metadata.version_text = version.to_string();
                    self.metadata.version_at = Some(cx.location(call.args_span));
                }
                Err(error) => {
                    let class = "Chef::Exceptions::InvalidCookbookVersion";
                    return cx.raise(class, error.to_string());
                }
            }
        }
        let version = self.metadata.version_text.clone();
        cx.string(version)
    }

    fn depends(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
        cx.arity(call, 1, usize::MAX)?;
        if let Some(name) = cx.string_like(call.args[0])
            && let Some((own, _)) = self.texts.get("name")
            && cx.string_like(*own) == Some(name)
        {
            let message = format!("the cookbook `{name}` depends on itself");
            return cx.raise("RuntimeError", message);
        }
        // What is declared already is searched each time, so each costs the more.
        cx.step(self.metadata.dependencies.len() as u64 / 64)?;
        let (name, constraint) = constrained(cx, call)?;
        let text = constraint.to_string();
        let dependency = Dependency {
            name: name.clone(),
            constraint,
            at: cx.location(call.args_span),
        };
        let known = &mut self.metadata.dependencies;
        match known.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = dependency,
            None => known.push(dependency),
        }
        cx.string(text)
    }
}

/// The one argument of a word that reads without it.
fn argument(cx: &mut Interpreter<'_>, call: &Invocation) -> Eval {
    cx.arity(call, 0, 1)?;
    Ok(call.args.first().copied().unwrap_or(Value::Nil))
}

fn wrong_kind<T>(cx: &mut Interpreter<'_>, word: &str, kinds: &str, value: Value) -> Eval<T> {
    let message = format!("`{word}` must be of {kinds}, not {}", cx.class_of(value));
    cx.raise("Chef::Exceptions::ValidationFailed", message)
}

/// A key of Chef's hashes, which take symbols for strings.
fn key_text(cx: &mut Interpreter<'_>, value: Value) -> Eval<String> {
    let text = match (cx.name_text(value), value) {
        (Some(text), _) => text,
        // `supports %w(a b)` supports a platform of a strange name.
        (None, Value::Nil | Value::Int(_) | Value::Bool(_) | Value::Array(_)) => {
            cx.display(value)?
        }
        (None, _) => {
            let class = cx.class_of(value);
            return cx.unsupported(format!("a name that is of the class `{class}`"));
        }
    };
    cx.placeless(text)
}

/// `supports` and `provides`.
fn constraint_word(
    cx: &mut Interpreter<'_>,
    call: &Invocation,
    into: &mut Vec<(String, Json)>,
) -> Eval {
    // What is declared already is searched each time, so each costs the more.
    cx.step(into.len() as u64 / 64)?;
    let (key, constraint) = constrained(cx, call)?;
    let text = constraint.to_string();
    put(into, key, Json::from(&*text));
    cx.string(text)
}

/// The name and the constraint of `depends`, `supports` and `provides`.
fn constrained(cx: &mut Interpreter<'_>, call: &Invocation) -> Eval<(String, Constraint)> {
    cx.arity(call, 1, usize::MAX)?;
    let name = key_text(cx, call.args[0])?;
    let mut given = match call.args.get(1) {
        None => Value::Nil,
        Some(given) if call.args.len() == 2 => *given,
        Some(_) => {
            let message = format!(
                "`{} '{name}'` has more than one version constraint",
                call.name
            );
            return cx.raise("Chef::Exceptions::ObsoleteDependencySyntax", message);
        }
    };
    if let Value::Array(_) = given {
        let items = cx.items_of(given)?;
        given = match items[..] {
            [] => Value::Nil,
            [only] => only,
            _ => {
                let message = format!(
                    "`{} '{name}'` has more than one version constraint",
                    call.name
                );
                return cx.raise("Chef::Exceptions::InvalidVersionConstraint", message);
            }
        };
    }
    if given.is_nil() {
        return Ok((name, Constraint::any()));
    }
    let class = "Chef::Exceptions::InvalidVersionConstraint";
    match cx.string_like(given).map(str::parse::<Constraint>) {
        Some(Ok(constraint)) => Ok((name, constraint)),
        Some(Err(error)) => cx.raise(class, error.to_string()),
        None => {
            let message = format!(
                "a version constraint must be a string, not {}",
                cx.class_of(given)
            );
            cx.raise(class, message)
        }
    }
}

/// `chef_version` and `ohai_version`.
fn requirements_word(
    cx: &mut Interpreter<'_>,
    call: &Invocation,
    into: &mut Vec<Vec<String>>,
) -> Eval {
    let mut parts = Vec::new();
    // Alone, what is neither a text nor a list nor a version is no constraint at all to RubyGems.
    let given = match call.args[..] {
        [Value::Int(_) | Value::Float(_) | Value::Bool(_)] => &[],
        _ => &call.args[..],
    };
    for arg in given {
        for part in flattened(cx, *arg)? {
            let text = match part {
                Value::Nil => continue,
                Value::Sym(_) | Value::Hash(_) => {
                    return cx.unsupported(format!("`{}` with these arguments", call.name));
                }
                part => cx.display(part)?,
            };
            parts.push(text);
        }
    }
    if !call.args.is_empty() {
        match requirements(parts) {
            Ok(parts) => into.push(parts),
            Err(part) => {
                let message = format!("`{}` is not a version constraint", part.escape_debug());
                return cx.raise("Gem::Requirement::BadRequirementError", message);
            }
        }
    }
    Ok(Value::Object(LISTS))
}

fn flattened(cx: &mut Interpreter<'_>, value: Value) -> Eval<Vec<Value>> {
    match value {
        Value::Array(_) => {
            let items = cx.items_of(value)?;
            if items.iter().any(|item| matches!(item, Value::Array(_))) {
                return cx.unsupported("constraints nested in arrays");
            }
            Ok(items)
        }
        value => Ok(vec![value]),
    }
}

/// Constraints as `RubyGems` keeps them and as Chef's `gem_requirements_to_array` sorts them. The error
/// is the one that is none.
pub(super) fn requirements(texts: Vec<String>) -> Result<Vec<String>, String> {
    let mut parts = Vec::new();
    let mut seen = Vec::new();
    for text in texts {
        if seen.contains(&text) {
            continue;
        }
        match requirement(&text) {
            Some((operator, version)) => parts.push(format!("{operator} {version}")),
            None => return Err(text),
        }
        seen.push(text);
    }
    if parts.is_empty() {
        parts.push(">= 0".to_owned());
    }
    parts.sort();
    Ok(parts)
}

/// A value as Chef's encoder writes it (chef/ffi-yajl, `ext/ffi_yajl/ext/encoder/encoder.c`).
pub(crate) fn json(cx: &mut Interpreter<'_>, value: Value) -> Eval<Json> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => Json::Bool(value),
        Value::Int(number) => Json::Number(number.to_string()),
        Value::Float(number) if number.is_finite() => Json::Number(cx.display(value)?),
        Value::Array(_) => {
            let mut items = Vec::new();
            for item in cx.items_of(value)? {
                items.push(cx.deeper(|cx| json(cx, item))?);
            }
            Json::Array(items)
        }
        Value::Hash(id) => {
            let mut entries = Vec::new();
            for (key, item) in cx.entries(id)? {
                let key = key_text(cx, key)?;
                cx.step(entries.len() as u64 / 64)?;
                put(&mut entries, key, cx.deeper(|cx| json(cx, item))?);
            }
            Json::Object(entries)
        }
        Value::Str(_) | Value::Sym(_) | Value::Version(_) | Value::Module(_) => {
            let text = cx.display(value)?;
            Json::String(cx.placeless(text)?)
        }
        _ => {
            let class = cx.class_of(value);
            return cx.unsupported(format!("a value of the class `{class}` here"));
        }
    })
}
