//! Our convolutions and batch norms against libtorch's operations.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)] // a test may fail loudly
mod near;

use near::{activated, assert_near, fitting, grid};
use sparring_engine::native::{
    Activation, BatchNormState, ConvOptions, ResidualWeights, batch_norm, conv, downsampled,
    merged, prepare, residual_block, upsampled,
};
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
    residual_blocks_and_their_gradients();
    merged_pictures_and_their_gradients();
    resampling_and_its_gradients();
    batch_norms_and_their_gradients();
}

fn convolutions_and_their_gradients() {
    for [n, inputs, outputs, height, width] in
        [[2, 1, 3, 4, 6], [9, 5, 7, 8, 8], [70, 32, 64, 14, 14]]
    {
        for (stride, transposed) in [(2, false), (2, true), (1, false), (1, true)] {
            for activation in ACTIVATIONS {
                let options = ConvOptions {
                    stride,
                    padding: 1,
                    transposed,
                    groups: 1,
                };
                let x = [n, inputs, height, width];
                assert_convolution_matches(x, outputs, 4, options, activation);
            }
        }
    }
    let leaky = Activation::LeakyRelu { slope: 0.2 };
    // Of many channels, with a side of one output, of an even and of an odd number of outputs.
    for shape in [[3, 16, 2, 2], [5, 40, 6, 10], [131, 17, 8, 4]] {
        for outputs in [16, 33] {
            for transposed in [false, true] {
                let options = ConvOptions {
                    stride: 2,
                    padding: 1,
                    transposed,
                    groups: 1,
                };
                assert_convolution_matches(shape, outputs, 4, options, leaky);
            }
        }
    }
    for (kernel, padding) in [(3, 1), (1, 0), (1, 1), (5, 2)] {
        for (groups, [inputs, outputs]) in [
            (1, [5, 7]),
            // Few outputs of many inputs, and the reverse.
            (1, [32, 1]),
            (1, [20, 3]),
            (1, [3, 20]),
            (2, [6, 4]),
            (4, [64, 32]),
            (8, [8, 8]),
            (2, [10, 10]),
            (3, [48, 48]),
        ] {
            for (stride, transposed) in [(1, false), (1, true), (2, false), (2, true)] {
                let options = ConvOptions {
                    stride,
                    padding,
                    transposed,
                    groups,
                };
                assert_convolution_matches([9, inputs, 7, 8], outputs, kernel, options, leaky);
            }
        }
    }
}

fn assert_convolution_matches(
    shape: [i64; 4],
    outputs: i64,
    kernel: i64,
    options: ConvOptions,
    activation: Activation,
) {
    let ConvOptions {
        stride,
        padding,
        transposed,
        groups,
    } = options;
    let case = format!(
        "{activation:?} of pictures of {shape:?} to {outputs} channels with a kernel of {kernel}, {options:?}"
    );
    let inputs = shape[1];
    let x = grid(&shape, 0.25);
    let [rows, columns] = if transposed {
        [inputs, outputs / groups]
    } else {
        [outputs, inputs / groups]
    };
    let step = fitting(inputs * kernel * kernel);
    let weight = grid(&[rows, columns, kernel, kernel], step);
    let bias = (grid(&[outputs], step).detach() + step / 8.0).set_requires_grad(true);
    let found = conv(&x, &weight, Some(&bias), options, activation);
    let (strides, paddings, ones) = ([stride; 2], [padding; 2], [1, 1]);
    let z = if transposed {
        x.conv_transpose2d(
            &weight,
            Some(&bias),
            strides,
            paddings,
            [0, 0],
            groups,
            ones,
        )
    } else {
        x.conv2d(&weight, Some(&bias), strides, paddings, ones, groups)
    };
    assert_same(
        &case,
        &[&x, &weight, &bias],
        &found,
        &activated(&z, activation),
    );
}

