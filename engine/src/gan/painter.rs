//! Pictures from a generator, without a game.

use sparring_contract::config::Config;
use tch::{Device, Kind, Tensor, no_grad};

use super::Network;
use super::average::EMA;
use super::snapshot::{Snapshot, SnapshotError};

/// A generator that has learnt, or its average where there is one.
#[derive(Debug)]
pub struct Painter {
    generator: Network,
    classes: i64,
    /// The one class that is painted.
    only: Option<i64>,
    /// Pictures painted before.
    painted: i64,
}

impl Painter {
    /// The generator of a snapshot; `shape` is that of a picture, `[channels, height, width]`.
    pub fn new(
        config: &Config,
        shape: [i64; 3],
        snapshot: &Snapshot,
        device: Device,
    ) -> Result<Self, SnapshotError> {
        let generator = Network::generator(config, shape, device);
        let (parameters, buffers) = (generator.parameters(), generator.buffers());
        let prefix = if config.ema_decay > 0.0 { EMA } else { "" };
        for (name, tensor) in parameters.into_iter().chain(buffers) {
            let learnt = snapshot.fitting(&format!("{prefix}{name}"), &tensor.size())?;
            no_grad(|| tensor.shallow_clone().copy_(learnt));
        }
        Ok(Self {
            generator,
            classes: config.classes.cast_signed(),
            only: None,
            painted: 0,
        })
    }

    /// Paints one class alone, of a conditional generator: 0 and up, below its number of classes.
    #[must_use]
    pub fn only(self, class: Option<u64>) -> Self {
        Self {
            only: class.map(u64::cast_signed),
            ..self
        }
    }

    /// Pictures from noise `[n, latent_dim]`: `[n, channels, height, width]`, a byte a pixel. Of a conditional
    /// generator's the classes go round, from one call to the next, unless one is chosen.
    pub fn paint(&mut self, noise: &Tensor) -> Tensor {
        let count = noise.size()[0];
        let classes = self.next_classes(count);
        self.skip(count);
        sample(&self.generator, noise, classes.as_ref())
    }

    /// The classes, i64 `[count]`, of the next `count` pictures; `None` for a generator without classes.
    pub fn next_classes(&self, count: i64) -> Option<Tensor> {
        match self.only {
            Some(class) => Some(Tensor::full([count], class, (Kind::Int64, Device::Cpu))),
            None => round_robin(self.painted, count, self.classes),
        }
    }

    /// Counts `count` pictures as painted, so that the classes go on as if they were.
    pub fn skip(&mut self, count: i64) {
        self.painted += count;
    }
}

/// Classes of `count` pictures, from the one of number `first` on, i64: each class in its turn. `None` if there are no
/// classes.
pub fn round_robin(first: i64, count: i64, classes: i64) -> Option<Tensor> {
    (classes > 0).then(|| {
        Tensor::arange_start(first, first + count, (Kind::Int64, Device::Cpu)).remainder(classes)
    })
}

/// Normal noise from a seed of the caller's: what `torch.manual_seed(seed)` and one `torch.randn(n, latent_dim)` for
/// each draw give in Python, on every device.
#[derive(Debug)]
pub struct Noise {
    latent_dim: i64,
}

impl Noise {
    /// Seeds libtorch's generator, which the draws share with everything else: draw before anything else is drawn.
    pub fn seeded(seed: u64, latent_dim: u64) -> Self {
        tch::manual_seed(seed.cast_signed());
        Self {
            latent_dim: latent_dim.cast_signed(),
        }
    }

    /// The next `count` noises, `[count, latent_dim]`, on the CPU.
    pub fn draw(&mut self, count: i64) -> Tensor {
        Tensor::randn([count, self.latent_dim], (Kind::Float, Device::Cpu))
    }
}

/// Pictures from noise, in eval mode: -1 becomes 0 and 1 becomes 255.
pub(super) fn sample(generator: &Network, noise: &Tensor, classes: Option<&Tensor>) -> Tensor {
    no_grad(|| {
        let device = generator.device();
        let classes = classes.map(|classes| classes.to_device(device));
        let pixels = generator.evaluate(&noise.to_device(device), classes.as_ref());
        ((pixels + 1.0) * 127.5)
            .round()
            .clamp(0.0, 255.0)
            .to_kind(Kind::Uint8)
    })
}
