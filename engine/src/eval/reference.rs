//! The features of real pictures, and figures of others compared with them.

use sparring_contract::protocol::Figures;
use tch::{Device, Kind, Tensor};

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
pub(super) fn with_classes(
    mut figures: Figures,
    predictions: &Predictions,
    real: &[f64],
) -> Figures {
    let variation: f64 = predictions
        .histogram
        .iter()
        .zip(real)
        .map(|(found, real)| (found - real).abs())
        .sum();
    figures.class_variation = Some(variation / 2.0);
    figures.classes = Some(predictions.histogram.clone());
    figures.confidence = Some(predictions.confidence);
    figures
}

/// `count` of the points `[n, …]`, in the order of [`spread_order`].
pub(super) fn spread_sample(points: &Tensor, count: i64) -> Tensor {
    let places = spread_order(points.size()[0], count).to_device(points.device());
    points.index_select(0, &places)
}

/// `count` places among `all`, spread over all of them and each once, i64: data sets and repeated pictures come in an
/// order, often class by class.
pub(super) fn spread_order(all: i64, count: i64) -> Tensor {
    /// Primes: the multiples of one visit every place once, unless it divides the number of places.
    const STRIDES: [i64; 2] = [7919, 7907];
    let stride = if all % STRIDES[0] == 0 {
        STRIDES[1]
    } else {
        STRIDES[0]
    };
    let steps = Tensor::arange(count, (Kind::Int64, Device::Cpu));
    (steps * stride).remainder(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_comes_once_and_the_first_ones_lie_all_over() {
        for all in [1, 2, 100, 7919, 15_838, 60_000] {
            let (sorted, _) = spread_order(all, all).sort(0, false);
            assert_eq!(sorted, Tensor::arange(all, (Kind::Int64, Device::Cpu)));
        }
        let tenths = spread_order(60_000, 600).divide_scalar_mode(6000, "floor");
        let counts = tenths.to_kind(Kind::Int64).bincount(None::<Tensor>, 10);
        assert!(counts.min().int64_value(&[]) > 50, "{counts}");
    }
}
