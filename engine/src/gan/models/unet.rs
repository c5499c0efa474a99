//! A U-Net of residual blocks without normalisation, as preset resnet has them.

use super::blocks::Blocks;
use crate::native::{Activation, ConvOptions};
use crate::nn::{Conv2d, Sequential, UNet, UNetLevel};

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
    // Each resolution on the way down and again on the way up, the smallest once.
    let stages = (2 * widths.len()).saturating_sub(1);
    let block = |channels| {
        let mut model = Sequential::default();
        blocks.push_residual(&mut model, channels, stages);
        model
    };
    let near = |sizes| {
        let options = ConvOptions {
            padding: 1,
            ..ConvOptions::default()
        };
        Conv2d::he(sizes, 3, options, Activation::Identity, device)
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
        stem: near([inputs, first]),
        levels: levels.collect(),
        bottom: block(last),
        head: near([first, outputs]),
    }
}
