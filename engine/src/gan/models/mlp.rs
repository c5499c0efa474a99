//! Multi-layer perceptrons.

use super::blocks::Blocks;
use crate::native::Activation;
use crate::nn::{Flatten, Linear, Sequential, Unflatten};

/// `[n, inputs]` to pictures of this shape.
pub(super) fn generator(blocks: &Blocks<'_>, inputs: i64, shape: [i64; 3]) -> Sequential {
    let mut model = Sequential::default();
    let features = push_hidden(&mut model, blocks, inputs);
    model.push(Linear::new(
        features,
        shape.iter().product(),
        Activation::Tanh,
        blocks.weight_norm(),
        blocks.device,
    ));
    model.push(Unflatten { shape });
    model
}

/// Pictures of this shape to `[n, 1]`, and the number of inputs of the last layer.
pub(super) fn discriminator(blocks: &Blocks<'_>, shape: [i64; 3]) -> (Sequential, i64) {
    let mut model = Sequential::default();
    model.push(Flatten);
    let features = push_hidden(&mut model, blocks, shape.iter().product());
    model.push(Linear::new(
        features,
        1,
        Activation::Identity,
        blocks.weight_norm(),
        blocks.device,
    ));
    (model, features)
}

/// Appends the hidden layers and returns the width of the last.
fn push_hidden(model: &mut Sequential, blocks: &Blocks<'_>, inputs: i64) -> i64 {
    let widths = blocks.widths().into_iter();
    widths.fold(inputs, |inputs, outputs| {
        let activation = blocks.own_activation();
        let norm = blocks.weight_norm();
        model.push(Linear::new(
            inputs,
            outputs,
            activation,
            norm,
            blocks.device,
        ));
        blocks.finish_hidden(model, outputs);
        outputs
    })
}
