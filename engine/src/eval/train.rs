//! How a judge learns.

use std::f64::consts::PI;

use tch::nn::{OptimizerConfig as _, VarStore, adamw};
use tch::{Device, Kind, Reduction, Tensor};

use super::classifier::Classifier;

/// Times that a judge looks at every training digit.
pub(super) const EPOCHS: i64 = 7;
const BATCH: i64 = 128;
/// The step size rises to this and falls to nothing again.
const LEARNING_RATE: f64 = 2e-3;
/// Share of the steps in which it rises.
const WARM_UP: f64 = 0.15;
const WEIGHT_DECAY: f64 = 0.05;
const DROPOUT: f64 = 0.4;
/// Digits are turned by up to so many degrees, and made smaller or larger by up to this share.
const TURN: f64 = 10.0;
const SCALE: f64 = 0.1;

/// Teaches a classifier digits: pictures `[n, 1, 28, 28]`, u8, and labels `[n]`, i64, in so many epochs.
///
/// The digits are turned and scaled a little, but not shifted: a judge that has learnt to overlook a shift could not
/// report one. All that is random comes from the seed, by way of libtorch's generator, which the whole process shares.
/// `done` hears the epoch and its mean loss.
pub fn learn(
    seed: u64,
    epochs: i64,
    pictures: &Tensor,
    labels: &Tensor,
    mut done: impl FnMut(i64, f64),
) -> Classifier {
    tch::manual_seed(seed.cast_signed());
    let store = VarStore::new(Device::Cpu);
    let classifier = Classifier::untaught(&store.root());
    let mut optimizer = adamw(0.9, 0.999, WEIGHT_DECAY)
        .build(&store, LEARNING_RATE)
        .unwrap_or_else(|error| unreachable!("Adam over weights that are there: {error}"));

    let per_epoch = pictures.size()[0] / BATCH;
    for epoch in 0..epochs {
        let order = Tensor::randperm(pictures.size()[0], (Kind::Int64, Device::Cpu));
        let mut sum = 0.0;
        for batch in 0..per_epoch {
            let share = (epoch * per_epoch + batch) as f64 / (epochs * per_epoch) as f64;
            optimizer.set_lr(LEARNING_RATE * pace(share));
            let chosen = order.narrow(0, batch * BATCH, BATCH);
            let digits = turned(&pictures.index_select(0, &chosen));
            let (_, logits) = classifier.forward(&digits, DROPOUT, true);
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

/// The step size at a share of the training, as a share of the greatest: half a cosine up, half a cosine down.
fn pace(share: f64) -> f64 {
    let phase = if share < WARM_UP {
        1.0 - share / WARM_UP
    } else {
        (share - WARM_UP) / (1.0 - WARM_UP)
    };
    0.04 + 0.96 * f64::midpoint(1.0, (PI * phase).cos())
}

/// Pictures with values from 0 to 1, each turned and scaled a little about its middle.
fn turned(pictures: &Tensor) -> Tensor {
    let pictures = pictures.to_kind(Kind::Float) / 255.0;
    let count = pictures.size()[0];
    let around =
        |reach: f64| (Tensor::rand([count], (Kind::Float, Device::Cpu)) * 2.0 - 1.0) * reach;
    let (angle, scale) = (around(TURN.to_radians()), around(SCALE) + 1.0);
    let (cos, sin) = (angle.cos() * &scale, angle.sin() * &scale);
    let none = cos.zeros_like();
    let rows = [&cos, &(-&sin), &none, &sin, &cos, &none];
    let theta = Tensor::stack(&rows, 1).view([count, 2, 3]);
    let grid = Tensor::affine_grid_generator(&theta, pictures.size(), false);
    // 0 and 0: bilinear, and black outside.
    pictures.grid_sampler(&grid, 0, 0, false)
}
