//! Checkpoint files: the whole state of a session in one safetensors file.

use std::io::{self, Write as _};
use std::path::Path;

use sparring_contract::run::{CheckpointHeader, seal, write_private};
use tch::Tensor;

use super::finite_state::FiniteState;
use crate::nn::StateDict;
use crate::tensor_bytes::TensorBytes;

/// Writes a checkpoint, whole or not at all. Returns its size in bytes.
pub(super) fn save(
    path: &Path,
    header: &CheckpointHeader,
    state: &FiniteState<'_>,
) -> io::Result<u64> {
    let state_dict = state.state_dict().on_cpu();
    let tensors = state_dict
        .tensors
        .iter()
        .map(|(name, tensor)| (name, TensorBytes::single(tensor)));
    let metadata = header.to_metadata().map_err(io::Error::other)?;
    let mut bytes = safetensors::serialize(tensors, Some(metadata)).map_err(io::Error::other)?;
    seal(&mut bytes);
    write_private(path, |file| file.write_all(&bytes))
}

/// Reads the tensors of a checkpoint whose header has been read.
pub(crate) fn load(path: &Path, header: &CheckpointHeader) -> Result<StateDict, tch::TchError> {
    Ok(StateDict {
        steps: header.step,
        tensors: Tensor::read_safetensors(path)?,
    })
}
