//! Calls: of the file's own words, of methods of values, of blocks and of methods of its own.

use std::sync::Arc;

use super::dsl::{Dsl, Invocation};
use super::error::RubyError;
use super::fail::{Eval, Exit, Fail};
use super::interpreter::{Frame, Interpreter, Scope};
use super::kernel;
use super::syntax::{BlockArg, Call, Def, Node, Params, Span, Target, TargetKind};
use super::value::{Hash, Key, Proc, ProcId, Value};

impl Interpreter<'_> {
    pub(super) fn eval_call(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        call: &Call,
        span: Span,
    ) -> Eval {
        let receiver = match &call.receiver {
            None => None,
            Some(node) => {
                let value = self.eval(dsl, scope, node)?;
                if call.safe && value.is_nil() {
                    return Ok(Value::Nil);
                }
                Some(value)
            }
        };
        if call.bare_word
            && let Some(value) = self.callers_local(scope, &call.name)
        {
            return Ok(value);
        }
        let mut invocation = Invocation {
            name: call.name.clone(),
            args: self.eval_list(dsl, scope, &call.args)?,
            keywords: call.keywords,
            block: None,
            name_span: call.name_span,
            args_span: args_span(call),
        };
        self.drop_empty_keywords(&mut invocation);
        let literal = match &call.block {
            None => None,
            Some(BlockArg::Pass(node)) => {
                let value = self.eval(dsl, scope, node)?;
                invocation.block = self.block_of(value, node.span)?;
                None
            }
            Some(BlockArg::Block(block)) => {
                let proc = self.new_proc(Proc::Block {
                    block: block.clone(),
                    scope,
                    lambda: call.receiver.is_none() && &*call.name == "lambda",
                })?;
                invocation.block = Some(proc);
                Some(proc)
            }
        };
        self.here = if call.receiver.is_some() {
            span
        } else {
            call.name_span
        };
        if call.receiver.is_none() && call.args.is_empty() {
            self.here = span;
        }
        let written = call
            .attribute_write
            .then(|| invocation.args.last().copied())
            .flatten();
        let result = self.deeper(|this| match receiver {
            None | Some(Value::Main) => this.call_self(dsl, scope, &invocation),
            Some(receiver) => this.call_method(dsl, scope, receiver, &invocation),
        });
        match result.map_err(Fail::into_exit) {
            Ok(value) => Ok(written.unwrap_or(value)),
            Err(Exit::Break { block, value }) if Some(block) == literal => Ok(value),
            Err(exit) => Err(exit.into()),
        }
    }

    /// `f(**{})` passes nothing.
    fn drop_empty_keywords(&self, invocation: &mut Invocation) {
        if invocation.keywords
            && let Some(Value::Hash(id)) = invocation.args.last()
            && self.heap[*id].entries.is_empty()
        {
            invocation.args.pop();
            invocation.keywords = false;
        }
    }

    /// What `&value` passes as a block.
    fn block_of(&mut self, value: Value, span: Span) -> Eval<Option<ProcId>> {
        match value {
            Value::Nil => Ok(None),
            Value::Proc(proc) => Ok(Some(proc)),
            Value::Sym(name) => self.new_proc(Proc::Symbol(name)).map(Some),
            _ => self.unsupported_at("`&` of what is neither a symbol nor a proc", span),
        }
    }

    /// Calls a word without a receiver.
    pub(super) fn call_self(&mut self, dsl: &mut dyn Dsl, scope: u32, call: &Invocation) -> Eval {
        if self.scopes[scope as usize].module.is_some() {
            return self.call_in_module(dsl, scope, call);
        }
        if let Some(def) = self.methods.get(&call.name) {
            let def = def.clone();
            return self.call_def(dsl, &def, call);
        }
        if let Some(value) = dsl.call(self, call)? {
            return Ok(value);
        }
        if let Some(value) = self.kernel_method(dsl, scope, call)? {
            return Ok(value);
        }
        if kernel::is_ruby_word(&call.name) {
            return self.unsupported(format!("`{}`", call.name));
        }
        dsl.unknown(self, call)
    }

    /// Calls a word in a module's body. The module's methods are not known, so neither is who may call
    /// them.
    fn call_in_module(&mut self, dsl: &mut dyn Dsl, scope: u32, call: &Invocation) -> Eval {
        match &*call.name {
            "module_function" | "private" | "public" | "private_constant" | "attr_reader"
            | "attr_accessor" | "extend" => Ok(Value::Nil),
            "require" | "require_relative" | "puts" | "raise" | "format" | "lambda" | "proc" => {
                match self.kernel_method(dsl, scope, call)? {
                    Some(value) => Ok(value),
                    None => self.unsupported(format!("`{}` in a module", call.name)),
                }
            }
            _ => self.unsupported(format!("`{}` in a module", call.name)),
        }
    }

    /// Calls a method of a value.
    pub(super) fn call_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        receiver: Value,
        call: &Invocation,
    ) -> Eval {
        self.step(1)?;
        let found = match receiver {
            Value::Main => return self.call_self(dsl, scope, call),
            Value::Object(object) => dsl.call_object(self, object, call)?,
            _ => self.value_method(dsl, scope, receiver, call)?,
        };
        if let Some(value) = found {
            return Ok(value);
        }
        if let Some(value) = self.object_method(dsl, scope, receiver, call)? {
            return Ok(value);
        }
        Err(RubyError::UnknownMethod {
            method: call.name.to_string(),
            receiver: self.described(receiver),
            at: self.location(call.name_span),
        }
        .into())
    }

    /// Calls a block.
    pub(crate) fn call_block(&mut self, dsl: &mut dyn Dsl, block: ProcId, args: &[Value]) -> Eval {
        self.call_proc(dsl, block, args, false, None)
    }

    /// Calls a block that may take keywords or a block of its own.
    pub(super) fn call_proc(
        &mut self,
        dsl: &mut dyn Dsl,
        proc: ProcId,
        args: &[Value],
        keywords: bool,
        block_arg: Option<ProcId>,
    ) -> Eval {
        self.step(1)?;
        match self.heap[proc].clone() {
            Proc::Symbol(name) => {
                let Some((receiver, rest)) = args.split_first() else {
                    return self.raise("ArgumentError", "no receiver given");
                };
                let name = self.name_of(name);
                let call = super::assign::plain_call(&name, rest.to_vec(), self.here);
                let scope = 0;
                self.deeper(|this| this.call_method(dsl, scope, *receiver, &call))
            }
            Proc::Indexed { block, next } => {
                if let Proc::Indexed { next, .. } = &mut self.heap[proc] {
                    *next += 1;
                }
                let item = self.packed(args)?;
                self.deeper(|this| this.call_block(dsl, block, &[item, Value::Int(next)]))
            }
            Proc::Collector(list) => {
                let item = self.packed(args)?;
                self.charge(16)?;
                self.heap[list].items.push(item);
                Ok(Value::Nil)
            }
            Proc::Method(name) => {
                let call = super::assign::plain_call(&name, args.to_vec(), self.here);
                self.deeper(|this| this.call_self(dsl, 0, &call))
            }
            Proc::Block {
                block,
                scope: outer,
                lambda,
            } => {
                let kept = (self.scopes.len(), self.heap.procs());
                let frame = self.scopes[outer as usize].frame;
                let scope = self.push_scope(Scope {
                    parent: Some(outer),
                    module: self.scopes[outer as usize].module,
                    frame,
                    block: Some(proc),
                    ..Scope::default()
                })?;
                let given = Arguments {
                    values: args,
                    keywords,
                    block: block_arg,
                };
                let here = self.here;
                let result = self
                    .bind(dsl, scope, &block.params, &given, lambda)
                    .and_then(|()| {
                        let body = block.body.as_ref();
                        self.eval_optional(dsl, scope, body)
                    });
                // Nothing was made that could still look into this round's scope.
                if kept == (scope as usize, self.heap.procs()) {
                    self.scopes.truncate(kept.0);
                }
                self.here = here;
                match result.map_err(Fail::into_exit) {
                    Err(Exit::Next(value)) => Ok(value),
                    Err(Exit::Return { value, .. }) if lambda => Ok(value),
                    Err(Exit::Break { block, value }) if lambda && block == proc => Ok(value),
                    other => other.map_err(Fail::from),
                }
            }
        }
    }

    /// Several arguments as one item.
    fn packed(&mut self, args: &[Value]) -> Eval {
        match args {
            [] => Ok(Value::Nil),
            [only] => Ok(*only),
            _ => self.array(args.to_vec()),
        }
    }

    fn call_def(&mut self, dsl: &mut dyn Dsl, def: &Arc<Def>, call: &Invocation) -> Eval {
        self.charge(64)?;
        let procs = self.heap.procs();
        let frame = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        self.frames.push(Frame {
            block: call.block,
            last_match: None,
        });
        let scope = self.push_scope(Scope {
            frame,
            ..Scope::default()
        })?;
        let given = Arguments {
            values: &call.args,
            keywords: call.keywords,
            block: call.block,
        };
        let here = self.here;
        let result = self
            .bind(dsl, scope, &def.params, &given, true)
            .and_then(|()| self.eval_optional(dsl, scope, def.body.as_ref()));
        if procs == self.heap.procs() {
            self.scopes.truncate(scope as usize);
            self.frames.truncate(frame as usize);
        }
        self.here = here;
        match result.map_err(Fail::into_exit) {
            Err(Exit::Return { frame: left, value }) if left == frame => Ok(value),
            other => other.map_err(Fail::from),
        }
    }

    pub(super) fn eval_yield(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        args: &[Node],
        span: Span,
    ) -> Eval {
        let args = self.eval_list(dsl, scope, args)?;
        let frame = self.scopes[scope as usize].frame as usize;
        self.here = span;
        match self.frames[frame].block {
            Some(block) => self.deeper(|this| this.call_block(dsl, block, &args)),
            None => self.raise("LocalJumpError", "no block given (yield)"),
        }
    }

    /// Binds arguments to parameters: strictly for methods and lambdas, as far as they go for blocks.
    fn bind(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        params: &Params,
        given: &Arguments<'_>,
        strict: bool,
    ) -> Eval<()> {
        let mut values = given.values.to_vec();
        let takes_keywords = !params.keywords.is_empty() || params.keyword_rest.is_some();
        let keywords = match values.last() {
            Some(Value::Hash(id)) if takes_keywords && given.keywords => {
                let hash = *id;
                values.pop();
                Some(hash)
            }
            _ => None,
        };
        if !strict
            && let [Value::Array(only)] = values[..]
            && params.takes_apart()
        {
            values = self.heap[only].items.clone();
        }
        let required = params.required.len() + params.post.len();
        if strict {
            self.check_arity(params, values.len(), required)?;
        }
        values.resize(values.len().max(required), Value::Nil);
        let optional = (values.len() - required).min(params.optional.len());
        let rest = values.len() - required - optional;
        let mut next = values.into_iter();
        for target in &params.required {
            let value = next.next().unwrap_or(Value::Nil);
            self.bind_one(dsl, scope, target, value)?;
        }
        for (number, (name, default)) in params.optional.iter().enumerate() {
            let value = match number < optional {
                true => next.next().unwrap_or(Value::Nil),
                false => self.eval(dsl, scope, default)?,
            };
            self.set_local(scope, name, value)?;
        }
        let left: Vec<Value> = next.by_ref().take(rest).collect();
        if let Some(Some(name)) = &params.rest {
            let left = self.array(left)?;
            self.set_local(scope, name, left)?;
        }
        for target in &params.post {
            let value = next.next().unwrap_or(Value::Nil);
            self.bind_one(dsl, scope, target, value)?;
        }
        let passed = match keywords {
            Some(id) => self.heap[id].entries.clone(),
            None => Hash::default().entries,
        };
        self.bind_keywords(dsl, scope, params, passed, strict)?;
        if let Some(name) = &params.block {
            let block = given.block.map_or(Value::Nil, Value::Proc);
            self.set_local(scope, name, block)?;
        }
        Ok(())
    }

    fn bind_one(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        target: &Target,
        value: Value,
    ) -> Eval<()> {
        match &target.kind {
            TargetKind::Local { name, .. } => self.set_local(scope, name, value),
            _ => self.assign(dsl, scope, target, value),
        }
    }

    fn bind_keywords(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        params: &Params,
        mut passed: indexmap::IndexMap<Key, (Value, Value)>,
        strict: bool,
    ) -> Eval<()> {
        for (name, default) in &params.keywords {
            let key = Key::Sym(self.heap.symbol(name));
            let value = match (passed.shift_remove(&key), default) {
                (Some((_, value)), _) => value,
                (None, Some(default)) => self.eval(dsl, scope, default)?,
                (None, None) => {
                    return self.raise("ArgumentError", format!("missing keyword: :{name}"));
                }
            };
            self.set_local(scope, name, value)?;
        }
        match &params.keyword_rest {
            Some(Some(name)) => {
                let rest = self.hash(Hash {
                    entries: passed,
                    ..Hash::default()
                })?;
                self.set_local(scope, name, rest)
            }
            None if strict && !passed.is_empty() => {
                let (_, (key, _)) = passed
                    .first()
                    .map_or((&Key::Nil, &(Value::Nil, Value::Nil)), |e| e);
                let key = self.inspect(*key)?;
                self.raise("ArgumentError", format!("unknown keyword: {key}"))
            }
            _ => Ok(()),
        }
    }

    fn check_arity(&mut self, params: &Params, given: usize, required: usize) -> Eval<()> {
        let most = required + params.optional.len();
        if given >= required && (given <= most || params.rest.is_some()) {
            return Ok(());
        }
        let expected = match params.rest {
            Some(_) => format!("{required}+"),
            None if most > required => format!("{required}..{most}"),
            None => required.to_string(),
        };
        self.raise(
            "ArgumentError",
            format!("wrong number of arguments (given {given}, expected {expected})"),
        )
    }
}

/// What a method or a block of the file's own is called with.
struct Arguments<'c> {
    values: &'c [Value],
    keywords: bool,
    block: Option<ProcId>,
}

/// The arguments in the text, or the name where there are none.
fn args_span(call: &Call) -> Span {
    match (call.args.first(), call.args.last()) {
        (Some(first), Some(last)) => Span {
            end: last.span.end,
            ..first.span
        },
        _ => call.name_span,
    }
}
