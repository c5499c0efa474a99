//! Looks at how the run does, every so often: what they see, and how much of the time they may take.

use std::time::{Duration, Instant};

use sparring_contract::protocol::{Best, Event, Health};
use sparring_contract::run::Run;

use super::trainer::Trainer;
use super::verdict::{COPIES, Doctor, Look};
use crate::eval::{Copying, Judge, QuickFigures, QuickFrechet, neighbour_distance, saturated};

/// What the first look is taken to cost as long as nothing is known: at the cadence of the default it comes after two
/// seconds.
const GUESS: Duration = Duration::from_millis(60);

/// Every so many looks, and as long as they are, it is also asked whether the pictures are copies: that may cost more
/// than all the rest.
const COPYING_EVERY: u64 = 4;

/// Real images by which it is known what is usual, at most.
const REAL: i64 = 10_000;

/// How much better a quick distance must be than that of the best checkpoint, to be saved over it: as a share of it,
/// and at least. Looks at the same networks differ by less.
const CLEARLY_BETTER: (f64, f64) = (0.05, 0.3);

/// The looks at a run.
pub(super) struct Watch {
    /// Whether the images are those that the judge knows.
    is_mnist: bool,
    /// Made for the first look: it takes a second or two.
    tools: Option<Tools>,
    doctor: Doctor,
    looks: u64,
    /// What the latest look cost.
    cost: Duration,
    /// Training time of this process at the latest look.
    at: Duration,
    /// Time that went into all of it.
    pub(super) spent: Duration,
    /// Step of the latest look.
    step: Option<u64>,
    best: Option<Best>,
    /// Quick distance of the best checkpoint.
    saved: Option<f64>,
    /// What was last found of copies.
    copying: f64,
}

/// What is needed to look.
struct Tools {
    glance: Option<QuickFrechet>,
    copying: Option<Copying>,
    /// Of real images.
    saturated: f64,
    apart: f64,
}

impl Watch {
    /// Of a run whose best checkpoint, if it has one, is known again. The judge looks too if its images are MNIST.
    pub(super) fn of(run: &Run, is_mnist: bool) -> Self {
        let best = run.best_checkpoint().ok().and_then(|(_, header)| {
            Some(Best {
                step: header.step,
                quick_distance: header.quick_distance?,
            })
        });
        Self {
            is_mnist,
            tools: None,
            doctor: Doctor::default(),
            looks: 0,
            cost: GUESS,
            at: Duration::ZERO,
            spent: Duration::ZERO,
            step: None,
            best,
            saved: best.map(|best| best.quick_distance),
            copying: f64::NAN,
        }
    }

    /// Whether a look now, of which as much is spent as of the latest, takes no more than this share of the time since.
    fn is_due(&self, own: Duration, share: f64) -> bool {
        share > 0.0 && own.saturating_sub(self.at).as_secs_f64() * share >= self.cost.as_secs_f64()
    }
}

