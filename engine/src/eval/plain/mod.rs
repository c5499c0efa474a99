//! What one would do without a network: plain methods that make pictures from conditions, for comparison.

mod filled;
mod nearest;

use tch::Tensor;

use crate::data::Degradation;

use filled::filled;
pub(super) use nearest::Training;

/// A plain method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainMethod {
    /// The condition as it is; a grey one in all channels.
    Unchanged,
    /// The condition is a picture that was enlarged by bicubic interpolation.
    Bicubic,
    /// What edges enclose is white.
    Filled,
    /// The training picture whose condition is nearest.
    Nearest,
    /// The mean of the 16 training pictures whose conditions are nearest.
    MeanOfNearest,
}

impl PlainMethod {
    /// The methods for a task.
    pub fn of(degradation: Degradation) -> [Self; 2] {
        match degradation {
            Degradation::Holes(_) => [Self::MeanOfNearest, Self::Nearest],
            Degradation::Reduced(_) => [Self::Bicubic, Self::Nearest],
            Degradation::Edges => [Self::Filled, Self::Nearest],
            Degradation::Thin
            | Degradation::Thick
            | Degradation::Grey
            | Degradation::Partner
            | Degradation::Unpaired => [Self::Unchanged, Self::Nearest],
        }
    }

    /// A name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Bicubic => "bicubic",
            Self::Filled => "filled",
            Self::Nearest => "nearest",
            Self::MeanOfNearest => "mean_of_16_nearest",
        }
    }

    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Bicubic => "bicubic interpolation",
            Self::Filled => "filled holes",
            Self::Nearest => "nearest training picture",
            Self::MeanOfNearest => "mean of the 16 nearest",
        }
    }

    /// Pictures `[n, channels, h, w]` in [-1, 1], from the conditions `[n, …, h, w]` of a degradation.
    pub(super) fn apply(self, conditions: &Tensor, training: &Training) -> Tensor {
        match self {
            Self::Unchanged | Self::Bicubic => training.as_picture(conditions),
            Self::Filled => training.as_picture(&filled(conditions)),
            Self::Nearest => training.nearest(conditions, 1),
            Self::MeanOfNearest => training.nearest(conditions, 16),
        }
    }
}
