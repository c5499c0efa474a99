//! A convolution and its activation, in one operation.

use tch::{Device, Tensor};

use super::init::uniform;
use super::module::{Mode, Module, NamedTensors};
use super::weight::{Weight, WeightNorm};
use crate::native::{Activation, ConvOptions, conv};

/// `[n, in, h, w]` to `[n, out, h', w']`: a `torch.nn.Conv2d` or `ConvTranspose2d` and its activation.
#[derive(Debug)]
pub struct Conv2d {
    /// `[out, in, k, k]`, or `[in, out, k, k]` if transposed.
    weight: Weight,
    /// `[out]`.
    bias: Tensor,
    options: ConvOptions,
    activation: Activation,
}

impl Conv2d {
    /// A layer with the initial weights of `torch.nn.Conv2d` or `ConvTranspose2d`, with a square kernel of `kernel`
    /// pixels a side.
    pub fn new(
        [inputs, outputs]: [i64; 2],
        kernel: i64,
        options: ConvOptions,
        activation: Activation,
        norm: WeightNorm,
        device: Device,
    ) -> Self {
        let [rows, columns] = if options.transposed {
            [inputs, outputs]
        } else {
            [outputs, inputs]
        };
        // PyTorch's fan_in: the second dimension times the kernel, which for a transposed convolution is the outputs.
        let fan_in = columns * kernel * kernel;
        Self {
            weight: Weight::new(
                uniform(&[rows, columns, kernel, kernel], fan_in, device),
                norm,
            ),
            bias: uniform(&[outputs], fan_in, device),
            options,
            activation,
        }
    }
}

impl Module for Conv2d {
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor {
        conv(
            input,
            &self.weight.effective(mode),
            &self.bias,
            self.options,
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
