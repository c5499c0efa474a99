//! A quick Fréchet distance: few pictures, a fraction of a second, for someone who watches a training.

use sparring_contract::protocol::FeatureKind;
use tch::Tensor;

use super::bias::{FEW, Parted, bias};
use super::controls::blurred;
use super::features::Features;
use super::frechet::{Gaussian, mean_distance};
use super::judge::Judge;
use super::real::FEWEST_REAL;
use super::reference::spread_sample;

/// What a quick comparison tells. None of it is a figure of `sparring eval`: it is of fewer pictures, and compared with
/// training pictures, so that what is chosen by it can still be reported against held-out ones.
#[derive(Clone, Debug, PartialEq)]
pub struct QuickFigures {
    /// Squared Fréchet distance to up to 10,000 training pictures, less what real ones read: about 0 for real pictures,
    /// and for sets of 2,000 real digits −0.2 to 1.0.
    pub frechet: f64,
    /// Predicted class distribution: a share for each class. Empty without a judge.
    pub histogram: Vec<f64>,
    /// Mean probability of the predicted class, 1/classes to 1; NaN without a judge.
    pub confidence: f64,
}

/// A data set, prepared for quick comparisons.
#[derive(Debug)]
pub struct QuickFrechet {
    features: Features,
    /// Share of each class among real pictures; empty without a judge.
    class_shares: Vec<f64>,
    gaussian: Gaussian,
    /// Pictures in one Fréchet distance.
    group: i64,
    /// FD(n) ≈ FD(∞) + bias / n
    bias: f64,
    /// Quick distance of blurred training pictures.
    blurred: f64,
}

/// The quick distance of good pictures, as a share of that of blurred ones: 12 of 76 for MNIST, where 12 proved right.
const GOOD: f64 = 0.158;

/// What cannot be told from nothing, as a share of the bias: the distance of a set of real pictures scatters by a third
/// of it.
const UNTOLD: f64 = 0.5;

/// Training pictures that features without labels are fitted to and compared with, at most, and so many whatever their
/// size; and pixels of all of them. Such features take longer than a judge's: this is a few seconds on two cores.
const UNLABELLED: (i64, i64) = (2000, 10_000);
const UNLABELLED_PIXELS: i64 = 8_000_000;

impl QuickFrechet {
    /// How many pictures a comparison is meant for.
    pub const PICTURES: i64 = FEW;

    /// Prepares training pictures `[n, channels, height, width]`, u8, with their judge, if there is one, else with features
    /// that need no labels. The features are computed on the device that holds the pictures. `None` if there are fewer
    /// than 40 pictures. On two cores and with the judge of MNIST this takes a second or two, and a comparison a quarter
    /// of a second; without labels some seconds, and half a second.
    pub fn new(training: &Tensor, judge: Option<Judge>) -> Option<Self> {
        let known = judge.as_ref().map(|judge| judge.record().bias);
        Self::with_bias(training, judge, known)
    }

    /// As [`QuickFrechet::new`], of a part of the pictures that the judge was trained on, such as a class.
    pub fn of_part(training: &Tensor, judge: Option<Judge>) -> Option<Self> {
        Self::with_bias(training, judge, None)
    }

    fn with_bias(training: &Tensor, judge: Option<Judge>, known: Option<f64>) -> Option<Self> {
        if training.size()[0] < 2 * FEWEST_REAL {
            return None;
        }
        let (parted, features) = if let Some(judge) = judge {
            let (classifier, _) = judge.into_parts();
            (Parted::of(training), Features::Judge(classifier))
        } else {
            let parted = Parted::of(&affordable(training));
            let features = Features::unlabelled(&parted.others);
            (parted, features)
        };
        let features = features.on(training.device());
        let (real, class_shares) = match &features {
            Features::Judge(classifier) => {
                let predictions = classifier.predict(&parted.real);
                (predictions.features, predictions.histogram)
            }
            Features::Unlabelled(_) => (features.of(&parted.real), Vec::new()),
        };
        let gaussian = Gaussian::of(&real);
        let mut quick = Self {
            bias: known.unwrap_or_else(|| bias(&features, &parted, &gaussian)),
            features,
            class_shares,
            gaussian,
            group: parted.group,
            blurred: f64::NAN,
        };
        let some = parted.others.narrow(0, 0, parted.group);
        quick.blurred = quick.measure(&blurred(&some)).frechet;
        Some(quick)
    }

    /// What gives the features of a data set with this judge, if it has one.
    pub fn features_with(judge: Option<&Judge>) -> FeatureKind {
        match judge {
            Some(_) => FeatureKind::Judge,
            None => FeatureKind::Unlabelled,
        }
    }

    /// What gives the features.
    pub fn features(&self) -> FeatureKind {
        self.features.kind()
    }

    /// Share of the training pictures that the judge takes for each class, in the order of the classes: what a
    /// [`QuickFigures::histogram`] of real pictures is like. Empty without a judge.
    pub fn class_shares(&self) -> &[f64] {
        &self.class_shares
    }

    /// Up to this quick distance pictures are good: 15.8 % of that of training pictures blurred over 3×3 pixels, 12 for
    /// MNIST; but at least half of the bias. That is more where there are few pictures, or a blur hardly changes them.
    pub fn good(&self) -> f64 {
        let floor = self.bias / self.group as f64;
        (self.blurred * GOOD).max(floor * UNTOLD)
    }

    /// The share of pictures that the judge takes for the same class as their originals, both `[n, channels, height, width]`,
    /// u8; `None` without a judge.
    pub fn agreement(&self, pictures: &Tensor, originals: &Tensor) -> Option<f64> {
        match &self.features {
            Features::Judge(classifier) => Some(classifier.agreement(pictures, originals)),
            Features::Unlabelled(_) => None,
        }
    }

    /// Compares pictures `[n, channels, height, width]`, u8, on any device; more than 64, better 2,000, and up to 10,000.
    /// Draws nothing from libtorch's generator.
    pub fn measure(&self, pictures: &Tensor) -> QuickFigures {
        let (features, predictions) = match &self.features {
            Features::Judge(classifier) => {
                let predictions = classifier.predict(pictures);
                (predictions.features.shallow_clone(), Some(predictions))
            }
            features @ Features::Unlabelled(_) => (features.of(pictures), None),
        };
        let group = self.group.min(features.size()[0]);
        let distance = mean_distance(&features, &self.gaussian, group);
        QuickFigures {
            frechet: distance - self.bias / group as f64,
            confidence: predictions
                .as_ref()
                .map_or(f64::NAN, |predictions| predictions.confidence),
            histogram: predictions
                .map(|predictions| predictions.histogram)
                .unwrap_or_default(),
        }
    }
}

/// Training pictures for features without labels, spread over all of them.
fn affordable(training: &Tensor) -> Tensor {
    let size = training.size();
    let (least, most) = UNLABELLED;
    let count = (UNLABELLED_PIXELS / (size[2] * size[3])).clamp(least, most);
    spread_sample(training, count.min(size[0]))
}
