//! Pictures from a trained generator.

use sparring_contract::config::Config;
use tch::{Device, Kind, Tensor, no_grad};

use super::models::{PictureSpec, generator};
use crate::nn::{EMA_PREFIX, Network, StateDict, StateDictError};

/// A trained generator, or its moving average if the configuration has one.
#[derive(Debug)]
pub struct Sampler {
    generator: Network,
    num_classes: i64,
    /// The only class that is sampled.
    class: Option<i64>,
    /// Pictures sampled so far.
    sampled: i64,
}

impl Sampler {
    /// Builds the generator and loads its weights.
    pub fn new(
        config: &Config,
        spec: PictureSpec,
        state: &StateDict,
        device: Device,
    ) -> Result<Self, StateDictError> {
        let generator = generator(config, spec, device);
        let prefix = if config.ema_decay > 0.0 {
            EMA_PREFIX
        } else {
            ""
        };
        for (name, tensor) in [generator.parameters(), generator.buffers()].concat() {
            let trained = state.get(&format!("{prefix}{name}"), &tensor.size())?;
            no_grad(|| tensor.shallow_clone().copy_(trained));
        }
        Ok(Self {
            generator,
            num_classes: spec.num_classes,
            class: None,
            sampled: 0,
        })
    }

    /// Samples only this class, 0 or more and less than the number of classes.
    #[must_use]
    pub fn only(self, class: Option<u64>) -> Self {
        Self {
            class: class.map(u64::cast_signed),
            ..self
        }
    }

    /// Pictures from noise `[n, latent_dim]`: `[n, channels, height, width]`, u8. Unless one class was chosen, the
    /// classes of a conditional generator take turns, from one call to the next.
    pub fn sample(&mut self, noise: &Tensor) -> Tensor {
        let count = noise.size()[0];
        let classes = self.next_classes(count);
        self.skip(count);
        to_pixels(&self.generator, noise, classes.as_ref())
    }

    /// The classes of the next `count` pictures, `[count]`, i64; `None` for an unconditional generator.
    pub fn next_classes(&self, count: i64) -> Option<Tensor> {
        match self.class {
            Some(class) => Some(Tensor::full([count], class, (Kind::Int64, Device::Cpu))),
            None => round_robin(self.sampled, count, self.num_classes),
        }
    }

    /// Advances the turns of the classes as if `count` pictures had been sampled.
    pub fn skip(&mut self, count: i64) {
        self.sampled += count;
    }
}

/// The classes of pictures number `first` to `first + count`, i64, if the classes take turns. `None` if there are no
/// classes.
pub fn round_robin(first: i64, count: i64, num_classes: i64) -> Option<Tensor> {
    (num_classes > 0).then(|| {
        Tensor::arange_start(first, first + count, (Kind::Int64, Device::Cpu))
            .remainder(num_classes)
    })
}

/// Normal noise for a seed: on every device what `torch.manual_seed(seed)` and then one `torch.randn(n, latent_dim)`
/// per draw give in Python.
#[derive(Debug)]
pub struct Noise {
    latent_dim: i64,
}

impl Noise {
    /// Seeds libtorch's generator. Everything else draws from it too, so draw the noise first.
    pub fn seeded(seed: u64, latent_dim: u64) -> Self {
        tch::manual_seed(seed.cast_signed());
        Self {
            latent_dim: latent_dim.cast_signed(),
        }
    }

    /// The next `count` noise vectors, `[count, latent_dim]`, on the CPU.
    pub fn draw(&mut self, count: i64) -> Tensor {
        Tensor::randn([count, self.latent_dim], (Kind::Float, Device::Cpu))
    }
}

/// Pictures in eval mode, `[n, channels, height, width]`, u8: -1 becomes 0 and 1 becomes 255.
pub(super) fn to_pixels(generator: &Network, input: &Tensor, classes: Option<&Tensor>) -> Tensor {
    no_grad(|| {
        let device = generator.device();
        let classes = classes.map(|classes| classes.to_device(device));
        let pictures = generator.evaluate(&input.to_device(device), classes.as_ref());
        ((pictures + 1.0) * 127.5)
            .round()
            .clamp(0.0, 255.0)
            .to_kind(Kind::Uint8)
    })
}
