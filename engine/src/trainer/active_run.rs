//! A run in training, and everything that can be done with it between two steps.

use std::path::PathBuf;
use std::time::Duration;

use sparring_contract::config::Config;
use sparring_contract::picture::FIXED_GRID;
use sparring_contract::protocol::{
    Checkpointed, Event, MAX_NOTE, Phase, Pictures, Purpose, Rollback, Sampled, Stats,
};
use sparring_contract::run::{Checkpoint, CheckpointHeader, Lock};

use super::artifacts::{Artifacts, CheckpointKind};
use super::best::best_so_far;
use super::clock::{Clock, Stopwatch};
use super::commands::{Done, change_key, draw_fresh};
use super::due::{Due, Moment};
use super::event_sink::EventSink;
use super::finite_state::{FiniteState, NotFinite};
use super::guard::{Guard, MOST_ATTEMPTS, Recovery, with_lower_learning_rates};
use super::health::{Context, HealthMonitor};
use super::injection::{Aside, Injection};
use super::pictures::pictures;
use super::report::{Reporter, epoch, last_step, started};
use crate::eval::{Judge, QuickFrechet};
use crate::gan::Session;
use crate::panics::{Panic, caught};

/// What is to be trained.
pub(crate) struct Assignment<'a> {
    /// The run, held by this process.
    pub(crate) lock: &'a Lock,
    pub(crate) config: Config,
    /// At step 0, or restored from a checkpoint.
    pub(crate) session: Session,
    /// Where the images are from, in words.
    pub(crate) origin: String,
    /// What was left out of the data, a line each.
    pub(crate) warnings: Vec<String>,
    /// The judge of the images, if there is one.
    pub(crate) judge: Option<Judge>,
    /// The header of the checkpoint from which the session was restored, if it was.
    pub(crate) resumed: Option<CheckpointHeader>,
    /// That checkpoint.
    pub(crate) resumed_from: Option<PathBuf>,
    /// Whether asking for faults is free, so that each step is checked. On a GPU it waits for the device.
    pub(crate) is_fault_check_free: bool,
    /// A step that is to go wrong.
    pub(crate) injection: Option<Injection>,
}

#[cfg(test)]
impl<'a> Assignment<'a> {
    /// A new run without a judge and without faults.
    pub(super) fn plain(lock: &'a Lock, config: &Config, session: Session) -> Self {
        Self {
            lock,
            session,
            config: config.clone(),
            origin: "made up".to_owned(),
            warnings: Vec::new(),
            judge: None,
            resumed: None,
            resumed_from: None,
            is_fault_check_free: false,
            injection: None,
        }
    }
}

/// A run in training. It does what the training loop decides, and returns what came of it.
pub(super) struct ActiveRun<'a> {
    lock: &'a Lock,
    sink: &'a dyn EventSink,
    clock: &'a dyn Clock,
    config: Config,
    session: Session,
    stopwatch: Stopwatch,
    reporter: Reporter,
    guard: Guard,
    health: HealthMonitor,
    artifacts: Artifacts<'a>,
    injection: Option<Injection>,
    /// The latest panic that was reported.
    latest_panic: Option<String>,
    is_fault_check_free: bool,
    last_step: u64,
    /// When the fixed pictures were last shown.
    shown: Duration,
}

/// What came of going back after a fault.
pub(super) enum WentBack {
    /// The run tries again from an earlier step.
    Retry,
    /// The attempts are used up. The run is in its last good state.
    GaveUp {
        /// What went wrong, and what to do.
        message: String,
    },
    /// It could not go back. The state is of no use.
    Failed {
        /// What went wrong.
        message: String,
    },
}

impl<'a> ActiveRun<'a> {
    /// Takes up a run and announces it.
    pub(super) fn new(
        assignment: Assignment<'a>,
        sink: &'a dyn EventSink,
        clock: &'a dyn Clock,
    ) -> Self {
        let Assignment {
            lock,
            config,
            session,
            origin,
            warnings,
            judge,
            resumed,
            resumed_from,
            is_fault_check_free,
            injection,
        } = assignment;
        let seconds = resumed
            .as_ref()
            .map_or(0.0, |header| header.training_seconds);
        let attempt = resumed.as_ref().map_or(0, |header| header.attempt);
        let stopwatch = Stopwatch::after(seconds);
        let run = lock.run();
        let (best, best_warning) = best_so_far(&run, QuickFrechet::features_with(judge.as_ref()));
        let active = Self {
            lock,
            sink,
            clock,
            reporter: Reporter::new(&session, &stopwatch),
            guard: Guard::new(&session, attempt),
            health: HealthMonitor::new(judge, best, session.loader().data().class_names().to_vec()),
            artifacts: Artifacts::new(lock, resumed.map(|header| header.step)),
            injection,
            latest_panic: None,
            is_fault_check_free,
            last_step: last_step(&config, &session),
            shown: clock.now(),
            stopwatch,
            config,
            session,
        };
        active.announce_config();
        // A worker that was killed may have saved a checkpoint and not yet removed an older one.
        let pruned = active.artifacts.prune_checkpoints(
            active.session.steps(),
            active.config.output.keep_checkpoints,
        );
        if let Err(error) = pruned {
            active.warn(error.to_string());
        }
        let started = started(&run, &active.config, &active.session, origin, resumed_from);
        active.sink.emit(Event::Started(Box::new(started)));
        for warning in warnings.into_iter().chain(best_warning) {
            active.warn(warning);
        }
        active
    }

