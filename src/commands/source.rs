//! What a command takes its generator from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sparring_contract::output::tell;
use sparring_contract::run::{Home, Run, RunError};

/// The checkpoint that is meant: a file, or the newest whole one of a run, or its best.
pub(super) fn checkpoint(home: &Home, source: Option<&str>, best: bool) -> anyhow::Result<PathBuf> {
    checkpoint_and_run(home, source, best).map(|(checkpoint, _)| checkpoint)
}

/// That checkpoint, by a path that holds in any folder, and the run it was found through.
pub(super) fn checkpoint_and_run(
    home: &Home,
    source: Option<&str>,
    best: bool,
) -> anyhow::Result<(PathBuf, Option<Run>)> {
    let (path, run) = find(home, source, best)?;
    let path = fs::canonicalize(&path)
        .with_context(|| format!("cannot find the checkpoint {}", path.display()))?;
    Ok((path, run))
}

fn find(home: &Home, source: Option<&str>, best: bool) -> Result<(PathBuf, Option<Run>), RunError> {
    let is_file = |path: &&Path| !best && path.is_file();
    if let Some(file) = source.map(Path::new).filter(is_file) {
        return Ok((file.to_owned(), None));
    }
    let run = home.find(source)?;
    let name = run.name().to_owned();
    if best {
        return Ok((run.best_checkpoint()?.0, Some(run)));
    }
    match run.newest_intact_checkpoint() {
        (Some((checkpoint, _)), broken) => {
            for (_, error) in broken {
                tell(&format!("warning: {error}; an older one is taken"));
            }
            Ok((checkpoint.path, Some(run)))
        }
        (None, broken) => {
            let newest = broken.into_iter().next();
            Err(newest.map_or(RunError::NoCheckpoint { name }, |(_, error)| error))
        }
    }
}

/// Another seed every time, short enough to type.
pub(super) fn any_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id()) % 1_000_000
}
