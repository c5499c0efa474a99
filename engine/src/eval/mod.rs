//! Evaluation: how good generated pictures are, compared with the real pictures of a data set.
//!
//! The judge is a classifier of the data's classes; pictures are compared in its features, or, where there is no judge,
//! in features that need no labels. Neither has any part in training. [`Evaluator::measure`] is the whole evaluation,
//! [`QuickFrechet::measure`] a quick one for someone who watches a training. docs/JUDGE.md says what each figure sees
//! and what it is blind to.

mod bias;
mod classifier;
mod comparison;
mod controls;
mod domains;
mod error;
mod evaluator;
mod features;
mod fidelity;
mod fine;
mod frechet;
mod judge;
mod judge_file;
pub mod judges;
mod neighbours;
mod noise;
mod patches;
mod pixels;
mod plain;
mod quick;
mod real;
mod reference;
mod restoration;
mod train;
mod usefulness;

pub use classifier::{Classifier, FEATURES, Predictions, Subject};
pub use controls::Defect;
pub use domains::Domains;
pub use error::{EvalError, JudgeError};
pub use evaluator::Evaluator;
pub use fidelity::fidelity;
pub use frechet::Gaussian;
pub use judge::Judge;
pub use judge_file::JudgeFileError;
pub use neighbours::{RecallCoverage, recall_and_coverage};
pub use patches::PatchFilters;
pub use pixels::{Copying, neighbour_distance, saturated};
pub use plain::PlainMethod;
pub use quick::{QuickFigures, QuickFrechet};
pub use real::{PICTURES, Part, RealData};
pub use restoration::{Restoration, references};
pub use train::train;

/// Where each chunk of at most `size` of `count` things begins, and its length.
pub(crate) fn chunks(count: i64, size: i64) -> impl Iterator<Item = (i64, i64)> {
    (0..(count + size - 1) / size).map(move |chunk| (chunk * size, size.min(count - chunk * size)))
}