    /// Steps done.
    pub(super) fn steps(&self) -> u64 {
        self.session.steps()
    }

    /// Whether all steps that epochs or steps ask for are done.
    pub(super) fn has_all_steps(&self) -> bool {
        self.steps() >= self.last_step
    }

    /// Makes a step.
    pub(super) fn step(&mut self) {
        self.stopwatch.start(self.clock.now());
        if let Some(injection) = self.injection {
            injection.apply(&self.session, self.guard.attempt());
        }
        self.session.step();
    }

    /// Decides what is due now, from one reading of the clock.
    pub(super) fn due(&self, pause_at: Option<u64>) -> Due {
        let now = self.clock.now();
        let elapsed = self.stopwatch.elapsed(now);
        let minutes = self.config.minutes;
        let counted = elapsed + self.health.time_spent();
        Due::at(&Moment {
            output: &self.config.output,
            steps: self.steps(),
            steps_per_epoch: self.session.loader().steps_per_epoch(),
            last_step: self.last_step,
            pause_at,
            is_time_up: minutes > 0.0 && counted.as_secs_f64() >= minutes * 60.0,
            since_report: self.reporter.since(elapsed),
            since_shown: self
                .sink
                .is_watched()
                .then(|| now.saturating_sub(self.shown)),
            is_health_check_due: self
                .health
                .is_due(elapsed, self.config.health.time_fraction),
            is_fault_check_free: self.is_fault_check_free,
        })
    }

    /// Whether the run, which is about to end, deserves a last health check.
    pub(super) fn is_final_check_due(&self) -> bool {
        self.health
            .is_final_check_due(self.steps(), self.config.health.time_fraction)
    }

    /// Looks for numbers that were not finite in the steps since the last check.
    pub(super) fn check_faults(&mut self) -> Result<(), NotFinite> {
        if let Some(fault) = self.session.fault() {
            return Err(fault.into());
        }
        self.guard.note_good(self.session.steps());
        Ok(())
    }

    /// Keeps this state as the one to go back to.
    pub(super) fn keep_state(&mut self) -> Result<(), NotFinite> {
        self.guard.keep(&FiniteState::of(&mut self.session)?);
        Ok(())
    }

    /// Saves a checkpoint of this step, unless there is one. This is the only place that does: whatever is saved was
    /// checked for faults here. Returns whether there is a checkpoint of this step now; an error of the disk, or a panic,
    /// is reported as a warning.
    pub(super) fn save_checkpoint(&mut self, kind: CheckpointKind) -> Result<bool, NotFinite> {
        caught(|| self.try_save_checkpoint(kind)).unwrap_or_else(|panic| {
            self.warn_of("the checkpoint could not be saved", &panic);
            Ok(false)
        })
    }

    fn try_save_checkpoint(&mut self, kind: CheckpointKind) -> Result<bool, NotFinite> {
        let step = self.steps();
        if kind == CheckpointKind::Latest && self.artifacts.has_checkpoint_of(step) {
            return Ok(true);
        }
        self.stop_stopwatch();
        self.fail_on_purpose(Aside::Checkpoint);
        let training_seconds = self.stopwatch.total(self.clock.now()).as_secs_f64();
        let state = FiniteState::of(&mut self.session)?;
        let session = state.session();
        let (quick_distance, features) = kind.quick_distance().unzip();
        let header = CheckpointHeader {
            step,
            shape: session.loader().data().shape(),
            class_names: session.loader().data().class_names().to_vec(),
            training_seconds,
            attempt: self.guard.attempt(),
            quick_distance,
            features,
            config: self.config.clone(),
        };
        let written = match self.artifacts.write_checkpoint(kind, &header, &state) {
            Ok(written) => written,
            Err(error) => {
                self.warn(format!("{error}; what was saved before stays"));
                return Ok(false);
            }
        };
        self.sink.emit(Event::Checkpoint(Checkpointed {
            step,
            epoch: epoch(session),
            path: written.path,
            bytes: written.bytes,
            best: kind.is_best(),
        }));
        if kind == CheckpointKind::Latest {
            // A later fault must not take the run back behind a checkpoint.
            self.guard.keep(&state);
            let keep = self.config.output.keep_checkpoints;
            if let Err(error) = self.artifacts.prune_checkpoints(step, keep) {
                self.warn(error.to_string());
            }
        }
        Ok(true)
    }

