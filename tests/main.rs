//! The two programs as a user meets them: real processes, real files.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod actor;
mod attach;
mod attached;
mod command_line;
mod data;
mod lab;
mod layers;
mod runs;
mod sampling;
mod terminal;
mod training;
