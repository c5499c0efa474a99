//! Pictures from pictures, by a trained generator.

use sparring_contract::config::Config;
use tch::{Device, Tensor};

use super::conditions::with_noise;
use super::models::PictureSpec;
use super::sampler::to_pixels;
use super::trained::trained_generator;
use crate::data::Degradation;
use crate::native::no_grad;
use crate::nn::{Network, StateDict, StateDictError};

/// Conditions that are translated at once.
const CHUNK: i64 = 250;

/// A trained generator that makes pictures from conditions.
#[derive(Debug)]
pub struct Translator {
    generator: Network,
    degradation: Degradation,
    latent_dim: i64,
    device: Device,
}

impl Translator {
    /// Builds the generator and loads its weights; `None` if it makes pictures from noise alone.
    pub fn new(
        config: &Config,
        spec: PictureSpec,
        state: &StateDict,
        device: Device,
    ) -> Result<Option<Self>, StateDictError> {
        let Some(degradation) = spec.degradation else {
            return Ok(None);
        };
        Ok(Some(Self {
            generator: trained_generator(config, spec, state, device)?,
            degradation,
            latent_dim: config.latent_dim.cast_signed(),
            device,
        }))
    }

    /// What it makes pictures from.
    pub fn degradation(&self) -> Degradation {
        self.degradation
    }

    /// Whether it makes several different pictures of one condition.
    pub fn has_noise(&self) -> bool {
        self.latent_dim > 0
    }

    /// Pictures `[n, channels, h, w]`, u8, on the CPU, from conditions `[n, …, h, w]` in [-1, 1]. A generator with noise draws
    /// it from libtorch's generator.
    pub fn translate(&self, conditions: &Tensor) -> Tensor {
        no_grad(|| {
            let made: Vec<_> = conditions
                .split(CHUNK, 0)
                .iter()
                .map(|conditions| {
                    let input = with_noise(&conditions.to_device(self.device), self.latent_dim);
                    to_pixels(&self.generator, &input, None).to_device(Device::Cpu)
                })
                .collect();
            Tensor::cat(&made, 0)
        })
    }
}
