//! Translates `ruby-prism`'s tree into [`super::syntax`].

mod assign;
mod calls;
mod control;
mod literals;

use ruby_prism as prism;

use super::error::RubyError;
use super::syntax::{Kind, Name, Node, Span};
use crate::text::Location;

/// How deep syntax may nest. The evaluator recurses as deep, and so does the tree's own drop.
const MAX_DEPTH: usize = 200;

/// Why a tree was not translated.
#[derive(Debug)]
pub(super) enum Failure {
    TooDeep(Span),
    NotUtf8(Span),
}

impl Failure {
    pub(super) fn into_error(self, place: impl Fn(Span) -> Location) -> RubyError {
        match self {
            Failure::TooDeep(span) => RubyError::NestedTooDeep { at: place(span) },
            Failure::NotUtf8(span) => RubyError::Unsupported {
                construct: "a string that is not UTF-8".to_owned(),
                at: place(span),
            },
        }
    }
}

type Lowered<T> = Result<T, Failure>;

/// A translation under way.
pub(super) struct Lowering {
    file: u32,
    depth: usize,
}

impl Lowering {
    pub(super) fn new(file: u32) -> Self {
        Self { file, depth: 0 }
    }

    /// Translates a whole file.
    pub(super) fn program(mut self, node: &prism::Node<'_>) -> Lowered<Node> {
        let span = self.span(&node.location());
        let kind = match node.as_program_node() {
            Some(program) => self.statements(Some(program.statements()))?,
            None => None,
        };
        Ok(kind.unwrap_or(Node {
            span,
            kind: Kind::Nil,
        }))
    }

    fn span(&self, location: &prism::Location<'_>) -> Span {
        Span {
            file: self.file,
            start: location.start(),
            end: location.end(),
        }
    }

    /// Translates one node.
    fn node(&mut self, node: &prism::Node<'_>) -> Lowered<Node> {
        let span = self.span(&node.location());
        if self.depth >= MAX_DEPTH {
            return Err(Failure::TooDeep(span));
        }
        self.depth += 1;
        let kind = self.kind(node, span);
        self.depth -= 1;
        Ok(Node { span, kind: kind? })
    }

    fn kind(&mut self, node: &prism::Node<'_>, span: Span) -> Lowered<Kind> {
        if let Some(kind) = self.literal(node, span)? {
            return Ok(kind);
        }
        if let Some(kind) = self.variable(node) {
            return Ok(kind);
        }
        if let Some(kind) = self.call(node)? {
            return Ok(kind);
        }
        if let Some(kind) = self.assignment(node)? {
            return Ok(kind);
        }
        if let Some(kind) = self.control(node)? {
            return Ok(kind);
        }
        Ok(Kind::Unsupported(unsupported(node)))
    }

    fn boxed(&mut self, node: &prism::Node<'_>) -> Lowered<Box<Node>> {
        self.node(node).map(Box::new)
    }

    fn optional(&mut self, node: Option<prism::Node<'_>>) -> Lowered<Option<Box<Node>>> {
        node.map(|node| self.boxed(&node)).transpose()
    }

    fn nodes(&mut self, list: &prism::NodeList<'_>) -> Lowered<Vec<Node>> {
        list.iter().map(|node| self.node(&node)).collect()
    }

    /// Several statements are one node; a single one stands for itself.
    fn statements(&mut self, list: Option<prism::StatementsNode<'_>>) -> Lowered<Option<Node>> {
        let Some(list) = list else { return Ok(None) };
        let span = self.span(&list.location());
        let mut nodes = self.nodes(&list.body())?;
        if nodes.len() == 1 {
            return Ok(nodes.pop());
        }
        Ok(Some(Node {
            span,
            kind: Kind::Seq(nodes),
        }))
    }

    fn boxed_statements(
        &mut self,
        list: Option<prism::StatementsNode<'_>>,
    ) -> Lowered<Option<Box<Node>>> {
        Ok(self.statements(list)?.map(Box::new))
    }

    fn text(&self, bytes: &[u8], span: Span) -> Lowered<Name> {
        std::str::from_utf8(bytes)
            .map(Name::from)
            .map_err(|_| Failure::NotUtf8(span))
    }
}

/// A name as the parser keeps it. Names are parts of the text, which is UTF-8.
fn name(id: &prism::ConstantId<'_>) -> Name {
    String::from_utf8_lossy(id.as_slice()).into()
}

/// What syntax that is not evaluated is called.
fn unsupported(node: &prism::Node<'_>) -> &'static str {
    use prism::Node as N;
    match node {
        N::AliasGlobalVariableNode { .. } | N::AliasMethodNode { .. } => "`alias`",
        N::CaseMatchNode { .. } | N::MatchPredicateNode { .. } | N::MatchRequiredNode { .. } => {
            "pattern matching with `in` or `=>`"
        }
        N::ClassNode { .. } => "a `class` below another one",
        N::ModuleNode { .. } => "a `module` within another one by its path",
        N::SingletonClassNode { .. } => "`class << self`",
        N::ClassVariableReadNode { .. }
        | N::ClassVariableWriteNode { .. }
        | N::ClassVariableAndWriteNode { .. }
        | N::ClassVariableOrWriteNode { .. }
        | N::ClassVariableOperatorWriteNode { .. } => "a class variable",
        N::FlipFlopNode { .. } => "a flip-flop",
        N::ForwardingArgumentsNode { .. } => "arguments forwarded with `...`",
        N::ForwardingSuperNode { .. } | N::SuperNode { .. } => "`super`",
        N::ImaginaryNode { .. } => "a complex number",
        N::RationalNode { .. } => "a rational number",
        N::XStringNode { .. } | N::InterpolatedXStringNode { .. } => "running a command",
        N::MatchLastLineNode { .. } | N::InterpolatedMatchLastLineNode { .. } => {
            "a regular expression as a condition"
        }
        N::PostExecutionNode { .. } | N::PreExecutionNode { .. } => "`BEGIN` or `END`",
        N::RedoNode { .. } => "`redo`",
        N::SourceEncodingNode { .. } => "`__ENCODING__`",
        N::UndefNode { .. } => "`undef`",
        _ => "this syntax",
    }
}
