//! The state of one evaluation: its values, scopes and limits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::dsl::Dsl;
use super::error::RubyError;
use super::fail::{Eval, Exit, Fail};
use super::files::Files;
use super::settings::Settings;
use super::syntax::{Def, Name, Node, RegexpFlags, Span};
use super::value::{
    Array, ArrayId, Exception, Hash, Heap, MatchId, Proc, ProcId, Range, RegexpId, SymId, Text,
    Value,
};
use super::{parse, paths};
use crate::text::{Location, SourceFile};

/// What one object costs beside its content.
const OBJECT_BYTES: u64 = 48;

/// The state of one evaluation.
pub(crate) struct Interpreter<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) settings: &'a Settings,
    pub(super) heap: Heap,
    /// The source's root as the program sees it.
    pub(super) root: String,
    sources: Vec<Source>,
    pub(super) scopes: Vec<Scope>,
    pub(super) frames: Vec<Frame>,
    pub(super) constants: HashMap<Name, Value>,
    pub(super) instance_variables: HashMap<Name, Value>,
    pub(super) globals: HashMap<Name, Value>,
    pub(super) methods: HashMap<Name, Arc<Def>>,
    /// `$LOAD_PATH`, which begins empty.
    pub(super) load_path: Option<ArrayId>,
    /// The regular expressions compiled so far.
    pub(super) compiled: HashMap<(String, RegexpFlags), RegexpId>,
    /// The files that `require_relative` has evaluated.
    pub(super) required: HashSet<String>,
    /// `$!`
    pub(super) current_exception: Option<Value>,
    steps: u64,
    bytes: u64,
    pub(super) depth: u32,
    /// The call that is being evaluated: where errors of built-in methods are.
    pub(super) here: Span,
}

/// A file of the evaluation.
struct Source {
    file: SourceFile,
    /// Its path as the program sees it.
    path: String,
}

/// The locals of a file, a method or a block.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) locals: Vec<(Name, Value)>,
    /// The scope around a block.
    pub(super) parent: Option<u32>,
    /// The scope of the text that evaluates this file: its locals are seen as bare words.
    pub(super) caller: Option<u32>,
    pub(super) frame: u32,
    /// The block that this is the body of.
    pub(super) block: Option<ProcId>,
    /// The module whose body this is, by its full name.
    pub(super) module: Option<SymId>,
    /// The loops around what is evaluated, within this scope.
    pub(super) loops: u32,
}

/// A call of a method of the program's own, or the program itself.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) block: Option<ProcId>,
    pub(super) last_match: Option<MatchId>,
}

impl<'a> Interpreter<'a> {
    /// A fresh evaluation.
    pub(super) fn new(files: &'a dyn Files, settings: &'a Settings) -> Self {
        Self {
            files,
            settings,
            heap: Heap::default(),
            root: paths::root(settings.root_name.as_deref()),
            sources: Vec::new(),
            scopes: Vec::new(),
            frames: vec![Frame::default()],
            constants: HashMap::new(),
            instance_variables: HashMap::new(),
            globals: HashMap::new(),
            methods: HashMap::new(),
            load_path: None,
            compiled: HashMap::new(),
            required: HashSet::new(),
            current_exception: None,
            steps: 0,
            bytes: 0,
            depth: 0,
            here: Span::default(),
        }
    }

    /// Parses and evaluates a file. Its path is relative to the source's root.
    pub(super) fn run(
        &mut self,
        dsl: &mut dyn Dsl,
        file: &SourceFile,
        path: &str,
        caller: Option<u32>,
    ) -> Eval {
        let number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.charge(file.text().len() as u64 * 8)?;
        let program = parse::parse(file, number, self.settings.limits.source_bytes)?;
        self.sources.push(Source {
            file: file.clone(),
            path: paths::shown(&self.root, path),
        });
        self.run_program(dsl, &program, caller)
    }

    fn run_program(&mut self, dsl: &mut dyn Dsl, program: &Node, caller: Option<u32>) -> Eval {
        let frame = caller.map_or(0, |scope| self.scopes[scope as usize].frame);
        let scope = self.push_scope(Scope {
            caller,
            frame,
            ..Scope::default()
        })?;
        let result = self.eval(dsl, scope, program);
        match result.map_err(Fail::into_exit) {
            // `return` outside of all methods ends the file.
            Err(Exit::Return { frame: 0, value }) if caller.is_none() => Ok(value),
            other => other.map_err(Fail::from),
        }
    }

    /// An interruption that reached the top, as an error.
    pub(super) fn error(&self, fail: Fail) -> RubyError {
        match fail.into_exit() {
            Exit::Error(error) => error,
            Exit::Raise { exception, at } => {
                let exception = &self.heap[exception];
                RubyError::Raised {
                    class: exception.class.to_owned(),
                    message: paths::hidden(&exception.message, &self.root),
                    at: self.location(at),
                }
            }
            Exit::Break { .. }
            | Exit::LambdaReturn { .. }
            | Exit::LoopBreak(_)
            | Exit::Next(_)
            | Exit::Return { .. }
            | Exit::Retry => RubyError::Unsupported {
                construct: "leaving the file early".to_owned(),
                at: self.location(self.here),
            },
            Exit::Throw { .. } => RubyError::Raised {
                class: "UncaughtThrowError".to_owned(),
                message: "uncaught throw".to_owned(),
                at: self.location(self.here),
            },
        }
    }

