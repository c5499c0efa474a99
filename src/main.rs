//! `sparring`: the program that people type.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = sparring::cli::Cli::parse();
    match sparring::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Where the terminal is gone nobody reads it, and that is no reason to panic.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(sparring::exit_code(&error))
        }
    }
}
