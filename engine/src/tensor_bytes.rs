//! Tensors as safetensors files hold them.

use std::borrow::Cow;

use safetensors::{Dtype, View};
use tch::{Device, Kind, Tensor};

/// The numbers of a tensor as bytes.
pub(crate) struct TensorBytes {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl TensorBytes {
    /// In single precision.
    pub(crate) fn single(tensor: &Tensor) -> Self {
        Self::of(tensor, Kind::Float, Dtype::F32)
    }

    /// In half precision.
    pub(crate) fn half(tensor: &Tensor) -> Self {
        Self::of(tensor, Kind::Half, Dtype::F16)
    }

    fn of(tensor: &Tensor, kind: Kind, dtype: Dtype) -> Self {
        let tensor = tensor.to_device(Device::Cpu).to_kind(kind).contiguous();
        let mut bytes = vec![0; tensor.numel() * kind.elt_size_in_bytes()];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        let shape = tensor
            .size()
            .iter()
            .map(|size| usize::try_from(*size).unwrap_or_default())
            .collect();
        Self {
            dtype,
            shape,
            bytes,
        }
    }
}

impl View for TensorBytes {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
