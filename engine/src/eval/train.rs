//! How a classifier is trained.

use std::f64::consts::PI;

use tch::nn::{OptimizerConfig as _, VarStore, adamw};
use tch::{Device, Kind, Reduction, Tensor};

use super::classifier::{Classifier, Subject};

const BATCH: i64 = 128;
/// The learning rate rises to this and falls again.
const LEARNING_RATE: f64 = 2e-3;
/// Share of the steps in which it rises.
const WARM_UP: f64 = 0.15;
const WEIGHT_DECAY: f64 = 0.05;
const DROPOUT: f64 = 0.4;
/// Pictures are rotated by up to so many degrees, and scaled by up to this share.
const ROTATION: f64 = 10.0;
const SCALE: f64 = 0.1;

/// Trains a classifier on pictures `[n, channels, height, width]`, u8, and labels `[n]`, i64, for `epochs` epochs.
///
/// Pictures are rotated and scaled a little, but not shifted: a judge that has learnt to ignore shifts could not report
/// one. All randomness comes from the seed, through libtorch's generator, which the whole process shares. After each
/// epoch `done` is called with its number, from 1, and its mean loss.
pub fn train(
    seed: u64,
    epochs: i64,
    subject: Subject,
    pictures: &Tensor,
    labels: &Tensor,
    mut done: impl FnMut(i64, f64),
) -> Classifier {
    tch::manual_seed(seed.cast_signed());
    let store = VarStore::new(Device::Cpu);
    let classifier = Classifier::untrained(&store.root(), subject);
    let mut optimizer = adamw(0.9, 0.999, WEIGHT_DECAY)
        .build(&store, LEARNING_RATE)
        .unwrap_or_else(|error| unreachable!("Adam over weights that are there: {error}"));

    let count = pictures.size()[0];
    let batch = BATCH.min(count);
    let per_epoch = count / batch;
    for epoch in 0..epochs {
        let order = Tensor::randperm(count, (Kind::Int64, Device::Cpu));
        let mut sum = 0.0;
        for index in 0..per_epoch {
            let share = (epoch * per_epoch + index) as f64 / (epochs * per_epoch) as f64;
            optimizer.set_lr(LEARNING_RATE * schedule(share));
            let chosen = order.narrow(0, index * batch, batch);
            let augmented = rotated_and_scaled(&pictures.index_select(0, &chosen));
            let (_, logits) = classifier.forward(&augmented, DROPOUT, true);
            let loss = logits.cross_entropy_loss::<Tensor>(
                &labels.index_select(0, &chosen),
                None,
                Reduction::Mean,
                -100,
                0.0,
            );
            optimizer.backward_step(&loss);
            sum += loss.double_value(&[]);
        }
        done(epoch + 1, sum / per_epoch as f64);
    }
    classifier
}

/// The learning rate at a share of the training, as a share of its maximum: half a cosine up, half a cosine down.
fn schedule(share: f64) -> f64 {
    let phase = if share < WARM_UP {
        1.0 - share / WARM_UP
    } else {
        (share - WARM_UP) / (1.0 - WARM_UP)
    };
    0.04 + 0.96 * f64::midpoint(1.0, (PI * phase).cos())
}

/// Pictures with values from 0 to 1, each rotated and scaled a little about its centre.
fn rotated_and_scaled(pictures: &Tensor) -> Tensor {
    let pictures = pictures.to_kind(Kind::Float) / 255.0;
    let count = pictures.size()[0];
    let around =
        |reach: f64| (Tensor::rand([count], (Kind::Float, Device::Cpu)) * 2.0 - 1.0) * reach;
    let (angle, scale) = (around(ROTATION.to_radians()), around(SCALE) + 1.0);
    let (cos, sin) = (angle.cos() * &scale, angle.sin() * &scale);
    let zero = cos.zeros_like();
    let rows = [&cos, &(-&sin), &zero, &sin, &cos, &zero];
    let theta = Tensor::stack(&rows, 1).view([count, 2, 3]);
    let grid = Tensor::affine_grid_generator(&theta, pictures.size(), false);
    // 0 is bilinear, 1 repeats the border outside, so that any background goes on.
    pictures.grid_sampler(&grid, 0, 1, false)
}
