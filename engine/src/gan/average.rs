//! The moving average of the generator, which draws better pictures than the generator itself.

use sparring_contract::config::Config;
use tch::{Device, Tensor, no_grad};

use super::Network;
use super::adam::Following;

/// What the names of an average's tensors begin with.
pub(super) const EMA: &str = "ema.";

/// An exponential moving average of a generator's weights, and of what its batch norms have seen (Yazıcı et al. 2019,
/// «The Unusual Effectiveness of Averaging in GAN Training»).
#[derive(Debug)]
pub(super) struct Average {
    pub(super) network: Network,
    /// The weights, in order.
    leaves: Vec<Tensor>,
    decay: f64,
}

impl Average {
    /// The average of a generator that has learnt nothing; `None` if the configuration wants none.
    pub(super) fn of(config: &Config, shape: [i64; 3], device: Device) -> Option<Self> {
        (config.ema_decay > 0.0).then(|| {
            // Of the same seed, and so with the same weights.
            let network = Network::generator(config, shape, device);
            let leaves = network.leaves();
            let leaves = leaves.iter().map(Tensor::detach).collect();
            Self {
                network,
                leaves,
                decay: config.ema_decay,
            }
        })
    }

    /// The weights that follow, and how far in a step (counted from 0). It starts quicker, so that it does not drag the
    /// initial weights along.
    pub(super) fn following(&self, step: u64) -> Following<'_> {
        let step = step as f64;
        Following {
            averages: &self.leaves,
            weight: 1.0 - self.decay.min((1.0 + step) / (10.0 + step)),
        }
    }

    /// Lets what batch norms have seen follow.
    pub(super) fn follow_buffers(&self, generator: &Network, step: u64) {
        let weight = self.following(step).weight;
        no_grad(|| {
            for ((_, own), (_, other)) in self.network.buffers().iter().zip(generator.buffers()) {
                let _ = own.shallow_clone().lerp_(other, weight);
            }
        });
    }

    /// Weights and statistics, each by the name of the generator's own after [`EMA`].
    pub(super) fn named(&self) -> Vec<(String, Tensor)> {
        let (parameters, buffers) = (self.network.parameters(), self.network.buffers());
        parameters
            .into_iter()
            .chain(buffers)
            .map(|(name, tensor)| (format!("{EMA}{name}"), tensor.detach()))
            .collect()
    }
}
