//! Pictures that are to be made from a user's pictures.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{Mask, TaskKind};

/// What is to be made from a user's pictures, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Translation {
    /// The safetensors file.
    pub checkpoint: PathBuf,
    /// What it must have learnt.
    pub learnt: TaskKind,
    /// Pictures, folders, IDX files or `.npz` files.
    pub inputs: Vec<PathBuf>,
    /// For a repair, which pixels are missing; `None`: those that the run was trained on.
    #[serde(default)]
    pub mask: Option<MaskChoice>,
    /// Whether the pictures are whole, and what the generator starts from is to be made of them first. For a repair they are.
    #[serde(default)]
    pub from_whole: bool,
    /// For a run that learnt without pairs, the domain that pictures are to be made of; `None`: the second one.
    #[serde(default)]
    pub to: Option<String>,
    /// How many answers to make from each.
    pub answers: u32,
    /// Seed of masks and noise.
    pub seed: u64,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub device: String,
}

/// Which pixels are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskChoice {
    /// Those of a mask that a run can be trained on.
    Named(Mask),
    /// Those that are white in a picture.
    File(PathBuf),
}
