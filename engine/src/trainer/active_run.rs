//! A run in training, and everything that can be done with it between two steps.

mod saving;
mod steering;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use sparring_contract::config::Config;
use sparring_contract::protocol::{Event, Phase, Stats};
use sparring_contract::run::{CheckpointHeader, Lock};

pub(super) use saving::WentBack;

use super::artifacts::{Artifacts, CheckpointKind};
use super::best::best_so_far;
use super::clock::{Clock, Stopwatch};
use super::due::{Due, Moment};
use super::event_sink::EventSink;
use super::finite_state::NotFinite;
use super::guard::Guard;
use super::health::{Context, HealthMonitor};
use super::held_out::{self, References};
use super::injection::{Aside, Injection};
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
    /// What plain methods reach; empty for a task without right answers.
    pub(crate) references: References,
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
            references: Vec::new(),
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
            references,
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
        let started = started(
            &run,
            &active.config,
            &active.session,
            origin,
            resumed_from,
            &references,
        );
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
            elapsed,
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
        if let Some(fidelity) = &checkup.fidelity {
            self.reporter.note_held_out(held_out::metrics(fidelity));
        }
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
        if let Some(why) = self.session.take_recording_failure() {
            self.warn(format!(
                "steps are made without CUDA graphs, and slower: {why}"
            ));
        }
    }

    /// The latest report.
    pub(super) fn latest_stats(&self) -> Stats {
        self.reporter.latest()
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