fn residual_blocks_and_their_gradients() {
    for ([n, channels, side], inner, group_width, kernel) in [
        ([1, 2, 1], 2, 1, 3),
        ([9, 6, 7], 12, 4, 3),
        ([70, 32, 8], 64, 16, 3),
        ([3, 4, 6], 8, 8, 1),
    ] {
        // The slope of a leaky ReLU leads off the grid, and with many units rounding would decide the side of one.
        let many = n * inner * side * side > 100_000;
        let activations = if many {
            [ACTIVATIONS[1]].to_vec()
        } else {
            ACTIVATIONS.to_vec()
        };
        for activation in activations {
            let case = format!("{activation:?} of {n} pictures of {channels}x{side}x{side}");
            let x = grid(&[n, channels, side, side], 0.25);
            let step = fitting(channels);
            let middle = fitting(group_width * kernel * kernel);
            // Biases off the grid, so that no unit is at the kink of its activation.
            let bias =
                |step: f64| (grid(&[inner], step).detach() + step / 8.0).set_requires_grad(true);
            let weights = ResidualWeights {
                expand: grid(&[inner, channels, 1, 1], step),
                expand_bias: bias(step),
                grouped: grid(&[inner, group_width, kernel, kernel], middle),
                grouped_bias: bias(middle),
                project: grid(&[channels, inner, 1, 1], fitting(inner)),
            };
            let found = residual_block(&x, &weights, activation);
            let conv = |x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, groups: i64| {
                let padding = [weight.size()[2] / 2; 2];
                x.conv2d(weight, bias, [1, 1], padding, [1, 1], groups)
            };
            let ResidualWeights {
                expand,
                expand_bias,
                grouped,
                grouped_bias,
                project,
            } = &weights;
            let groups = inner / group_width;
            let first = activated(&conv(&x, expand, Some(expand_bias), 1), activation);
            let second = activated(
                &conv(&first, grouped, Some(grouped_bias), groups),
                activation,
            );
            let expected = &x + conv(&second, project, None, 1);
            let leaves = [&x, grouped, expand, expand_bias, grouped_bias, project];
            assert_same(&case, &leaves, &found, &expected);
        }
    }
}

fn merged_pictures_and_their_gradients() {
    for [n, channels, others, outputs, side] in
        [[1, 1, 2, 1, 1], [9, 5, 7, 3, 6], [70, 32, 32, 32, 14]]
    {
        let case = format!("{n} pictures of {channels} and {others} channels");
        let [a, b] = [channels, others].map(|channels| grid(&[n, channels, side, side], 0.25));
        let inputs = channels + others;
        let weight = grid(&[outputs, inputs, 1, 1], fitting(inputs));
        let joined = Tensor::cat(&[&a, &b], 1);
        let expected = joined.conv2d(&weight, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1);
        assert_same(
            &case,
            &[&a, &weight, &b],
            &merged(&a, &b, &weight),
            &expected,
        );
    }
}

fn resampling_and_its_gradients() {
    let taps = Tensor::from_slice(&[0.125_f32, 0.375, 0.375, 0.125]);
    for [n, channels, height, width] in [[1, 1, 2, 4], [7, 3, 6, 8], [70, 32, 14, 14]] {
        let case = format!("{n} pictures of {channels} channels, {height} by {width}");
        let x = grid(&[n, channels, height, width], 0.25);
        // Squares, so that the gradient depends on x.
        let expected = x.upsample_bilinear2d([2 * height, 2 * width], false, None, None);
        let squares = |y: &Tensor| y * y;
        assert_same(
            &case,
            &[&x, &x],
            &squares(&upsampled(&x)),
            &squares(&expected),
        );
        let kernel = taps.outer(&taps).expand([channels, 1, 4, 4], false);
        let padded = x.replication_pad2d([1, 1, 1, 1]);
        let expected = padded.conv2d(&kernel, None::<&Tensor>, [2, 2], [0, 0], [1, 1], channels);
        assert_same(
            &case,
            &[&x, &x],
            &squares(&downsampled(&x)),
            &squares(&expected),
        );
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
