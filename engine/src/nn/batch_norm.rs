//! A batch norm and its activation, in one operation.

use tch::{Device, Kind, Tensor};

use super::module::{Mode, Module, NamedTensors};
use crate::native::{Activation, BatchNormState, batch_norm};

/// A `torch.nn.BatchNorm1d` or `BatchNorm2d` and its activation: `[n, channels]` or `[n, channels, h, w]`.
#[derive(Debug)]
pub struct BatchNorm {
    state: BatchNormState,
    activation: Activation,
}

impl BatchNorm {
    /// A norm with a scale of 1 and a shift of 0.
    pub fn new(channels: i64, activation: Activation, device: Device) -> Self {
        let filled = |value: f64| Tensor::full([channels], value, (Kind::Float, device));
        Self {
            state: BatchNormState {
                weight: filled(1.0).set_requires_grad(true),
                bias: filled(0.0).set_requires_grad(true),
                running_mean: filled(0.0),
                running_var: filled(1.0),
            },
            activation,
        }
    }
}

impl Module for BatchNorm {
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor {
        batch_norm(input, &self.state, mode == Mode::Train, self.activation)
    }

    fn parameters(&self) -> NamedTensors<'_> {
        vec![
            ("weight".to_owned(), &self.state.weight),
            ("bias".to_owned(), &self.state.bias),
        ]
    }

    fn buffers(&self) -> NamedTensors<'_> {
        vec![
            ("running_mean".to_owned(), &self.state.running_mean),
            ("running_var".to_owned(), &self.state.running_var),
        ]
    }

    fn torch_modules(&self) -> usize {
        1 + usize::from(self.activation != Activation::Identity)
    }
}
