//! The classes, modules and constants that exist without being declared.

use super::dsl::Dsl;
use super::error::RubyError;
use super::exceptions;
use super::fail::Eval;
use super::interpreter::{Interpreter, Scope};
use super::syntax::{Kind, Name, Node, Span};
use super::value::{Value, VersionObject};

/// Each class or module by its full name, with what its instances also are, apart from what every
/// object is.
const CLASSES: &[(&str, &[&str])] = &[
    ("Array", &["Enumerable"]),
    ("BasicObject", &[]),
    ("Chef", &[]),
    ("Chef::Exceptions", &[]),
    ("Chef::Version", &["Comparable"]),
    ("Chef::VersionConstraint", &[]),
    ("ChefUtils::VersionString", &["String", "Comparable"]),
    ("Class", &["Module"]),
    ("Comparable", &[]),
    ("Dir", &["Enumerable"]),
    ("Encoding", &[]),
    ("Enumerable", &[]),
    ("Errno", &[]),
    ("FalseClass", &[]),
    ("File", &["IO", "Enumerable"]),
    ("Float", &["Numeric", "Comparable"]),
    ("Gem", &[]),
    ("Gem::Requirement", &[]),
    ("Gem::Version", &["Comparable"]),
    ("Hash", &["Enumerable"]),
    ("IO", &["Enumerable"]),
    ("Integer", &["Numeric", "Comparable"]),
    ("JSON", &[]),
    ("Kernel", &[]),
    ("MatchData", &[]),
    ("Method", &[]),
    ("Module", &[]),
    ("NilClass", &[]),
    ("Numeric", &["Comparable"]),
    ("Object", &[]),
    ("Pathname", &[]),
    ("Proc", &[]),
    ("Range", &["Enumerable"]),
    ("Regexp", &[]),
    ("String", &["Comparable"]),
    ("Symbol", &["Comparable"]),
    ("TrueClass", &[]),
];

/// Modules, as opposed to classes.
const MODULES: &[&str] = &[
    "Chef::Exceptions",
    "Comparable",
    "Enumerable",
    "Errno",
    "Gem",
    "JSON",
    "Kernel",
];

/// Constants that a cookbook's tools may define but that neither Chef nor Berkshelf has loaded when
/// they read these files: `defined?` of them is false.
const ABSENT: &[&str] = &[
    "ChefSpec",
    "Cookstyle",
    "FoodCritic",
    "Foodcritic",
    "InSpec",
    "Inspec",
    "Kitchen",
    "RSpec",
    "Rails",
    "Rake",
    "RuboCop",
    "Serverspec",
    "Spec",
    "Vagrant",
];

/// A class's or module's name, if it is known.
pub(super) fn named(name: &str) -> Option<&'static str> {
    let class = CLASSES.iter().find(|(known, _)| *known == name);
    class
        .map(|(known, _)| *known)
        .or_else(|| exceptions::class(name))
}

/// `Class` or `Module`.
pub(super) fn kind_of_module(name: &str) -> &'static str {
    match MODULES.contains(&name) {
        true => "Module",
        false => "Class",
    }
}

/// Whether instances of a class are also of another one.
pub(super) fn is_a(class: &str, other: &str) -> bool {
    class == other
        || matches!(other, "Object" | "Kernel" | "BasicObject")
        || CLASSES
            .iter()
            .any(|(known, above)| *known == class && above.contains(&other))
}

