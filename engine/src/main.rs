//! `sparring-worker`: the program that trains. `sparring` starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    sparring_engine::worker::prepare_environment();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    ExitCode::from(sparring_engine::worker::run(&arguments))
}
