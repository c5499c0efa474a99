//! A trained generator as a function of its noise.

use tch::{Device, Kind, Tensor};

use crate::data::to_bytes;
use crate::eval::chunks;
use crate::native::{Random, no_grad};
use crate::nn::Network;

/// Pictures that are made at once where no gradient is wanted.
const CHUNK: i64 = 500;

/// A trained generator that makes pictures from noise.
#[derive(Debug)]
pub struct LatentSpace {
    generator: Network,
    latent_dim: i64,
    num_classes: i64,
}

impl LatentSpace {
    /// The space of a generator that is told one of `num_classes` classes; 0 if it is told none.
    pub fn new(generator: Network, latent_dim: i64, num_classes: i64) -> Self {
        Self {
            generator,
            latent_dim,
            num_classes,
        }
    }

    /// Numbers of a point.
    pub fn latent_dim(&self) -> i64 {
        self.latent_dim
    }

    /// Classes that the generator is told; 0 if none.
    pub fn num_classes(&self) -> i64 {
        self.num_classes
    }

    /// The generator.
    pub fn generator(&self) -> &Network {
        &self.generator
    }

    /// The device of the generator.
    pub fn device(&self) -> Device {
        self.generator.device()
    }

    /// Pictures `[n, channels, h, w]` in [-1, 1] from noise `[n, latent_dim]` on the generator's device, differentiable.
    /// A conditional generator needs classes, `[n]`, i64, or their weights `[n, classes]`, f32.
    pub fn generate(&self, noise: &Tensor, classes: Option<&Tensor>) -> Tensor {
        let classes = classes.filter(|_| self.num_classes > 0);
        self.generator.evaluate(noise, classes)
    }

    /// The same pictures as u8, on the CPU, from noise and classes on any device.
    pub fn pixels(&self, noise: &Tensor, classes: Option<&Tensor>) -> Tensor {
        no_grad(|| {
            let made: Vec<_> = chunks(noise.size()[0], CHUNK)
                .map(|(first, length)| {
                    let part = |whole: &Tensor| {
                        let part = whole.narrow(0, first, length);
                        part.to_device(self.device())
                    };
                    let classes = classes.map(part);
                    to_bytes(&self.generate(&part(noise), classes.as_ref())).to_device(Device::Cpu)
                })
                .collect();
            Tensor::cat(&made, 0)
        })
    }

    /// Normal noise `[count, latent_dim]` for a seed, and classes that take turns if there are any; on the CPU.
    pub fn sample(&self, seed: u64, count: i64) -> (Tensor, Option<Tensor>) {
        let noise = Random::seeded(seed).normal(count, self.latent_dim);
        let classes = (self.num_classes > 0)
            .then(|| Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(self.num_classes));
        (noise, classes)
    }
}
