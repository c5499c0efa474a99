//! The face of sparring.

pub mod dashboard;
