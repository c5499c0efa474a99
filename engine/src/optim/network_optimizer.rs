//! A network together with its optimiser.

use tch::Tensor;

use super::Adam;
use crate::nn::{Ema, Network};

/// A network and the Adam that trains it.
#[derive(Debug)]
pub struct NetworkOptimizer {
    network: Network,
    adam: Adam,
    /// Adam's step size before the schedule.
    base_learning_rate: f64,
    /// Of the latest step, in the order of the parameters; empty before the first.
    gradients: Vec<Tensor>,
}

impl NetworkOptimizer {
    /// An optimiser that has made no step.
    pub fn new(network: Network, learning_rate: f64, betas: [f64; 2]) -> Self {
        Self {
            adam: Adam::new(network.parameter_tensors(), learning_rate, betas),
            network,
            base_learning_rate: learning_rate,
            gradients: Vec::new(),
        }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Minimises a loss by one step. Gradients are taken for this network's parameters alone, even if the loss depends
    /// on another network's. An average of the network moves along; `step` is the number of this step, from 0.
    pub fn minimize(&mut self, loss: &Tensor, average: Option<&Ema>, step: u64) {
        // Freed first: the memory of the last gradients is still in the cache, and the new ones should get it.
        self.gradients.clear();
        self.gradients = Tensor::run_backward(&[loss], self.adam.parameters(), false, false);
        let Some(average) = average else {
            return self.adam.step(&self.gradients);
        };
        let (weights, rate) = (average.weights(), average.rate(step));
        self.adam.step_with_average(&self.gradients, weights, rate);
        average.update_buffers(&self.network, step);
    }

    /// Takes the gradients of the latest step from elsewhere: from a step that was recorded.
    pub fn set_gradients(&mut self, gradients: &[Tensor]) {
        self.gradients = gradients.iter().map(Tensor::shallow_clone).collect();
    }

    /// Sets the step size before the schedule.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.base_learning_rate = learning_rate;
    }

    /// Sets the step size of the next step to `factor` times the one before the schedule.
    pub fn schedule(&mut self, factor: f64) {
        self.adam
            .set_learning_rate(self.base_learning_rate * factor);
    }

    /// L2 norm of all gradients of the latest step, a scalar on the device; `None` before the first.
    pub fn gradient_norm(&self) -> Option<Tensor> {
        let norms: Vec<_> = self.gradients.iter().map(Tensor::norm).collect();
        (!norms.is_empty()).then(|| Tensor::stack(&norms, 0).norm())
    }

    /// Gradients of the latest step, by the names of the parameters.
    pub fn gradients(&self) -> impl Iterator<Item = (String, &Tensor)> {
        let parameters = self.network.parameters().into_iter();
        parameters.map(|(name, _)| name).zip(&self.gradients)
    }

    /// A scalar on the device: 1 if a gradient was not finite since the last [`NetworkOptimizer::clear_fault`], else 0.
    pub fn fault(&self) -> &Tensor {
        self.adam.fault()
    }

    /// Forgets past faults.
    pub fn clear_fault(&mut self) {
        self.adam.clear_fault();
    }

    /// Parameters, each with its moments, then buffers and the number of steps. The tensors share memory with this.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let mut tensors = Vec::new();
        for ((name, tensor), moments) in self.network.parameters().iter().zip(self.adam.moments()) {
            tensors.push((name.clone(), tensor.detach()));
            for (kind, moment) in moments {
                tensors.push((format!("optimizer.{name}.{kind}"), moment.shallow_clone()));
            }
        }
        for (name, tensor) in self.network.buffers() {
            tensors.push((name, tensor.shallow_clone()));
        }
        let steps = self.adam.steps().shallow_clone();
        tensors.push((format!("optimizer.{}.step", self.network.name()), steps));
        tensors
    }
}
