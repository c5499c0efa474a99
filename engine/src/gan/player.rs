//! One side of the game.

use sparring_contract::config;
use tch::Tensor;

use super::adam::Following;
use super::{Adam, Network};

/// A network and what makes it learn.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) network: Network,
    pub(super) optimizer: Adam,
    /// Adam's step size before the schedule.
    pub(super) learning_rate: f64,
    /// Of the latest step, in the order of the parameters; empty before the first.
    gradients: Vec<Tensor>,
}

impl Player {
    pub(super) fn new(network: Network, plan: &config::Network) -> Self {
        let optimizer = Adam::new(network.leaves(), plan.learning_rate, plan.betas);
        Self {
            network,
            optimizer,
            learning_rate: plan.learning_rate,
            gradients: Vec::new(),
        }
    }

    /// Takes the gradients of a loss for this player's parameters, and for nothing else on the way there, and lets
    /// the optimiser apply them; an average may follow.
    pub(super) fn learn(&mut self, loss: &Tensor, following: Option<Following<'_>>) {
        // The memory of the last gradients is still in the cache: let the next ones have it.
        self.gradients.clear();
        self.gradients = Tensor::run_backward(&[loss], self.optimizer.parameters(), false, false);
        match following {
            Some(following) => self.optimizer.step_followed(&self.gradients, following),
            None => self.optimizer.step(&self.gradients),
        }
    }

    pub(super) fn gradient_norm(&self) -> f64 {
        if self.gradients.is_empty() {
            return f64::NAN;
        }
        let norms: Vec<_> = self.gradients.iter().map(Tensor::norm).collect();
        Tensor::stack(&norms, 0).norm().double_value(&[])
    }

    pub(super) fn named_gradients(&self) -> impl Iterator<Item = (String, &Tensor)> {
        self.network
            .parameters()
            .into_iter()
            .map(|(name, _)| name)
            .zip(&self.gradients)
    }

    pub(super) fn save(&self, tensors: &mut Vec<(String, Tensor)>) {
        let parameters = self.network.parameters();
        for ((name, tensor), (kinds, moments)) in parameters.iter().zip(self.optimizer.state()) {
            tensors.push((name.clone(), tensor.detach()));
            for (kind, moment) in kinds.iter().zip(moments) {
                tensors.push((format!("optimizer.{name}.{kind}"), moment.shallow_clone()));
            }
        }
        for (name, tensor) in self.network.buffers() {
            tensors.push((name, tensor.shallow_clone()));
        }
        let steps = self.optimizer.steps().shallow_clone();
        tensors.push((format!("optimizer.{}.step", self.network.name()), steps));
    }
}
