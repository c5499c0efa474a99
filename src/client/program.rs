use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use sparring_contract::WORKER_PROGRAM;
use sparring_contract::launch::Launch;

use super::installed::{Installed, NoLibtorch};

/// Where the loader looks for libraries before a program's own search path.
const LIBRARY_PATH: &str = if cfg!(target_os = "macos") {
    "DYLD_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};

/// The worker program cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoWorker {
    /// It is not where it belongs.
    #[error(
        "{WORKER_PROGRAM} is not beside sparring in {}: build both with `cargo build` (or `make build`)",
        folder.display()
    )]
    Missing {
        /// The folder of this program.
        folder: PathBuf,
    },
    /// There is no libtorch for it.
    #[error(transparent)]
    NoLibtorch(#[from] NoLibtorch),
}

/// A command that starts the worker program: the one beside this program, else the one that was installed with it.
pub(crate) fn worker(launch: &Launch) -> Result<Command, NoWorker> {
    let own = env::current_exe().unwrap_or_default();
    let beside = own.with_file_name(WORKER_PROGRAM);
    let mut command = if beside.is_file() {
        Command::new(beside)
    } else if let Some(installed) = Installed::with(&own) {
        let mut command = Command::new(installed.program());
        if let Some(libraries) = installed.libtorch_elsewhere()? {
            command.env(LIBRARY_PATH, before(libraries, LIBRARY_PATH));
        }
        command
    } else {
        let folder = own.parent().map(Path::to_owned).unwrap_or_default();
        return Err(NoWorker::Missing { folder });
    };
    launch.on(&mut command);
    Ok(command)
}

/// A list of folders with one more before those of a variable.
fn before(folder: PathBuf, variable: &str) -> OsString {
    let mut folders = folder.into_os_string();
    if let Some(others) = env::var_os(variable).filter(|others| !others.is_empty()) {
        folders.push(":");
        folders.push(others);
    }
    folders
}
