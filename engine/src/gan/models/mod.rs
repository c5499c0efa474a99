//! The networks that a configuration describes.

mod blocks;
mod dcgan;
mod mlp;
mod resnet;

use sparring_contract::config::{Architecture, Config};
use tch::Device;

use self::blocks::Blocks;
use crate::nn::{Conditioning, Network};
use crate::seed::{Stream, reseed};

/// The pictures that a model is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSpec {
    /// Of one picture, `[channels, height, width]`.
    pub shape: [i64; 3],
    /// Classes that both networks are told; 0 for unconditional models.
    pub num_classes: i64,
}

impl PictureSpec {
    /// The spec for a configuration and a data set, or the data set that a checkpoint was trained on.
    pub fn new(config: &Config, shape: [i64; 3], class_names: &[String]) -> Self {
        let num_classes = if config.conditional {
            class_names.len()
        } else {
            0
        };
        Self {
            shape,
            num_classes: num_classes as i64,
        }
    }

    fn is_conditional(&self) -> bool {
        self.num_classes > 0
    }
}

/// A generator: noise `[n, latent_dim]`, and classes if it is conditional, to pictures `[n, channels, height, width]`
/// in [-1, 1].
///
/// The configuration must fit the pictures ([`super::check_compatibility`]).
pub fn generator(config: &Config, spec: PictureSpec, device: Device) -> Network {
    reseed(config.seed, Stream::Weights, 0);
    let inputs = config.latent_dim.cast_signed() + spec.num_classes;
    let blocks = Blocks::new(&config.generator, device);
    let model = match config.generator.architecture {
        Architecture::Mlp => mlp::generator(&blocks, inputs, spec.shape),
        Architecture::Dcgan => dcgan::generator(&blocks, inputs, spec.shape),
        Architecture::Resnet => resnet::generator(&blocks, inputs, spec.shape),
    };
    let conditioning = spec.is_conditional().then_some(Conditioning::OneHot {
        num_classes: spec.num_classes,
    });
    Network::new("generator", model, conditioning)
}

/// A discriminator: pictures `[n, channels, height, width]`, and classes if it is conditional, to logits `[n, 1]`,
/// positive for «real».
///
/// The sigmoid of the tutorial's last layer is part of the loss. The configuration must fit the pictures
/// ([`super::check_compatibility`]).
pub fn discriminator(config: &Config, spec: PictureSpec, device: Device) -> Network {
    reseed(config.seed, Stream::Weights, 1);
    let blocks = Blocks::new(&config.discriminator, device);
    let (model, features) = match config.discriminator.architecture {
        Architecture::Mlp => mlp::discriminator(&blocks, spec.shape),
        Architecture::Dcgan => dcgan::discriminator(&blocks, spec.shape),
        Architecture::Resnet => resnet::discriminator(&blocks, spec.shape),
    };
    let conditioning = spec
        .is_conditional()
        .then(|| Conditioning::projection(spec.num_classes, features, device));
    Network::new("discriminator", model, conditioning)
}
