//! The precision of a forward pass.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use sparring_contract::config::{self, Config};
use tch::Device;

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

    /// Makes a forward pass. With bfloat16, libtorch casts the inputs of products and convolutions, and a loss back to
    /// f32; the gradients of the weights are f32 in any case.
    pub fn run<T>(self, forward: impl FnOnce() -> T) -> T {
        if !self.bfloat16 {
            return forward();
        }
        // tch does not turn autocast off again if the pass panics.
        let passed = tch::autocast(true, || catch_unwind(AssertUnwindSafe(forward)));
        passed.unwrap_or_else(|panic| resume_unwind(panic))
    }
}
