//! What the two programs of sparring agree on: the configuration of a run, the messages between a face and a
//! worker, and the run directory that both read and write.
//!
//! Nothing here knows libtorch or a terminal.

#![deny(clippy::print_stdout, clippy::print_stderr)] // `output` makes lines fit for a terminal

pub mod cache;
pub mod config;
pub mod exit;
#[cfg(test)]
mod fuzz;
pub mod judges;
pub mod launch;
pub mod output;
pub mod picture;
pub mod protocol;
pub mod regular;
pub mod run;
pub mod text;

/// Fingerprint of the sources that this program was built from. A face and a worker work as a pair only when
/// theirs are equal.
pub const BUILD_ID: &str = env!("SPARRING_BUILD_ID");

/// Name of the worker's program, which lies beside the face's.
pub const WORKER_PROGRAM: &str = "sparring-worker";
