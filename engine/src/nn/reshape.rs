//! Layers that only change the shape of their input.

use tch::Tensor;

use super::module::{Mode, Module};
use crate::native::{flattened, unflattened};

/// `[n, …]` to `[n, product of the rest]`.
#[derive(Debug)]
pub struct Flatten;

impl Module for Flatten {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Tensor {
        flattened(input)
    }
}

/// `[n, c·h·w]` to `[n, c, h, w]`.
#[derive(Debug)]
pub struct Unflatten {
    /// `[c, h, w]`.
    pub shape: [i64; 3],
}

impl Module for Unflatten {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Tensor {
        unflattened(input, self.shape)
    }
}
