//! Residual blocks, and the change of resolution between them, as in R3GAN (Huang et al. 2024, «The GAN is dead; long
//! live the GAN!», section 4).

use tch::{Device, Tensor};

use super::init::{he_normal, zeros};
use super::module::{Mode, Module, NamedTensors};
use crate::native::{Activation, ResidualWeights, downsampled, residual_block, upsampled};

/// Side of the kernel of a block's middle convolution, in pixels.
const KERNEL: i64 = 3;

/// The sizes of a residual block.
#[derive(Clone, Copy, Debug)]
pub struct ResidualSizes {
    /// Channels of input and output.
    pub channels: i64,
    /// Channels within the block, as a multiple.
    pub expansion: i64,
    /// Channels in a group of the middle convolution; a divisor of the channels within the block.
    pub group_width: i64,
    /// Residual blocks in the whole network, which the initial weights depend on.
    pub blocks_in_network: i64,
}

/// x + project(a(grouped(a(expand(x))))) with pictures `[n, channels, h, w]`: a 1×1 convolution to more channels, a
/// grouped 3×3 convolution among them, and a 1×1 convolution back; a is the activation. There is no normalisation: the
/// last convolution starts at zero, and the others are scaled by the number of blocks (Zhang, Dauphin and Ma 2019,
/// «Fixup Initialization», section 3).
#[derive(Debug)]
pub struct ResidualBlock {
    weights: ResidualWeights,
    activation: Activation,
}

impl ResidualBlock {
    /// A block that at first returns its input.
    pub fn new(sizes: ResidualSizes, activation: Activation, device: Device) -> Self {
        let ResidualSizes {
            channels,
            expansion,
            group_width,
            blocks_in_network,
        } = sizes;
        let inner = channels * expansion;
        // L^(−1/(2m − 2)) for L blocks of m = 3 layers.
        let gain = activation.gain() * (blocks_in_network as f64).powf(-0.25);
        let middle_fan_in = group_width * KERNEL * KERNEL;
        let grouped = [inner, group_width, KERNEL, KERNEL];
        Self {
            weights: ResidualWeights {
                expand: he_normal(&[inner, channels, 1, 1], channels, gain, device),
                expand_bias: zeros(&[inner], device),
                grouped: he_normal(&grouped, middle_fan_in, gain, device),
                grouped_bias: zeros(&[inner], device),
                project: zeros(&[channels, inner, 1, 1], device),
            },
            activation,
        }
    }
}

impl Module for ResidualBlock {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Tensor {
        residual_block(input, &self.weights, self.activation)
    }

    fn parameters(&self) -> NamedTensors<'_> {
        let weights = &self.weights;
        [
            ("expand.weight", &weights.expand),
            ("expand.bias", &weights.expand_bias),
            ("grouped.weight", &weights.grouped),
            ("grouped.bias", &weights.grouped_bias),
            ("project.weight", &weights.project),
        ]
        .map(|(name, tensor)| (name.to_owned(), tensor))
        .into()
    }
}

/// `[n, c, h, w]` to `[n, c, 2h, 2w]`, bilinear: `torch.nn.Upsample(scale_factor=2, mode="bilinear")`.
#[derive(Debug)]
pub struct Upsample;

impl Module for Upsample {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Tensor {
        upsampled(input)
    }
}

/// `[n, c, h, w]` to `[n, c, h/2, w/2]`, filtered by `[1 3 3 1] / 8` in both directions.
#[derive(Debug)]
pub struct Downsample;

impl Module for Downsample {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Tensor {
        downsampled(input)
    }
}
