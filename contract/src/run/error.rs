use std::io;
use std::path::{Path, PathBuf};

use crate::config::ConfigError;

/// Why something could not be done with a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user's data directory is unknown.
    #[error(
        "no home directory is known to keep runs in; give one with --runs-dir or SPARRING_HOME"
    )]
    NoHome,
    /// There are no runs at all.
    #[error("there are no runs in {} yet; start one with `sparring train`", home.display())]
    NoRuns {
        /// The folder of runs.
        home: PathBuf,
    },
    /// There is no run of this name.
    #[error("there is no run `{name}`; there is {}", some_of(known))]
    NoSuchRun {
        /// The name as written.
        name: String,
        /// The runs that exist, latest first.
        known: Vec<String>,
    },
    /// A name that no directory should have.
    #[error(
        "`{name}` cannot name a run; use up to 64 letters, digits, `-`, `_` and `.`, a letter or digit first"
    )]
    BadName {
        /// The name as written.
        name: String,
    },
    /// The name is taken.
    #[error(
        "a run `{name}` exists; go on with it by `sparring train --resume {name}`, or choose another --name"
    )]
    Exists {
        /// The name.
        name: String,
    },
    /// Another process has the run.
    #[error("run `{name}` is in use by {}; stop that first", process(*pid))]
    InUse {
        /// The name.
        name: String,
        /// The process; 0 if it cannot be seen from here.
        pid: u32,
    },
    /// Another process removed the run while this one was taking it.
    #[error("run `{name}` has just been removed")]
    Removed {
        /// The name.
        name: String,
    },
    /// Something other than a run has the name.
    #[error("{} is in the way and no run: it has no config.toml; move it, or choose another --name", path.display())]
    NoRun {
        /// Where it is.
        path: PathBuf,
    },
    /// Another user's run.
    #[error("{} belongs to another user, who could change what it does; use a run of your own", path.display())]
    Foreign {
        /// Its directory.
        path: PathBuf,
    },
    /// A file system on which nothing keeps two workers from training one run.
    #[error("the file system of {} cannot lock files ({error}), so two workers could train one run; choose another with --runs-dir", path.display())]
    NoLocks {
        /// The file to be locked.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The run has no checkpoint.
    #[error(
        "run `{name}` has no checkpoint yet; it gets one at the end of its first epoch, or let it train"
    )]
    NoCheckpoint {
        /// The name.
        name: String,
    },
    /// A run that never was the best so far.
    #[error(
        "run `{name}` has no best checkpoint yet; it gets one as it trains on 40 images or more with health.time_fraction above 0"
    )]
    NoBest {
        /// The name.
        name: String,
    },
    /// A checkpoint that cannot be used.
    #[error("{} is no usable checkpoint: {why}", path.display())]
    BrokenCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The folder of sockets could be somebody else's.
    #[error("{} is not yours alone, so no socket in it can be trusted; remove it, or have its owner do so", path.display())]
    UnsafeSocketDir {
        /// The folder.
        path: PathBuf,
    },
    /// Its configuration is broken.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file system refused.
    #[error("cannot {doing} {}: {error}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl RunError {
    pub(super) fn io(doing: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            error,
        }
    }
}

fn process(pid: u32) -> String {
    match pid {
        0 => "a process of another host or user".to_owned(),
        pid => format!("process {pid}"),
    }
}

fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        format!(
            "{shown} and {} more (`sparring runs` lists them)",
            names.len() - SHOWN
        )
    } else {
        shown
    }
}
