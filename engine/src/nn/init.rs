//! Initial weights.

use tch::{Device, Kind, Tensor};

/// A trainable tensor, uniform in ±1/√`fan_in`: the default of PyTorch's linear and convolution layers.
pub(super) fn uniform(shape: &[i64], fan_in: i64, device: Device) -> Tensor {
    let bound = (fan_in as f64).sqrt().recip();
    // Drawn on the CPU, so that a seed gives the same weights on every device.
    Tensor::empty(shape, (Kind::Float, Device::Cpu))
        .uniform_(-bound, bound)
        .to_device(device)
        .set_requires_grad(true)
}