impl Interpreter<'_> {
    /// A constant's full name where it is declared.
    pub(super) fn qualified(&self, scope: u32, name: &Name) -> Name {
        match self.scopes[scope as usize].module {
            Some(module) => format!("{}::{name}", self.heap[module]).into(),
            None => name.clone(),
        }
    }

    /// A constant of the file's own: of the modules around, the innermost first.
    pub(super) fn own_constant(&self, scope: u32, name: &str) -> Option<Value> {
        let module = self.scopes[scope as usize].module;
        let mut around = module.map(|module| &*self.heap[module]);
        while let Some(module) = around {
            let full = format!("{module}::{name}");
            if let Some(value) = self.constants.get(&*full) {
                return Some(*value);
            }
            around = module.rsplit_once("::").map(|(outer, _)| outer);
        }
        self.constants.get(name).copied()
    }

    /// A constant of the file's own, or one that exists without being declared.
    pub(super) fn constant(&mut self, scope: u32, name: &str, span: Span) -> Eval {
        if let Some(value) = self.own_constant(scope, name) {
            return Ok(value);
        }
        self.built_in(name, span)
    }

    /// `parent::name`
    pub(super) fn constant_path(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        parent: Option<&Node>,
        name: &str,
        span: Span,
    ) -> Eval {
        let Some(parent) = parent else {
            return self.constant(0, name, span);
        };
        match self.eval(dsl, scope, parent)? {
            Value::Module("Object" | "Kernel") => self.constant(0, name, span),
            Value::Module(parent) => self.below(parent, name, span),
            Value::OwnModule(parent) => {
                let parent = self.name_of(parent);
                self.below(&parent, name, span)
            }
            _ => self.unsupported_at("a constant of what is no module", span),
        }
    }

    fn below(&mut self, parent: &str, name: &str, span: Span) -> Eval {
        let full = format!("{parent}::{name}");
        match self.constants.get(&*full) {
            Some(value) => Ok(*value),
            None => self.built_in(&full, span),
        }
    }

    /// `module X body end`: what it is for here are the constants in it.
    pub(super) fn eval_module(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        name: &Name,
        body: Option<&Node>,
    ) -> Eval {
        let full = self.qualified(scope, name);
        self.charge(2 * full.len() as u64 + 64)?;
        let module = self.heap.symbol(&full);
        if named(&full).is_none() {
            self.constants.insert(full, Value::OwnModule(module));
        }
        let frame = self.scopes[scope as usize].frame;
        let inner = self.push_scope(Scope {
            frame,
            module: Some(module),
            ..Scope::default()
        })?;
        self.eval_optional(dsl, inner, body)
    }

    fn built_in(&mut self, name: &str, span: Span) -> Eval {
        self.here = span;
        match name {
            "ENV" => return Ok(Value::Env),
            "STDOUT" | "STDERR" => return Ok(Value::Output),
            "ARGV" => return self.array(Vec::new()),
            "Chef::VERSION" => {
                let version = self.settings.chef_version.clone();
                return self.version(VersionObject::ChefVersion(version));
            }
            "File::SEPARATOR" | "File::Separator" => return self.frozen_string("/"),
            "File::PATH_SEPARATOR" => return self.frozen_string(":"),
            "File::ALT_SEPARATOR" => return Ok(Value::Nil),
            "Float::INFINITY" => return Ok(Value::Float(f64::INFINITY)),
            "Encoding::UTF_8" => return self.symbol("UTF-8"),
            _ => {}
        }
        match named(name) {
            Some(class) => Ok(Value::Module(class)),
            None => Err(RubyError::UnknownConstant {
                name: name.to_owned(),
                at: self.location(span),
            }
            .into()),
        }
    }

    /// A version, a constraint.
    pub(super) fn version(&mut self, version: VersionObject) -> Eval {
        self.charge(96)?;
        Ok(Value::Version(self.heap.version_object(version)))
    }

    /// `defined?` of a constant: an error where it is not known to exist and not known to be absent.
    pub(super) fn constant_is_defined(&mut self, scope: u32, node: &Node) -> Eval<bool> {
        let Some(name) = full_name(node) else {
            return self.unsupported_at("`defined?` of this", node.span);
        };
        if self.own_constant(scope, &name).is_some() {
            return Ok(true);
        }
        let first = name.split("::").next().unwrap_or(&name);
        if ABSENT.contains(&first) {
            return Ok(false);
        }
        self.built_in(&name, node.span).map(|_| true)
    }
}

fn full_name(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Constant(name) => Some(name.to_string()),
        Kind::ConstantPath { parent: None, name } => Some(name.to_string()),
        Kind::ConstantPath {
            parent: Some(parent),
            name,
        } => Some(format!("{}::{name}", full_name(parent)?)),
        _ => None,
    }
}
