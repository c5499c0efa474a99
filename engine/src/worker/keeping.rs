//! What a run keeps and shows: pictures and checkpoints, when they are due.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sparring_contract::picture::{FIXED_GRID, write_png_grid};
use sparring_contract::protocol::{Checkpointed, Event, Pictures, Purpose, Sampled};
use sparring_contract::run::{CheckpointHeader, write_whole};

use super::trainer::Trainer;
use super::{checkpoint, pictures};

/// How often the fixed pictures are drawn for whoever looks on.
const SHOW_EVERY: Duration = Duration::from_secs(1);

impl Trainer<'_> {
    /// Saves pictures and checkpoints that are due after this step.
    pub(super) fn keep(&mut self) {
        let steps = self.session.steps();
        let output = &self.config.output;
        let epoch = self.finished_epoch();

        let first = output.sample_every_epochs > 0 && epoch == Some(1);
        let sample_epoch = epoch.filter(|epoch| first || every(output.sample_every_epochs, *epoch));
        let sample_step = every(output.sample_every_steps, steps);
        let save = self.is_checkpoint_due();

        if sample_epoch.is_none() && !sample_step && !save {
            return;
        }
        self.clock.stop();
        if let Some(epoch) = sample_epoch {
            self.save_pictures(&format!("epoch-{epoch:04}.png"));
        }
        if sample_step {
            self.save_pictures(&format!("step-{steps:09}.png"));
        }
        if save {
            self.save_checkpoint();
        }
    }

    /// Whether this step is one after which a checkpoint is saved.
    pub(super) fn is_checkpoint_due(&self) -> bool {
        let output = &self.config.output;
        self.finished_epoch()
            .is_some_and(|epoch| every(output.checkpoint_every_epochs, epoch))
            || every(output.checkpoint_every_steps, self.session.steps())
    }

    /// The epoch that ended with this step, from 1.
    fn finished_epoch(&self) -> Option<u64> {
        self.session
            .steps()
            .is_multiple_of(self.session.loader().steps_per_epoch())
            .then(|| self.epoch())
    }

    /// Shows the fixed pictures, now and then, to whoever looks on.
    pub(super) fn show_to_watchers(&mut self) {
        if self.hub.is_watched() && self.shown.elapsed() >= SHOW_EVERY {
            self.clock.stop();
            self.show_fixed();
        }
    }

    pub(super) fn show_fixed(&mut self) {
        self.shown = Instant::now();
        self.hub.show(self.fixed_pictures());
    }

    /// Pictures from the noise that is always the same.
    fn fixed_pictures(&self) -> Pictures {
        let count = i64::from(FIXED_GRID.0);
        let drawn = self.session.sample_fixed(count);
        pictures::pictures(
            Purpose::Fixed,
            self.config.seed,
            self.session.steps(),
            &drawn,
            self.session.sample_labels(count),
        )
    }

    /// Saves a grid of pictures from the fixed noise.
    fn save_pictures(&mut self, name: &str) {
        let steps = self.session.steps();
        let grid = self.fixed_pictures();
        let path = self.run.samples_dir().join(name);
        match save_grid(&path, &grid, FIXED_GRID.1 as usize) {
            Ok(()) => self.hub.emit(Event::Samples(Sampled {
                step: steps,
                epoch: self.epoch(),
                path,
                purpose: Purpose::Fixed,
                count: grid.count,
                columns: FIXED_GRID.1,
            })),
            Err(error) => self.warn(format!(
                "cannot save {}: {error}; training goes on",
                path.display()
            )),
        }
    }

    /// Saves a checkpoint of this step, unless there is one. Returns whether there is one now.
    pub(super) fn save_checkpoint(&mut self) -> bool {
        let step = self.session.steps();
        if self.saved == Some(step) {
            return true;
        }
        if !self.write_checkpoint(self.run.checkpoint_file(step), None) {
            return false;
        }
        self.saved = Some(step);
        // What goes wrong later must not lead back behind a checkpoint.
        self.guard.keep(&self.session);
        let keep = usize::try_from(self.config.output.keep_checkpoints).unwrap_or(usize::MAX);
        if let Err(error) = self.run.prune_checkpoints(keep) {
            self.warn(error.to_string());
        }
        true
    }

    /// Saves this step as the best one so far, of this quick distance. Returns whether that could be done.
    pub(super) fn save_best(&mut self, quick_distance: f64) -> bool {
        self.write_checkpoint(self.run.best_checkpoint_file(), Some(quick_distance))
    }

    fn write_checkpoint(&self, path: PathBuf, quick_distance: Option<f64>) -> bool {
        let step = self.session.steps();
        let header = CheckpointHeader {
            step,
            shape: self.session.loader().data().shape(),
            class_names: self.session.loader().data().class_names().to_vec(),
            training_seconds: self.clock.total().as_secs_f64(),
            attempt: self.guard.attempt(),
            quick_distance,
            config: self.config.clone(),
        };
        match checkpoint::save(&path, &header, &self.session.state_dict()) {
            Ok(bytes) => {
                self.hub.emit(Event::Checkpoint(Checkpointed {
                    step,
                    epoch: self.epoch(),
                    path,
                    bytes,
                    best: quick_distance.is_some(),
                }));
                true
            }
            Err(error) => {
                self.warn(format!(
                    "cannot save {}: {error}; make room, training goes on",
                    path.display()
                ));
                false
            }
        }
    }
}

/// Whether something is due by its cadence, of which 0 is off.
fn every(cadence: u64, count: u64) -> bool {
    cadence > 0 && count.is_multiple_of(cadence)
}

/// Writes pictures as one PNG, whole or not at all.
pub(super) fn save_grid(path: &Path, grid: &Pictures, columns: usize) -> std::io::Result<()> {
    write_whole(path, |file: &mut File| {
        write_png_grid(&mut BufWriter::new(file), grid, columns)
    })
    .map(drop)
}
