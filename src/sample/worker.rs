//! A worker that draws pictures.

use std::process::Command;

use anyhow::Result;
use sparring_contract::protocol::{Pictures, Task};

use super::replies::Replies;
use crate::client::TaskWorker;

/// A worker that was asked for pictures. It ends when this value is dropped, at the latest.
pub struct Worker {
    worker: TaskWorker,
    replies: Replies,
}

impl Worker {
    /// Starts a worker and gives it a task that sends this many pictures.
    pub fn start(command: Command, task: &Task, wanted: u64) -> Result<Self> {
        Ok(Self {
            worker: TaskWorker::start(command, task)?,
            replies: Replies::new(wanted),
        })
    }

    /// The next batch of pictures; `None` once all have come.
    pub fn next(&mut self) -> Result<Option<Pictures>> {
        self.worker.read(|from| self.replies.next(from))
    }

    /// Waits for the worker to end by itself.
    pub fn finish(self) {
        self.worker.finish();
    }
}
