//! Reading numbers from the device.

use tch::{Device, Kind, Tensor};

/// The values of scalars on one device. Waits for a GPU once, however many they are.
pub(super) fn read(scalars: &[&Tensor]) -> Vec<f64> {
    let is_on_gpu = scalars
        .first()
        .is_some_and(|first| first.device().is_cuda());
    if !is_on_gpu {
        return scalars
            .iter()
            .map(|scalar| scalar.double_value(&[]))
            .collect();
    }
    let together = Tensor::stack(scalars, 0)
        .to_device(Device::Cpu)
        .to_kind(Kind::Double);
    let mut values = vec![f64::NAN; scalars.len()];
    together.copy_data(&mut values, scalars.len());
    values
}
