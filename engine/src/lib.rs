//! The engine of sparring: data, the two networks and their training, the judge, and the worker that runs it.
//!
//! `data`, `gan`, `judge` and `native` know no terminal, no socket and no clock. `trainer` trains with them and is given
//! a clock; `worker` gives it a process, a socket and signals.

pub mod data;
pub mod gan;
pub mod judge;
pub mod native;
pub mod seed;
mod trainer;
pub mod worker;
