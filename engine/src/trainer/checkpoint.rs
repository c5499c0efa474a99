//! Checkpoint files: the whole state of a session in one safetensors file.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::path::Path;

use safetensors::{Dtype, View};
use sparring_contract::run::{CheckpointHeader, write_whole};
use tch::{Device, Kind, Tensor};

use super::finite_state::FiniteState;
use crate::nn::StateDict;

/// Writes a checkpoint, whole or not at all. Returns its size in bytes.
pub(super) fn save(
    path: &Path,
    header: &CheckpointHeader,
    state: &FiniteState<'_>,
) -> io::Result<u64> {
    let tensors = state
        .state_dict()
        .tensors
        .iter()
        .map(|(name, tensor)| (name, Floats::of(tensor)));
    let metadata = header.to_metadata().map_err(io::Error::other)?;
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(io::Error::other)?;
    write_whole(path, |file| file.write_all(&bytes))
}

/// Reads the tensors of a checkpoint whose header has been read.
pub(crate) fn load(path: &Path, header: &CheckpointHeader) -> Result<StateDict, tch::TchError> {
    Ok(StateDict {
        steps: header.step,
        tensors: Tensor::read_safetensors(path)?,
    })
}

/// The numbers of a tensor as little-endian bytes.
struct Floats {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Floats {
    fn of(tensor: &Tensor) -> Self {
        let tensor = tensor
            .to_device(Device::Cpu)
            .to_kind(Kind::Float)
            .contiguous();
        let mut numbers = vec![0_f32; tensor.numel()];
        tensor.copy_data(&mut numbers, tensor.numel());
        let shape = tensor
            .size()
            .iter()
            .map(|size| usize::try_from(*size).unwrap_or_default())
            .collect();
        Self {
            shape,
            bytes: numbers
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect(),
        }
    }
}

impl View for Floats {
    fn dtype(&self) -> Dtype {
        Dtype::F32
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
