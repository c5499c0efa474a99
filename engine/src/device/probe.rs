//! Trying a device: what training needs of it, once.

use tch::{Device, Kind, Tensor};

use super::{ComputeMode, Hardware, architectures};
use crate::native::{CudaSettings, prepare_cuda};
use crate::panics::caught;

/// Allocates memory on a device, adds, multiplies matrices, convolves, and waits for the results, which must be right. An
/// error says in a line what went wrong.
pub(super) fn probe(
    index: usize,
    hardware: Option<&Hardware>,
    settings: CudaSettings,
) -> Result<(), String> {
    hardware.map_or(Ok(()), promising)?;
    caught(|| compute(index, settings)).map_err(|panic| panic.to_string())?
}

/// What can be said of a device without trying it.
fn promising(hardware: &Hardware) -> Result<(), String> {
    if hardware.mode == ComputeMode::Prohibited {
        let name = &hardware.name;
        return Err(format!(
            "{name} is in prohibited mode (`nvidia-smi -c` changes it)"
        ));
    }
    let architectures = architectures();
    if architectures.run_on(hardware.capability) {
        return Ok(());
    }
    Err(format!(
        "libtorch has no kernels for {} (sm_{}), only for {}",
        hardware.name,
        hardware.capability,
        architectures.names()
    ))
}

fn compute(index: usize, settings: CudaSettings) -> Result<(), String> {
    prepare_cuda(index, settings);
    let ones = |size: &[i64]| Tensor::ones(size, (Kind::Float, Device::Cuda(index)));
    let sum = |tensor: &Tensor| tensor.sum(Kind::Float).double_value(&[]);
    // Small whole numbers are exact in every precision.
    let product = (ones(&[16, 16]) + 1.0).mm(&ones(&[16, 16]));
    let convolved = ones(&[1, 4, 8, 8]).conv2d(&ones(&[4, 4, 3, 3]), None::<Tensor>, 1, 0, 1, 1);
    let found = [sum(&product), sum(&convolved)];
    let expected = [16.0 * 16.0 * 32.0, 4.0 * 36.0 * 36.0];
    if found == expected {
        Ok(())
    } else {
        Err(format!("it computes {found:?} where {expected:?} is right"))
    }
}
