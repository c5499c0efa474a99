//! Adam (Kingma and Ba 2015), with a state that can be saved.

use tch::{Kind, Tensor};

use crate::native::{AdamStep, adam};

/// As in PyTorch: added to the root of the second moment, so that nothing is divided by zero.
const EPSILON: f64 = 1e-8;

/// The optimiser of one network.
#[derive(Debug)]
pub struct Adam {
    /// Step size; may change between steps.
    pub learning_rate: f64,
    betas: [f64; 2],
    parameters: Vec<Tensor>,
    /// Decaying means of the gradients, and of their squares.
    exp_avgs: Vec<Tensor>,
    exp_avg_sqs: Vec<Tensor>,
    /// Steps made: a scalar f32 on the device, as libtorch's kernel wants it.
    step: Tensor,
}

impl Adam {
    /// An optimiser of these parameters that has made no step.
    pub fn new(parameters: Vec<Tensor>, learning_rate: f64, betas: [f64; 2]) -> Self {
        let zeros = || {
            parameters
                .iter()
                .map(|tensor| tensor.zeros_like().set_requires_grad(false))
                .collect()
        };
        let (exp_avgs, exp_avg_sqs) = (zeros(), zeros());
        let device = parameters.first().map_or(tch::Device::Cpu, Tensor::device);
        let step = Tensor::zeros([] as [i64; 0], (Kind::Float, device));
        Self {
            learning_rate,
            betas,
            parameters,
            exp_avgs,
            exp_avg_sqs,
            step,
        }
    }

    /// Moves every parameter against its gradient.
    pub fn step(&mut self, gradients: &[Tensor]) {
        let _ = self.step.g_add_scalar_(1.0);
        let numbers = AdamStep {
            learning_rate: self.learning_rate,
            betas: self.betas,
            epsilon: EPSILON,
        };
        adam(
            &self.parameters,
            gradients,
            &self.exp_avgs,
            &self.exp_avg_sqs,
            &self.step,
            numbers,
        );
    }

    /// The parameters that it moves.
    pub fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// The state by PyTorch's names, for each parameter in order and once for the steps: what a saved run must hold.
    pub(super) fn state(&self) -> impl Iterator<Item = ([&'static str; 2], [&Tensor; 2])> {
        self.exp_avgs
            .iter()
            .zip(&self.exp_avg_sqs)
            .map(|(mean, square)| (["exp_avg", "exp_avg_sq"], [mean, square]))
    }

    /// Steps made, a scalar f32.
    pub(super) fn steps(&self) -> &Tensor {
        &self.step
    }
}
