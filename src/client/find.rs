//! Which run a command means, and whether its worker can be reached from here.

use sparring_contract::run::{Home, Run, RunError};

/// Why no live run was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    /// Nothing trains.
    #[error(
        "no run is training; `sparring attach {latest}` shows the latest as its log tells it, `sparring train --resume {latest}` goes on with it"
    )]
    NoneLive {
        /// The latest run.
        latest: String,
    },
    /// More than one trains.
    #[error("{} runs are training; name one of {}", names.len(), names.join(", "))]
    Several {
        /// Their names.
        names: Vec<String>,
    },
    /// Nobody trains this one.
    #[error(
        "run {name} is not training: no worker has it; go on with it by `sparring train --resume {name}`"
    )]
    NotLive {
        /// The run.
        name: String,
    },
    /// Its worker is on another machine.
    #[error(
        "run {name} is trained by process {pid} on {host}, and can only be reached from there: ssh {host}"
    )]
    Elsewhere {
        /// The run.
        name: String,
        /// The machine.
        host: String,
        /// The process there.
        pid: u32,
    },
    /// The runs could not be read.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The run of this name or at this path, live or not; without a name the one that is live.
pub(crate) fn find(home: &Home, name: Option<&str>) -> Result<Run, FindError> {
    match name {
        Some(name) => Ok(home.find(Some(name))?),
        None => only_live(home),
    }
}

/// As [`find`], but a run whose worker can be asked something.
pub(crate) fn find_live(home: &Home, name: Option<&str>) -> Result<Run, FindError> {
    let run = find(home, name)?;
    if run.holder().is_none() {
        return Err(FindError::NotLive {
            name: run.name().to_owned(),
        });
    }
    check_here(&run)?;
    Ok(run)
}

fn only_live(home: &Home) -> Result<Run, FindError> {
    let runs = home.runs()?;
    let latest = runs.first().map(|run| run.name().to_owned());
    let mut live: Vec<_> = runs
        .into_iter()
        .filter(|run| run.holder().is_some())
        .collect();
    match (live.len(), latest) {
        (1, _) => Ok(live.remove(0)),
        (0, Some(latest)) => Err(FindError::NoneLive { latest }),
        // What there is to say where there are no runs at all is said by the search for the latest.
        (0, None) => Ok(home.find(None)?),
        _ => Err(FindError::Several {
            names: live.iter().map(|run| run.name().to_owned()).collect(),
        }),
    }
}

/// Refuses a run whose worker is on another machine of a shared file system.
pub(crate) fn check_here(run: &Run) -> Result<(), FindError> {
    match run.presence() {
        Some(there) if !there.is_here() && there.host != sparring_contract::run::host() => {
            Err(FindError::Elsewhere {
                name: run.name().to_owned(),
                host: there.host,
                pid: there.pid,
            })
        }
        // A presence of this host from before its last boot is stale: the lock is held, so a worker is about to
        // write its own.
        _ => Ok(()),
    }
}
