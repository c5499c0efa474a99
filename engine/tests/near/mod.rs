//! What the tests of the native operations share: numbers to try them on, and when two results are the same.

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

/// Multiples of `step` from -4 to 4 steps: sums of their products are exact in any order, so that no unit is on one side
/// of an activation's bend here and on the other there.
pub fn grid(shape: &[i64], step: f64) -> Tensor {
    (Tensor::randint_low(-4, 5, shape, (Kind::Float, Device::Cpu)) * step).set_requires_grad(true)
}

/// The power of two with which weights for so many inputs give outputs of about 1.
pub fn fitting(inputs: i64) -> f64 {
    (-(inputs as f64).log2() / 2.0 - 2.0).floor().exp2()
}
