//! The face of sparring: the command line, the dashboard and the inline pictures. It never loads libtorch.

mod attach;
pub mod cli;
mod client;
mod clock;
mod commands;
pub mod dashboard;
mod output;
pub mod sample;
pub mod terminal;

pub use commands::{exit_code, run};
