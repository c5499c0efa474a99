//! Measures what the pictures and the networks of a session are like.

use sparring_contract::protocol::{FeatureKind, Fidelity};
use tch::Tensor;

use super::measurements::Measurements;
use crate::eval::{Copying, Judge, QuickFrechet, fidelity, neighbour_distance, saturated};
use crate::gan::{Inspection, Session};
use crate::native::no_grad;

/// Real images that the pictures are compared with, at most.
const REAL: i64 = 10_000;

/// The tools of a health check. Making them takes some seconds.
pub(super) struct Probe {
    /// `None` if there are too few training images.
    quick: Option<QuickFrechet>,
    copying: Option<Copying>,
    /// Figures of real images, and how many there are.
    saturated: f64,
    apart: f64,
    real: i64,
}

impl Probe {
    /// A probe for training images `[n, channels, height, width]`, u8, with the judge of them if there is one.
    pub(super) fn new(training: &Tensor, judge: Option<Judge>) -> Self {
        let real = training.narrow(0, 0, REAL.min(training.size()[0]));
        let count = real.size()[0];
        Self {
            quick: QuickFrechet::new(training, judge),
            copying: (training.numel() <= Copying::MOST_PIXELS)
                .then(|| Copying::among(training))
                .flatten(),
            saturated: saturated(&real),
            apart: neighbour_distance(&real, count),
            real: count,
        }
    }

    /// The features in which it compares pictures, if it does.
    pub(super) fn features(&self) -> Option<FeatureKind> {
        self.quick.as_ref().map(QuickFrechet::features)
    }

    /// Measures a session. Copies are looked for if `copies` says so, since that can take longer than all the rest;
    /// else `copying` is NaN. Time and gradient norm are the caller's to fill in.
    pub(super) fn measure(&self, session: &Session, copies: bool) -> Measurements {
        let inspection = session.inspect(QuickFrechet::PICTURES);
        let pictures = &inspection.pictures;
        let quick = self.quick.as_ref();
        let figures = quick.map(|quick| quick.measure(pictures));
        let training = session.loader().data().images();
        let copying = self.copying.as_ref().filter(|_| copies);
        Measurements {
            seconds: f64::NAN,
            gradient_norm: f64::NAN,
            quick_distance: figures.as_ref().map_or(f64::NAN, |figures| figures.frechet),
            good: quick.map_or(f64::NAN, QuickFrechet::good),
            confidence: figures
                .as_ref()
                .map_or(f64::NAN, |figures| figures.confidence),
            histogram: figures.map_or_else(Vec::new, |figures| figures.histogram),
            histogram_real: quick.map_or_else(Vec::new, |quick| quick.class_shares().to_vec()),
            diversity: neighbour_distance(pictures, self.real) / self.apart,
            accuracy_real: inspection.accuracy_real,
            accuracy_fake: inspection.accuracy_fake,
            saturated: saturated(pictures),
            saturated_real: self.saturated,
            copying: copying.map_or(f64::NAN, |copying| copying.of(pictures, training)),
            fidelity: self.fidelity(&inspection),
        }
    }
    /// How near the pictures are to the right answers, if there are any.
    fn fidelity(&self, inspection: &Inspection) -> Option<Fidelity> {
        let pictures = &inspection.pictures;
        let truth = inspection.truth.as_ref()?;
        let quick = self.quick.as_ref();
        Some(Fidelity {
            label_kept: quick.and_then(|quick| quick.agreement(pictures, truth)),
            ..no_grad(|| fidelity(pictures, truth, inspection.missing.as_ref()))
        })
    }
}
