//! What a run keeps and shows: pictures and checkpoints, when they are due.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
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
        let every = |cadence: u64, count: u64| cadence > 0 && count.is_multiple_of(cadence);
        let epoch = steps
            .is_multiple_of(self.session.batches().steps_per_epoch())
            .then(|| self.epoch());

        let first = output.sample_every_epochs > 0 && epoch == Some(1);
        let sample_epoch = epoch.filter(|epoch| first || every(output.sample_every_epochs, *epoch));
        let sample_step = every(output.sample_every_steps, steps);
        let save = epoch.is_some_and(|epoch| every(output.checkpoint_every_epochs, epoch))
            || every(output.checkpoint_every_steps, steps);

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
        let drawn = self.session.sample_fixed(i64::from(FIXED_GRID.0));
        pictures::pictures(
            Purpose::Fixed,
            self.config.seed,
            self.session.steps(),
            &drawn,
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
        let path = self.run.checkpoint_file(step);
        let header = CheckpointHeader {
            step,
            shape: self.session.batches().data().shape(),
            training_seconds: self.clock.total().as_secs_f64(),
            config: self.config.clone(),
        };
        match checkpoint::save(&path, &header, &self.session.snapshot()) {
            Ok(bytes) => {
                self.saved = Some(step);
                self.hub.emit(Event::Checkpoint(Checkpointed {
                    step,
                    epoch: self.epoch(),
                    path,
                    bytes,
                }));
            }
            Err(error) => {
                self.warn(format!(
                    "cannot save {}: {error}; make room, training goes on",
                    path.display()
                ));
                return false;
            }
        }
        let keep = usize::try_from(self.config.output.keep_checkpoints).unwrap_or(usize::MAX);
        if let Err(error) = self.run.prune_checkpoints(keep) {
            self.warn(error.to_string());
        }
        true
    }
}

/// Writes pictures as one PNG, whole or not at all.
pub(super) fn save_grid(path: &Path, grid: &Pictures, columns: usize) -> std::io::Result<()> {
    write_whole(path, |file: &mut File| {
        write_png_grid(&mut BufWriter::new(file), grid, columns)
    })
    .map(drop)
}
