//! The engine of sparring: data, the two networks and their training, the judge, and the worker that runs it.
//!
//! `data`, `nn`, `optim`, `gan`, `judge` and `native` know no terminal, no socket and no clock; `worker` joins them to the contract.

pub mod data;
pub mod eval;
pub mod gan;
pub mod native;
pub mod nn;
pub mod optim;
pub mod seed;
pub mod worker;
