//! Residual networks after R3GAN (Huang et al. 2024, «The GAN is dead; long live the GAN!», section 4): stages of
//! residual blocks, one for each resolution, without normalisation. Unlike R3GAN's, resolutions change by the filter of
//! bilinear interpolation, pictures end in a tanh, and the largest resolution with blocks may be half the picture's.

use super::blocks::Blocks;
use crate::native::{Activation, ConvOptions};
use crate::nn::{
    Conv2d, DiscriminativeBasis, Downsample, GenerativeBasis, Linear, Sequential, Upsample,
};

/// `[n, inputs]` to pictures of this shape.
pub(super) fn generator(blocks: &Blocks<'_>, inputs: i64, shape: [i64; 3]) -> Sequential {
    let device = blocks.device;
    // The smallest resolution first.
    let widths = blocks.generator_widths(shape);
    let mut model = Sequential::default();
    let mut channels = widths.first().copied().unwrap_or(1);
    let smallest = blocks.smallest_shape(channels, &widths, shape);
    model.push(GenerativeBasis::new(inputs, smallest, device));
    for (stage, next) in widths.iter().copied().enumerate() {
        if stage > 0 {
            push_change(&mut model, blocks, [channels, next]);
            model.push(Upsample);
        }
        channels = next;
        blocks.push_residual(&mut model, channels, widths.len());
    }
    model.push(between_pictures_and_channels(
        blocks,
        [channels, shape[0]],
        true,
    ));
    model
}

/// Pictures of this shape to `[n, 1]`, and the number of inputs of the last layer.
pub(super) fn discriminator(blocks: &Blocks<'_>, shape: [i64; 3]) -> (Sequential, i64) {
    let device = blocks.device;
    // The largest resolution first.
    let widths = blocks.discriminator_widths(shape);
    let mut model = Sequential::default();
    let mut channels = widths.first().copied().unwrap_or(1);
    model.push(between_pictures_and_channels(
        blocks,
        [shape[0], channels],
        false,
    ));
    for (stage, next) in widths.iter().copied().enumerate() {
        if stage > 0 {
            model.push(Downsample);
            push_change(&mut model, blocks, [channels, next]);
        }
        channels = next;
        blocks.push_residual(&mut model, channels, widths.len());
    }
    let smallest = blocks.smallest_shape(channels, &widths, shape);
    model.push(DiscriminativeBasis::new(smallest, device));
    model.push(Linear::he(channels, 1, device));
    (model, channels)
}

/// The first layer of a discriminator, or the last of a generator, with a tanh.
fn between_pictures_and_channels(
    blocks: &Blocks<'_>,
    sizes: [i64; 2],
    makes_pictures: bool,
) -> Conv2d {
    let (kernel, options) = match blocks.config.patch_size {
        1 => (1, ConvOptions::default()),
        // As DCGAN's: halves or doubles a side exactly.
        _ => (
            4,
            ConvOptions {
                stride: 2,
                padding: 1,
                transposed: makes_pictures,
                groups: 1,
            },
        ),
    };
    let activation = if makes_pictures {
        Activation::Tanh
    } else {
        Activation::Identity
    };
    Conv2d::he(sizes, kernel, options, activation, blocks.device)
}

/// From one number of channels to another.
fn push_change(model: &mut Sequential, blocks: &Blocks<'_>, [from, to]: [i64; 2]) {
    if from != to {
        model.push(Conv2d::pointwise([from, to], blocks.device));
    }
}
