//! The checkpoints of a run, by the names of their files.

use std::fs;
use std::path::PathBuf;

use super::{CheckpointHeader, Run, RunError};

/// A checkpoint's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Training steps.
    pub step: u64,
    /// The safetensors file.
    pub path: PathBuf,
}

/// A checkpoint that can be used, and its header.
pub type Intact = (Checkpoint, CheckpointHeader);

/// A checkpoint that cannot be used, and why.
pub type Broken = (Checkpoint, RunError);

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

    fn read_intact(&self) -> Result<CheckpointHeader, RunError> {
        let header = CheckpointHeader::read_intact(&self.path)?;
        if header.step == self.step {
            return Ok(header);
        }
        Err(RunError::BrokenCheckpoint {
            path: self.path.clone(),
            why: format!(
                "it is of step {}, and not of the step in its name",
                header.step
            ),
        })
    }
}

impl Run {
    /// The newest checkpoint that is intact, with its header, and the newer ones that are not.
    pub fn newest_intact_checkpoint(&self) -> (Option<Intact>, Vec<Broken>) {
        let mut broken = Vec::new();
        for checkpoint in self.checkpoints() {
            match checkpoint.read_intact() {
                Ok(header) => return (Some((checkpoint, header)), broken),
                Err(error) => broken.push((checkpoint, error)),
            }
        }
        (None, broken)
    }

    /// Gives a checkpoint that cannot be used a name by which it is none, so that it does not count as the newest.
    /// Returns the name.
    pub fn set_aside(&self, broken: &Checkpoint) -> Result<String, RunError> {
        let name = broken.path.file_name().unwrap_or_default().display();
        let name = format!("broken-{name}");
        let aside = self.checkpoints_dir().join(&name);
        fs::rename(&broken.path, aside)
            .map(|()| name)
            .map_err(|error| RunError::io("rename", &broken.path, error))
    }

    /// Where the checkpoint of this step belongs.
    pub fn checkpoint_file(&self, step: u64) -> PathBuf {
        self.checkpoints_dir()
            .join(format!("step-{step:09}.safetensors"))
    }

    /// Where the checkpoint with the best quick distance so far belongs. It is none of [`Run::checkpoints`], is never
    /// pruned, and gives way to a better one only.
    pub fn best_checkpoint_file(&self) -> PathBuf {
        self.checkpoints_dir().join("best.safetensors")
    }

    /// The checkpoint with the best quick distance so far.
    pub fn best_checkpoint(&self) -> Result<(PathBuf, CheckpointHeader), RunError> {
        let path = self.best_checkpoint_file();
        if !path.is_file() {
            return Err(RunError::NoBest {
                name: self.name().to_owned(),
            });
        }
        let header = CheckpointHeader::read_intact(&path)?;
        Ok((path, header))
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

    /// Removes all checkpoints up to this step but the newest `keep`.
    pub fn prune_checkpoints(&self, step: u64, keep: usize) -> Result<(), RunError> {
        let of_this_course = |checkpoint: &Checkpoint| checkpoint.step <= step;
        for old in self
            .checkpoints()
            .into_iter()
            .filter(of_this_course)
            .skip(keep)
        {
            fs::remove_file(&old.path).map_err(|error| RunError::io("remove", &old.path, error))?;
        }
        Ok(())
    }
}
