//! What a step multiplies in.

use sparring_contract::config::{self, Config};
use tch::Device;

/// How the forward passes of a step are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Precision {
    reduced: bool,
}

impl Precision {
    /// What a configuration asks of a device. [`crate::native::prepare_cuda`] sees to TF32, which is one setting for the
    /// whole process.
    pub(super) fn of(config: &Config, device: Device) -> Self {
        Self {
            reduced: config.precision == config::Precision::Bfloat16 && device.is_cuda(),
        }
    }

    /// Makes a forward pass. With bfloat16 libtorch casts what goes into its products, and a loss back to f32; the
    /// gradients of the weights are f32 in any case.
    pub(super) fn pass<T>(self, forward: impl FnOnce() -> T) -> T {
        if self.reduced {
            tch::autocast(true, forward)
        } else {
            forward()
        }
    }
}
