//! Pictures from chosen places of a generator's latent space.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Pictures, finite};

/// A generator whose latent space is to be looked at. The worker loads it once and answers requests until its stdin ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatentTask {
    /// The safetensors file.
    pub checkpoint: PathBuf,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub device: String,
}

/// What a picture is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentPoint {
    /// The noise.
    pub noise: LatentNoise,
    /// The class, for a class-conditional generator; class 0 if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<u64>,
}

/// Noise: one vector of `latent_dim` numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatentNoise {
    /// `torch.manual_seed(seed)`, then `torch.randn(1, latent_dim)`: that of `sparring sample -n 1 --seed SEED`.
    Seed(u64),
    /// The numbers themselves.
    Vector(Vec<f32>),
}

/// What is asked of a generator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum LatentRequest {
    /// Pictures of some points.
    Draw {
        /// Which, 1 to 256.
        points: Vec<LatentPoint>,
    },
    /// Pictures on the way from each stop to the next. The noise goes along great circles (White 2016, «Sampling Generative
    /// Networks»), classes fade into each other.
    Interpolate {
        /// At least two.
        stops: Vec<LatentPoint>,
        /// Pictures in all, the stops included; at least as many as stops.
        frames: u32,
        /// Whether to go on from the last stop to the first.
        cyclic: bool,
    },
    /// Pictures in which one property changes and, as far as possible, nothing else.
    Edit {
        /// Where it starts.
        from: LatentPoint,
        /// Names of properties; all that were found if empty.
        properties: Vec<String>,
        /// How far to go to each side: standard deviations of the property among the generator's pictures.
        amount: f64,
        /// Pictures to each side of the start.
        to_each_side: u32,
        /// From how many other starts to go the same way, to say how often it works.
        trials: u32,
    },
    /// The noise whose pictures come closest to a user's pictures.
    Project {
        /// Pictures, folders, IDX files or `.npz` files.
        inputs: Vec<PathBuf>,
        /// The class to search in, for a class-conditional generator; all classes if none is given.
        class: Option<u64>,
        /// Seed of the samples from which the search starts.
        seed: u64,
    },
}

/// One property, changed step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// A name for programs, such as `slant` or `principal-1`.
    pub property: String,
    /// The same in words, with its unit.
    pub words: String,
    /// Whether it is a principal direction: one of those that change most pixels, without a name that says what they mean.
    pub is_principal: bool,
    /// The values of the property, one for each picture; empty for principal directions.
    pub values: Vec<f64>,
    /// Standard deviation of the property among the generator's pictures; NaN for principal directions.
    #[serde(with = "finite", default = "finite::nan")]
    pub deviation: f64,
    /// How well it worked from other starts.
    pub trials: EditTrials,
    /// From the least to the most of the property; the start is in the middle.
    pub pictures: Pictures,
}

/// How edits from random starts went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EditTrials {
    /// How many starts.
    pub count: u32,
    /// Share of them in which the property grew from each picture to the next, 0 to 1; NaN for principal directions.
    #[serde(with = "finite", default = "finite::nan")]
    pub monotone: f64,
    /// Share of them in which the judge takes the first picture for the class of the one in the middle; `None` without a
    /// judge.
    pub label_kept_least: Option<f64>,
    /// The same of the last picture.
    pub label_kept_most: Option<f64>,
}

/// The noise that comes closest to a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projected {
    /// What the picture is called.
    pub name: String,
    /// The noise.
    pub z: Vec<f32>,
    /// The class that it was found in, for a class-conditional generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<u64>,
    /// How close it comes.
    #[serde(flatten)]
    pub found: Closeness,
    /// How close the nearest of the samples comes from which the search started.
    pub nearest_sample: Closeness,
    /// How many samples those were.
    pub samples: u64,
    /// The picture, the nearest sample, pictures on the way, and the result.
    pub pictures: Pictures,
}

/// How close one picture is to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closeness {
    /// Mean squared difference of pixels from 0 to 1.
    pub mse: f64,
    /// Distance in the judge's features; `None` without a judge.
    pub feature_distance: Option<f64>,
    /// Whether the judge takes both for the same class; `None` without a judge.
    pub same_label: Option<bool>,
}
