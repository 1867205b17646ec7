//! Assignments: to locals, indices, attributes, and to several places at once.

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::syntax::{AssignOp, Name, Node, Span, Target, TargetKind, Targets};
use super::value::Value;

/// The place of an assignment with an operator, its parts evaluated once.
enum Place<'t> {
    Plain(&'t Target),
    Index {
        receiver: Value,
        args: Vec<Value>,
        span: Span,
    },
    Attribute {
        receiver: Value,
        name: &'t Name,
        span: Span,
    },
    /// Behind a `&.` of `nil`.
    Nowhere,
}

impl Interpreter<'_> {
    /// Assigns a value.
    pub(super) fn assign(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        target: &Target,
        value: Value,
    ) -> Eval<()> {
        match &target.kind {
            TargetKind::Local { name, depth } => {
                let scope = self.home_of_local(scope, name, *depth);
                self.set_local(scope, name, value)
            }
            TargetKind::InstanceVariable(name) if dsl.has_variable(name) => {
                self.unsupported_at(format!("assigning to `{name}`"), target.span)
            }
            TargetKind::InstanceVariable(name) => {
                self.charge(16)?;
                self.instance_variables.insert(name.clone(), value);
                Ok(())
            }
            TargetKind::Constant(name) => {
                let name = self.qualified(scope, name);
                self.charge(16 + name.len() as u64)?;
                self.constants.insert(name, value);
                Ok(())
            }
            TargetKind::Global(name) => self.assign_global(name, value, target.span),
            TargetKind::Multi(targets) => {
                let items = self.taken_apart(value);
                self.deeper(|this| this.assign_many(dsl, scope, targets, &items))
            }
            TargetKind::Index { .. } | TargetKind::Attribute { .. } => {
                let place = self.place(dsl, scope, target)?;
                self.assign_place(dsl, scope, &place, value)
            }
            TargetKind::Unsupported(construct) => self.unsupported_at(*construct, target.span),
        }
    }

    /// Sets a local of a scope.
    pub(super) fn set_local(&mut self, scope: u32, name: &Name, value: Value) -> Eval<()> {
        // Locals are searched one by one: many of them cost the more.
        self.step(self.scopes[scope as usize].locals.len() as u64 / 64)?;
        let locals = &mut self.scopes[scope as usize].locals;
        if let Some(entry) = locals.iter_mut().find(|(known, _)| known == name) {
            entry.1 = value;
            return Ok(());
        }
        locals.push((name.clone(), value));
        self.charge(32)
    }

    fn assign_global(&mut self, name: &Name, value: Value, span: Span) -> Eval<()> {
        let special = name[1..].starts_with(|c: char| !c.is_ascii_lowercase() && c != '_');
        let known = matches!(&**name, "$stdout" | "$stderr" | "$stdin");
        // Warnings go nowhere here, so switching them on or off means nothing.
        if matches!(&**name, "$VERBOSE" | "$DEBUG") {
            return Ok(());
        }
        if special || known {
            return self.unsupported_at(format!("assigning to `{name}`"), span);
        }
        self.charge(16)?;
        self.globals.insert(name.clone(), value);
        Ok(())
    }

    /// The values that several targets take from one.
    pub(super) fn taken_apart(&self, value: Value) -> Vec<Value> {
        match value {
            Value::Array(id) => self.heap[id].items.clone(),
            _ => vec![value],
        }
    }

    /// Assigns to several places: what is missing is `nil`, what is left over goes to the rest.
    pub(super) fn assign_many(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        targets: &Targets,
        items: &[Value],
    ) -> Eval<()> {
        let after = targets.after.len();
        let rest_end = items.len().saturating_sub(after).max(targets.before.len());
        for (number, target) in targets.before.iter().enumerate() {
            let value = items.get(number).copied().unwrap_or(Value::Nil);
            self.assign(dsl, scope, target, value)?;
        }
        if let Some(Some(rest)) = &targets.rest {
            let left = items
                .get(targets.before.len()..rest_end.min(items.len()))
                .unwrap_or_default()
                .to_vec();
            let left = self.array(left)?;
            self.assign(dsl, scope, rest, left)?;
        }
        let start = match targets.rest {
            Some(_) => rest_end,
            None => targets.before.len(),
        };
        for (number, target) in targets.after.iter().enumerate() {
            let value = items.get(start + number).copied().unwrap_or(Value::Nil);
            self.assign(dsl, scope, target, value)?;
        }
        Ok(())
    }

    /// `target op= value`
    pub(super) fn assign_with(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        target: &Target,
        op: &AssignOp,
        value: &Node,
    ) -> Eval {
        let place = self.place(dsl, scope, target)?;
        let before = self.read_place(dsl, scope, &place, op)?;
        let after = match op {
            AssignOp::Or if before.truthy() => return Ok(before),
            AssignOp::And if !before.truthy() => return Ok(before),
            AssignOp::Or | AssignOp::And => self.eval(dsl, scope, value)?,
            AssignOp::Method(name) => {
                let operand = self.eval(dsl, scope, value)?;
                self.here = target.span;
                let call = plain_call(name, vec![operand], target.span);
                self.call_method(dsl, scope, before, &call)?
            }
        };
        self.assign_place(dsl, scope, &place, after)?;
        Ok(after)
    }

    fn place<'t>(&mut self, dsl: &mut dyn Dsl, scope: u32, target: &'t Target) -> Eval<Place<'t>> {
        Ok(match &target.kind {
            TargetKind::Index {
                receiver,
                args,
                safe,
            } => {
                let receiver = self.eval(dsl, scope, receiver)?;
                if *safe && receiver.is_nil() {
                    return Ok(Place::Nowhere);
                }
                Place::Index {
                    receiver,
                    args: self.eval_list(dsl, scope, args)?,
                    span: target.span,
                }
            }
            TargetKind::Attribute {
                receiver,
                name,
                safe,
            } => {
                let receiver = self.eval(dsl, scope, receiver)?;
                if *safe && receiver.is_nil() {
                    return Ok(Place::Nowhere);
                }
                Place::Attribute {
                    receiver,
                    name,
                    span: target.span,
                }
            }
            _ => Place::Plain(target),
        })
    }

    fn read_place(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        place: &Place<'_>,
        op: &AssignOp,
    ) -> Eval {
        match place {
            Place::Nowhere => Ok(Value::Nil),
            Place::Index {
                receiver,
                args,
                span,
            } => {
                self.here = *span;
                let call = plain_call(&"[]".into(), args.clone(), *span);
                self.call_method(dsl, scope, *receiver, &call)
            }
            Place::Attribute {
                receiver,
                name,
                span,
            } => {
                self.here = *span;
                let call = plain_call(name, Vec::new(), *span);
                self.call_method(dsl, scope, *receiver, &call)
            }
            Place::Plain(target) => match &target.kind {
                TargetKind::Local { name, depth } => Ok(self.local(scope, name, *depth)),
                TargetKind::InstanceVariable(name) if dsl.has_variable(name) => {
                    self.unsupported_at(format!("`{name}`"), target.span)
                }
                TargetKind::InstanceVariable(name) => {
                    let value = self.instance_variables.get(name);
                    Ok(value.copied().unwrap_or(Value::Nil))
                }
                TargetKind::Constant(name) => match self.own_constant(scope, name) {
                    Some(value) => Ok(value),
                    None if matches!(op, AssignOp::Or) => Ok(Value::Nil),
                    None => self.unsupported_at("this assignment", target.span),
                },
                TargetKind::Global(name) => {
                    Ok(self.globals.get(name).copied().unwrap_or(Value::Nil))
                }
                TargetKind::Unsupported(construct) => self.unsupported_at(*construct, target.span),
                _ => self.unsupported_at("this assignment", target.span),
            },
        }
    }

    fn assign_place(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        place: &Place<'_>,
        value: Value,
    ) -> Eval<()> {
        match place {
            Place::Nowhere => Ok(()),
            Place::Plain(target) => self.assign(dsl, scope, target, value),
            Place::Index {
                receiver,
                args,
                span,
            } => {
                let mut args = args.clone();
                args.push(value);
                self.here = *span;
                let call = plain_call(&"[]=".into(), args, *span);
                self.call_method(dsl, scope, *receiver, &call).map(|_| ())
            }
            Place::Attribute {
                receiver,
                name,
                span,
            } => {
                self.here = *span;
                let call = plain_call(&format!("{name}=").into(), vec![value], *span);
                self.call_method(dsl, scope, *receiver, &call).map(|_| ())
            }
        }
    }

    /// `/(?<name>..)/ =~ text`
    pub(super) fn assign_match(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        call: &Node,
        locals: &[(Name, u32)],
    ) -> Eval {
        let value = self.eval(dsl, scope, call)?;
        let frame = self.scopes[scope as usize].frame as usize;
        let last = self.frames[frame].last_match;
        for (name, depth) in locals {
            let text = last.and_then(|id| {
                let found = &self.heap[id];
                let (_, group) = found.names.iter().find(|(known, _)| known == name)?;
                found.group(*group).map(str::to_owned)
            });
            let group = text.map_or(Ok(Value::Nil), |text| self.string(text))?;
            let scope = self.scope_at(scope, *depth);
            self.set_local(scope, name, group)?;
        }
        Ok(value)
    }
}

/// A call that no text spells out.
pub(super) fn plain_call(name: &Name, args: Vec<Value>, span: Span) -> Invocation {
    Invocation {
        name: name.clone(),
        args,
        keywords: false,
        block: None,
        name_span: span,
        args_span: span,
    }
}