    /// Saves the last good state, if it is newer than the newest checkpoint: for a run that cannot go on.
    pub(super) fn save_good_state(&mut self) {
        if self.guard.restore(&mut self.session).is_err() || self.steps() == 0 {
            return;
        }
        let is_saved = |newest: Checkpoint| newest.step >= self.steps();
        if !self.lock.run().newest_checkpoint().is_ok_and(is_saved) {
            // The end of the run tells of its newest checkpoint, whatever became of this one.
            let _ = self.save_checkpoint(CheckpointKind::Latest);
        }
    }

    /// Goes back to the last good state, to try again with other draws and lower learning rates.
    pub(super) fn go_back(&mut self, cause: &NotFinite) -> WentBack {
        self.stop_stopwatch();
        let step = self.steps();
        let recovery = match self.guard.go_back(&mut self.session) {
            Ok(recovery) => recovery,
            Err(error) => {
                return WentBack::Failed {
                    message: format!("step {step}: {cause}; {error}"),
                };
            }
        };
        let back_to = self.steps();
        // A checkpoint of that step knows only the attempts before.
        self.artifacts.note_change();
        let elapsed = self.stopwatch.elapsed(self.clock.now());
        self.reporter.restart(&self.session, elapsed);
        if recovery == Recovery::GiveUp {
            return WentBack::GaveUp {
                message: format!(
                    "step {step}: {cause}; {MOST_ATTEMPTS} attempts from step {back_to} on did not help: go on with \
                     lower learning rates"
                ),
            };
        }
        let config = with_lower_learning_rates(&self.config);
        if let Err(error) = self.lock.run().write_config(&config) {
            self.warn(format!(
                "{error}; training goes on with lower learning rates"
            ));
        }
        self.put_in_force(config);
        self.sink.emit(Event::Rollback(Rollback {
            step,
            back_to,
            attempt: self.guard.attempt(),
            cause: cause.to_string(),
            generator_learning_rate: self.config.generator.learning_rate,
            discriminator_learning_rate: self.config.discriminator.learning_rate,
        }));
        WentBack::Retry
    }

    /// Checks the run's health, and saves the state if it is the best so far. If that panics, for example because there
    /// is no memory for it, training goes on.
    pub(super) fn check_health(&mut self) -> Result<(), NotFinite> {
        caught(|| self.try_check_health()).unwrap_or_else(|panic| {
            let elapsed = self.stopwatch.elapsed(self.clock.now());
            let consequence = if self.health.note_failed(elapsed) {
                "the health check failed"
            } else {
                "health checks cannot be made in this run"
            };
            self.warn_of(consequence, &panic);
            Ok(())
        })
    }

    fn try_check_health(&mut self) -> Result<(), NotFinite> {
        self.stop_stopwatch();
        let now = self.clock.now();
        let context = Context {
            epoch: epoch(&self.session),
            elapsed: self.stopwatch.elapsed(now),
            training_seconds: self.stopwatch.total(now).as_secs_f64(),
            gradient_norm: self.reporter.gradient_norm(),
        };
        self.fail_on_purpose(Aside::Check);
        let checkup = self.health.check(&self.session, context, self.clock);
        self.sink.emit(Event::Health(Box::new(checkup.health)));
        if let Some(message) = checkup.alarm {
            let step = self.steps();
            self.sink.emit(Event::Alarm { step, message });
        }
        if let Some((quick_distance, features)) = checkup.new_best
            && self.save_checkpoint(CheckpointKind::Best {
                quick_distance,
                features,
            })?
        {
            self.health.note_best_saved(quick_distance);
        }
        Ok(())
    }

    /// Does something on the side of the training. If it panics, training goes on without it.
    pub(super) fn on_the_side(&mut self, what: &str, task: impl FnOnce(&mut Self)) {
        if let Err(panic) = caught(|| task(self)) {
            self.warn_of(what, &panic);
        }
    }

    /// Reports a panic of something that training does not depend on, once in a row.
    pub(super) fn warn_of(&mut self, what: &str, panic: &Panic) {
        let message = format!("{what}: {panic}; training goes on");
        if self.latest_panic.as_ref() != Some(&message) {
            self.warn(message.clone());
            self.latest_panic = Some(message);
        }
    }

    /// Panics if the environment wants this to go wrong.
    pub(super) fn fail_on_purpose(&mut self, aside: Aside) {
        let steps = self.steps();
        if let Some(injection) = self.injection.filter(|it| it.is_in(aside, steps)) {
            self.injection.take_if(|it| it.is_once());
            panic!("a panic was injected after step {steps}: {injection:?}");
        }
    }

