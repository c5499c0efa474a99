//! Measures what the pictures and the networks of a session are like.

use tch::Tensor;

use super::measurements::Measurements;
use crate::eval::{Copying, Judge, JudgeError, QuickFrechet, neighbour_distance, saturated};
use crate::gan::Session;

/// Real images that the pictures are compared with, at most.
const REAL: i64 = 10_000;

/// The tools of a health check. Making them takes a second or two.
pub(super) struct Probe {
    judge: Option<QuickFrechet>,
    copying: Option<Copying>,
    /// Figures of real images.
    saturated: f64,
    apart: f64,
}

impl Probe {
    /// A probe for training images `[n, channels, height, width]`, u8. `is_judged` says whether they are the images that
    /// the judge knows. An error of the judge is returned beside a probe that does without it.
    pub(super) fn new(training: &Tensor, is_judged: bool) -> (Self, Option<JudgeError>) {
        let (judge, error) = match is_judged.then(Judge::mnist).transpose() {
            Ok(judge) => (judge, None),
            Err(error) => (None, Some(error)),
        };
        let real = training.narrow(0, 0, REAL.min(training.size()[0]));
        let probe = Self {
            judge: judge.and_then(|judge| QuickFrechet::new(training, Some(judge))),
            copying: (training.numel() <= Copying::MOST_PIXELS)
                .then(|| Copying::among(training))
                .flatten(),
            saturated: saturated(&real),
            apart: neighbour_distance(&real),
        };
        (probe, error)
    }

    /// Measures a session. Copies are looked for if `copies` says so, since that can take longer than all the rest;
    /// else `copying` is NaN. Time and gradient norm are the caller's to fill in.
    pub(super) fn measure(&self, session: &Session, copies: bool) -> Measurements {
        let inspection = session.inspect(QuickFrechet::PICTURES);
        let pictures = &inspection.pictures;
        let judged = self.judge.as_ref().map(|judge| judge.measure(pictures));
        let training = session.loader().data().images();
        let copying = self.copying.as_ref().filter(|_| copies);
        Measurements {
            seconds: f64::NAN,
            gradient_norm: f64::NAN,
            quick_distance: judged.as_ref().map_or(f64::NAN, |judged| judged.frechet),
            confidence: judged.as_ref().map_or(f64::NAN, |judged| judged.confidence),
            histogram: judged.map_or_else(Vec::new, |judged| judged.histogram),
            diversity: neighbour_distance(pictures) / self.apart,
            accuracy_real: inspection.accuracy_real,
            accuracy_fake: inspection.accuracy_fake,
            saturated: saturated(pictures),
            saturated_real: self.saturated,
            copying: copying.map_or(f64::NAN, |copying| copying.of(pictures, training)),
        }
    }
}
