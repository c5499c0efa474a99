//! What layers, blocks and whole networks have in common.

use std::fmt;

use tch::Tensor;

/// Whether a forward pass trains the module or uses what it has learnt, as `train()` and `eval()` in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch norms use and record the statistics of the batch; dropout drops.
    Train,
    /// Batch norms use their running statistics; dropout does nothing.
    Eval,
}

/// Tensors with their names inside a module, in PyTorch's order.
pub type NamedTensors<'a> = Vec<(String, &'a Tensor)>;

/// A function of a tensor with parameters, like `torch.nn.Module`.
pub trait Module: fmt::Debug + Send {
    /// The output for a batch; the first dimension counts the examples.
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor;

    /// What the optimiser trains.
    fn parameters(&self) -> NamedTensors<'_> {
        Vec::new()
    }

    /// What belongs to the state but is not trained, such as running statistics.
    fn buffers(&self) -> NamedTensors<'_> {
        Vec::new()
    }

    /// How many entries of a `torch.nn.Sequential` this module replaces: a layer that applies its activation itself
    /// counts for two.
    fn torch_modules(&self) -> usize {
        1
    }
}
