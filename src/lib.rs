//! The face of sparring: the command line, the dashboard and the inline pictures. It never loads libtorch.

#![deny(clippy::print_stdout, clippy::print_stderr)] // `sparring_contract::output` makes lines fit for a terminal

mod attach;
pub mod cli;
mod client;
mod clock;
mod commands;
pub mod dashboard;
pub mod doctor;
pub mod sample;
mod sparkline;
pub mod terminal;

pub use commands::{exit_code, run};