    /// The call that is being evaluated.
    pub(crate) fn here(&self) -> Span {
        self.here
    }

    /// Says where errors are from now on.
    pub(crate) fn mark(&mut self, span: Span) {
        self.here = span;
    }

    /// A place in one of the files.
    pub(crate) fn location(&self, span: Span) -> Location {
        match self.sources.get(span.file as usize) {
            Some(source) => source.file.at(span.start as usize..span.end as usize),
            // Only the file being parsed is not there yet, and its errors carry their place.
            None => SourceFile::new("", "").at(0..0),
        }
    }

    /// The path of a file as the program sees it.
    pub(super) fn path_of(&self, span: Span) -> &str {
        self.sources
            .get(span.file as usize)
            .map_or("", |source| &source.path)
    }

    /// The evaluated file's name as a person knows it, and its path from the source's root.
    pub(super) fn first_source(&self) -> (&str, &str) {
        match self.sources.first() {
            Some(source) => {
                let path = source.path.strip_prefix(&self.root).unwrap_or(&source.path);
                (source.file.name(), path.trim_start_matches('/'))
            }
            None => ("", ""),
        }
    }

    /// Counts work: one step for a piece of syntax, more for what a built-in method goes through.
    pub(crate) fn step(&mut self, steps: u64) -> Eval<()> {
        self.steps = self.steps.saturating_add(steps);
        let limit = self.settings.limits.steps;
        if self.steps > limit {
            let at = self.location(self.here);
            return Err(RubyError::TooManySteps { limit, at }.into());
        }
        Ok(())
    }

    /// Counts bytes that are about to be built.
    pub(crate) fn charge(&mut self, bytes: u64) -> Eval<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        let limit = self.settings.limits.bytes;
        if self.bytes > limit {
            let at = self.location(self.here);
            return Err(RubyError::TooManyBytes { limit, at }.into());
        }
        // Copying is work too: a kilobyte costs as much as a piece of syntax.
        self.step(bytes >> 10)
    }

    /// Bytes that may still be built.
    pub(super) fn bytes_left(&self) -> u64 {
        self.settings.limits.bytes.saturating_sub(self.bytes)
    }

    pub(super) fn push_scope(&mut self, scope: Scope) -> Eval<u32> {
        self.charge(OBJECT_BYTES)?;
        let id = u32::try_from(self.scopes.len()).unwrap_or(u32::MAX);
        self.scopes.push(scope);
        Ok(id)
    }

    /// A new string.
    pub(crate) fn string(&mut self, text: impl Into<String>) -> Eval {
        let text = text.into();
        self.charge(OBJECT_BYTES + text.len() as u64)?;
        let text = Text {
            text,
            ..Text::default()
        };
        Ok(Value::Str(self.heap.string_object(text)))
    }

    /// A string that may not be changed.
    pub(super) fn frozen_string(&mut self, text: impl Into<String>) -> Eval {
        let value = self.string(text)?;
        if let Value::Str(id) = value {
            self.heap[id].frozen = true;
        }
        Ok(value)
    }

    /// A new array.
    pub(crate) fn array(&mut self, items: Vec<Value>) -> Eval {
        self.charge(OBJECT_BYTES + 16 * items.len() as u64)?;
        let array = Array {
            items,
            frozen: false,
        };
        Ok(Value::Array(self.heap.array_object(array)))
    }

    /// A new hash.
    pub(crate) fn hash(&mut self, hash: Hash) -> Eval {
        self.charge(OBJECT_BYTES + 64 * hash.entries.len() as u64)?;
        Ok(Value::Hash(self.heap.hash_object(hash)))
    }

    /// A symbol.
    pub(crate) fn symbol(&mut self, name: &str) -> Eval {
        self.charge(name.len() as u64)?;
        Ok(Value::Sym(self.heap.symbol(name)))
    }

    pub(super) fn range(&mut self, from: Value, to: Value, exclusive: bool) -> Eval {
        self.charge(OBJECT_BYTES)?;
        let range = Range {
            from,
            to,
            exclusive,
        };
        Ok(Value::Range(self.heap.range_object(range)))
    }

    pub(super) fn new_proc(&mut self, proc: Proc) -> Eval<ProcId> {
        self.charge(OBJECT_BYTES)?;
        Ok(self.heap.proc_object(proc))
    }

    /// An exception of the program's, which it may rescue: only where Ruby is known to raise it.
    pub(crate) fn raise<T>(&mut self, class: &'static str, message: impl Into<String>) -> Eval<T> {
        let message = message.into();
        self.charge(OBJECT_BYTES + message.len() as u64)?;
        let exception = self.heap.exception_object(Exception { class, message });
        Err(Exit::Raise {
            exception,
            at: self.here,
        }
        .into())
    }

    /// The end of an evaluation that met what it does not know.
    pub(crate) fn unsupported<T>(&self, construct: impl Into<String>) -> Eval<T> {
        self.unsupported_at(construct, self.here)
    }

    pub(super) fn unsupported_at<T>(&self, construct: impl Into<String>, at: Span) -> Eval<T> {
        Err(RubyError::Unsupported {
            construct: construct.into(),
            at: self.location(at),
        }
        .into())
    }
}
