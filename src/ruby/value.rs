//! The values of an evaluation. A [`Value`] is small and copied freely; texts, lists and the like
//! live in a [`Heap`] that is dropped as a whole, so that no cycle leaks and no deep nesting makes
//! a drop recurse.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use regex::Regex;

use super::syntax::{Block, RegexpFlags};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident => $field:ident: $object:ty),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub(crate) struct $name(u32);

            impl std::ops::Index<$name> for Heap {
                type Output = $object;
                fn index(&self, id: $name) -> &$object {
                    &self.$field[id.0 as usize]
                }
            }

            impl std::ops::IndexMut<$name> for Heap {
                fn index_mut(&mut self, id: $name) -> &mut $object {
                    &mut self.$field[id.0 as usize]
                }
            }
        )+

        /// What the values of one evaluation refer to.
        #[derive(Default)]
        pub(crate) struct Heap {
            $($field: Vec<$object>,)+
            symbol_ids: HashMap<Arc<str>, SymId>,
        }

        impl Heap {
            $(
                /// Keeps an object. The caller has charged for it.
                pub(super) fn $field(&mut self, object: $object) -> $name {
                    let id = u32::try_from(self.$field.len()).unwrap_or(u32::MAX);
                    self.$field.push(object);
                    $name(id)
                }
            )+
        }
    };
}

ids! {
    /// A symbol; equal symbols have equal ids.
    SymId => symbol_object: Arc<str>,
    /// A string.
    StrId => string_object: Text,
    /// An array.
    ArrayId => array_object: Array,
    /// A hash.
    HashId => hash_object: Hash,
    /// A range.
    RangeId => range_object: Range,
    /// A regular expression.
    RegexpId => regexp_object: Regexp,
    /// What a regular expression matched.
    MatchId => match_object: Match,
    /// A block, a proc, a lambda.
    ProcId => proc_object: Proc,
    /// An exception.
    ExceptionId => exception_object: Exception,
    /// A file opened for reading.
    OpenFileId => open_file_object: OpenFile,
    /// A method that waits for its block.
    EnumeratorId => enumerator_object: Enumerator,
    /// A `Gem::Version`, or one of Chef's constraints.
    VersionId => version_object: VersionObject,
}

/// A Ruby value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Sym(SymId),
    Str(StrId),
    Array(ArrayId),
    Hash(HashId),
    Range(RangeId),
    Regexp(RegexpId),
    Match(MatchId),
    Proc(ProcId),
    Exception(ExceptionId),
    Version(VersionId),
    Enumerator(EnumeratorId),
    /// A class or a module, by its full name.
    Module(&'static str),
    /// `ENV`
    Env,
    /// `$stdout` and `$stderr`, which lead nowhere.
    Output,
    /// A file opened for reading.
    OpenFile(OpenFileId),
    /// A path as an object.
    Pathname(StrId),
    /// A module of the file's own, by its full name.
    OwnModule(SymId),
    /// `self`: what the file declares things of.
    Main,
    /// Something of the DSL's own; the number is the DSL's.
    Object(u32),
}

impl Value {
    /// Everything is true but `nil` and `false`.
    pub(crate) fn truthy(self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    /// Whether it is `nil`.
    pub(crate) fn is_nil(self) -> bool {
        matches!(self, Value::Nil)
    }
}

/// A string's content.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) frozen: bool,
    /// The file whose whole content it is, by its path from the source's root.
    pub(crate) origin: Option<Arc<str>>,
}

/// An array's content.
#[derive(Debug, Default)]
pub(crate) struct Array {
    pub(crate) items: Vec<Value>,
    pub(crate) frozen: bool,
}

/// A hash's content, in the order of insertion.
#[derive(Debug)]
pub(crate) struct Hash {
    /// The key as a value, and the value.
    pub(crate) entries: IndexMap<Key, (Value, Value)>,
    pub(crate) default: Value,
    pub(crate) default_proc: Option<ProcId>,
    pub(crate) frozen: bool,
    /// How many blocks go through it: meanwhile it takes no new key.
    pub(crate) visitors: u32,
}

impl Default for Hash {
    fn default() -> Self {
        Self {
            entries: IndexMap::new(),
            default: Value::Nil,
            default_proc: None,
            frozen: false,
            visitors: 0,
        }
    }
}

/// A value as a key: what `eql?` compares.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Nil,
    Bool(bool),
    Int(i64),
    Float(u64),
    Sym(SymId),
    Str(Box<str>),
    Array(Vec<Key>),
    Module(&'static str),
}

/// A range's ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) from: Value,
    pub(crate) to: Value,
    pub(crate) exclusive: bool,
}

/// A regular expression, as written and as it is matched.
#[derive(Clone, Debug)]
pub(crate) struct Regexp {
    pub(crate) source: Arc<str>,
    pub(crate) flags: RegexpFlags,
    /// Shared, since each clone of a [`Regex`] would get caches of its own.
    pub(crate) regex: Arc<Regex>,
    /// The names of the groups that have one.
    pub(crate) names: Arc<[(Arc<str>, usize)]>,
}

/// The bytes of each group of a match, the whole match first.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

/// What a regular expression matched.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    /// The text that was searched.
    pub(crate) text: Arc<str>,
    /// The bytes of each group, the whole match first.
    pub(crate) groups: Groups,
    /// The names of the groups that have one.
    pub(crate) names: Arc<[(Arc<str>, usize)]>,
}

impl Match {
    /// The text of a group.
    pub(crate) fn group(&self, number: usize) -> Option<&str> {
        let (start, end) = (*self.groups.get(number)?)?;
        Some(&self.text[start..end])
    }
}

/// What can be called.
#[derive(Clone, Debug)]
pub(crate) enum Proc {
    /// A block and the scope around it.
    Block {
        block: Arc<Block>,
        scope: u32,
        lambda: bool,
    },
    /// `&:name`
    Symbol(SymId),
    /// `method(:name)` of `self`.
    Method(Arc<str>),
    /// Gives a block a running number as its last argument.
    Indexed { block: ProcId, next: i64 },
    /// Puts what it is given into an array.
    Collector(ArrayId),
}

/// A method called without the block that it goes through its items with.
#[derive(Clone, Debug)]
pub(crate) struct Enumerator {
    pub(crate) receiver: Value,
    pub(crate) method: Arc<str>,
    pub(crate) args: Vec<Value>,
    pub(crate) keywords: bool,
}

/// An exception.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    /// Its class's full name.
    pub(crate) class: &'static str,
    pub(crate) message: String,
}

/// A file opened for reading, all of it read.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    pub(crate) text: StrId,
    /// How much of it has been given out, in bytes.
    pub(crate) at: usize,
}

/// Versions that files compare.
#[derive(Clone, Debug)]
pub(crate) enum VersionObject {
    /// `Gem::Version`, as written.
    Gem(String),
    /// `Gem::Requirement`.
    Requirement(Vec<String>),
    /// `Chef::VersionConstraint`.
    ChefConstraint(String),
    /// `Chef::VERSION`, a string that compares like a version.
    ChefVersion(String),
}

impl Heap {
    /// How many procs there are.
    pub(super) fn procs(&self) -> usize {
        self.proc_object.len()
    }

    /// The symbol of a name.
    pub(super) fn symbol(&mut self, name: &str) -> SymId {
        if let Some(id) = self.symbol_ids.get(name) {
            return *id;
        }
        let name: Arc<str> = name.into();
        let id = self.symbol_object(name.clone());
        self.symbol_ids.insert(name, id);
        id
    }
}
