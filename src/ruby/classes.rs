//! The classes, modules and constants that exist without being declared.

use super::dsl::Dsl;
use super::error::RubyError;
use super::exceptions;
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::syntax::{Kind, Node, Span};
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
    /// A constant of the file's own, or one that exists without being declared.
    pub(super) fn constant(&mut self, name: &str, span: Span) -> Eval {
        if let Some(value) = self.constants.get(name) {
            return Ok(*value);
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
            return self.constant(name, span);
        };
        match self.eval(dsl, scope, parent)? {
            Value::Module("Object" | "Kernel") => self.constant(name, span),
            Value::Module(parent) => self.built_in(&format!("{parent}::{name}"), span),
            _ => self.unsupported_at("a constant of what is no module", span),
        }
    }

    fn built_in(&mut self, name: &str, span: Span) -> Eval {
        self.here = span;
        match name {
            "ENV" => return Ok(Value::Env),
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
    pub(super) fn constant_is_defined(&mut self, node: &Node) -> Eval<bool> {
        let Some(name) = full_name(node) else {
            return self.unsupported_at("`defined?` of this", node.span);
        };
        if self.constants.contains_key(&*name) {
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
