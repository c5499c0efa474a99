//! What a run reports about itself: its facts as it starts, and its metrics every so often.

use std::path::PathBuf;
use std::time::Duration;

use sparring_contract::config::Config;
use sparring_contract::protocol::{Metrics, Parameters, Started, Stats};
use sparring_contract::run::Run;
use tch::Device;

use super::clock::{Clock, Stopwatch};
use super::held_out::{self, References};
use crate::gan::Session;

/// Reports metrics of the steps since the report before.
pub(super) struct Reporter {
    latest: Stats,
    /// Training time of this process at the latest report.
    at: Duration,
    /// What the latest health check found of held-out pictures.
    held_out: Metrics,
}

impl Reporter {
    /// A reporter of a session that this process has not trained yet.
    pub(super) fn new(session: &Session, stopwatch: &Stopwatch) -> Self {
        let training_seconds = stopwatch.total(Duration::ZERO).as_secs_f64();
        Self {
            latest: Stats {
                training_seconds,
                ..no_stats(session)
            },
            at: Duration::ZERO,
            held_out: Metrics::default(),
        }
    }

    /// Notes what a health check found of held-out pictures. Reports have it from now on.
    pub(super) fn note_held_out(&mut self, metrics: Metrics) {
        self.held_out = metrics;
    }

    /// Starts again at the step that the session went back to.
    pub(super) fn restart(&mut self, session: &Session, elapsed: Duration) {
        self.latest = no_stats(session);
        self.at = elapsed;
    }

    /// The latest report.
    pub(super) fn latest(&self) -> Stats {
        self.latest.clone()
    }

    /// The greater of both networks' gradient norms in the latest report; NaN if there is none.
    pub(super) fn gradient_norm(&self) -> f64 {
        let metrics = &self.latest.metrics;
        metrics.get("d_grad_norm").max(metrics.get("g_grad_norm"))
    }

    /// Training time since the latest report.
    pub(super) fn since(&self, elapsed: Duration) -> Duration {
        elapsed.saturating_sub(self.at)
    }

    /// Reads the metrics of the steps since the latest report; `None` if there was no step. Waits for the device.
    pub(super) fn report(
        &mut self,
        session: &mut Session,
        stopwatch: &Stopwatch,
        clock: &dyn Clock,
    ) -> Option<Stats> {
        let steps = session.steps();
        if steps == self.latest.step {
            return None;
        }
        let mut metrics = session.metrics();
        for (key, value) in self.held_out.iter() {
            metrics.set(key, value);
        }
        // Read after the metrics: reading them waits until the device has finished its steps.
        let now = clock.now();
        let elapsed = stopwatch.elapsed(now);
        let images_seen = session.loader().images_before(steps);
        self.latest = Stats {
            step: steps,
            epoch: epoch(session),
            images_seen,
            images_per_second: (images_seen - self.latest.images_seen) as f64
                / self.since(elapsed).as_secs_f64(),
            training_seconds: stopwatch.total(now).as_secs_f64(),
            metrics,
        };
        self.at = elapsed;
        Some(self.latest.clone())
    }
}

/// The epoch that the latest step was part of, from 1.
pub(super) fn epoch(session: &Session) -> u64 {
    session
        .steps()
        .div_ceil(session.loader().steps_per_epoch())
        .max(1)
}

/// The step at which epochs or steps end the training.
pub(super) fn last_step(config: &Config, session: &Session) -> u64 {
    let by_epochs = config
        .epochs
        .saturating_mul(session.loader().steps_per_epoch());
    if config.steps > 0 {
        by_epochs.min(config.steps)
    } else {
        by_epochs
    }
}

/// The facts of a run as its training starts. `origin` says in words where the images are from; `from` is the checkpoint
/// that it was resumed from; `references` is what plain methods reach.
pub(super) fn started(
    run: &Run,
    config: &Config,
    session: &Session,
    origin: String,
    from: Option<PathBuf>,
    references: &References,
) -> Started {
    let (generator, discriminator) = session.num_parameters();
    let data = session.loader().data();
    Started {
        run: run.name().to_owned(),
        directory: run.dir().to_owned(),
        preset: config.preset.clone(),
        task: config.task,
        data: origin,
        images: data.len(),
        device: match session.device() {
            Device::Cuda(index) => format!("cuda:{index}"),
            _ => "cpu".to_owned(),
        },
        threads: config.threads,
        parameters: Parameters {
            generator,
            discriminator,
        },
        batch_size: config.batch_size,
        steps_per_epoch: session.loader().steps_per_epoch(),
        epochs: config.epochs,
        last_step: last_step(config, session),
        step: session.steps(),
        from,
        metrics: [session.metric_specs(), held_out::specs(references)].concat(),
        class_names: data.class_names().to_vec(),
        conditional: config.conditional,
        shape: data
            .shape()
            .map(|size| u32::try_from(size).unwrap_or_default()),
    }
}

fn no_stats(session: &Session) -> Stats {
    let images_seen = session.loader().images_before(session.steps());
    Stats::none_at(session.steps(), epoch(session), images_seen)
}
