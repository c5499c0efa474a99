//! What is done to pictures, real and fake, before the discriminator sees them.

use sparring_contract::config::Config;
use tch::{Kind, Tensor};

use crate::native::sharpened;

/// Augments the discriminator's input. Translation and noise work against overfitting; sharpening makes stray pixels
/// visible to linear layers. All are differentiable, so that the generator learns through them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Augment {
    noise: f64,
    noise_steps: u64,
    translation: f64,
    sharpening: f64,
}

impl Augment {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            noise: config.instance_noise,
            noise_steps: config.instance_noise_steps,
            translation: config.augment_translation,
            sharpening: config.sharpening,
        }
    }

    /// Pictures `[n, channels, height, width]` as the discriminator sees them in a step. Draws from libtorch's
    /// generator.
    pub(super) fn apply(&self, pictures: &Tensor, step: u64) -> Tensor {
        let seen = if self.translation > 0.0 {
            translated(pictures, self.translation)
        } else {
            pictures.shallow_clone()
        };
        let seen = if self.sharpening > 0.0 {
            sharpened(&seen, self.sharpening)
        } else {
            seen
        };
        let noise = self.noise_at(step);
        if noise > 0.0 {
            // Instance noise (Sønderby et al. 2017, section 3).
            &seen + seen.detach().randn_like() * noise
        } else {
            seen
        }
    }

    fn noise_at(&self, step: u64) -> f64 {
        if self.noise_steps == 0 {
            self.noise
        } else {
            self.noise * (1.0 - step as f64 / self.noise_steps as f64).max(0.0)
        }
    }
}

/// Each picture shifted by a random whole number of pixels, up to this share of a side (`DiffAugment`: Zhao et al.
/// 2020). The edge is repeated where the picture moved away.
fn translated(pictures: &Tensor, share: f64) -> Tensor {
    let sizes = pictures.size();
    [2, 3]
        .into_iter()
        .fold(pictures.shallow_clone(), |seen, axis| {
            let side = sizes[axis];
            // At most half a side, which fits.
            #[allow(clippy::cast_possible_truncation)]
            let most = (side as f64 * share).round() as i64;
            let options = (Kind::Int64, pictures.device());
            let offsets = Tensor::randint_low(-most, most + 1, [sizes[0], 1, 1, 1], options);
            let mut line = [1; 4];
            line[axis] = side;
            let from = (Tensor::arange(side, options).view(line) + offsets).clamp(0, side - 1);
            seen.gather(axis as i64, &from.expand_as(&seen), false)
        })
}
