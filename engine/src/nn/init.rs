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

/// A trainable tensor, normal with a standard deviation of `gain`/√`fan_in`: with an activation's gain, outputs have the
/// variance of the inputs (He et al. 2015, equation 10).
pub(super) fn he_normal(shape: &[i64], fan_in: i64, gain: f64, device: Device) -> Tensor {
    // Drawn on the CPU, so that a seed gives the same weights on every device.
    let normal = Tensor::randn(shape, (Kind::Float, Device::Cpu));
    (normal * (gain / (fan_in as f64).sqrt()))
        .to_device(device)
        .set_requires_grad(true)
}

/// A trainable tensor of zeros.
pub(super) fn zeros(shape: &[i64], device: Device) -> Tensor {
    Tensor::zeros(shape, (Kind::Float, device)).set_requires_grad(true)
}
