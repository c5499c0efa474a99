//! `sparring`: the program that people type.

#![deny(clippy::print_stdout, clippy::print_stderr)] // `sparring_contract::output` makes lines fit for a terminal

use std::env;
use std::process::ExitCode;

use sparring_contract::output::{tell, tell_panics};

fn main() -> ExitCode {
    tell_panics();
    if sparring::cli::answer() {
        return ExitCode::SUCCESS;
    }
    let cli = match sparring::cli::parse(env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    match sparring::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&format!("error: {error:#}"));
            ExitCode::from(sparring::exit_code(&error))
        }
    }
}
