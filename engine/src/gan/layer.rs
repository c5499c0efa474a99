//! The layers of a network, with the initial weights of the equivalent modules of PyTorch.

use sparring_contract::config::Normalization;
use tch::{Device, Kind, Tensor};

use super::weight::Weight;
use crate::native::{Activation, Norm, Steps, batch_norm, conv, dense};

/// One layer of a network.
#[derive(Debug)]
pub enum Layer {
    /// `[n, …]` to `[n, product of the rest]`.
    Flatten,
    /// `activation(x Wᵀ + b)`, with W `[out, in]` and b `[out]`: in PyTorch a Linear and its activation.
    Dense {
        /// W.
        weight: Weight,
        /// b.
        bias: Tensor,
        /// What is done to the outputs.
        activation: Activation,
    },
    /// `[n, c·h·w]` to `[n, c, h, w]`.
    Unflatten {
        /// `[c, h, w]`.
        shape: [i64; 3],
    },
    /// `[n, in, h, w]` to `[n, out, h', w']`: in PyTorch a Conv2d or `ConvTranspose2d` and its activation.
    Conv {
        /// `[out, in, k, k]`, or `[in, out, k, k]` if it is transposed.
        weight: Weight,
        /// `[out]`.
        bias: Tensor,
        /// How the kernel goes over the pictures.
        steps: Steps,
        /// What is done to the outputs.
        activation: Activation,
    },
    /// Drops some of its inputs while it learns, and makes up for it with the rest (Srivastava et al. 2014).
    Dropout {
        /// The share that is dropped, 0 to 1.
        share: f64,
    },
    /// In PyTorch a `BatchNorm1d` or `BatchNorm2d` and its activation.
    Norm {
        /// What it learns and what it has seen.
        norm: Norm,
        /// What is done to the outputs.
        activation: Activation,
    },
}

/// What a forward pass is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To learn from it: a batch norm takes the statistics of the batch, and remembers them; dropout drops.
    Training,
    /// To see what was learnt: a batch norm takes the statistics that it remembers; nothing is dropped.
    Evaluation,
}

impl Layer {
    /// A linear layer with the initial weights of `torch.nn.Linear`.
    pub(super) fn dense(
        inputs: i64,
        outputs: i64,
        activation: Activation,
        normalization: Normalization,
        device: Device,
    ) -> Self {
        let weight = draw(&[outputs, inputs], inputs, device);
        Self::Dense {
            weight: Weight::new(weight, normalization),
            bias: draw(&[outputs], inputs, device),
            activation,
        }
    }

    /// A convolution that halves a side, or one that doubles it, with a kernel of 4 by 4 pixels as in Radford, Metz and
    /// Chintala 2016, and the initial weights of `torch.nn.Conv2d` and `ConvTranspose2d`.
    pub(super) fn conv(
        inputs: i64,
        outputs: i64,
        transposed: bool,
        activation: Activation,
        normalization: Normalization,
        device: Device,
    ) -> Self {
        const KERNEL: i64 = 4;
        let [rows, columns] = if transposed {
            [inputs, outputs]
        } else {
            [outputs, inputs]
        };
        // What PyTorch takes for the inputs of a number: of a transposed convolution it counts the outputs.
        let seen = columns * KERNEL * KERNEL;
        Self::Conv {
            weight: Weight::new(
                draw(&[rows, columns, KERNEL, KERNEL], seen, device),
                normalization,
            ),
            bias: draw(&[outputs], seen, device),
            steps: Steps {
                stride: 2,
                padding: 1,
                transposed,
            },
            activation,
        }
    }

    /// A batch norm that changes nothing yet.
    pub(super) fn norm(channels: i64, activation: Activation, device: Device) -> Self {
        let filled = |value: f64| Tensor::full([channels], value, (Kind::Float, device));
        Self::Norm {
            norm: Norm {
                weight: filled(1.0).set_requires_grad(true),
                bias: filled(0.0).set_requires_grad(true),
                running_mean: filled(0.0),
                running_var: filled(1.0),
            },
            activation,
        }
    }

    /// How many modules of a `torch.nn.Sequential` it stands for.
    pub(super) fn modules(&self) -> usize {
        match self {
            Self::Dense { activation, .. }
            | Self::Conv { activation, .. }
            | Self::Norm { activation, .. }
                if *activation != Activation::Identity =>
            {
                2
            }
            _ => 1,
        }
    }

    /// What it learns, with PyTorch's names.
    pub(super) fn parameters(&self) -> Vec<(&'static str, &Tensor)> {
        match self {
            Self::Dense { weight, bias, .. } | Self::Conv { weight, bias, .. } => {
                vec![weight.parameter(), ("bias", bias)]
            }
            Self::Norm { norm, .. } => vec![("weight", &norm.weight), ("bias", &norm.bias)],
            Self::Flatten | Self::Unflatten { .. } | Self::Dropout { .. } => Vec::new(),
        }
    }

    /// What it remembers beside, with PyTorch's names.
    pub(super) fn buffers(&self) -> Vec<(&'static str, &Tensor)> {
        match self {
            Self::Dense { weight, .. } | Self::Conv { weight, .. } => weight.buffers(),
            Self::Norm { norm, .. } => vec![
                ("running_mean", &norm.running_mean),
                ("running_var", &norm.running_var),
            ],
            Self::Flatten | Self::Unflatten { .. } | Self::Dropout { .. } => Vec::new(),
        }
    }

    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        match self {
            Self::Flatten => x.flatten(1, -1),
            Self::Dense {
                weight,
                bias,
                activation,
            } => dense(x, &weight.in_force(mode), bias, *activation),
            Self::Unflatten { shape } => x.view([-1, shape[0], shape[1], shape[2]]),
            Self::Conv {
                weight,
                bias,
                steps,
                activation,
            } => conv(x, &weight.in_force(mode), bias, *steps, *activation),
            Self::Dropout { share } => x.dropout(*share, mode == Mode::Training),
            Self::Norm { norm, activation } => {
                batch_norm(x, norm, mode == Mode::Training, *activation)
            }
        }
    }
}

/// Numbers that learn, uniform in ±1/√inputs as PyTorch draws them.
pub(super) fn draw(shape: &[i64], inputs: i64, device: Device) -> Tensor {
    let bound = (inputs as f64).sqrt().recip();
    // Drawn on the CPU, so that a seed gives the same weights on every device.
    Tensor::empty(shape, (Kind::Float, Device::Cpu))
        .uniform_(-bound, bound)
        .to_device(device)
        .set_requires_grad(true)
}
