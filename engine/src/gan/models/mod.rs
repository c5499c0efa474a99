//! The networks that a configuration describes.

mod blocks;
mod dcgan;
mod mlp;
mod resnet;
mod unet;

use sparring_contract::config::{Architecture, Config};
use tch::Device;

use self::blocks::Blocks;
use crate::data::Degradation;
use crate::nn::{Conditioning, FillHoles, Network, Sequential};
use crate::seed::{Stream, reseed};

/// The pictures that a model is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSpec {
    /// Of one picture, `[channels, height, width]`.
    pub shape: [i64; 3],
    /// Classes that both networks are told; 0 for unconditional models.
    pub num_classes: i64,
    /// What they are made from; `None` if from noise alone.
    pub degradation: Option<Degradation>,
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
            degradation: Degradation::new(config),
        }
    }

    fn is_conditional(&self) -> bool {
        self.num_classes > 0
    }

    /// Channels of what pictures are made from, without noise; 0 if from noise alone.
    pub fn condition_channels(&self) -> i64 {
        self.degradation
            .map_or(0, |degradation| degradation.channels(self.shape[0]))
    }

    /// Channels of what the discriminator sees beside a picture; 0 if nothing.
    pub fn seen_channels(&self) -> i64 {
        self.degradation
            .map_or(0, |degradation| degradation.seen_channels(self.shape[0]))
    }
}

/// A generator: noise `[n, latent_dim]`, and classes if it is conditional, to pictures `[n, channels, height, width]`
/// in [-1, 1]. A U-Net makes them from conditions and noise, `[n, condition channels + latent_dim, height, width]`.
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
        Architecture::Unet => picture_to_picture(config, spec, &blocks),
    };
    let conditioning = spec.is_conditional().then_some(Conditioning::OneHot {
        num_classes: spec.num_classes,
    });
    Network::new("generator", model, conditioning)
}

/// A discriminator: pictures `[n, channels, height, width]`, behind the channels of what it sees beside them, if anything,
/// and classes if it is conditional, to logits `[n, 1]`, positive for «real».
///
/// The sigmoid of the tutorial's last layer is part of the loss. The configuration must fit the pictures
/// ([`super::check_compatibility`]).
pub fn discriminator(config: &Config, spec: PictureSpec, device: Device) -> Network {
    reseed(config.seed, Stream::Weights, 1);
    let blocks = Blocks::new(&config.discriminator, device);
    let [channels, height, width] = spec.shape;
    let shape = [spec.seen_channels() + channels, height, width];
    let (model, features) = match config.discriminator.architecture {
        Architecture::Mlp => mlp::discriminator(&blocks, shape),
        Architecture::Dcgan => dcgan::discriminator(&blocks, shape),
        // A U-Net has no logit: no discriminator may be one (contract/src/config/keys.rs).
        Architecture::Resnet | Architecture::Unet => resnet::discriminator(&blocks, shape),
    };
    let conditioning = spec
        .is_conditional()
        .then(|| Conditioning::projection(spec.num_classes, features, device));
    Network::new("discriminator", model, conditioning)
}

/// A U-Net. Where pixels are missing, it fills in those and no others.
fn picture_to_picture(config: &Config, spec: PictureSpec, blocks: &Blocks<'_>) -> Sequential {
    let inputs = spec.condition_channels() + config.latent_dim.cast_signed();
    let unet = unet::generator(blocks, inputs, spec.shape);
    let mut model = Sequential::default();
    match spec.degradation {
        Some(Degradation::Holes(_)) => model.push(FillHoles {
            inner: unet,
            channels: spec.shape[0],
        }),
        _ => model.push(unet),
    }
    model
}
