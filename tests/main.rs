//! The two programs as a user meets them: real processes, real files.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod actor;
mod attach;
mod attached;
mod command_line;
mod crowd;
mod dashboard;
mod data;
mod dataset;
mod disk;
mod docs;
mod eval;
mod guard;
mod health;
mod keyboard;
mod lab;
mod layers;
mod live;
mod readme;
mod runs;
mod sampling;
mod terminal;
mod training;
