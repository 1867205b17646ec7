//! Conditions, loops, and what catches errors.

use ruby_prism as prism;

use super::{Lowered, Lowering};
use crate::ruby::syntax::{Begin, Kind, Node, Rescue, When};

impl Lowering {
    pub(super) fn control(&mut self, node: &prism::Node<'_>) -> Lowered<Option<Kind>> {
        if let Some(kind) = self.choice(node)? {
            return Ok(Some(kind));
        }
        Ok(Some(if let Some(list) = node.as_statements_node() {
            Kind::Seq(self.nodes(&list.body())?)
        } else if let Some(parentheses) = node.as_parentheses_node() {
            let body = parentheses
                .body()
                .map(|body| self.node(&body))
                .transpose()?;
            Kind::Seq(body.into_iter().collect())
        } else if let Some(begin) = node.as_begin_node() {
            Kind::Begin(Box::new(self.begin(&begin)?))
        } else if let Some(modifier) = node.as_rescue_modifier_node() {
            Kind::Begin(Box::new(Begin {
                body: Some(self.node(&modifier.expression())?),
                rescues: vec![Rescue {
                    classes: Vec::new(),
                    target: None,
                    body: Some(self.node(&modifier.rescue_expression())?),
                }],
                otherwise: None,
                ensure: None,
            }))
        } else if let Some(defined) = node.as_defined_node() {
            Kind::Defined(self.boxed(&defined.value())?)
        } else if let Some(exit) = node.as_return_node() {
            Kind::Return(self.arguments(exit.arguments())?)
        } else if let Some(exit) = node.as_break_node() {
            Kind::Break(self.arguments(exit.arguments())?)
        } else if let Some(exit) = node.as_next_node() {
            Kind::Next(self.arguments(exit.arguments())?)
        } else if node.as_retry_node().is_some() {
            Kind::Retry
        } else {
            return Ok(None);
        }))
    }

    fn choice(&mut self, node: &prism::Node<'_>) -> Lowered<Option<Kind>> {
        Ok(Some(if let Some(choice) = node.as_if_node() {
            Kind::If {
                test: self.boxed(&choice.predicate())?,
                then: self.boxed_statements(choice.statements())?,
                otherwise: self.optional(choice.subsequent())?,
            }
        } else if let Some(choice) = node.as_unless_node() {
            Kind::If {
                test: self.boxed(&choice.predicate())?,
                then: match choice.else_clause() {
                    Some(clause) => self.boxed_statements(clause.statements())?,
                    None => None,
                },
                otherwise: self.boxed_statements(choice.statements())?,
            }
        } else if let Some(clause) = node.as_else_node() {
            let body = self.statements(clause.statements())?;
            Kind::Seq(body.into_iter().collect())
        } else if let Some(and) = node.as_and_node() {
            Kind::And(self.boxed(&and.left())?, self.boxed(&and.right())?)
        } else if let Some(or) = node.as_or_node() {
            Kind::Or(self.boxed(&or.left())?, self.boxed(&or.right())?)
        } else if let Some(case) = node.as_case_node() {
            self.case(&case)?
        } else if let Some(repeat) = node.as_while_node() {
            Kind::While {
                test: self.boxed(&repeat.predicate())?,
                body: self.boxed_statements(repeat.statements())?,
                negated: false,
                body_first: repeat.is_begin_modifier(),
            }
        } else if let Some(repeat) = node.as_until_node() {
            Kind::While {
                test: self.boxed(&repeat.predicate())?,
                body: self.boxed_statements(repeat.statements())?,
                negated: true,
                body_first: repeat.is_begin_modifier(),
            }
        } else if let Some(repeat) = node.as_for_node() {
            Kind::For {
                target: Box::new(self.target(&repeat.index())?),
                over: self.boxed(&repeat.collection())?,
                body: self.boxed_statements(repeat.statements())?,
            }
        } else {
            return Ok(None);
        }))
    }

    fn case(&mut self, case: &prism::CaseNode<'_>) -> Lowered<Kind> {
        let mut whens = Vec::new();
        for condition in &case.conditions() {
            if let Some(when) = condition.as_when_node() {
                whens.push(When {
                    conditions: self.nodes(&when.conditions())?,
                    body: self.statements(when.statements())?,
                });
            }
        }
        Ok(Kind::Case {
            subject: self.optional(case.predicate())?,
            whens,
            otherwise: match case.else_clause() {
                Some(clause) => self.boxed_statements(clause.statements())?,
                None => None,
            },
        })
    }

    fn begin(&mut self, begin: &prism::BeginNode<'_>) -> Lowered<Begin> {
        let mut rescues = Vec::new();
        let mut next = begin.rescue_clause();
        while let Some(clause) = next {
            rescues.push(Rescue {
                classes: self.nodes(&clause.exceptions())?,
                target: clause
                    .reference()
                    .map(|target| self.target(&target))
                    .transpose()?,
                body: self.statements(clause.statements())?,
            });
            next = clause.subsequent();
        }
        Ok(Begin {
            body: self.statements(begin.statements())?,
            rescues,
            otherwise: match begin.else_clause() {
                Some(clause) => self.statements(clause.statements())?,
                None => None,
            },
            ensure: match begin.ensure_clause() {
                Some(clause) => self.statements(clause.statements())?,
                None => None,
            },
        })
    }

    pub(super) fn arguments(
        &mut self,
        arguments: Option<prism::ArgumentsNode<'_>>,
    ) -> Lowered<Vec<Node>> {
        match arguments {
            Some(arguments) => self.nodes(&arguments.arguments()),
            None => Ok(Vec::new()),
        }
    }
}
