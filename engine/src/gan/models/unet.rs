//! A U-Net of residual blocks without normalisation, as preset resnet has them.

use super::blocks::Blocks;
use crate::native::{Activation, ConvOptions};
use crate::nn::{Conv2d, ResidualBlock, ResidualSizes, Sequential, UNet, UNetLevel};

/// Pictures with these numbers of channels, `[in, h, w]` to `[out, h, w]`.
pub(super) fn generator(
    blocks: &Blocks<'_>,
    inputs: i64,
    [outputs, height, width]: [i64; 3],
) -> UNet {
    let device = blocks.device;
    // The largest resolution first.
    let widths = blocks.discriminator_widths([outputs, height, width]);
    let first = widths.first().copied().unwrap_or(1);
    let last = widths.last().copied().unwrap_or(1);
    let block = |channels| residual_blocks(blocks, channels, widths.len());
    let near = |sizes, activation| {
        let options = ConvOptions {
            padding: 1,
            ..ConvOptions::default()
        };
        Conv2d::he(sizes, 3, options, activation, device)
    };
    let resized = |sizes, transposed| {
        let options = ConvOptions {
            stride: 2,
            padding: 1,
            transposed,
            groups: 1,
        };
        Conv2d::he(sizes, 4, options, Activation::Identity, device)
    };
    let levels = widths.windows(2).map(|sizes| {
        let [own, next] = [sizes[0], sizes[1]];
        UNetLevel {
            down: block(own),
            shrink: resized([own, next], false),
            grow: resized([next, own], true),
            merge: Conv2d::pointwise([2 * own, own], device),
            up: block(own),
        }
    });
    UNet {
        stem: near([inputs, first], Activation::Identity),
        levels: levels.collect(),
        bottom: block(last),
        head: near([first, outputs], Activation::Identity),
    }
}

/// The residual blocks of a resolution on the way down or up.
fn residual_blocks(blocks: &Blocks<'_>, channels: i64, resolutions: usize) -> Sequential {
    let config = blocks.config;
    let passes = 2 * resolutions as i64 - 1;
    let sizes = ResidualSizes {
        channels,
        expansion: config.expansion.cast_signed(),
        group_width: config.group_width.cast_signed(),
        blocks_in_network: config.blocks.cast_signed() * passes,
    };
    let mut model = Sequential::default();
    for _ in 0..config.blocks {
        model.push(ResidualBlock::new(
            sizes,
            blocks.activation(),
            blocks.device,
        ));
    }
    model
}
