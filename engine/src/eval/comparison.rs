//! Pictures compared with the held-out pictures of a data set, in some features.

use sparring_contract::protocol::{Control, Figures};
use tch::Tensor;

use super::classifier::class_shares;
use super::controls::Defect;
use super::features::Features;
use super::fine::{COMPONENTS, FineComponents};
use super::neighbours::nearest_distance;
use super::real::RealData;
use super::reference::{Reference, with_classes};

/// Fewer pictures say nothing of a covariance in 300 dimensions.
const FEWEST_FINE: i64 = 1000;

/// What gives the figures of pictures.
#[derive(Debug)]
pub(super) struct Comparison {
    features: Features,
    reference: Reference,
    /// The real share of each class, if a judge knows the classes.
    shares: Option<Vec<f64>>,
    fine: Option<FineComponents>,
}

impl Comparison {
    /// A comparison with the held-out pictures of `data`.
    pub(super) fn new(features: Features, data: &RealData) -> Self {
        let [training, held_out] = [&data.training, &data.held_out];
        let shares = match (&features, data.labels()) {
            (Features::Judge(_), Some([_, labels])) => {
                Some(class_shares(labels, data.num_classes()))
            }
            _ => None,
        };
        let enough = training.count().min(held_out.count()) >= FEWEST_FINE;
        Self {
            reference: Reference::new(features.of(&held_out.pictures), training.count()),
            features,
            shares,
            fine: enough
                .then(|| {
                    FineComponents::of(&training.pictures, &held_out.pictures, training.count())
                })
                .flatten(),
        }
    }

    pub(super) fn features(&self) -> &Features {
        &self.features
    }

    /// Why the fine Fréchet distance is missing, if it is.
    pub(super) fn fine_left_out(&self, data: &RealData) -> Option<String> {
        if self.fine.is_some() {
            return None;
        }
        let count = data.training.count().min(data.held_out.count());
        let needed = if count < FEWEST_FINE {
            format!("{FEWEST_FINE} real pictures to train on and as many to compare with")
        } else {
            let (_, last) = COMPONENTS;
            format!("pictures of {last} pixels or more")
        };
        Some(format!("the fine Fréchet distance needs {needed}"))
    }

    /// The Fréchet distance of pictures `[n, channels, height, width]`, u8.
    pub(super) fn frechet(&self, pictures: &Tensor) -> f64 {
        self.reference.frechet(&self.features.of(pictures))
    }

    /// All figures of pictures `[n, channels, height, width]`, u8, that this comparison gives; n > 5.
    pub(super) fn figures(&self, pictures: &Tensor) -> Figures {
        let figures = match (&self.features, &self.shares) {
            (Features::Judge(classifier), Some(shares)) => {
                let predictions = classifier.predict(pictures);
                let figures = self.reference.figures(&predictions.features);
                with_classes(figures, &predictions, shares)
            }
            (features, _) => self.reference.figures(&features.of(pictures)),
        };
        Figures {
            fine: self.fine.as_ref().map(|fine| fine.distance(pictures)),
            ..figures
        }
    }

    /// The controls of `data`, from the least to the greatest Fréchet distance. `nearest` is the mean distance of a
    /// held-out picture to the nearest training picture; `most` pictures of each control are compared with them.
    /// `progress` is told which begins.
    pub(super) fn controls(
        &self,
        data: &RealData,
        floor: &Figures,
        nearest: f64,
        most: i64,
        progress: &mut dyn FnMut(&str),
    ) -> Vec<Control> {
        let mut controls: Vec<_> = Defect::of(data)
            .map(|defect| {
                progress(&format!("measuring {}", defect.words(data)));
                let pictures = defect.pictures(data);
                let distance = nearest_distance(&pictures, &data.learnt, most);
                let figures = Figures {
                    nearest: Some(distance / nearest).filter(|_| nearest > 0.0),
                    ..self.figures(&pictures)
                };
                defect.control(data, figures, floor.frechet.unwrap_or(f64::NAN))
            })
            .collect();
        controls.sort_by(|a, b| {
            let distance = |control: &Control| control.figures.frechet.unwrap_or(f64::NAN);
            distance(a).total_cmp(&distance(b))
        });
        controls
    }
}
