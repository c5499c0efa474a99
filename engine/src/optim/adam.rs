//! Adam (Kingma and Ba 2015), with a state that can be saved.

use tch::{Kind, Tensor};

use crate::native::{AdamStep, AdamTensors, adam};

/// PyTorch's default: added to the root of the second moment, to keep the division finite.
const EPSILON: f64 = 1e-8;

/// The optimiser of one network.
#[derive(Debug)]
pub struct Adam {
    /// Step size.
    learning_rate: f64,
    /// The same, a scalar f32 on the device: a recorded step reads it anew each time.
    learning_rate_on_device: Tensor,
    betas: [f64; 2],
    parameters: Vec<Tensor>,
    /// Decaying means of the gradients, and of their squares.
    exp_avgs: Vec<Tensor>,
    exp_avg_sqs: Vec<Tensor>,
    /// Steps made: a scalar f32 on the device, as libtorch's kernel wants it.
    step: Tensor,
    /// A scalar f32 on the device: 1 once a gradient was not finite.
    fault: Tensor,
    /// What gradients are multiplied by as they are checked: 1, a scalar f32 on the device.
    scale: Tensor,
}

impl Adam {
    /// An optimiser that has made no step.
    pub fn new(parameters: Vec<Tensor>, learning_rate: f64, betas: [f64; 2]) -> Self {
        let zeros = || {
            parameters
                .iter()
                .map(|tensor| tensor.zeros_like().set_requires_grad(false))
                .collect()
        };
        let (exp_avgs, exp_avg_sqs) = (zeros(), zeros());
        let device = parameters.first().map_or(tch::Device::Cpu, Tensor::device);
        let scalar = |value: f64| Tensor::full([] as [i64; 0], value, (Kind::Float, device));
        Self {
            learning_rate,
            learning_rate_on_device: scalar(learning_rate),
            betas,
            parameters,
            exp_avgs,
            exp_avg_sqs,
            step: scalar(0.0),
            fault: scalar(0.0),
            scale: scalar(1.0),
        }
    }

    /// Changes the step size of the steps to come.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        if learning_rate != self.learning_rate {
            self.learning_rate = learning_rate;
            // Our own kernel takes the number.
            if self.step.device().is_cuda() {
                let _ = self.learning_rate_on_device.fill_(learning_rate);
            }
        }
    }

    /// Updates every parameter whose gradient is finite. `gradients` are in the order of the parameters.
    pub fn step(&mut self, gradients: &[Tensor]) {
        self.step_with_average(gradients, &[], 0.0);
    }

    /// [`Adam::step`] that moves `averages` towards the parameters in the same pass over memory, by a share `rate` of
    /// the distance, 0 to 1.
    pub fn step_with_average(&mut self, gradients: &[Tensor], averages: &[Tensor], rate: f64) {
        let _ = self.step.g_add_scalar_(1.0);
        let numbers = AdamStep {
            learning_rate: self.learning_rate,
            betas: self.betas,
            epsilon: EPSILON,
            average_rate: rate,
        };
        let tensors = AdamTensors {
            parameters: &self.parameters,
            exp_avgs: &self.exp_avgs,
            exp_avg_sqs: &self.exp_avg_sqs,
            averages,
            step: &self.step,
            fault: &self.fault,
            learning_rate: &self.learning_rate_on_device,
            scale: &self.scale,
        };
        adam(tensors, gradients, numbers);
    }

    /// A scalar f32 on the device: 1 if a gradient was not finite since the last [`Adam::clear_fault`], else 0.
    pub fn fault(&self) -> &Tensor {
        &self.fault
    }

    /// Forgets past faults.
    pub fn clear_fault(&mut self) {
        let _ = self.fault.zero_();
    }

    /// The parameters that it updates.
    pub fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// Both moments of each parameter in order, with PyTorch's names.
    pub fn moments(&self) -> impl Iterator<Item = [(&'static str, &Tensor); 2]> {
        self.exp_avgs
            .iter()
            .zip(&self.exp_avg_sqs)
            .map(|(mean, square)| [("exp_avg", mean), ("exp_avg_sq", square)])
    }

    /// Steps made, a scalar f32.
    pub fn steps(&self) -> &Tensor {
        &self.step
    }
}
