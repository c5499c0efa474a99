//! The precision of a step.

use sparring_contract::config::{self, Config};
use tch::Device;

use crate::native::{autocast, rounded};

/// How steps are made.
#[derive(Clone, Copy, Debug)]
pub struct Precision {
    bfloat16: Option<Device>,
}

impl Precision {
    /// What a configuration asks of a device. TF32 is a setting of the whole process, which
    /// [`crate::native::prepare_cuda`] makes.
    pub fn new(config: &Config, device: Device) -> Self {
        let is_bfloat16 = config.precision == config::Precision::Bfloat16;
        Self {
            bfloat16: is_bfloat16.then_some(device),
        }
    }

    /// Makes a step. On a CPU all products in it, also those of gradients, are as precise as the configuration says.
    pub fn step<T>(self, step: impl FnOnce() -> T) -> T {
        match self.bfloat16 {
            Some(Device::Cpu) => rounded(step),
            _ => step(),
        }
    }

    /// Makes a forward pass. The gradients of the weights are f32 in any case.
    pub fn forward<T>(self, forward: impl FnOnce() -> T) -> T {
        match self.bfloat16 {
            Some(Device::Cuda(_)) => autocast(forward),
            _ => forward(),
        }
    }
}
