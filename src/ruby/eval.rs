//! Evaluates syntax: literals, variables, conditions and loops. Calls are in [`super::calls`],
//! assignments in [`super::assign`].

mod control;
mod variables;

use super::dsl::Dsl;
use super::error::RubyError;
use super::fail::{Eval, Exit};
use super::interpreter::Interpreter;
use super::regexps;
use super::syntax::{Kind, Node, Pair, RegexpFlags};
use super::value::{Hash, Proc, Value};

impl Interpreter<'_> {
    /// Evaluates one piece of syntax.
    pub(super) fn eval(&mut self, dsl: &mut dyn Dsl, scope: u32, node: &Node) -> Eval {
        self.here = node.span;
        self.deeper(|this| this.eval_kind(dsl, scope, node))
    }

    /// Counts one more level of nesting around `work`, and a step: what recurses here, recurses on the
    /// stack, and a list of two lists of two lists is soon gone through a billion times.
    pub(crate) fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Eval<T>) -> Eval<T> {
        self.step(1)?;
        let limit = self.settings.limits.depth;
        if self.depth >= limit {
            let at = self.location(self.here);
            return Err(RubyError::TooDeep { limit, at }.into());
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    /// Evaluates what may be missing; nothing is `nil`.
    pub(super) fn eval_optional(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        node: Option<&Node>,
    ) -> Eval {
        node.map_or(Ok(Value::Nil), |node| self.eval(dsl, scope, node))
    }

    fn eval_kind(&mut self, dsl: &mut dyn Dsl, scope: u32, node: &Node) -> Eval {
        match &node.kind {
            Kind::Nil => Ok(Value::Nil),
            Kind::True => Ok(Value::Bool(true)),
            Kind::False => Ok(Value::Bool(false)),
            Kind::SelfRef => match self.scopes[scope as usize].module {
                Some(module) => Ok(Value::OwnModule(module)),
                None => Ok(Value::Main),
            },
            Kind::Int(number) => Ok(Value::Int(*number)),
            Kind::Float(number) => Ok(Value::Float(*number)),
            Kind::Str { text, frozen: true } => self.frozen_string(&**text),
            Kind::Str { text, .. } => self.string(&**text),
            Kind::Sym(name) => self.symbol(name),
            Kind::Seq(nodes) => self.eval_sequence(dsl, scope, nodes),
            Kind::Call(call) => self.eval_call(dsl, scope, call, node.span),
            Kind::Local { name, depth } => {
                let locals = self.scopes[self.scope_at(scope, *depth) as usize]
                    .locals
                    .len();
                self.step(locals as u64 / 64)?;
                Ok(self.local(scope, name, *depth))
            }
            Kind::And(left, right) => match self.eval(dsl, scope, left)? {
                value if value.truthy() => self.eval(dsl, scope, right),
                value => Ok(value),
            },
            Kind::Or(left, right) => match self.eval(dsl, scope, left)? {
                value if value.truthy() => Ok(value),
                _ => self.eval(dsl, scope, right),
            },
            Kind::If {
                test,
                then,
                otherwise,
            } => {
                let branch = match self.eval(dsl, scope, test)?.truthy() {
                    true => then,
                    false => otherwise,
                };
                self.eval_optional(dsl, scope, branch.as_deref())
            }
            _ => self.eval_composite(dsl, scope, node),
        }
    }

    fn eval_composite(&mut self, dsl: &mut dyn Dsl, scope: u32, node: &Node) -> Eval {
        match &node.kind {
            Kind::Interpolated(parts) => {
                let text = self.interpolate(dsl, scope, parts)?;
                self.string(text)
            }
            Kind::InterpolatedSym(parts) => {
                let text = self.interpolate(dsl, scope, parts)?;
                self.symbol(&text)
            }
            Kind::Regexp { parts, flags } => self.eval_regexp(dsl, scope, parts, *flags),
            Kind::Array(nodes) => {
                let items = self.eval_list(dsl, scope, nodes)?;
                self.array(items)
            }
            Kind::Hash(pairs) => self.eval_hash(dsl, scope, pairs),
            Kind::Range {
                from,
                to,
                exclusive,
            } => {
                let from = self.eval_optional(dsl, scope, from.as_deref())?;
                let to = self.eval_optional(dsl, scope, to.as_deref())?;
                self.here = node.span;
                self.checked_range(from, to, *exclusive)
            }
            Kind::Constant(name) => self.constant(scope, name, node.span),
            Kind::ConstantPath { parent, name } => {
                self.constant_path(dsl, scope, parent.as_deref(), name, node.span)
            }
            Kind::Assign { target, value } => {
                let value = self.eval(dsl, scope, value)?;
                self.assign(dsl, scope, target, value)?;
                Ok(value)
            }
            Kind::OpAssign { target, op, value } => self.assign_with(dsl, scope, target, op, value),
            Kind::MultiAssign { targets, value } => {
                let value = self.eval(dsl, scope, value)?;
                let items = self.taken_apart(value);
                self.assign_many(dsl, scope, targets, &items)?;
                Ok(value)
            }
            Kind::MatchAssign { call, locals } => self.assign_match(dsl, scope, call, locals),
            _ => self.eval_control(dsl, scope, node),
        }
    }

    fn eval_control(&mut self, dsl: &mut dyn Dsl, scope: u32, node: &Node) -> Eval {
        match &node.kind {
            Kind::Case {
                subject,
                whens,
                otherwise,
            } => self.eval_case(dsl, scope, subject.as_deref(), whens, otherwise.as_deref()),
            Kind::While {
                test,
                body,
                negated,
                body_first,
            } => {
                let body = body.as_deref();
                self.looped(scope, |this| {
                    this.eval_while(dsl, scope, test, body, *negated, *body_first)
                })
            }
            Kind::For { target, over, body } => {
                let over = self.eval(dsl, scope, over)?;
                let items = self.items_of(over)?;
                self.looped(scope, |this| {
                    for item in items {
                        this.assign(dsl, scope, target, item)?;
                        this.eval_round(dsl, scope, body.as_deref())?;
                    }
                    Ok(over)
                })
            }
            Kind::Begin(begin) => self.eval_begin(dsl, scope, begin),
            Kind::Defined(inner) => self.eval_defined(dsl, scope, inner),
            Kind::Yield(args) => self.eval_yield(dsl, scope, args, node.span),
            Kind::Lambda(block) => {
                let proc = self.new_proc(Proc::Block {
                    block: block.clone(),
                    scope,
                    lambda: true,
                })?;
                Ok(Value::Proc(proc))
            }
            Kind::Module { name, body } => self.eval_module(dsl, scope, name, body.as_deref()),
            // A module's methods are not known: calling one is an error.
            Kind::Def(def) if self.scopes[scope as usize].module.is_some() => {
                self.symbol(&def.name)
            }
            Kind::Def(def) => {
                self.methods.insert(def.name.clone(), def.clone());
                self.symbol(&def.name)
            }
            _ => self.eval_exit_or_variable(dsl, scope, node),
        }
    }

    fn eval_exit_or_variable(&mut self, dsl: &mut dyn Dsl, scope: u32, node: &Node) -> Eval {
        match &node.kind {
            Kind::Return(args) => {
                let value = self.exit_value(dsl, scope, args)?;
                if let Some(lambda) = self.lambda_around(scope) {
                    return Err(Exit::LambdaReturn { lambda, value }.into());
                }
                let within = &self.scopes[scope as usize];
                let frame = within.frame;
                if frame == 0 && (within.block.is_some() || within.caller.is_some()) {
                    return self.unsupported_at("`return` here", node.span);
                }
                Err(Exit::Return { frame, value }.into())
            }
            Kind::Break(args) => {
                let value = self.exit_value(dsl, scope, args)?;
                let scope = &self.scopes[scope as usize];
                match scope.block {
                    _ if scope.loops > 0 => Err(Exit::LoopBreak(value).into()),
                    Some(block) => Err(Exit::Break { block, value }.into()),
                    None => self.unsupported_at("`break` here", node.span),
                }
            }
            Kind::Next(args) => {
                let value = self.exit_value(dsl, scope, args)?;
                Err(Exit::Next(value).into())
            }
            Kind::Retry => Err(Exit::Retry.into()),
            Kind::FileName => {
                let path = self.path_of(node.span).to_owned();
                self.string(path)
            }
            Kind::LineNumber => {
                // Lines are counted from the top.
                self.step(u64::from(node.span.start) / 512)?;
                let line = self.location(node.span).line();
                Ok(Value::Int(i64::try_from(line).unwrap_or(i64::MAX)))
            }
            Kind::InstanceVariable(name) => {
                if dsl.has_variable(name) {
                    return self.unsupported_at(format!("`{name}`"), node.span);
                }
                let value = self.instance_variables.get(name);
                Ok(value.copied().unwrap_or(Value::Nil))
            }
            Kind::Global(name) => self.global(scope, name, node),
            Kind::NthMatch(number) => self.nth_match(scope, *number as usize),
            Kind::MatchPart(part) => self.match_part(scope, part, node),
            Kind::Splat(_) => self.unsupported_at("`*` here", node.span),
            Kind::Unsupported(construct) => self.unsupported_at(*construct, node.span),
            _ => self.unsupported_at("this syntax", node.span),
        }
    }

    fn eval_sequence(&mut self, dsl: &mut dyn Dsl, scope: u32, nodes: &[Node]) -> Eval {
        let mut value = Value::Nil;
        for node in nodes {
            value = self.eval(dsl, scope, node)?;
        }
        Ok(value)
    }

    fn exit_value(&mut self, dsl: &mut dyn Dsl, scope: u32, args: &[Node]) -> Eval {
        let mut values = self.eval_list(dsl, scope, args)?;
        match values.len() {
            0 => Ok(Value::Nil),
            1 if !matches!(args[0].kind, Kind::Splat(_)) => Ok(values.remove(0)),
            _ => self.array(values),
        }
    }

    /// The elements of an array or of an argument list, splats spread.
    pub(super) fn eval_list(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        nodes: &[Node],
    ) -> Eval<Vec<Value>> {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            match &node.kind {
                Kind::Splat(Some(inner)) => {
                    let value = self.eval(dsl, scope, inner)?;
                    let spread = self.spread(value)?;
                    self.charge(16 * spread.len() as u64)?;
                    items.extend(spread);
                }
                _ => items.push(self.eval(dsl, scope, node)?),
            }
        }
        Ok(items)
    }

    /// What `*value` stands for.
    pub(super) fn spread(&mut self, value: Value) -> Eval<Vec<Value>> {
        match value {
            Value::Nil => Ok(Vec::new()),
            Value::Array(id) => Ok(self.heap[id].items.clone()),
            Value::Hash(_) | Value::Range(_) => self.items_of(value),
            _ => Ok(vec![value]),
        }
    }

    fn eval_hash(&mut self, dsl: &mut dyn Dsl, scope: u32, pairs: &[Pair]) -> Eval {
        let mut hash = Hash::default();
        for pair in pairs {
            match pair {
                Pair::Entry(key, value) => {
                    let key = self.eval(dsl, scope, key)?;
                    let value = self.eval(dsl, scope, value)?;
                    let (hashed, key) = self.key(key)?;
                    hash.entries.insert(hashed, (key, value));
                }
                Pair::Splat(node) => match self.eval(dsl, scope, node)? {
                    Value::Nil => {}
                    Value::Hash(id) => {
                        let entries = self.heap[id].entries.clone();
                        self.charge(64 * entries.len() as u64)?;
                        hash.entries.extend(entries);
                    }
                    _ => return self.unsupported_at("`**` of what is no hash", node.span),
                },
            }
        }
        self.hash(hash)
    }

    fn interpolate(&mut self, dsl: &mut dyn Dsl, scope: u32, parts: &[Node]) -> Eval<String> {
        let mut text = String::new();
        for part in parts {
            if let Kind::Str { text: literal, .. } = &part.kind {
                text.push_str(literal);
                continue;
            }
            let value = self.eval(dsl, scope, part)?;
            self.here = part.span;
            let piece = self.display(value)?;
            self.charge(piece.len() as u64)?;
            text.push_str(&piece);
        }
        Ok(text)
    }

    fn eval_regexp(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        parts: &[Node],
        flags: RegexpFlags,
    ) -> Eval {
        let mut source = String::new();
        for part in parts {
            if let Kind::Str { text, .. } = &part.kind {
                source.push_str(text);
                continue;
            }
            match self.eval(dsl, scope, part)? {
                Value::Regexp(id) => source.push_str(&regexps::embedded(&self.heap[id])),
                value => {
                    let piece = self.display(value)?;
                    source.push_str(&piece);
                }
            }
            self.charge(source.len() as u64)?;
        }
        self.regexp(&source, flags)
    }
}
