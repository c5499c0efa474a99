//! What is done to pictures, real and fake, before the discriminator sees them.

use sparring_contract::config::{self, Config};
use tch::{Kind, Tensor};

use crate::native::sharpened;

/// Augments the discriminator's input. Colour, translation, cutout and noise work against overfitting; sharpening makes
/// stray pixels visible to linear layers. All are differentiable, so that the generator learns through them.
#[derive(Clone, Debug)]
pub(super) struct Augment {
    keys: config::Augment,
    noise: f64,
    noise_steps: u64,
    sharpening: f64,
}

impl Augment {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            keys: config.augment.clone(),
            noise: config.instance_noise,
            noise_steps: config.instance_noise_steps,
            sharpening: config.sharpening,
        }
    }

    /// Pictures `[n, channels, height, width]` as the discriminator sees them in a step. Draws from libtorch's
    /// generator.
    pub(super) fn apply(&self, pictures: &Tensor, step: u64) -> Tensor {
        let seen = diff_augmented(pictures, &self.keys);
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

    /// Whether the augmentation of this step is unlike that of the steps around it.
    pub(super) fn changes_at(&self, step: u64) -> bool {
        self.noise > 0.0 && step < self.noise_steps
    }

    fn noise_at(&self, step: u64) -> f64 {
        if self.noise_steps == 0 {
            self.noise
        } else {
            self.noise * (1.0 - step as f64 / self.noise_steps as f64).max(0.0)
        }
    }
}

/// Differentiable augmentation (Zhao et al. 2020, «Differentiable Augmentation for Data-Efficient GAN Training») of
/// pictures `[n, channels, height, width]`: colour, translation and cutout, as configured. Draws from libtorch's
/// generator.
pub fn diff_augmented(pictures: &Tensor, augment: &config::Augment) -> Tensor {
    let mut seen = pictures.shallow_clone();
    if augment.color > 0.0 {
        seen = colored(&seen, augment.color);
    }
    if augment.translation > 0.0 {
        seen = translated(&seen, augment.translation);
    }
    if augment.cutout > 0.0 {
        seen = cut_out(&seen, augment.cutout);
    }
    seen
}

/// Brightness plus up to ±½, saturation times up to 1 ± 1, and contrast times up to 1 ± ½, each by an amount of its own
/// for each picture; with a strength below 1 less. Grey pictures have no saturation.
fn colored(pictures: &Tensor, strength: f64) -> Tensor {
    let [n, channels] = [pictures.size()[0], pictures.size()[1]];
    // Uniform in ±½ times the strength.
    let amount = || {
        let uniform = Tensor::rand([n, 1, 1, 1], (Kind::Float, pictures.device()));
        (uniform - 0.5) * strength
    };
    let scaled_about = |pictures: &Tensor, axes: &[i64], factor: Tensor| {
        let mean = pictures.mean_dim(axes, true, Kind::Float);
        (pictures - &mean) * factor + mean
    };
    let mut seen = pictures + amount();
    if channels > 1 {
        seen = scaled_about(&seen, &[1], amount() * 2.0 + 1.0);
    }
    scaled_about(&seen, &[1, 2, 3], amount() + 1.0)
}

/// Each picture shifted by a random whole number of pixels, up to this share of a side. The edge is repeated where the
/// picture moved away.
fn translated(pictures: &Tensor, share: f64) -> Tensor {
    let sizes = pictures.size();
    [2, 3]
        .into_iter()
        .fold(pictures.shallow_clone(), |seen, axis| {
            let side = sizes[axis];
            let most = share_of(side, share);
            let options = (Kind::Int64, pictures.device());
            let offsets = Tensor::randint_low(-most, most + 1, [sizes[0], 1, 1, 1], options);
            let from = (along(axis, side, pictures) + offsets).clamp(0, side - 1);
            seen.gather(axis as i64, &from.expand_as(&seen), false)
        })
}

/// Each picture with a square at a random place made grey, or as much of it as lies within. Its side is this share of
/// the picture's.
fn cut_out(pictures: &Tensor, share: f64) -> Tensor {
    let sizes = pictures.size();
    let outside = [2, 3].map(|axis| {
        let side = sizes[axis];
        let length = share_of(side, share);
        let options = (Kind::Int64, pictures.device());
        // The place of the middle, which may be just outside.
        let middle = Tensor::randint(side + 1 - length % 2, [sizes[0], 1, 1, 1], options);
        let first = middle - length / 2;
        let position = along(axis, side, pictures);
        position
            .less_tensor(&first)
            .logical_or(&position.greater_equal_tensor(&(first + length)))
    });
    let [rows, columns] = outside;
    pictures * rows.logical_or(&columns)
}

/// The numbers of the pixels along an axis, in the shape of pictures.
fn along(axis: usize, side: i64, pictures: &Tensor) -> Tensor {
    let mut line = [1; 4];
    line[axis] = side;
    Tensor::arange(side, (Kind::Int64, pictures.device())).view(line)
}

/// This share of a side, in whole pixels.
#[allow(clippy::cast_possible_truncation)] // at most a side
fn share_of(side: i64, share: f64) -> i64 {
    (side as f64 * share).round() as i64
}
