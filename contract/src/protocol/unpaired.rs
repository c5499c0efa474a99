//! How a run does at translating between two domains without pairs.

use serde::{Deserialize, Serialize};

/// How a run does at translating between two domains, beside plain methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnpairedReport {
    /// From the first domain to the second, and back.
    pub directions: [Direction; 2],
    /// Which figures are missing, and why.
    #[serde(default)]
    pub left_out: Option<String>,
}

/// How it does in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Direction {
    /// The domain that pictures are taken from.
    pub from: String,
    /// The domain that they are made pictures of.
    pub to: String,
    /// How many were translated.
    pub pictures: u64,
    /// Whether the run did not learn from them.
    pub held_out: bool,
    /// Pictures of the other domain that these are compared with, in words.
    #[serde(default)]
    pub against: String,
    /// The run, the plain methods, and real pictures of the other domain.
    pub methods: Vec<TranslatedBy>,
}

/// One way to translate, and how it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TranslatedBy {
    /// A name for programs: `run`, `unchanged`, `nearest` or `real`.
    pub name: String,
    /// The same in words.
    pub words: String,
    /// Share of the pictures that the judge takes for the class that they are to be of, 0 to 1; `None` without a judge.
    #[serde(default)]
    pub taken: Option<f64>,
    /// Fréchet distance to held-out pictures of the other domain, as a multiple of that of as many real training pictures.
    #[serde(default)]
    pub frechet: Option<f64>,
    /// Peak signal-to-noise ratio in decibels, of the mean error of all pictures, of what comes back when a translation is
    /// translated again; `None` for real pictures of the other domain, and for what comes back without any error.
    #[serde(default)]
    pub back: Option<f64>,
}
