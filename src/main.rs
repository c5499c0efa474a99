//! `sparring`: the program that people type.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = sparring::cli::Cli::parse();
    match sparring::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(sparring::exit_code(&error))
        }
    }
}
