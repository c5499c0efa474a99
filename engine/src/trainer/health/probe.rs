//! Measures what the pictures and the networks of a session are like.

use sparring_contract::protocol::{FeatureKind, Fidelity};

use super::comparison::Comparison;
use super::measurements::Measurements;
use crate::eval::{Copying, Judge, QuickFrechet, fidelity, neighbour_distance, saturated};
use crate::gan::{Inspection, Session};
use crate::native::no_grad;

/// Real images that the pictures are compared with, at most.
const REAL: i64 = 10_000;

/// The tools of a health check. Making them takes some seconds.
pub(super) struct Probe {
    /// `None` if there are too few training images.
    comparison: Option<Comparison>,
    copying: Option<Copying>,
    /// Figures of real images, and how many there are.
    saturated: f64,
    apart: f64,
    real: i64,
}

impl Probe {
    /// A probe for the training images of a session, with the judge of them if there is one.
    pub(super) fn new(session: &Session, judge: Option<Judge>) -> Self {
        let data = session.loader().data();
        let training = &data.distinct();
        let real = training.narrow(0, 0, REAL.min(training.size()[0]));
        let count = real.size()[0];
        Self {
            comparison: Comparison::new(data, session.has_domains(), judge),
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
        self.comparison.as_ref().and_then(Comparison::features)
    }

    /// Measures a session. Copies are looked for if `copies` says so, since that can take longer than all the rest;
    /// else `copying` is NaN. Time and gradient norm are the caller's to fill in.
    pub(super) fn measure(&self, session: &Session, copies: bool) -> Measurements {
        let inspection = session.inspect(QuickFrechet::PICTURES);
        let pictures = &inspection.pictures;
        let comparison = self.comparison.as_ref();
        let domains = inspection.domains.as_ref();
        let figures = comparison.map(|comparison| comparison.measure(pictures, domains));
        let training = session.loader().data().distinct();
        // Two pictures of one input would be alike without any collapse.
        let different = pictures.narrow(0, 0, inspection.distinct);
        let copying = self.copying.as_ref().filter(|_| copies);
        Measurements {
            seconds: f64::NAN,
            gradient_norm: f64::NAN,
            quick_distance: figures.as_ref().map_or(f64::NAN, |figures| figures.frechet),
            good: comparison.map_or(f64::NAN, Comparison::good),
            confidence: figures
                .as_ref()
                .map_or(f64::NAN, |figures| figures.confidence),
            histogram: figures.map_or_else(Vec::new, |figures| figures.histogram),
            histogram_real: comparison.map_or_else(Vec::new, Comparison::class_shares),
            diversity: if inspection.distinct > 1 {
                neighbour_distance(&different, self.real) / self.apart
            } else {
                f64::NAN
            },
            accuracy_real: inspection.accuracy_real,
            accuracy_fake: inspection.accuracy_fake,
            saturated: saturated(pictures),
            saturated_real: self.saturated,
            copying: copying.map_or(f64::NAN, |copying| copying.of(pictures, &training)),
            fidelity: self.fidelity(&inspection),
        }
    }
    /// How near the pictures are to the right answers, if there are any.
    fn fidelity(&self, inspection: &Inspection) -> Option<Fidelity> {
        let pictures = &inspection.pictures;
        let truth = inspection.truth.as_ref()?;
        let comparison = self.comparison.as_ref();
        Some(Fidelity {
            label_kept: comparison.and_then(|comparison| comparison.agreement(pictures, truth)),
            ..no_grad(|| fidelity(pictures, truth, inspection.missing.as_ref()))
        })
    }
}
