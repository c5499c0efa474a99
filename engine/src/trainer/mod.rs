//! Training a run: steps, and between two steps whatever is due or was asked for.
//!
//! [`Trainer`] is the loop, and only the loop decides. The other files measure, keep and write, and return what came of
//! it. The [`Explorer`] draws what is asked for in between, on a thread of its own. The loop reads time from a [`Clock`], reports to an [`EventSink`] and takes [`Instruction`]s
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
mod explorer;
mod finite_state;
mod guard;
mod health;
mod held_out;
mod injection;
mod pictures;
mod report;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod training_loop;

pub(crate) use active_run::Assignment;
pub(crate) use checkpoint::load as load_checkpoint;
pub(crate) use clock::Clock;
pub(crate) use commands::{Instruction, Responder};
pub(crate) use event_sink::EventSink;
pub(crate) use explorer::{Explorer, Question};
pub(crate) use injection::Injection;
pub(crate) use pictures::{labels, pictures};
pub(crate) use training_loop::Trainer;
