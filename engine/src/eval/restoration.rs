//! Pictures that were made from conditions, compared with the true ones and with what plain methods make.

use sparring_contract::protocol::Fidelity;
use tch::{Device, Tensor};

use super::fidelity::fidelity;
use super::judge::Judge;
use super::plain::{PlainMethod, Training};
use crate::data::{Dataset, Degradation, to_bytes};
use crate::native::no_grad;

/// Held-out pictures from which conditions are made for references.
const REFERENCE: i64 = 1000;

/// Seeds what is drawn for the conditions of references.
const REFERENCE_SEED: i64 = 1;

/// Held-out pictures, what is left of them, and what plain methods make of that.
pub struct Restoration {
    degradation: Degradation,
    training: Training,
    /// `[n, …, h, w]` in [-1, 1].
    conditions: Tensor,
    /// `[n, channels, h, w]`, u8, on the CPU.
    truth: Tensor,
}

impl Restoration {
    /// The first `count` held-out pictures of a data set, or training pictures if none are held out, with masks from a seed.
    pub fn new(degradation: Degradation, data: &Dataset, count: i64, seed: i64) -> Self {
        no_grad(|| {
            let held_out = data.test().unwrap_or(data);
            let count = count.min(held_out.len() as i64);
            tch::manual_seed(seed);
            let batch = held_out.first(count);
            Self {
                degradation,
                training: Training::new(degradation, data),
                conditions: degradation.apply(&batch),
                truth: held_out.images().narrow(0, 0, count).to_device(Device::Cpu),
            }
        })
    }

    /// What pictures are to be made from, `[n, …, h, w]` in [-1, 1].
    pub fn conditions(&self) -> &Tensor {
        &self.conditions
    }

    /// The true pictures, `[n, channels, h, w]`, u8, on the CPU.
    pub fn truth(&self) -> &Tensor {
        &self.truth
    }

    /// What a plain method makes of the conditions, `[n, channels, h, w]`, u8, on the CPU.
    pub fn plain(&self, method: PlainMethod) -> Tensor {
        no_grad(|| to_bytes(&method.apply(&self.conditions, &self.training)))
    }

    /// The mean absolute difference, 0 to 1, of pictures that were made of the conditions; of the missing pixels, if some are.
    pub fn difference(&self, pictures: &Tensor, others: &Tensor) -> f64 {
        no_grad(|| fidelity(pictures, others, self.missing().as_ref()).l1)
    }

    fn missing(&self) -> Option<Tensor> {
        let channels = self.truth.size()[1];
        let missing = self.degradation.missing(&self.conditions, channels);
        missing.map(|missing| missing.to_device(Device::Cpu))
    }

    /// How near pictures that were made of the conditions are to the true ones; `[n, channels, h, w]`, u8, on the CPU.
    pub fn fidelity(&self, pictures: &Tensor) -> Fidelity {
        no_grad(|| fidelity(pictures, &self.truth, self.missing().as_ref()))
    }
}

/// What the plain methods for a task reach on 1,000 held-out pictures; a second or two.
pub fn references(
    degradation: Degradation,
    data: &Dataset,
    judge: Option<&Judge>,
) -> Vec<(PlainMethod, Fidelity)> {
    let restoration = Restoration::new(degradation, data, REFERENCE, REFERENCE_SEED);
    PlainMethod::of(degradation)
        .into_iter()
        .map(|method| {
            let pictures = restoration.plain(method);
            let figures = Fidelity {
                label_kept: judge.map(|judge| judge.agreement(&pictures, restoration.truth())),
                ..restoration.fidelity(&pictures)
            };
            (method, figures)
        })
        .collect()
}
