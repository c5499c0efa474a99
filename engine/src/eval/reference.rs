//! What a judge says of pictures, held against real ones.

use sparring_contract::protocol::Figures;
use tch::{Kind, Tensor};

use super::classifier::{CLASSES, Classifier, Predictions, shares};
use super::gaussian::Gaussian;
use super::neighbours::{Reach, reach};

/// Pictures of each kind in recall and coverage, at most.
const REACH: i64 = 5000;

/// Real digits as a judge sees them.
#[derive(Debug)]
pub(super) struct Reference {
    gaussian: Gaussian,
    /// `[n, 64]`, f64.
    features: Tensor,
    /// The share that each class really has.
    shares: [f64; CLASSES],
}

impl Reference {
    /// That of real digits `[n, 1, 28, 28]`, u8, and what they are, `[n]`, i64.
    pub(super) fn new(classifier: &Classifier, digits: &Tensor, labels: &Tensor) -> Self {
        let features = classifier.look(digits).features;
        Self {
            gaussian: Gaussian::of(&features),
            features,
            shares: shares(labels),
        }
    }

    pub(super) fn frechet(&self, seen: &Predictions) -> f64 {
        Gaussian::of(&seen.features).distance(&self.gaussian)
    }

    /// All that needs a classifier.
    pub(super) fn figures(&self, seen: &Predictions) -> Figures {
        let count = REACH
            .min(seen.features.size()[0])
            .min(self.features.size()[0]);
        let Reach { recall, coverage } =
            reach(&some(&seen.features, count), &some(&self.features, count));
        let apart: f64 = seen
            .histogram
            .iter()
            .zip(self.shares)
            .map(|(found, real)| (found - real).abs())
            .sum();
        Figures {
            frechet: Some(self.frechet(seen)),
            recall: Some(recall),
            coverage: Some(coverage),
            class_variation: Some(apart / 2.0),
            classes: Some(seen.histogram),
            confidence: Some(seen.confidence),
            ..Figures::default()
        }
    }
}

/// So many of the points `[n, …]`, from all over them: real data sets and repeated pictures come in an order.
pub(super) fn some(points: &Tensor, count: i64) -> Tensor {
    /// A prime: its multiples visit every place once, but where it divides the number of points.
    const STRIDE: i64 = 7919;
    let all = points.size()[0];
    let places = (Tensor::arange(count, (Kind::Int64, points.device())) * STRIDE).remainder(all);
    points.index_select(0, &places)
}
