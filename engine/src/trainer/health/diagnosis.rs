//! What the measurements of a run mean: a verdict with the figure behind it. Pure, so that a test can tell it any story.

use sparring_contract::protocol::Verdict;

use super::measurements::{ClassShare, Measurements, best, earlier, lowest_distance};
use super::wording;

/// A distance is better only if it is lower by more than this fraction: two checks of the same networks differ by a few
/// hundredths.
const BETTER: f64 = 0.05;

/// Checks, and seconds, without a better distance after which a run stands still: presets that became good have gone 30
/// seconds without one while they were poor.
const STANDSTILL: (usize, f64) = (4, 60.0);

/// Seconds without a better distance after which a run is settled.
const SETTLED: f64 = 300.0;

/// A class with a higher dominance is repeated: half of the pictures are of one class of ten.
const REPEATED: f64 = 0.44;

/// Missing classes with a larger share of real images than this are a collapse: two digits of ten are, one is not.
const LOST_CLASSES: f64 = 0.15;

/// A distance diverges beyond so many times the best one, and so many good ones. In a good run on MNIST, where 12 is
/// good, a distance of 1 may become 20 for one check.
const DIVERGED: (f64, f64) = (4.0, 8.3);

/// Pictures with a lower diversity are almost the same, and alike. A collapsed run had 0.01 to 0.06, one that improved
/// slowly 0.05 to 0.2, and runs that became good had 0.24 and more from their second check on.
const SAME: f64 = 0.05;
const ALIKE: f64 = 0.2;

/// The discriminator has won if it recognises this share of fakes and of real images; it has lost if it recognises at
/// most this share of fakes.
const WON: (f64, f64) = (0.98, 0.95);
const LOST: f64 = 0.2;

/// Pictures nearer to training images than this multiple of the distance between those are copies: digits with noise on
/// them have 0.3, blurred ones 0.7.
pub(super) const COPIES: f64 = 0.5;

/// Checks that are remembered: over an hour at the usual cadence on two cores.
const REMEMBERED: usize = 240;

/// Turns the checks of a run into verdicts, and remembers the alarm that is on.
#[derive(Debug, Default)]
pub(super) struct Diagnostician {
    /// Names of the classes, in order.
    class_names: Vec<String>,
    checks: Vec<Measurements>,
    /// The symptom of the check before the latest.
    last: Option<Verdict>,
    /// The alarm that is on.
    alarm: Option<Verdict>,
}

/// What a check means, together with those before it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Diagnosis {
    pub(super) verdict: Verdict,
    /// The verdict and the figure behind it.
    pub(super) words: String,
    /// The figure behind the verdict.
    pub(super) reason: String,
    /// What to do, if the verdict is an alarm that was not on before.
    pub(super) advice: Option<&'static str>,
}

impl Diagnostician {
    /// A diagnostician for data whose classes have these names.
    pub(super) fn new(class_names: Vec<String>) -> Self {
        Self {
            class_names,
            ..Self::default()
        }
    }

    /// Adds a check and diagnoses the run. Every run passes through poor checks, so an alarm goes on when two checks in a
    /// row agree, and off when two in a row do not show it.
    pub(super) fn diagnose(&mut self, check: Measurements) -> Diagnosis {
        self.checks.push(check);
        if self.checks.len() > REMEMBERED {
            // The first one stays, for comparison.
            self.checks.remove(1);
        }
        let now = self.symptom();
        let before = std::mem::replace(&mut self.last, now.clone());
        let was_on = self.alarm.take();
        let is_on = |seen: &Verdict| was_on.as_ref().is_some_and(|alarm| is_alike(alarm, seen));
        self.alarm = match (now, before) {
            (Some(now), Some(before)) if is_alike(&now, &before) => Some(now),
            (Some(now), _) if is_on(&now) => Some(now),
            (_, Some(before)) if is_on(&before) => Some(self.updated(before)),
            _ => None,
        };
        let is_new = self.alarm.as_ref().is_some_and(|alarm| !is_on(alarm));
        let verdict = self.alarm.clone().unwrap_or_else(|| self.course());
        let reason = wording::reason(&self.checks, &verdict, &self.class_names);
        Diagnosis {
            words: wording::with_verdict(&verdict, &reason),
            reason,
            advice: is_new.then(|| wording::advice(&verdict)),
            verdict,
        }
    }

