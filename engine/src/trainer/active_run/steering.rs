//! What users ask of a run: pictures, another configuration, notes.

use std::path::PathBuf;

use sparring_contract::config::Config;
use sparring_contract::picture::FIXED_GRID;
use sparring_contract::protocol::{Event, KeptPoint, MAX_NOTE, Pictures, Purpose, Sampled};

use super::ActiveRun;
use crate::trainer::commands::{Done, change_key, draw_fresh};
use crate::trainer::injection::Aside;
use crate::trainer::lending::{CopyRequest, Seen};
use crate::trainer::pictures::{grid_columns, pictures};
use crate::trainer::report::epoch;

impl ActiveRun<'_> {
    /// Draws pictures from fresh noise, of one class or of each in its turn, shows them and saves them.
    pub(in crate::trainer) fn sample(
        &mut self,
        count: u64,
        seed: Option<u64>,
        class: Option<u64>,
    ) -> Done {
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

    /// Gives the explorer a copy of the generator.
    pub(in crate::trainer) fn copy_generator(&mut self, request: CopyRequest) {
        self.stop_stopwatch();
        request.answer(&self.session, &self.config);
    }

    /// Keeps a point of the latent space: its picture in a file, and where it is in the log.
    pub(in crate::trainer) fn keep_point(&mut self, seen: Seen) -> Done {
        self.stop_stopwatch();
        let name = self.artifacts.free_point_name();
        let path = self
            .artifacts
            .write_pictures(&format!("{name}.png"), &seen.picture, 1)
            .map_err(|error| error.to_string())?;
        let kept = KeptPoint {
            step: seen.step,
            name: name.clone(),
            place: seen.place,
            z: seen.z,
            path,
        };
        self.sink
            .record(Event::Kept(Box::new(kept)))
            .map_err(|error| format!("the point cannot be kept: {error}"))?;
        Ok(Some(name))
    }

    /// Changes a key of the configuration.
    pub(in crate::trainer) fn set(&mut self, key: &str, value: serde_json::Value) -> Done {
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
    pub(in crate::trainer) fn note(&self, text: String) -> Done {
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
    pub(super) fn put_in_force(&mut self, config: Config) {
        self.session.set_learning_rates(
            config.generator.learning_rate,
            config.discriminator.learning_rate,
        );
        self.config = config;
        self.artifacts.note_change();
        self.announce_config();
    }

    pub(super) fn announce_config(&self) {
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
        let parts = self.session.parts();
        pictures(
            Purpose::Fixed,
            self.config.seed,
            steps,
            &drawn,
            labels,
            parts,
        )
    }

    /// Shows faces the pictures from the fixed noise.
    pub(in crate::trainer) fn show_fixed_pictures(&mut self) {
        self.stop_stopwatch();
        self.shown = self.clock.now();
        self.fail_on_purpose(Aside::Pictures);
        self.sink.show(self.fixed_pictures());
    }

    /// Saves a grid of the pictures from the fixed noise.
    pub(in crate::trainer) fn save_fixed_pictures(&mut self, name: &str) {
        self.stop_stopwatch();
        let pictures = self.fixed_pictures();
        let columns = grid_columns(pictures.count as usize, pictures.group());
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
            parts: pictures.parts.clone(),
        }));
    }
}
