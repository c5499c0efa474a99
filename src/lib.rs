//! The face of sparring: everything that runs in front of the user and never loads libtorch.

pub mod dashboard;
pub mod terminal;
