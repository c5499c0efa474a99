//! The worker: the process that trains a run, or does a task, for a face that does not load libtorch.
//!
//! One thread runs the `trainer` and owns every tensor. What happens goes to the `hub`, which writes the log and
//! serves whoever listens; what users ask for arrives as instructions over a bounded channel.

mod clock;
mod data;
mod draw;
mod environment;
mod eval;
mod examine;
mod explorer;
mod face;
mod fitting;
mod headless;
mod hub;
mod latent;
mod launch;
mod machine;
mod maker;
mod orders;
mod prepared;
mod restoration;
mod server;
mod signals;
mod sink;
mod task;
mod train;
mod translate;
mod unpaired;
mod wire;

pub use environment::prepare as prepare_environment;
pub use launch::run;
