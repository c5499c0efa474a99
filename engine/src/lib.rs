//! The engine of sparring: data, the two networks and their training, the judge, and the worker that runs it.
//!
//! `data`, `nn`, `optim`, `gan`, `eval`, `latent` and `native` know no terminal, no socket and no clock. `trainer` trains with them
//! and is given a clock; `worker` gives it a process, a socket and signals. `device` finds what they compute on.

#![deny(clippy::print_stdout, clippy::print_stderr)] // `sparring_contract::output` makes lines fit for a terminal

pub mod data;
pub mod device;
pub mod eval;
#[cfg(test)]
mod fuzz;
pub mod gan;
pub mod latent;
pub mod native;
pub mod nn;
pub mod optim;
mod panics;
pub mod seed;
mod tensor_bytes;
mod trainer;
pub mod worker;
