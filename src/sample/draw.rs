//! What to draw.

use std::path::PathBuf;

use sparring_contract::protocol::{Task, Truncation};
use sparring_contract::run::CheckpointHeader;

use super::Shape;

/// What to draw.
#[derive(Clone, Debug)]
pub struct Draw {
    /// The checkpoint's file, by its absolute path.
    pub checkpoint: PathBuf,
    /// The run, if the checkpoint was found through one.
    pub run: Option<String>,
    /// What the checkpoint says about itself.
    pub header: CheckpointHeader,
    /// How many pictures, at least 1.
    pub count: u64,
    /// Seed of the noise.
    pub seed: u64,
    /// The label of the one class to draw, for a conditional generator.
    pub class: Option<u64>,
    /// What is done to the noise.
    pub truncation: Truncation,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub device: String,
}

impl Draw {
    /// The shape of each picture.
    pub fn shape(&self) -> Shape {
        Shape::new(self.header.shape)
    }

    /// The task of drawing the pictures from number `first` on.
    pub(super) fn task(&self, first: u64) -> Task {
        Task::Sample {
            checkpoint: self.checkpoint.clone(),
            count: self.count,
            first,
            seed: self.seed,
            class: self.class,
            truncation: self.truncation,
            device: self.device.clone(),
        }
    }
}
