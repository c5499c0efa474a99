//! Training a run: steps, and between two steps whatever is due or was asked for.
//!
//! [`Trainer`] is the loop, and only the loop decides. The other files measure, keep and write, and return what came of
//! it. The loop reads time from a [`Clock`], reports to an [`EventSink`] and takes [`Instruction`]s
//! from a channel, so it knows neither sockets nor signals and can be driven by a test.

mod active_run;
mod artifacts;
mod best;
mod checkpoint;
mod clock;
mod commands;
mod due;
mod end;
mod event_sink;
mod finite_state;
mod guard;
mod health;
mod held_out;
mod injection;
mod lending;
mod pictures;
mod report;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod training_loop;

pub(crate) use active_run::Assignment;
pub(crate) use checkpoint::load as load_checkpoint;
pub(crate) use clock::Clock;
pub(crate) use commands::{Done, Instruction, Responder, known_class, outcome};
pub(crate) use event_sink::EventSink;
pub(crate) use injection::Injection;
pub(crate) use lending::{CopyRequest, GeneratorCopy, Seen};
pub(crate) use pictures::{labels, pictures};
pub(crate) use training_loop::Trainer;
