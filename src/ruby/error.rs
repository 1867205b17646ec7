//! Why a Ruby file could not be evaluated.

use std::io;

use super::files::FilesError;
use crate::error::{Diagnose, Diagnostic, Kind};
use crate::text::Location;

/// A Ruby file could not be evaluated. Nothing was ever run: these files are programs, and cookpack
/// knows a part of the language.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum RubyError {
    /// It is no Ruby.
    #[error("this is not valid Ruby: {message}")]
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        at: Location,
    },
    /// A construct that cookpack does not evaluate.
    #[error("cookpack does not evaluate {construct}")]
    Unsupported {
        /// What it is called, with backticks where it is a word of the language.
        construct: String,
        /// Where.
        at: Location,
    },
    /// A method that cookpack does not know, or that does not exist.
    #[error("cookpack does not know the method `{method}` of {receiver}")]
    UnknownMethod {
        /// The method.
        method: String,
        /// What it is called on.
        receiver: String,
        /// Where.
        at: Location,
    },
    /// A constant that cookpack does not know, or that does not exist.
    #[error("cookpack does not know the constant `{name}`")]
    UnknownConstant {
        /// Its full name.
        name: String,
        /// Where.
        at: Location,
    },
    /// The program itself raises: Chef and Berkshelf fail here too.
    #[error("{message} ({class})")]
    Raised {
        /// The exception's class.
        class: String,
        /// Its message.
        message: String,
        /// Where it is raised.
        at: Location,
    },
    /// A path that leads out of the source's tree.
    #[error("`{path}` lies outside of the source")]
    Outside {
        /// The path as the program has it.
        path: String,
        /// Where.
        at: Location,
    },
    /// A value holds the path of the folder that the source happens to lie in.
    #[error("this value holds the path of the folder that the source lies in")]
    DependsOnPlace {
        /// Where.
        at: Location,
    },
    /// A file of the source could not be read.
    #[error("a file that this needs cannot be read")]
    Files {
        /// Where it is asked for.
        at: Location,
        /// Why.
        #[source]
        source: FilesError,
    },
    /// The program does not end, or does too much.
    #[error("this takes more than {limit} steps to evaluate")]
    TooManySteps {
        /// The limit.
        limit: u64,
        /// Where it was stopped.
        at: Location,
    },
    /// The program builds too much.
    #[error("this builds more than {limit} bytes of values")]
    TooManyBytes {
        /// The limit.
        limit: u64,
        /// Where it was stopped.
        at: Location,
    },
    /// Methods or blocks call each other too deep.
    #[error("calls are nested more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: u32,
        /// Where it was stopped.
        at: Location,
    },
    /// The text nests too deep to be read safely.
    #[error("the syntax is nested too deep")]
    NestedTooDeep {
        /// Where.
        at: Location,
    },
    /// The text is too large.
    #[error("`{file}` is larger than {limit} bytes")]
    SourceTooLarge {
        /// The file.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// The system gives no thread to evaluate in.
    #[error("cannot start a thread to evaluate in")]
    NoThread {
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl RubyError {
    /// Where it went wrong, unless the file as a whole is meant.
    pub fn at(&self) -> Option<&Location> {
        match self {
            RubyError::Syntax { at, .. }
            | RubyError::Unsupported { at, .. }
            | RubyError::UnknownMethod { at, .. }
            | RubyError::UnknownConstant { at, .. }
            | RubyError::Raised { at, .. }
            | RubyError::Outside { at, .. }
            | RubyError::DependsOnPlace { at }
            | RubyError::Files { at, .. }
            | RubyError::TooManySteps { at, .. }
            | RubyError::TooManyBytes { at, .. }
            | RubyError::TooDeep { at, .. }
            | RubyError::NestedTooDeep { at } => Some(at),
            RubyError::SourceTooLarge { .. } | RubyError::NoThread { .. } => None,
        }
    }

    /// What is marked is called this in the message's label.
    fn note(&self) -> &'static str {
        match self {
            RubyError::Syntax { .. } => "here",
            RubyError::Unsupported { .. } => "not evaluated",
            RubyError::UnknownMethod { .. } | RubyError::UnknownConstant { .. } => "not known",
            RubyError::Raised { .. } => "raised here",
            RubyError::Outside { .. } => "leads outside",
            RubyError::DependsOnPlace { .. } => "used here",
            RubyError::Files { .. } => "asked for here",
            _ => "stopped here",
        }
    }

    /// Whether the file may be good and cookpack is what falls short, so that declaring its content
    /// elsewhere is the way out.
    pub fn is_limitation(&self) -> bool {
        !matches!(
            self,
            RubyError::Syntax { .. }
                | RubyError::Raised { .. }
                | RubyError::Files { .. }
                | RubyError::NoThread { .. }
        )
    }
}

impl Diagnose for RubyError {
    fn kind(&self) -> Kind {
        match self {
            RubyError::NoThread { .. } => Kind::Internal,
            RubyError::Files { source, .. } => source.kind(),
            _ => Kind::User,
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut diagnostic = Diagnostic::new(crate::error::message_with_causes(self));
        if let Some(at) = self.at() {
            diagnostic = diagnostic.label(at.label(self.note()));
        }
        if let RubyError::DependsOnPlace { .. } = self {
            diagnostic = diagnostic.hint("write the value out: a checkout may lie in any folder");
        }
        vec![diagnostic]
    }
}
