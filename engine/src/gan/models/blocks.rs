//! What the layers of a network have in common.

use sparring_contract::config::{self, Normalization};
use tch::Device;

use crate::native::Activation;
use crate::nn::{BatchNorm, Dropout, ResidualBlock, ResidualSizes, Sequential, WeightNorm};

/// How a configuration's layers are made.
pub(super) struct Blocks<'a> {
    pub(super) config: &'a config::Network,
    pub(super) device: Device,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(config: &'a config::Network, device: Device) -> Self {
        Self { config, device }
    }

    /// Widths of the hidden layers, input side first.
    pub(super) fn widths(&self) -> Vec<i64> {
        let hidden = self.config.hidden.iter();
        hidden.map(|width| width.cast_signed()).collect()
    }

    /// The channels of a convolutional generator for pictures of this shape: `hidden`, and before it a width for each
    /// further halving.
    pub(super) fn generator_widths(&self, shape: [i64; 3]) -> Vec<i64> {
        let mut widths = self.widths();
        widths.reverse();
        deepen(&mut widths, self.config.halvings(), shape);
        widths.reverse();
        widths
    }

    /// The channels of a convolutional discriminator for pictures of this shape: `hidden`, and after it a width for each
    /// further halving.
    pub(super) fn discriminator_widths(&self, shape: [i64; 3]) -> Vec<i64> {
        let mut widths = self.widths();
        deepen(&mut widths, self.config.halvings(), shape);
        widths
    }

    /// The shape of the smallest pictures within a network that has these widths for pictures of `shape`, where they have
    /// this many channels.
    pub(super) fn smallest_shape(
        &self,
        channels: i64,
        widths: &[i64],
        [_, height, width]: [i64; 3],
    ) -> [i64; 3] {
        let added = widths.len() - self.config.hidden.len();
        let halvings = self.config.halvings() + added;
        [channels, height >> halvings, width >> halvings]
    }

    pub(super) fn weight_norm(&self) -> WeightNorm {
        match self.config.normalization {
            Normalization::Spectral => WeightNorm::Spectral,
            Normalization::Off | Normalization::Batch => WeightNorm::Off,
        }
    }

    fn has_batch_norm(&self) -> bool {
        self.config.normalization == Normalization::Batch
    }

    pub(super) fn activation(&self) -> Activation {
        match self.config.activation {
            config::Activation::Relu => Activation::Relu,
            config::Activation::LeakyRelu => Activation::LeakyRelu {
                slope: self.config.negative_slope,
            },
            config::Activation::Tanh => Activation::Tanh,
        }
    }

    /// The activation that a hidden layer applies itself: none before a batch norm, which then applies it.
    pub(super) fn own_activation(&self) -> Activation {
        if self.has_batch_norm() {
            Activation::Identity
        } else {
            self.activation()
        }
    }

    /// Appends the residual blocks of one stage of a network that has so many.
    pub(super) fn push_residual(&self, model: &mut Sequential, channels: i64, stages: usize) {
        let sizes = ResidualSizes {
            channels,
            expansion: self.config.expansion.cast_signed(),
            group_width: self.config.group_width.cast_signed(),
            blocks_in_network: self.config.blocks.cast_signed() * stages as i64,
        };
        for _ in 0..self.config.blocks {
            model.push(ResidualBlock::new(sizes, self.activation(), self.device));
        }
    }

    /// Appends what follows a hidden layer with this many outputs or channels: batch norm and dropout, if configured.
    pub(super) fn finish_hidden(&self, model: &mut Sequential, channels: i64) {
        if self.has_batch_norm() {
            model.push(BatchNorm::new(channels, self.activation(), self.device));
        }
        let rate = self.config.dropout;
        if rate > 0.0 {
            model.push(Dropout { rate });
        }
    }
}

/// Below this side, in pixels, pictures are not halved further.
const SMALL: i64 = 8;

/// Appends widths, each twice the one before, until as many halvings make the pictures small.
fn deepen(widths: &mut Vec<i64>, mut halvings: usize, [_, height, width]: [i64; 3]) {
    let Some(mut last) = widths.last().copied() else {
        return;
    };
    let can_halve = |side: i64| side >= SMALL && side % 2 == 0;
    while can_halve(height >> halvings) && can_halve(width >> halvings) {
        last *= 2;
        widths.push(last);
        halvings += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deepened(widths: &[i64], halvings: usize, side: i64) -> Vec<i64> {
        let mut widths = widths.to_vec();
        deepen(&mut widths, halvings, [3, side, side]);
        widths
    }

    #[test]
    fn larger_pictures_get_more_layers_each_twice_as_wide() {
        assert_eq!(deepened(&[32, 64], 2, 28), [32, 64]);
        assert_eq!(deepened(&[32, 64], 2, 32), [32, 64, 128]);
        assert_eq!(deepened(&[32, 64], 2, 48), [32, 64, 128]);
        assert_eq!(deepened(&[32, 64], 2, 64), [32, 64, 128, 256]);
        // What cannot be halved stays, and so do networks without layers.
        assert_eq!(deepened(&[32], 1, 50), [32]);
        assert!(deepened(&[], 0, 64).is_empty());
    }
}
