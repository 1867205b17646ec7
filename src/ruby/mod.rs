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
pub(crate) use value::{HashId, Value};
pub(crate) use versions::requirement;

use crate::text::SourceFile;

/// Evaluates a file with the words of its kind. `name` is the file's own name in its folder.
pub(crate) fn evaluate(
    file: &SourceFile,
    name: &str,
    files: &dyn Files,
    settings: &Settings,
    dsl: &mut dyn Dsl,
) -> Result<(), RubyError> {
    let path = match files.base() {
        "" => name.to_owned(),
        base => format!("{base}/{name}"),
    };
    let mut interpreter = Interpreter::new(files, settings);
    let result = interpreter.run(dsl, file, &path, None);
    match result.and_then(|_| dsl.finish(&mut interpreter)) {
        Ok(()) => Ok(()),
        Err(fail) => Err(interpreter.error(fail)),
    }
}
