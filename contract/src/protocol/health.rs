//! Health checks: what a judge and some plain measures say about a run while it trains.

use serde::{Deserialize, Serialize};

use super::finite;
use super::report::FeatureKind;

/// A health check: how a run did at a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Steps done.
    pub step: u64,
    /// Epoch of the last step.
    pub epoch: u64,
    /// Seconds of training, resumed parts added.
    #[serde(with = "finite", default = "finite::nan")]
    pub training_seconds: f64,
    /// What the figures come to.
    pub verdict: Verdict,
    /// The verdict and the figure behind it, in words.
    pub words: String,
    /// The figure behind the verdict, in words; empty in the logs of older runs.
    #[serde(default)]
    pub reason: String,
    /// Quick distance: squared Fréchet distance of 2,000 pictures to training images, less its bias; about 0 for real
    /// images. Not the figure of `eval`. NaN where there are too few training images.
    #[serde(with = "finite", default = "finite::nan")]
    pub quick_distance: f64,
    /// The features that the quick distance is in; `None` where there is none, and in the logs of older runs, which knew
    /// those of a judge only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeatureKind>,
    /// Share of the pictures that the judge takes for each class, 0 to 1; empty where there is no judge for the data.
    #[serde(default)]
    pub histogram: Vec<f64>,
    /// The same of real images; empty in the logs of older runs, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram_real: Vec<f64>,
    /// Variety of the pictures over that of real ones: about 1 for real ones, 0 for one picture again and again.
    #[serde(with = "finite", default = "finite::nan")]
    pub diversity: f64,
    /// Mean probability of the class that a picture was taken for, up to 1.
    #[serde(with = "finite", default = "finite::nan")]
    pub confidence: f64,
    /// Share of real images that the discriminator takes for real, 0 to 1.
    #[serde(with = "finite", default = "finite::nan")]
    pub accuracy_real: f64,
    /// Share of fakes that the discriminator takes for fake, 0 to 1.
    #[serde(with = "finite", default = "finite::nan")]
    pub accuracy_fake: f64,
    /// Share of the pictures' pixels that are quite black or quite white, 0 to 1.
    #[serde(with = "finite", default = "finite::nan")]
    pub saturated: f64,
    /// The same of real images.
    #[serde(with = "finite", default = "finite::nan")]
    pub saturated_real: f64,
    /// The best quick distance of this run so far, with its step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
}

impl Health {
    /// What its quality curve keeps of it.
    pub fn quality(&self) -> Quality {
        Quality {
            step: self.step,
            training_seconds: self.training_seconds,
            quick_distance: self.quick_distance,
            features: self.features,
        }
    }
}

/// A point of a run's quality curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Steps done.
    pub step: u64,
    /// Seconds of training, resumed parts added.
    #[serde(with = "finite", default = "finite::nan")]
    pub training_seconds: f64,
    /// Quick distance, as [`Health`] tells it.
    #[serde(with = "finite", default = "finite::nan")]
    pub quick_distance: f64,
    /// The features that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeatureKind>,
}

/// The best quick distance of a run, and when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps done.
    pub step: u64,
    /// Quick distance.
    pub quick_distance: f64,
}

/// What the figures come to. The order is that of the alarm: the first that holds is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Verdict {
    /// Too early to tell, or nothing to tell it by.
    Unclear,
    /// The pictures get better, or are good.
    Learning,
    /// The quick distance has not fallen for long.
    Settled,
    /// The discriminator tells real from fake nearly always, and the generator does not get better.
    DiscriminatorWins,
    /// The discriminator takes most fakes for real.
    GeneratorWins,
    /// The pictures repeat themselves.
    Collapsing {
        /// Classes that are next to gone, 0 and up.
        missing: Vec<u32>,
    },
    /// The figures run away.
    Diverging,
    /// The pictures are nearer to training images than unseen real ones are.
    Memorising,
    /// A verdict of a newer build.
    #[serde(other)]
    Unknown,
}

impl Verdict {
    /// Whether a user should look at the run.
    pub fn is_alarm(&self) -> bool {
        matches!(
            self,
            Self::DiscriminatorWins
                | Self::GeneratorWins
                | Self::Collapsing { .. }
                | Self::Diverging
                | Self::Memorising
        )
    }

    /// The verdict in a word or two.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unclear | Self::Unknown => "–",
            Self::Learning => "learning",
            Self::Settled => "settled",
            Self::DiscriminatorWins => "D wins",
            Self::GeneratorWins => "G wins",
            Self::Collapsing { .. } => "collapsing",
            Self::Diverging => "diverging",
            Self::Memorising => "memorising",
        }
    }
}

/// A step that went wrong, and what was done about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rollback {
    /// The step that went wrong.
    pub step: u64,
    /// The step that the run went back to.
    pub back_to: u64,
    /// Which attempt begins, from 1.
    pub attempt: u64,
    /// What was not finite, and in which layer first.
    pub cause: String,
    /// The generator's learning rate from here on.
    pub generator_learning_rate: f64,
    /// The discriminator's.
    pub discriminator_learning_rate: f64,
}
