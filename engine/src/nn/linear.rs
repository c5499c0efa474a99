//! A linear layer and its activation, in one operation.

use tch::{Device, Tensor};

use super::init::{he_normal, uniform, zeros};
use super::module::{Mode, Module, NamedTensors};
use super::weight::{Weight, WeightNorm};
use crate::native::{Activation, dense};

/// `activation(x Wᵀ + b)`, `[n, in]` to `[n, out]`: a `torch.nn.Linear` and its activation.
#[derive(Debug)]
pub struct Linear {
    /// W, `[out, in]`.
    weight: Weight,
    /// b, `[out]`.
    bias: Tensor,
    activation: Activation,
}

impl Linear {
    /// A layer with the initial weights of `torch.nn.Linear`.
    pub fn new(
        inputs: i64,
        outputs: i64,
        activation: Activation,
        norm: WeightNorm,
        device: Device,
    ) -> Self {
        Self {
            weight: Weight::new(uniform(&[outputs, inputs], inputs, device), norm),
            bias: uniform(&[outputs], inputs, device),
            activation,
        }
    }

    /// A layer without an activation, with weights after He et al. 2015 and biases of zero.
    pub fn he(inputs: i64, outputs: i64, device: Device) -> Self {
        Self {
            weight: Weight::new(
                he_normal(&[outputs, inputs], inputs, 1.0, device),
                WeightNorm::Off,
            ),
            bias: zeros(&[outputs], device),
            activation: Activation::Identity,
        }
    }
}

impl Module for Linear {
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor {
        dense(
            input,
            &self.weight.effective(mode),
            &self.bias,
            self.activation,
        )
    }

    fn parameters(&self) -> NamedTensors<'_> {
        vec![self.weight.parameter(), ("bias".to_owned(), &self.bias)]
    }

    fn buffers(&self) -> NamedTensors<'_> {
        self.weight.buffers()
    }

    fn torch_modules(&self) -> usize {
        1 + usize::from(self.activation != Activation::Identity)
    }
}
