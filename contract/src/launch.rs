//! How a face starts the worker program: `sparring-worker BUILD_ID LAUNCH`, the launch as JSON.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::BUILD_ID;

/// What a worker is started for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "launch", rename_all = "snake_case")]
pub enum Launch {
    /// Train a run.
    Train {
        /// The run's directory.
        run: PathBuf,
        /// The checkpoint to go on from; none to begin.
        from: Option<PathBuf>,
        /// Who listens to its stdout and stderr.
        voice: Voice,
        /// Whether the run's directory is to be removed when training fails before its first step.
        fresh: bool,
        /// Whether the run is to be saved and ended when the last face that watches it has gone.
        #[serde(default)]
        tied: bool,
    },
    /// Do the task that arrives on stdin (see [`crate::protocol::Task`]).
    Task,
}

/// What a worker says on stdout and stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// A progress bar on a terminal, plain lines elsewhere, on stderr.
    Progress,
    /// Every event as a line of JSON on stdout, errors on stderr.
    Json,
    /// Plain lines alone: both go to the run's worker.log. The worker leaves the session of its starter, so that no
    /// terminal's end reaches it.
    Log,
}

impl Launch {
    /// Adds the launch to a command of the worker program, and the environment that it needs.
    pub fn on(&self, command: &mut Command) {
        // A launch is plain data: text, paths made from text, and names.
        command
            .arg(BUILD_ID)
            .arg(serde_json::to_string(self).unwrap_or_default());
        command.envs(missing_environment());
    }
}

/// Has glibc ask for huge pages: the weights, moments and gradients of a step are thousands of small ones, and
/// translating their addresses took a fortieth of its time.
const HUGE_PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

/// Lets cuBLAS sum in the same order every time, so that a resumed run on a GPU can be identical.
const CUBLAS: (&str, &str) = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8");

/// What a worker must find in its environment when libtorch's libraries are loaded, as far as this process's own
/// environment lacks it. Settings of the user's win.
pub fn missing_environment() -> Vec<(&'static str, &'static str)> {
    [HUGE_PAGES, CUBLAS]
        .into_iter()
        .filter(|(name, _)| env::var_os(name).is_none())
        .collect()
}
