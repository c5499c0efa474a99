//! Named tensors, as they go into checkpoints and come out of them.

use tch::Tensor;

use crate::native::{fetched, no_grad};

/// The state of a training session, as PyTorch's `state_dict()`: everything that the next step depends on.
///
/// Weights and statistics have the names of the PyTorch modules (`generator.model.0.weight`), Adam's moments the name
/// of their weight (`optimizer.generator.model.0.weight.exp_avg`).
#[derive(Debug)]
pub struct StateDict {
    /// Steps made so far.
    pub steps: u64,
    /// Names and values, in a fixed order.
    pub tensors: Vec<(String, Tensor)>,
}

/// Why a state dict does not fit a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateDictError {
    /// A tensor is missing.
    #[error("the tensor {0} is missing: another model, or a file of another program")]
    Missing(String),
    /// A tensor has another shape.
    #[error(
        "the tensor {name} has the shape {found:?}, but the configuration asks for {expected:?}"
    )]
    Shape {
        /// Its name.
        name: String,
        /// Its shape in the state dict.
        found: Vec<i64>,
        /// The shape of the model's tensor.
        expected: Vec<i64>,
    },
}

impl StateDict {
    /// A copy in memory of its own. (The tensors of a session's own state dict share the session's memory.)
    #[must_use]
    pub fn deep_copy(&self) -> Self {
        let tensors = self.tensors.iter();
        Self {
            steps: self.steps,
            tensors: tensors
                .map(|(name, tensor)| (name.clone(), tensor.copy()))
                .collect(),
        }
    }

    /// The same on the CPU. Waits for a GPU once.
    #[must_use]
    pub fn on_cpu(&self) -> Self {
        let (names, tensors): (Vec<_>, Vec<_>) = self
            .tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.shallow_clone()))
            .unzip();
        Self {
            steps: self.steps,
            tensors: names.into_iter().zip(fetched(&tensors)).collect(),
        }
    }

    /// Takes over the values of another state of the same session, into this one's memory.
    pub fn copy_from(&mut self, other: &Self) {
        self.steps = other.steps;
        no_grad(|| {
            for ((_, own), (_, tensor)) in self.tensors.iter_mut().zip(&other.tensors) {
                own.copy_(tensor);
            }
        });
    }

    /// The tensor of this name and shape.
    pub fn get(&self, name: &str, shape: &[i64]) -> Result<&Tensor, StateDictError> {
        let mut tensors = self.tensors.iter();
        let (_, tensor) = tensors
            .find(|(candidate, _)| candidate == name)
            .ok_or_else(|| StateDictError::Missing(name.to_owned()))?;
        let found = tensor.size();
        if found == shape {
            Ok(tensor)
        } else {
            Err(StateDictError::Shape {
                name: name.to_owned(),
                found,
                expected: shape.to_vec(),
            })
        }
    }
}
