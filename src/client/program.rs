use std::env;
use std::path::PathBuf;
use std::process::Command;

use sparring_contract::WORKER_PROGRAM;
use sparring_contract::launch::Launch;

/// The worker program is not where it belongs.
#[derive(Debug, thiserror::Error)]
#[error(
    "{WORKER_PROGRAM} is not beside sparring in {}: build both with `cargo build` (or `make build`)",
    folder.display()
)]
pub(crate) struct WorkerMissing {
    folder: PathBuf,
}

/// A command that starts the worker program beside this one.
pub(crate) fn worker(launch: &Launch) -> Result<Command, WorkerMissing> {
    let own = env::current_exe().unwrap_or_default();
    let program = own.with_file_name(WORKER_PROGRAM);
    if !program.is_file() {
        return Err(WorkerMissing {
            folder: own.parent().map(PathBuf::from).unwrap_or_default(),
        });
    }
    let mut command = Command::new(program);
    launch.on(&mut command);
    Ok(command)
}
