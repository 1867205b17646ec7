//! What interrupts an evaluation.

use super::error::RubyError;
use super::syntax::Span;
use super::value::{ExceptionId, ProcId, Value};

/// An interruption: small, because nearly everything returns one.
#[derive(Debug)]
pub(crate) struct Fail(Box<Exit>);

/// The interruptions there are.
#[derive(Debug)]
pub(crate) enum Exit {
    /// An exception of the program's, which `rescue` takes.
    Raise { exception: ExceptionId, at: Span },
    /// `break` out of the call that was given this block.
    Break { block: ProcId, value: Value },
    /// `break` out of a loop.
    LoopBreak(Value),
    /// `next`: the end of a block.
    Next(Value),
    /// `return` out of a method's frame.
    Return { frame: u32, value: Value },
    /// `return` out of a lambda.
    LambdaReturn { lambda: ProcId, value: Value },
    /// `throw`
    Throw { tag: Value, value: Value },
    /// `retry` in a `rescue`.
    Retry,
    /// The end: no `rescue` takes it, since what Ruby would do is not known.
    Error(RubyError),
}

impl Fail {
    /// The interruption itself.
    pub(super) fn into_exit(self) -> Exit {
        *self.0
    }

    /// The interruption itself, to look at.
    pub(super) fn exit(&self) -> &Exit {
        &self.0
    }
}

impl From<Exit> for Fail {
    fn from(exit: Exit) -> Self {
        Self(Box::new(exit))
    }
}

impl From<RubyError> for Fail {
    fn from(error: RubyError) -> Self {
        Exit::Error(error).into()
    }
}

/// The result of evaluating something.
pub(crate) type Eval<T = Value> = Result<T, Fail>;
