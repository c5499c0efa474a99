//! Pictures from a generator, without a game.

use sparring_contract::config::Config;
use tch::{Device, Kind, Tensor, no_grad};

use super::Network;
use super::snapshot::{Snapshot, SnapshotError};

/// A generator that has learnt.
#[derive(Debug)]
pub struct Painter {
    generator: Network,
}

impl Painter {
    /// The generator of a snapshot; `shape` is that of a picture, `[channels, height, width]`.
    pub fn new(
        config: &Config,
        shape: [i64; 3],
        snapshot: &Snapshot,
        device: Device,
    ) -> Result<Self, SnapshotError> {
        let generator = Network::generator(
            &config.generator,
            config.latent_dim,
            shape,
            device,
            config.seed,
        );
        let (parameters, buffers) = (generator.parameters(), generator.buffers());
        for (name, tensor) in parameters.into_iter().chain(buffers) {
            let learnt = snapshot.fitting(&name, &tensor.size())?;
            no_grad(|| tensor.shallow_clone().copy_(learnt));
        }
        Ok(Self { generator })
    }

    /// Pictures from noise `[n, latent_dim]`: `[n, channels, height, width]`, a byte a pixel.
    pub fn paint(&self, noise: &Tensor) -> Tensor {
        sample(&self.generator, noise)
    }
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
pub(super) fn sample(generator: &Network, noise: &Tensor) -> Tensor {
    no_grad(|| {
        let pixels = generator.evaluate(&noise.to_device(generator.device()));
        ((pixels + 1.0) * 127.5)
            .round()
            .clamp(0.0, 255.0)
            .to_kind(Kind::Uint8)
    })
}
