//! Adam (Kingma and Ba 2015), with a state that can be saved.

use tch::{Kind, Tensor};

use crate::native::{AdamStep, AdamTensors, adam};

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
    /// A scalar f32 on the device: 1 once a gradient was not finite.
    fault: Tensor,
}

/// What follows the parameters: tensors in their order, and how far they move with each step, 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Following<'a> {
    pub(super) averages: &'a [Tensor],
    pub(super) weight: f64,
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
        let scalar = || Tensor::zeros([] as [i64; 0], (Kind::Float, device));
        Self {
            learning_rate,
            betas,
            parameters,
            exp_avgs,
            exp_avg_sqs,
            step: scalar(),
            fault: scalar(),
        }
    }

    /// Moves every parameter against its gradient, unless that is not finite.
    pub fn step(&mut self, gradients: &[Tensor]) {
        let nothing = Following {
            averages: &[],
            weight: 0.0,
        };
        self.step_followed(gradients, nothing);
    }

    /// [`Adam::step`], and lets averages follow the parameters in the same pass.
    pub(super) fn step_followed(&mut self, gradients: &[Tensor], following: Following<'_>) {
        let _ = self.step.g_add_scalar_(1.0);
        let numbers = AdamStep {
            learning_rate: self.learning_rate,
            betas: self.betas,
            epsilon: EPSILON,
            average_weight: following.weight,
        };
        let tensors = AdamTensors {
            parameters: &self.parameters,
            exp_avgs: &self.exp_avgs,
            exp_avg_sqs: &self.exp_avg_sqs,
            averages: following.averages,
            step: &self.step,
            fault: &self.fault,
        };
        adam(tensors, gradients, numbers);
    }

    /// Whether a gradient was not finite since the last [`Adam::forgive`]. Waits for the device.
    pub(super) fn is_at_fault(&self) -> bool {
        self.fault.double_value(&[]) != 0.0
    }

    /// Begins anew to look for gradients that are not finite.
    pub(super) fn forgive(&mut self) {
        let _ = self.fault.zero_();
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
