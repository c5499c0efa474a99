//! Starting a worker that outlives its face.

use std::process::{Child, Stdio};

use anyhow::Context as _;
use sparring_contract::launch::Launch;
use sparring_contract::run::Run;

use super::leaving::Scope;
use super::program::worker;

/// Starts a worker that trains a run in the background. Its stdout and stderr go to the run's worker.log.
pub(crate) fn start(run: &Run, launch: &Launch, scope: Scope) -> anyhow::Result<Child> {
    let unopened = || format!("cannot open {}", run.worker_log().display());
    let log = run.append_to_worker_log().with_context(unopened)?;
    let also_log = log.try_clone().with_context(unopened)?;
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
