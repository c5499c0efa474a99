//! Where vectors become pictures and pictures vectors, as in R3GAN (Huang et al. 2024).

use tch::{Device, Kind, Tensor};

use super::init::he_normal;
use super::module::{Mode, Module, NamedTensors};
use crate::native::{Activation, dense};

/// Vectors `[n, inputs]` to small pictures `[n, channels, h, w]`: learnt pictures, one for each channel, which a linear
/// function of the vector makes stronger or weaker.
#[derive(Debug)]
pub struct GenerativeBasis {
    /// `[channels, h, w]`
    basis: Tensor,
    /// `[channels, inputs]`
    linear: Tensor,
    /// What the linear function has none of.
    no_bias: Tensor,
}

impl GenerativeBasis {
    /// A module for pictures of `shape`, `[channels, h, w]`.
    pub fn new(inputs: i64, shape: [i64; 3], device: Device) -> Self {
        Self {
            basis: he_normal(&shape, 1, 1.0, device),
            linear: he_normal(&[shape[0], inputs], inputs, 1.0, device),
            no_bias: Tensor::zeros([shape[0]], (Kind::Float, device)),
        }
    }
}

impl Module for GenerativeBasis {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Tensor {
        let strengths = dense(input, &self.linear, &self.no_bias, Activation::Identity);
        // The channels of a pixel side by side, as convolutions want them.
        let pictures = strengths.unsqueeze(1).unsqueeze(1) * self.basis.permute([1, 2, 0]);
        pictures.permute([0, 3, 1, 2])
    }

    fn parameters(&self) -> NamedTensors<'_> {
        vec![
            ("basis".to_owned(), &self.basis),
            ("linear.weight".to_owned(), &self.linear),
        ]
    }
}

/// Small pictures `[n, channels, h, w]` to vectors `[n, channels]`: each channel is weighed by a learnt picture, as
/// `torch.nn.Conv2d` with a group for each channel and a kernel of the picture's size does.
#[derive(Debug)]
pub struct DiscriminativeBasis {
    /// `[channels, 1, h, w]`
    weight: Tensor,
}

impl DiscriminativeBasis {
    /// A module for pictures of this shape.
    pub fn new([channels, height, width]: [i64; 3], device: Device) -> Self {
        let shape = [channels, 1, height, width];
        Self {
            weight: he_normal(&shape, height * width, 1.0, device),
        }
    }
}

impl Module for DiscriminativeBasis {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Tensor {
        let weights = self.weight.squeeze_dim(1).permute([1, 2, 0]);
        let weighed = input.permute([0, 2, 3, 1]) * weights;
        weighed.sum_dim_intlist([1_i64, 2].as_slice(), false, Kind::Float)
    }

    fn parameters(&self) -> NamedTensors<'_> {
        vec![("weight".to_owned(), &self.weight)]
    }
}
