//! Literals and variables.

use ruby_prism as prism;

use super::{Failure, Lowered, Lowering, name};
use crate::ruby::syntax::{Kind, Node, Pair, RegexpFlags, Span};

impl Lowering {
    pub(super) fn literal(&mut self, node: &prism::Node<'_>, span: Span) -> Lowered<Option<Kind>> {
        use prism::Node as N;
        Ok(Some(match node {
            N::NilNode { .. } => Kind::Nil,
            N::TrueNode { .. } => Kind::True,
            N::FalseNode { .. } => Kind::False,
            N::SelfNode { .. } => Kind::SelfRef,
            N::SourceFileNode { .. } => Kind::FileName,
            N::SourceLineNode { .. } => Kind::LineNumber,
            _ => {
                return match self.text_literal(node, span)? {
                    Some(kind) => Ok(Some(kind)),
                    None => self.composite_literal(node),
                };
            }
        }))
    }

    fn text_literal(&mut self, node: &prism::Node<'_>, span: Span) -> Lowered<Option<Kind>> {
        Ok(Some(if let Some(string) = node.as_string_node() {
            Kind::Str {
                text: self.text(string.unescaped(), span)?,
                frozen: string.is_frozen(),
            }
        } else if let Some(symbol) = node.as_symbol_node() {
            Kind::Sym(self.text(symbol.unescaped(), span)?)
        } else if let Some(string) = node.as_interpolated_string_node() {
            Kind::Interpolated(self.parts(&string.parts())?)
        } else if let Some(symbol) = node.as_interpolated_symbol_node() {
            Kind::InterpolatedSym(self.parts(&symbol.parts())?)
        } else if let Some(regexp) = node.as_regular_expression_node() {
            let text = self.text(regexp.unescaped(), span)?;
            Kind::Regexp {
                parts: vec![Node {
                    span,
                    kind: Kind::Str { text, frozen: true },
                }],
                flags: RegexpFlags {
                    ignore_case: regexp.is_ignore_case(),
                    extended: regexp.is_extended(),
                    dot_all: regexp.is_multi_line(),
                },
            }
        } else if let Some(regexp) = node.as_interpolated_regular_expression_node() {
            Kind::Regexp {
                parts: self.parts(&regexp.parts())?,
                flags: RegexpFlags {
                    ignore_case: regexp.is_ignore_case(),
                    extended: regexp.is_extended(),
                    dot_all: regexp.is_multi_line(),
                },
            }
        } else if let Some(integer) = node.as_integer_node() {
            integer_kind(&integer.value())
        } else if let Some(float) = node.as_float_node() {
            Kind::Float(float.value())
        } else {
            return Ok(None);
        }))
    }

    fn composite_literal(&mut self, node: &prism::Node<'_>) -> Lowered<Option<Kind>> {
        Ok(Some(if let Some(array) = node.as_array_node() {
            Kind::Array(self.nodes(&array.elements())?)
        } else if let Some(hash) = node.as_hash_node() {
            Kind::Hash(self.pairs(&hash.elements())?)
        } else if let Some(hash) = node.as_keyword_hash_node() {
            Kind::Hash(self.pairs(&hash.elements())?)
        } else if let Some(splat) = node.as_splat_node() {
            Kind::Splat(self.optional(splat.expression())?)
        } else if let Some(range) = node.as_range_node() {
            Kind::Range {
                from: self.optional(range.left())?,
                to: self.optional(range.right())?,
                exclusive: range.is_exclude_end(),
            }
        } else if let Some(implicit) = node.as_implicit_node() {
            self.node(&implicit.value())?.kind
        } else {
            return Ok(None);
        }))
    }

    /// The pieces of an interpolated text.
    fn parts(&mut self, list: &prism::NodeList<'_>) -> Lowered<Vec<Node>> {
        let mut parts = Vec::new();
        for part in list {
            let span = self.span(&part.location());
            if let Some(embedded) = part.as_embedded_statements_node() {
                let body = self.statements(embedded.statements())?;
                // Never a text itself, so that `#{'a'}` in a regular expression stays apart.
                parts.push(Node {
                    span,
                    kind: Kind::Seq(body.into_iter().collect()),
                });
            } else if let Some(embedded) = part.as_embedded_variable_node() {
                parts.push(self.node(&embedded.variable())?);
            } else {
                parts.push(self.node(&part)?);
            }
        }
        Ok(parts)
    }

    pub(super) fn pairs(&mut self, list: &prism::NodeList<'_>) -> Lowered<Vec<Pair>> {
        let mut pairs = Vec::new();
        for element in list {
            if let Some(pair) = element.as_assoc_node() {
                let key = self.node(&pair.key())?;
                pairs.push(Pair::Entry(key, self.node(&pair.value())?));
            } else if let Some(splat) = element.as_assoc_splat_node() {
                let span = self.span(&splat.location());
                pairs.push(Pair::Splat(match splat.value() {
                    Some(value) => self.node(&value)?,
                    None => Node {
                        span,
                        kind: Kind::Unsupported("`**` without a name"),
                    },
                }));
            } else {
                return Err(Failure::TooDeep(self.span(&element.location())));
            }
        }
        Ok(pairs)
    }

    pub(super) fn variable(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        Some(if let Some(local) = node.as_local_variable_read_node() {
            Kind::Local {
                name: name(&local.name()),
                depth: local.depth(),
            }
        } else if node.as_it_local_variable_read_node().is_some() {
            Kind::Local {
                name: "it".into(),
                depth: 0,
            }
        } else if let Some(constant) = node.as_constant_read_node() {
            Kind::Constant(name(&constant.name()))
        } else if let Some(variable) = node.as_instance_variable_read_node() {
            Kind::InstanceVariable(name(&variable.name()))
        } else if let Some(variable) = node.as_global_variable_read_node() {
            Kind::Global(name(&variable.name()))
        } else if let Some(group) = node.as_numbered_reference_read_node() {
            Kind::NthMatch(group.number())
        } else if let Some(part) = node.as_back_reference_read_node() {
            Kind::MatchPart(name(&part.name()))
        } else {
            return None;
        })
    }
}

fn integer_kind(value: &prism::Integer<'_>) -> Kind {
    let (negative, digits) = value.to_u32_digits();
    let mut sum: i128 = 0;
    for digit in digits.iter().rev() {
        sum = match sum.checked_mul(1 << 32) {
            Some(sum) if sum < i128::MAX / 2 => sum + i128::from(*digit),
            _ => return Kind::Unsupported("an integer of more than 64 bits"),
        };
    }
    let signed = if negative { -sum } else { sum };
    i64::try_from(signed).map_or(
        Kind::Unsupported("an integer of more than 64 bits"),
        Kind::Int,
    )
}