impl Trainer<'_> {
    /// Whether it is time to look.
    pub(super) fn is_look_due(&self) -> bool {
        self.watch
            .is_due(self.clock.own(), self.config.output.health_cost)
    }

    /// Whether a last look is worth its time: in a run that was looked at more than once.
    pub(super) fn deserves_a_last_look(&self) -> bool {
        self.config.output.health_cost > 0.0
            && self.watch.looks > 1
            && self.watch.step != Some(self.session.steps())
    }

    /// Looks at how the run does and tells it. Training waits meanwhile.
    pub(super) fn look(&mut self) {
        self.clock.stop();
        let began = Instant::now();
        let tools = match self.watch.tools.take() {
            Some(tools) => tools,
            None => self.tools(),
        };
        let prepared = Instant::now();
        self.look_with(&tools);
        self.watch.tools = Some(tools);
        self.watch.looks += 1;
        self.watch.step = Some(self.session.steps());
        self.watch.cost = prepared.elapsed();
        self.watch.spent += began.elapsed();
        self.watch.at = self.clock.own();
    }

    fn tools(&self) -> Tools {
        let training = self.session.loader().data().images();
        let judge = self.watch.is_mnist.then(Judge::mnist);
        let judge = judge.transpose().unwrap_or_else(|error| {
            self.warn(error.to_string());
            None
        });
        let glance = judge.and_then(|judge| QuickFrechet::new(training, Some(judge)));
        let real = training.narrow(0, 0, REAL.min(training.size()[0]));
        Tools {
            glance,
            copying: (training.numel() <= Copying::MOST_PIXELS)
                .then(|| Copying::among(training))
                .flatten(),
            saturated: saturated(&real),
            apart: neighbour_distance(&real),
        }
    }

    fn look_with(&mut self, tools: &Tools) {
        let seen = self.session.inspect(QuickFrechet::PICTURES);
        let quick = tools
            .glance
            .as_ref()
            .map(|glance| glance.measure(&seen.pictures));
        // Not at the first: networks that have hardly learnt copy nothing.
        let ask =
            self.watch.looks % COPYING_EVERY == COPYING_EVERY - 1 || self.watch.copying < COPIES;
        if let Some(copying) = tools.copying.as_ref().filter(|_| ask) {
            let training = self.session.loader().data().images();
            self.watch.copying = copying.of(&seen.pictures, training);
        }
        let figures = |of: fn(&QuickFigures) -> f64| quick.as_ref().map_or(f64::NAN, of);
        let look = Look {
            seconds: self.clock.total().as_secs_f64(),
            quick_distance: figures(|quick| quick.frechet),
            histogram: quick
                .as_ref()
                .map(|quick| quick.histogram.clone())
                .unwrap_or_default(),
            diversity: neighbour_distance(&seen.pictures) / tools.apart,
            accuracy_real: seen.accuracy_real,
            accuracy_fake: seen.accuracy_fake,
            copying: self.watch.copying,
            gradient: ["d_grad_norm", "g_grad_norm"]
                .map(|key| self.reported.0.metrics.get(key))
                .into_iter()
                .fold(f64::NAN, f64::max),
        };
        self.tell(
            &look,
            figures(|quick| quick.confidence),
            [saturated(&seen.pictures), tools.saturated],
        );
        if look.quick_distance.is_finite() {
            self.keep_best(look.quick_distance);
        }
    }

    fn tell(&mut self, look: &Look, confidence: f64, [of_pictures, of_real]: [f64; 2]) {
        let step = self.session.steps();
        let found = self.watch.doctor.hear(look.clone());
        let is_best = |best: Best| look.quick_distance < best.quick_distance;
        if look.quick_distance.is_finite() && self.watch.best.is_none_or(is_best) {
            self.watch.best = Some(Best {
                step,
                quick_distance: look.quick_distance,
            });
        }
        self.hub.emit(Event::Health(Box::new(Health {
            step,
            epoch: self.epoch(),
            training_seconds: look.seconds,
            verdict: found.verdict,
            words: found.words.clone(),
            reason: found.reason,
            quick_distance: look.quick_distance,
            histogram: look.histogram.clone(),
            diversity: look.diversity,
            confidence,
            accuracy_real: look.accuracy_real,
            accuracy_fake: look.accuracy_fake,
            saturated: of_pictures,
            saturated_real: of_real,
            best: self.watch.best,
        })));
        if let Some(advice) = found.advice {
            self.hub.emit(Event::Alarm {
                step,
                message: format!("{}; {advice}", found.words),
            });
        }
    }

    /// Saves the checkpoint of this quick distance, if it is clearly better than the best one. The first look has
    /// nothing to be better than.
    fn keep_best(&mut self, distance: f64) {
        let (share, least) = CLEARLY_BETTER;
        let is_better = |saved: f64| distance < saved - (saved * share).max(least);
        if self.watch.looks > 0
            && self.watch.saved.is_none_or(is_better)
            && self.save_best(distance)
        {
            self.watch.saved = Some(distance);
        }
    }
}
