//! How a face starts the worker program: `sparring-worker BUILD_ID LAUNCH`, the launch as JSON.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::BUILD_ID;

/// What a worker of another build says, before it ends with [`crate::exit::MISMATCH`].
pub const OTHER_BUILD: &str = "this sparring-worker is of another build than the sparring that started it; build both \
                               again with `cargo build` (or `make build`)";

/// What a worker is started for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "launch", rename_all = "snake_case")]
pub enum Launch {
    /// Train a run.
    Train {
        /// The run's directory.
        run: PathBuf,
        /// The checkpoint to continue from, if there is one.
        from: Option<PathBuf>,
        /// What it writes to stdout and stderr.
        voice: Voice,
        /// Whether to remove the run's directory if training fails before its first step.
        fresh: bool,
        /// Whether to save and end the run when the last face that watches it is gone.
        #[serde(default)]
        tied: bool,
    },
    /// Do the task that arrives on stdin (see [`crate::protocol::Task`]).
    Task,
}

/// What a worker writes to stdout and stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// A progress bar on a terminal, plain lines elsewhere, on stderr.
    Progress,
    /// Every event as a line of JSON on stdout, errors on stderr.
    Json,
    /// Plain lines, for the run's worker.log. The worker also leaves the session of the process that started it, so that
    /// it survives the end of a terminal.
    Log,
}

impl Launch {
    /// Adds the launch, and the environment that the worker needs, to a command that runs the worker program.
    pub fn on(&self, command: &mut Command) {
        // A launch holds text, paths made from text, and names: it can always be written as JSON.
        command
            .arg(BUILD_ID)
            .arg(serde_json::to_string(self).unwrap_or_default());
        command.envs(missing_environment());
    }
}

/// Makes glibc ask for huge pages: the weights, moments and gradients of a step fill thousands of small pages, and
/// translating their addresses took a fortieth of the time of a step.
const HUGE_PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

/// Makes cuBLAS sum in the same order every time, so that a resumed run on a GPU can be identical.
const CUBLAS: (&str, &str) = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8");

/// The variables that must be set when libtorch's libraries are loaded and that this process's environment lacks. A
/// value that the user has set is left alone.
pub fn missing_environment() -> Vec<(&'static str, &'static str)> {
    [HUGE_PAGES, CUBLAS]
        .into_iter()
        .filter(|(name, _)| env::var_os(name).is_none())
        .collect()
}