    /// Reports the metrics of the steps since the latest report, if there were any.
    pub(super) fn report(&mut self) {
        let stats = self
            .reporter
            .report(&mut self.session, &self.stopwatch, self.clock);
        if let Some(stats) = stats {
            self.sink.emit(Event::Stats(stats));
        }
    }

    /// The latest report.
    pub(super) fn latest_stats(&self) -> Stats {
        self.reporter.latest()
    }

    /// Draws pictures from fresh noise, of one class or of each in its turn, shows them and saves them.
    pub(super) fn sample(&mut self, count: u64, seed: Option<u64>, class: Option<u64>) -> Done {
        let fresh = draw_fresh(&self.session, &self.config, (count, seed), class)?;
        let path = self
            .artifacts
            .write_pictures(&fresh.name, &fresh.pictures, fresh.columns)
            .map_err(|error| error.to_string())?;
        let detail = path.display().to_string();
        self.emit_samples(path, &fresh.pictures, fresh.columns);
        self.sink.show(fresh.pictures);
        Ok(Some(detail))
    }

    /// Changes a key of the configuration.
    pub(super) fn set(&mut self, key: &str, value: serde_json::Value) -> Done {
        let changed = change_key(&self.lock.run(), &self.config, key, &value)?;
        // If a later step panics, the state that is saved must be one that the new configuration goes on from. A faulty
        // state is not kept; the next check finds the fault.
        let _ = self.keep_state();
        self.put_in_force(changed);
        self.sink.emit(Event::Set {
            step: self.steps(),
            key: key.to_owned(),
            value,
        });
        Ok(None)
    }

    /// Writes a user's note into the log.
    pub(super) fn note(&self, text: String) -> Done {
        let step = self.steps();
        let bytes = text.len();
        if bytes > MAX_NOTE {
            return Err(format!("a note of {bytes} bytes: write up to {MAX_NOTE}"));
        }
        self.sink
            .record(Event::Note { step, text })
            .map_err(|error| format!("the note cannot be kept: {error}"))?;
        Ok(None)
    }

    /// Puts another configuration in force; the run's own file has it already.
    fn put_in_force(&mut self, config: Config) {
        self.session.set_learning_rates(
            config.generator.learning_rate,
            config.discriminator.learning_rate,
        );
        self.config = config;
        self.artifacts.note_change();
        self.announce_config();
    }

    fn announce_config(&self) {
        match self.config.to_toml() {
            Ok(config) => self.sink.configure(config),
            Err(error) => self.warn(error.to_string()),
        }
    }

    /// Pictures from the noise that is the same throughout a run.
    fn fixed_pictures(&self) -> Pictures {
        let count = i64::from(FIXED_GRID.0);
        let drawn = self.session.sample_fixed(count);
        let labels = self.session.sample_labels(count);
        let steps = self.steps();
        pictures(Purpose::Fixed, self.config.seed, steps, &drawn, labels)
    }

    /// Shows faces the pictures from the fixed noise.
    pub(super) fn show_fixed_pictures(&mut self) {
        self.stop_stopwatch();
        self.shown = self.clock.now();
        self.fail_on_purpose(Aside::Pictures);
        self.sink.show(self.fixed_pictures());
    }

    /// Saves a grid of the pictures from the fixed noise.
    pub(super) fn save_fixed_pictures(&mut self, name: &str) {
        self.stop_stopwatch();
        let pictures = self.fixed_pictures();
        let columns = FIXED_GRID.1 as usize;
        match self.artifacts.write_pictures(name, &pictures, columns) {
            Ok(path) => self.emit_samples(path, &pictures, columns),
            Err(error) => self.warn(format!("{error}; training goes on")),
        }
    }

    fn emit_samples(&self, path: PathBuf, pictures: &Pictures, columns: usize) {
        self.sink.emit(Event::Samples(Sampled {
            step: self.steps(),
            epoch: epoch(&self.session),
            path,
            purpose: pictures.purpose,
            count: pictures.count,
            columns: u32::try_from(columns).unwrap_or(u32::MAX),
        }));
    }

    /// Reports that the run enters a phase.
    pub(super) fn enter(&self, phase: Phase) {
        let step = self.steps();
        self.sink.emit(Event::Phase { phase, step });
    }

    fn warn(&self, message: String) {
        let step = self.steps();
        self.sink.emit(Event::Warning { step, message });
    }

    /// Ends the training time until the next step.
    pub(super) fn stop_stopwatch(&mut self) {
        self.stopwatch.stop(self.clock.now());
    }
}

#[cfg(test)]
mod tests;
