//! The files that a run writes: picture grids and checkpoints.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use sparring_contract::picture::write_png_grid;
use sparring_contract::protocol::{FeatureKind, Pictures};
use sparring_contract::run::{CheckpointHeader, Lock, Run, RunError, write_private};

use super::checkpoint;
use super::finite_state::FiniteState;

/// The files of one run.
pub(super) struct Artifacts<'a> {
    /// The run, held by this process.
    lock: &'a Lock,
    /// The step of the newest checkpoint, while that checkpoint is the state of the run.
    saved: Option<u64>,
}

/// Which checkpoint is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CheckpointKind {
    /// One of the newest few, from which a run is resumed.
    Latest,
    /// The best so far.
    Best {
        /// Its quick distance.
        quick_distance: f64,
        /// The features that it is in.
        features: FeatureKind,
    },
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) path: PathBuf,
    /// Its size.
    pub(super) bytes: u64,
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot save {}: {error}", path.display())]
pub(super) struct WriteError {
    path: PathBuf,
    error: io::Error,
}

impl CheckpointKind {
    /// Whether it is the best checkpoint.
    pub(super) fn is_best(self) -> bool {
        matches!(self, Self::Best { .. })
    }

    /// The quick distance for which it is kept, and the features that it is in, if it is.
    pub(super) fn quick_distance(self) -> Option<(f64, FeatureKind)> {
        match self {
            Self::Latest => None,
            Self::Best {
                quick_distance,
                features,
            } => Some((quick_distance, features)),
        }
    }
}

impl<'a> Artifacts<'a> {
    /// The files of a run that was read from the checkpoint of a step, if it was.
    pub(super) fn new(lock: &'a Lock, resumed_from: Option<u64>) -> Self {
        Self {
            lock,
            saved: resumed_from,
        }
    }

    /// Whether the newest checkpoint is the state of the run at this step.
    pub(super) fn has_checkpoint_of(&self, step: u64) -> bool {
        self.saved == Some(step)
    }

    /// Notes that something other than the step has changed, which the newest checkpoint does not know.
    pub(super) fn note_change(&mut self) {
        self.saved = None;
    }

    /// Writes a checkpoint, whole or not at all.
    pub(super) fn write_checkpoint(
        &mut self,
        kind: CheckpointKind,
        header: &CheckpointHeader,
        state: &FiniteState<'_>,
    ) -> Result<Written, WriteError> {
        let place = |run: &Run| match kind {
            CheckpointKind::Latest => run.checkpoint_file(header.step),
            CheckpointKind::Best { .. } => run.best_checkpoint_file(),
        };
        let (path, bytes) = self.write(place, |path| checkpoint::save(path, header, state))?;
        if kind == CheckpointKind::Latest {
            self.saved = Some(header.step);
        }
        Ok(Written { path, bytes })
    }

    /// Writes a file of the run where the run is now. If its directory is moved meanwhile, writes it there.
    fn write<T>(
        &self,
        place: impl Fn(&Run) -> PathBuf,
        write: impl Fn(&Path) -> io::Result<T>,
    ) -> Result<(PathBuf, T), WriteError> {
        let mut run = self.lock.run();
        loop {
            let path = place(&run);
            let error = match write(&path) {
                Ok(written) => return Ok((path, written)),
                Err(error) => error,
            };
            let now = self.lock.run();
            if error.kind() != io::ErrorKind::NotFound || now == run {
                return Err(WriteError { path, error });
            }
            run = now;
        }
    }

    /// Removes all checkpoints but the newest `keep` and the best.
    pub(super) fn prune_checkpoints(&self, step: u64, keep: u64) -> Result<(), RunError> {
        self.lock
            .run()
            .prune_checkpoints(step, usize::try_from(keep).unwrap_or(usize::MAX))
    }

    /// The first name for a point, `point-1` and so on, of which there is no picture yet.
    pub(super) fn free_point_name(&self) -> String {
        let folder = self.lock.run().samples_dir();
        let mut names = (1_u64..).map(|number| format!("point-{number}"));
        names
            .find(|name| !folder.join(format!("{name}.png")).exists())
            .unwrap_or_else(|| "point".to_owned())
    }

    /// Writes pictures as one PNG with this many columns, whole or not at all.
    pub(super) fn write_pictures(
        &self,
        name: &str,
        pictures: &Pictures,
        columns: usize,
    ) -> Result<PathBuf, WriteError> {
        let place = |run: &Run| run.samples_dir().join(name);
        let written = self.write(place, |path| {
            write_private(path, |file: &mut File| {
                write_png_grid(&mut BufWriter::new(file), pictures, columns)
            })
        });
        written.map(|(path, _)| path)
    }
}
