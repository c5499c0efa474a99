//! Convolutions and batch norms of the team of threads against the same made of libtorch's own operations.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)] // a test may fail loudly
use sparring_engine::native::{Activation, Norm, Steps, batch_norm, conv, prepare};
use tch::{Device, Kind, Tensor};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);
const ACTIVATIONS: [Activation; 4] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.2 },
    Activation::Tanh,
];

fn leaf(shape: &[i64]) -> Tensor {
    Tensor::randn(shape, FLOAT).set_requires_grad(true)
}

/// Compares outputs, gradients for the leaves, and the gradient of a penalty on the gradient at the first of them.
fn assert_same(case: &str, leaves: &[&Tensor], found: &Tensor, expected: &Tensor) {
    assert_near(case, found, expected);
    let direction = Tensor::randn(expected.size(), FLOAT);
    let gradients = |y: &Tensor| {
        Tensor::run_backward(&[(y * &direction).sum(Kind::Float)], leaves, true, false)
    };
    for (found, expected) in gradients(found).iter().zip(&gradients(expected)) {
        assert_near(case, found, expected);
    }
    let penalty = |y: &Tensor| {
        let of = (y * &direction).sum(Kind::Float);
        let gradient = Tensor::run_backward(&[of], &leaves[..1], true, true).remove(0);
        let square = gradient.square().sum(Kind::Float);
        Tensor::run_backward(&[square], &leaves[1..2], true, false).remove(0)
    };
    assert_near(case, &penalty(found), &penalty(expected));
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

fn activated(z: &Tensor, activation: Activation) -> Tensor {
    match activation {
        Activation::Identity => z.shallow_clone(),
        Activation::Relu => z.relu(),
        Activation::LeakyRelu { slope } => z.maximum(&(z * slope)),
        Activation::Tanh => z.tanh(),
    }
}

/// One test, since a process has one team, and that one leader.
#[test]
fn the_layers_of_a_team_are_those_of_libtorch() {
    // More threads than pictures in the first case.
    prepare(5);
    convolutions_and_their_gradients();
    batch_norms_and_their_gradients();
}

fn convolutions_and_their_gradients() {
    for [n, inputs, outputs, height, width] in
        [[2, 1, 3, 4, 6], [9, 5, 7, 8, 8], [70, 32, 64, 14, 14]]
    {
        for (stride, transposed) in [(2, false), (2, true), (1, false), (1, true)] {
            for activation in ACTIVATIONS {
                let case = format!(
                    "{activation:?} of {n} pictures of {height} by {width}, {inputs} to {outputs} channels, stride {stride}, transposed: {transposed}"
                );
                let x = leaf(&[n, inputs, height, width]);
                let [rows, columns] = if transposed {
                    [inputs, outputs]
                } else {
                    [outputs, inputs]
                };
                // Of the size that weights have, since what a tanh does near its ends is lost in rounding.
                let size = (inputs as f64 * 16.0).sqrt().recip();
                let weight = (leaf(&[rows, columns, 4, 4]) * size)
                    .detach()
                    .set_requires_grad(true);
                let bias = leaf(&[outputs]);
                let steps = Steps {
                    stride,
                    padding: 1,
                    transposed,
                };
                let found = conv(&x, &weight, &bias, steps, activation);
                let (strides, ones) = ([stride, stride], [1, 1]);
                let z = if transposed {
                    x.conv_transpose2d(&weight, Some(&bias), strides, ones, [0, 0], 1, ones)
                } else {
                    x.conv2d(&weight, Some(&bias), strides, ones, ones, 1)
                };
                let expected = activated(&z, activation);
                assert_same(&case, &[&x, &weight, &bias], &found, &expected);
            }
        }
    }
}

fn batch_norms_and_their_gradients() {
    for shape in [
        vec![3, 5],
        vec![700, 33],
        vec![2, 3, 4, 4],
        vec![64, 32, 14, 14],
    ] {
        for activation in ACTIVATIONS {
            let case = format!("{activation:?} of {shape:?}");
            let channels = shape[1];
            let x = leaf(&shape);
            let norm = || Norm {
                weight: Tensor::ones([channels], FLOAT),
                bias: Tensor::zeros([channels], FLOAT),
                running_mean: Tensor::zeros([channels], FLOAT),
                running_var: Tensor::ones([channels], FLOAT),
            };
            let (mut ours, mut theirs) = (norm(), norm());
            let (weight, bias) = (leaf(&[channels]), leaf(&[channels]));
            for norm in [&mut ours, &mut theirs] {
                norm.weight = weight.shallow_clone();
                norm.bias = bias.shallow_clone();
            }
            // Far from zero, as the sums of a layer may be.
            let far = &x * 2.0 + 5.0;
            let composed = |norm: &Norm, training: bool| {
                let z = far.batch_norm(
                    Some(&norm.weight),
                    Some(&norm.bias),
                    Some(&norm.running_mean),
                    Some(&norm.running_var),
                    training,
                    0.1,
                    1e-5,
                    false,
                );
                activated(&z, activation)
            };
            let found = batch_norm(&far, &ours, true, activation);
            let expected = composed(&theirs, true);
            assert_same(&case, &[&x, &weight, &bias], &found, &expected);
            assert_near(&case, &ours.running_mean, &theirs.running_mean);
            assert_near(&case, &ours.running_var, &theirs.running_var);
            let found = batch_norm(&far, &ours, false, activation);
            assert_near(&case, &found, &composed(&theirs, false));
        }
    }
}
