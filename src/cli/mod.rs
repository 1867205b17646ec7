//! The binary's face: arguments in, reports and exit codes out. The only part of the crate that
//! reads the environment, the working directory and the terminal.
#![expect(
    clippy::disallowed_methods,
    reason = "rank 5: the binary's face has standard streams, an environment and arguments"
)]

mod args;
mod build;
mod cache;
mod commands;
mod diagnostic;
mod environment;
mod exit;
mod graph;
mod graph_report;
mod manifest_report;
mod progress;
mod report;
mod units;

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::AutoStream;
use clap::Parser;

use crate::error::{Diagnose, Diagnostic, Kind};
use crate::event::CancelToken;
use args::{Arguments, Color};
pub use exit::{EXIT_CODES, exit_code};
use report::Output;

/// Runs the program with the process's own arguments, environment and streams.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version are no errors; clap knows the stream and the code of each.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { 0 });
        }
    };
    let color = arguments.global.color;
    let cancel = CancelToken::default();
    environment::cancel_on_signals(&cancel);
    match commands::run(&arguments, &cancel) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => {
            let shown = Diagnostic::new(format!("cannot write to the standard output: {error}"));
            show(&[shown], color);
            ExitCode::from(exit::INTERNAL)
        }
        Err(Failure::Usage(shown)) => {
            show(&[*shown], color);
            ExitCode::from(exit::USAGE)
        }
        Err(Failure::Operation(error)) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(Failure::Operation(error)) => {
            if let (true, Some(data)) = (arguments.global.json, error.data()) {
                // What is wrong is told on the standard error in any case.
                let _ = standard_output().json(&data);
            }
            show(&error.diagnostics(), color);
            ExitCode::from(exit_code(error.kind()))
        }
        Err(Failure::Told(kind)) => ExitCode::from(exit_code(kind)),
    }
}

/// Why a command did not succeed.
enum Failure {
    /// An operation failed.
    Operation(Box<dyn Diagnose>),
    /// The arguments, or what the environment says in their place, make no sense.
    Usage(Box<Diagnostic>),
    /// The standard output failed.
    Output(io::Error),
    /// What is wrong has been printed already.
    Told(Kind),
}

impl<E: Diagnose + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Operation(Box::new(error))
    }
}

/// Whoever read our output has seen enough: that is how pipelines end.
fn is_broken_pipe(error: &dyn Diagnose) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::BrokenPipe;
        }
        cause = inner.source();
    }
    false
}

fn show(diagnostics: &[Diagnostic], color: Color) {
    progress::clear_screen();
    let text: String = diagnostics
        .iter()
        .map(|shown| diagnostic::render(diagnostic::Severity::Error, shown))
        .collect();
    let _ = AutoStream::new(io::stderr(), color.into()).write_all(text.as_bytes());
}

/// The standard output, to which nothing coloured is ever written: a stream that takes colours out
/// would take characters out of what a cookbook says as well.
fn standard_output() -> Output {
    Output::new(Box::new(io::stdout()))
}
