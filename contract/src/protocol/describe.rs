//! Events in words, one line each: the same in a terminal and in worker.log.

use super::{Ended, Event, MetricKind, MetricSpec, Phase, Rollback, Started, Stats};
use crate::text::size;

impl Event {
    /// What happened, in a line; `metrics` are the specs of the run. `None` for what matters only while it is new.
    pub fn describe(&self, metrics: &[MetricSpec]) -> Option<String> {
        Some(match self {
            Self::Started(started) => started.describe(),
            Self::Phase {
                phase: Phase::Paused,
                step,
            } => format!("paused at step {step}"),
            Self::Phase {
                phase: Phase::Training,
                step,
            } => format!("training from step {step}"),
            Self::Phase { .. } | Self::Unknown => return None,
            Self::Stats(stats) => format!(
                "epoch {}  step {}  {}",
                stats.epoch,
                stats.step,
                stats.describe(metrics)
            ),
            Self::Samples(samples) => format!("pictures saved: {}", samples.path.display()),
            Self::Checkpoint(saved) => {
                format!(
                    "{}checkpoint saved: {} ({})",
                    if saved.best { "best " } else { "" },
                    saved.path.display(),
                    size(saved.bytes as f64)
                )
            }
            Self::Set { step, key, value } => format!("step {step}: {key} = {value}"),
            Self::Note { step, text } => format!("step {step}: note: {text}"),
            Self::Kept(kept) => format!(
                "step {}: {} kept: {}",
                kept.step,
                kept.name,
                kept.path.display()
            ),
            Self::Warning { step, message } => format!("warning at step {step}: {message}"),
            Self::Health(health) => format!("step {}: {}", health.step, health.words),
            Self::Alarm { step, message } => format!("ALARM at step {step}: {message}"),
            Self::Rollback(rollback) => rollback.describe(),
            Self::Ended(ended) => ended.describe(metrics),
        })
    }
}

impl Started {
    /// The run in a line.
    fn describe(&self) -> String {
        let going_on = if self.step > 0 {
            format!(", going on from step {}", self.step)
        } else {
            String::new()
        };
        format!(
            "run {}: {} on {} ({} images), {} with {} threads, G {} and D {} parameters, {} epochs of {} steps{going_on}",
            self.run,
            self.preset,
            self.data,
            self.images,
            self.device,
            self.threads,
            self.parameters.generator,
            self.parameters.discriminator,
            self.epochs,
            self.steps_per_epoch,
        )
    }
}

impl Stats {
    /// What the task reports, norms left out, and the speed, in a line.
    pub fn describe(&self, metrics: &[MetricSpec]) -> String {
        let figures = metrics
            .iter()
            .filter(|spec| spec.kind != MetricKind::Norm)
            .map(|spec| (spec, self.metrics.get(&spec.key)))
            // Figures beside a plain method's are measured now and then, and not yet at first.
            .filter(|(spec, value)| spec.reference.is_none() || value.is_finite())
            .map(|(spec, value)| format!("{} {}", spec.label, spec.format(value)));
        let speed = match self.images_per_second {
            speed if speed.is_finite() => format!("{speed:.0} images/s"),
            _ => "– images/s".to_owned(),
        };
        let parts: Vec<_> = figures.chain([speed]).collect();
        parts.join("  ")
    }
}

impl Rollback {
    /// What went wrong and what was done, in a line.
    fn describe(&self) -> String {
        format!(
            "step {}: {}; back to step {} with learning rates {} and {}, attempt {}",
            self.step,
            self.cause,
            self.back_to,
            self.generator_learning_rate,
            self.discriminator_learning_rate,
            self.attempt,
        )
    }
}

impl Ended {
    /// The end in a line.
    fn describe(&self, metrics: &[MetricSpec]) -> String {
        let message = self
            .message
            .as_ref()
            .map(|message| format!(": {message}"))
            .unwrap_or_default();
        format!(
            "{} at step {}{message}  {}",
            self.reason.word(),
            self.stats.step,
            self.stats.describe(metrics)
        )
    }
}
