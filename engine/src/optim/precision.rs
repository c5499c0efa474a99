//! The precision of a forward pass.

use sparring_contract::config::{self, Config};
use tch::Device;

use crate::native::autocast;

/// How forward passes are made.
#[derive(Clone, Copy, Debug)]
pub struct Precision {
    bfloat16: bool,
}

impl Precision {
    /// What a configuration asks of a device. TF32 is a setting of the whole process, which
    /// [`crate::native::prepare_cuda`] makes.
    pub fn new(config: &Config, device: Device) -> Self {
        Self {
            bfloat16: config.precision == config::Precision::Bfloat16 && device.is_cuda(),
        }
    }

    /// Makes a forward pass. The gradients of the weights are f32 in any case.
    pub fn run<T>(self, forward: impl FnOnce() -> T) -> T {
        if self.bfloat16 {
            autocast(forward)
        } else {
            forward()
        }
    }
}
