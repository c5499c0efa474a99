//! The dense layer and its team of threads against the same made of libtorch's own operations.

#![allow(clippy::unwrap_used)] // a test may fail loudly
use sparring_engine::native::{Activation, dense, prepare};
use tch::{Device, Kind, Tensor};

/// More threads than most machines that test have cores: pieces must come out right even when a thread is held up.
const THREADS: u32 = 5;
const ACTIVATIONS: [Activation; 4] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.2 },
    Activation::Tanh,
];

#[test]
fn a_dense_layer_and_its_gradients_are_those_of_libtorch() {
    prepare(THREADS);
    // Narrower than a piece, not a whole number of blocks, and wide enough for every thread.
    for [n, inputs, outputs] in [[3, 5, 1], [2, 100, 65], [64, 784, 512], [600, 130, 1030]] {
        for activation in ACTIVATIONS {
            let case = format!("{activation:?} of {n} by {inputs} to {outputs}");
            let random = |shape: [i64; 2]| {
                Tensor::randn(shape, (Kind::Float, Device::Cpu)).set_requires_grad(true)
            };
            // Of the size that weights have, since what a tanh does near its ends is lost in rounding.
            let size = (inputs as f64).sqrt().recip();
            let weight = (random([outputs, inputs]) * size)
                .detach()
                .set_requires_grad(true);
            let x = random([n, inputs]);
            let bias = Tensor::randn([outputs], (Kind::Float, Device::Cpu)).set_requires_grad(true);
            let leaves = [&x, &weight, &bias];

            let found = dense(&x, &weight, &bias, activation);
            let expected = composed(&x, &weight, &bias, activation);
            assert_near(&case, &found, &expected);
            let direction = random([n, outputs]).detach();
            let gradients = |y: &Tensor| {
                Tensor::run_backward(&[(y * &direction).sum(Kind::Float)], &leaves, true, false)
            };
            for (found, expected) in gradients(&found).iter().zip(&gradients(&expected)) {
                assert_near(&case, found, expected);
            }
            // A penalty on the gradient at the input, as regularisers of discriminators have it.
            let penalty = |y: &Tensor| {
                let of = (y * &direction).sum(Kind::Float);
                let gradient = Tensor::run_backward(&[of], &[&x], true, true).remove(0);
                let square = gradient.square().sum(Kind::Float);
                Tensor::run_backward(&[square], &[&weight], false, false).remove(0)
            };
            assert_near(&case, &penalty(&found), &penalty(&expected));
        }
    }
}

fn composed(x: &Tensor, weight: &Tensor, bias: &Tensor, activation: Activation) -> Tensor {
    let z = x.linear(weight, Some(bias));
    match activation {
        Activation::Identity => z,
        Activation::Relu => z.relu(),
        Activation::LeakyRelu { slope } => z.maximum(&(&z * slope)),
        Activation::Tanh => z.tanh(),
    }
}

fn assert_near(case: &str, found: &Tensor, expected: &Tensor) {
    assert_eq!(found.size(), expected.size(), "{case}");
    let distance =
        (found - expected).norm().double_value(&[]) / expected.norm().double_value(&[]).max(1e-12);
    assert!(
        distance < 1e-5,
        "{case} is off by {distance:e} in relative L2 norm"
    );
}
