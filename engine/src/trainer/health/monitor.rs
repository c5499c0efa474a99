//! The health monitor: when the next check is due, what it found, and which checkpoint is the best.

use std::rc::Rc;
use std::time::Duration;

use sparring_contract::protocol::{Best, FeatureKind, Fidelity, Health};

use super::diagnosis::{COPIES, Diagnostician};
use super::measurements::Measurements;
use super::probe::Probe;
use crate::eval::Judge;
use crate::gan::Session;
use crate::trainer::clock::Clock;

/// What the first check is assumed to take. With the default time fraction it then comes after two seconds.
const FIRST_COST: Duration = Duration::from_millis(60);

/// Every fourth check also looks for copies, and each check while there are some.
const COPIES_EVERY: u64 = 4;

/// A checkpoint replaces the best one if its quick distance is lower by this fraction, and by at least this part of a good
/// distance, 0.3 for MNIST: checks of the same networks differ by less.
const CLEARLY_BETTER: (f64, f64) = (0.05, 0.025);

/// The health checks of a run.
pub(in crate::trainer) struct HealthMonitor {
    /// The judge of the images, if there is one, until the probe takes it.
    judge: Option<Judge>,
    /// Made for the first check.
    probe: Option<Rc<Probe>>,
    /// Whether no more checks are made.
    is_off: bool,
    diagnostician: Diagnostician,
    checks: u64,
    /// What the latest check took.
    cost: Duration,
    /// Training time of this process at the latest check.
    at: Duration,
    time_spent: Duration,
    /// Step of the latest check.
    step: Option<u64>,
    /// The lowest quick distance so far.
    best: Option<Best>,
    /// Quick distance of the best checkpoint.
    best_saved: Option<f64>,
    /// The latest measurement of copying.
    copying: f64,
}

/// What a check must know beside the session.
#[derive(Clone, Copy, Debug)]
pub(in crate::trainer) struct Context {
    /// Epoch of the latest step.
    pub(in crate::trainer) epoch: u64,
    /// Training time of this process.
    pub(in crate::trainer) elapsed: Duration,
    /// Seconds of training of the run.
    pub(in crate::trainer) training_seconds: f64,
    /// The greater of both networks' gradient norms in the latest report.
    pub(in crate::trainer) gradient_norm: f64,
}

/// What a check found, and what follows from it.
pub(in crate::trainer) struct Checkup {
    pub(in crate::trainer) health: Health,
    /// The message of an alarm that was not on before.
    pub(in crate::trainer) alarm: Option<String>,
    /// The quick distance and the features it is in, if the state should become the best checkpoint.
    pub(in crate::trainer) new_best: Option<(f64, FeatureKind)>,
    /// How near the pictures are to the right answers, if there are any.
    pub(in crate::trainer) fidelity: Option<Fidelity>,
}

impl HealthMonitor {
    /// A monitor for a run whose best checkpoint so far, if it has one, is `best`. `judge` is that of the run's images, if
    /// there is one; `best` must be in its features. Verdicts name classes by `class_names`.
    pub(in crate::trainer) fn new(
        judge: Option<Judge>,
        best: Option<Best>,
        class_names: Vec<String>,
    ) -> Self {
        Self {
            judge,
            probe: None,
            is_off: false,
            diagnostician: Diagnostician::new(class_names),
            checks: 0,
            cost: FIRST_COST,
            at: Duration::ZERO,
            time_spent: Duration::ZERO,
            step: None,
            best,
            best_saved: best.map(|best| best.quick_distance),
            copying: f64::NAN,
        }
    }

    /// Whether a check that takes as long as the latest one would take at most this fraction of the training time since
    /// that one.
    pub(in crate::trainer) fn is_due(&self, elapsed: Duration, time_fraction: f64) -> bool {
        let since = elapsed.saturating_sub(self.at).as_secs_f64();
        time_fraction > 0.0 && !self.is_off && since * time_fraction >= self.cost.as_secs_f64()
    }

    /// Whether a last check at this step is worth its time: in a run that was checked more than once.
    pub(in crate::trainer) fn is_final_check_due(&self, step: u64, time_fraction: f64) -> bool {
        time_fraction > 0.0 && !self.is_off && self.checks > 1 && self.step != Some(step)
    }

    /// Time spent on checks.
    pub(in crate::trainer) fn time_spent(&self) -> Duration {
        self.time_spent
    }

