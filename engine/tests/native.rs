//! The operations of `native` against libtorch's.

#![allow(clippy::unwrap_used)] // a test may fail loudly
mod near;

use std::process::Command;

use near::{activated, assert_near, fitting, grid};
use sparring_engine::native::{
    Activation, dense, matmul, mean_softplus, prepare, rounded, rounds_fast, scaled_images,
    sharpened,
};
use tch::{Device, Kind, Tensor};

/// More threads than most test machines have cores: the result must be right even if a thread is delayed.
const THREADS: u32 = 5;
const ACTIVATIONS: [Activation; 4] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.2 },
    Activation::Tanh,
];

// One test, because a process has one team with one leader.
#[test]
fn the_operations_match_libtorch() {
    prepare(THREADS);
    tch::manual_seed(0);
    dense_layers_and_their_gradients();
    products_and_their_gradients();
    sharpening_and_its_gradients();
    products_of_rounded_numbers();
}

#[test]
fn the_operations_match_libtorch_on_processors_without_avx512() {
    for products in ["avx2", "blas"] {
        let this = std::env::current_exe().unwrap();
        let run = Command::new(this)
            .env("SPARRING_PRODUCTS", products)
            .args(["--exact", "the_operations_match_libtorch"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(said.contains("1 passed; 0 failed"), "{products}: {said}");
    }
}

/// Those of numbers with 8 bits of mantissa, where the processor has them, and of all bits where it does not.
fn products_of_rounded_numbers() {
    let exact = |of: &Tensor| of.to_kind(Kind::Double);
    let bits = |of: &Tensor| {
        if rounds_fast() {
            exact(&of.to_kind(Kind::BFloat16))
        } else {
            exact(of)
        }
    };
    // Fewer and shorter than are worth rounding; odd and more than a panel; more rows than are taken at a time.
    for [rows, inner, columns] in [
        [3, 40, 70],
        [40, 31, 40],
        [70, 1027, 130],
        [401, 48, 16],
        [200, 33, 33],
    ] {
        let is_small = rows.min(columns) < 16 || inner < 32;
        let normal = |size: [i64; 2]| Tensor::randn(size, (Kind::Float, Device::Cpu));
        for is_turned in [[false, false], [false, true], [true, false], [true, true]] {
            let matrix = |size: [i64; 2], is_turned: bool| {
                if is_turned {
                    normal([size[1], size[0]]).tr()
                } else {
                    normal(size)
                }
            };
            let left = matrix([rows, inner], is_turned[0]);
            let right = matrix([inner, columns], is_turned[1]);
            let found = rounded(|| matmul(&left, &right));
            let expected = if is_small {
                exact(&left).matmul(&exact(&right))
            } else {
                bits(&left).matmul(&bits(&right))
            };
            let error = (exact(&found) - &expected).abs().max().double_value(&[]);
            let size = expected.abs().max().double_value(&[]);
            assert!(
                error < 1e-5 * size,
                "{rows}x{inner}x{columns} {is_turned:?}: {error} of {size}"
            );
        }
    }
    // The rounding ends with the function.
    let [left, right] = [(); 2].map(|()| Tensor::randn([64, 64], (Kind::Float, Device::Cpu)));
    let error = (exact(&matmul(&left, &right)) - exact(&left).matmul(&exact(&right)))
        .abs()
        .max();
    assert!(error.double_value(&[]) < 1e-4);
}

fn dense_layers_and_their_gradients() {
    // Narrower than a piece; not a multiple of the block size; wide enough for every thread.
    for [n, inputs, outputs] in [[3, 5, 1], [2, 100, 65], [64, 784, 512], [600, 130, 1030]] {
        for activation in ACTIVATIONS {
            let case = format!("{activation:?} of {n} by {inputs} to {outputs}");
            let step = fitting(inputs);
            let (x, weight) = (grid(&[n, inputs], 0.25), grid(&[outputs, inputs], step));
            let bias = (grid(&[outputs], step).detach() + step / 8.0).set_requires_grad(true);
            let leaves = [&x, &weight, &bias];

            let found = dense(&x, &weight, &bias, activation);
            let expected = activated(&x.linear(&weight, Some(&bias)), activation);
            assert_near(&case, &found, &expected);
            let direction = Tensor::randn([n, outputs], (Kind::Float, Device::Cpu));
            let gradients = |y: &Tensor| {
                Tensor::run_backward(&[(y * &direction).sum(Kind::Float)], &leaves, true, false)
            };
            for (found, expected) in gradients(&found).iter().zip(&gradients(&expected)) {
                assert_near(&case, found, expected);
            }
            // A penalty on the gradient at the input, as for a discriminator.
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

fn products_and_their_gradients() {
    // A single number; less than a tile; not a multiple of a tile; deeper than a panel; narrow in either direction.
    let sizes = [
        [1, 1, 1],
        [5, 3, 15],
        [67, 70, 131],
        [50, 1100, 49],
        [130, 40, 1],
        [1, 40, 130],
    ];
    for [m, k, n] in sizes {
        let (left, right) = (grid(&[m, k], 0.25), grid(&[k, n], 0.25));
        // Each also as a transposed view.
        let turned = |t: &Tensor| t.detach().tr().contiguous().tr().set_requires_grad(true);
        for (left, right) in [
            (&left, &right),
            (&turned(&left), &right),
            (&left, &turned(&right)),
            (&turned(&left), &turned(&right)),
        ] {
            let case = format!(
                "{m} by {k} by {n}, {:?}, {:?}",
                left.stride(),
                right.stride()
            );
            let (found, expected) = (matmul(left, right), left.mm(right));
            assert_near(&case, &found, &expected);
            let direction = grid(&[m, n], 0.5).detach();
            let gradients = |y: &Tensor| {
                let sum = (y * &direction).sum(Kind::Float);
                Tensor::run_backward(&[sum], &[left, right], true, true)
            };
            for (found, expected) in gradients(&found).iter().zip(&gradients(&expected)) {
                assert_near(&case, found, expected);
            }
            let second = |y: &Tensor| {
                let square = gradients(y).remove(0).square().sum(Kind::Float);
                Tensor::run_backward(&[square], &[right], false, false).remove(0)
            };
            assert_near(&case, &second(&found), &second(&expected));
        }
    }
    let misfit = std::panic::catch_unwind(|| {
        matmul(&grid(&[2, 3], 1.0).detach(), &grid(&[2, 3], 1.0).detach())
    });
    assert!(misfit.is_err());
}

#[test]
fn the_mean_softplus_and_its_gradients() {
    // For large inputs a naive exp would overflow.
    let x =
        Tensor::from_slice(&[-200.0_f32, -3.0, -0.1, 0.0, 0.1, 3.0, 200.0]).set_requires_grad(true);
    for sign in [-1.0, 1.0] {
        let case = format!("softplus of {sign}");
        let found = mean_softplus(&x, sign);
        let expected = (&x * sign).softplus().mean(Kind::Float);
        assert_near(&case, &found, &expected);
        let gradient = |y: &Tensor| Tensor::run_backward(&[y], &[&x], true, true).remove(0);
        assert_near(&case, &gradient(&found), &gradient(&expected));
        let second = |y: &Tensor| {
            let square = gradient(y).square().sum(Kind::Float);
            Tensor::run_backward(&[square], &[&x], false, false).remove(0)
        };
        assert_near(&case, &second(&found), &second(&expected));
    }
}

fn sharpening_and_its_gradients() {
    for shape in [[1, 1, 1, 1], [2, 3, 5, 4], [130, 1, 28, 28]] {
        let case = format!("{shape:?}");
        let x = grid(&shape, 0.25);
        let found = sharpened(&x, 1.5);
        let means = x.avg_pool2d([3, 3], [1, 1], [1, 1], false, true, None);
        let expected = &x + (&x - means) * 1.5;
        assert_near(&case, &found, &expected);
        let direction = grid(&shape, 0.5).detach();
        let gradient = |y: &Tensor| {
            let sum = (y.square() * &direction).sum(Kind::Float);
            Tensor::run_backward(&[sum], &[&x], true, true).remove(0)
        };
        assert_near(&case, &gradient(&found), &gradient(&expected));
        let second = |y: &Tensor| {
            let square = gradient(y).square().sum(Kind::Float);
            Tensor::run_backward(&[square], &[&x], false, false).remove(0)
        };
        assert_near(&case, &second(&found), &second(&expected));
    }
}

#[test]
fn images_are_scaled_to_the_range_of_tanh() {
    let images = Tensor::from_slice(&[0_u8, 255, 51, 102]).reshape([2, 1, 1, 2]);
    let found = scaled_images(&images, &Tensor::from_slice(&[1_i64, 0, 1]));
    let expected = Tensor::from_slice(&[-0.6_f32, -0.2, -1.0, 1.0, -0.6, -0.2]);
    assert_near("a batch", &found, &expected.reshape([3, 1, 1, 2]));
    let beyond = std::panic::catch_unwind(|| scaled_images(&images, &Tensor::from_slice(&[2_i64])));
    assert!(beyond.is_err());
}