    /// What is wrong in the latest check. If several things are, the first one counts.
    fn symptom(&self) -> Option<Verdict> {
        let (now, before) = self.checks.split_last()?;
        // The first check sees networks that have hardly learned anything.
        let is_first = before.is_empty();
        let is_good = now.is_good();
        let is_still = self.stands_still();
        let is_better = now.quick_distance < lowest_distance(before) * (1.0 - BETTER);

        if diverges(now, lowest_distance(before)) {
            Some(Verdict::Diverging)
        } else if !is_first && (now.diversity < SAME || !is_good && is_still && repeats(now)) {
            Some(Verdict::Collapsing {
                missing: missing(now).map(|class| class.class).collect(),
            })
        } else if !is_good && is_still && has_won(now) {
            Some(Verdict::DiscriminatorWins)
        } else if !is_good && !is_first && !is_better && now.accuracy_fake <= LOST {
            Some(Verdict::GeneratorWins)
        } else if now.copying < COPIES && now.diversity > COPIES {
            // A single repeated picture can lie near an image without being a copy of it.
            Some(Verdict::Memorising)
        } else {
            None
        }
    }

    /// Whether no recent check was better than those before. Without a quick distance there is never a better one.
    fn stands_still(&self) -> bool {
        let (checks, seconds) = STANDSTILL;
        let Some(now) = self.checks.last() else {
            return false;
        };
        let before = self
            .checks
            .partition_point(|check| check.seconds <= now.seconds - seconds)
            .min(self.checks.len().saturating_sub(checks));
        let (before, lately) = self.checks.split_at(before);
        let is_better = lowest_distance(lately) < lowest_distance(before) * (1.0 - BETTER);
        !before.is_empty() && !is_better
    }

    /// The verdict on a run without an alarm.
    fn course(&self) -> Verdict {
        let Some((now, before)) = self.checks.split_last() else {
            return Verdict::Unclear;
        };
        if now.quick_distance.is_nan() || before.is_empty() {
            return Verdict::Unclear;
        }
        let is_settled =
            best(&self.checks).is_some_and(|best| now.seconds - best.seconds > SETTLED);
        let is_better =
            |earlier: &Measurements| now.quick_distance < earlier.quick_distance * (1.0 - BETTER);
        if is_settled {
            Verdict::Settled
        } else if now.is_good() || earlier(&self.checks).is_some_and(is_better) {
            Verdict::Learning
        } else {
            Verdict::Unclear
        }
    }

    /// An earlier verdict with the figures of the latest check.
    fn updated(&self, verdict: Verdict) -> Verdict {
        match (verdict, self.checks.last()) {
            (Verdict::Collapsing { .. }, Some(now)) => Verdict::Collapsing {
                missing: missing(now).map(|class| class.class).collect(),
            },
            (verdict, _) => verdict,
        }
    }
}

/// Whether two verdicts are the same, whatever their figures.
fn is_alike(one: &Verdict, other: &Verdict) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn diverges(now: &Measurements, lowest: f64) -> bool {
    let (times, margin) = DIVERGED;
    now.has_runaway_gradient() || now.quick_distance > times * lowest.max(0.0) + margin * now.good
}

fn has_won(now: &Measurements) -> bool {
    let (fake, real) = WON;
    now.accuracy_fake >= fake && now.accuracy_real >= real
}

/// Whether the pictures repeat themselves.
fn repeats(now: &Measurements) -> bool {
    now.diversity < ALIKE
        || now.classes().any(|class| class.dominance() > REPEATED)
        || missing(now).map(|class| class.real).sum::<f64>() > LOST_CLASSES
}

/// The classes that are missing.
fn missing(now: &Measurements) -> impl Iterator<Item = ClassShare> {
    now.classes().filter(ClassShare::is_missing)
}
