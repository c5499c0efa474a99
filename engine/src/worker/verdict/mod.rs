//! What the figures of a run come to: a verdict in words with the figure behind it. Pure, so that it can be told any
//! story.

mod words;

#[cfg(test)]
mod tests;

use sparring_contract::protocol::Verdict;

/// What one look at a run saw; what was not measured is NaN or empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Look {
    /// Seconds of training.
    pub(super) seconds: f64,
    /// Squared Fréchet distance of few pictures, less its bias.
    pub(super) quick_distance: f64,
    /// Share of the pictures taken for each class.
    pub(super) histogram: Vec<f64>,
    /// How far the pictures are from each other, over that of real ones.
    pub(super) diversity: f64,
    /// Share of real images that the discriminator takes for real.
    pub(super) accuracy_real: f64,
    /// Share of fakes that it takes for fake.
    pub(super) accuracy_fake: f64,
    /// Distance of the pictures to the nearest training image, over that of training images to the nearest other.
    pub(super) copying: f64,
    /// The greater of both networks' gradient norms at the latest report.
    pub(super) gradient: f64,
}

/// Up to this quick distance the pictures are good, whoever wins: real digits read about 0, shifted by one pixel 4,
/// without nines 16.
const GOOD: f64 = 12.0;

/// A distance that is lower than before by less than this share of it is no better: two looks at the same networks
/// differ by some hundredths.
const BETTER: f64 = 0.05;

/// Looks, and seconds, without a better distance after which a run stands still: presets that become good have been
/// seen to go 30 seconds without while they were poor.
const STANDSTILL: (usize, f64) = (4, 60.0);

/// Seconds without a better distance after which a run is settled.
const SETTLED: f64 = 300.0;

/// A share of the pictures below which a class is next to gone: a tenth of what it is among real digits.
const GONE: f64 = 0.01;

/// A share of the pictures that no class should have.
const HALF: f64 = 0.5;

/// Diversities below which pictures are next to the same, and alike. A collapsed run was seen at 0.01 to 0.06, one that
/// got better slowly at 0.05 to 0.2, those that became good at 0.24 and more from their second look on.
const SAME: f64 = 0.05;
const ALIKE: f64 = 0.2;

/// Shares of fakes and of real images that a discriminator knows when it has won, and of fakes when it has lost.
const WON: (f64, f64) = (0.98, 0.95);
const LOST: f64 = 0.2;

/// A norm of a gradient that runs away: it is a few units, and some hundreds in the worst of a good run.
const RUNAWAY: f64 = 1e5;

/// A distance to training images, over theirs to each other, below which pictures are copies: digits with noise on them
/// read 0.3, blurred ones 0.7.
pub(super) const COPIES: f64 = 0.5;

/// Looks that are remembered: over an hour at the usual cadence on two cores.
const REMEMBERED: usize = 240;

/// The looks at a run, and the alarm that is on.
#[derive(Debug, Default)]
pub(super) struct Doctor {
    looks: Vec<Look>,
    /// What the latest look but one came to by itself.
    last: Option<Verdict>,
    /// The alarm that is on.
    alarm: Option<Verdict>,
}

/// A verdict.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// The verdict and the figure behind it.
    pub(super) words: String,
    /// The figure behind the verdict.
    pub(super) reason: String,
    /// What to do, if the verdict is an alarm that was not on before.
    pub(super) advice: Option<&'static str>,
}

impl Doctor {
    /// Takes in a look and says what it comes to with those before it. A run passes through poor looks, so an alarm is
    /// on once two looks in a row agree, and off once two in a row do not show it.
    pub(super) fn hear(&mut self, look: Look) -> Finding {
        self.looks.push(look);
        if self.looks.len() > REMEMBERED {
            // The first one stays, to tell how it began.
            self.looks.remove(1);
        }
        let now = self.symptom();
        let before = std::mem::replace(&mut self.last, now.clone());
        let was_on = self.alarm.take();
        let is_on = |seen: &Verdict| was_on.as_ref().is_some_and(|alarm| is_alike(alarm, seen));
        self.alarm = match (now, before) {
            (Some(now), Some(before)) if is_alike(&now, &before) => Some(now),
            (Some(now), _) if is_on(&now) => Some(now),
            (_, Some(before)) if is_on(&before) => Some(self.today(before)),
            _ => None,
        };
        let is_new = self.alarm.as_ref().is_some_and(|alarm| !is_on(alarm));
        let verdict = self.alarm.clone().unwrap_or_else(|| self.course());
        let reason = words::reason(&self.looks, &verdict);
        Finding {
            words: words::with_verdict(&verdict, &reason),
            reason,
            advice: is_new.then(|| words::advice(&verdict)),
            verdict,
        }
    }

