//! How near made pictures come to the true ones: the figures of tasks from picture to picture.

use serde::{Deserialize, Serialize};

use super::finite;

/// How near some pictures are to the true ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fidelity {
    /// Peak signal-to-noise ratio in decibels, of the mean error of all pictures; in a repair, of the missing pixels.
    #[serde(with = "finite", default = "finite::nan")]
    pub psnr: f64,
    /// Structural similarity, up to 1; NaN for pictures of less than 11 pixels a side.
    #[serde(with = "finite", default = "finite::nan")]
    pub ssim: f64,
    /// Mean absolute difference, 0 to 1; in a repair, of the missing pixels.
    #[serde(with = "finite", default = "finite::nan")]
    pub l1: f64,
    /// Share of the pictures that the judge takes for the class of the original, 0 to 1.
    #[serde(default)]
    pub label_kept: Option<f64>,
    /// Fréchet distance to held-out pictures, as a multiple of that of real training pictures.
    #[serde(default)]
    pub frechet: Option<f64>,
}

/// How a run does at making pictures from pictures, beside plain methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FidelityReport {
    /// The task in words, such as `repair (centre)`.
    pub task: String,
    /// How many pictures were made.
    pub pictures: u64,
    /// The pictures that they were made from, in words: `10000 test digits`.
    pub against: String,
    /// Whether PSNR and L1 are those of the missing pixels only.
    pub missing_only: bool,
    /// The run, the plain methods, and the originals themselves.
    pub methods: Vec<MethodFigures>,
    /// Mean absolute difference, 0 to 1, between two answers to the same question, over that between the answer and the
    /// original; `None` for a generator without noise.
    #[serde(default)]
    pub diversity: Option<f64>,
    /// Which figures are missing, and why.
    #[serde(default)]
    pub left_out: Option<String>,
}

/// One way to make the pictures, and how near it comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodFigures {
    /// A name for programs: `run`, `original`, or that of a plain method such as `bicubic`.
    pub name: String,
    /// The same in words.
    pub words: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: Fidelity,
}
