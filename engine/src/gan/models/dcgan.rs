//! Convolutional networks in the shape of DCGAN (Radford, Metz and Chintala 2016): each hidden layer halves or doubles
//! the side of the picture.

use super::blocks::Blocks;
use super::mlp;
use crate::native::{Activation, ConvOptions};
use crate::nn::{Conv2d, Flatten, Linear, Sequential, Unflatten};

/// Side of the kernels, in pixels: with a stride of 2 and a padding of 1 it halves or doubles a side exactly.
const KERNEL: i64 = 4;

/// `[n, inputs]` to pictures of this shape.
pub(super) fn generator(blocks: &Blocks<'_>, inputs: i64, shape: [i64; 3]) -> Sequential {
    let widths = blocks.generator_widths(shape);
    let Some(first) = widths.first().copied() else {
        return mlp::generator(blocks, inputs, shape);
    };
    let smallest = blocks.smallest_shape(first, &widths, shape);
    let mut model = Sequential::default();
    model.push(Linear::new(
        inputs,
        smallest.iter().product(),
        blocks.own_activation(),
        blocks.weight_norm(),
        blocks.device,
    ));
    model.push(Unflatten { shape: smallest });
    blocks.finish_hidden(&mut model, first);
    for sizes in widths.windows(2) {
        let [inputs, outputs] = [sizes[0], sizes[1]];
        model.push(conv(
            blocks,
            [inputs, outputs],
            true,
            blocks.own_activation(),
        ));
        blocks.finish_hidden(&mut model, outputs);
    }
    let last = widths.last().copied().unwrap_or(first);
    model.push(conv(blocks, [last, shape[0]], true, Activation::Tanh));
    model
}

/// Pictures of this shape to `[n, 1]`, and the number of inputs of the last layer.
pub(super) fn discriminator(blocks: &Blocks<'_>, shape: [i64; 3]) -> (Sequential, i64) {
    let widths = blocks.discriminator_widths(shape);
    let mut model = Sequential::default();
    let mut channels = shape[0];
    for outputs in widths.iter().copied() {
        let sizes = [channels, outputs];
        model.push(conv(blocks, sizes, false, blocks.own_activation()));
        blocks.finish_hidden(&mut model, outputs);
        channels = outputs;
    }
    model.push(Flatten);
    let smallest = blocks.smallest_shape(channels, &widths, shape);
    let features = smallest.iter().product();
    model.push(Linear::new(
        features,
        1,
        Activation::Identity,
        blocks.weight_norm(),
        blocks.device,
    ));
    (model, features)
}

fn conv(blocks: &Blocks<'_>, sizes: [i64; 2], transposed: bool, activation: Activation) -> Conv2d {
    let options = ConvOptions {
        stride: 2,
        padding: 1,
        transposed,
        ..ConvOptions::default()
    };
    let norm = blocks.weight_norm();
    Conv2d::new(sizes, KERNEL, options, activation, norm, blocks.device)
}
