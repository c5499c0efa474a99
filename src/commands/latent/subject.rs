//! What is looked at, and where pictures of it go.

use std::path::{Path, PathBuf};

use anyhow::bail;
use sparring_contract::launch::Launch;
use sparring_contract::protocol::{LatentTask, Pictures};
use sparring_contract::run::{CheckpointHeader, Home, Run};

use crate::cli::{Drawing, Model};
use crate::client::worker;
use crate::commands::flags;
use crate::commands::source::checkpoint_and_run;
use crate::sample::{Destination, Existing, FileFormat, LatentWorker, Look, Shape, classes, join};

/// A generator that is looked at.
pub(super) struct Subject {
    /// None for a checkpoint that was named by its file.
    pub(super) run: Option<Run>,
    pub(super) checkpoint: PathBuf,
    pub(super) header: CheckpointHeader,
    device: String,
}

impl Subject {
    pub(super) fn find(
        home: &Home,
        source: Option<&str>,
        best: bool,
        device: &str,
    ) -> anyhow::Result<Self> {
        let (checkpoint, run) = checkpoint_and_run(home, source, best)?;
        Ok(Self {
            run,
            header: CheckpointHeader::read(&checkpoint)?,
            checkpoint,
            device: device.to_owned(),
        })
    }

    pub(super) fn of(home: &Home, model: &Model) -> anyhow::Result<Self> {
        Self::find(home, model.source.as_deref(), model.best, &model.device)
    }

    /// The label of a class by its name or number.
    pub(super) fn class(&self, name: &str) -> anyhow::Result<u64> {
        classes::find(self.header.conditional_classes(), name)
    }

    pub(super) fn worker(&self) -> anyhow::Result<LatentWorker> {
        let task = LatentTask {
            checkpoint: self.checkpoint.clone(),
            device: self.device.clone(),
        };
        LatentWorker::start(worker(&Launch::Task)?, task)
    }

    pub(super) fn shape(&self) -> Shape {
        Shape::new(self.header.shape)
    }
}

/// The file that pictures go to.
pub(super) struct Target<'a> {
    path: &'a Path,
    pub(super) format: FileFormat,
    existing: Existing,
}

impl<'a> Target<'a> {
    /// The target of the flags `--out` and `--force`; none without `--out`.
    pub(super) fn of(out: Option<&'a Path>, force: bool) -> anyhow::Result<Option<Self>> {
        let Some(path) = out else { return Ok(None) };
        let Some(format) = FileFormat::of(path)? else {
            bail!(
                "{} names a folder; give a file, such as one that ends in .png",
                path.display()
            );
        };
        Ok(Some(Self {
            path,
            format,
            existing: flags::existing(force),
        }))
    }

    /// Checks what can be checked before a worker starts.
    pub(super) fn destination(&self, count: u64, shape: Shape) -> anyhow::Result<Destination> {
        Destination::new(self.path, self.format, self.existing, count, shape)
    }
}

/// How a strip of pictures is shown: beside each other, unless the flags say otherwise.
pub(super) fn strip(drawing: &Drawing, pictures: &Pictures) -> Look {
    let look = flags::look(drawing);
    Look {
        columns: look.columns.or(u16::try_from(pictures.count).ok()),
        ..look
    }
}

/// Puts strips below each other.
pub(super) fn stacked(strips: Vec<Pictures>) -> anyhow::Result<Pictures> {
    let mut strips = strips.into_iter();
    let Some(mut all) = strips.next() else {
        bail!("the worker's answer makes no sense: no pictures");
    };
    for strip in strips {
        join(&mut all, &strip)?;
    }
    Ok(all)
}
