//! The `cookpack` program. Everything it does is in the library; see [`cookpack::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cookpack::cli::main()
}
