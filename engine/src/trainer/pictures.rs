//! Turns tensors into the pictures of a message.

use sparring_contract::protocol::{Pictures, Purpose};
use tch::{Device, Kind, Tensor};

/// Copies pictures from their device into a message.
///
/// `pictures` is `[n, channels, height, width]`, u8; `labels` are the classes asked of them, empty if there are none; `parts`
/// is what those that belong together are.
pub(crate) fn pictures(
    purpose: Purpose,
    seed: u64,
    step: u64,
    pictures: &Tensor,
    labels: Vec<u32>,
    parts: &[&str],
) -> Pictures {
    let pictures = pictures.to_device(Device::Cpu).contiguous();
    let size: Vec<u32> = pictures
        .size()
        .iter()
        .map(|size| u32::try_from(*size).unwrap_or_default())
        .collect();
    let mut pixels = vec![0; pictures.numel()];
    pictures.copy_data_u8(&mut pixels, pictures.numel());
    let (count, channels, height, width) = (size[0], size[1], size[2], size[3]);
    Pictures {
        purpose,
        seed,
        step,
        count,
        channels,
        height,
        width,
        pixels,
        labels,
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
    }
}

/// The columns of a grid that is about as wide as high, in which pictures that belong together, `group` of them, stand beside
/// each other.
pub(super) fn grid_columns(count: usize, group: usize) -> usize {
    let side = count.isqrt();
    let side = if side * side < count { side + 1 } else { side };
    side.div_ceil(group) * group
}

/// Classes `[n]`, i64, as numbers.
pub(crate) fn labels(classes: &Tensor) -> Vec<u32> {
    let classes = classes
        .to_device(Device::Cpu)
        .to_kind(Kind::Int64)
        .contiguous();
    let mut numbers = vec![0_i64; classes.numel()];
    classes.copy_data(&mut numbers, classes.numel());
    numbers
        .into_iter()
        .map(|class| u32::try_from(class).unwrap_or_default())
        .collect()
}
