//! Starting a worker that outlives its face.

use std::fs::OpenOptions;
use std::process::{Child, Stdio};

use anyhow::Context as _;
use sparring_contract::launch::Launch;
use sparring_contract::run::Run;

use super::leaving::Scope;
use super::program::worker;

/// Starts a worker that trains a run in the background. Its stdout and stderr go to the run's worker.log.
pub(crate) fn start(run: &Run, launch: &Launch, scope: Scope) -> anyhow::Result<Child> {
    let path = run.worker_log();
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let also_log = log
        .try_clone()
        .with_context(|| format!("cannot open {}", path.display()))?;
    let mut command = scope.around(worker(launch)?);
    command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(also_log)
        // A worker in the folder of its starter would keep it from being unmounted.
        .current_dir("/")
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))
}
