//! Dropout.

use tch::Tensor;

use super::module::{Mode, Module};

/// In training sets a random share of its inputs to zero and scales up the rest (Srivastava et al. 2014).
#[derive(Debug)]
pub struct Dropout {
    /// The share that becomes zero, 0 to 1.
    pub rate: f64,
}

impl Module for Dropout {
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor {
        input.dropout(self.rate, mode == Mode::Train)
    }
}
