//! Stories of a face, without a worker and without a terminal.

#[cfg(test)]
mod look;
mod run;
