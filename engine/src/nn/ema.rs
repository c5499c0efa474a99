//! An exponential moving average of a network, which for a generator draws better pictures than the network itself.

use tch::Tensor;

use super::module::NamedTensors;
use super::network::Network;
use crate::native::move_towards;

/// Precedes the names of an average's tensors in a state dict.
pub const EMA_PREFIX: &str = "ema.";

/// An exponential moving average of a network's weights and of the running statistics of its batch norms (Yazıcı et al.
/// 2019, «The Unusual Effectiveness of Averaging in GAN Training»).
#[derive(Debug)]
pub struct Ema {
    network: Network,
    /// The averaged weights, in the order of the network's parameters.
    weights: Vec<Tensor>,
    decay: f64,
}

impl Ema {
    /// An average that starts from a network of its own, with a decay in [0, 1).
    pub fn new(network: Network, decay: f64) -> Self {
        let parameters = network.parameter_tensors();
        let weights = parameters.iter().map(Tensor::detach).collect();
        Self {
            network,
            weights,
            decay,
        }
    }

    /// The averaged network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The averaged weights, in the order of the network's parameters.
    pub fn weights(&self) -> &[Tensor] {
        &self.weights
    }

    /// How far the average moves towards the weights in a step (counted from 0), 0 to 1: further at first, so that the
    /// initial weights are soon forgotten.
    pub fn rate(&self, step: u64) -> f64 {
        let step = step as f64;
        1.0 - self.decay.min((1.0 + step) / (10.0 + step))
    }

    /// Moves the averaged running statistics towards those of `network`.
    pub fn update_buffers(&self, network: &Network, step: u64) {
        move_towards(
            &self.network.buffer_tensors(),
            &network.buffer_tensors(),
            self.rate(step),
        );
    }

    /// Moves weights and running statistics towards those of `network`.
    pub fn follow(&self, network: &Network, step: u64) {
        move_towards(
            &self.network.state_tensors(),
            &network.state_tensors(),
            self.rate(step),
        );
    }

    /// All its tensors: the names of the network's own after [`EMA_PREFIX`].
    pub fn named_tensors(&self) -> Vec<(String, Tensor)> {
        let named: NamedTensors<'_> = [self.network.parameters(), self.network.buffers()].concat();
        let named = named.into_iter();
        named
            .map(|(name, tensor)| (format!("{EMA_PREFIX}{name}"), tensor.detach()))
            .collect()
    }
}
