//! Saving a run's state, and going back to it.

use sparring_contract::protocol::{Checkpointed, Event, Rollback};
use sparring_contract::run::{Checkpoint, CheckpointHeader};

use super::ActiveRun;
use crate::panics::caught;
use crate::trainer::artifacts::CheckpointKind;
use crate::trainer::finite_state::{FiniteState, NotFinite};
use crate::trainer::guard::{MOST_ATTEMPTS, Recovery, with_lower_learning_rates};
use crate::trainer::injection::Aside;
use crate::trainer::report::epoch;

/// What came of going back after a fault.
pub(in crate::trainer) enum WentBack {
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

impl ActiveRun<'_> {
    /// Keeps this state as the one to go back to.
    pub(in crate::trainer) fn keep_state(&mut self) -> Result<(), NotFinite> {
        self.guard.keep(&FiniteState::of(&mut self.session)?);
        Ok(())
    }

    /// Saves a checkpoint of this step, unless there is one. This is the only place that does: whatever is saved was
    /// checked for faults here. Returns whether there is a checkpoint of this step now; an error of the disk, or a panic,
    /// is reported as a warning.
    pub(in crate::trainer) fn save_checkpoint(
        &mut self,
        kind: CheckpointKind,
    ) -> Result<bool, NotFinite> {
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
            data_fingerprint: session.loader().data().fingerprint().to_owned(),
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
    pub(in crate::trainer) fn save_good_state(&mut self) {
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
    pub(in crate::trainer) fn go_back(&mut self, cause: &NotFinite) -> WentBack {
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
}
