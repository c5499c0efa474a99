//! `sparring-worker`: the program that trains. `sparring` starts it.

#![deny(clippy::print_stdout, clippy::print_stderr)] // `sparring_contract::output` makes lines fit for a terminal

use std::process::ExitCode;

fn main() -> ExitCode {
    sparring_contract::output::tell_panics();
    sparring_engine::worker::prepare_environment();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    ExitCode::from(sparring_engine::worker::run(&arguments))
}
