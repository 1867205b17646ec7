//! The syntax tree that the evaluator walks: what `ruby-prism` parsed, owned, without its lifetimes,
//! and with everything that is never evaluated reduced to its name.

use std::sync::Arc;

/// A range of bytes in one of the files of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// The file's number in the evaluation.
    pub(crate) file: u32,
    /// The first byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
}

/// A piece of syntax and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// A name: of a local, a method, a constant.
pub(crate) type Name = Arc<str>;

/// What a [`Node`] is.
#[derive(Debug)]
pub(crate) enum Kind {
    Nil,
    True,
    False,
    SelfRef,
    Int(i64),
    Float(f64),
    Str {
        text: Arc<str>,
        /// By the magic comment.
        frozen: bool,
    },
    /// A string with interpolation: texts and expressions.
    Interpolated(Vec<Node>),
    Sym(Name),
    InterpolatedSym(Vec<Node>),
    Regexp {
        parts: Vec<Node>,
        flags: RegexpFlags,
    },
    Array(Vec<Node>),
    /// `*x` among arguments or elements.
    Splat(Option<Box<Node>>),
    Hash(Vec<Pair>),
    Range {
        from: Option<Box<Node>>,
        to: Option<Box<Node>>,
        exclusive: bool,
    },
    /// `__FILE__`
    FileName,
    /// `__LINE__`
    LineNumber,
    Local {
        name: Name,
        depth: u32,
    },
    Global(Name),
    InstanceVariable(Name),
    Constant(Name),
    /// `Parent::Name`; no parent for `::Name`.
    ConstantPath {
        parent: Option<Box<Node>>,
        name: Name,
    },
    /// `$1`
    NthMatch(u32),
    /// `$&`, `` $` ``, `$'`, `$+`
    MatchPart(Name),
    Assign {
        target: Box<Target>,
        value: Box<Node>,
    },
    OpAssign {
        target: Box<Target>,
        op: AssignOp,
        value: Box<Node>,
    },
    MultiAssign {
        targets: Box<Targets>,
        value: Box<Node>,
    },
    /// `/(?<x>..)/ =~ text`, which also assigns to locals.
    MatchAssign {
        call: Box<Node>,
        locals: Vec<(Name, u32)>,
    },
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Defined(Box<Node>),
    If {
        test: Box<Node>,
        then: Option<Box<Node>>,
        otherwise: Option<Box<Node>>,
    },
    Case {
        subject: Option<Box<Node>>,
        whens: Vec<When>,
        otherwise: Option<Box<Node>>,
    },
    While {
        test: Box<Node>,
        body: Option<Box<Node>>,
        /// `until`
        negated: bool,
        /// `begin .. end while test`
        body_first: bool,
    },
    For {
        target: Box<Target>,
        over: Box<Node>,
        body: Option<Box<Node>>,
    },
    Begin(Box<Begin>),
    Seq(Vec<Node>),
    Call(Box<Call>),
    Yield(Vec<Node>),
    Lambda(Arc<Block>),
    Def(Arc<Def>),
    /// `module X body end`, and a `class` without one above it.
    Module {
        name: Name,
        body: Option<Box<Node>>,
    },
    Return(Vec<Node>),
    Break(Vec<Node>),
    Next(Vec<Node>),
    Retry,
    /// Syntax that is known by name only, an error where it is reached.
    Unsupported(&'static str),
}

/// One element of a hash.
#[derive(Debug)]
pub(crate) enum Pair {
    Entry(Node, Node),
    /// `**x`
    Splat(Node),
}

/// The letters after a regular expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RegexpFlags {
    pub(crate) ignore_case: bool,
    pub(crate) extended: bool,
    pub(crate) dot_all: bool,
}

/// Where a value is assigned to.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) span: Span,
    pub(crate) kind: TargetKind,
}

/// What a [`Target`] is.
#[derive(Debug)]
pub(crate) enum TargetKind {
    Local {
        name: Name,
        depth: u32,
    },
    InstanceVariable(Name),
    Constant(Name),
    Global(Name),
    Index {
        receiver: Node,
        args: Vec<Node>,
        safe: bool,
    },
    Attribute {
        receiver: Node,
        /// Without the `=`.
        name: Name,
        safe: bool,
    },
    Multi(Box<Targets>),
    Unsupported(&'static str),
}

/// Several targets: `a, (b, c), *d, e`.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    pub(crate) before: Vec<Target>,
    /// `*rest`; `Some(None)` for a bare `*`.
    pub(crate) rest: Option<Option<Target>>,
    pub(crate) after: Vec<Target>,
}

/// How `x op= y` joins the two.
#[derive(Debug)]
pub(crate) enum AssignOp {
    Or,
    And,
    Method(Name),
}

/// `when a, b then body`.
#[derive(Debug)]
pub(crate) struct When {
    pub(crate) conditions: Vec<Node>,
    pub(crate) body: Option<Node>,
}

/// `begin .. rescue .. else .. ensure .. end`, and a method's or a block's body with such clauses.
#[derive(Debug, Default)]
pub(crate) struct Begin {
    pub(crate) body: Option<Node>,
    pub(crate) rescues: Vec<Rescue>,
    pub(crate) otherwise: Option<Node>,
    pub(crate) ensure: Option<Node>,
}

/// `rescue A, B => e`.
#[derive(Debug)]
pub(crate) struct Rescue {
    /// None given: `StandardError`.
    pub(crate) classes: Vec<Node>,
    pub(crate) target: Option<Target>,
    pub(crate) body: Option<Node>,
}

/// A method call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) receiver: Option<Node>,
    pub(crate) name: Name,
    pub(crate) name_span: Span,
    pub(crate) args: Vec<Node>,
    /// The last argument is a hash without braces.
    pub(crate) keywords: bool,
    pub(crate) block: Option<BlockArg>,
    /// `&.`
    pub(crate) safe: bool,
    /// A word alone, which could be a local of the text around an evaluated file.
    pub(crate) bare_word: bool,
    /// `x.y = z` and `x[y] = z`, whose value is `z` whatever the method returns.
    pub(crate) attribute_write: bool,
}

/// What follows a call's arguments.
#[derive(Debug)]
pub(crate) enum BlockArg {
    Block(Arc<Block>),
    /// `&x`
    Pass(Node),
}

/// A block's or a lambda's parameters and body.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) params: Params,
    pub(crate) body: Option<Node>,
}

/// `def name(params) body end`.
#[derive(Debug)]
pub(crate) struct Def {
    pub(crate) name: Name,
    pub(crate) params: Params,
    pub(crate) body: Option<Node>,
}

/// The parameters of a block or a method.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pub(crate) required: Vec<Target>,
    pub(crate) optional: Vec<(Name, Node)>,
    /// `*rest`; `Some(None)` without a name.
    pub(crate) rest: Option<Option<Name>>,
    /// Required ones after the optional ones or the rest.
    pub(crate) post: Vec<Target>,
    /// Keywords; without a default, required.
    pub(crate) keywords: Vec<(Name, Option<Node>)>,
    /// `**rest`; `Some(None)` without a name.
    pub(crate) keyword_rest: Option<Option<Name>>,
    /// `&block`
    pub(crate) block: Option<Name>,
    /// A trailing comma, `|a,|`, which takes an array apart like two parameters would.
    pub(crate) excess_comma: bool,
}

impl Params {
    /// Whether a block with these parameters takes its single array argument apart.
    pub(crate) fn takes_apart(&self) -> bool {
        let places = self.required.len() + self.optional.len() + self.post.len();
        places > 1 || self.excess_comma || (places > 0 && self.rest.is_some())
    }
}
