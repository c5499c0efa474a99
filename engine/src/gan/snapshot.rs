//! The whole state of a session, by name.

use tch::Tensor;

/// What the next step depends on: weights, what norms and averages have seen, Adam's moments, and the number of steps made.
///
/// Weights and statistics have PyTorch's names (`generator.model.0.weight`), moments the name of their weight
/// (`optimizer.generator.model.0.weight.exp_avg`). Tensors of a session's own snapshot share its memory.
#[derive(Debug)]
pub struct Snapshot {
    /// Steps made.
    pub steps: u64,
    /// Names and values, in a fixed order.
    pub tensors: Vec<(String, Tensor)>,
}

/// Why a snapshot does not fit a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// A tensor is not there.
    #[error("it lacks the tensor {0}: another model, or a file of another program")]
    Missing(String),
    /// A tensor has another shape.
    #[error(
        "its tensor {name} has the shape {found:?} and the configuration asks for {expected:?}"
    )]
    Shape {
        /// Which.
        name: String,
        /// In the snapshot.
        found: Vec<i64>,
        /// In the session.
        expected: Vec<i64>,
    },
}

impl Snapshot {
    /// The same in memory of its own, which later steps leave alone.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self {
            steps: self.steps,
            tensors: self
                .tensors
                .iter()
                .map(|(name, tensor)| (name.clone(), tensor.copy()))
                .collect(),
        }
    }

    /// The tensor of this name, if it has this shape.
    pub(super) fn fitting(&self, name: &str, shape: &[i64]) -> Result<&Tensor, SnapshotError> {
        let (_, tensor) = self
            .tensors
            .iter()
            .find(|(candidate, _)| candidate == name)
            .ok_or_else(|| SnapshotError::Missing(name.to_owned()))?;
        let found = tensor.size();
        if found == shape {
            Ok(tensor)
        } else {
            Err(SnapshotError::Shape {
                name: name.to_owned(),
                found,
                expected: shape.to_vec(),
            })
        }
    }
}
