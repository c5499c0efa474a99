//! The features of real pictures, and figures of others compared with them.

use sparring_contract::protocol::Figures;
use tch::{Kind, Tensor};

use super::classifier::Predictions;
use super::frechet::{Gaussian, mean_distance};
use super::neighbours::{RecallCoverage, recall_and_coverage};

/// Pictures of each kind in recall and coverage, at most.
const NEIGHBOURS: i64 = 5000;

/// Real pictures in some features.
#[derive(Debug)]
pub(super) struct Reference {
    gaussian: Gaussian,
    /// `[n, d]`, f64.
    features: Tensor,
    /// Pictures in one Fréchet distance.
    group: i64,
}

impl Reference {
    /// That of the features `[n, d]`, f64, of real pictures. Others are compared in groups of `group`, n ≥ 2.
    pub(super) fn new(features: Tensor, group: i64) -> Self {
        Self {
            gaussian: Gaussian::of(&features),
            features,
            group,
        }
    }

    /// Mean Fréchet distance of the groups of pictures with these features.
    pub(super) fn frechet(&self, features: &Tensor) -> f64 {
        mean_distance(features, &self.gaussian, self.group)
    }

    /// Fréchet distance, recall and coverage.
    pub(super) fn figures(&self, features: &Tensor) -> Figures {
        let count = NEIGHBOURS
            .min(features.size()[0])
            .min(self.features.size()[0]);
        let RecallCoverage { recall, coverage } = recall_and_coverage(
            &spread_sample(features, count),
            &spread_sample(&self.features, count),
        );
        Figures {
            frechet: Some(self.frechet(features)),
            recall: Some(recall),
            coverage: Some(coverage),
            ..Figures::default()
        }
    }
}

/// Adds what a judge says of the classes, whose real shares are `real`.
pub(super) fn with_classes(figures: Figures, predictions: &Predictions, real: &[f64]) -> Figures {
    let variation: f64 = predictions
        .histogram
        .iter()
        .zip(real)
        .map(|(found, real)| (found - real).abs())
        .sum();
    Figures {
        class_variation: Some(variation / 2.0),
        classes: Some(predictions.histogram.clone()),
        confidence: Some(predictions.confidence),
        ..figures
    }
}

/// `count` of the points `[n, …]`, spread over all of them: real data sets and repeated pictures come in an order.
pub(super) fn spread_sample(points: &Tensor, count: i64) -> Tensor {
    /// A prime: its multiples visit every place once, unless it divides the number of points.
    const STRIDE: i64 = 7919;
    let all = points.size()[0];
    let places = (Tensor::arange(count, (Kind::Int64, points.device())) * STRIDE).remainder(all);
    points.index_select(0, &places)
}
