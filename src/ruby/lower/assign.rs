//! Assignments, with or without an operator, to one place or to several.

use ruby_prism as prism;

use super::{Lowered, Lowering, name};
use crate::ruby::syntax::{AssignOp, Kind, Span, Target, TargetKind, Targets};

impl Lowering {
    pub(super) fn assignment(&mut self, node: &prism::Node<'_>) -> Lowered<Option<Kind>> {
        let span = self.span(&node.location());
        if let Some((target, value)) = plain_write(node) {
            return Ok(Some(Kind::Assign {
                target: Box::new(Target { span, kind: target }),
                value: self.boxed(&value)?,
            }));
        }
        if let Some((target, op, value)) = self.op_write(node)? {
            return Ok(Some(Kind::OpAssign {
                target: Box::new(Target { span, kind: target }),
                op,
                value: self.boxed(&value)?,
            }));
        }
        if let Some(write) = node.as_multi_write_node() {
            let targets = self.targets(&write.lefts(), write.rest(), &write.rights())?;
            return Ok(Some(Kind::MultiAssign {
                targets: Box::new(targets),
                value: self.boxed(&write.value())?,
            }));
        }
        if let Some(write) = node.as_match_write_node() {
            let mut locals = Vec::new();
            for target in &write.targets() {
                if let Some(local) = target.as_local_variable_target_node() {
                    locals.push((name(&local.name()), local.depth()));
                }
            }
            return Ok(Some(Kind::MatchAssign {
                call: self.boxed(&write.call().as_node())?,
                locals,
            }));
        }
        Ok(None)
    }

    fn op_write<'pr>(
        &mut self,
        node: &prism::Node<'pr>,
    ) -> Lowered<Option<(TargetKind, AssignOp, prism::Node<'pr>)>> {
        if let Some(found) = local_op_write(node) {
            return Ok(Some(found));
        }
        if let Some(found) = variable_op_write(node) {
            return Ok(Some(found));
        }
        Ok(Some(if let Some(write) = node.as_index_or_write_node() {
            let safe = write.is_safe_navigation();
            let target = self.index(write.receiver(), write.arguments(), safe)?;
            (target, AssignOp::Or, write.value())
        } else if let Some(write) = node.as_index_and_write_node() {
            let safe = write.is_safe_navigation();
            let target = self.index(write.receiver(), write.arguments(), safe)?;
            (target, AssignOp::And, write.value())
        } else if let Some(write) = node.as_index_operator_write_node() {
            let safe = write.is_safe_navigation();
            let target = self.index(write.receiver(), write.arguments(), safe)?;
            let op = AssignOp::Method(name(&write.binary_operator()));
            (target, op, write.value())
        } else if let Some(write) = node.as_call_or_write_node() {
            let safe = write.is_safe_navigation();
            let target = self.attribute(write.receiver(), &write.read_name(), safe)?;
            (target, AssignOp::Or, write.value())
        } else if let Some(write) = node.as_call_and_write_node() {
            let safe = write.is_safe_navigation();
            let target = self.attribute(write.receiver(), &write.read_name(), safe)?;
            (target, AssignOp::And, write.value())
        } else if let Some(write) = node.as_call_operator_write_node() {
            let safe = write.is_safe_navigation();
            let target = self.attribute(write.receiver(), &write.read_name(), safe)?;
            let op = AssignOp::Method(name(&write.binary_operator()));
            (target, op, write.value())
        } else {
            return Ok(None);
        }))
    }

    fn index(
        &mut self,
        receiver: Option<prism::Node<'_>>,
        args: Option<prism::ArgumentsNode<'_>>,
        safe: bool,
    ) -> Lowered<TargetKind> {
        let Some(receiver) = receiver else {
            return Ok(TargetKind::Unsupported("this assignment"));
        };
        Ok(TargetKind::Index {
            receiver: self.node(&receiver)?,
            args: self.arguments(args)?,
            safe,
        })
    }

    fn attribute(
        &mut self,
        receiver: Option<prism::Node<'_>>,
        read_name: &prism::ConstantId<'_>,
        safe: bool,
    ) -> Lowered<TargetKind> {
        let Some(receiver) = receiver else {
            return Ok(TargetKind::Unsupported("this assignment"));
        };
        Ok(TargetKind::Attribute {
            receiver: self.node(&receiver)?,
            name: name(read_name),
            safe,
        })
    }

    /// One of several places assigned to, or a place in a `for` or a `rescue`.
    pub(super) fn target(&mut self, node: &prism::Node<'_>) -> Lowered<Target> {
        let span = self.span(&node.location());
        let kind = if let Some(local) = node.as_local_variable_target_node() {
            TargetKind::Local {
                name: name(&local.name()),
                depth: local.depth(),
            }
        } else if let Some(parameter) = node.as_required_parameter_node() {
            TargetKind::Local {
                name: name(&parameter.name()),
                depth: 0,
            }
        } else if let Some(variable) = node.as_instance_variable_target_node() {
            TargetKind::InstanceVariable(name(&variable.name()))
        } else if let Some(constant) = node.as_constant_target_node() {
            TargetKind::Constant(name(&constant.name()))
        } else if let Some(variable) = node.as_global_variable_target_node() {
            TargetKind::Global(name(&variable.name()))
        } else if let Some(index) = node.as_index_target_node() {
            let safe = index.is_safe_navigation();
            self.index(Some(index.receiver()), index.arguments(), safe)?
        } else if let Some(call) = node.as_call_target_node() {
            let safe = call.is_safe_navigation();
            let mut target = self.attribute(Some(call.receiver()), &call.name(), safe)?;
            if let TargetKind::Attribute { name, .. } = &mut target {
                *name = name.trim_end_matches('=').into();
            }
            target
        } else if let Some(multi) = node.as_multi_target_node() {
            // Each level of `((a, b), c)` recurses.
            let lowered = self.nested(span, |this| {
                this.targets(&multi.lefts(), multi.rest(), &multi.rights())
            })?;
            TargetKind::Multi(Box::new(lowered))
        } else {
            TargetKind::Unsupported("assigning to this")
        };
        Ok(Target { span, kind })
    }

    pub(super) fn targets(
        &mut self,
        lefts: &prism::NodeList<'_>,
        rest: Option<prism::Node<'_>>,
        rights: &prism::NodeList<'_>,
    ) -> Lowered<Targets> {
        let mut list = |nodes: &prism::NodeList<'_>| -> Lowered<Vec<Target>> {
            nodes.iter().map(|node| self.target(&node)).collect()
        };
        let before = list(lefts)?;
        let after = list(rights)?;
        let rest = match rest {
            None => None,
            // `a, = list` takes the first and drops the rest.
            Some(rest) if rest.as_implicit_rest_node().is_some() => Some(None),
            Some(rest) => match rest.as_splat_node().and_then(|splat| splat.expression()) {
                Some(target) => Some(Some(self.target(&target)?)),
                None => Some(None),
            },
        };
        Ok(Targets {
            before,
            rest,
            after,
        })
    }
}

