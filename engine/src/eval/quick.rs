//! A judge's glance: few pictures, a fraction of a second, for someone who watches a training.

use tch::Tensor;

use super::classifier::{CLASSES, Classifier};
use super::gaussian::Gaussian;
use super::neighbours::reach;
use super::reference::some;
use super::{Judge, JudgeError};

/// What a glance tells. None of it is a figure of `sparring eval`: it is of fewer pictures, and held against training
/// digits, so that what is chosen by it can still be reported against test digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuickFigures {
    /// Squared Fréchet distance to 10,000 training digits, less the bias of so few pictures: −0.2 to 1.0 for sets of
    /// 2,000 real digits.
    pub frechet: f64,
    /// Share of the pictures that the judge takes for each digit.
    pub histogram: [f64; CLASSES],
    /// Share of real digits, as many as the pictures, that have a picture within reach (coverage among few), 0 to 1:
    /// about 0.95 for real digits, and small when pictures repeat themselves.
    pub diversity: f64,
    /// Mean probability of the class that each picture was taken for, 0.1 to 1.
    pub confidence: f64,
}

/// A judge that glances.
#[derive(Debug)]
pub struct QuickFrechet {
    judge: Judge,
    gaussian: Gaussian,
    /// Features of the training digits, `[10000, 64]`, f64.
    features: Tensor,
}

/// Training digits that pictures are held against.
const REAL: i64 = 10_000;

/// Pictures that a bias is measured with.
const FEW: i64 = 2000;

impl QuickFrechet {
    /// How many pictures a glance is meant for.
    pub const PICTURES: i64 = FEW;

    /// A judge for a training on MNIST's digits `[60000, 1, 28, 28]`, u8, on any device: it knows nothing else. Looks
    /// at 10,000 of them, which takes a second or two on two cores; a glance takes about a quarter of a second.
    pub fn new(digits: &Tensor) -> Result<Self, JudgeError> {
        let judge = Judge::first()?;
        let features = judge.classifier.look(&real(digits)).features;
        Ok(Self {
            judge,
            gaussian: Gaussian::of(&features),
            features,
        })
    }

    /// Judges pictures `[n, 1, 28, 28]`, u8, on any device; more than 64, better 2,000, and up to 10,000. Draws
    /// nothing from libtorch's generator.
    pub fn quick(&self, pictures: &Tensor) -> QuickFigures {
        let seen = self.judge.classifier.look(pictures);
        let count = pictures.size()[0];
        let distance = Gaussian::of(&seen.features).distance(&self.gaussian);
        QuickFigures {
            frechet: distance - self.judge.about().bias / count as f64,
            histogram: seen.histogram,
            diversity: reach(&seen.features, &some(&self.features, count)).coverage,
            confidence: seen.confidence,
        }
    }
}

/// The last training digits: the first are those of the controls.
fn real(digits: &Tensor) -> Tensor {
    let count = REAL.min(digits.size()[0]);
    digits.narrow(0, digits.size()[0] - count, count)
}

/// What the Fréchet distance of n real digits has too much, times n.
///
/// It falls as 1/n (Chong and Forsyth 2020, «Effectively Unbiased FID and Inception Score and where to find them»,
/// <https://arxiv.org/abs/1911.07023>): the line through five times 2,000 digits and once all 10,000 of them.
pub(super) fn bias(classifier: &Classifier, digits: &Tensor) -> f64 {
    let gaussian = Gaussian::of(&classifier.look(&real(digits)).features);
    let features = classifier.look(&digits.narrow(0, 0, REAL)).features;
    let distance = |points: &Tensor| Gaussian::of(points).distance(&gaussian);
    let parts = REAL / FEW;
    let few = (0..parts)
        .map(|part| distance(&features.narrow(0, part * FEW, FEW)))
        .sum::<f64>()
        / parts as f64;
    (few - distance(&features)) / ((FEW as f64).recip() - (REAL as f64).recip())
}
