//! A walk through the latent space of a run while it trains.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a user looks: noise of a seed, moved along directions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exploration {
    /// Seed of the noise: that of `sparring sample -n 1 --seed SEED`.
    pub seed: u64,
    /// The class, for a class-conditional generator; the first if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<u64>,
    /// How far the noise is moved along each direction; along others not.
    #[serde(default)]
    pub coordinates: Vec<Coordinate>,
    /// The directions in which the neighbours lie that are shown around the point, across and up; the run's first two if
    /// none are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axes: Option<[String; 2]>,
}

impl Exploration {
    /// From a point to its neighbour: standard deviations of the noise.
    pub const STEP: f64 = 0.5;

    /// Pictures across, and as many down, that are shown: the point in the middle, and its neighbours.
    pub const SIDE: usize = 3;
}

/// A place on a direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coordinate {
    /// Name of the direction, such as `slant` or `principal-1`.
    pub direction: String,
    /// Standard deviations of the noise, from the seed's own place.
    pub amount: f64,
}

/// A point that a user kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptPoint {
    /// Steps done.
    pub step: u64,
    /// Its name in the run, such as `point-1`.
    pub name: String,
    /// Where it is.
    #[serde(flatten)]
    pub place: Exploration,
    /// Its noise. Directions change as a run trains; this does not.
    pub z: Vec<f32>,
    /// Its picture, a PNG file.
    pub path: PathBuf,
}
