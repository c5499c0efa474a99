//! The time of each operation that a step is made of, alone: `make bench-parts`.
//!
//! Sizes are those of the tutorial's networks and of preset dcgan. What a whole step costs, beside other programs, is
//! `step.rs`.

use std::sync::Once;

use divan::Bencher;
use divan::counter::ItemsCount;

use sparring_engine::native::no_grad;
use sparring_engine::native::{
    Activation, BatchNormState, ConvOptions, batch_norm, conv, dense, matmul, mean_softplus,
    prepare, scaled_images,
};
use sparring_engine::optim::Adam;
use tch::{Device, Kind, Tensor};

const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);
const LEAKY: Activation = Activation::LeakyRelu { slope: 0.2 };
/// Inputs and outputs of layers: the tutorial's second and last of G, and first of D.
const LAYERS: [[i64; 2]; 3] = [[256, 512], [1024, 784], [784, 512]];
const BATCHES: [i64; 3] = [64, 128, 1024];

fn main() {
    divan::main();
}

/// The team, of as many threads as there are cores: a process has one, and its leader is the thread that benches.
fn team() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        prepare(cores.try_into().unwrap_or(1));
    });
}

fn learning(shape: &[i64]) -> Tensor {
    Tensor::randn(shape, CPU).set_requires_grad(true)
}

/// Counted in floating point operations: what divan prints as items a second.
fn flop(m: i64, k: i64, n: i64) -> ItemsCount {
    ItemsCount::new((2 * m * k * n).unsigned_abs())
}

#[divan::bench(args = LAYERS, consts = BATCHES)]
fn product<const BATCH: i64>(bencher: Bencher, [inputs, outputs]: [i64; 2]) {
    team();
    let (x, weight) = (
        Tensor::randn([BATCH, inputs], CPU),
        Tensor::randn([outputs, inputs], CPU),
    );
    bencher
        .counter(flop(BATCH, inputs, outputs))
        .bench_local(|| no_grad(|| matmul(&x, &weight.tr())));
}

#[divan::bench(args = LAYERS, consts = BATCHES)]
fn dense_forward<const BATCH: i64>(bencher: Bencher, [inputs, outputs]: [i64; 2]) {
    team();
    let x = Tensor::randn([BATCH, inputs], CPU);
    let (weight, bias) = (learning(&[outputs, inputs]), learning(&[outputs]));
    bencher
        .counter(flop(BATCH, inputs, outputs))
        .bench_local(|| dense(&x, &weight, &bias, LEAKY));
}

#[divan::bench(args = LAYERS, consts = BATCHES)]
fn dense_backward<const BATCH: i64>(bencher: Bencher, [inputs, outputs]: [i64; 2]) {
    team();
    let leaves = [
        learning(&[BATCH, inputs]),
        learning(&[outputs, inputs]),
        learning(&[outputs]),
    ];
    let [x, weight, bias] = &leaves;
    let loss = dense(x, weight, bias, LEAKY).sum(Kind::Float);
    bencher
        .counter(flop(2 * BATCH, inputs, outputs))
        .bench_local(|| Tensor::run_backward(&[&loss], &leaves, true, false));
}

#[divan::bench(args = [false, true])]
fn convolution_forward(bencher: Bencher, transposed: bool) {
    team();
    let (x, weight, bias, options) = convolution(transposed);
    bencher.bench_local(|| conv(&x, &weight, Some(&bias), options, LEAKY));
}

#[divan::bench(args = [false, true])]
fn convolution_backward(bencher: Bencher, transposed: bool) {
    team();
    let (x, weight, bias, options) = convolution(transposed);
    let loss = conv(&x, &weight, Some(&bias), options, LEAKY).sum(Kind::Float);
    let leaves = [x, weight, bias];
    bencher.bench_local(|| Tensor::run_backward(&[&loss], &leaves, true, false));
}

/// Preset dcgan's between 14 x 14 pixels of 32 channels and 7 x 7 of 64, at its batch: D's, or transposed G's.
fn convolution(transposed: bool) -> (Tensor, Tensor, Tensor, ConvOptions) {
    let (inputs, outputs, side) = if transposed {
        (64, 32, 7)
    } else {
        (32, 64, 14)
    };
    let options = ConvOptions {
        stride: 2,
        padding: 1,
        transposed,
        ..ConvOptions::default()
    };
    (
        learning(&[128, inputs, side, side]),
        learning(&[64, 32, 4, 4]),
        learning(&[outputs]),
        options,
    )
}

#[divan::bench]
fn batch_norm_forward(bencher: Bencher) {
    team();
    let x = Tensor::randn([128, 1024], CPU);
    let norm = BatchNormState {
        weight: learning(&[1024]),
        bias: learning(&[1024]),
        running_mean: Tensor::zeros([1024], CPU),
        running_var: Tensor::ones([1024], CPU),
    };
    bencher.bench_local(|| batch_norm(&x, &norm, true, LEAKY));
}

/// Of the tutorial's generator, 1.5 million numbers: 28 bytes of memory each.
#[divan::bench]
fn adam(bencher: Bencher) {
    team();
    let sizes = [[256, 100], [512, 256], [1024, 512], [784, 1024]];
    let parameters: Vec<_> = sizes.iter().map(|size| learning(size)).collect();
    let gradients: Vec<_> = parameters.iter().map(Tensor::randn_like).collect();
    let bytes: usize = gradients.iter().map(|each| 28 * each.numel()).sum();
    let mut adam = Adam::new(parameters, 2e-4, [0.9, 0.999]);
    bencher
        .counter(divan::counter::BytesCount::new(bytes))
        .bench_local(|| adam.step(&gradients));
}

#[divan::bench]
fn images(bencher: Bencher) {
    team();
    let all = Tensor::zeros([60_000, 1, 28, 28], (Kind::Uint8, Device::Cpu));
    let chosen = Tensor::randint(60_000, [64], (Kind::Int64, Device::Cpu));
    bencher.bench_local(|| scaled_images(&all, &chosen));
}

#[divan::bench]
fn loss(bencher: Bencher) {
    team();
    let logits = learning(&[128, 1]);
    bencher.bench_local(|| mean_softplus(&logits, 1.0));
}