fn plain_write<'pr>(node: &prism::Node<'pr>) -> Option<(TargetKind, prism::Node<'pr>)> {
    Some(if let Some(write) = node.as_local_variable_write_node() {
        let target = TargetKind::Local {
            name: name(&write.name()),
            depth: write.depth(),
        };
        (target, write.value())
    } else if let Some(write) = node.as_instance_variable_write_node() {
        let target = TargetKind::InstanceVariable(name(&write.name()));
        (target, write.value())
    } else if let Some(write) = node.as_constant_write_node() {
        (TargetKind::Constant(name(&write.name())), write.value())
    } else if let Some(write) = node.as_global_variable_write_node() {
        (TargetKind::Global(name(&write.name())), write.value())
    } else if let Some(write) = node.as_constant_path_write_node() {
        let target = TargetKind::Unsupported("assigning a constant of another module");
        (target, write.value())
    } else {
        return None;
    })
}

type OpWrite<'pr> = (TargetKind, AssignOp, prism::Node<'pr>);

fn local_op_write<'pr>(node: &prism::Node<'pr>) -> Option<OpWrite<'pr>> {
    let local = |id: &prism::ConstantId<'_>, depth| TargetKind::Local {
        name: name(id),
        depth,
    };
    Some(
        if let Some(write) = node.as_local_variable_or_write_node() {
            let target = local(&write.name(), write.depth());
            (target, AssignOp::Or, write.value())
        } else if let Some(write) = node.as_local_variable_and_write_node() {
            let target = local(&write.name(), write.depth());
            (target, AssignOp::And, write.value())
        } else if let Some(write) = node.as_local_variable_operator_write_node() {
            let target = local(&write.name(), write.depth());
            let op = AssignOp::Method(name(&write.binary_operator()));
            (target, op, write.value())
        } else {
            return None;
        },
    )
}

fn variable_op_write<'pr>(node: &prism::Node<'pr>) -> Option<OpWrite<'pr>> {
    let instance = |id: &prism::ConstantId<'_>| TargetKind::InstanceVariable(name(id));
    let constant = |id: &prism::ConstantId<'_>| TargetKind::Constant(name(id));
    let global = |id: &prism::ConstantId<'_>| TargetKind::Global(name(id));
    Some(
        if let Some(write) = node.as_instance_variable_or_write_node() {
            (instance(&write.name()), AssignOp::Or, write.value())
        } else if let Some(write) = node.as_instance_variable_and_write_node() {
            (instance(&write.name()), AssignOp::And, write.value())
        } else if let Some(write) = node.as_instance_variable_operator_write_node() {
            let op = AssignOp::Method(name(&write.binary_operator()));
            (instance(&write.name()), op, write.value())
        } else if let Some(write) = node.as_constant_or_write_node() {
            (constant(&write.name()), AssignOp::Or, write.value())
        } else if let Some(write) = node.as_constant_and_write_node() {
            (constant(&write.name()), AssignOp::And, write.value())
        } else if let Some(write) = node.as_constant_operator_write_node() {
            let op = AssignOp::Method(name(&write.binary_operator()));
            (constant(&write.name()), op, write.value())
        } else if let Some(write) = node.as_global_variable_or_write_node() {
            (global(&write.name()), AssignOp::Or, write.value())
        } else if let Some(write) = node.as_global_variable_and_write_node() {
            (global(&write.name()), AssignOp::And, write.value())
        } else if let Some(write) = node.as_global_variable_operator_write_node() {
            let op = AssignOp::Method(name(&write.binary_operator()));
            (global(&write.name()), op, write.value())
        } else {
            return None;
        },
    )
}

impl Lowering {
    /// Counts one more level of nesting around `work`.
    pub(super) fn nested<T>(
        &mut self,
        span: Span,
        work: impl FnOnce(&mut Self) -> Lowered<T>,
    ) -> Lowered<T> {
        if self.depth >= super::MAX_DEPTH {
            return Err(super::Failure::TooDeep(span));
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }
}
