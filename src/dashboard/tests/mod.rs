//! Stories of a face, without a worker and without a terminal.

mod anything;
mod explorer;
mod health;
mod metrics;
mod run;
mod screens;
mod stories;
