//! Reads files that are Ruby programs, without running Ruby: metadata.rb, Berksfile, Policyfile.rb.
//!
//! `ruby-prism` parses, and the tree is evaluated here, within limits and without effects. What is
//! not known is an error that names its line; nothing is guessed.

mod args;
mod arrays;
mod assign;
mod calls;
mod classes;
mod dsl;
mod enumerable;
mod error;
mod eval;
mod exceptions;
mod fail;
mod files;
mod format;
mod glob;
mod hashes;
mod interpreter;
mod json;
mod kernel;
mod lower;
mod matches;
mod methods;
mod modules;
mod numbers;
mod objects;
mod parse;
mod paths;
mod ranges;
mod readers;
mod regexps;
mod settings;
mod sources;
mod strings;
mod syntax;
mod value;
mod versions;

pub use error::RubyError;
pub use files::{FileKind, Files, FilesError, TreeFiles};
pub use settings::{EvalLimits, Settings};

pub(crate) use dsl::{Dsl, Invocation};
pub(crate) use fail::Eval;
pub(crate) use interpreter::Interpreter;
pub(crate) use numbers::float_text;
pub(crate) use syntax::Span;
pub(crate) use value::{HashId, Value};
pub(crate) use versions::requirement;

use std::cell::Cell;
use std::io;
use std::thread::{self, Scope, ScopedJoinHandle};

use crate::text::SourceFile;

/// Stack for an evaluation. The parser, which is written in C, recurses up to 10,000 levels into one
/// expression and as often as a chain of `&&` is long: hostile nesting would overflow the caller's
/// stack. Measured needs stay below 40 MiB. Pages that are not touched cost nothing.
const STACK: usize = 64 << 20;

/// Evaluates a file with the words of its kind. `name` is the file's own name in its folder.
pub(crate) fn evaluate(
    file: &SourceFile,
    name: &str,
    files: &dyn Files,
    settings: &Settings,
    dsl: &mut (dyn Dsl + Send),
) -> Result<(), RubyError> {
    let path = match files.base() {
        "" => name.to_owned(),
        base => format!("{base}/{name}"),
    };
    let mut work = || {
        let mut interpreter = Interpreter::new(files, settings);
        let result = interpreter.run(dsl, file, &path, None);
        let result = result.and_then(|_| dsl.finish(&mut interpreter));
        result.map_err(|fail| interpreter.error(fail))
    };
    if HAS_STACK.get() {
        return work();
    }
    let evaluated = thread::scope(|scope| spawn(scope, work).map(ScopedJoinHandle::join));
    match evaluated {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(cause) => Err(RubyError::NoThread { cause }),
    }
}

thread_local! {
    /// Whether this thread has [`STACK`], and most of it left.
    static HAS_STACK: Cell<bool> = const { Cell::new(false) };
}

/// Spawns a thread on which files can be evaluated. Elsewhere each evaluation has to make one of its own.
pub(crate) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    let work = || {
        HAS_STACK.set(true);
        work()
    };
    let thread = thread::Builder::new().name("ruby".to_owned());
    thread.stack_size(STACK).spawn_scoped(scope, work)
}
