//! Our convolutions and batch norms against libtorch's operations.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)] // a test may fail loudly
mod near;

use near::{activated, assert_near, fitting, grid};
use sparring_engine::native::{Activation, BatchNormState, ConvOptions, batch_norm, conv, prepare};
use tch::{Device, Kind, Tensor};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);
const ACTIVATIONS: [Activation; 4] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.2 },
    Activation::Tanh,
];

/// Compares outputs, gradients for the leaves, and the gradient of a gradient penalty at the first leaf.
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

/// One test, because a process has one team with one leader.
#[test]
fn convolutions_and_batch_norms_match_libtorch() {
    // More threads than pictures in the first case.
    prepare(5);
    tch::manual_seed(0);
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
                let x = grid(&[n, inputs, height, width], 0.25);
                let [rows, columns] = if transposed {
                    [inputs, outputs]
                } else {
                    [outputs, inputs]
                };
                let step = fitting(inputs * 16);
                let weight = grid(&[rows, columns, 4, 4], step);
                let bias = (grid(&[outputs], step).detach() + step / 8.0).set_requires_grad(true);
                let options = ConvOptions {
                    stride,
                    padding: 1,
                    transposed,
                };
                let found = conv(&x, &weight, &bias, options, activation);
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
        vec![4, 5],
        vec![700, 33],
        vec![2, 3, 4, 4],
        vec![64, 32, 14, 14],
    ] {
        for activation in ACTIVATIONS {
            let case = format!("{activation:?} of {shape:?}");
            let channels = shape[1];
            // On either side of an activation's kink, but not at it, where rounding would decide.
            let mut column = vec![1; shape.len()];
            column[0] = shape[0];
            let sides = Tensor::arange(shape[0], FLOAT).fmod(2.0) * 2.0 - 1.0;
            let x = (sides.reshape(column) + Tensor::randn(&shape, FLOAT) * 0.15)
                .set_requires_grad(true);
            let norm = || BatchNormState {
                weight: Tensor::ones([channels], FLOAT),
                bias: Tensor::zeros([channels], FLOAT),
                running_mean: Tensor::zeros([channels], FLOAT),
                running_var: Tensor::ones([channels], FLOAT),
            };
            let (mut ours, mut theirs) = (norm(), norm());
            let near =
                |x: f64| (Tensor::randn([channels], FLOAT) * 0.05 + x).set_requires_grad(true);
            let (weight, bias) = (near(1.0), near(0.0));
            for norm in [&mut ours, &mut theirs] {
                norm.weight = weight.shallow_clone();
                norm.bias = bias.shallow_clone();
            }
            // Far from zero, as the outputs of a layer may be.
            let far = &x * 2.0 + 5.0;
            let composed = |norm: &BatchNormState, training: bool| {
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
