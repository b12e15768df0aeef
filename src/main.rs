//! The program `scalelab`: hands its arguments to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    scalelab::cli::main(std::env::args_os())
}
