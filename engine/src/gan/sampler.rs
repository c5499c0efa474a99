//! Pictures from a trained generator.

use sparring_contract::config::Config;
use sparring_contract::protocol::Truncation;
use tch::{Device, Kind, Tensor};

use super::models::PictureSpec;
use super::trained::trained_generator;
use crate::data::to_bytes;
use crate::native::{Random, no_grad};
use crate::nn::{Network, StateDict, StateDictError};

/// A trained generator, or its moving average if the configuration has one.
#[derive(Debug)]
pub struct Sampler {
    generator: Network,
    num_classes: i64,
    classes: Classes,
    /// Pictures sampled so far.
    sampled: i64,
}

/// The classes of pictures of a conditional generator, and their order.
#[derive(Debug)]
pub enum Classes {
    /// Each in its turn.
    InTurn,
    /// One, 0 or more and less than the number of classes.
    Only(u64),
    /// One for each picture, `[n]`, i64, on the CPU. No more pictures than these can be sampled.
    Listed(Tensor),
}

impl Sampler {
    /// Builds the generator and loads its weights.
    pub fn new(
        config: &Config,
        spec: PictureSpec,
        state: &StateDict,
        device: Device,
    ) -> Result<Self, StateDictError> {
        Ok(Self {
            generator: trained_generator(config, spec, state, device)?,
            num_classes: spec.num_classes,
            classes: Classes::InTurn,
            sampled: 0,
        })
    }

    /// Samples these classes; they take turns unless something else is said.
    #[must_use]
    pub fn of(self, classes: Classes) -> Self {
        Self { classes, ..self }
    }

    /// Pictures from noise `[n, latent_dim]`: `[n, channels, height, width]`, u8. The classes go on from one call to the
    /// next.
    pub fn sample(&mut self, noise: &Tensor) -> Tensor {
        let count = noise.size()[0];
        let classes = self.next_classes(count);
        self.skip(count);
        to_pixels(&self.generator, noise, classes.as_ref())
    }

    /// The classes of the next `count` pictures, `[count]`, i64; `None` for an unconditional generator.
    pub fn next_classes(&self, count: i64) -> Option<Tensor> {
        match &self.classes {
            Classes::InTurn => round_robin(self.sampled, count, self.num_classes),
            Classes::Only(class) => {
                let class = class.cast_signed();
                Some(Tensor::full([count], class, (Kind::Int64, Device::Cpu)))
            }
            Classes::Listed(classes) => Some(classes.narrow(0, self.sampled, count)),
        }
    }

    /// Advances the turns of the classes as if `count` pictures had been sampled.
    pub fn skip(&mut self, count: i64) {
        self.sampled += count;
    }
}

/// The classes of pictures number `first` to `first + count`, i64, if the classes take turns. `None` if there are no
/// classes.
pub(super) fn round_robin(first: i64, count: i64, num_classes: i64) -> Option<Tensor> {
    (num_classes > 0).then(|| {
        Tensor::arange_start(first, first + count, (Kind::Int64, Device::Cpu))
            .remainder(num_classes)
    })
}

/// Normal noise for a seed: on every device what `torch.manual_seed(seed)` and then one `torch.randn(n, latent_dim)`
/// per draw give in Python, unless it is truncated.
#[derive(Debug)]
pub struct Noise {
    random: Random,
    latent_dim: i64,
    truncation: Truncation,
}

impl Noise {
    /// The noise of a seed. It leaves libtorch's generator alone.
    pub fn seeded(seed: u64, latent_dim: u64) -> Self {
        Self {
            random: Random::seeded(seed),
            latent_dim: latent_dim.cast_signed(),
            truncation: Truncation::Off,
        }
    }

    /// The same, truncated.
    #[must_use]
    pub fn truncated(self, truncation: Truncation) -> Self {
        Self { truncation, ..self }
    }

    /// The next `count` noise vectors, `[count, latent_dim]`, on the CPU.
    pub fn draw(&mut self, count: i64) -> Tensor {
        let mut normal = || self.random.normal(count, self.latent_dim);
        match self.truncation {
            Truncation::Off => normal(),
            Truncation::TowardsMean(share) => normal() * share,
            Truncation::Redrawn(threshold) => {
                let mut noise = normal();
                loop {
                    let outside = noise.abs().gt(threshold);
                    if outside.any().int64_value(&[]) == 0 {
                        return noise;
                    }
                    noise = normal().where_self(&outside, &noise);
                }
            }
        }
    }
}

/// Pictures in eval mode, `[n, channels, height, width]`, u8.
pub(super) fn to_pixels(generator: &Network, input: &Tensor, classes: Option<&Tensor>) -> Tensor {
    no_grad(|| {
        let device = generator.device();
        let classes = classes.map(|classes| classes.to_device(device));
        to_bytes(&generator.evaluate(&input.to_device(device), classes.as_ref()))
    })
}

#[cfg(test)]
mod tests {
    use sparring_contract::config::{Request, resolve};

    use super::super::models::generator;
    use super::*;

    #[test]
    fn truncated_noise_keeps_near_its_mean() {
        let drawn = |truncation| Noise::seeded(7, 50).truncated(truncation).draw(200);
        let farthest = |noise: &Tensor| noise.abs().max().double_value(&[]);
        let deviation = |noise: &Tensor| noise.std(true).double_value(&[]);

        let halved = drawn(Truncation::TowardsMean(0.5));
        assert!((deviation(&halved) - 0.5).abs() < 0.02);
        let redrawn = drawn(Truncation::Redrawn(1.0));
        assert!(farthest(&redrawn) <= 1.0);
        // The standard deviation of normal numbers between -1 and 1.
        assert!((deviation(&redrawn) - 0.5396).abs() < 0.02);
        assert!(farthest(&drawn(Truncation::Off)) > 3.0);
    }

    #[test]
    fn each_choice_of_classes_goes_on_from_one_call_to_the_next() {
        let request = Request {
            preset: Some("cgan".to_owned()),
            ..Request::default()
        };
        let config = resolve(&request).unwrap().config;
        let spec = PictureSpec {
            shape: [1, 8, 8],
            num_classes: 3,
            degradation: None,
        };
        let generator = generator(&config, spec, Device::Cpu);
        let mut sampler = Sampler {
            generator,
            num_classes: 3,
            classes: Classes::InTurn,
            sampled: 0,
        };
        let noise = [2, config.latent_dim.cast_signed()];
        let listed = Classes::Listed(Tensor::from_slice(&[2_i64, 2, 0, 1, 2]));
        for (classes, expected) in [
            (Classes::InTurn, [[0, 1], [2, 0]]),
            (Classes::Only(1), [[1, 1], [1, 1]]),
            (listed, [[2, 2], [0, 1]]),
        ] {
            sampler = Sampler {
                sampled: 0,
                ..sampler.of(classes)
            };
            for expected in expected {
                let found: Vec<i64> = sampler.next_classes(2).unwrap().try_into().unwrap();
                assert_eq!(found, expected);
                drop(sampler.sample(&Tensor::zeros(noise, (Kind::Float, Device::Cpu))));
            }
        }
    }
}
