//! Calls, blocks, lambdas and methods.

use std::sync::Arc;

use ruby_prism as prism;

use super::{Lowered, Lowering, name};
use crate::ruby::syntax::{
    Block, BlockArg, Call, Def, Kind, Node, Params, Span, Target, TargetKind,
};

impl Lowering {
    pub(super) fn call(&mut self, node: &prism::Node<'_>) -> Lowered<Option<Kind>> {
        Ok(Some(if let Some(call) = node.as_call_node() {
            Kind::Call(Box::new(self.call_node(&call)?))
        } else if let Some(call) = node.as_yield_node() {
            Kind::Yield(self.arguments(call.arguments())?)
        } else if let Some(lambda) = node.as_lambda_node() {
            let span = self.span(&lambda.location());
            let block = self.block_parts(span, lambda.parameters().as_ref(), lambda.body())?;
            Kind::Lambda(Arc::new(block))
        } else if let Some(def) = node.as_def_node() {
            self.def(&def)?
        } else if let Some(module) = node.as_module_node() {
            if module.constant_path().as_constant_read_node().is_none() {
                return Ok(None);
            }
            Kind::Module {
                name: name(&module.name()),
                body: self.optional(module.body())?,
            }
        } else if let Some(class) = node.as_class_node() {
            let plain = class.constant_path().as_constant_read_node().is_some();
            if !plain || class.superclass().is_some() {
                return Ok(None);
            }
            Kind::Module {
                name: name(&class.name()),
                body: self.optional(class.body())?,
            }
        } else if let Some(path) = node.as_constant_path_node() {
            let Some(id) = path.name() else {
                return Ok(Some(Kind::Unsupported("this syntax")));
            };
            Kind::ConstantPath {
                parent: self.optional(path.parent())?,
                name: name(&id),
            }
        } else if let Some(write) = node.as_shareable_constant_node() {
            self.node(&write.write())?.kind
        } else {
            return Ok(None);
        }))
    }

    fn call_node(&mut self, call: &prism::CallNode<'_>) -> Lowered<Call> {
        let receiver = call.receiver().map(|node| self.node(&node)).transpose()?;
        let span = self.span(&call.location());
        let name_span = call.message_loc().map_or(span, |place| self.span(&place));
        let args = self.arguments(call.arguments())?;
        let keywords = call.arguments().is_some_and(|arguments| {
            let last = arguments.arguments().last();
            last.is_some_and(|last| last.as_keyword_hash_node().is_some())
        });
        let block = match call.block() {
            Some(block) => Some(self.block_arg(&block)?),
            None => None,
        };
        Ok(Call {
            receiver,
            name: name(&call.name()),
            name_span,
            args,
            keywords,
            block,
            safe: call.is_safe_navigation(),
            bare_word: call.is_variable_call(),
            attribute_write: call.is_attribute_write(),
        })
    }

    fn block_arg(&mut self, node: &prism::Node<'_>) -> Lowered<BlockArg> {
        let span = self.span(&node.location());
        if let Some(block) = node.as_block_node() {
            let parts = self.block_parts(span, block.parameters().as_ref(), block.body())?;
            return Ok(BlockArg::Block(Arc::new(parts)));
        }
        let passed = node
            .as_block_argument_node()
            .and_then(|arg| arg.expression());
        Ok(BlockArg::Pass(match passed {
            Some(passed) => self.node(&passed)?,
            None => Node {
                span,
                kind: Kind::Unsupported("`&` without a name"),
            },
        }))
    }

    fn block_parts(
        &mut self,
        span: Span,
        parameters: Option<&prism::Node<'_>>,
        body: Option<prism::Node<'_>>,
    ) -> Lowered<Block> {
        let params = match parameters {
            None => Params::default(),
            Some(node) => {
                if let Some(list) = node.as_block_parameters_node() {
                    self.params(list.parameters())?
                } else if let Some(numbered) = node.as_numbered_parameters_node() {
                    numbered_params(span, numbered.maximum())
                } else {
                    // `it`
                    Params {
                        required: vec![local_target(span, "it")],
                        ..Params::default()
                    }
                }
            }
        };
        let body = body.map(|body| self.node(&body)).transpose()?;
        Ok(Block { params, body })
    }

    fn def(&mut self, def: &prism::DefNode<'_>) -> Lowered<Kind> {
        if def
            .receiver()
            .is_some_and(|receiver| receiver.as_self_node().is_none())
        {
            return Ok(Kind::Unsupported("a method of another object"));
        }
        let params = self.params(def.parameters())?;
        let body = def.body().map(|body| self.node(&body)).transpose()?;
        Ok(Kind::Def(Arc::new(Def {
            name: name(&def.name()),
            params,
            body,
        })))
    }

    fn params(&mut self, list: Option<prism::ParametersNode<'_>>) -> Lowered<Params> {
        let mut params = Params::default();
        let Some(list) = list else { return Ok(params) };
        for required in &list.requireds() {
            params.required.push(self.target(&required)?);
        }
        for optional in &list.optionals() {
            if let Some(optional) = optional.as_optional_parameter_node() {
                let default = self.node(&optional.value())?;
                params.optional.push((name(&optional.name()), default));
            }
        }
        if let Some(rest) = list.rest() {
            if let Some(rest) = rest.as_rest_parameter_node() {
                params.rest = Some(rest.name().as_ref().map(name));
            } else {
                params.excess_comma = true;
            }
        }
        for post in &list.posts() {
            params.post.push(self.target(&post)?);
        }
        for keyword in &list.keywords() {
            if let Some(keyword) = keyword.as_optional_keyword_parameter_node() {
                let default = self.node(&keyword.value())?;
                params.keywords.push((name(&keyword.name()), Some(default)));
            } else if let Some(keyword) = keyword.as_required_keyword_parameter_node() {
                params.keywords.push((name(&keyword.name()), None));
            }
        }
        if let Some(rest) = list.keyword_rest() {
            // `...` takes everything; passing it on is what is not supported.
            if rest.as_forwarding_parameter_node().is_some() {
                params.rest = Some(None);
            }
            let rest = rest.as_keyword_rest_parameter_node();
            params.keyword_rest = Some(rest.and_then(|rest| rest.name().as_ref().map(name)));
        }
        if let Some(block) = list.block() {
            let block = block.as_block_parameter_node();
            params.block = block.and_then(|block| block.name().as_ref().map(name));
        }
        Ok(params)
    }
}

fn numbered_params(span: Span, maximum: u8) -> Params {
    Params {
        required: (1..=maximum)
            .map(|number| local_target(span, &format!("_{number}")))
            .collect(),
        ..Params::default()
    }
}

fn local_target(span: Span, name: &str) -> Target {
    Target {
        span,
        kind: TargetKind::Local {
            name: name.into(),
            depth: 0,
        },
    }
}
