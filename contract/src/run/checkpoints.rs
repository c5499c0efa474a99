//! The checkpoints of a run, by the names of their files.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Run, RunError};

/// A checkpoint's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Steps that it has learnt.
    pub step: u64,
    /// The safetensors file.
    pub path: PathBuf,
}

impl Checkpoint {
    fn at(path: PathBuf) -> Option<Self> {
        let step = path
            .file_name()?
            .to_str()?
            .strip_prefix("step-")?
            .strip_suffix(".safetensors")?
            .parse()
            .ok()?;
        Some(Self { step, path })
    }
}

impl Run {
    /// Where the checkpoint of this step belongs.
    pub fn checkpoint_file(&self, step: u64) -> PathBuf {
        self.checkpoints_dir()
            .join(format!("step-{step:09}.safetensors"))
    }

    /// The checkpoints, newest first.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        let mut found: Vec<_> = fs::read_dir(self.checkpoints_dir())
            .map(|entries| {
                entries
                    .filter_map(|entry| Checkpoint::at(entry.ok()?.path()))
                    .collect()
            })
            .unwrap_or_default();
        found.sort_by(|a: &Checkpoint, b| b.cmp(a));
        found
    }

    /// The newest checkpoint.
    pub fn newest_checkpoint(&self) -> Result<Checkpoint, RunError> {
        let none = || RunError::NoCheckpoint {
            name: self.name().to_owned(),
        };
        self.checkpoints().into_iter().next().ok_or_else(none)
    }

    /// Removes all checkpoints but the newest `keep`, and what a killed worker left half written.
    pub fn prune_checkpoints(&self, keep: usize) -> Result<(), RunError> {
        let remove = |path: &Path| {
            fs::remove_file(path).map_err(|error| RunError::io("remove", path, error))
        };
        for old in self.checkpoints().iter().skip(keep) {
            remove(&old.path)?;
        }
        for entry in fs::read_dir(self.checkpoints_dir())
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.file_name().to_string_lossy().starts_with(".writing-") {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}
