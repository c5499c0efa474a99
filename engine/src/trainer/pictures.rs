//! Pictures from tensors.

use sparring_contract::protocol::{Pictures, Purpose};
use tch::{Device, Tensor};

/// Copies pictures `[n, channels, height, width]`, u8, from any device.
pub(crate) fn pictures(purpose: Purpose, seed: u64, step: u64, tensor: &Tensor) -> Pictures {
    let tensor = tensor.to_device(Device::Cpu).contiguous();
    let size: Vec<u32> = tensor
        .size()
        .iter()
        .map(|size| u32::try_from(*size).unwrap_or_default())
        .collect();
    let mut pixels = vec![0; tensor.numel()];
    tensor.copy_data_u8(&mut pixels, tensor.numel());
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
        labels: Vec::new(),
    }
}
