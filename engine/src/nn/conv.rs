//! A convolution and its activation, in one operation.

use tch::{Device, Tensor};

use super::init::{he_normal, uniform};
use super::module::{Mode, Module, NamedTensors};
use super::weight::{Weight, WeightNorm};
use crate::native::{Activation, ConvOptions, conv, merged};

/// `[n, in, h, w]` to `[n, out, h', w']`: a `torch.nn.Conv2d` or `ConvTranspose2d` and its activation.
#[derive(Debug)]
pub struct Conv2d {
    /// `[out, in, k, k]`, or `[in, out, k, k]` if transposed.
    weight: Weight,
    /// `[out]`.
    bias: Option<Tensor>,
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
            bias: Some(uniform(&[outputs], fan_in, device)),
            options,
            activation,
        }
    }

    /// A layer without a bias, with weights after He et al. 2015 for inputs without an activation.
    pub fn he(
        [inputs, outputs]: [i64; 2],
        kernel: i64,
        options: ConvOptions,
        activation: Activation,
        device: Device,
    ) -> Self {
        let (shape, positions) = if options.transposed {
            // As many positions of the kernel reach a pixel.
            let positions = (kernel / options.stride).pow(2);
            ([inputs, outputs, kernel, kernel], positions)
        } else {
            ([outputs, inputs, kernel, kernel], kernel * kernel)
        };
        Self {
            weight: Weight::new(
                he_normal(&shape, inputs * positions, 1.0, device),
                WeightNorm::Off,
            ),
            bias: None,
            options,
            activation,
        }
    }

    /// [`Module::forward`] of two pictures joined, without joining them: for a layer of single pixels ([`Conv2d::pointwise`])
    /// that has as many inputs as both have channels.
    pub fn merge(&self, a: &Tensor, b: &Tensor, mode: Mode) -> Tensor {
        merged(a, b, &self.weight.effective(mode))
    }

    /// [`Conv2d::he`] of single pixels, without an activation.
    pub fn pointwise(sizes: [i64; 2], device: Device) -> Self {
        Self::he(
            sizes,
            1,
            ConvOptions::default(),
            Activation::Identity,
            device,
        )
    }
}

impl Module for Conv2d {
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor {
        conv(
            input,
            &self.weight.effective(mode),
            self.bias.as_ref(),
            self.options,
            self.activation,
        )
    }

    fn parameters(&self) -> NamedTensors<'_> {
        let bias = self.bias.iter().map(|bias| ("bias".to_owned(), bias));
        [self.weight.parameter()].into_iter().chain(bias).collect()
    }

    fn buffers(&self) -> NamedTensors<'_> {
        self.weight.buffers()
    }

    fn torch_modules(&self) -> usize {
        1 + usize::from(self.activation != Activation::Identity)
    }
}