    /// Checks a session. Training waits meanwhile.
    pub(in crate::trainer) fn check(
        &mut self,
        session: &Session,
        context: Context,
        clock: &dyn Clock,
    ) -> Checkup {
        let began = clock.now();
        let probe = Rc::clone(
            self.probe
                .get_or_insert_with(|| Rc::new(Probe::new(session, self.judge.take()))),
        );
        let prepared = clock.now();
        let measurements = self.measure(&probe, session, context);
        let features = probe.features();
        let checkup = self.diagnose(session.steps(), context.epoch, measurements, features);
        self.checks += 1;
        self.step = Some(session.steps());
        let now = clock.now();
        self.cost = now.saturating_sub(prepared);
        self.time_spent += now.saturating_sub(began);
        self.at = context.elapsed;
        checkup
    }

    /// Notes that a check panicked. Another is due as if this one had been made, unless not even what all of them need
    /// could be made: then there are no more. Returns whether there are.
    pub(in crate::trainer) fn note_failed(&mut self, elapsed: Duration) -> bool {
        self.at = elapsed;
        self.is_off = self.probe.is_none();
        !self.is_off
    }

    /// Notes that the best checkpoint now has this quick distance.
    pub(in crate::trainer) fn note_best_saved(&mut self, quick_distance: f64) {
        self.best_saved = Some(quick_distance);
    }

    fn measure(&mut self, probe: &Probe, session: &Session, context: Context) -> Measurements {
        // The first check does not look for copies: networks that have hardly learned anything copy nothing.
        let copies = self.checks % COPIES_EVERY == COPIES_EVERY - 1 || self.copying < COPIES;
        let measured = probe.measure(session, copies);
        if measured.copying.is_finite() {
            self.copying = measured.copying;
        }
        Measurements {
            seconds: context.training_seconds,
            gradient_norm: context.gradient_norm,
            copying: self.copying,
            ..measured
        }
    }

    fn diagnose(
        &mut self,
        step: u64,
        epoch: u64,
        measured: Measurements,
        features: Option<FeatureKind>,
    ) -> Checkup {
        let distance = measured.quick_distance;
        let is_lower = |best: Best| distance < best.quick_distance;
        if distance.is_finite() && self.best.is_none_or(is_lower) {
            self.best = Some(Best {
                step,
                quick_distance: distance,
            });
        }
        let diagnosis = self.diagnostician.diagnose(measured.clone());
        Checkup {
            fidelity: measured.fidelity,
            alarm: diagnosis
                .advice
                .map(|advice| format!("{}; {advice}", diagnosis.words)),
            new_best: Some(distance)
                .filter(|distance| self.is_new_best(*distance, measured.good))
                .zip(features),
            health: Health {
                step,
                epoch,
                training_seconds: measured.seconds,
                verdict: diagnosis.verdict,
                words: diagnosis.words,
                reason: diagnosis.reason,
                quick_distance: distance,
                features,
                histogram: measured.histogram,
                histogram_real: measured.histogram_real,
                diversity: measured.diversity,
                confidence: measured.confidence,
                accuracy_real: measured.accuracy_real,
                accuracy_fake: measured.accuracy_fake,
                saturated: measured.saturated,
                saturated_real: measured.saturated_real,
                best: self.best,
            },
        }
    }

    /// Whether a state with this quick distance should become the best checkpoint, where up to `good` is good. The first
    /// check of a process has nothing to compare with.
    fn is_new_best(&self, distance: f64, good: f64) -> bool {
        let (fraction, least) = CLEARLY_BETTER;
        let is_better = |saved: f64| distance < saved - (saved * fraction).max(good * least);
        distance.is_finite() && self.checks > 0 && self.best_saved.is_none_or(is_better)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn checks_take_no_more_than_their_fraction_of_the_time() {
        let mut monitor = HealthMonitor::new(None, None, Vec::new());
        assert!(!monitor.is_due(Duration::from_millis(1999), 0.03));
        assert!(monitor.is_due(2 * SECOND, 0.03));
        (monitor.cost, monitor.at) = (SECOND, 10 * SECOND);
        assert!(!monitor.is_due(59 * SECOND, 0.02));
        assert!(monitor.is_due(60 * SECOND, 0.02));
        assert!(!monitor.is_due(60_000 * SECOND, 0.0), "0 turns them off");
    }

    #[test]
    fn a_best_checkpoint_is_replaced_only_by_a_clearly_better_one() {
        let best = |quick_distance| {
            Some(Best {
                step: 1,
                quick_distance,
            })
        };
        let mut monitor = HealthMonitor::new(None, best(100.0), Vec::new());
        assert!(
            !monitor.is_new_best(1.0, 12.0),
            "the first check of a process"
        );
        monitor.checks = 1;
        assert!(!monitor.is_new_best(95.1, 12.0));
        assert!(monitor.is_new_best(94.9, 12.0));
        assert!(!monitor.is_new_best(f64::NAN, 12.0));
        monitor.note_best_saved(2.0);
        assert!(!monitor.is_new_best(1.75, 12.0), "less than 0.3 better");
        assert!(monitor.is_new_best(1.65, 12.0));
    }
}
