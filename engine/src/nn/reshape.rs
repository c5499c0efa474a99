//! Layers that only change the shape of their input.

use tch::Tensor;

use super::module::{Mode, Module};

/// `[n, …]` to `[n, product of the rest]`.
#[derive(Debug)]
pub struct Flatten;

impl Module for Flatten {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Tensor {
        input.flatten(1, -1)
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
        let [channels, height, width] = self.shape;
        input.view([-1, channels, height, width])
    }
}
