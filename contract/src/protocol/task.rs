//! Work that needs libtorch but no run: a face starts a worker for it and talks to it over a pipe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Pictures;

/// What a worker on a pipe is asked to do. One task, and the worker ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Draw pictures from a checkpoint's generator.
    Sample {
        /// The safetensors file.
        checkpoint: PathBuf,
        /// How many pictures.
        count: u64,
        /// Seed of the noise: `torch.manual_seed(seed)`, then `torch.randn(n, latent_dim)` for each batch of up to
        /// 256 pictures.
        seed: u64,
        /// `auto`, `cpu`, `cuda` or `cuda:N`.
        device: String,
    },
}

/// What a worker on a pipe answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum TaskReply {
    /// Some of the pictures, in order.
    Pictures(Pictures),
    /// All is done.
    Done,
    /// It could not be done.
    Failed {
        /// What, where, what to do.
        message: String,
    },
}
