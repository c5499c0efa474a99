//! Shared by the tests of the native operations: inputs, and when two results are equal.

use sparring_engine::native::Activation;
use tch::{Device, Kind, Tensor};

pub fn assert_near(case: &str, found: &Tensor, expected: &Tensor) {
    assert_eq!(found.size(), expected.size(), "{case}");
    let distance =
        (found - expected).norm().double_value(&[]) / expected.norm().double_value(&[]).max(1e-12);
    assert!(
        distance < 1e-5,
        "{case} is off by {distance:e} in relative L2 norm"
    );
}

pub fn activated(z: &Tensor, activation: Activation) -> Tensor {
    match activation {
        Activation::Identity => z.shallow_clone(),
        Activation::Relu => z.relu(),
        Activation::LeakyRelu { slope } => z.maximum(&(z * slope)),
        Activation::Tanh => z.tanh(),
    }
}

/// Multiples of `step` from -4 to 4 steps. Sums of their products are exact in any order, so two implementations agree
/// on which side of an activation's kink every unit is.
pub fn grid(shape: &[i64], step: f64) -> Tensor {
    (Tensor::randint_low(-4, 5, shape, (Kind::Float, Device::Cpu)) * step).set_requires_grad(true)
}

/// The power of two that makes the outputs of a layer with this many inputs about 1.
pub fn fitting(inputs: i64) -> f64 {
    (-(inputs as f64).log2() / 2.0 - 2.0).floor().exp2()
}
