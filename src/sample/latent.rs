//! A resident worker that looks at a generator's latent space.

use std::process::Command;

use anyhow::{Result, bail};
use sparring_contract::protocol::{LatentRequest, LatentTask, Pictures, Task, TaskReply};
use sparring_contract::text::printable;

use super::progress::Progress;
use crate::client::{TaskWorker, read_reply};

/// A worker that has loaded a generator and answers requests. It ends when this value is dropped.
pub struct LatentWorker {
    worker: TaskWorker,
}

impl LatentWorker {
    /// Starts a worker; `command` has all its arguments and environment.
    pub fn start(command: Command, task: LatentTask) -> Result<Self> {
        Ok(Self {
            worker: TaskWorker::start(command, &Task::Latent(task))?,
        })
    }

    /// Asks for something, and gives each part of the answer to `take` as it comes.
    pub fn ask(
        &mut self,
        request: &LatentRequest,
        mut take: impl FnMut(TaskReply) -> Result<()>,
    ) -> Result<()> {
        let mut progress = Progress::of_loading(0, 0);
        self.worker.ask(request)?;
        loop {
            let reply = self.worker.read(read_reply)?;
            match reply {
                TaskReply::Done => return Ok(()),
                TaskReply::Progress { doing } => progress.say(printable(&doing)),
                TaskReply::Counted { doing, done, total } => {
                    progress.say(format!("{}, {done} of {total}", printable(&doing)));
                }
                reply => {
                    progress.end();
                    take(reply)?;
                }
            }
        }
    }

    /// Asks for pictures, and puts the parts of the answer together.
    pub fn pictures(&mut self, request: &LatentRequest) -> Result<Pictures> {
        let mut all: Option<Pictures> = None;
        self.ask(request, |reply| {
            let TaskReply::Pictures(part) = reply else {
                bail!("the worker's answer makes no sense: no pictures");
            };
            if let Some(all) = &mut all {
                return join(all, &part);
            }
            all = Some(part);
            Ok(())
        })?;
        match all {
            Some(all) if all.is_whole() => Ok(all),
            _ => bail!("the worker's answer makes no sense: no whole pictures"),
        }
    }
}

/// Adds pictures to others of the same shape.
pub fn join(all: &mut Pictures, part: &Pictures) -> Result<()> {
    let shape = |of: &Pictures| (of.channels, of.height, of.width);
    if shape(all) != shape(part) {
        bail!("the worker's answer makes no sense: pictures of different sizes");
    }
    all.count = all.count.saturating_add(part.count);
    all.pixels.extend(&part.pixels);
    Ok(())
}
