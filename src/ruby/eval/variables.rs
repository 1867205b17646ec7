//! Locals, globals, what a match leaves behind, and `defined?`.

use std::sync::Arc;

use crate::ruby::dsl::Dsl;
use crate::ruby::fail::Eval;
use crate::ruby::interpreter::{Interpreter, Scope};
use crate::ruby::paths;
use crate::ruby::syntax::{Kind, Name, Node, Span};
use crate::ruby::value::{Array, Proc, ProcId, SymId, Value};

impl Interpreter<'_> {
    pub(in crate::ruby) fn local(&self, scope: u32, name: &str, depth: u32) -> Value {
        let scope = self.home_of_local(scope, name, depth);
        let locals = &self.scopes[scope as usize].locals;
        locals
            .iter()
            .find(|(known, _)| &**known == name)
            .map_or(Value::Nil, |(_, value)| *value)
    }

    /// The scope that holds a local: to an evaluated text, the locals of the text around it are its own.
    pub(in crate::ruby) fn home_of_local(&self, scope: u32, name: &str, depth: u32) -> u32 {
        let own = self.scope_at(scope, depth);
        let holds = |scope: u32| {
            let locals = &self.scopes[scope as usize].locals;
            locals.iter().any(|(known, _)| &**known == name)
        };
        if holds(own) {
            return own;
        }
        // Within one text blocks know how far out a local is: what is left are the texts around it.
        let mut whole = own;
        while let Some(parent) = self.scopes[whole as usize].parent {
            whole = parent;
        }
        let mut next = self.scopes[whole as usize].caller;
        while let Some(scope) = next {
            if holds(scope) {
                return scope;
            }
            let scope = &self.scopes[scope as usize];
            next = scope.parent.or(scope.caller);
        }
        own
    }

    /// The lambda that a `return` leaves, if it stands in one.
    pub(super) fn lambda_around(&self, scope: u32) -> Option<ProcId> {
        let mut next = Some(scope);
        while let Some(scope) = next {
            let scope = &self.scopes[scope as usize];
            let block = scope.block?;
            if matches!(self.heap[block], Proc::Block { lambda: true, .. }) {
                return Some(block);
            }
            next = scope.parent;
        }
        None
    }

    /// The scope so many blocks out.
    pub(in crate::ruby) fn scope_at(&self, scope: u32, depth: u32) -> u32 {
        (0..depth).fold(scope, |scope, _| {
            self.scopes[scope as usize].parent.unwrap_or(scope)
        })
    }

    /// A local of the text that evaluates this file, or of one further out.
    pub(in crate::ruby) fn callers_local(&self, scope: u32, name: &str) -> Option<Value> {
        let mut next = Some(scope);
        while let Some(scope) = next {
            let scope: &Scope = &self.scopes[scope as usize];
            let found = scope.locals.iter().find(|(known, _)| &**known == name);
            if let Some((_, value)) = found {
                return Some(*value);
            }
            next = scope.parent.or(scope.caller);
        }
        None
    }

    pub(super) fn global(&mut self, scope: u32, name: &Name, node: &Node) -> Eval {
        if let Some(value) = self.globals.get(name) {
            return Ok(*value);
        }
        match &**name {
            "$!" => Ok(self.current_exception.unwrap_or(Value::Nil)),
            "$stdout" | "$stderr" => Ok(Value::Output),
            "$:" | "$LOAD_PATH" => match self.load_path {
                Some(load_path) => Ok(Value::Array(load_path)),
                None => {
                    let load_path = self.heap.array_object(Array::default());
                    self.load_path = Some(load_path);
                    Ok(Value::Array(load_path))
                }
            },
            "$~" => {
                let frame = self.scopes[scope as usize].frame as usize;
                let last = self.frames[frame].last_match;
                Ok(last.map_or(Value::Nil, Value::Match))
            }
            "$0" | "$PROGRAM_NAME" | "$\"" | "$LOADED_FEATURES" | "$$" | "$?" | "$stdin" | "$_"
            | "$," | "$/" | "$;" | "$@" | "$DEBUG" | "$VERBOSE" | "$-w" | "$-v" | "$*" | "$<"
            | "$>" | "$." => {
                self.unsupported_at(format!("the global variable `{name}`"), node.span)
            }
            _ => Ok(Value::Nil),
        }
    }

    pub(super) fn match_part(&mut self, scope: u32, part: &str, node: &Node) -> Eval {
        let frame = self.scopes[scope as usize].frame as usize;
        let Some(id) = self.frames[frame].last_match else {
            return Ok(Value::Nil);
        };
        let found = &self.heap[id];
        let Some((start, end)) = found.groups[0] else {
            return Ok(Value::Nil);
        };
        let text = match part {
            "$&" => found.text[start..end].to_owned(),
            "$`" => found.text[..start].to_owned(),
            "$'" => found.text[end..].to_owned(),
            _ => return self.unsupported_at(format!("`{part}`"), node.span),
        };
        self.string(text)
    }

    /// `$1`
    pub(super) fn nth_match(&mut self, scope: u32, number: usize) -> Eval {
        let frame = self.scopes[scope as usize].frame as usize;
        let group = self.frames[frame]
            .last_match
            .and_then(|id| self.heap[id].group(number).map(str::to_owned));
        group.map_or(Ok(Value::Nil), |text| self.string(text))
    }

    pub(super) fn eval_defined(&mut self, dsl: &mut dyn Dsl, scope: u32, node: &Node) -> Eval {
        let kind = match &node.kind {
            Kind::Seq(nodes) => match &nodes[..] {
                [node] => return self.eval_defined(dsl, scope, node),
                _ => Some("expression"),
            },
            Kind::Local { .. } => Some("local-variable"),
            Kind::InstanceVariable(name) if dsl.has_variable(name) => Some("instance-variable"),
            Kind::InstanceVariable(name) => self
                .instance_variables
                .contains_key(name)
                .then_some("instance-variable"),
            Kind::Global(name) => match self.globals.contains_key(name) {
                true => Some("global-variable"),
                false => return self.unsupported_at("`defined?` of this variable", node.span),
            },
            Kind::Constant(_) | Kind::ConstantPath { .. } => {
                self.constant_is_defined(scope, node)?.then_some("constant")
            }
            Kind::Call(call) if call.receiver.is_none() => {
                let known = self.callers_local(scope, &call.name).is_some()
                    || self.responds(dsl, Value::Main, &call.name, true)?;
                known.then_some("method")
            }
            Kind::Call(_) => return self.unsupported_at("`defined?` of this", node.span),
            Kind::Yield(_) => {
                let frame = self.scopes[scope as usize].frame as usize;
                self.frames[frame].block.map(|_| "yield")
            }
            Kind::SelfRef => Some("self"),
            Kind::Nil => Some("nil"),
            Kind::True => Some("true"),
            Kind::False => Some("false"),
            Kind::Assign { .. } | Kind::OpAssign { .. } | Kind::MultiAssign { .. } => {
                Some("assignment")
            }
            Kind::Unsupported(_) | Kind::NthMatch(_) | Kind::MatchPart(_) => {
                return self.unsupported_at("`defined?` of this", node.span);
            }
            _ => Some("expression"),
        };
        kind.map_or(Ok(Value::Nil), |kind| self.string(kind))
    }

    /// The name of a file's folder as the program sees it.
    pub(in crate::ruby) fn folder_of(&self, span: Span) -> String {
        paths::dirname(self.path_of(span)).to_owned()
    }

    /// A name to keep.
    pub(in crate::ruby) fn name_of(&self, id: SymId) -> Arc<str> {
        self.heap[id].clone()
    }
}
