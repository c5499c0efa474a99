//! Stories of a face, without a worker and without a terminal.

mod anything;
mod run;
mod screens;
mod stories;
