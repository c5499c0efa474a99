//! Finding and starting the worker program.

mod program;

pub(crate) use program::{WorkerMissing, worker};