    /// What is wrong by the latest look, in the order of the alarms.
    fn symptom(&self) -> Option<Verdict> {
        let (now, before) = self.looks.split_last()?;
        // A first look sees networks that have hardly learnt.
        let is_first = before.is_empty();
        let is_good = now.quick_distance <= GOOD;
        let is_still = self.stands_still();
        let is_better = now.quick_distance < least(before) * (1.0 - BETTER);

        if runs_away(now, least(before)) {
            Some(Verdict::Diverging)
        } else if !is_first && (now.diversity < SAME || !is_good && is_still && repeats(now)) {
            Some(Verdict::Collapsing {
                missing: missing(now),
            })
        } else if !is_good && is_still && has_won(now) {
            Some(Verdict::DiscriminatorWins)
        } else if !is_good && !is_first && !is_better && now.accuracy_fake <= LOST {
            Some(Verdict::GeneratorWins)
        } else if now.copying < COPIES && now.diversity > COPIES {
            // One picture again and again may lie near to an image without being its copy.
            Some(Verdict::Memorising)
        } else {
            None
        }
    }

    /// Whether no look of the last ones was better than those before. Without a judge nobody knows of a better one.
    fn stands_still(&self) -> bool {
        let (looks, seconds) = STANDSTILL;
        let Some(now) = self.looks.last() else {
            return false;
        };
        let before = self
            .looks
            .partition_point(|look| look.seconds <= now.seconds - seconds)
            .min(self.looks.len().saturating_sub(looks));
        let (before, lately) = self.looks.split_at(before);
        let is_better = least(lately) < least(before) * (1.0 - BETTER);
        !before.is_empty() && !is_better
    }

    /// How a run does that shows no symptom.
    fn course(&self) -> Verdict {
        let Some((now, before)) = self.looks.split_last() else {
            return Verdict::Unclear;
        };
        if now.quick_distance.is_nan() || before.is_empty() {
            return Verdict::Unclear;
        }
        let is_settled = best(&self.looks).is_some_and(|best| now.seconds - best.seconds > SETTLED);
        let is_better =
            |earlier: &Look| now.quick_distance < earlier.quick_distance * (1.0 - BETTER);
        if is_settled {
            Verdict::Settled
        } else if now.quick_distance <= GOOD || earlier(&self.looks).is_some_and(is_better) {
            Verdict::Learning
        } else {
            Verdict::Unclear
        }
    }

    /// A verdict on looks before, with what of it the latest look shows.
    fn today(&self, verdict: Verdict) -> Verdict {
        match (verdict, self.looks.last()) {
            (Verdict::Collapsing { .. }, Some(now)) => Verdict::Collapsing {
                missing: missing(now),
            },
            (verdict, _) => verdict,
        }
    }
}

/// Whether two verdicts are the same, whatever their figures.
fn is_alike(one: &Verdict, other: &Verdict) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// The look with the least distance.
fn best(looks: &[Look]) -> Option<&Look> {
    looks
        .iter()
        .filter(|look| look.quick_distance.is_finite())
        .min_by(|a, b| a.quick_distance.total_cmp(&b.quick_distance))
}

/// The least distance; NaN if none is known.
fn least(looks: &[Look]) -> f64 {
    best(looks).map_or(f64::NAN, |best| best.quick_distance)
}

/// The look that the latest is held against: at least a minute ago, or else the first.
fn earlier(looks: &[Look]) -> Option<&Look> {
    let (now, before) = looks.split_last()?;
    before
        .iter()
        .rfind(|look| now.seconds - look.seconds >= 60.0)
        .or(before.first())
}

fn runs_away(now: &Look, least: f64) -> bool {
    // The room above it is for a good run, in which a distance of 1 may become one of 20 for a look.
    now.gradient > RUNAWAY || now.quick_distance > 4.0 * least.max(0.0) + 100.0
}

fn has_won(now: &Look) -> bool {
    let (fake, real) = WON;
    now.accuracy_fake >= fake && now.accuracy_real >= real
}

/// Whether pictures repeat themselves.
fn repeats(look: &Look) -> bool {
    look.diversity < ALIKE
        || look.histogram.iter().any(|share| *share > HALF)
        || missing(look).len() >= 2
}

/// The classes that are next to gone.
fn missing(look: &Look) -> Vec<u32> {
    (0..)
        .zip(&look.histogram)
        .filter(|(_, share)| **share < GONE)
        .map(|(class, _)| class)
        .collect()
}
